"""Pictures of something else: noise, blank ones, photographs, and organs and tissues of other pictures.

Nothing is downloaded: what is real comes out of packages that are installed for other reasons, and a kind whose
package is missing is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.uint8]

WORDS: Mapping[str, str] = {
    "noise": "pixels drawn at random",
    "blank": "even grey, from black to white",
    "photographs": "patches of two photographs, a temple and a flower (scikit-learn)",
    "retina": "patches of a photograph of a retina (scikit-image)",
    "tissue": "patches of stained tissue of a colon (scikit-image)",
    "head": "slices of an MR scan of a head (nibabel)",
}
"""The kinds, and what they are."""

SMALLEST = 0.3
"""Side of a patch, as a share of the shorter side of the picture that it is cut from, at least."""


def strange(kind: str, most: int, shape: tuple[int, ...], seed: int = 0) -> Pictures | None:
    """(n, height, width, 1 or 3) pictures of a kind, n at most `most`; None where its package is not installed.

    Args:
        kind: which of `WORDS`.
        shape: (height, width, channels) of one of them.
    """
    return _MADE[kind](most, shape, np.random.default_rng(seed))


def _noise(most: int, shape: tuple[int, ...], rng: np.random.Generator) -> Pictures:
    return rng.integers(0, 256, (most, *shape), np.uint8)


def _blank(most: int, shape: tuple[int, ...], rng: np.random.Generator) -> Pictures:
    levels = np.linspace(0, 255, min(most, 52)).round().astype(np.uint8)
    return np.broadcast_to(levels[:, None, None, None], (len(levels), *shape)).copy()


def _photographs(most: int, shape: tuple[int, ...], rng: np.random.Generator) -> Pictures | None:
    return _patches(("sklearn", "datasets/images/china.jpg", "datasets/images/flower.jpg"), most, shape, rng)


def _retina(most: int, shape: tuple[int, ...], rng: np.random.Generator) -> Pictures | None:
    return _patches(("skimage", "data/retina.jpg"), most, shape, rng)


def _tissue(most: int, shape: tuple[int, ...], rng: np.random.Generator) -> Pictures | None:
    return _patches(("skimage", "data/ihc.png"), most, shape, rng)


def _head(most: int, shape: tuple[int, ...], rng: np.random.Generator) -> Pictures | None:
    """Slices across all three axes, but for the outermost, each from its darkest to its brightest."""
    path = _file("nibabel", "tests/data/anatomical.nii")
    if path is None:
        return None
    import nibabel

    volume = np.asarray(nibabel.load(path).dataobj, np.float32)
    slices = [
        np.take(volume, place, axis) for axis in range(3) for place in range(5, volume.shape[axis] - 5)
    ][:most]  # fmt: skip
    return np.stack([_fitted(_stretched(each), shape) for each in slices])


def _patches(source: tuple[str, ...], most: int, shape: tuple[int, ...], rng: np.random.Generator) -> Pictures | None:
    """Squares of all sizes and places, mirrored or not, of these files in turn."""
    from PIL import Image

    package, *names = source
    paths = [path for name in names if (path := _file(package, name)) is not None]
    if not paths:
        return None
    whole = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    made = []
    for number in range(most):
        picture = whole[number % len(whole)]
        height, width = picture.shape[:2]
        side = int(min(height, width) * rng.uniform(SMALLEST, 1))
        top, left = rng.integers(0, height - side + 1), rng.integers(0, width - side + 1)
        patch = picture[top : top + side, left : left + side]
        made.append(_fitted(patch[:, ::-1] if rng.random() < 0.5 else patch, shape))
    return np.stack(made)


def _file(package: str, name: str) -> Path | None:
    """A file inside an installed package, without importing it; None where there is none."""
    found = find_spec(package)
    places = [] if found is None else list(found.submodule_search_locations or ())
    return next((path for place in places if (path := Path(place) / name).is_file()), None)


def _stretched(values: NDArray[np.float32]) -> Pictures:
    low, high = float(values.min()), float(values.max())
    grey: Pictures = (255 * (values - low) / max(high - low, 1e-9)).round().astype(np.uint8)
    return grey


def _fitted(picture: Pictures, shape: tuple[int, ...]) -> Pictures:
    """In the size and the channels that are asked for."""
    from PIL import Image

    height, width, channels = shape
    resized = Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized.convert("L" if channels == 1 else "RGB"), np.uint8).reshape(shape)


_MADE: Mapping[str, Callable[[int, tuple[int, ...], np.random.Generator], Pictures | None]] = {
    "noise": _noise, "blank": _blank, "photographs": _photographs, "retina": _retina, "tissue": _tissue, "head": _head,
}  # fmt: skip
