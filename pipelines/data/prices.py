"""Prices by date: one row a day, one column an asset. What is repaired is counted, what cannot be is named.

A price that is missing, or 0, is carried forward from the day before, over a few days at most. A jump that looks like
a split is named and left as it is: only the owner knows whether it happened. Days before the last asset begins are left
out. Nothing is ever filled from a later day.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.cells import MISSING, infer, moment, number
from pipelines.data.raw_table import RawTable
from pipelines.data.tables import read_table, read_time
from pipelines.data.wording import count, did_you_mean, listed, shown
from pipelines.errors import BadInput

Floats = NDArray[np.float64]

LONGEST_GAP = 5
"""Days in a row over which a price is carried forward; an asset that rests for longer is not traded."""

MOST_LEFT_OUT = 0.5
"""Share of the days that may be left out because an asset begins late."""

SPLITS = tuple(Fraction(new, old) for new, old in ((2, 1), (3, 1), (4, 1), (5, 1), (10, 1), (20, 1), (3, 2)))
"""Shares for one of before that are usual; the price falls, or in a reverse split rises, by as much."""

CLOSE = 0.02
"""How near, relatively, a jump must lie to a split's ratio to be named."""

LONG_PAUSE = 10
"""Days of the calendar without any price from which a pause is told."""

DAY = 86_400.0


@dataclass(frozen=True)
class Prices:
    """Closing prices in the order of time.

    Args:
        source: where they come from, for messages.
        dates: (days,) seconds since 1970.
        values: (days, assets), NaN where missing.
        names: of the assets.
        notes: what was repaired, left out or found strange, with counts.
    """

    source: str
    dates: Floats
    values: Floats
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def day(self, row: int) -> str:
        """The date of a row."""
        return told(self.dates[row])


def told(seconds: float) -> str:
    """Seconds since 1970 as a date."""
    return datetime.fromtimestamp(float(seconds), UTC).date().isoformat()


def read_prices(where: str, time: str | None = None, exclude: Sequence[str] = (), assets: Sequence[str] = ()) -> Prices:
    """The prices in a CSV, TSV or Parquet file, as they stand there.

    Args:
        time: the column of dates; None finds it.
        exclude: columns that are no asset, or not to be held.
        assets: columns that must be there, in this order; all others are ignored. Empty takes all.

    Raises:
        BadInput: there is no column of dates, or a column is not of numbers.
    """
    table = read_table(where)
    for name in exclude:
        table.require(name, "--exclude")
    dated = _date_column(table) if time is None else table.require(time, "--time")
    if not _holds_dates(table, dated):
        raise BadInput(f"{table.path}: column {dated!r} (--time) holds no dates; write them such as 2024-01-31")
    there = [name for name in table.columns if name != dated and name not in exclude]
    if missing := [name for name in assets if name not in there]:
        hint = did_you_mean(missing[0], there) or "."
        raise BadInput(f"{table.path} has no prices of {missing[0]!r}, which the model holds{hint}")
    names = tuple(assets or there)
    if not names:
        raise BadInput(f"{table.path} has no column of prices beside the dates in {dated!r}")
    columns = [_numbers(table, name) for name in names]
    ignored = [f"{count(len(there) - len(names), 'column')} of other assets ignored"] if len(there) > len(names) else []
    dates = read_time(table, dated)
    assert dates is not None  # noqa: S101  the column is named
    return Prices(str(table.path), dates, np.column_stack(columns), names, (*table.notes, *ignored))


def repaired(prices: Prices, least: int = 2) -> Prices:
    """The prices in order, without gaps: every asset has one on every day that is left.

    Args:
        least: assets that are needed.

    Raises:
        BadInput: what cannot be repaired, by date and asset: two different prices on one day, a negative or infinite
            price, an asset without any, or that begins too late, ends early, or rests too long.
    """
    if len(prices.names) < least:
        raise BadInput(
            f"{prices.source} has prices of {listed(prices.names)} only; wealth is divided between two assets or more"
        )
    prices = _without_gaps(_from_the_last_start(_positive(_in_order(prices))))
    return replace(prices, notes=(*prices.notes, *_pauses(prices), *_jumps(prices)))


def _date_column(table: RawTable) -> str:
    """The first column in which every cell is a date."""
    for name in table.columns:
        if _holds_dates(table, name):
            return name
    raise BadInput(
        f"{table.path} has no column in which every cell is a date such as 2024-01-31; say which column holds the "
        f"dates with --time. Its columns are {listed(table.columns, 50)}"
    )


def _holds_dates(table: RawTable, name: str) -> bool:
    """Whether no cell is anything but a date, or missing."""
    if not isinstance(table.columns[name], list):  # what the file itself says is a date was read as a number
        return any(note.startswith(f"column {shown(name)} holds dates") for note in table.notes)
    cells = set(table.text(name)) - MISSING
    return bool(cells) and all(number(cell) is None and moment(cell) is not None for cell in cells)


def _numbers(table: RawTable, name: str) -> NDArray[Any]:
    values = infer(table, name)
    if values.kind != "number" or (values.notes and "dates" in values.notes[0]):
        raise BadInput(f"{table.path}: column {name!r} holds no prices; leave it out with --exclude {name!r}")
    return values.values


