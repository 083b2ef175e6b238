"""Record files, TFRecord and ArrayRecord: one pass that checks every record, then any record at any time."""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pipelines.data.wording import count
from pipelines.errors import BadInput

HEADER, FOOTER = 12, 4
"""Bytes of a TFRecord before its data (length and its checksum) and after them (checksum of the data)."""

_LOSS = re.compile(r"(corrupted|truncated) record at (\d+)")
"""What TensorFlow says of a damaged TFRecord: how, and at which byte the record begins."""

_NODES = re.compile(r"\{\{.*?\}\}|\[Op:\w+\]")

NODE = "\n\t [["
"""What follows in TensorFlow's messages, before the name of a node."""

RECORDS_AT_ONCE = 32
"""Records that the first pass holds at a time."""


class RecordFile(Protocol):
    """One shard."""

    path: Path

    def scan(self) -> Iterator[bytes]:
        """Every record in order, checked; `read` works once all were taken.

        Raises:
            BadInput: the file is damaged or cut short; the message says at which record.
        """
        ...

    def read(self, positions: Sequence[int]) -> list[bytes]:
        """The records at these places, counted from 0.

        Raises:
            BadInput: one is damaged, or is not what it was when it was scanned.
        """
        ...

    def close(self) -> None:
        """Give back what is held to read on; the next read opens the file again."""
        ...


class TFRecordFile:
    """A TFRecord file. It has no index, so the first pass keeps where each record lies.

    TensorFlow verifies the file's own checksums (CRC-32C) in the first pass. It offers no such check for a single
    record, so a later read is held to a CRC-32 taken in the first pass: no file can change unseen.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._starts = np.zeros(0, np.int64)
        self._lengths = np.zeros(0, np.int64)
        self._sums = np.zeros(0, np.uint32)

    def scan(self) -> Iterator[bytes]:
        lengths: list[int] = []
        sums: list[int] = []
        for record in self._checked():
            lengths.append(len(record))
            sums.append(zlib.crc32(record))
            yield record
        self._lengths = np.array(lengths, np.int64)
        self._starts = np.cumsum(self._lengths + HEADER + FOOTER) - self._lengths - FOOTER
        self._sums = np.array(sums, np.uint32)

    def _checked(self) -> Iterator[bytes]:
        import tensorflow as tf

        try:
            with tf.device("CPU:0"):
                for block in tf.data.TFRecordDataset(str(self.path)).batch(RECORDS_AT_ONCE):
                    yield from block.numpy().tolist()
        except tf.errors.DataLossError as error:
            found = _LOSS.search(str(error))
            place = records_before(self.path, int(found[2])) if found else 0
            raise _damaged(self.path, place, found[1] if found else "its data is lost") from error
        except tf.errors.OpError as error:
            raise BadInput(f"the shard {self.path} cannot be read: {brief(error)}") from error

    def read(self, positions: Sequence[int]) -> list[bytes]:
        try:
            file = os.open(self.path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except OSError as error:
            raise BadInput(f"the shard {self.path} cannot be read any more: {error.strerror}") from error
        try:
            return [self._record(file, position) for position in positions]
        finally:
            os.close(file)

    def close(self) -> None:
        """It is open only while it is read."""

    def _record(self, file: int, position: int) -> bytes:
        record = os.pread(file, int(self._lengths[position]), int(self._starts[position]))
        if len(record) != self._lengths[position] or zlib.crc32(record) != self._sums[position]:
            raise _damaged(self.path, position, "it is not what it was at the first reading")
        return record


class ArrayRecordFile:
    """An ArrayRecord file: it has an index, and its reader verifies the checksum of what it reads, every time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reader: Any = None

    def scan(self) -> Iterator[bytes]:
        total = self._opened().num_records()
        for start in range(0, total, RECORDS_AT_ONCE):
            yield from self.read(range(start, min(start + RECORDS_AT_ONCE, total)))
        self.close()

    def read(self, positions: Sequence[int]) -> list[bytes]:
        reader = self._opened()
        try:
            records: list[bytes] = reader.read(list(positions))
        except (RuntimeError, IndexError):
            for position in positions:
                self._one(position)
            raise
        return records

    def close(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    def _one(self, position: int) -> None:
        """Read a single record in a fresh reader, to find out which of many is damaged."""
        self.close()
        try:
            self._opened().read([position])
        except (RuntimeError, IndexError) as error:
            raise _damaged(self.path, position, brief(error)) from error

    def _opened(self) -> Any:
        if self._reader is None:
            try:
                from array_record.python.array_record_module import ArrayRecordReader
            except ImportError as error:
                raise BadInput(
                    f"{self.path} is an ArrayRecord file, and the package array_record is not installed here (it is "
                    "made for Linux only); prepare the set again with file_format='tfrecord'"
                ) from error
            # Reading ahead and in parallel would cost memory for each of many shards, and random reads gain nothing.
            options = "readahead_buffer_size:0,max_parallelism:0"
            reader = ArrayRecordReader(str(self.path), options=options, file_reader_buffer_size=32768)
            if not reader.ok():
                raise BadInput(
                    f"{self.path} is a damaged ArrayRecord file, or one that was cut short; copy or prepare it again"
                )
            self._reader = reader
        return self._reader


def records_before(path: Path, offset: int) -> int:
    """How many records of a TFRecord file lie before the one that begins, or whose data begins, at this byte."""
    records = place = 0
    with path.open("rb") as file:
        while place + HEADER < offset:
            file.seek(place)
            place += int.from_bytes(file.read(8), "little") + HEADER + FOOTER
            records += 1
    return records


def _damaged(path: Path, position: int, why: str) -> BadInput:
    return BadInput(
        f"the shard {path} is damaged at record {position + 1} ({why}); copy it again, or prepare the set again"
    )


def brief(error: BaseException) -> str:
    """What an exception says, on one short line.

    TensorFlow may begin with where a node was made, line by line; what went wrong stands right before the node's name.
    """
    before, node, _ = str(error).partition(NODE)
    lines = [line for line in map(str.strip, _NODES.sub("", before).splitlines()) if line] or [type(error).__name__]
    line = lines[-1 if node else 0]
    return line if len(line) <= 160 else f"{line[:160]}…"


def require_length(path: Path, found: int, expected: int) -> None:
    """A shard holds as many records as the set says.

    Raises:
        BadInput: it does not; whole records are missing at its end, or it belongs to another set.
    """
    if found != expected:
        raise BadInput(
            f"the shard {path} holds {count(found, 'record')}; dataset_info.json says {expected:,}; copy it again, or "
            "prepare the set again"
        )
