"""Prices of 20 stocks and of their index, by date."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import tensorflow_datasets as tfds

from pipelines.data.builders.features import number
from pipelines.data.builders.sample_facts import SampleFacts
from pipelines.data.builders.wheels import price_frame

STOCKS = (
    "AAPL", "AMD", "BAC", "BBY", "CVX", "GE", "HD", "JNJ", "JPM", "KO",
    "LLY", "MRK", "MSFT", "PEP", "PFE", "PG", "RRC", "UNH", "WMT", "XOM",
)  # fmt: skip

SURVIVORS = (
    "the 20 stocks are chosen with hindsight: all of them were still in the S&P 500 in 2022, so any portfolio of them, "
    "equal weights too, earned more than one that could have been chosen in 1990"
)


class StockPrices(tfds.core.GeneratorBasedBuilder):
    """20 stocks of the S&P 500 on 8313 trading days, 1990-01-02 to 2022-12-28. Real.

    Source: `sp500_dataset` of the package skfolio 1.12.2 (BSD licence), read from its wheel without importing it.

    A row is a day: its date, as seconds since 1970 (UTC), and each stock's closing price in dollars, adjusted for
    splits and dividends. Nothing is missing. The 20 are survivors: whoever had failed by 2022 is not among them, which
    flatters every portfolio of them alike; what is compared between portfolios suffers less than what each has earned.
    """

    VERSION = tfds.core.Version("1.0.0")
    FACTS = SampleFacts(target="date", wheel="skfolio", notes=(SURVIVORS,))

    def _info(self) -> Any:
        return _described(self, STOCKS)

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[int, dict[str, float]]]:
        yield from _rows("sp500_dataset")


class StockIndex(tfds.core.GeneratorBasedBuilder):
    """The S&P 500 index on 8313 trading days, 1990-01-02 to 2022-12-28. Real.

    Source: `sp500_index` of the package skfolio 1.12.2 (BSD licence), read from its wheel without importing it.

    A row is a day: its date, as seconds since 1970 (UTC), and the index at the close, without dividends. Nothing is
    missing.
    """

    VERSION = tfds.core.Version("1.0.0")
    FACTS = SampleFacts(target="date", wheel="skfolio")

    def _info(self) -> Any:
        return _described(self, ("SP500",))

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[int, dict[str, float]]]:
        yield from _rows("sp500_index")


def _described(builder: Any, names: tuple[str, ...]) -> Any:
    features = tfds.features.FeaturesDict({name: number() for name in ("date", *names)})
    return tfds.core.DatasetInfo(builder=builder, description=builder.__doc__, features=features)


def _rows(name: str) -> Iterator[tuple[int, dict[str, float]]]:
    table = price_frame(name)
    for row, (date, *prices) in enumerate(table.itertuples(index=False)):
        moment = datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp()
        yield row, {"date": moment, **dict(zip(table.columns[1:], prices, strict=True))}
