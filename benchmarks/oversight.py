"""Does what is automated err as seldom as promised? `python -m benchmarks.oversight`, where probabilities are known.

In each simulated world (see `WORLDS`) a threshold and the cut-offs at each stated error are chosen on validation rows,
and measured on tested ones, by the code that every run goes through. Since the true probabilities are known, so is the
true error of what is automated, and the largest share that could be automated at the stated error (the oracle's).
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from benchmarks.summary import machine, write
from pipelines import oversight
from pipelines.evaluation import thresholds
from pipelines.evaluation.outcome import Outcome, Round
from pipelines.objectives.automation import NOTHING, Automation
from pipelines.objectives.classification import Classification
from pipelines.objectives.objective import Predictions
from pipelines.report.document import Estimate

RESULTS = Path(__file__).parent / "results" / "oversight.json"
Floats = NDArray[np.float64]

AT = 0.05
REPEATS = 300
TESTED = 2000
POPULATION = 50_000
"""Rows by which what is true of a world is counted."""


@dataclass(frozen=True)
class World:
    """How rows come about.

    Args:
        rows: of validation.
        classes: how many; of two, the first is the more frequent.
        middle, spread: of the log-odds; large spreads are easy worlds.
        slope, shift: what the model makes of log-odds: above 1 it is overconfident, above 0 too often positive.
        decide_by: rule for the threshold.
        cluster: rows of one patient.
        shared: standard deviation of what moves all of a patient's log-odds and no model knows.
        ranks: whether answers only rank rows.
    """

    rows: int = 600
    classes: int = 2
    middle: float = 0.0
    spread: float = 3.5
    slope: float = 1.0
    shift: float = 0.0
    decide_by: str = "accuracy"
    cluster: int = 1
    shared: float = 0.0
    ranks: bool = False

    def drawn(self, n: int, chance: np.random.Generator) -> tuple[Floats, Floats, NDArray[np.int64]]:
        """(n, classes) what the model says and what is true of each row, and (n,) its patient."""
        ids = np.arange(n) // self.cluster
        if self.classes > 2:
            odds = self.spread * chance.standard_normal((n, self.classes))
            return softmax(self.slope * odds, axis=1), softmax(odds, axis=1), ids
        odds = self.middle + self.spread * chance.standard_normal(n)
        patient = self.shared * chance.standard_normal(ids[-1] + 1)[ids]
        said, true = expit(self.slope * odds + self.shift), expit(odds + patient)
        return np.column_stack([1 - said, said]), np.column_stack([1 - true, true]), ids


WORLDS: Mapping[str, World] = {
    "600 rows": World(),
    "2000 rows": World(2000),
    "2000 rows, hard": World(2000, spread=2.0),
    "600 rows, 10 % positive": World(middle=-4.0, spread=2.5),
    "600 rows, 10 % positive, threshold by balanced accuracy": World(
        middle=-4.0, spread=2.5, decide_by="balanced_accuracy"
    ),
    "600 rows, probabilities far off": World(slope=2.0, shift=3.0),
    "600 rows, ranks only": World(slope=0.3, ranks=True),
    "1000 rows, 5 classes": World(1000, classes=5, spread=4.0),
    "1000 rows of 250 patients": World(1000, cluster=4, shared=2.0),
    "1000 rows of 100 patients": World(1000, cluster=10, shared=2.0),
}


@dataclass(frozen=True)
class Tried:
    """One simulated data set: what was promised and measured, and what is true."""

    share: float
    true_share: float
    true_error: float
    oracle: float
    share_holds: bool
    error_holds: bool
    area_holds: bool

    @property
    def kept(self) -> bool:
        """Whether what is automated errs at most as often as stated; where nothing is, nothing errs."""
        return self.true_share == 0 or self.true_error <= AT


def main() -> None:
    """Simulate, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.oversight", description=__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    repeats = parser.parse_args().repeats
    found = {}
    for name, world in WORLDS.items():
        found[name] = told([tried(world, seed) for seed in range(repeats)])
        print(
            name,
            *(f"{part.replace('_', ' ')} {value:.3f}" for part, value in found[name].items()),
            sep="; ",
            flush=True,
        )
    write({"machine": machine(), "repeats": repeats, "at": AT, "tested": TESTED, "worlds": found}, RESULTS)


