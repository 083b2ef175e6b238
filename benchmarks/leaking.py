"""What would a split by sessions have claimed? `python -m benchmarks.leaking`.

Every contender of `medical_imaging/alzheimers` is tested twice on the same sessions: on people that no model learned
from, and as where nobody asked whose a session is: sessions are divided singly, settings are chosen and intervals are
drawn as if each were of somebody else. Then both again with the diagnoses exchanged between people, so that there is
nothing to find: what a split by sessions still finds is that it has seen the person before.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmarks.summary import machine, write
from domains.medical_imaging.alzheimers import TASK
from pipelines.compete import compete
from pipelines.contenders.lineup import line_up
from pipelines.data.examples import Examples
from pipelines.evaluation import comparison, intervals
from pipelines.prepare import Prepared, prepare
from pipelines.report.document import sides
from pipelines.task import DataRequest, Dataset, Source, Task

RESULTS = Path(__file__).parent / "results" / "leaking.json"
SETS = ("sample", "sample:with-mmse")
SPLITS = {"by person": "id", "by session": "row"}
SEED = 0


def main() -> None:
    """Train, judge, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.leaking", description=__doc__)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as of `tapeline run`")
    parser.add_argument("--data", choices=SETS, action="append", help="one of the sample sets; both if it is left out")
    parser.add_argument("--output", type=Path, default=RESULTS)
    asked = parser.parse_args()
    found: dict[str, Any] = {"machine": machine(), "settings": asked.set}
    for where in asked.data or SETS:
        found[where] = {name: split(TASK, where, by, asked.set) for name, by in SPLITS.items()}
        Console(width=120).print(shown(where, found[where]))
    found["diagnoses exchanged"] = {name: split(exchanged(TASK), SETS[0], by, asked.set) for name, by in SPLITS.items()}
    Console(width=120).print(shown("sample, diagnoses exchanged between people", found["diagnoses exchanged"]))
    write(found, asked.output)


def split(task: Task, where: str, by: str, settings: Sequence[str]) -> dict[str, Any]:
    """Every contender's AUROC, and what the best network is against the best baseline, where rows are divided so."""
    prepared = prepare(task, DataRequest(where), SEED, [*settings, f"protocol.by={by}"])
    if by == "row":
        prepared = _of_nobody(prepared)
    objective, resamples = prepared.objective, prepared.protocol.resamples
    competing = task.competing(prepared.protocol.networks, prepared.dataset.examples.columns)
    contenders = line_up(competing, objective, prepared.recipe)
    outcomes = {each.name: compete(each, prepared, SEED).outcome for each in contenders}
    scores = {
        name: intervals.estimates(outcome, objective, resamples)[objective.primary]
        for name, outcome in outcomes.items()
    }
    networks, baselines = (max(names, key=lambda name: scores[name].value) for names in sides(contenders))
    (gain,) = comparison.compare(networks, [baselines], outcomes, objective, objective.primary, resamples)
    return {
        "contenders": {
            name: {"value": each.value, "low": each.low, "high": each.high} for name, each in scores.items()
        },
        "network": networks,
        "best_baseline": baselines,
        "difference": {"value": gain.difference, "low": gain.low, "high": gain.high, "p": gain.p_value},
    }


def exchanged(task: Task) -> Task:
    """The task with the diagnoses of one person's sessions given to those of another."""
    return replace(task, sources=replace(task.sources, sample=Exchanged(task.sources.sample)))


@dataclass(frozen=True)
class Exchanged:
    """The same people with each other's diagnoses: each has that of somebody else's first session at all of theirs."""

    inner: Source

    def load(self, request: DataRequest) -> Dataset:
        """The set, with targets that say nothing about the person."""
        dataset = self.inner.load(request)
        return replace(dataset, examples=replace(dataset.examples, target=exchange(dataset.examples)))


def exchange(examples: Examples) -> NDArray[Any]:
    """(n,) targets: of each id the first one of another, the same in all of its rows."""
    _, first, person = np.unique(np.asarray(examples.ids).astype(np.str_), return_index=True, return_inverse=True)
    drawn = np.random.default_rng(SEED).permutation(examples.target[first])
    found: NDArray[Any] = drawn[person]
    return found


def _of_nobody(prepared: Prepared) -> Prepared:
    """The rows without whose they are: every session counts as one of somebody else."""
    return replace(prepared, dataset=replace(prepared.dataset, examples=replace(prepared.dataset.examples, ids=None)))


def shown(title: str, found: dict[str, Any]) -> Table:
    """The scores of both splits side by side."""
    table = Table("AUROC", *found, box=SIMPLE, title=title, title_justify="left")
    for name in next(iter(found.values()))["contenders"]:
        table.add_row(name, *(_told(each["contenders"][name]) for each in found.values()))
    table.add_row("network over best baseline", *(_told(each["difference"]) for each in found.values()))
    return table


def _told(score: dict[str, float]) -> str:
    return f"{score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}]"


if __name__ == "__main__":
    main()
