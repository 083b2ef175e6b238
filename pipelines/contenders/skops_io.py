"""`skops.io` without PyTorch, which would come with it wherever it is installed."""

from __future__ import annotations

import sys
from typing import Any

SHIM = "sklearn.externals.array_api_compat.torch"
"""Imports PyTorch. Nothing of it goes into a model."""


def skops_io() -> Any:
    """The module `skops.io`.

    To know what to trust it asks scikit-learn for all estimators, which imports every module of scikit-learn, the one
    that wraps PyTorch among them: seconds, and 190 MB more that the process then holds to its end. A module that is
    None cannot be imported, and that search passes it over.
    """
    absent = SHIM not in sys.modules
    if absent:
        sys.modules[SHIM] = None  # type: ignore[assignment]
    try:
        import skops.io
    finally:
        if absent:
            del sys.modules[SHIM]
    return skops.io
