"""Pictures made small enough to compare many of them: means of boxes of their brightness."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.examples import OnDemand, chosen

MOST_ROWS = 20_000
"""Pictures that a check looks at; of more, as many at equal distances."""

LARGE = 64
"""Of longer sides only every second, third, ... pixel is looked at, so that at least so many are left."""

ROWS_AT_ONCE = 512


def spread(rows: NDArray[np.integer[Any]], most: int) -> NDArray[np.integer[Any]]:
    """So many of the rows at most, at equal distances."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]


def brightness(column: Any, rows: NDArray[np.integer[Any]]) -> Iterator[NDArray[np.float32]]:
    """(n, h, w) or (n, d, h, w) float32 brightness of these rows, some at a time, thinned out where they are large."""
    picked = chosen(column, rows)
    blocks = picked.blocks() if isinstance(picked, OnDemand) else _blocks(picked)
    for block in blocks:
        thin = tuple(slice(None, None, max(1, side // LARGE)) for side in block.shape[1:-1])
        yield np.asarray(block[(slice(None), *thin)]).mean(axis=-1, dtype=np.float32)


def _blocks(values: NDArray[Any]) -> Iterator[NDArray[Any]]:
    for start in range(0, len(values), ROWS_AT_ONCE):
        yield values[start : start + ROWS_AT_ONCE]


def pooled(pictures: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """(n, ...) -> (n, ...) of at most `side` along each axis, each the mean of a box."""
    for axis in range(1, pictures.ndim):
        length = pictures.shape[axis]
        if length > side:
            edges = np.linspace(0, length, side + 1).astype(np.int64)
            shape = [1] * pictures.ndim
            shape[axis] = side
            sums = np.add.reduceat(pictures, edges[:-1], axis=axis)
            pictures = (sums / np.diff(edges).reshape(shape)).astype(np.float32)
    return pictures
