"""Does a network divide wealth better than simple rules? `python -m benchmarks.portfolio`.

The task as it is declared, 2000 to 2022, after 10 basis points of costs; and the same on prices made of the same daily
returns in another order, from which nothing follows. Killed, and given again with the same --work, it goes on.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmarks.summary import machine, write
from domains.finance.portfolio import TASK
from pipelines.data.price_windows import SampleWindows, decided_on, sample_prices
from pipelines.data.prices import repaired
from pipelines.data.sample_set import SampleSet
from pipelines.report.document import Report
from pipelines.run import run
from pipelines.task import DataRequest, Dataset, Sources

RESULTS = Path(__file__).parent / "results" / "portfolio.json"
SCORES = ("sharpe", "annual_return", "volatility", "max_drawdown", "turnover", "tail_loss")
SEED = 0


@dataclass(frozen=True)
class ShuffledDays:
    """The sample with its days in another order: every day keeps the returns of all assets, and its past is lost."""

    prices: SampleSet
    days: int
    seed: int

    def load(self, request: DataRequest) -> Dataset:
        """All days that have so many before them."""
        prices = repaired(sample_prices(self.prices, request))
        returns = prices.values[1:] / prices.values[:-1]
        mixed = np.random.default_rng(self.seed).permutation(returns)
        values = prices.values[0] * np.cumprod(np.vstack([np.ones(len(prices.names)), mixed]), axis=0)
        source, note = f"{prices.source}, days shuffled", "the days were shuffled: nothing follows from their order"
        return decided_on(replace(prices, values=values, source=source, notes=(note,)), self.days, simulated=True)


def main() -> None:
    """Run both, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.portfolio", description=__doc__)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as of `tapeline run`")
    parser.add_argument("--work", type=Path, help="folder of the runs (default: one that is removed)")
    asked = parser.parse_args()
    sample = TASK.sources.sample
    assert isinstance(sample, SampleWindows)
    shuffled = Sources(sample=ShuffledDays(sample.prices, sample.days, SEED), own=TASK.sources.own)
    with tempfile.TemporaryDirectory() as folder:
        work = (asked.work or Path(folder)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        os.chdir(work)
        found = {
            name: told(run(task, DataRequest(), SEED, tuple(asked.set)))
            for name, task in (("2000 to 2022", TASK), ("days shuffled", replace(TASK, sources=shuffled)))
        }
    for name, document in found.items():
        Console(width=150).print(_shown(name, document), document["verdict"])
    if not asked.set:
        write({"machine": machine(), "costs": 0.001, "rebalanced_every": 5, **found}, RESULTS)


def told(report: Report) -> dict[str, Any]:
    """What there is to say of a run."""
    return {
        "tested": report.data.protocol,
        "notes": list(report.data.notes),
        "contenders": [
            {"name": card.name,
             **{name: {"value": card.scores[name].value, "low": card.scores[name].low, "high": card.scores[name].high}
                for name in SCORES},
             "train_seconds": card.cost.train_seconds, "settings": dict(card.settings)}
            for card in report.contenders
        ],
        "leads": [
            {"of": each.contender, "over": each.baseline, "value": each.difference, "low": each.low, "high": each.high,
             "p_holm": each.p_value, "test": each.test}
            for each in report.comparisons
        ],
        "answer": report.verdict.network_beats_best_baseline,
        "verdict": report.verdict.sentence,
    }  # fmt: skip


def _shown(name: str, found: dict[str, Any]) -> Table:
    table = Table(title=name, title_justify="left", box=SIMPLE)
    table.add_column("contender")
    for heading in ("Sharpe", "95 % interval", *(each.replace("_", " ") for each in SCORES[1:])):
        table.add_column(heading, justify="right")
    for each in found["contenders"]:
        first = each["sharpe"]
        ends = f"{first['low']:.3f} to {first['high']:.3f}"
        table.add_row(each["name"], f"{first['value']:.3f}", ends, *(f"{each[one]['value']:.3f}" for one in SCORES[1:]))
    return table


if __name__ == "__main__":
    main()
