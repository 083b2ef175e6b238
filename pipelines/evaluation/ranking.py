"""Ranking: rows sorted once by score, so that many weightings of them are judged without sorting again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CALIBRATION_BINS = 15
"""Bins of equal mass behind every expected calibration error and reliability diagram."""


class Ranking:
    """Rows in the order of falling score, equal scores joined into one step.

    A bootstrap resample is a weighting of the rows by whole numbers, so the same code gives a score and its
    thousand resamples.

    Args:
        target: (n,) 1 for the positive class, else 0.
        score: (n,) float, larger means more positive; a NaN makes every result NaN.
    """

    def __init__(self, target: NDArray[Any], score: NDArray[Any]) -> None:
        values: Floats = np.asarray(score, dtype=np.float64)
        self._order = np.argsort(-values, kind="stable")
        ordered = values[self._order]
        self._valid = not np.isnan(values).any()
        self._positive = np.asarray(target, dtype=np.float64)[self._order]
        new = np.ones(len(values), dtype=bool)
        new[1:] = ordered[1:] != ordered[:-1]
        self._starts = np.flatnonzero(new)
        self._steps: Floats = ordered[self._starts]

    def weigh(self, weights: Floats) -> Weighed:
        """The ranking under each of b weightings: (b, n) floats of at least 0, in the rows' own order."""
        ordered = np.take(weights, self._order, axis=1)
        positive = ordered * self._positive
        if len(self._starts) < ordered.shape[1]:
            ordered = np.add.reduceat(ordered, self._starts, axis=1)
            positive = np.add.reduceat(positive, self._starts, axis=1)
        if not self._valid:
            ordered = np.full_like(ordered, np.nan)
        return Weighed(self._steps, ordered, positive, np.cumsum(ordered, axis=1), np.cumsum(positive, axis=1))

    def bins(self, weight: Floats, bins: int = CALIBRATION_BINS) -> NDArray[np.int64]:
        """(n,) bin of equal mass that each row is in, 0 for the highest scores; as `Weighed.bin_sums` has them."""
        (starts,) = self.weigh(np.asarray(weight, np.float64)[np.newaxis]).bin_starts(bins)
        step = np.zeros(len(self._order), np.int64)
        step[self._starts] = 1
        found = np.empty(len(step), np.int64)
        found[self._order] = np.searchsorted(starts, np.cumsum(step) - 1, side="right") - 1
        return found


@dataclass(frozen=True)
class Weighed:
    """A ranking of m distinct scores under b weightings.

    Args:
        steps: (m,) the distinct scores, falling.
        weight, positive: (b, m) weight of all rows and of the positive rows at each step.
        weight_above, positive_above: (b, m) the same, of this step and those above it.
    """

    steps: Floats
    weight: Floats
    positive: Floats
    weight_above: Floats
    positive_above: Floats

    @property
    def total(self) -> Floats:
        """(b,) weight of all rows."""
        return _last(self.weight_above)

    @property
    def positives(self) -> Floats:
        """(b,) weight of the positive rows."""
        return _last(self.positive_above)

    def auroc(self) -> Floats:
        """(b,) area under the ROC curve; NaN where a class has no weight."""
        negative = self.weight - self.positive
        # Of the pairs (positive, negative): the positive is above the negative, or level with it and counts half.
        pairs = _dot(negative, self.positive_above) - 0.5 * _dot(negative, self.positive)
        return _ratio(pairs, self.positives * (self.total - self.positives))

    def average_precision(self) -> Floats:
        """(b,) precision at each step weighted by the recall gained there; NaN where a class has no weight."""
        precision = self.positive_above / np.maximum(self.weight_above, np.finfo(np.float64).tiny)
        area = _dot(precision, self.positive)
        return np.where(self.total > self.positives, _ratio(area, self.positives), np.nan)

    def calibration_error(self, bins: int = CALIBRATION_BINS) -> Floats:
        """(b,) expected calibration error over bins of equal mass; NaN where there is no weight."""
        excess = _bin_sums(self.positive - self.weight * self.steps, self.bin_starts(bins))
        return _ratio(np.abs(excess).sum(axis=1), self.total)

    def bin_sums(self, bins: int = CALIBRATION_BINS) -> tuple[Floats, Floats, Floats]:
        """(b, bins) sums over each bin, from the highest scores down: weight, positive weight, weight x score."""
        starts = self.bin_starts(bins)
        weight, positive, scored = (
            _bin_sums(values, starts) for values in (self.weight, self.positive, self.weight * self.steps)
        )
        return weight, positive, scored

    def bin_starts(self, bins: int) -> NDArray[np.int64]:
        """(b, bins) first step of each bin.

        A step belongs to the bin in which its middle rank lies, to the lower one where that is between two.
        """
        starts = np.zeros((len(self.weight), bins), dtype=np.int64)
        if len(self.steps) == 0:
            return starts
        bounds = np.arange(1, bins)
        for row, (total, above, weight) in enumerate(zip(self.total, self.weight_above, self.weight, strict=True)):
            across = np.minimum(np.searchsorted(above, total * bounds / bins), len(above) - 1)
            # Multiplied out, so that whole weights are compared exactly.
            middle_is_before = (2 * above[across] - weight[across]) * bins < 2 * total * bounds
            starts[row, 1:] = across + middle_is_before
        return starts


def _last(cumulated: Floats) -> Floats:
    return cumulated[:, -1] if cumulated.shape[1] else np.zeros(len(cumulated))


def _dot(left: Floats, right: Floats) -> Floats:
    """(b,) sums of products; not by BLAS, whose threads would fight with those that share out the resamples."""
    return np.asarray(np.einsum("bm,bm->b", left, right))


def _bin_sums(values: Floats, starts: NDArray[np.int64]) -> Floats:
    """(b, bins) sums of the values from each start to the next; 0 for a bin without a step."""
    padded = np.pad(values, ((0, 0), (0, 1)))  # a bin may start after the last step
    sums = np.array([np.add.reduceat(row, first) for row, first in zip(padded, starts, strict=True)])
    empty = np.diff(starts, axis=1, append=values.shape[1]) == 0
    return np.where(empty, 0.0, sums)


def _ratio(above: Floats, below: Floats) -> Floats:
    """above / below, NaN where below is not positive."""
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)
