"""Curves: the points of the ROC, precision-recall and reliability figures."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation.intervals import proportion
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
    """Bins that hold weight, from the lowest probabilities up; `low` and `high` bound the observed rate (Wilson)."""

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


def reliability(
    target: Array,
    probability: Array,
    weight: Array | None = None,
    clusters: Array | None = None,
    bins: int = CALIBRATION_BINS,
) -> Reliability:
    """Predicted against observed frequency of the positive class, in the bins of the expected calibration error.

    Args:
        weight: (n,) float >= 0, or None for 1s.
        clusters: (n,) id of the unit that rows belong to, or None where rows are independent; as in `proportion`.
    """
    positive, said = np.asarray(target) == 1, np.asarray(probability, np.float64)
    counted = np.ones(len(said)) if weight is None else np.asarray(weight, np.float64)
    bin_of = Ranking(positive, said).bins(counted, bins)
    members = [np.flatnonzero((bin_of == each) & (counted > 0)) for each in reversed(range(bins))]
    members = [rows for rows in members if len(rows)]
    observed = [
        proportion(positive[rows], *(None if each is None else np.asarray(each)[rows] for each in (weight, clusters)))
        for rows in members
    ]
    predicted = np.array([np.average(said[rows], weights=counted[rows]) for rows in members])
    value, low, high = (np.array([getattr(each, end) for each in observed]) for end in ("value", "low", "high"))
    return Reliability(predicted, value, low, high, np.array([len(rows) for rows in members], np.int64))
