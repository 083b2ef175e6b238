"""Sources of days whose direction is asked for: what was known of one price at the close before, and which way it went.

A row is a day t. Its columns are returns over several horizons, volatilities and the distance from the year's highest
close, all of the days up to t - 1; its target is `up` where the close of t lies above that of t - 1, `down` where it
lies below. Days on which it did not move, or of which it is not known, are no rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.examples import Examples, Kind
from pipelines.data.price_table import PriceTable, open_prices
from pipelines.data.price_windows import FEWEST_DAYS, YEAR, require_days, sample_prices, windows
from pipelines.data.prices import Prices, repaired, told
from pipelines.data.sample_set import SampleSet
from pipelines.data.unlabelled import Unlabelled
from pipelines.data.wording import count, did_you_mean, listed, shown
from pipelines.errors import BadInput
from pipelines.task import DataRequest, Dataset

DAYS_BEFORE = 5
"""Single days whose returns are columns."""

HORIZONS, VOLATILITIES = (5, 21, 63, 126, 252), (21, 63)
"""Trading days."""


def features(returns: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
    """Columns of windows of daily returns, from each window alone.

    Args:
        returns: (n, days) up to the decision, the last day last; `days` at least a year.
    """
    logs = np.log1p(np.asarray(returns, np.float64))
    level = np.cumsum(logs, axis=1)
    return {
        **{f"return_{day}_days_ago": logs[:, -day] for day in range(1, DAYS_BEFORE + 1)},
        **{f"return_of_{days}_days": logs[:, -days:].sum(axis=1) for days in HORIZONS},
        **{f"volatility_of_{days}_days": logs[:, -days:].std(axis=1) for days in VOLATILITIES},
        "below_the_years_high": level[:, -1] - np.maximum(level.max(axis=1), 0.0),
    }


def directions(prices: Prices) -> Dataset:
    """The rows of one asset's repaired prices.

    Raises:
        BadInput: there are too few days, or too few on which the price moved.
    """
    require_days(prices, YEAR, FEWEST_DAYS)
    returns = prices.values[1:] / prices.values[:-1] - 1
    after = returns[YEAR:, 0]
    kept, notes = _moved(prices, after)
    columns = features(windows(returns, YEAR)[:-1, :, 0])
    return Dataset(
        examples=Examples(
            columns={name: values[kept] for name, values in columns.items()},
            target=np.where(after[kept] > 0, "up", "down").astype(object),
            time=prices.dates[YEAR + 1 :][kept],
        ),
        source=prices.source,
        simulated=False,
        target=f"direction of {prices.names[0]}",
        notes=(*prices.notes, *notes),
        positive="up",
        reading={"asset": prices.names[0]},
    )


def _moved(prices: Prices, after: NDArray[Any]) -> tuple[NDArray[np.intp], list[str]]:
    """Which days have a direction, and notes on how many have none.

    Raises:
        BadInput: too few have one.
    """
    filled = np.zeros(len(prices.dates), dtype=bool) if prices.filled is None else prices.filled[:, 0]
    unknown = (filled[1:] | filled[:-1])[YEAR:]
    same = ~unknown & (after == 0)
    kept = np.flatnonzero(~unknown & ~same)
    if len(kept) < FEWEST_DAYS:
        raise BadInput(
            f"{prices.source}: the price of {prices.names[0]!r} is known to have moved on {count(len(kept), 'day')} of "
            f"{len(after):,} only; at least {FEWEST_DAYS} are needed"
        )
    told_of = ((unknown, "its close, or the one before, was carried forward"), (same, "it closed where it had before"))
    return kept, [f"{count(int(which.sum()), 'day')} left out: {why}" for which, why in told_of if which.any()]


@dataclass(frozen=True)
class SampleDirections:
    """A Source of the days in a sample set of one price by date."""

    prices: SampleSet

    def load(self, request: DataRequest) -> Dataset:
        """All days that have a year before them."""
        return directions(repaired(sample_prices(self.prices, request), least=1))


@dataclass(frozen=True)
class OwnDirections:
    """A Source of the days in a user's CSV, TSV or Parquet file of prices by date; `--target` names the asset."""

    def load(self, request: DataRequest) -> Dataset:
        """All days that have a year before them.

        Raises:
            BadInput: the file holds no such prices, what is in it cannot be repaired, or a flag does not fit.
        """
        flags = {"positive": request.positive, "id": request.id, "text": request.text}
        for flag in [flag for flag, value in flags.items() if value] + ["sensitive"] * bool(request.sensitive):
            raise BadInput(f"--{flag} has no meaning here: the question is whether a price rises from day to day")
        table = open_prices(request.where, request.time, request.exclude)
        return directions(_of_one(table, _asked(table, request.target)))

    def to_predict(self, where: str, kinds: Mapping[str, Kind], reading: Mapping[str, str]) -> Unlabelled:
        """Every day after whose close something can be said of the next, the last one in the file included.

        The model's own asset is taken where the file has it. A file of one other asset is read too, and a note says so.

        Raises:
            BadInput: the file holds prices of several other assets, or too few days.
        """
        table, learned = open_prices(where), reading["asset"]
        if learned in table.assets:
            return _unlabelled(_of_one(table, learned))
        if len(table.assets) > 1:
            raise BadInput(
                f"{table.table.path} has no prices of {learned!r}, which the model learned from; it has "
                f"{listed(table.assets)}, so keep the column alone that you mean"
            )
        prices = _of_one(table, table.assets[0])
        note = f"the model learned from {shown(learned)}; these are prices of {shown(prices.names[0])}"
        return _unlabelled(replace(prices, notes=(*prices.notes, note)))

    def unlabelled(self, where: str, shapes: Mapping[str, tuple[int, ...]]) -> Unlabelled:
        """As `to_predict`, for a model that was saved without the name of its asset.

        Raises:
            BadInput: the file holds prices of several assets, or too few days.
        """
        table = open_prices(where)
        if len(table.assets) > 1:
            raise BadInput(
                f"{table.table.path} has prices of {listed(table.assets)}; keep the column that you mean alone"
            )
        return _unlabelled(_of_one(table, table.assets[0]))


def _unlabelled(prices: Prices) -> Unlabelled:
    require_days(prices, YEAR, 0)
    returns = prices.values[1:] / prices.values[:-1] - 1
    closes = tuple(told(date) for date in prices.dates[YEAR:])
    return Unlabelled(features(windows(returns, YEAR)[:, :, 0]), closes, prices.notes, called="at_close_of")


def _asked(table: PriceTable, target: str | None) -> str:
    """The asset that is meant.

    Raises:
        BadInput: it is not there, or it is not said which of several is meant.
    """
    path, names = table.table.path, table.assets
    if target is None and len(names) > 1:
        what = "the columns" if table.fields(names) else "prices of"
        closes = [name for name in names if "close" in name.lower()]
        example = f", such as --target {closes[-1]!r}" if table.fields(names) and closes else ""
        raise BadInput(
            f"{path} has {what} {listed(names)}; say which is asked for with --target{example}, or leave the others "
            "out with --exclude"
        )
    if target is not None and target not in names:
        hint = did_you_mean(target, names) or "."
        raise BadInput(f"{path} has no column {target!r} (--target){hint} It has {listed(names, 50)}")
    return target or names[0]


def _of_one(table: PriceTable, name: str) -> Prices:
    """The prices of one asset, repaired."""
    return repaired(table.prices((name,)), least=1)
