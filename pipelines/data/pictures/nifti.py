"""NIfTI volumes: resized to a cube, or as slices from the feet to the head."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.pictures.raster import RESIZED, SQUASHED
from pipelines.data.pictures.sizes import cube, eight_bit, extremes, in_channels, resized
from pipelines.data.pictures.wanted import MOST_SAMPLES, UNREADABLE, First, Odd, Wanted
from pipelines.errors import BadInput

SUFFIXES = (".nii", ".nii.gz")

SLICES = 16
"""Most of one volume: neighbours show nearly the same."""


def is_nifti(path: Path) -> bool:
    """By its name."""
    return path.name.lower().endswith(SUFFIXES)


def require(where: Path) -> None:
    """NIfTI can be read here.

    Raises:
        BadInput: nibabel is missing.
    """
    logging.getLogger("nibabel.global").disabled = True  # what it finds odd and repairs
    try:
        import nibabel  # noqa: F401
    except ImportError as error:
        raise BadInput(f"{where}: NIfTI files need the extra `medical`: pip install 'tapeline[medical]'") from error


def read(path: Path, wanted: Wanted) -> First:
    """A volume, or up to `SLICES` axial slices at equal distances over the part of it that is not blank.

    Grey levels are chosen between percentiles of what is not 0, since much of a volume is the air around a head.

    Raises:
        Odd: it is damaged, or holds no single volume of numbers.
    """
    volume = _volume(path)
    scale = extremes(volume[volume != 0])
    planes = in_channels(eight_bit(volume, *scale)[..., np.newaxis], wanted.channels)
    changes = {"whose grey levels were chosen between percentiles 0.5 and 99.5 of each file"}
    changes |= {RESIZED} if len(set(planes.shape[:3]) | {wanted.size}) > 1 else set()
    changes |= {SQUASHED} if planes.shape[1] != planes.shape[2] else set()
    if wanted.dimensions == 3:
        return First(cube(planes, wanted.size)[np.newaxis], {}, scale, frozenset(changes), volume=True)
    shown = np.stack([resized(planes[place], wanted.size) for place in _places(planes)])
    return First(shown, {}, scale, frozenset(changes), volume=True)


def read_row(path: Path, wanted: Wanted, row: int, scale: tuple[float, float] | None) -> NDArray[np.uint8]:
    """(*sides, channels): one row of the file again. A slice needs the whole volume, for it is packed."""
    volume = _volume(path)
    planes = in_channels(eight_bit(volume, *(scale or extremes(volume[volume != 0])))[..., np.newaxis], wanted.channels)
    return cube(planes, wanted.size) if wanted.dimensions == 3 else resized(planes[_places(planes)[row]], wanted.size)


def _places(planes: NDArray[np.uint8]) -> NDArray[np.int64]:
    there = np.flatnonzero([plane.min() != plane.max() for plane in planes])
    first, last = (there[0], there[-1]) if len(there) else (0, len(planes) - 1)
    return np.unique(np.rint(np.linspace(first, last, min(SLICES, last - first + 1))).astype(np.int64))


def _volume(path: Path) -> NDArray[np.float32]:
    """(z, y, x) float32: slices from the feet to the head, the front of each above, its right side on the right."""
    import nibabel

    if path.stat().st_size == 0:
        raise Odd("is empty: 0 bytes")
    try:
        image: Any = nibabel.load(path)
        stored = np.dtype(image.get_data_dtype())
        shape = tuple(length for axis, length in enumerate(image.shape) if axis < 3 or length > 1)
    except UNREADABLE:
        raise
    except Exception as error:  # nibabel's readers raise many types on damaged bytes
        raise Odd("is a damaged NIfTI file, or none") from error
    if stored.kind not in "iuf":
        raise Odd("holds complex numbers or colours; expected a grey value for each voxel")
    if len(shape) != 3 or 1 in shape:
        raise Odd(f"has shape {image.shape}; expected one volume of three dimensions")
    if np.prod(shape) > MOST_SAMPLES:
        raise Odd(f"has {np.prod(shape):,} voxels; at most {MOST_SAMPLES:,} are read")
    try:
        canonical: Any = nibabel.as_closest_canonical(image)
        values = np.asarray(canonical.dataobj, np.float32).reshape(canonical.shape[:3])
    except Exception as error:
        raise Odd("is a damaged NIfTI file, cut short perhaps") from error
    if not np.isfinite(values).all():
        values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    return np.ascontiguousarray(values.transpose(2, 1, 0)[:, ::-1])
