"""Scores: how good predictions are, each by its field's name. NumPy only; NaN where undefined, never a warning.

Rows of weight 0 count as absent. Several classes: macro averages are taken over the classes that are present in
the rows, so that a small test set or a resample without a rare class still has its scores.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation.ranking import CALIBRATION_BINS, Ranking, Weighed

Array = NDArray[Any]
Floats = NDArray[np.float64]

GREATER_IS_BETTER: Mapping[str, bool] = MappingProxyType(
    {
        "auroc": True,
        "average_precision": True,
        "accuracy": True,
        "balanced_accuracy": True,
        "f1": True,
        "log_loss": False,
        "brier": False,
        "expected_calibration_error": False,
        "rmse": False,
        "mae": False,
        "r2": True,
        "sharpe": True,
        "annual_return": True,
        "volatility": False,
        "max_drawdown": False,
        "turnover": False,
        "tail_loss": False,
        "quadratic_kappa": True,
        "referable_auroc": True,
        "ranked_probability_score": False,
    }
)
"""The direction of each score."""

RANGES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "auroc": (0.0, 1.0),
        "average_precision": (0.0, 1.0),
        "accuracy": (0.0, 1.0),
        "balanced_accuracy": (0.0, 1.0),
        "f1": (0.0, 1.0),
        "log_loss": (0.0, math.inf),
        "brier": (0.0, 2.0),
        "expected_calibration_error": (0.0, 1.0),
        "rmse": (0.0, math.inf),
        "mae": (0.0, math.inf),
        "r2": (-math.inf, 1.0),
        "sharpe": (-math.inf, math.inf),
        "annual_return": (-1.0, math.inf),
        "volatility": (0.0, math.inf),
        "max_drawdown": (0.0, 1.0),
        "turnover": (0.0, math.inf),
        "tail_loss": (-math.inf, 1.0),
        "quadratic_kappa": (-1.0, 1.0),
        "referable_auroc": (0.0, 1.0),
        "ranked_probability_score": (0.0, 1.0),
    }
)
"""Smallest and largest value of each score; no interval reaches beyond."""

SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)
"""Probabilities are kept this far from 0 and 1 in the log loss, as scikit-learn does."""


def auroc(target: Array, score: Array, weight: Array | None = None) -> float:
    """Area under the ROC curve: the chance that a random positive outranks a random negative; ties count half.

    Args:
        target: (n,) int, 1 for the positive class.
        score: (n,) float, larger means more positive; any monotone scale.
        weight: (n,) float or None for 1s.

    Returns:
        float in [0, 1]; NaN where only one class is present.

    Reference: Hanley and McNeil (1982), Radiology 143(1).
    """
    return float(_ranked(target, score, weight).auroc()[0])


def average_precision(target: Array, score: Array, weight: Array | None = None) -> float:
    """Precision averaged over the recall gained at each distinct score, from the highest down.

    Args: as `auroc`.

    Returns:
        float in (0, 1], whose chance level is the share of positives; NaN where only one class is present.

    Reference: scikit-learn's `average_precision_score`; Davis and Goadrich (2006), ICML.
    """
    return float(_ranked(target, score, weight).average_precision()[0])


def log_loss(target: Array, probability: Array, weight: Array | None = None) -> float:
    """Mean negative log likelihood, in nats.

    Args:
        target: (n,) int class index.
        probability: (n,) of class 1, or (n, k) of every class.
        weight: (n,) float or None for 1s.

    Returns:
        float >= 0; NaN where there is no row.
    """
    return _mean(log_losses(target, probability), weight)


def brier(target: Array, probability: Array, weight: Array | None = None) -> float:
    """Mean squared distance of the probabilities from what happened.

    Args: as `log_loss`.

    Returns:
        float in [0, 1] for (n,) probabilities, (p - y)^2; in [0, 2] for (n, k), summed over the classes as in
        Brier (1950), Monthly Weather Review 78(1). NaN where there is no row.
    """
    return _mean(squared_distances(target, probability), weight)


def expected_calibration_error(
    target: Array, probability: Array, weight: Array | None = None, bins: int = CALIBRATION_BINS
) -> float:
    """How far predicted probabilities are from observed frequencies, on average over bins of equal mass.

    Bins of equal mass have less bias than bins of equal width, most of which are empty or nearly so (Nixon et al.
    2019, CVPR workshops). Rows of one probability share the bin of their middle rank, so the order of the rows
    does not matter. The estimate is still biased upwards on few rows.

    Args:
        target: (n,) int class index.
        probability: (n,) of class 1; or (n, k), and then the top label is judged: its probability against whether
            it is right (Guo et al. 2017, ICML).
        weight: (n,) float or None for 1s.
        bins: how many.

    Returns:
        float in [0, 1]; NaN where there is no row.
    """
    hit, confidence = top_label(target, probability) if np.ndim(probability) == 2 else (target, probability)
    return float(_ranked(hit, confidence, weight).calibration_error(bins)[0])


def accuracy(target: Array, labels: Array, weight: Array | None = None) -> float:
    """Share of rows decided rightly; NaN where there is no row.

    Args:
        target, labels: (n,) int class index: true, and decided on.
        weight: (n,) float or None for 1s.
    """
    return _mean(np.asarray(target) == np.asarray(labels), weight)


def balanced_accuracy(target: Array, labels: Array, weight: Array | None = None) -> float:
    """Mean over the classes present of the share of their rows decided rightly; NaN with fewer than two classes.

    Args: as `accuracy`.
    """
    hit, truth, _ = _by_class(target, labels, weight)
    present = truth > 0
    return float(np.mean(hit[present] / truth[present])) if present.sum() > 1 else math.nan


def f1(target: Array, labels: Array, weight: Array | None = None) -> float:
    """Harmonic mean of precision and recall of class 1; NaN where no row is of class 1.

    Args: as `accuracy`, with two classes.
    """
    hit, truth, decided = (counts[1] for counts in _by_class(target, labels, weight, classes=2))
    return float(2 * hit / (truth + decided)) if truth > 0 else math.nan


def macro_f1(target: Array, labels: Array, weight: Array | None = None) -> float:
    """F1 of each class that is present or decided on, averaged; NaN with fewer than two classes present.

    Args: as `accuracy`.
    """
    hit, truth, decided = _by_class(target, labels, weight)
    met = truth + decided > 0
    return float(np.mean(2 * hit[met] / (truth + decided)[met])) if (truth > 0).sum() > 1 else math.nan


def macro_auroc(target: Array, probabilities: Array, weight: Array | None = None) -> float:
    """AUROC of each class present against the rest, averaged; NaN with fewer than two classes present.

    Args:
        target: (n,) int class index.
        probabilities: (n, k) float.
        weight: (n,) float or None for 1s.
    """
    return _macro(auroc, target, probabilities, weight)


def macro_average_precision(target: Array, probabilities: Array, weight: Array | None = None) -> float:
    """Average precision of each class present against the rest, averaged; NaN with fewer than two classes present.

    Args: as `macro_auroc`.
    """
    return _macro(average_precision, target, probabilities, weight)


def rmse(target: Array, values: Array, weight: Array | None = None) -> float:
    """Root mean squared error, in the target's unit; NaN where there is no row."""
    return math.sqrt(_mean(np.square(_errors(target, values)), weight))


