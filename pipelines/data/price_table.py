"""A file of prices by date: which column holds the dates, which are of assets, and what is no such table."""

from __future__ import annotations

import re
import time as clock
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.cells import MISSING, infer, moment, number
from pipelines.data.prices import DAY, Prices
from pipelines.data.raw_table import RawTable
from pipelines.data.tables import read_table, read_time
from pipelines.data.wording import count, did_you_mean, listed, shown
from pipelines.errors import BadInput

FIELDS = frozenset({"open", "high", "low", "close", "adjclose", "volume", "dividends", "stocksplits"})
"""What a table of one asset calls its columns, in small letters without spaces and signs."""

TICKERS = frozenset({"open", "low"})
"""Of these, those that are tickers too (Opendoor, Lowe's)."""

NEARLY = 0.9
"""From this share of dates on, a cell that is none is taken for a mistake."""

ONCE = 0.9
"""Share of the rows with a date of their own below which rows may be of several assets."""

_ZONE = re.compile(r"(?<=:\d\d)((?::\d\d)?(?:\.\d{1,6})?)(?:Z|[+-]\d{2}:?\d{2})$", re.ASCII)
_GROUPED = re.compile(r"\D*\d{1,3}(?:[,' ]\d{3})+(?:\.\d+)?\D*", re.ASCII)
_CURRENCY = re.compile(r"[€$£¥]")


@dataclass(frozen=True)
class PriceTable:
    """A table whose dates were found, and none of whose prices was read yet.

    Args:
        dated: the column of dates.
        dates: (rows,) seconds since 1970, by the clock of the place that the file was written for.
        assets: all other columns, less those that were excluded.
    """

    table: RawTable
    dated: str
    dates: NDArray[np.float64]
    assets: tuple[str, ...]

    def prices(self, names: Sequence[str]) -> Prices:
        """The prices of these assets.

        Raises:
            BadInput: a column is not of numbers; the message names the line.
        """
        values = np.column_stack([_numbers(self.table, name) for name in names])
        lines = np.asarray(self.table.lines)
        return Prices(str(self.table.path), self.dates, values, tuple(names), self.table.notes, lines, self.table.place)

    def fields(self, names: Sequence[str]) -> list[str]:
        """Those of these columns that are the open, high, low, close or volume of one asset, by their names."""
        found = [name for name in names if _field(name) in FIELDS]
        return [] if {_field(name) for name in found} <= TICKERS else found


def open_prices(where: str, time: str | None = None, exclude: Sequence[str] = ()) -> PriceTable:
    """The table in a CSV, TSV or Parquet file.

    Args:
        time: the column of dates; None finds it.
        exclude: columns that are no asset, or not to be held.

    Raises:
        BadInput: there is no column of dates, or one of them cannot be, or a row is of one asset on one day.
    """
    table = read_table(where)
    for name in exclude:
        table.require(name, "--exclude")
    dated = _date_column(table) if time is None else table.require(time, "--time")
    if not _holds_dates(table, dated):
        hint = _nearly_dates(table, dated) or "holds no dates; write them such as 2024-01-31"
        raise BadInput(f"{table.path}: column {dated!r} (--time) {hint}")
    dates = _days(table, dated)
    _refuse_a_row_an_asset(table, dated, dates)
    names = tuple(name for name in table.columns if name != dated and name not in exclude)
    if not names:
        raise BadInput(f"{table.path} has no column of prices beside the dates in {dated!r}")
    return PriceTable(table, dated, dates, names)


def read_prices(where: str, time: str | None = None, exclude: Sequence[str] = (), assets: Sequence[str] = ()) -> Prices:
    """The prices of several assets, as they stand in the file.

    Args: as `open_prices`, and
        assets: columns that must be there, in this order; all others are ignored. Empty takes all.

    Raises:
        BadInput: as `open_prices`; an asset is missing, or the columns are not of assets.
    """
    found = open_prices(where, time, exclude)
    if missing := [name for name in assets if name not in found.assets]:
        hint = did_you_mean(missing[0], found.assets) or "."
        raise BadInput(f"{found.table.path} has no prices of {missing[0]!r}, which the model holds{hint}")
    names = tuple(assets or found.assets)
    prices = found.prices(names)
    if len(names) > 1 and (fields := found.fields(names)):
        raise BadInput(
            f"{prices.source}: {listed(fields)} are of one asset by {'its name' if len(fields) == 1 else 'their names'}"
            "; wealth is divided between assets, so give one column an asset, such as the close of each"
        )
    ignored = len(found.assets) - len(names)
    notes = [f"{count(ignored, 'column')} of other assets ignored"] if ignored else []
    return replace(prices, notes=(*prices.notes, *notes))


