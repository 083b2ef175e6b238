"""What `benchmarks.coverage` asks of gaps between groups: do their intervals hold the truth, and when are they real?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from scipy.special import expit
from scipy.stats import norm

from benchmarks.simulated import CUT, OBJECTIVE, POSITIVE, World
from pipelines.evaluation import bias

ROWS = World(rows=1600, shifts=(2.2, 0.6))
PATIENTS = replace(ROWS, rows=3200, cluster=5, shared=0.8)
ACROSS = replace(PATIENTS, mixed=True)
WORLDS = (("1600 rows", ROWS), ("640 patients", PATIENTS), ("patients with rows in both groups", ACROSS))
"""Gaps are large beside their errors. Of one as large as its error the interval holds the truth in 97.5 %: a gap has no
sign, so its true size can only be missed from above."""


def selection(world: World, group: int) -> float:
    """Share of a group that is decided positive."""
    return POSITIVE * world.rate(group, True) + (1 - POSITIVE) * world.rate(group, False)


def precision(world: World, group: int) -> float:
    """Share of positives among those."""
    return POSITIVE * world.rate(group, True) / selection(world, group)


def auroc(world: World, group: int) -> float:
    """Chance that a positive row of a group scores above a negative one."""
    return replace(world, shifts=(world.shifts[group],)).auroc()


def calibration(world: World, group: int) -> float:
    """Share of positives less the mean predicted probability, which is integrated numerically."""
    z = np.linspace(-8, 8, 4001)
    said = [
        float(np.trapezoid(expit(shift - CUT + world.spread * z) * norm.pdf(z), z))
        for shift in (world.shifts[group], 0)
    ]
    return POSITIVE - POSITIVE * said[0] - (1 - POSITIVE) * said[1]


def apart(measure: Callable[[World, int], float], world: World) -> float:
    """The difference between two groups."""
    return abs(measure(world, 0) - measure(world, 1))


def recall(world: World, group: int) -> float:
    """Share of a group's positives that is found."""
    return world.rate(group, True)


def inequality(world: World) -> float:
    """The Theil index between two groups of one size, of benefits decision - truth + 1."""
    ratio = np.array([1 - POSITIVE + selection(world, group) for group in (0, 1)])
    ratio /= ratio.mean()
    return float(np.mean(ratio * np.log(ratio)))


TRUTHS: dict[str, Callable[[World], float]] = {
    "demographic_parity": partial(apart, selection),
    "disparate_impact": lambda world: 1 - selection(world, 1) / selection(world, 0),
    "equal_opportunity": partial(apart, recall),
    "predictive_parity": partial(apart, precision),
    "auroc_parity": partial(apart, auroc),
    "calibration_gap": partial(apart, calibration),
    "theil_index": inequality,
}
"""What each gap truly is between two groups."""


def covers(world: World, metric: str, seed: int) -> bool:
    """Whether the interval of a gap between two groups holds the true one."""
    (outcome,) = world.tested(np.random.default_rng(seed))
    (gap,) = (each for each in bias.gaps(bias.group_table(outcome, OBJECTIVE)) if each.metric == metric)
    return gap.low <= TRUTHS[metric](world) <= gap.high


def alarms(world: World, seed: int) -> bool:
    """Whether any gap of a contender is called real, of two attributes and both crossed, though there is none."""
    rng = np.random.default_rng(seed)
    (outcome,) = world.tested(rng)
    of = outcome.clusters if outcome.clusters is not None and not world.mixed else np.arange(world.rows)
    second = rng.integers(0, 4, world.rows)[of].astype(str).astype(object)
    both = replace(outcome, groups={**outcome.groups, "second": second})
    return any(gap.p_value < 0.05 for gap in bias.gaps(bias.group_table(both, OBJECTIVE)))


COVERS = tuple(
    (f"{metric.replace('_', ' ')}, {name}", partial(covers, world, metric))
    for metric in TRUTHS
    for name, world in WORLDS
    if metric != "equal_opportunity"
)
"""(question, ask); the TPR's are among `coverage.QUESTIONS`."""
SAME = tuple(replace(world, rows=world.rows // 2, shifts=(1.2, 1.2)) for _, world in WORLDS)
ERRS = tuple(
    (f"some gap of 2, 4 and 8 groups is real, {name}", partial(alarms, world))
    for name, world in zip(("800 rows", "320 patients", "patients with rows in several groups"), SAME, strict=True)
)
