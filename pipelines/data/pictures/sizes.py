"""Grey values as 8 bits, pictures resized, stacks of pictures resized to cubes, channels as they are wanted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

LOWEST, HIGHEST = 0.5, 99.5
"""Percentiles of the grey values that become black and white where a file names no window."""


def extremes(values: NDArray[Any]) -> tuple[float, float]:
    """The percentiles `LOWEST` and `HIGHEST` of the finite values; (0, 1) where there are none."""
    known = values[np.isfinite(values)] if values.dtype.kind == "f" else values.reshape(-1)
    if not known.size:
        return 0.0, 1.0
    low, high = np.percentile(known[:: 1 + known.size // 1_000_000], (LOWEST, HIGHEST))
    return float(low), float(high)


def eight_bit(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """`low` and less becomes 0, `high` and more 255, between them in proportion; what is not finite becomes 0."""
    if high <= low:
        return np.where(values > low, np.uint8(255), np.uint8(0))
    with np.errstate(invalid="ignore"):
        share = np.nan_to_num((np.asarray(values, np.float32) - np.float32(low)) / np.float32(high - low), nan=0.0)
    return np.asarray(np.rint(np.clip(share, 0, 1) * 255), np.uint8)


def resized(picture: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """(h, w, 1 or 3) -> (size, size, 1 or 3), by area-weighted bilinear interpolation."""
    from PIL import Image

    if picture.shape[:2] == (size, size):
        return picture
    image = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR)).reshape(size, size, -1)


def cube(stack: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """(depth, h, w, c) -> (size, size, size, c), each axis by area-weighted bilinear interpolation."""
    from PIL import Image

    planes = np.stack([resized(plane, size) for plane in stack])
    if len(planes) == size:
        return planes
    flat = Image.fromarray(np.ascontiguousarray(planes.reshape(len(planes), -1)))
    along = flat.resize((flat.width, size), Image.Resampling.BILINEAR)
    return np.asarray(along).reshape(size, *planes.shape[1:])


def in_channels(pictures: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    """(n, ..., 1 or 3) -> (n, ..., channels): grey by ITU-R 601 luma, RGB by repeating grey; 0 keeps what it is."""
    if channels in (0, pictures.shape[-1]):
        return pictures
    if channels == 3:
        return np.repeat(pictures, 3, axis=-1)
    luma = np.empty((*pictures.shape[:-1], 1), np.uint8)
    for row, picture in enumerate(pictures):  # one by one: as floats all of them would take 24 times the memory
        luma[row] = np.rint(picture @ np.array([[0.299], [0.587], [0.114]]))
    return luma