def mae(target: Array, values: Array, weight: Array | None = None) -> float:
    """Mean absolute error, in the target's unit; NaN where there is no row."""
    return _mean(np.abs(_errors(target, values)), weight)


def r2(target: Array, values: Array, weight: Array | None = None) -> float:
    """Share of the target's variance that is explained; NaN where the target does not vary."""
    target = np.asarray(target, dtype=np.float64)
    present = target if weight is None else target[np.asarray(weight) > 0]
    if len(present) == 0 or present.min() == present.max():
        return math.nan
    spread = _mean(np.square(target - _mean(target, weight)), weight)
    return 1 - _mean(np.square(_errors(target, values)), weight) / spread


def binary_scores(target: Array, probability: Array, labels: Array, weight: Array | None = None) -> dict[str, float]:
    """Every score of two classes, from the (n,) probability of class 1 and the (n,) labels decided on."""
    return {
        "auroc": auroc(target, probability, weight),
        "average_precision": average_precision(target, probability, weight),
        "accuracy": accuracy(target, labels, weight),
        "balanced_accuracy": balanced_accuracy(target, labels, weight),
        "f1": f1(target, labels, weight),
        "log_loss": log_loss(target, probability, weight),
        "brier": brier(target, probability, weight),
        "expected_calibration_error": expected_calibration_error(target, probability, weight),
    }


