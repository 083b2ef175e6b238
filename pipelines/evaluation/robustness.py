"""Robustness: how much worse answers to worse pictures are, and whether the network's are still better."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation.intervals import student
from pipelines.evaluation.outcome import Outcome
from pipelines.evaluation.ranking import Ranking
from pipelines.evaluation.replicates import Judge, fast_judge
from pipelines.evaluation.scores import RANGES
from pipelines.evaluation.spread import Spread
from pipelines.objectives.objective import Objective, Predictions
from pipelines.report.document import Estimate
from pipelines.report.robustness import Worsened, WorsenedLead

Floats = NDArray[np.float64]
Key = tuple[str, int]
"""A corruption and its severity, from 1."""

RESAMPLES = 200
"""Behind each interval: their spread is told, not their percentiles, so that few are enough."""


@dataclass(frozen=True)
class Worse:
    """What one model said of the same pictures, made worse in several ways.

    Args:
        rows: (m,) numbers of the pictures' rows in the whole data set, in an order that all contenders share.
        clean: (m, ...) what it says of them as they are.
        said: (k, m, ...) of each way.
        ways: of the k ways (corruption, severity, amount).
        seconds: that it took.
    """

    rows: NDArray[np.int64]
    clean: NDArray[Any]
    said: NDArray[Any]
    ways: tuple[tuple[str, int, float], ...]
    seconds: float


@dataclass(frozen=True)
class Primary:
    """An objective's deciding score alone, so that many resamples of many tests take little time."""

    objective: Any
    kind: str = "primary"

    @property
    def primary(self) -> str:
        return str(self.objective.primary)

    def scores(
        self, target: NDArray[Any], predictions: Predictions, weight: NDArray[Any] | None = None
    ) -> dict[str, float]:
        return {self.primary: self.objective.scores(target, predictions, weight)[self.primary]}

    def judge(self, target: NDArray[Any], predictions: Predictions) -> Judge:
        """The same for many weightings of the rows."""
        if self.primary == "auroc" and predictions.values.shape[1] == 2:
            ranking = Ranking(np.asarray(target) == 1, predictions.values[:, 1])
            return lambda weights: {"auroc": ranking.weigh(weights).auroc()}
        names = tuple(self.objective.scores(target, predictions))
        quick = fast_judge(target, predictions, self.objective, names)

        def one_by_one(weights: Floats) -> dict[str, Floats]:
            return {self.primary: np.array([self.scores(target, predictions, each)[self.primary] for each in weights])}

        return one_by_one if quick is None else lambda weights: {self.primary: quick(weights)[self.primary]}


@dataclass(frozen=True)
class Drawn:
    """A score of one test, and of its resamples."""

    value: float
    resampled: Floats
    units: int

    @classmethod
    def of(cls, outcome: Outcome, objective: Objective, seed: int) -> Drawn:
        """Of the deciding score; tests of the same rows have the same resamples."""
        only: Any = Primary(objective)
        name, length = objective.primary, 1.0 if outcome.sequence is None else outcome.length_for(None)
        drawn = outcome.replicates(only, RESAMPLES, seed, length)[name]
        return cls(outcome.scores(only)[name], drawn, outcome.units_for(length))

    def estimate(self, name: str) -> Estimate:
        """With Student's interval of the resamples' spread."""
        return student(self.value, self._spread(self.resampled), RANGES.get(name, (-math.inf, math.inf)))

    def less(self, other: Drawn, sign: int) -> Estimate:
        """sign times (this one - the other one), of the same rows."""
        spread = self._spread(self.resampled - other.resampled)
        return student(sign * (self.value - other.value), spread, (-math.inf, math.inf))

    def _spread(self, drawn: Floats) -> Spread:
        known = drawn[~np.isnan(drawn)]
        if self.units < 2 or 2 * len(known) < len(drawn):
            return Spread(math.nan, 1)
        error = math.sqrt(self.units / (self.units - 1)) * float(known.std(ddof=1))
        return Spread(error, self.units - 1)


def losses(
    clean: Drawn, worse: Mapping[Key, Drawn], amounts: Sequence[float], objective: Objective
) -> tuple[Worsened, ...]:
    """The score of each way to make pictures worse, and what is lost by it."""
    name, sign = objective.primary, _sign(objective)
    return tuple(
        Worsened(*key, amount, each.estimate(name), clean.less(each, sign))
        for (key, each), amount in zip(worse.items(), amounts, strict=True)
    )


def leads(ours: Mapping[Key, Drawn], theirs: Mapping[Key, Drawn], objective: Objective) -> tuple[WorsenedLead, ...]:
    """How much better one contender is than another on the same worse pictures."""
    return tuple(WorsenedLead(*key, each.less(theirs[key], _sign(objective))) for key, each in ours.items())


def _sign(objective: Objective) -> int:
    return 1 if objective.greater_is_better(objective.primary) else -1
