"""Grades: scores of classes that have an order, and where an expected grade is cut into grades.

NumPy only; NaN where undefined, never a warning. Grades are class indices: neighbours lie one step apart.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation.scores import accuracy, auroc, expected_calibration_error, log_loss, mae

Array = NDArray[Any]
Floats = NDArray[np.float64]

MOST_TRIED = 200
"""Places at which a cut is tried: quantiles of what was expected of the rows."""

MOST_SWEEPS = 20
"""Times that every cut is moved, one after the other; fewer do where none moves any more."""


def ordinal_scores(
    target: Array, probabilities: Array, labels: Array, weight: Array | None, refer_from: int
) -> dict[str, float]:
    """Every score of k grades.

    Args:
        target: (n,) int grade.
        probabilities: (n, k) of each grade.
        labels: (n,) int grade that was decided on.
        weight: (n,) float or None for 1s.
        refer_from: the grade from which on somebody is referred; `referable_auroc` tells these from those below, by
            their probability.
    """
    return {
        "quadratic_kappa": quadratic_kappa(target, labels, weight),
        "accuracy": accuracy(target, labels, weight),
        "mae": mae(target, labels, weight),
        "referable_auroc": auroc(*referable(target, probabilities, refer_from), weight),
        "log_loss": log_loss(target, probabilities, weight),
        "ranked_probability_score": _mean(ranked_distances(target, probabilities), weight),
        "expected_calibration_error": expected_calibration_error(target, probabilities, weight),
    }


def quadratic_kappa(target: Array, labels: Array, weight: Array | None = None) -> float:
    """Cohen's kappa with quadratic weights: 1 less the mean squared distance of two raters' grades over what it would
    be, were each rater to give his grades to other rows by chance.

    Args:
        target, labels: (n,) int grade, by the two raters.
        weight: (n,) float or None for 1s.

    Returns:
        float in [-1, 1], 0 where the labels say nothing; NaN where both raters know one and the same grade only.

    Reference: Cohen (1968), Psychological Bulletin 70(4).
    """
    sums = _sums(*_pair(target, labels), np.ones(len(target)) if weight is None else np.asarray(weight, np.float64))
    return float(kappa_of_sums(*sums))


def kappa_of_sums(total: Any, apart: Any, first: Any, second: Any, first_square: Any, second_square: Any) -> Any:
    """Kappa of sums over rows: of weights, squared distances, both raters' grades, and the squares of these.

    Any shape; NaN where no distance is expected.
    """
    expected = first_square + second_square - 2 * np.divide(
        first * second, total, out=np.zeros_like(np.asarray(first, np.float64)), where=np.asarray(total) > 0
    )  # fmt: skip
    defined = expected > 1e-12 * (first_square + second_square)  # of one grade alone only rounding is left
    quotient = np.divide(apart, expected, out=np.full(np.shape(expected), np.nan), where=defined)
    return np.asarray(1 - quotient)


def kappa_terms(target: Array, labels: Array, weight: Array | None = None) -> Floats:
    """(n,) numbers whose weighted mean is the quadratic kappa, and whose spread is that of kappa (delta method).

    Each is kappa and what the row moves it by (its influence), so that means over rows of one person, differences and
    intervals are those of a mean.

    Args: as `quadratic_kappa`.
    """
    first, second = _pair(target, labels)
    weights = np.ones(len(first)) if weight is None else np.asarray(weight, np.float64)
    total, apart, a, b, aa, bb = (float(each) for each in _sums(first, second, weights))
    if not total > 0:
        return np.full(len(first), np.nan)
    apart, a, b, aa, bb = (each / total for each in (apart, a, b, aa, bb))
    expected = aa + bb - 2 * a * b
    if not expected > 1e-12 * (aa + bb):
        return np.full(len(first), np.nan)
    more = np.square(first) - aa + np.square(second) - bb - 2 * b * (first - a) - 2 * a * (second - b)
    moved = apart / expected**2 * more - (np.square(first - second) - apart) / expected
    return np.asarray(1 - apart / expected + moved)


def referable(target: Array, probabilities: Array, refer_from: int) -> tuple[NDArray[np.int64], Floats]:
    """(n,) whether the grade is `refer_from` or above, and (n,) the probability of that."""
    above = np.asarray(probabilities, np.float64)[:, refer_from:].sum(axis=1)
    return (np.asarray(target) >= refer_from).astype(np.int64), above


def ranked_distances(target: Array, probabilities: Array) -> Floats:
    """(n,) ranked probability score of each row, in [0, 1]: the mean over the k - 1 borders between grades of the
    squared distance of "at most this grade" from what happened.

    Reference: Epstein (1969), Journal of Applied Meteorology 8(6); divided by k - 1.
    """
    below = np.cumsum(np.asarray(probabilities, np.float64), axis=1)[:, :-1]
    happened = np.asarray(target)[:, np.newaxis] <= np.arange(below.shape[1])
    return np.asarray(np.square(below - happened).mean(axis=1))


def expected_grade(probabilities: Array) -> Floats:
    """(n,) mean of the grades by their (n, k) probabilities."""
    return np.asarray(np.asarray(probabilities, np.float64) @ np.arange(np.shape(probabilities)[1]))


def half_way(classes: int) -> tuple[float, ...]:
    """Cuts half way between the grades: the nearest grade is decided on."""
    return tuple(number + 0.5 for number in range(classes - 1))


def cut(expected: Array, cuts: tuple[float, ...]) -> NDArray[np.int64]:
    """(n,) grade of each expected grade: how many of the rising cuts it has reached."""
    return np.searchsorted(np.asarray(cuts), np.asarray(expected, np.float64), side="right").astype(np.int64)


def choose_cuts(target: Array, expected: Array, classes: int, weight: Array | None = None) -> tuple[float, ...]:
    """The cuts of expected grades that make the quadratic kappa of these rows largest.

    They begin half way between the grades, and each in its turn is moved to the best place between its neighbours,
    until none moves. Probabilities that are near a rare grade's neighbours may never lie nearest to that grade, and
    grades decided so lose some of their kappa.

    Args:
        target: (n,) int grade, of rows that the probabilities were not learned from.
        expected: (n,) mean grade.
        classes: how many grades there are.
        weight: (n,) float >= 0: how many rows each one counts for; None for 1s.

    Returns:
        (classes - 1) rising numbers; those half way where kappa is not defined.
    """
    weights = np.ones(len(target)) if weight is None else np.asarray(weight, np.float64)
    cuts, kept = list(half_way(classes)), weights > 0
    target, expected, weights = np.asarray(target)[kept], np.asarray(expected, np.float64)[kept], weights[kept]
    best = quadratic_kappa(target, cut(expected, tuple(cuts)), weights) if len(target) else math.nan
    if math.isnan(best):
        return tuple(cuts)
    tried = _places(expected)
    for _ in range(MOST_SWEEPS):
        before = best
        for place in range(len(cuts)):
            low, high = (cuts[place - 1] if place else -1.0), (cuts[place + 1] if place + 1 < len(cuts) else classes)
            for value in tried[(tried >= low) & (tried <= high)].tolist():
                moved = (*cuts[:place], value, *cuts[place + 1 :])
                found = quadratic_kappa(target, cut(expected, moved), weights)
                if found > best + 1e-12:
                    best, cuts[place] = found, value
        if best == before:
            break
    return tuple(cuts)


def _places(expected: Floats) -> Floats:
    """Half way between neighbouring values; of many, at as many of their quantiles as are tried."""
    values = np.unique(expected)
    between = (values[:-1] + values[1:]) / 2
    if len(between) <= MOST_TRIED:
        return np.asarray(between)
    return np.asarray(between[np.linspace(0, len(between) - 1, MOST_TRIED).astype(np.int64)])


def _pair(target: Array, labels: Array) -> tuple[Floats, Floats]:
    return np.asarray(target, np.float64), np.asarray(labels, np.float64)


def _sums(first: Floats, second: Floats, weights: Floats) -> tuple[Any, ...]:
    return tuple(weights @ each for each in per_row(first, second))


def per_row(first: Floats, second: Floats) -> Floats:
    """(6, n) what `kappa_of_sums` takes the weighted sums of."""
    squares = np.square(first), np.square(second)
    return np.array([np.ones(len(first)), np.square(first - second), first, second, *squares])


def _mean(values: Floats, weight: Array | None) -> float:
    weights = np.ones(len(values)) if weight is None else np.asarray(weight, np.float64)
    total = weights.sum()
    return float(weights @ values / total) if total > 0 else math.nan
