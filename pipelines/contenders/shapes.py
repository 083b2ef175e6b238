"""The shape of a network: by which one is known again, whatever its weights and the names of its layers are."""

from __future__ import annotations

import json
from typing import Any


def shape_of(core: Any) -> str:
    """What two networks share when one trace serves both: layers and shapes, but not names or weights."""
    shapes = [tuple(variable.shape) for variable in core.variables]
    return json.dumps([shapes, [_unnamed(layer.get_config()) for layer in core.layers]], default=str)


def _unnamed(config: Any) -> Any:
    """A configuration without names, which Keras numbers on through a process, in nested layers too."""
    if isinstance(config, dict):
        return {key: _unnamed(value) for key, value in config.items() if key not in ("name", "registered_name")}
    return [_unnamed(value) for value in config] if isinstance(config, (list, tuple)) else config
