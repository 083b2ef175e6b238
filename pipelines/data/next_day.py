"""Sources of days whose direction is asked for: what was known of one price at the close before, and which way it went.

A row is a day t. Its columns are returns over several horizons, volatilities and the distance from the year's highest
close, all of the days up to t - 1; its target is `up` where the close of t lies above that of t - 1, else `down`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.examples import Examples
from pipelines.data.price_windows import FEWEST_DAYS, YEAR, require_days, sample_prices, windows
from pipelines.data.prices import Prices, read_prices, repaired, told
from pipelines.data.sample_set import SampleSet
from pipelines.data.unlabelled import Unlabelled
from pipelines.data.wording import did_you_mean, listed
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
        BadInput: there are too few days.
    """
    require_days(prices, YEAR, FEWEST_DAYS)
    returns = prices.values[1:] / prices.values[:-1] - 1
    after = returns[YEAR:, 0]
    return Dataset(
        examples=Examples(
            columns=dict(features(windows(returns, YEAR)[:-1, :, 0])),
            target=np.where(after > 0, "up", "down").astype(object),
            time=prices.dates[YEAR + 1 :],
        ),
        source=prices.source,
        simulated=False,
        target=f"direction of {prices.names[0]}",
        notes=prices.notes,
        positive="up",
    )


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
        return directions(_of_one(read_prices(request.where, request.time, request.exclude), request.target))

    def unlabelled(self, where: str, shapes: Mapping[str, tuple[int, ...]]) -> Unlabelled:
        """Every day after whose close something can be said of the next, the last one in the file included.

        Raises:
            BadInput: the file holds prices of several assets, or too few days.
        """
        prices = _of_one(read_prices(where), None)
        require_days(prices, YEAR, 0)
        returns = prices.values[1:] / prices.values[:-1] - 1
        closes = tuple(told(date) for date in prices.dates[YEAR:])
        return Unlabelled(features(windows(returns, YEAR)[:, :, 0]), closes, prices.notes, called="at_close_of")


def _of_one(prices: Prices, name: str | None) -> Prices:
    """The prices of one asset, repaired.

    Raises:
        BadInput: it is not there, or it is not said which of several is meant.
    """
    if name is None and len(prices.names) > 1:
        raise BadInput(
            f"{prices.source} has prices of {listed(prices.names)}; say which is asked for with --target, or keep its "
            "column alone"
        )
    if name is not None and name not in prices.names:
        hint = did_you_mean(name, prices.names) or "."
        raise BadInput(f"{prices.source} has no column {name!r} (--target){hint} It has {listed(prices.names, 50)}")
    place = 0 if name is None else prices.names.index(name)
    return repaired(replace(prices, names=prices.names[place : place + 1], values=prices.values[:, [place]]), least=1)
