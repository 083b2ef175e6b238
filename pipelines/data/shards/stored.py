"""Records of many shards as one sequence, and one of their features as a column that is read when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.examples import BLOCK_BYTES, OnDemand
from pipelines.data.shards.decoders import Decoder
from pipelines.data.shards.files import RecordFile, brief
from pipelines.errors import BadInput

READERS = 4
"""Threads that read from different files at once; a disk far away answers late, but answers several."""

MOST_OPEN = 128
"""Of more shards than this none is kept open: a process may open some 1000 files."""


@dataclass(frozen=True)
class Records:
    """The records of all files, one file after the other.

    Args:
        lengths: records of each file.
    """

    files: Sequence[RecordFile]
    lengths: Sequence[int]
    _ends: NDArray[np.int64] = field(init=False, repr=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ends", np.cumsum(self.lengths, dtype=np.int64))

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def read(self, rows: NDArray[np.integer[Any]]) -> list[bytes]:
        """The records with these numbers, in this order; each file's in the order in which they lie in it."""
        with self._lock:
            return self._read(rows)

    def _read(self, rows: NDArray[np.integer[Any]]) -> list[bytes]:
        which = np.searchsorted(self._ends, rows, side="right")
        order = np.argsort(rows, kind="stable")
        found: list[bytes] = [b""] * len(rows)

        def read(number: int) -> None:
            wanted = order[which[order] == number]
            positions = rows[wanted] - (self._ends[number] - self.lengths[number])
            for place, record in zip(wanted, self.files[number].read([int(each) for each in positions]), strict=True):
                found[place] = record

        numbers = np.unique(which).tolist()
        if len(numbers) == 1:
            read(numbers[0])
        elif numbers:
            with ThreadPoolExecutor(min(READERS, len(numbers)), "shards") as readers:
                list(readers.map(read, numbers))
        if len(self.files) > MOST_OPEN:
            for number in numbers:
                self.files[number].close()
        return found

    def place(self, row: int) -> str:
        """Where a record lies, for messages."""
        number = int(np.searchsorted(self._ends, row, side="right"))
        return f"record {row - int(self._ends[number]) + self.lengths[number] + 1} of {self.files[number].path}"


class Stored(OnDemand):
    """A feature of the records as a column: `column[rows]` reads these records and decodes the feature.

    Args:
        rows: (n,) numbers of the records that the column's rows are.
        fingerprints: hash of the feature in every record, taken when the shards were first read.
    """

    def __init__(
        self, records: Records, decode: Decoder, rows: NDArray[np.int64], fingerprints: NDArray[np.uint64]
    ) -> None:
        self._records, self._decode, self._rows, self._fingerprints = records, decode, rows, fingerprints
        self.shape = (len(rows), *decode.shape)
        self.dtype = decode.dtype

    def __getitem__(self, index: Any, /) -> Any:
        rows = self._rows[index]
        if rows.ndim == 0:
            return self._decoded(rows[np.newaxis])[0]
        values = np.empty((len(rows), *self.shape[1:]), self.dtype)
        size = max(1, BLOCK_BYTES // max(1, self.row_bytes))
        for start in range(0, len(rows), size):
            values[start : start + size] = self._decoded(rows[start : start + size])
        return values

    def only(self, rows: NDArray[np.integer[Any]]) -> Stored:
        return Stored(self._records, self._decode, self._rows[rows], self._fingerprints)

    def hashes(self) -> NDArray[np.uint64]:
        return self._fingerprints[self._rows]

    def _decoded(self, rows: NDArray[np.int64]) -> Any:
        records = self._records.read(rows)
        try:
            return self._decode(records)
        except Exception:
            _name_undecodable(self._decode, self._records, rows, records)
            raise


def _name_undecodable(
    decode: Callable[[Sequence[bytes]], Any], records: Records, rows: NDArray[np.int64], read: Sequence[bytes]
) -> None:
    """Find the record that cannot be decoded by itself.

    Raises:
        BadInput: there is one; the message says which.
    """
    for row, record in zip(rows, read, strict=True):
        try:
            decode([record])
        except Exception as error:  # TensorFlow's decoders raise many types
            place = records.place(int(row))
            raise BadInput(f"{place} cannot be decoded ({brief(error)}); prepare the set again without it") from error
