"""What pictures are made to be, and what the first reading of a file finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

MOST_PIXELS = 100_000_000
"""A picture of more pixels is refused before it is decoded."""

MOST_SAMPLES = 1 << 29
"""Of all frames of one file, or one volume, together."""

UNREADABLE = (PermissionError, FileNotFoundError)
"""What is wrong with a file of which nothing can be said, not even that it is damaged."""


@dataclass(frozen=True)
class Wanted:
    """How pictures of files are to come.

    Args:
        size: pixels of each side, by area-weighted bilinear interpolation; the proportions are not kept.
        channels: 1 for grey (ITU-R 601 luma), 3 for RGB, 0 for what each picture is.
        dimensions: 2 for pictures, 3 for volumes.
        fields: keywords of a DICOM header that are read beside the pixels.
    """

    size: int
    channels: Literal[0, 1, 3]
    dimensions: Literal[2, 3] = 2
    fields: tuple[str, ...] = ()

    @property
    def sides(self) -> tuple[int, ...]:
        """Of one row's value, without its channels."""
        return (self.size,) * self.dimensions


class Odd(Exception):  # noqa: N818  it is read as a sentence
    """A file is not what it should be. The message goes on from the file's name: `is a damaged picture`.

    It holds no word of what the file says, which may be a patient's name.
    """


class First(NamedTuple):
    """What the first reading of a file finds.

    Args:
        pixels: (rows, *sides, channels) uint8, the rows that it makes.
        header: what is written beside the pixels, by its name.
        scale: the grey values that became 0 and 255, where the file itself names none.
        changes: what was done to it, in words that follow a number of files.
        volume: whether its rows are slices or frames of one volume.
    """

    pixels: NDArray[np.uint8]
    header: Mapping[str, str] = {}
    scale: tuple[float, float] | None = None
    changes: frozenset[str] = frozenset()
    volume: bool = False


@dataclass(frozen=True)
class Known:
    """A file after its first reading: enough to decode one of its rows again.

    Args:
        rows: how many it makes.
        stamp: its size in bytes, and when it was last written, in ns.
        hashes: (rows,) uint64 of its pixels.
    """

    path: Any
    rows: int
    channels: int
    scale: tuple[float, float] | None
    stamp: tuple[int, int]
    hashes: NDArray[np.uint64]
    header: Mapping[str, str] = field(default_factory=dict)
    volume: bool = False