def multiclass_scores(
    target: Array, probabilities: Array, labels: Array, weight: Array | None = None
) -> dict[str, float]:
    """Every score of k classes, by the same names: AUROC, average precision and F1 are macro averages."""
    return {
        "auroc": macro_auroc(target, probabilities, weight),
        "average_precision": macro_average_precision(target, probabilities, weight),
        "accuracy": accuracy(target, labels, weight),
        "balanced_accuracy": balanced_accuracy(target, labels, weight),
        "f1": macro_f1(target, labels, weight),
        "log_loss": log_loss(target, probabilities, weight),
        "brier": brier(target, probabilities, weight),
        "expected_calibration_error": expected_calibration_error(target, probabilities, weight),
    }


def regression_scores(target: Array, values: Array, weight: Array | None = None) -> dict[str, float]:
    """Every score of (n,) predicted numbers."""
    return {"rmse": rmse(target, values, weight), "mae": mae(target, values, weight), "r2": r2(target, values, weight)}


def log_losses(target: Array, probability: Array) -> Floats:
    """(n,) negative log likelihood of each row, in nats."""
    chance = np.clip(np.asarray(probability, np.float64), SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    if chance.ndim == 2:
        return np.asarray(-np.log(chance[np.arange(len(chance)), np.asarray(target, np.int64)]))
    return np.asarray(-np.log(np.where(np.asarray(target) == 1, chance, 1 - chance)))


def squared_distances(target: Array, probability: Array) -> Floats:
    """(n,) squared distance of each row's probabilities from its class."""
    chance = np.asarray(probability, np.float64)
    if chance.ndim == 2:
        happened = chance[np.arange(len(chance)), np.asarray(target, np.int64)]
        return np.asarray(np.square(chance).sum(axis=1) - 2 * happened + 1)
    return np.asarray(np.square(chance - np.asarray(target)))


def top_label(target: Array, probabilities: Array) -> tuple[Array, Floats]:
    """(n,) whether the most probable class is right, and (n,) its probability."""
    probabilities = np.asarray(probabilities, np.float64)
    return probabilities.argmax(axis=1) == np.asarray(target), probabilities.max(axis=1, initial=0.0)


def _ranked(target: Array, score: Array, weight: Array | None) -> Weighed:
    weights = np.ones(len(target)) if weight is None else np.asarray(weight, np.float64)
    return Ranking(np.asarray(target) == 1, np.asarray(score)).weigh(weights[np.newaxis])


def _mean(values: Array, weight: Array | None) -> float:
    weights = np.ones(len(values)) if weight is None else np.asarray(weight, np.float64)
    total = weights.sum()
    return float(weights @ np.asarray(values, np.float64) / total) if total > 0 else math.nan


def _errors(target: Array, values: Array) -> Floats:
    return np.asarray(values, np.float64) - np.asarray(target, np.float64)


def _by_class(target: Array, labels: Array, weight: Array | None, classes: int = 0) -> tuple[Floats, Floats, Floats]:
    """(k,) weight of each class's rows that are decided rightly, that are truly of it, and that are decided for it."""
    target, labels = np.asarray(target, np.int64), np.asarray(labels, np.int64)
    weights = np.ones(len(target)) if weight is None else np.asarray(weight, np.float64)
    classes = max(classes, *(int(index.max(initial=-1)) + 1 for index in (target, labels)))
    counted = ((target, weights * (target == labels)), (target, weights), (labels, weights))
    hit, truth, decided = (np.bincount(index, mass, classes).astype(np.float64) for index, mass in counted)
    return hit, truth, decided


def _macro(score: Any, target: Array, probabilities: Array, weight: Array | None) -> float:
    target = np.asarray(target, np.int64)
    present = np.unique(target if weight is None else target[np.asarray(weight) > 0])
    if len(present) < 2:
        return math.nan
    columns = np.asarray(probabilities).T
    return float(np.mean([score(target == index, columns[index], weight) for index in present]))
