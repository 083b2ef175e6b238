"""Simulated tests of rows that follow each other in time and are like their neighbours; true scores are known.

The scores' own parts are autoregressive, AR(1), with the marginal distribution of `benchmarks/simulated.py`, so that
the truths are the same; the classes come in runs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.simulated import CUT, OBJECTIVE, POSITIVE, Floats, World, as_examples, as_predictions
from pipelines.evaluation.outcome import FoldResult, Outcome, Round
from pipelines.objectives.objective import Predictions


@dataclass(frozen=True)
class Series:
    """How rows in time come about, one a moment.

    Args:
        rows: how many.
        memory: correlation of neighbours in what is random of a score; 0 where rows are independent.
        runs: chance that a row's class is the one before; else it is drawn anew.
        shift: as of a world with one group.
        alike: correlation of two contenders' scores.
    """

    rows: int = 1000
    memory: float = 0.6
    runs: float = 0.5
    shift: float = 1.2
    alike: float = 0.7

    @property
    def alone(self) -> World:
        """The world of rows that are independent, with the same true scores."""
        return World(rows=self.rows, shifts=(self.shift,), alike=self.alike)

    def tested(self, rng: np.random.Generator, better: Sequence[float] = (0.0,), block: int = 0) -> list[Outcome]:
        """The tests of several contenders on the same rows; `better` is added to each one's shift."""
        target, easy = self._target(rng), self._remembered(rng)
        found = []
        for extra in better:
            own = math.sqrt(self.alike) * easy + math.sqrt(1 - self.alike) * self._remembered(rng)
            predictions = as_predictions((self.shift + extra) * target + own - CUT)
            examples = as_examples(target, time=np.arange(self.rows))
            test = FoldResult(examples, predictions, np.arange(self.rows), 1000)
            found.append(Outcome.pooled(OBJECTIVE, [test], by_time=True, block=block))
        return found

    def _remembered(self, rng: np.random.Generator) -> Floats:
        """(rows,) standard normal, each correlated with the one before."""
        from scipy.signal import lfilter

        noise = math.sqrt(1 - self.memory**2) * rng.standard_normal(self.rows)
        noise[0] = rng.standard_normal()
        return np.asarray(lfilter([1.0], [1.0, -self.memory], noise), np.float64)

    def _target(self, rng: np.random.Generator) -> NDArray[np.int64]:
        drawn = (rng.random(self.rows) < POSITIVE).astype(np.int64)
        anew = rng.random(self.rows) >= self.runs
        anew[0] = True
        return drawn[np.maximum.accumulate(np.where(anew, np.arange(self.rows), 0))]


def one_remembers(rng: np.random.Generator, rows: int, memory: float) -> dict[str, Outcome]:
    """Two contenders that predict a number equally well; the errors of one are like those of the moments before."""
    target, when = rng.standard_normal(rows), np.arange(rows)
    errors = {"remembers": Series(rows=rows, memory=memory)._remembered(rng), "forgets": rng.standard_normal(rows)}
    return {
        name: Outcome(target, Predictions(target + each), (Round(0, rows, 4 * rows),), when, time=when)
        for name, each in errors.items()
    }
