"""Arrays in the folder of a saved contender, beside its model; read without running anything that is in the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipelines.contenders.saved import whole
from pipelines.errors import BadInput

Read = TypeVar("Read")


def keep(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write them, whole or not at all."""
    with whole(path) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def kept(path: Path, made_of: Callable[[Mapping[str, NDArray[Any]]], Read]) -> Read | None:
    """What is made of the arrays of a file; None where there is no file.

    Raises:
        BadInput: the file is damaged, or nothing can be made of it.
    """
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return made_of(arrays)
    except Exception as error:  # a damaged archive raises many types
        raise BadInput(f"{path} was not written by Tapeline, or is damaged: {type(error).__name__}") from error
