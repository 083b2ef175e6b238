"""Simulated tests whose true scores are known, to find out how often intervals and verdicts are right.

Scores are normal: of the positive rows around a shift, of the negative rows around 0, with the same spread, so that the
AUROC, the accuracy at a cut and the rates of decisions have closed forms (the binormal model).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.examples import Examples
from pipelines.evaluation.outcome import FoldResult, Outcome
from pipelines.objectives.classification import Classification
from pipelines.objectives.objective import Predictions

Floats = NDArray[np.float64]

OBJECTIVE = Classification(positive="1", classes=("0", "1"))
POSITIVE = 0.3
"""Share of positive rows."""
CUT = 0.8
"""Scores above it are decided positive."""


@dataclass(frozen=True)
class World:
    """How tested rows come about.

    Args:
        rows: how many.
        cluster: rows of one patient, on average; 1 where rows are independent.
        shared: standard deviation of what the scores of one patient's rows share; a row's own is 1.
        shifts: how far the positive rows' scores lie above the negative rows', by group.
        alike: correlation of the own parts of two contenders' scores.
        mixed: whether one patient's rows may be of several groups (devices, say); else the group is the patient's.
    """

    rows: int = 400
    cluster: int = 1
    shared: float = 0.0
    shifts: tuple[float, ...] = (1.2,)
    alike: float = 0.7
    mixed: bool = False

    @property
    def spread(self) -> float:
        """Standard deviation of a score."""
        return math.hypot(1.0, self.shared)

    def auroc(self) -> float:
        """Chance that a positive row scores above a negative one, where there is one group."""
        return below(self.shifts[0] / (math.sqrt(2) * self.spread))

    def rate(self, group: int, positive: bool) -> float:
        """Share of a group's positive, or negative, rows that is decided positive."""
        return below((self.shifts[group] * positive - CUT) / self.spread)

    def accuracy(self) -> float:
        """Share decided rightly, where there is one group."""
        return POSITIVE * self.rate(0, True) + (1 - POSITIVE) * (1 - self.rate(0, False))

    def tested(self, rng: np.random.Generator, better: Sequence[float] = (0.0,)) -> list[Outcome]:
        """The tests of several contenders on the same rows; `better` is added to each one's shift."""
        ids = self._ids(rng)
        target, group = self._target(rng, ids), rng.integers(0, len(self.shifts), self.rows)
        if not self.mixed:
            group = group[ids]
        common = self.shared * rng.standard_normal(ids.max() + 1)[ids]
        easy = rng.standard_normal(self.rows)
        found = []
        for extra in better:
            own = math.sqrt(self.alike) * easy + math.sqrt(1 - self.alike) * rng.standard_normal(self.rows)
            score = (np.take(self.shifts, group) + extra) * target + common + own
            found.append(_outcome(target, score, group.astype(str), ids if self.cluster > 1 else None))
        return found

    def _ids(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """(rows,) patient of each row; their numbers of rows differ."""
        if self.cluster == 1:
            return np.arange(self.rows)
        return np.asarray(np.sort(rng.integers(0, self.rows // self.cluster, self.rows)))

    def _target(self, rng: np.random.Generator, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Rows of one patient tend to be of one class."""
        if self.cluster == 1:
            return (rng.random(self.rows) < POSITIVE).astype(np.int64)
        prone = rng.beta(POSITIVE, 1 - POSITIVE, ids.max() + 1)  # mean POSITIVE
        return (rng.random(self.rows) < prone[ids]).astype(np.int64)


def halves_of_features(
    rng: np.random.Generator, rows: int, folds: int, better: float = 0.0, features: int = 10
) -> list[Outcome]:
    """Cross-validation of two linear models that really learn: each sees its own half of equally telling features.

    By symmetry neither is better, unless the first half's features tell more by `better`.
    """
    x = rng.standard_normal((rows, 2 * features))
    strength = np.repeat([0.25 + better, 0.25], features)
    target = (x @ strength + rng.standard_normal(rows) > 0.5).astype(np.int64)
    halves = (slice(0, features), slice(features, None))
    parts = np.array_split(rng.permutation(rows), folds)
    tests: list[list[FoldResult]] = [[], []]
    for part in parts:
        train = np.setdiff1d(np.arange(rows), part)
        for half, found in zip(halves, tests, strict=True):
            beta = np.linalg.lstsq(np.c_[x[train, half], np.ones(len(train))], target[train] - 0.5, rcond=None)[0]
            score = np.c_[x[part, half], np.ones(len(part))] @ beta
            found.append(FoldResult(as_examples(target[part]), as_predictions(4 * score), part, len(train)))
    return [Outcome.pooled(OBJECTIVE, each) for each in tests]


def _outcome(target: NDArray[np.int64], score: Floats, group: NDArray[Any], ids: NDArray[Any] | None) -> Outcome:
    examples = as_examples(target, group, ids)
    return Outcome.pooled(OBJECTIVE, [FoldResult(examples, as_predictions(score - CUT), np.arange(len(target)), 1000)])


def as_examples(
    target: NDArray[np.int64],
    group: NDArray[Any] | None = None,
    ids: NDArray[Any] | None = None,
    time: NDArray[Any] | None = None,
) -> Examples:
    """Rows of these classes."""
    groups = {} if group is None else {"group": group.astype(object)}
    unseen = {"nothing": np.zeros(len(target))}  # what models looked at is not simulated
    return Examples(unseen, target.astype(str).astype(object), groups=groups, ids=ids, time=time)


def as_predictions(logit: Floats) -> Predictions:
    """Decided positive above 0."""
    probability = 1 / (1 + np.exp(-logit))
    return Predictions(np.column_stack([1 - probability, probability])).decide(0.5)


def below(z: float) -> float:
    """The standard normal distribution function."""
    return 0.5 * math.erfc(-z / math.sqrt(2))
