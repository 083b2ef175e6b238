"""How often intervals hold the truth and verdicts err: `python -m benchmarks.coverage`.

Tests are simulated whose true scores are known (`benchmarks/simulated.py`), and judged by the code that judges runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks import calibrated, gaps
from benchmarks.repeated import Trainings, UnevenTrainings
from benchmarks.series import Series, one_remembers
from benchmarks.simulated import OBJECTIVE, World, halves_of_features
from benchmarks.summary import machine, write
from pipelines.evaluation import bias, comparison, decisions, intervals, verdict
from pipelines.evaluation.intervals import wilson
from pipelines.evaluation.outcome import Outcome
from pipelines.objectives.regression import Regression
from pipelines.report.document import Cost, Estimate, Scorecard, Verdict
from pipelines.task import Limits

RESULTS = Path(__file__).parent / "results" / "coverage.json"
RESAMPLES = 1000
MORE = 4
"""Times as many sets settle a question whose share falls outside."""
AT_ONCE = 20
"""Sets judged by a process before it answers."""

ROWS = World()
PATIENTS = World(cluster=5, shared=0.8)
GROUPS = World(rows=800, shifts=(1.6, 1.0))
PATIENTS_IN_GROUPS = World(rows=1600, cluster=5, shared=0.8, shifts=(1.6, 1.0))
PATIENTS_ACROSS_GROUPS = replace(PATIENTS_IN_GROUPS, mixed=True)
TRAINED, FEW_TRAINED = Trainings(), Trainings(seeds=3)
IN_TIME = Series()
BETTER = 0.35
"""What the network's shift has over the baselines' where power is measured."""
BASELINES = ("boosting", "forest", "logistic")


@dataclass(frozen=True)
class Question:
    """What is asked of every simulated set.

    Args:
        ask: (seed) -> whether the answer was `wanted`.
        wanted: "covers": the interval holds the truth; "errs": the verdict is yes or no though there is no difference,
            or decides about a margin although the difference is just that; "finds": the verdict is yes, and rightly.
        low, high: between which the share is promised to be.
    """

    name: str
    ask: Callable[[int], bool]
    wanted: str
    low: float = 0.0
    high: float = 1.0


def main() -> None:
    """Ask, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__)
    parser.add_argument("--sets", type=int, default=2000, help="simulated sets for each question (default: 2000)")
    parser.add_argument("--seed", type=int, default=0, help="of the first set; the others count on (default: 0)")
    parser.add_argument("--quick", action="store_true", help="20 sets each; writes nothing")
    asked = parser.parse_args()
    if asked.sets < 1 or asked.seed < 0:
        parser.error("--sets must be at least 1, and --seed at least 0")
    sets = 20 if asked.quick else asked.sets
    numbers = track(range(len(QUESTIONS)), "simulating", console=Console(stderr=True))
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        found = [settled(number, sets, asked.seed, pool.map) for number in numbers]
    Console(width=120).print(_table(found))
    if not asked.quick:
        write({"machine": machine(), "sets": sets, "resamples": RESAMPLES, "questions": found}, RESULTS)
        raise SystemExit(0 if all(each["holds"] for each in found) else 1)


def settled(number: int, sets: int, seed: int, mapped: Callable[..., Iterable[int]] = map) -> dict[str, Any]:
    """As `answered`; a share outside what is promised is settled by four times as many sets that were not yet seen.

    Among so many questions a few fall outside by chance alone. The first share is kept beside the one that counts.
    """
    first = answered(number, sets, seed, mapped)
    if first["holds"]:
        return first
    return {
        **answered(number, MORE * sets, seed + sets, mapped),
        "first": {key: first[key] for key in ("sets", "share")},
    }


