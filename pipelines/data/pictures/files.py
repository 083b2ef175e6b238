"""Many files decoded beside each other: into memory where they fit, else into a column that decodes them on demand."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from stat import S_ISDIR
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pipelines.data.examples import BLOCK_BYTES, OnDemand
from pipelines.data.pictures import dicom, nifti, raster, series
from pipelines.data.pictures.wanted import First, Known, Odd, Wanted
from pipelines.errors import BadInput

KEPT_BYTES = 256 << 20
"""Decoded pictures of at most so many bytes stay in memory; more are decoded anew whenever they are needed."""

THREADS = max(2, min(8, os.cpu_count() or 1))
LARGE_BYTES = 16 << 10
"""Of a file, from which on several are decoded beside each other. Measured on PNGs of 28 x 28: 209 us a picture of all
cores together by threads, 65 without."""

DAMAGED = "is damaged: it cannot be decoded"
AT_ONCE = 256
"""Files that are decoded before the next ones are begun, so that what is not kept is let go."""


def kind_of(path: Path) -> Any:
    """The module that reads this file, or this folder of slices; None for what is no picture."""
    if path.suffix.lower() in raster.SUFFIXES:
        return raster
    if nifti.is_nifti(path):
        return nifti
    if path.is_dir():
        return series if series.is_series(path) else None
    return dicom if dicom.is_dicom(path) else None


@dataclass(frozen=True)
class Found:
    """What the first reading of all files found.

    Args:
        column: (rows, *sides, channels) uint8, as an array or on demand; None where no file could be read.
        known: the files that were read, in their order.
        odd: those that were not, with why.
        changes: what was done, and to how many files.
    """

    column: Any
    known: tuple[Known, ...]
    odd: tuple[tuple[Path, str], ...]
    changes: Counter[str]

    def places(self) -> NDArray[np.int64]:
        """(rows,) which of the known files each row was read from."""
        return np.repeat(np.arange(len(self.known)), [each.rows for each in self.known])

    def only(self, kept: Sequence[int]) -> Found:
        """The files with these places among the known ones."""
        rows = np.flatnonzero(np.isin(self.places(), kept))
        column = self.column.only(rows) if isinstance(self.column, OnDemand) else self.column[rows]
        return replace(self, column=column, known=tuple(self.known[place] for place in kept))


def read_all(files: Sequence[Path], wanted: Wanted) -> Found:
    """Decode every file once.

    Args:
        files: each of a kind that `kind_of` knows.
        wanted: what their pictures are made to be; of `channels` 0 one picture in RGB makes all of them RGB.
    """
    kept: list[NDArray[np.uint8]] | None = []
    known: list[Known] = []
    odd: list[tuple[Path, str]] = []
    changes: Counter[str] = Counter()
    size = 0
    with _beside(_are_large([_bytes_of(path) for path in files[:AT_ONCE]])) as pool:
        for start in range(0, len(files), AT_ONCE):
            block = files[start : start + AT_ONCE]
            for path, found in zip(block, pool(lambda path: _first(path, wanted), block), strict=True):
                if isinstance(found, str):
                    odd.append((path, found))
                    continue
                first, one = found
                known.append(one)
                changes.update(first.changes)
                size += first.pixels.nbytes
                if kept is not None:
                    kept.append(first.pixels)
            if size > KEPT_BYTES:
                kept = None
    if not known:
        return Found(None, (), tuple(odd), changes)
    channels = max(one.channels for one in known)
    if kept is not None:
        column: Any = np.concatenate([np.broadcast_to(each, (*each.shape[:-1], channels)) for each in kept])
    else:
        column = Files(tuple(known), replace(wanted, channels=cast(Any, channels)))
    return Found(column, tuple(known), tuple(odd), changes)


@contextmanager
def _beside(large: bool) -> Iterator[Any]:
    """A `map` that works on several files beside each other, if that is worth it."""
    if not large:
        yield map
        return
    with ThreadPoolExecutor(THREADS, "pictures") as pool:
        yield pool.map


def _are_large(sizes: Sequence[int]) -> bool:
    """Whether files of so many bytes keep decoders busy; of smaller ones threads only wait for Python's lock."""
    return bool(len(sizes)) and float(np.mean(sizes)) >= LARGE_BYTES


