"""Simulated probabilities whose true calibration is known, by the binormal model of `benchmarks.simulated`.

The log odds of a score s are a line in it: what is true of a positive share P, a shift d and a spread v is
log(P / (1 - P)) + (d s - d^2 / 2) / v^2. So slopes are exact, and errors are integrals over the scores.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.simulated import CUT, OBJECTIVE, POSITIVE, World
from pipelines.evaluation import calibration, intervals
from pipelines.evaluation.outcome import Outcome
from pipelines.evaluation.ranking import CALIBRATION_BINS
from pipelines.objectives.objective import Predictions
from pipelines.report.document import Estimate

Floats = NDArray[np.float64]

PLACES = 20_001
"""Of the integrals."""


@dataclass(frozen=True)
class Said:
    """What a contender says of a world's scores.

    Args:
        world: of one group.
        times: what the true log odds are multiplied by; above 1 overconfident.
        added: to them after that.
    """

    world: World
    times: float = 1.0
    added: float = 0.0

    def tested(self, seed: int) -> Outcome:
        """One test."""
        (outcome,) = self.world.tested(np.random.default_rng(seed))
        said = np.asarray(outcome.predictions.values, np.float64)
        score = np.log(said[:, 1]) - np.log(said[:, 0]) + CUT
        probability = _expit(self.times * self._true(score) + self.added)
        predictions = Predictions(np.column_stack([1 - probability, probability])).decide(0.5)
        return Outcome(outcome.target, predictions, outcome.rounds, outcome.rows, ids=outcome.ids)

    @cached_property
    def truth(self) -> dict[str, float]:
        """Each measure of all rows that there could be."""
        shift, spread = self.world.shifts[0], self.world.spread
        score = np.linspace(-9 * spread, shift + 9 * spread, PLACES)
        odds = self._true(score)
        density = POSITIVE * np.exp(-((score - shift) ** 2) / (2 * spread**2))
        density = density + (1 - POSITIVE) * np.exp(-(score**2) / (2 * spread**2))
        density = density / density.sum()
        true, said = _expit(odds), _expit(self.times * odds + self.added)
        order = np.argsort(said)
        bin_of = np.minimum((np.cumsum(density[order]) * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
        excess = np.bincount(bin_of, (density * (true - said))[order], CALIBRATION_BINS)
        return {
            "debiased_calibration_error": float(np.abs(excess).sum()),
            "reliability": float(np.square(excess).sum() * CALIBRATION_BINS),
            "observed_minus_predicted": float(excess.sum()),
            "slope": 1 / self.times,
            "in_the_large": _intercept(density, true, self.times * odds + self.added),
            "brier": float(density @ (true * (1 - said) ** 2 + (1 - true) * said**2)),
        }

    def _true(self, score: Floats) -> Floats:
        shift, spread = self.world.shifts[0], self.world.spread
        return np.asarray(math.log(POSITIVE / (1 - POSITIVE)) + (shift * score - shift**2 / 2) / spread**2)


def covers(said: Said, measure: str, seed: int) -> bool:
    """Whether a measure's interval holds the true value."""
    outcome = said.tested(seed)
    if measure == "brier":
        return _holds(intervals.estimates(outcome, OBJECTIVE, 1000, seed)[measure], said.truth[measure])
    return _holds(calibration.measured(outcome, OBJECTIVE)[measure], said.truth[measure])


def finds_fault(said: Said, seed: int) -> bool:
    """Whether the probabilities are said to be wrong."""
    return "cannot be told" not in calibration.sentence("it", calibration.measured(said.tested(seed), OBJECTIVE))


def _holds(estimate: Estimate, truth: float) -> bool:
    return estimate.low - 1e-9 <= truth <= estimate.high + 1e-9


def _intercept(density: Floats, true: Floats, odds: Floats) -> float:
    """What must be added to the log odds for as much to be predicted as happens."""
    from scipy.optimize import brentq

    return float(brentq(lambda added: float(density @ (true - _expit(odds + added))), -10, 10))


def _expit(odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-odds)))


ROWS, PATIENTS = World(), World(cluster=5, shared=0.8)
MEASURES = {
    "debiased_calibration_error": "calibration error",
    "slope": "calibration slope",
    "in_the_large": "calibration in the large",
    "brier": "Brier score",
}
"""Of `Said.truth`, what is promised; the interval of reliability is a little too wide where units are few."""
COVERS = tuple(
    (f"{spoken}, {what}, {how}", partial(covers, Said(world, *changed), measure))
    for measure, spoken in MEASURES.items()
    for world, what in ((ROWS, "400 rows"), (PATIENTS, "400 rows of 80 patients"))
    for changed, how in (((2.0, 0.0), "overconfident"), ((1.0, 0.5), "too high"))
    if how == "overconfident" or measure == "debiased_calibration_error"
)
"""(question, who answers it): intervals of probabilities that are wrong in a known way."""
ERRS = tuple(
    (f"calibrated probabilities said to be wrong, {what}", partial(finds_fault, Said(world)))
    for world, what in ((ROWS, "400 rows"), (PATIENTS, "400 rows of 80 patients"))
)
FINDS = tuple(
    (f"{how}, {what}", partial(finds_fault, Said(world, *changed)))
    for world, what in ((ROWS, "400 rows"), (PATIENTS, "400 rows of 80 patients"))
    for changed, how in (((1.5, 0.0), "overconfident by half"), ((1.0, 0.5), "log odds too high by .5"))
)