def answered(number: int, sets: int, seed: int, mapped: Callable[..., Iterable[int]] = map) -> dict[str, Any]:
    """The share of the sets that answered as wanted, with Wilson's interval, and whether it is what is promised.

    Args:
        mapped: `map`, or that of a pool of processes.
    """
    question = QUESTIONS[number]
    starts = range(seed, seed + sets, AT_ONCE)
    hits = sum(mapped(partial(_counted, number, seed + sets), starts))
    low, high = (float(end) for end in wilson(hits, sets))
    return {
        "question": question.name, "wanted": question.wanted, "sets": sets, "share": hits / sets, "low": low,
        "high": high, "promised": [question.low, question.high], "holds": question.low <= hits / sets <= question.high,
    }  # fmt: skip


def _counted(number: int, stop: int, start: int) -> int:
    return sum(QUESTIONS[number].ask(seed) for seed in range(start, min(start + AT_ONCE, stop)))


def covers(world: World | Trainings | Series, score: str, truth: float, seed: int) -> bool:
    """Whether a score's interval holds the true value."""
    (outcome,) = world.tested(np.random.default_rng(seed))
    return _holds(intervals.estimates(outcome, OBJECTIVE, RESAMPLES, seed)[score], truth)


def covers_gap(world: World, seed: int) -> bool:
    """Whether the interval of the difference of two groups' true positive rates holds the true difference."""
    (outcome,) = world.tested(np.random.default_rng(seed))
    (gap,) = (each for each in bias.gaps(bias.group_table(outcome, OBJECTIVE)) if each.metric == "equal_opportunity")
    truth = abs(world.rate(0, True) - world.rate(1, True))
    return gap.low <= truth <= gap.high


def covers_group(world: World, metric: str, seed: int) -> bool:
    """Whether the interval of the second group's rate holds the true rate."""
    (outcome,) = world.tested(np.random.default_rng(seed))
    (row,) = (each for each in bias.group_table(outcome, OBJECTIVE).rows if each.group == "1")
    return _holds(row.metrics[metric], world.rate(1, metric == "tpr"))


def decides(world: World | Trainings | Series, score: str, better: float, wanted: tuple[str, ...], seed: int) -> bool:
    """Whether the verdict on a network and three baselines is one of the wanted."""
    outcomes = world.tested(np.random.default_rng(seed), (better, *(0.0 for _ in BASELINES)))
    return _answer(dict(zip(("network", *BASELINES), outcomes, strict=True)), score, seed) in wanted


def decides_over_folds(rows: int, better: float, wanted: tuple[str, ...], seed: int) -> bool:
    """The same of two models that are trained in five folds."""
    outcomes = halves_of_features(np.random.default_rng(seed), rows, 5, better)
    return _answer(dict(zip(("network", "logistic"), outcomes, strict=True)), "auroc", seed) in wanted


def decides_on_the_margin(world: World, score: str, worse: float, margin: float, wanted: str, seed: int) -> bool:
    """Whether a network that is worse by so much is found to be not worse by the margin, as wanted."""
    outcomes = world.tested(np.random.default_rng(seed), (-worse, 0.0))
    return (
        _judged(dict(zip(("network", "logistic"), outcomes, strict=True)), score, seed, margin).non_inferior == wanted
    )


def covers_sensitivity(world: Series, seed: int) -> bool:
    """Whether the interval of the share of positives found, which resamples nothing, holds the true share."""
    (outcome,) = world.tested(np.random.default_rng(seed))
    return _holds(decisions.decided(outcome, OBJECTIVE)["sensitivity"], world.alone.rate(0, True))


def covers_gap_of_trainings(world: UnevenTrainings, seed: int) -> bool:
    """Whether the interval of a TPR gap holds the mean gap over ever so many trainings, which it does not promise."""
    outcome = world.tested(np.random.default_rng(seed))
    (gap,) = (each for each in bias.gaps(bias.group_table(outcome, OBJECTIVE)) if each.metric == "equal_opportunity")
    return gap.low <= world.gap <= gap.high


