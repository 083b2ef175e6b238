"""Prices by date: one row a day, one column an asset. What is repaired is counted, what cannot be is named.

A price that is missing, or 0, is carried forward from the day before, over a few days at most. A jump that looks like
a split, or is very large, is named and left as it is: only the owner knows whether it happened. Days before the last
asset begins are left out. Nothing is ever filled from a later day.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.wording import count, listed
from pipelines.errors import BadInput

Floats = NDArray[np.float64]

LONGEST_GAP = 5
"""Days in a row over which a price is carried forward; an asset that rests for longer is not traded."""

MOST_LEFT_OUT = 0.5
"""Share of the days that may be left out because an asset begins late."""

SPLITS = tuple(Fraction(new, old) for new, old in ((2, 1), (3, 1), (4, 1), (5, 1), (10, 1), (20, 1), (3, 2)))
"""Shares for one of before that are usual; the price falls, or in a reverse split rises, by as much."""

USUAL_MOVES, CLOSE, FAR = 4, 0.02, 0.1
"""How near, relatively, a jump must lie to a split's ratio to be named: so many usual moves of a day, since the price
moves on the day of a split as on others; at least, and at most, this share."""

LARGE = 2.0
"""A price that becomes so many times what it was, or that part of it, within a day is told in any case."""

IMPOSSIBLE = 1000.0
"""And so many times, or that part, is refused: no return beside it would count."""

MOST_FILLED = 0.2
"""Share of the days on which an asset may have no price of its own; what is carried forward has not moved."""

DAILY = (0.9, 1.5)
"""Days from one row to the next, in the median, which weekends do not change; anything else is not a row a day."""

WEEKENDS = 0.25
"""Share of rows of Saturdays and Sundays from which there are prices on all days of the week."""

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
        lines: (days,) where each row stands in the file, for messages.
        place: what `lines` counts.
        filled: (days, assets) which prices were carried forward; nothing before they were.
    """

    source: str
    dates: Floats
    values: Floats
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()
    lines: NDArray[Any] | None = None
    place: str = "line"
    filled: NDArray[np.bool_] | None = None

    def day(self, row: int) -> str:
        """The date of a row."""
        return told(self.dates[row])


def told(seconds: float) -> str:
    """Seconds since 1970 as a date."""
    return datetime.fromtimestamp(float(seconds), UTC).date().isoformat()


def repaired(prices: Prices, least: int = 2) -> Prices:
    """The prices in order, without gaps: every asset has one on every day that is left.

    Args:
        least: assets that are needed.

    Raises:
        BadInput: what cannot be repaired, by date and asset: two different prices on one day, a negative or infinite
            price, an asset without any, or that begins too late, ends early, rests too long or too often; and rows
            that are not a day each.
    """
    if len(prices.names) < least:
        raise BadInput(
            f"{prices.source} has prices of {listed(prices.names)} only; wealth is divided between two assets or more"
        )
    prices = _in_order(prices)
    _require_daily(prices)
    prices = _without_gaps(_from_the_last_start(_positive(prices)))
    _refuse_impossible_moves(prices)
    notes = (*prices.notes, *_pauses(prices), *_jumps(prices), *_unmoved(prices), *_weekends(prices))
    return replace(prices, notes=notes)


def _in_order(prices: Prices) -> Prices:
    """Sorted by date, each date once."""
    notes, dates, values, lines = [], prices.dates, prices.values, prices.lines
    if late := int((np.diff(dates) < 0).sum()):
        notes.append(f"dates were not in order ({count(late, 'row')} earlier than the row before); rows were sorted")
        order = np.argsort(dates, kind="stable")
        dates, values = dates[order], values[order]
        lines = None if lines is None else lines[order]
    again = np.flatnonzero(np.diff(dates) == 0) + 1
    for row in again:
        if not np.array_equal(values[row], values[row - 1], equal_nan=True):
            raise BadInput(
                f"{prices.source} has two rows of {told(dates[row])} with different prices"
                + ("" if lines is None else f" ({prices.place}s {lines[row - 1]} and {lines[row]})")
                + "; keep one of them, or, if they are of two assets, give each asset a column of its own"
            )
    if len(again):
        notes.append(f"{count(len(again), 'row')} repeated the date and the prices of another and were left out")
        dates, values = np.delete(dates, again), np.delete(values, again, axis=0)
        lines = None if lines is None else np.delete(lines, again)
    return replace(prices, dates=dates, values=values, lines=lines, notes=(*prices.notes, *notes))


def _require_daily(prices: Prices) -> None:
    """Refuse prices by the week, month or hour: scores are made yearly, and windows counted, in trading days."""
    apart = np.diff(prices.dates) / DAY
    usual = float(np.median(apart)) if len(apart) else 1.0
    if not DAILY[0] <= usual <= DAILY[1]:
        raise BadInput(
            f"{prices.source}: rows lie {usual:.3g} days apart (median), but prices are wanted with one row a day, of "
            "which a year has 252; give the price at the close of each trading day"
        )


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
    lines = None if prices.lines is None else prices.lines[start:]
    return replace(
        prices, dates=prices.dates[start:], values=prices.values[start:], lines=lines, notes=(*prices.notes, note)
    )


