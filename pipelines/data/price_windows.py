"""Sources of days to decide on: for each, the returns of the days before it, and what followed.

A row is a day t. Its column `returns` holds the simple returns of the `days` trading days before t, the oldest first:
what was known at the close of t - 1, when the decision is taken. Its target are the returns of day t.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.examples import Examples
from pipelines.data.price_table import read_prices
from pipelines.data.prices import Prices, repaired, told
from pipelines.data.sample_set import SampleSet
from pipelines.data.unlabelled import Unlabelled
from pipelines.errors import BadInput
from pipelines.task import DataRequest, Dataset

COLUMN = "returns"

FEWEST_DAYS = 60
"""Days to decide on below which nothing can be divided, learned and tested."""

YEAR = 252
"""Trading days that a decision looks back on."""


def windows(returns: NDArray[Any], days: int) -> NDArray[np.float32]:
    """(n + 1 - days, days, assets) float32: the days up to each one, as a view of (n, assets) returns."""
    viewed = np.lib.stride_tricks.sliding_window_view(np.asarray(returns, np.float32), days, axis=0)
    return np.swapaxes(viewed, 1, 2)


def decided_on(prices: Prices, days: int, simulated: bool = False) -> Dataset:
    """The rows of repaired prices.

    Raises:
        BadInput: there are too few days.
    """
    require_days(prices, days, FEWEST_DAYS)
    returns = prices.values[1:] / prices.values[:-1] - 1
    return Dataset(
        examples=Examples(
            columns={COLUMN: windows(returns, days)[:-1]},
            kinds={COLUMN: "series"},
            target=returns[days:],
            time=prices.dates[days + 1 :],
        ),
        source=prices.source,
        simulated=simulated,
        target=f"returns of {len(prices.names)} assets on the day",
        notes=prices.notes,
        assets=prices.names,
    )


@dataclass(frozen=True)
class SampleWindows:
    """A Source of the days in a sample set whose rows are prices by date.

    Args:
        prices: the set; its target is the date, its columns are the assets.
        days: that a decision looks back on.
    """

    prices: SampleSet
    days: int = YEAR

    def load(self, request: DataRequest) -> Dataset:
        """All days that have so many before them."""
        return decided_on(repaired(sample_prices(self.prices, request)), self.days)


@dataclass(frozen=True)
class OwnWindows:
    """A Source of the days in a user's CSV, TSV or Parquet file of prices by date."""

    days: int = YEAR

    def load(self, request: DataRequest) -> Dataset:
        """All days that have so many before them; prices are repaired where that is safe, and notes count it.

        Raises:
            BadInput: the file holds no such prices, what is in it cannot be repaired, or a flag does not fit.
        """
        flags = {"target": request.target, "positive": request.positive, "id": request.id, "text": request.text}
        for flag in [flag for flag, value in flags.items() if value] + ["sensitive"] * bool(request.sensitive):
            raise BadInput(f"--{flag} has no meaning for prices by date: every column but the dates is an asset")
        return decided_on(repaired(read_prices(request.where, request.time, request.exclude)), self.days)

    def unlabelled(self, where: str, shapes: Mapping[str, tuple[int, ...]], assets: Sequence[str] = ()) -> Unlabelled:
        """Every day after whose close a decision can be taken, the last one in the file included.

        Raises:
            BadInput: prices of an asset are missing, or there are too few days.
        """
        days = shapes[COLUMN][0]
        prices = repaired(read_prices(where, assets=assets))
        require_days(prices, days, 0)
        returns = prices.values[1:] / prices.values[:-1] - 1
        closes = tuple(told(date) for date in prices.dates[days:])
        return Unlabelled({COLUMN: windows(returns, days)}, closes, prices.notes, called="at_close_of")


def sample_prices(sample: SampleSet, request: DataRequest) -> Prices:
    """The prices of a sample set."""
    dataset = sample.load(request)
    names, order = tuple(dataset.examples.columns), np.argsort(dataset.examples.target)  # TFDS mixes rows
    values = np.column_stack([dataset.examples.columns[name] for name in names])
    return Prices(dataset.source, dataset.examples.target[order], values[order], names, dataset.notes)


def require_days(prices: Prices, days: int, more: int) -> None:
    """Refuse fewer days than the first window and so many after it."""
    if len(prices.dates) < 1 + days + more:
        raise BadInput(
            f"{prices.source} has prices on {len(prices.dates)} days; a decision looks back on {days} returns, so "
            f"at least {1 + days + more} days are needed"
        )
