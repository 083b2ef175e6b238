"""RawTable: what stands in a table file, cell by cell, before anything is made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.wording import did_you_mean, listed
from pipelines.errors import BadInput

Cells = list[str]
"""Text as it stands in the file; the empty string where a Parquet file holds null."""


@dataclass(frozen=True)
class RawTable:
    """A table file as read.

    Args:
        path: the file, for messages.
        columns: name -> n cells of text, or (n,) float64 where the file itself says that they are numbers.
        lines: where each row begins: the line of a text file, or the row of a Parquet file, counted from 1.
        place: what `lines` counts, `line` or `row`.
        notes: what was assumed or skipped.
        by_the_clock: columns of moments of which a Parquet file says the time zone -> the same as seconds by the clock
            there, for whom a day matters more than a moment.
    """

    path: Path
    columns: Mapping[str, Cells | NDArray[np.float64]]
    lines: Sequence[int]
    place: str = "line"
    notes: tuple[str, ...] = ()
    by_the_clock: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.columns:
            raise BadInput(f"{self.path} has no columns")
        if not len(self.lines):
            raise BadInput(
                f"{self.path} has a header ({listed(self.columns, 8)}) but no rows; add one row for each example"
            )

    def __len__(self) -> int:
        return len(self.lines)

    def require(self, name: str, flag: str) -> str:
        """The name, if it is a column.

        Raises:
            BadInput: it is not; the message has the nearest name and all of them.
        """
        if name not in self.columns:
            hint = did_you_mean(name, self.columns) or "."
            raise BadInput(
                f"{self.path} has no column {name!r} ({flag}){hint} Its columns are {listed(self.columns, 50)}"
            )
        return name

    def text(self, name: str) -> Cells:
        """The cells of a column as text without surrounding white space; numbers as short as they can be written."""
        cells = self.columns[name]
        if isinstance(cells, list):
            return [cell.strip() for cell in cells]
        return [written(value) for value in cells]

    def at(self, rows: Any) -> list[int]:
        """The lines (or row numbers) of the rows at these positions, or where this mask holds."""
        chosen = np.asarray(rows)
        positions = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        return [self.lines[int(position)] for position in positions]


def written(value: float) -> str:
    """A number as a label: `3`, not `3.0`; empty where missing."""
    if np.isnan(value):
        return ""
    return str(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(float(value))


def check_header(path: Path, names: Sequence[str], where: str) -> None:
    """Refuse columns that cannot be told apart.

    Raises:
        BadInput: a name is empty or appears twice; the message says at which position.
    """
    first: dict[str, int] = {}
    for position, name in enumerate(names, start=1):
        if not name:
            raise BadInput(
                f"{path}: column {position} has no name in {where}; name it, or remove it if it only numbers the rows"
            )
        if name in first:
            raise BadInput(
                f"{path}: the column name {name!r} stands twice in {where} (columns {first[name]} and {position}); "
                f"rename one"
            )
        first[name] = position
