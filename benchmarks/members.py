"""What 32 members cost that share their weights: `python -m benchmarks.members`.

TabM, 32 separate MLPs of its width and one of them, trained on the rows of credit-default for as many epochs; seconds
without what tracing and compiling take, in turns.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.summary import machine, write
from domains.finance.credit_default import TASK
from pipelines.contenders.contender import Contender
from pipelines.contenders.ensemble import EnsembleContender
from pipelines.contenders.network import NetworkContender
from pipelines.models.tabular import MEMBERS
from pipelines.prepare import prepare
from pipelines.task import DataRequest, Network, Recipe

RESULTS = Path(__file__).parent / "results" / "members.json"
SHORT, LONG = 1, 6
"""Epochs of two trainings, whose difference is without what happens once."""


def main() -> None:
    """Train in turns, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.members", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="turns of each (default: 3)")
    asked = parser.parse_args()
    if asked.rounds < 1:
        parser.error("--rounds must be at least 1")
    prepared = prepare(TASK, DataRequest(), 0)
    examples, fold = prepared.dataset.examples, prepared.folds[0]
    train, valid = examples.take(fold.train), examples.take(fold.valid)
    networks = {each.name: each for each in TASK.networks}

    def made(network: Network, members: int) -> Callable[[int], Contender]:
        recipe = replace(prepared.recipe, patience=LONG, members=members)
        single = {
            epochs: NetworkContender(network, prepared.objective, _for(recipe, epochs)) for epochs in (SHORT, LONG)
        }
        return lambda epochs: EnsembleContender(single[epochs], members) if members > 1 else single[epochs]

    entrants = {
        f"tabm of {MEMBERS} members": made(networks["tabm"], 1),
        f"{MEMBERS} mlps": made(networks["mlp"], MEMBERS),
        "one mlp": made(networks["mlp"], 1),
    }
    seconds: dict[str, list[float]] = {name: [] for name in entrants}
    parameters: dict[str, int] = {}
    for turn in range(asked.rounds + 1):
        for name, entrant in entrants.items():
            took: dict[int, float] = {}
            for epochs in (SHORT, LONG):
                started = time.perf_counter()
                fitted: Any = entrant(epochs).fit(train, valid, turn)
                took[epochs] = time.perf_counter() - started
            parameters[name] = fitted.cost.parameters
            if turn:  # the first one compiles
                seconds[name].append((took[LONG] - took[SHORT]) / (LONG - SHORT))
    medians = {name: median(each) for name, each in seconds.items()}
    for name, each in medians.items():
        print(f"{name}: {each:.3f} s an epoch of {len(train)} rows, {parameters[name]:,} parameters")
    tabm, separate, one = medians.values()
    print(f"TabM costs {tabm / one:.1f} times one MLP, and 1/{separate / tabm:.1f} of {MEMBERS}")
    write(
        {"machine": machine(), "rows": len(train), "seconds_an_epoch": medians, "parameters": parameters,
         "tabm_over_one": tabm / one, "separate_over_tabm": separate / tabm},
        RESULTS,
    )  # fmt: skip


def _for(recipe: Recipe, epochs: int) -> Recipe:
    return replace(recipe, epochs=epochs, schedule="constant")


if __name__ == "__main__":
    main()