def told(found: list[Tried]) -> dict[str, float]:
    """Shares of the data sets, and means over them; of intervals, how often they hold what is true."""
    some = [each for each in found if each.true_share > 0]
    return {
        "promise_kept": float(np.mean([each.kept for each in found])),
        "nothing_automated": 1 - len(some) / len(found),
        "automated": float(np.mean([each.share for each in found])),
        "oracle": float(np.mean([each.oracle for each in found])),
        "true_error": float(np.mean([each.true_error for each in some])) if some else float("nan"),
        "share_interval_holds": float(np.mean([each.share_holds for each in some])) if some else float("nan"),
        "error_interval_holds": float(np.mean([each.error_holds for each in some])) if some else float("nan"),
        "area_interval_holds": float(np.mean([each.area_holds for each in found])),
    }


def tried(world: World, seed: int, tested: int = TESTED, population: int = POPULATION) -> Tried:
    """Choose on validation rows, measure on tested ones, and compare with what is true."""
    chance = np.random.default_rng(seed)
    objective = Classification(positive="1", classes=tuple(map(str, range(world.classes))))
    valid, test = (_outcome(world, rows, chance) for rows in (world.rows, tested))
    threshold = float("nan")
    if world.classes == 2:
        threshold = thresholds.choose(valid.target, valid.predictions.values[:, 1], world.decide_by)
    valid, test = (_decided(each, threshold) for each in (valid, test))
    chosen = oversight.automation_of(valid, objective, AT, threshold if world.ranks else float("nan"))
    assert chosen is not None
    report = oversight.oversight_of(test, [chosen], objective)
    assert report is not None
    said, true, _ = world.drawn(population, chance)
    everyone = Predictions(said) if threshold != threshold else Predictions(said).decide(threshold)
    truth = _truth(everyone, true, chosen)
    acted, error = report.acted, truth["error"]
    return Tried(
        share=acted.share.value,
        true_share=truth["share"],
        true_error=error,
        oracle=truth["oracle"],
        share_holds=_holds(acted.share, truth["share"]),
        error_holds=_holds(acted.error, error),
        area_holds=_holds(report.areas["aurc"], truth["area"]),
    )


def _outcome(world: World, rows: int, chance: np.random.Generator) -> Outcome:
    said, true, ids = world.drawn(rows, chance)
    target = (chance.random((rows, 1)) > np.cumsum(true, axis=1)[:, :-1]).sum(axis=1)
    patients = ids.astype(str) if world.cluster > 1 else None
    return Outcome(target, Predictions(said), (Round(0, rows, rows),), np.arange(rows), ids=patients)


def _decided(outcome: Outcome, threshold: float) -> Outcome:
    return outcome if threshold != threshold else replace(outcome, predictions=outcome.predictions.decide(threshold))


def _truth(everyone: Predictions, true: Floats, chosen: Automation) -> dict[str, float]:
    """Share and error of what is automated, the largest share that could be, and the area under the curve."""
    wrong, sure = 1 - true[np.arange(len(true)), everyone.labels()], chosen.confidence(everyone)
    automated = sure >= chosen.least[AT]
    falling = np.argsort(-sure, kind="stable")
    risk = np.cumsum(wrong[falling]) / np.arange(1, len(wrong) + 1)
    within = np.flatnonzero(risk <= AT)
    return {
        "share": float(automated.mean()) if chosen.least[AT] != NOTHING else 0.0,
        "error": float(wrong[automated].mean()) if automated.any() else float("nan"),
        "oracle": float(within[-1] + 1) / len(wrong) if len(within) else 0.0,
        "area": float(risk.mean()),
    }


def _holds(interval: Estimate, truth: float) -> bool:
    return bool(interval.low <= truth <= interval.high)


if __name__ == "__main__":
    main()
