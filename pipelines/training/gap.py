"""A penalty on how differently groups are treated, inside the tape's loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.training.strategy import sum_over_replicas

NO_GROUP = -1
"""The code of rows whose group is unknown, or too small to be compared."""


class GapPenalty:
    """Equalized odds, softened: `strength` times how far apart the groups' mean predictions are, class by class.

    Of each class the mean prediction of every group is taken over the batch; of these means the squared differences
    of all pairs are averaged, and both classes' averages added. The prediction is the probability as it would be if
    both classes were as frequent, because that one spreads around 1/2 however rare the positive class is, and 1/2 is
    where decisions are near their best balanced accuracy. A group without a row of a class in the batch takes no part
    in that class's average. Means of few rows differ by chance, which the square counts as a gap: so batches should
    hold several rows of each group and class.

    Both numbers are variables: one trace serves all strengths and folds.

    Reference: after Beutel et al. (2019), Putting Fairness Principles into Practice, AIES, and Zafar et al. (2017),
    WWW, who penalise a correlation where this penalises the difference of means itself.
    """

    def __init__(self, groups: int) -> None:
        import tensorflow as tf

        self.groups = groups
        self.strength = tf.Variable(0.0, trainable=False, name="gap_strength")
        self.shift = tf.Variable(0.0, trainable=False, name="gap_shift")

    def begin(self, strength: float, shift: float) -> None:
        """Set what the coming training penalises by.

        Args:
            strength: 0 trains as if there were no penalty.
            shift: log-odds of the positive class among the training rows.
        """
        self.strength.assign(strength)
        self.shift.assign(shift)

    def __call__(self, y: Any, outputs: Any, weight: Any) -> Any:
        """The penalty of the GLOBAL batch, the same on every replica.

        Args:
            y: (batch, 2) int, class and code of the group.
            outputs: (batch, 1) logits, or (batch, members, 1).
            weight: (batch,) float.
        """
        import tensorflow as tf

        probability = tf.sigmoid(tf.cast(outputs, tf.float32) - self.shift)
        probability = tf.reduce_mean(tf.reshape(probability, (tf.shape(outputs)[0], -1)), axis=1)
        counted = tf.where(y[:, 1] >= 0, tf.cast(weight, tf.float32), 0.0)
        cell = tf.one_hot(y[:, 0] * self.groups + tf.maximum(y[:, 1], 0), 2 * self.groups) * counted[:, tf.newaxis]
        sums, totals = sum_over_replicas([tf.reduce_sum(cell * probability[:, tf.newaxis], 0), tf.reduce_sum(cell, 0)])
        sums, totals = (tf.reshape(each, [2, self.groups]) for each in (sums, totals))
        there = tf.cast(totals > 0, tf.float32)
        means = sums / tf.where(totals > 0, totals, 1.0)
        several = tf.reduce_sum(there, 1)
        centre = tf.reduce_sum(there * means, 1) / tf.maximum(several, 1.0)
        spread = tf.reduce_sum(there * tf.square(means - centre[:, tf.newaxis]), 1)
        # Twice the variance is the mean of the squared differences of all pairs.
        return self.strength * tf.reduce_sum(2 * spread / tf.maximum(several - 1, 1.0))


def of_class(loss: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The loss of targets that carry a group beside the class."""
    return lambda y, outputs: loss(y[:, 0], outputs)


def gap_between(y: NDArray[Any], logits: NDArray[Any], weight: NDArray[Any], groups: int, shift: float) -> float:
    """What `GapPenalty` of strength 1 would be of these rows, in NumPy; NaN where no class has two groups.

    Args:
        y: (n, 2) int, class and code of the group.
        logits: (n,).
        weight: (n,) float.
    """
    probability = 1 / (1 + np.exp(-np.clip(np.asarray(logits, np.float64) - shift, -60, 60)))
    counted = np.where(y[:, 1] >= 0, np.asarray(weight, np.float64), 0.0)
    cell = y[:, 0] * groups + np.maximum(y[:, 1], 0)
    sums, totals = (np.bincount(cell, each, 2 * groups).reshape(2, groups) for each in (counted * probability, counted))
    means = [row[total > 0] / total[total > 0] for row, total in zip(sums, totals, strict=True)]
    compared = [2 * each.var(ddof=1) for each in means if len(each) > 1]
    return float(sum(compared)) if compared else float("nan")