def errs_on_long_memory(rows: int, memory: float, seed: int) -> bool:
    """Whether a test finds a difference between two that predict equally well."""
    outcomes = one_remembers(np.random.default_rng(seed), rows, memory)
    (tested,) = comparison.compare("remembers", ["forgets"], outcomes, Regression(), "rmse", RESAMPLES, seed)
    return tested.p_value < verdict.SIGNIFICANCE


def _answer(outcomes: Mapping[str, Outcome], score: str, seed: int) -> str:
    return _judged(outcomes, score, seed).network_beats_best_baseline


def _judged(outcomes: Mapping[str, Outcome], score: str, seed: int, margin: float = 0.0) -> Verdict:
    network, *baselines = outcomes
    tested = comparison.compare(network, baselines, outcomes, OBJECTIVE, score, RESAMPLES, seed, margin)
    cards = [
        Scorecard(
            name, "network" if name == network else "classical", {score: Estimate(_mean(outcome, score))}, Cost(0)
        )
        for name, outcome in outcomes.items()
    ]
    n = outcomes[network].distinct_rows
    return verdict.judge(Limits(), [network], baselines, cards, tested, score, True, n)


def _mean(outcome: Outcome, score: str) -> float:
    """As a scorecard has it: over the folds."""
    return float(np.nanmean([fold[score] for fold in outcome.fold_scores(OBJECTIVE)]))


def _holds(estimate: Estimate, truth: float) -> bool:
    return estimate.low <= truth <= estimate.high


def _coverage(name: str, ask: Callable[[int], bool]) -> Question:
    return Question(name, ask, "covers", 0.93, 0.97)


def _error(name: str, ask: Callable[[int], bool]) -> Question:
    return Question(name, ask, "errs", 0.0, 0.055)


def _one_sided(name: str, ask: Callable[[int], bool]) -> Question:
    return Question(name, ask, "errs", 0.0, 0.03)


def _power(name: str, ask: Callable[[int], bool]) -> Question:
    return Question(name, ask, "finds")