def _field(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def _date_column(table: RawTable) -> str:
    """The first column in which every cell is a date."""
    for name in table.columns:
        if _holds_dates(table, name):
            return name
    for name in table.columns:
        if hint := _nearly_dates(table, name):
            raise BadInput(f"{table.path}: column {name!r} {hint}")
    raise BadInput(
        f"{table.path} has no column in which every cell is a date such as 2024-01-31; say which column holds the "
        f"dates with --time. Its columns are {listed(table.columns, 50)}"
    )


def _holds_dates(table: RawTable, name: str) -> bool:
    """Whether no cell is anything but a date, or missing."""
    if not isinstance(table.columns[name], list):  # what the file itself says is a date was read as a number
        return any(note.startswith(f"column {shown(name)} holds dates") for note in table.notes)
    cells = set(table.text(name)) - MISSING
    return bool(cells) and all(_is_date(cell) for cell in cells)


def _is_date(cell: str) -> bool:
    return number(cell) is None and moment(cell) is not None


def _nearly_dates(table: RawTable, name: str) -> str:
    """Which cell is no date, where nearly all others are; else nothing."""
    if not isinstance(table.columns[name], list):
        return ""
    text = table.text(name)
    odd = [row for row, cell in enumerate(text) if cell not in MISSING and not _is_date(cell)]
    present = sum(cell not in MISSING for cell in text)
    if not odd or present - len(odd) < NEARLY * present:
        return ""
    more = f" (and {len(odd) - 1} more such cells)" if len(odd) > 1 else ""
    return (
        f"holds dates, but in {table.place} {table.lines[odd[0]]} {shown(text[odd[0]])}{more}, which is none; write it "
        "such as 2024-01-31, or leave the row out"
    )


def _days(table: RawTable, name: str) -> NDArray[np.float64]:
    """The dates, in seconds since 1970.

    A date with an offset, `2024-06-03 00:00:00+01:00`, is the day where it was written: in UTC it is the day before.
    """
    cells = table.columns[name]
    local = [_ZONE.sub(r"\1", cell.strip()) for cell in cells] if isinstance(cells, list) else None
    by_the_clock = table.by_the_clock.get(name, cells) if local is None else local
    dates: Any = read_time(replace(table, columns={**table.columns, name: by_the_clock}), name)
    if lines := table.at(dates > clock.time() + DAY):
        row = list(table.lines).index(lines[0])
        told = shown(cells[row]) if isinstance(cells, list) else "the date"
        raise BadInput(
            f"{table.path}: {table.place} {lines[0]}, column {name!r} (--time): {told} is in the future"
            f"{f', and {len(lines) - 1} more' if len(lines) > 1 else ''}; correct it, or leave the row out"
        )
    return np.asarray(dates)


def _refuse_a_row_an_asset(table: RawTable, dated: str, dates: NDArray[np.float64]) -> None:
    """Refuse a table in which a date stands once for each asset, and a word says which."""
    if len(np.unique(dates)) > ONCE * len(dates):
        return
    for name, cells in table.columns.items():
        if name == dated or not isinstance(cells, list):
            continue
        words = table.text(name)
        pairs = set(zip(dates.tolist(), words, strict=True))
        if len(pairs) > ONCE * len(dates) and all(number(word) is None for word in set(words)):
            raise BadInput(
                f"{table.path} has one row for each date and each of {listed(sorted(set(words)), 3)} ({name!r}); give "
                f"one row a date and one column an asset (`pandas`: table.pivot(index={dated!r}, columns={name!r}, "
                "values=...))"
            )


def _numbers(table: RawTable, name: str) -> NDArray[Any]:
    values = infer(table, name)
    if values.kind == "number" and not (values.notes and "dates" in values.notes[0]):
        return values.values
    leave = f"leave the column out with --exclude {name!r}"
    text = table.text(name) if isinstance(table.columns[name], list) else []
    row = next((row for row, cell in enumerate(text) if number(cell) is None), None)
    if row is None:
        raise BadInput(f"{table.path}: column {name!r} holds no prices; {leave}")
    cell, place = text[row], f"{table.place} {table.lines[row]}"
    signs = [what for what, sign in (("a currency sign", _CURRENCY.search(cell)),
                                     ("a separator of thousands", _GROUPED.fullmatch(cell))) if sign]  # fmt: skip
    plain = re.sub(r"[^\d.+-]", "", cell)
    if signs and number(plain) is not None:
        raise BadInput(
            f"{table.path}: {place}, column {name!r} holds {shown(cell)}, with {' and '.join(signs)}; write "
            f"{plain}, or {leave}"
        )
    raise BadInput(f"{table.path}: column {name!r} holds no prices ({place} says {shown(cell)}); {leave}")
