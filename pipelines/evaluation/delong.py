"""DeLong: the variance of an AUROC, and of the difference of two AUROCs on the same rows, without resampling.

References: DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44(3); the O(n log n) form by ranks is Sun and Xu
(2014), IEEE Signal Processing Letters 21(11); whole clusters as Obuchowski (1997), Biometrics 53(2).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.report.document import Estimate

Array = NDArray[Any]
Floats = NDArray[np.float64]


def influence(target: Array, score: Array, weight: Array | None = None) -> tuple[float, Floats]:
    """The AUROC, and how much each row moves it.

    A positive's placement is the share of negatives it outranks (ties count half), a negative's the share of
    positives that outrank it; the influence is the placement's distance from the AUROC over the size of the class.

    Args:
        target: (n,) int, 1 for the positive class.
        score: (n,) float, larger means more positive.
        weight: (n,) float >= 0, or None for 1s.

    Returns:
        The AUROC and (n,) influences, which sum to 0; NaN where only one class is present.
    """
    positive = np.asarray(target) == 1
    weights = np.ones(len(positive)) if weight is None else np.asarray(weight, np.float64)
    of_positive, of_negative = weights * positive, weights * ~positive
    positives, negatives = of_positive.sum(), of_negative.sum()
    if not (positives > 0 and negatives > 0) or np.isnan(score).any():
        return math.nan, np.full(len(positive), np.nan)
    distinct, level = np.unique(score, return_inverse=True)
    at_level = np.bincount(level, of_positive, len(distinct)), np.bincount(level, of_negative, len(distinct))
    positives_below, negatives_below = (np.cumsum(at) - at / 2 for at in at_level)
    placement = np.where(positive, negatives_below[level] / negatives, 1 - positives_below[level] / positives)
    value = float(of_positive @ placement / positives)
    return value, weights * (placement - value) / np.where(positive, positives, negatives)


def folded_influence(target: Array, score: Array, folds: Array, weight: Array | None = None) -> tuple[float, Floats]:
    """As `influence`, of scores that only rank rows of one fold: each fold is scored by a model of its own.

    A pair of rows from two folds says nothing (pooled, even a constant predictor strays from 0.5, because each
    fold's constant is its own). The value is the mean of the folds' AUROCs, each counting by its pairs of a positive
    and a negative; a fold without such a pair does not count.

    Args:
        folds: (n,) number of the fold that scored each row.
    """
    pairs, values = [], []
    influences = np.zeros(len(target))
    for fold in np.unique(folds):
        index = np.flatnonzero(folds == fold)
        of_fold = None if weight is None else np.asarray(weight, np.float64)[index]
        value, moves = influence(target[index], score[index], of_fold)
        if math.isnan(value):
            continue
        weights = np.ones(len(index)) if of_fold is None else of_fold
        positive = np.asarray(target)[index] == 1
        pairs.append(float(weights[positive].sum() * weights[~positive].sum()))
        values.append(value)
        influences[index] = moves * pairs[-1]
    total = sum(pairs)
    if not total:
        return math.nan, np.full(len(target), np.nan)
    return float(np.dot(pairs, values) / total), influences / total


def variance(influences: Floats, target: Array, clusters: Array | None = None) -> float:
    """Variance of a sum of influences; NaN where a class (or the data) has fewer than two independent units."""
    if clusters is not None:
        return _unbiased(np.bincount(np.unique(clusters, return_inverse=True)[1], influences).astype(np.float64))
    positive = np.asarray(target) == 1
    return _unbiased(influences[positive]) + _unbiased(influences[~positive])


def auroc_interval(
    target: Array,
    score: Array,
    weight: Array | None = None,
    clusters: Array | None = None,
    folds: Array | None = None,
) -> Estimate:
    """The AUROC with its 95 % interval, symmetric on the logit scale and so within 0 and 1.

    Where the variance cannot be estimated (perfect separation, one row of a class) the interval is Newcombe's, which
    depends only on the AUROC and the number of rows, or clusters, in each class.

    Args:
        target, score, weight: as `influence`.
        clusters: (n,) id of the unit that rows belong to, or None where rows are independent.
        folds: (n,) as `folded_influence`, or None where one model scored every row.

    References: Pepe (2003), section 5.2, for the logit scale; Newcombe (2006), Statistics in Medicine 25(4), method 5.
    """
    from scipy.special import expit, logit
    from scipy.stats import norm, t

    ranked = np.zeros(len(target), np.int64) if folds is None else np.asarray(folds)
    value, influences = folded_influence(target, score, ranked, weight)
    if math.isnan(value):
        return Estimate(math.nan)
    units = np.arange(len(target)) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    positive, counted = (
        np.asarray(target) == 1,
        np.ones(len(target), bool) if weight is None else np.asarray(weight) > 0,
    )
    m, n = (int(np.count_nonzero(np.bincount(units[counted & of_class]))) for of_class in (positive, ~positive))
    plain = clusters is None and weight is None
    spread = variance(influences, target, None if plain else units)
    if not spread > 1e-14 or not 0 < value < 1:
        return Estimate(value, *_newcombe(value, m, n))
    critical = norm.ppf(0.975) if clusters is None else t.ppf(0.975, int(units.max()))
    half = critical * math.sqrt(spread) / (value * (1 - value))
    return Estimate(value, float(expit(logit(value) - half)), float(expit(logit(value) + half)))


def delong(target: Array, score_a: Array, score_b: Array) -> tuple[float, float, float, float]:
    """Test whether two scores of the same independent rows have the same AUROC.

    Args:
        target: (n,) int, 1 for the positive class.
        score_a, score_b: (n,) float, larger means more positive.

    Returns:
        AUROC of a minus AUROC of b, its 95 % interval, and the two-sided p-value. Scores that rank all pairs alike
        give (0, 0, 0, 1). Where the difference does not vary between rows although it is not 0 (one score
        separates perfectly, the other is constant), the variance is that of two scores without skill. With fewer
        than two rows of a class nothing is known: the interval is (-1, 1) and p is 1; the difference is NaN with
        none.
    """
    from scipy.stats import norm

    difference, error = difference_error(target, score_a, score_b)
    if math.isnan(error):
        return difference, -1.0, 1.0, 1.0
    if error == 0:
        return 0.0, 0.0, 0.0, 1.0
    half = float(norm.ppf(0.975)) * error
    low, high = max(-1.0, difference - half), min(1.0, difference + half)
    return difference, low, high, float(2 * norm.sf(abs(difference) / error))


def difference_error(target: Array, score_a: Array, score_b: Array) -> tuple[float, float]:
    """The difference of two AUROCs and its standard error, as `delong`; NaN where nothing is known of it."""
    (value_a, influence_a), (value_b, influence_b) = influence(target, score_a), influence(target, score_b)
    difference = value_a - value_b
    m = int((np.asarray(target) == 1).sum())
    n = len(target) - m
    if math.isnan(difference) or min(m, n) < 2:
        return difference, math.nan
    spread = variance(influence_a - influence_b, target)
    if spread <= 1e-14:
        if abs(difference) <= 1e-12:
            return 0.0, 0.0
        spread = 2 * (m + n + 1) / (12 * m * n)
    return difference, math.sqrt(spread)


def _unbiased(terms: Floats) -> float:
    """Variance of the sum of the terms of one sample, estimated from their own spread."""
    if len(terms) < 2:
        return math.nan
    return float(np.square(terms - terms.mean()).sum() * len(terms) / (len(terms) - 1))


def _newcombe(value: float, m: int, n: int) -> tuple[float, float]:
    return _newcombe_low(value, m, n), 1 - _newcombe_low(1 - value, m, n)


def _newcombe_low(value: float, m: int, n: int) -> float:
    """The smallest AUROC from which the observed one is not further than 1.96 of its own standard errors."""
    from scipy.optimize import brentq

    z = 1.959963984540054
    between = (m + n) / 2 - 1

    def excess(true: float) -> float:
        overlap = 1 + between * ((1 - true) / (2 - true) + true / (1 + true))
        return value - true - z * math.sqrt(true * (1 - true) * overlap / (m * n))

    return float(brentq(excess, 0.0, value - 1e-9)) if value > 1e-8 else 0.0
