"""Curves: the points of the ROC, precision-recall and reliability figures."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation.intervals import wilson
from pipelines.evaluation.ranking import CALIBRATION_BINS, Ranking

Array = NDArray[Any]
Floats = NDArray[np.float64]


class Roc(NamedTuple):
    """(m,) false and true positive rates at each threshold, from (0, 0) to (1, 1)."""

    false_positive_rate: Floats
    true_positive_rate: Floats
    threshold: Floats


class PrecisionRecall(NamedTuple):
    """(m,) recall and precision at each threshold, from the highest threshold down."""

    recall: Floats
    precision: Floats
    threshold: Floats


class Reliability(NamedTuple):
    """Bins that hold a row, from the lowest probabilities up; `low` and `high` bound the observed rate (Wilson)."""

    predicted: Floats
    observed: Floats
    low: Floats
    high: Floats
    n: NDArray[np.int64]


def roc(target: Array, score: Array) -> Roc:
    """The ROC curve, without the points that lie on a straight line; empty where only one class is present."""
    from sklearn.metrics import roc_curve

    positive = np.asarray(target) == 1
    if positive.all() or not positive.any():
        return Roc(np.zeros(0), np.zeros(0), np.zeros(0))
    return Roc(*roc_curve(positive, score, drop_intermediate=True))


def precision_recall(target: Array, score: Array) -> PrecisionRecall:
    """The precision-recall curve; empty where only one class is present.

    It has no made-up point at recall 0; draw it as steps (Davis and Goadrich 2006: lines between points are wrong).
    """
    from sklearn.metrics import precision_recall_curve

    positive = np.asarray(target) == 1
    if positive.all() or not positive.any():
        return PrecisionRecall(np.zeros(0), np.zeros(0), np.zeros(0))
    precision, recall, threshold = precision_recall_curve(positive, score, drop_intermediate=True)
    return PrecisionRecall(recall[-2::-1], precision[-2::-1], threshold[::-1])


def reliability(target: Array, probability: Array, bins: int = CALIBRATION_BINS) -> Reliability:
    """Predicted against observed frequency of the positive class, in the bins of the expected calibration error."""
    ranked = Ranking(np.asarray(target) == 1, probability).weigh(np.ones((1, len(target))))
    rows, positives, expected = (sums[0, ::-1] for sums in ranked.bin_sums(bins))
    held = rows > 0
    rows, positives, expected = rows[held], positives[held], expected[held]
    return Reliability(expected / rows, positives / rows, *wilson(positives, rows), rows.astype(np.int64))
