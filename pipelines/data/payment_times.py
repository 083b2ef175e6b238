"""Moments of payments: dates, or numbers of seconds; numbers that count something else are refused where it shows."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipelines.data.cells import number
from pipelines.data.raw_table import RawTable
from pipelines.data.tables import read_time
from pipelines.data.wording import shown
from pipelines.errors import BadInput

DAY_SECONDS = 86400.0

EPOCH, MILLISECONDS = 1e9, 1e11
"""Seconds from these on are counted from 1970, or no seconds."""

Counted = Literal["dates", "1970", "midnight"]
"""What stands in the column: dates, seconds since 1970, or seconds since some midnight."""

RIGHT = "dates such as 2024-01-31T12:00, or seconds (a day has 86400)"

_OFFSET = re.compile(r"(?:Z|:\d{2}(?:\.\d+)?[+-]\d{2}:?\d{2})")


@dataclass(frozen=True)
class Moments:
    """(n,) days since a midnight, and how they were written."""

    days: NDArray[np.float64]
    counted: Counted

    @property
    def span(self) -> float:
        """Seconds from the first to the last."""
        return float(np.ptp(self.days)) * DAY_SECONDS


def read_moments(table: RawTable, name: str) -> Moments:
    """The moments in a column.

    Raises:
        BadInput: one is missing, in the future or no moment, or they are no seconds; the message names its line.
    """
    seconds: Any = read_time(table, name)
    if _holds_dates(table, name):
        _require_one_way(table, name)
        counted: Counted = "dates"
    else:
        _require_seconds(table, name, seconds)
        counted = "1970" if seconds.max() > EPOCH else "midnight"
    if counted != "midnight" and (lines := table.at(seconds > time.time() + DAY_SECONDS)):
        row = list(table.lines).index(lines[0])
        raise BadInput(
            f"{table.path}: {table.place} {lines[0]}, column {name!r} (--time): {shown(table.text(name)[row])} is in "
            f"the future{f', and {len(lines) - 1} more' if len(lines) > 1 else ''}; correct it, or leave the row out"
        )
    return Moments(np.asarray(seconds / DAY_SECONDS), counted)


def require_days(table: RawTable, name: str, of: Moments) -> None:
    """Refuse numbers to learn from that are seconds of less than a day: most likely they count days or hours.

    Raises:
        BadInput: with how long they last as seconds, and what would be right.
    """
    if of.counted != "dates" and of.span < DAY_SECONDS:
        raise BadInput(
            f"{table.path}: column {name!r} (--time) holds numbers, which are read as seconds; so all payments lie "
            f"within {lasting(of.span)}, too short to learn how customers behave; if they count days or something "
            f"else, write {RIGHT}"
        )


def told(name: str, of: Moments) -> list[str]:
    """A note on numbers: what they were taken for, and how long they last by that."""
    if of.counted == "dates":
        return []
    return [f"{name!r} holds numbers, which were read as seconds; they span {lasting(of.span)}"]


def as_trained(table: RawTable, name: str, of: Moments, reading: Mapping[str, str]) -> list[str]:
    """Notes on moments that are written in another way than those that the model learned from.

    Raises:
        BadInput: hours and days of the week would mean something else.
    """
    trained = reading.get("moments")
    if trained in ("dates", "1970") and of.counted == "midnight":
        raise BadInput(
            f"{table.path}: column {name!r} holds numbers that are no seconds since 1970, and the model learned from "
            "dates; write dates such as 2024-01-31T12:00, or seconds since 1970"
        )
    if trained == "midnight" and of.counted != "midnight":
        return [f"{name!r} holds dates, and the model learned from seconds since some midnight: weekdays may differ"]
    return []


def lasting(seconds: float) -> str:
    """`59 seconds`, `4.8 hours`, `60 days`."""
    for size, unit in ((DAY_SECONDS, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.3g} {unit}" if seconds < 1000 * size else f"{seconds / size:,.0f} {unit}"
    return f"{seconds:.3g} seconds"


def _holds_dates(table: RawTable, name: str) -> bool:
    cells = table.columns[name]
    return isinstance(cells, list) and number(cells[0].strip()) is None


def _require_one_way(table: RawTable, name: str) -> None:
    """Dates with and without an offset from UTC do not go together: nobody says of which place the others are."""
    text = table.text(name)
    offset = np.array([_OFFSET.search(cell) is not None for cell in text])
    if offset.any() and not offset.all():
        row, other = int(np.argmin(offset)), int(np.argmax(offset))
        raise BadInput(
            f"{table.path}: {table.place} {table.lines[row]}, column {name!r} (--time): {shown(text[row])} has no "
            f"offset from UTC, and others have one, such as {shown(text[other])}; write all with one, or none"
        )


def _require_seconds(table: RawTable, name: str, values: NDArray[np.float64]) -> None:
    if values.max() > MILLISECONDS:
        raise BadInput(
            f"{table.path}: column {name!r} (--time) holds numbers too large for seconds, perhaps milliseconds; write "
            "seconds, or dates such as 2024-01-31T12:00"
        )
    if _dates_in_figures(values):
        raise BadInput(
            f"{table.path}: {table.place} {table.lines[0]}, column {name!r} (--time): {values[0]:.0f} and all others "
            f"look like dates without dashes, and would be read as seconds; write {RIGHT}"
        )


def _dates_in_figures(values: NDArray[np.float64]) -> bool:
    """Whether all are whole numbers such as 20240131; one alone may be seconds after all."""
    year, month, day = values // 10_000, values // 100 % 100, values % 100
    like = (year >= 1900) & (year <= 2100) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    return bool((like & (values == np.floor(values))).all()) and len(np.unique(values)) > 1