def _stamp(path: Path) -> tuple[int, int]:
    """The size in bytes, and when it was last written, in ns."""
    about = path.stat()
    return series.stamp(path) if S_ISDIR(about.st_mode) else (about.st_size, about.st_mtime_ns)


def _bytes_of(path: Path) -> int:
    try:
        return _stamp(path)[0]
    except OSError:
        return 0


def _first(path: Path, wanted: Wanted) -> tuple[First, Known] | str:
    """What the file holds, or what is odd about it."""
    try:
        stamp = _stamp(path)
        first: First = kind_of(path).read(path, wanted)
    except Odd as error:
        return str(error)
    except OSError as error:
        return f"cannot be read: {error.strerror or 'the disk failed'}"
    except Exception:  # decoders raise almost anything on damaged bytes, and may quote a name that stands in them
        return DAMAGED
    hashes = np.fromiter((_hash(row) for row in first.pixels), np.uint64, len(first.pixels))
    rows, channels = len(first.pixels), first.pixels.shape[-1]
    return first, Known(path, rows, channels, first.scale, stamp, hashes, first.header, first.volume)


def _hash(row: NDArray[np.uint8]) -> int:
    return int.from_bytes(hashlib.blake2b(np.ascontiguousarray(row).tobytes(), digest_size=8).digest(), "little")


class Files(OnDemand):
    """Pictures of files as a column: `column[rows]` decodes these, several beside each other.

    Args:
        known: the files.
        wanted: what their pictures are made to be.
        rows: (n,) which of all rows of the files the column's are; None for all.
    """

    dtype: np.dtype[Any] = np.dtype(np.uint8)

    def __init__(self, known: tuple[Known, ...], wanted: Wanted, rows: NDArray[np.int64] | None = None) -> None:
        self._known, self._wanted = known, wanted
        counts = np.array([each.rows for each in known])
        self._files = np.repeat(np.arange(len(known)), counts)
        self._within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        self._rows = np.arange(counts.sum()) if rows is None else rows
        self._large = _are_large([each.stamp[0] for each in known])
        self.shape = (len(self._rows), *wanted.sides, int(wanted.channels))

    def __getitem__(self, index: Any, /) -> Any:
        rows = self._rows[index]
        if rows.ndim == 0:
            return self._pixels(int(rows))
        values = np.empty((len(rows), *self.shape[1:]), self.dtype)
        size = max(1, BLOCK_BYTES // max(1, self.row_bytes))
        with _beside(self._large) as pool:
            for start in range(0, len(rows), size):
                block = rows[start : start + size].tolist()
                for place, pixels in enumerate(pool(self._pixels, block)):
                    values[start + place] = pixels
        return values

    def only(self, rows: NDArray[np.integer[Any]]) -> Files:
        return Files(self._known, self._wanted, self._rows[rows])

    def hashes(self) -> NDArray[np.uint64]:
        return np.concatenate([each.hashes for each in self._known])[self._rows]

    def _pixels(self, row: int) -> NDArray[np.uint8]:
        """One row, (*sides, channels)."""
        one, within = self._known[self._files[row]], int(self._within[row])
        try:
            if _stamp(one.path) != one.stamp:
                raise BadInput(f"{one.path} was changed since it was first read; run again")
            kind = kind_of(one.path)
            if kind is raster:
                pixels: NDArray[np.uint8] = raster.read(one.path, self._wanted, headed=False).pixels[0]
            else:
                pixels = kind.read_row(one.path, self._wanted, within, one.scale)
        except Odd as error:
            raise BadInput(f"{one.path} {error}") from None
        except OSError as error:
            raise BadInput(f"{one.path} cannot be read any more: {error.strerror or 'the disk failed'}") from error
        except BadInput:
            raise
        except Exception:
            raise BadInput(f"{one.path} {DAMAGED}") from None
        return pixels