DECIDED, FOUND = ("yes", "no"), ("yes",)
_BETTER_WORLD = World(shifts=(World().shifts[0] + BETTER,))
WORSE, LOST = 0.15, ROWS.auroc() - World(shifts=(ROWS.shifts[0] - 0.15,)).auroc()
"""What the network's shift lacks where a margin is asked for, and what that costs it in AUROC: the margin."""
_LOST_ACCURACY = ROWS.accuracy() - World(shifts=(ROWS.shifts[0] - WORSE,)).accuracy()
_LEAD = f"AUROC {_BETTER_WORLD.auroc():.3f} against {World().auroc():.3f}"
QUESTIONS = (
    _coverage("AUROC (DeLong), 400 rows", partial(covers, ROWS, "auroc", ROWS.auroc())),
    _coverage("accuracy (bootstrap), 400 rows", partial(covers, ROWS, "accuracy", ROWS.accuracy())),
    _coverage("AUROC, 400 rows of 80 patients", partial(covers, PATIENTS, "auroc", PATIENTS.auroc())),
    _coverage("accuracy, 400 rows of 80 patients", partial(covers, PATIENTS, "accuracy", PATIENTS.accuracy())),
    _coverage("TPR of a group (Wilson), 800 rows", partial(covers_group, GROUPS, "tpr")),
    _coverage("TPR of a group, 1600 rows of 320 patients", partial(covers_group, PATIENTS_IN_GROUPS, "tpr")),
    _coverage("TPR gap of two groups, 800 rows", partial(covers_gap, GROUPS)),
    _coverage("TPR gap, 1600 rows of 320 patients", partial(covers_gap, PATIENTS_IN_GROUPS)),
    _coverage("TPR gap, patients with rows in both groups", partial(covers_gap, PATIENTS_ACROSS_GROUPS)),
    *(_coverage(f"gap of {name}", ask) for name, ask in gaps.COVERS),
    *(_error(name, ask) for name, ask in gaps.ERRS),
    _error("three baselines, by AUROC, 400 rows", partial(decides, ROWS, "auroc", 0.0, DECIDED)),
    _error("three baselines, by accuracy, 400 rows", partial(decides, ROWS, "accuracy", 0.0, DECIDED)),
    _error("three baselines, by AUROC, 80 patients", partial(decides, PATIENTS, "auroc", 0.0, DECIDED)),
    _error("one baseline, five folds of 300 rows", partial(decides_over_folds, 300, 0.0, DECIDED)),
    _coverage("AUROC, 400 rows, five trainings", partial(covers, TRAINED, "auroc", TRAINED.auroc())),
    _coverage("accuracy, 400 rows, five trainings", partial(covers, TRAINED, "accuracy", TRAINED.accuracy())),
    _coverage("AUROC, 1000 rows in time", partial(covers, IN_TIME, "auroc", IN_TIME.alone.auroc())),
    _coverage("accuracy, 1000 rows in time", partial(covers, IN_TIME, "accuracy", IN_TIME.alone.accuracy())),
    _coverage("sensitivity (no resamples), 1000 rows in time", partial(covers_sensitivity, IN_TIME)),
    _error("three baselines, five trainings each, by AUROC", partial(decides, TRAINED, "auroc", 0.0, DECIDED)),
    _error("three baselines, three trainings each, by AUROC", partial(decides, FEW_TRAINED, "auroc", 0.0, DECIDED)),
    _error("three baselines, 1000 rows in time, by AUROC", partial(decides, IN_TIME, "auroc", 0.0, DECIDED)),
    _one_sided("not worse by more, though it is (DeLong)",
               partial(decides_on_the_margin, ROWS, "auroc", WORSE, LOST, "yes")),
    _one_sided("not worse by more, though it is (bootstrap)",
               partial(decides_on_the_margin, ROWS, "accuracy", WORSE, _LOST_ACCURACY, "yes")),
    _one_sided("worse by more, though it is not (DeLong)",
               partial(decides_on_the_margin, ROWS, "auroc", WORSE, LOST, "no")),
    _power("not worse by more than .03 AUROC, alike, 1600 rows",
           partial(decides_on_the_margin, World(rows=1600), "auroc", 0.0, 0.03, "yes")),
    _power(f"{_LEAD}, three baselines, 400 rows", partial(decides, ROWS, "auroc", BETTER, FOUND)),
    _power(f"{_LEAD}, 1600 rows", partial(decides, World(rows=1600), "auroc", BETTER, FOUND)),
    _power("ten features of .35 against .25, five folds of 300 rows", partial(decides_over_folds, 300, 0.1, FOUND)),
    *(_coverage(*each) for each in calibrated.COVERS),
    *(_error(*each) for each in calibrated.ERRS),
    *(_power(*each) for each in calibrated.FINDS),
    # Limits, which nothing is promised of.
    *(Question(f"mean TPR gap of three trainings, luck {world.luck}", partial(covers_gap_of_trainings, world), "covers")
      for world in (UnevenTrainings(), UnevenTrainings(luck=0.03))),
    Question("one baseline, 300 rows in time, memory .95", partial(errs_on_long_memory, 300, 0.95), "errs"),
)  # fmt: skip


def _table(found: list[dict[str, Any]]) -> Table:
    table = Table("of simulated sets", "share", "95 % interval", "promised", "holds", box=SIMPLE)
    for each in found:
        promised = "" if each["promised"] == [0.0, 1.0] else f"{each['promised'][0]:.3f} to {each['promised'][1]:.3f}"
        table.add_row(
            f"{each['wanted']}: {each['question']}", f"{each['share']:.3f}", f"{each['low']:.3f} to {each['high']:.3f}",
            promised, "" if not promised else "yes" if each["holds"] else "NO",
        )  # fmt: skip
    return table


if __name__ == "__main__":
    main()
