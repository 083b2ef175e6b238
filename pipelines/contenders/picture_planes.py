"""Pictures and volumes as grey pictures: what features that look at two dimensions are taken of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

FINEST = 64
"""Pictures of twice so many pixels a side, and more, are averaged over squares to no fewer: the features of one of 224
would else take ten times as long."""


def grey(pictures: NDArray[Any]) -> Floats:
    """(n, ..., c) in [0, 255] -> (n, ...) in [0, 1], the mean of the channels."""
    mean: Floats = (
        pictures[..., 0].astype(np.float32) if pictures.shape[-1] == 1 else pictures.mean(axis=-1, dtype=np.float32)
    )
    mean /= np.float32(255)
    return mean


def planes(pictures: NDArray[Any]) -> tuple[Floats, ...]:
    """A grey picture (n, h, w) in [0, 1] of each picture; of each volume three, through its middle along each axis.

    Large ones are averaged over squares of pixels (`FINEST`).
    """
    if pictures.ndim == 4:
        found: tuple[NDArray[Any], ...] = (pictures,)
    else:
        found = tuple(np.take(pictures, pictures.shape[axis] // 2, axis=axis) for axis in (1, 2, 3))
    return tuple(averaged(grey(each)[..., None], _square(each.shape[1:3]))[..., 0] for each in found)


def plane_shapes(shape: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """(height, width) of each of `planes`, of pictures (n, h, w, c) or volumes (n, d, h, w, c)."""
    sides = shape[1:-1]
    faces = (sides,) if len(sides) == 2 else tuple(sides[:axis] + sides[axis + 1 :] for axis in range(3))
    return tuple((height // _square((height, width)), width // _square((height, width))) for height, width in faces)


def averaged(pictures: NDArray[Any], side: int) -> NDArray[Any]:
    """(n, ..., c) -> means of squares, or cubes, of so many pixels a side; what fills none is left out."""
    if side == 1:
        return pictures
    n, *sides, channels = pictures.shape
    counts = [each // side for each in sides]
    whole = pictures[(slice(None), *(slice(each * side) for each in counts))]
    split = whole.reshape(n, *(part for each in counts for part in (each, side)), channels)
    means: Floats = split.mean(axis=tuple(range(2, 2 * len(sides) + 1, 2)), dtype=np.float32)
    return means


def _square(shape: tuple[int, int]) -> int:
    return max(1, min(shape) // FINEST)