def _without_gaps(prices: Prices) -> Prices:
    """Missing prices carried forward from the day before."""
    missing = np.isnan(prices.values)
    prices = replace(prices, filled=missing)
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
    _refuse_mostly_filled(prices, missing)
    values = np.take_along_axis(prices.values, last, axis=0)
    where = [prices.names[asset] for asset in np.flatnonzero(missing.any(axis=0))]
    note = (
        f"{count(int(missing.sum()), 'missing price')} ({listed(where, 5)}) carried forward from the day before, over "
        f"{count(longest, 'day')} in a row at most"
    )
    return replace(prices, values=values, notes=(*prices.notes, note))


def _refuse_mostly_filled(prices: Prices, missing: NDArray[np.bool_]) -> None:
    filled = missing.sum(axis=0)
    asset = int(filled.argmax())
    if filled[asset] > MOST_FILLED * len(missing):
        name = prices.names[asset]
        raise BadInput(
            f"{prices.source}: {name!r} has no price on {filled[asset]:,} of {len(missing):,} days, and what is "
            "carried forward has not moved; leave out the rows of days without trade, or leave it out with "
            f"--exclude {name!r}"
        )


def _refuse_impossible_moves(prices: Prices) -> None:
    with np.errstate(over="ignore"):
        ratio = prices.values[1:] / prices.values[:-1]
    for row, asset in np.argwhere(~((ratio < IMPOSSIBLE) & (ratio > 1 / IMPOSSIBLE)))[:1]:
        name, (before, after) = prices.names[asset], prices.values[row : row + 2, asset]
        raise BadInput(
            f"{prices.source}: {name!r} goes from {before:g} to {after:g} from {prices.day(row)} to "
            f"{prices.day(row + 1)}; correct the price that is wrong, or leave its cell empty"
        )


def _pauses(prices: Prices) -> Iterator[str]:
    """Days without any row."""
    apart = np.diff(prices.dates) / DAY
    if (pauses := apart > LONG_PAUSE).any():
        longest = int(apart.argmax())
        yield (
            f"{count(int(pauses.sum()), 'pause')} of more than {LONG_PAUSE} days without any price, the longest from "
            f"{prices.day(longest)} to {prices.day(longest + 1)}; each counts as one day"
        )


def _weekends(prices: Prices) -> Iterator[str]:
    """Prices on all days of the week: a year has 365 rows then."""
    weekday = (np.floor(prices.dates / DAY) + 3) % 7  # 1970 began on a Thursday; Monday is 0
    if (weekday >= 5).mean() > WEEKENDS:
        yield "there are prices on all 7 days of the week, but a year is taken for 252 rows, in scores as in windows"


def _unmoved(prices: Prices) -> Iterator[str]:
    """Assets whose price never moves, such as cash."""
    same = [name for name, moved in zip(prices.names, np.ptp(prices.values, axis=0) > 0, strict=True) if not moved]
    if same and len(prices.names) > 1:
        yield (
            f"the price of {listed(same, 5)} never moves, so rules that avoid risk will hold little else; unless it is "
            f"cash, leave it out with --exclude {same[0]!r}"
        )


def _jumps(prices: Prices) -> Iterator[str]:
    """Jumps that look like splits, and other large ones, in words."""
    ratio = prices.values[1:] / prices.values[:-1]
    if not len(ratio):
        return
    usual = 1.4826 * np.median(np.abs(np.log(ratio)), axis=0)  # a standard deviation that jumps do not enlarge
    close = np.clip(USUAL_MOVES * usual, CLOSE, FAR)
    named = np.zeros(ratio.shape, dtype=bool)
    found: list[tuple[int, int, str]] = []
    for split in SPLITS:
        for factor, way in ((1 / float(split), f"1/{split}" if split.denominator == 1 else str(1 / split)),
                            (float(split), f"{split} times")):  # fmt: skip
            like = np.abs(ratio / factor - 1) < close
            named |= like
            found += [(int(row), int(asset), way) for row, asset in np.argwhere(like)]
    if found:
        yield (
            f"{count(len(found), 'jump')} from one day to the next that may be a split that prices were not adjusted "
            f"for; left as they are: {_listed_jumps(prices, sorted(found))}"
        )
    large = np.argwhere(((ratio > LARGE) | (ratio < 1 / LARGE)) & ~named)
    if len(large):
        told_large = [(int(row), int(asset), f"{ratio[row, asset]:.3g} times") for row, asset in large]
        yield (
            f"{count(len(large), 'price')} more than doubled, or fell by more than half, from one day to the next; "
            f"left as they are: {_listed_jumps(prices, told_large)}"
        )


def _listed_jumps(prices: Prices, jumps: list[tuple[int, int, str]]) -> str:
    """The first few jumps, as asset, day and how far."""
    where = [f"{prices.names[asset]} on {prices.day(row + 1)} to {way}" for row, asset, way in jumps[:5]]
    return "; ".join(where) + (" and so on" if len(jumps) > 5 else "")
