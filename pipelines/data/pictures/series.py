"""A folder of DICOM slices that are one volume, as scanners store it: one file a slice, in no order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.pictures import dicom
from pipelines.data.pictures.dicom_grey import grey_of_slices
from pipelines.data.pictures.dicom_header import texts
from pipelines.data.pictures.raster import RESIZED, SQUASHED
from pipelines.data.pictures.sizes import cube, in_channels
from pipelines.data.pictures.wanted import MOST_SAMPLES, First, Odd, Wanted

UNEVEN = "whose slices are not equally far apart, as where some are missing"
MOST_UNEVEN = 1.5
"""A step between two slices of so many times the usual one leaves room for another slice."""


def is_series(path: Path) -> bool:
    """Whether it is a folder with DICOM files of one picture right in it."""
    return path.is_dir() and (first := next(_files(path), None)) is not None and dicom.frames_of(first) == 1


def gathered(files: Sequence[Path]) -> list[Path]:
    """The files, but of DICOM slices that lie in a folder together the folder."""
    together = Counter(path.parent for path in files)
    series = {folder for folder, count in together.items() if count > 1 and is_series(folder)}
    return list(dict.fromkeys(path.parent if path.parent in series else path for path in files))


def read(path: Path, wanted: Wanted) -> First:
    """The volume of all slices, from the patient's feet, right or front on.

    Raises:
        Odd: a slice is damaged, there is only one, they are of several series or sizes, or have no order.
    """
    if wanted.dimensions == 2:
        raise Odd("is a folder, and pictures of two dimensions are learned from here; list its files one by one")
    slices, positions = _in_order([_opened(each) for each in sorted(_files(path))])
    stored = _stored(slices)
    pixels, scale, how = grey_of_slices(slices, stored)
    height, width = pixels.shape[1:]
    changes = {f"whose grey levels were chosen {how}"} if how else set()
    changes |= {dicom.INVERTED} if str(slices[0].PhotometricInterpretation) == "MONOCHROME1" else set()
    changes |= {RESIZED} if {len(pixels), height, width} != {wanted.size} else set()
    changes |= {SQUASHED} if height != width else set()
    steps = np.diff(positions)
    changes |= {UNEVEN} if steps.max() > MOST_UNEVEN * np.median(steps) else set()
    return First(_cube(pixels, wanted)[np.newaxis], texts(slices[0], wanted.fields), scale, frozenset(changes), True)


def read_row(path: Path, wanted: Wanted, row: int, scale: tuple[float, float] | None) -> NDArray[np.uint8]:
    """(*sides, channels): the volume again."""
    slices, _ = _in_order([_opened(each) for each in sorted(_files(path))])
    return _cube(grey_of_slices(slices, _stored(slices), scale).pixels, wanted)


def stamp(path: Path) -> tuple[int, int]:
    """The size of all its files in bytes, and when one was last written, in ns."""
    found = [each.stat() for each in _files(path)]
    return sum(each.st_size for each in found), max((each.st_mtime_ns for each in found), default=0)


def _files(path: Path) -> Iterator[Path]:
    """The DICOM files right in the folder, in no order."""
    return (each for each in path.iterdir() if each.is_file() and dicom.is_dicom(each))


def _opened(path: Path) -> Any:
    with _told_of(path):
        return dicom.opened(path)


@contextmanager
def _told_of(path: Path) -> Iterator[None]:
    """What is odd about a slice is said of its folder; the slice's name comes last, where no report takes it over."""
    try:
        yield
    except Odd as error:
        raise Odd(f"holds a slice that {str(error).partition(':')[0]}; it is {path.name}") from error


def _cube(pixels: NDArray[np.uint8], wanted: Wanted) -> NDArray[np.uint8]:
    return cube(in_channels(pixels[..., np.newaxis], wanted.channels), wanted.size)


def _in_order(slices: list[Any]) -> tuple[list[Any], NDArray[np.float64]]:
    """The slices by where they lie along the axis that they are cut across, and these places."""
    if len(slices) < 2:
        raise Odd("holds a single slice, where volumes are learned from")
    if len({str(each.get("SeriesInstanceUID", "")) for each in slices}) > 1:
        raise Odd("holds slices of several series; give each a folder of its own")
    if len({str(each.get("PatientID", "")) for each in slices}) > 1:
        raise Odd("holds slices of several patients; give each a folder of its own")
    places = _positions(slices)
    if places is None:
        places = _numbers(slices)
    if places is None or len(np.unique(places)) < len(slices):
        raise Odd("does not say in which order its slices lie, or holds one of them twice")
    order = np.argsort(places)
    return [slices[place] for place in order], places[order]


def _positions(slices: Sequence[Any]) -> NDArray[np.float64] | None:
    """(n,) mm along the normal of the slices, as PS3.3 C.7.6.2 defines position and orientation; None if not known."""
    try:
        across = np.asarray(slices[0].ImageOrientationPatient, np.float64).reshape(2, 3)
        corners = np.array([each.ImagePositionPatient for each in slices], np.float64)
    except (TypeError, ValueError, AttributeError):
        return None
    normal = np.cross(*across)
    normal *= np.sign(normal[np.abs(normal).argmax()])  # however they were stored, towards the same end of the patient
    return np.asarray(corners @ normal)


def _numbers(slices: Sequence[Any]) -> NDArray[np.float64] | None:
    """(n,) instance numbers; None where one has none."""
    numbers = [each.get("InstanceNumber") for each in slices]
    return None if None in numbers else np.array(numbers, np.float64)


def _stored(slices: Sequence[Any]) -> NDArray[Any]:
    """(n, h, w) as stored."""
    if sum(int(each.Rows) * int(each.Columns) for each in slices) > MOST_SAMPLES:
        raise Odd(f"unpacks to more than {MOST_SAMPLES:,} numbers, which is the most that are read")
    planes = [_plane(each) for each in slices]
    if len({plane.shape for plane in planes}) > 1:
        raise Odd("holds slices of several sizes")
    grey = all(str(each.PhotometricInterpretation).startswith("MONOCHROME") for each in slices)
    if not grey or len(planes[0]) != 1:
        raise Odd("holds files of colours or of many frames beside each other; volumes are of grey slices")
    return np.concatenate(planes)


def _plane(one: Any) -> NDArray[Any]:
    with _told_of(Path(one.filename)):
        return dicom.stored(one)
