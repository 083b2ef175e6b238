"""Simulated contenders that are trained several times, whose true scores, the mean over all trainings, are known.

A training changes how well a contender tells the classes apart, and what it says of single rows. Scores are binormal,
as in `benchmarks/simulated.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.simulated import CUT, OBJECTIVE, POSITIVE, as_examples, as_predictions, below
from pipelines.evaluation.outcome import FoldResult, Outcome


@dataclass(frozen=True)
class Trainings:
    """How contenders come about.

    Args:
        rows: tested.
        seeds: trainings of each contender.
        shift: how far the positive rows' scores lie above the negative rows', on average over trainings.
        luck: standard deviation of that from one training to another.
        jitter: standard deviation of what a training adds to single rows' scores; what all trainings share has 1.
        alike: correlation of what two contenders' trainings share.
    """

    rows: int = 400
    seeds: int = 5
    shift: float = 1.2
    luck: float = 0.15
    jitter: float = 0.5
    alike: float = 0.9

    @property
    def spread(self) -> float:
        """Standard deviation of a score within a class, in one training."""
        return math.hypot(1.0, self.jitter)

    def auroc(self) -> float:
        """Mean over all trainings."""
        return below(self.shift / math.hypot(math.sqrt(2) * self.spread, self.luck))

    def accuracy(self) -> float:
        """Mean over all trainings."""
        hit = below((self.shift - CUT) / math.hypot(self.spread, self.luck))
        return POSITIVE * hit + (1 - POSITIVE) * below(CUT / self.spread)

    def tested(self, rng: np.random.Generator, better: Sequence[float] = (0.0,)) -> list[Outcome]:
        """The tests of several contenders on the same rows; `better` is added to each one's shift."""
        target = (rng.random(self.rows) < POSITIVE).astype(np.int64)
        examples, easy = as_examples(target), rng.standard_normal(self.rows)
        found = []
        for extra in better:
            shared = math.sqrt(self.alike) * easy + math.sqrt(1 - self.alike) * rng.standard_normal(self.rows)
            tests = []
            for training in range(self.seeds):
                shift = self.shift + extra + self.luck * rng.standard_normal()
                score = shift * target + shared + self.jitter * rng.standard_normal(self.rows)
                tests.append(FoldResult(examples, as_predictions(score - CUT), np.arange(self.rows), 1000, training))
            found.append(Outcome.pooled(OBJECTIVE, tests))
        return found


@dataclass(frozen=True)
class UnevenTrainings:
    """Three trainings on the same rows, each of which finds fewer of one group's positives by a luck of its own.

    Args:
        rows: tested, half of them of each group.
        gap: by how much fewer, on average over trainings.
        luck: standard deviation of that from one training to another.
    """

    rows: int = 2000
    gap: float = 0.15
    luck: float = 0.08

    def tested(self, rng: np.random.Generator) -> Outcome:
        """The test of one contender."""
        target, second = (rng.random(self.rows) < 0.5).astype(np.int64), np.arange(self.rows) >= self.rows // 2
        examples, tests = as_examples(target, np.where(second, "1", "0")), []
        for training in range(3):
            found = 0.8 - second * np.clip(rng.normal(self.gap, self.luck), 0, 0.6)
            alarm = rng.random(self.rows) < np.where(target == 1, found, 0.2)
            predictions = as_predictions(np.where(alarm, 1.0, -1.0))
            tests.append(FoldResult(examples, predictions, np.arange(self.rows), 1000, training))
        return Outcome.pooled(OBJECTIVE, tests)
