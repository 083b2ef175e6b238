"""Worse pictures: noise, blur, little contrast and strong compression, each at rising severities.

After Hendrycks and Dietterich (2019), "Benchmarking neural network robustness to common corruptions and
perturbations", ICLR, arXiv 1903.12261; what depends on the size of a picture is in shares of its side.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.uint8]

SEVERITIES: Mapping[str, tuple[float, ...]] = {
    "noise": (0.04, 0.08, 0.16),
    "blur": (0.015, 0.03, 0.06),
    "contrast": (0.6, 0.35, 0.15),
    "jpeg": (40.0, 15.0, 5.0),
}
"""Of Gaussian noise the standard deviation, as a share of the range from black to white; of Gaussian blur that of its
kernel, as a share of the shorter side; of contrast what is left of it; of JPEG the quality that it is encoded with."""

AT_ONCE = 8 << 20
"""Bytes of pictures that are worked on together."""


def possible(column: Any) -> bool:
    """Whether a column holds pictures that can be made worse: (n, height, width, 1 or 3) bytes, in memory or not."""
    shape: tuple[int, ...] = tuple(column.shape)
    return len(shape) == 4 and shape[-1] in (1, 3) and bool(column.dtype == np.uint8)


def corrupted(pictures: Pictures, corruption: str, amount: float, seed: int = 0) -> Pictures:
    """(n, height, width, 1 or 3) bytes of the same pictures, worse.

    Args:
        corruption: which of `SEVERITIES`.
        amount: how much of it, in its own unit.
        seed: of the noise; the same one draws the same pattern, whatever the amount.
    """
    change = _CHANGES[corruption]
    size = max(1, AT_ONCE // max(1, int(np.prod(pictures.shape[1:]))))
    parts = [
        change(pictures[start : start + size], amount, np.random.default_rng([seed, start]))
        for start in range(0, len(pictures), size)
    ]
    return np.concatenate(parts) if parts else pictures


def _noise(pictures: Pictures, deviation: float, rng: np.random.Generator) -> Pictures:
    drawn = rng.standard_normal(pictures.shape, np.float32)
    return _bytes(pictures + 255 * deviation * drawn)


def _blur(pictures: Pictures, deviation: float, rng: np.random.Generator) -> Pictures:
    from scipy.ndimage import gaussian_filter

    sigma = deviation * min(pictures.shape[1:3])
    return _bytes(gaussian_filter(pictures.astype(np.float32), (0, sigma, sigma, 0), mode="nearest"))


def _contrast(pictures: Pictures, left: float, rng: np.random.Generator) -> Pictures:
    """Towards the mean of each picture."""
    mean = pictures.mean(axis=(1, 2, 3), keepdims=True, dtype=np.float32)
    return _bytes(mean + left * (pictures - mean))


def _jpeg(pictures: Pictures, quality: float, rng: np.random.Generator) -> Pictures:
    return np.stack([_encoded(each, round(quality)) for each in pictures])


def _encoded(picture: Pictures, quality: int) -> Pictures:
    from PIL import Image

    grey = picture.shape[2] == 1
    written = io.BytesIO()
    Image.fromarray(picture[..., 0] if grey else picture).save(written, format="JPEG", quality=quality)
    read: Pictures = np.asarray(Image.open(written), np.uint8)
    return read.reshape(picture.shape)


def _bytes(values: NDArray[np.floating]) -> Pictures:
    rounded: Pictures = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return rounded


_CHANGES: Mapping[str, Callable[[Pictures, float, np.random.Generator], Pictures]] = {
    "noise": _noise, "blur": _blur, "contrast": _contrast, "jpeg": _jpeg,
}  # fmt: skip
