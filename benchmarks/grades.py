"""Is an ordinal loss worth it, and how are grades decided best? `python -m benchmarks.grades`.

The network of `medical_imaging/diabetic-retinopathy` learns the simulated eyes by cumulative logits and by plain
cross-entropy, three times each, with another division of the patients and other weights each time. Grades are then
decided in three ways: the mean grade cut where validation rows have the largest quadratic kappa, cut half way, and the
most probable grade.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmarks.summary import machine, write
from domains.medical_imaging.diabetic_retinopathy import TASK
from pipelines.contenders.lineup import line_up
from pipelines.evaluation.grades import quadratic_kappa
from pipelines.objectives.ordinal import cut_by
from pipelines.prepare import prepare
from pipelines.task import DataRequest

RESULTS = Path(__file__).parent / "results" / "grades.json"
LOSSES = ("cumulative", "cross_entropy")
SEEDS = (0, 1, 2)


def main() -> None:
    """Train, judge, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grades", description=__doc__)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as of `tapeline run`")
    parser.add_argument("--output", type=Path, default=RESULTS)
    asked = parser.parse_args()
    found = {loss: [kappas(loss, seed, asked.set) for seed in SEEDS] for loss in LOSSES}
    Console(width=100).print(shown(found))
    write({"machine": machine(), "settings": asked.set, "quadratic_kappa": found}, asked.output)


def kappas(loss: str, seed: int, settings: Sequence[str] = ()) -> dict[str, float]:
    """Quadratic kappa of the tested eyes, by how grades are decided."""
    prepared = prepare(TASK, DataRequest(), seed, settings)
    declared: Any = prepared.objective
    objective = replace(declared, learn_by=loss)
    fold = prepared.folds[0]
    train, valid, test = (prepared.dataset.examples.take(part) for part in (fold.train, fold.valid, fold.test))
    network: Any = line_up(TASK, objective, prepared.recipe)[0]
    fitted = network.fit(train, valid, seed)
    known, truth = (objective.encode(rows.target) for rows in (valid, test))
    values = fitted.predict(test).values
    cut = cut_by(objective, known, fitted.predict(valid).values, None)
    return {
        "cut by validation rows": quadratic_kappa(truth, cut.predict(values).labels()),
        "cut half way": quadratic_kappa(truth, objective.predict(values).labels()),
        "most probable": quadratic_kappa(truth, values.argmax(axis=1)),
    }


def shown(found: dict[str, list[dict[str, float]]]) -> Table:
    """A line a loss, a column a way to decide."""
    ways = list(found[LOSSES[0]][0])
    table = Table("loss", *ways, box=SIMPLE, title=f"quadratic kappa, seeds {', '.join(map(str, SEEDS))}")
    for loss, each in found.items():
        table.add_row(loss, *(" ".join(f"{one[way]:.3f}" for one in each) for way in ways))
    return table


if __name__ == "__main__":
    main()