def _in_order(prices: Prices) -> Prices:
    """Sorted by date, each date once."""
    notes, dates, values = [], prices.dates, prices.values
    if late := int((np.diff(dates) < 0).sum()):
        notes.append(f"dates were not in order ({count(late, 'row')} earlier than the row before); rows were sorted")
        order = np.argsort(dates, kind="stable")
        dates, values = dates[order], values[order]
    again = np.flatnonzero(np.diff(dates) == 0) + 1
    for row in again:
        if not np.array_equal(values[row], values[row - 1], equal_nan=True):
            raise BadInput(
                f"{prices.source} has two rows of {told(dates[row])} with different prices; keep one of them"
            )
    if len(again):
        notes.append(f"{count(len(again), 'row')} repeated the date and the prices of another and were left out")
        dates, values = np.delete(dates, again), np.delete(values, again, axis=0)
    return replace(prices, dates=dates, values=values, notes=(*prices.notes, *notes))


def _positive(prices: Prices) -> Prices:
    """A price of 0 counts as missing; one below 0 is refused."""
    values = prices.values.astype(np.float64)
    for row, asset in np.argwhere(values < 0)[:1]:
        raise BadInput(
            f"{prices.source}: the price of {prices.names[asset]!r} on {prices.day(row)} is negative "
            f"({values[row, asset]:g}); correct it, or leave the cell empty"
        )
    zeros = values == 0
    if not zeros.any():
        return replace(prices, values=values)
    values[zeros] = np.nan
    where = [prices.names[asset] for asset in np.flatnonzero(zeros.any(axis=0))]
    note = f"{count(int(zeros.sum()), 'price')} of 0 ({listed(where, 5)}) counted as missing"
    return replace(prices, values=values, notes=(*prices.notes, note))


def _from_the_last_start(prices: Prices) -> Prices:
    """From the first day on which every asset has had a price."""
    known = ~np.isnan(prices.values)
    for asset in np.flatnonzero(~known.any(axis=0)):
        name = prices.names[asset]
        raise BadInput(f"{prices.source}: {name!r} has no price at all; leave it out with --exclude {name!r}")
    starts = known.argmax(axis=0)
    latest = int(starts.argmax())
    start, name = int(starts[latest]), prices.names[latest]
    if not start:
        return prices
    days = len(prices.dates)
    if start > MOST_LEFT_OUT * days:
        raise BadInput(
            f"{prices.source}: the first price of {name!r} is of {prices.day(start)}, and {start:,} of {days:,} days "
            f"would be left out for it; leave it out with --exclude {name!r}"
        )
    note = f"{count(start, 'day')} before {prices.day(start)} left out: {name!r} has no price until then"
    return replace(prices, dates=prices.dates[start:], values=prices.values[start:], notes=(*prices.notes, note))


def _without_gaps(prices: Prices) -> Prices:
    """Missing prices carried forward from the day before."""
    missing = np.isnan(prices.values)
    if not missing.any():
        return prices
    row = np.arange(len(missing))[:, None]
    last = np.maximum.accumulate(np.where(missing, 0, row), axis=0)
    rests = row - last
    longest = int(rests.max())
    if longest > LONGEST_GAP:
        end, asset = (int(each) for each in np.argwhere(rests == longest)[0])
        name, since = prices.names[asset], prices.day(end - longest)
        ends = end == len(missing) - 1
        what = f"ends on {since}" if ends else f"has no price from {since} to {prices.day(end)}"
        raise BadInput(
            f"{prices.source}: {name!r} {what}, and prices are carried forward over {LONGEST_GAP} days at most; "
            + (f"end the file there, or leave it out with --exclude {name!r}, which makes survivors of the others"
               if ends else f"fill the gap, or leave it out with --exclude {name!r}")
        )  # fmt: skip
    values = np.take_along_axis(prices.values, last, axis=0)
    where = [prices.names[asset] for asset in np.flatnonzero(missing.any(axis=0))]
    note = (
        f"{count(int(missing.sum()), 'missing price')} ({listed(where, 5)}) carried forward from the day before, over "
        f"{count(longest, 'day')} in a row at most"
    )
    return replace(prices, values=values, notes=(*prices.notes, note))


def _pauses(prices: Prices) -> Iterator[str]:
    """Days without any row, and rows that are no days."""
    apart = np.diff(prices.dates) / DAY
    if not len(apart):
        return
    usual = float(np.median(apart))
    if usual > 4 or usual < 0.9:
        yield (
            f"rows lie {usual:.3g} days apart (median), but each counts as a trading day: scores a year are of 252 rows"
        )
    elif (pauses := apart > LONG_PAUSE).any():
        longest = int(apart.argmax())
        yield (
            f"{count(int(pauses.sum()), 'pause')} of more than {LONG_PAUSE} days without any price, the longest from "
            f"{prices.day(longest)} to {prices.day(longest + 1)}; each counts as one day"
        )


def _jumps(prices: Prices) -> Iterator[str]:
    """Jumps that look like splits, in words."""
    ratio = prices.values[1:] / prices.values[:-1]
    found: list[tuple[int, int, str]] = []
    for split in SPLITS:
        for factor, way in ((1 / float(split), f"1/{split}" if split.denominator == 1 else str(1 / split)),
                            (float(split), f"{split} times")):  # fmt: skip
            rows, assets = np.nonzero(np.abs(ratio / factor - 1) < CLOSE)
            found += [(int(row), int(asset), way) for row, asset in zip(rows, assets, strict=True)]
    if found:
        first = sorted(found)[:5]
        where = [f"{prices.names[asset]} on {prices.day(row + 1)} to {way}" for row, asset, way in first]
        yield (
            f"{count(len(found), 'jump')} from one day to the next that may be a split that prices were not adjusted "
            f"for; left as they are: {'; '.join(where)}{' and so on' if len(found) > len(first) else ''}"
        )
