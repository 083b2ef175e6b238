"""Which columns a trained contender looks at, of those that the data have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.contenders.blend import FittedBlend
from pipelines.contenders.classical import FittedClassical
from pipelines.contenders.network import FittedNetwork
from pipelines.data.examples import Kind

TABULAR = {"number", "category", "text"}


def columns_read(fitted: Any, kinds: Mapping[str, Kind]) -> Mapping[str, Kind]:
    """The columns that a model looks at, of those that it is given: a classical one passes over series."""
    if isinstance(fitted, FittedBlend):
        return {name: kind for part in fitted.parts for name, kind in columns_read(part.fitted, kinds).items()}
    if isinstance(fitted, FittedClassical):
        only = fitted.column
        return {name: kind for name, kind in kinds.items() if (kind in TABULAR if only is None else name == only)}
    return fitted.kinds if isinstance(fitted, FittedNetwork) else kinds
