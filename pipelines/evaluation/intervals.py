"""Intervals: how surely a value is known. All are 95 %; NaN where they cannot be had."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation.delong import auroc_interval
from pipelines.evaluation.outcome import Outcome
from pipelines.evaluation.replicates import replicate
from pipelines.evaluation.scores import RANGES
from pipelines.evaluation.spread import Spread, least_of_folds, of_folds, of_resamples
from pipelines.objectives.objective import Objective, Predictions
from pipelines.report.document import Estimate

Array = NDArray[Any]
Floats = NDArray[np.float64]


def estimates(
    outcome: Outcome,
    objective: Objective,
    resamples: int = 1000,
    seed: int = 0,
    ranges: Mapping[str, tuple[float, float]] = RANGES,
) -> dict[str, Estimate]:
    """Every score of a contender's test with its interval.

    Cross-validation: the mean over the folds, with the corrected interval. Holdout: the bootstrap, of whole ids
    where ids repeat; the AUROC of independent, unweighted rows has DeLong's interval, as its test does. Where rows were
    divided by time: Student's, with the spread of resampled blocks, of all stretches of a walk forward together. With
    several trainings the mean over them, and Student's interval with the spread of rows and trainings.

    Args:
        ranges: score name -> its smallest and largest value.
    """
    if outcome.apart:
        return _over_folds(outcome, objective, ranges)
    values = outcome.scores(objective)
    if outcome.trainings > 1 or outcome.sequence is not None:
        drawn = outcome.training_replicates(objective, resamples, seed)
        by_training = outcome.scores_by_training(objective)
        return {
            name: student(
                value,
                of_resamples([each[name] for each in by_training], [each[name] for each in drawn], outcome.units),
                ranges.get(name, (-math.inf, math.inf)),
            )
            for name, value in values.items()
        }
    found = _intervals(values, outcome.replicates(objective, resamples, seed), outcome.units)
    if two_classes(outcome.predictions, objective) and outcome.clusters is None and outcome.weight is None:
        found["auroc"] = auroc_interval(outcome.target, outcome.predictions.values[:, 1])
    return found


def spread_of(outcome: Outcome, objective: Objective, resamples: int = 1000, seed: int = 0) -> Spread:
    """How much of what is not known of the primary score is due to the training and how much to the tested rows.

    NaN in both where there was one training only.
    """
    name = objective.primary
    if outcome.trainings == 1:
        return Spread(math.nan, math.nan)
    if not outcome.apart:
        drawn = [each[name] for each in outcome.training_replicates(objective, resamples, seed)]
        return of_resamples([each[name] for each in outcome.scores_by_training(objective)], drawn, outcome.units)
    by_training = [[each[name] for each in fold] for fold in outcome.training_scores(objective)]
    means = np.mean(by_training, axis=1)
    known = means[~np.isnan(means)]
    error = math.nan
    if len(known) > 1:
        error = max(corrected_error(known, *outcome.sizes), least_of_folds(by_training))
    return of_folds(by_training, error)


def student(value: float, spread: Spread, limits: tuple[float, float]) -> Estimate:
    """Student's interval of a value with that spread, within the limits of what it can be.

    A share, such as the AUROC, has its interval on the logit scale, because near its limits there is more room on one
    side; in short series in time that held the truth more often than percentiles of resamples.
    """
    from scipy.special import expit, logit
    from scipy.stats import t

    if math.isnan(value) or math.isnan(spread.error):
        return Estimate(value)
    half = float(t.ppf(0.975, spread.freedom)) * spread.error
    if limits == (0.0, 1.0) and 0 < value < 1:
        half /= value * (1 - value)
        return Estimate(value, float(expit(logit(value) - half)), float(expit(logit(value) + half)))
    low, high = np.clip([value - half, value + half], *limits)
    return Estimate(value, float(low), float(high))


def bootstrap(
    target: Array,
    predictions: Predictions,
    objective: Objective,
    weight: Array | None = None,
    clusters: Array | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Every score of the objective with its percentile interval.

    Args: as `replicates.replicate`; the same seed resamples the same rows for every contender.

    Returns:
        score name -> Estimate. Resamples that leave a score undefined are set aside; where they are more than half,
        the interval is NaN.

    Reference: Efron and Tibshirani (1993), chapter 13.
    """
    values = objective.scores(target, predictions, weight)
    drawn = replicate(target, predictions, objective, weight, clusters, resamples, seed)
    units = len(target) if clusters is None else len(np.unique(clusters))
    return _intervals(values, drawn, units)


def percentiles(replicates: Floats, units: int, level: float = 0.05) -> tuple[float, float]:
    """The interval of bootstrap replicates of a value that rests on so many independent units; `level` lies outside.

    The percentiles lie a little outside 2.5 and 97.5, as t lies outside the normal, because resampling n units
    shows too little spread by (n - 1) / n: Hesterberg (2015), The American Statistician 69(4). It matters with few
    clusters only.
    """
    defined = replicates[~np.isnan(replicates)]
    if units < 2 or 2 * len(defined) < len(replicates) or len(defined) == 0:
        return math.nan, math.nan
    tail = expanded_tail(level, units)
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)


def expanded_tail(level: float, units: int) -> float:
    """The share of replicates in each tail of an interval that leaves `level` out, for so many units."""
    from scipy.stats import norm, t

    return float(norm.cdf(math.sqrt(units / (units - 1)) * t.ppf(level / 2, units - 1)))


def cross_validated(values: Floats, n_train: float, n_test: float, least: float = 0.0) -> Estimate:
    """The mean over folds, with an interval that knows that folds share their training rows.

    Args:
        values: (folds x repeats,) a score of each fold; undefined folds (NaN) are left out.
        n_train, n_test: rows that each fold learned from and was tested on, on average.
        least: standard error that the mean has at least (`spread.least_of_folds`).

    Returns:
        The mean; its interval is NaN with fewer than two defined folds.

    Reference: Nadeau and Bengio (2003), Machine Learning 52(3): the variance s^2 of the folds counts
    1/folds + n_test/n_train times, not 1/folds times.
    """
    from scipy.stats import t

    defined = np.asarray(values, np.float64)
    defined = defined[~np.isnan(defined)]
    if len(defined) == 0:
        return Estimate(math.nan)
    mean = float(defined.mean())
    if len(defined) < 2:
        return Estimate(mean)
    half = float(t.ppf(0.975, len(defined) - 1)) * max(corrected_error(defined, n_train, n_test), least)
    return Estimate(mean, mean - half, mean + half)


def corrected_error(values: Floats, n_train: float, n_test: float) -> float:
    """Standard error of the mean of per-fold values (Nadeau and Bengio 2003)."""
    return math.sqrt((1 / len(values) + n_test / n_train) * float(values.var(ddof=1)))


def wilson(successes: Any, n: Any, critical: float = 1.959963984540054) -> tuple[Floats, Floats]:
    """Interval of a proportion that behaves near 0 and 1; works on arrays.

    Args:
        successes, n: counts; fractions are allowed, for an effective number of rows.
        critical: half the interval's width in standard errors.

    Returns:
        Lower and upper ends; NaN where n is 0.

    Reference: Wilson (1927), Journal of the American Statistical Association 22(158).
    """
    n = np.asarray(n, np.float64)
    known = n > 0
    size = np.where(known, n, 1.0)
    share = np.asarray(successes, np.float64) / size
    squared = critical**2
    middle = (share + squared / (2 * size)) / (1 + squared / size)
    half = critical / (1 + squared / size) * np.sqrt(share * (1 - share) / size + squared / (4 * size**2))
    # The ends are exact at the edges, where rounding would put them just outside.
    low = np.where(share <= 0, 0.0, np.maximum(middle - half, 0.0))
    high = np.where(share >= 1, 1.0, np.minimum(middle + half, 1.0))
    return np.where(known, low, np.nan), np.where(known, high, np.nan)


def proportion(hits: Array, weight: Array | None = None, clusters: Array | None = None) -> Estimate:
    """Share of rows that hit, with Wilson's interval.

    Weighted or clustered rows count for as many independent ones as would have the same variance; at a share of 0
    or 1, which shows no variance, every cluster counts once.

    Args:
        hits: (n,) bool.
        weight: (n,) float >= 0, or None for 1s.
        clusters: (n,) id of the unit that rows belong to, or None where rows are independent.

    Reference: Kott and Carr (1997), Journal of Official Statistics 13(1); Dean and Pagano (2015), Journal of Survey
    Statistics and Methodology 3(4), who find it covers better than the alternatives.
    """
    from scipy.stats import t

    if weight is None and clusters is None:
        low, high = wilson(np.sum(hits), len(hits))
        return Estimate(float(np.mean(hits)) if len(hits) else math.nan, float(low), float(high))
    share, size, units = effective(hits, weight, clusters)
    if math.isnan(share):
        return Estimate(math.nan)
    low, high = wilson(share * size, size, float(t.ppf(0.975, max(units - 1, 1))))
    return Estimate(share, float(low), float(high))


def effective(hits: Array, weight: Array | None = None, clusters: Array | None = None) -> tuple[float, float, int]:
    """Share of n rows that hit, how many independent rows would show it as surely, and the number of units.

    Args: as `proportion`, which says how rows are counted.
    """
    share, error, units = _linearised(np.asarray(hits, np.float64), weight, clusters)
    size = min(share * (1 - share) / error**2, len(hits)) if error > 1e-9 and 0 < share < 1 else units
    return share, float(size), units


def mean(values: Array, weight: Array | None = None, clusters: Array | None = None) -> Estimate:
    """Mean of n values with Student's interval; rows may be weighted or clustered, as in `proportion`."""
    from scipy.stats import t

    value, error, units = _linearised(np.asarray(values, np.float64), weight, clusters)
    if units < 2:
        return Estimate(value)
    half = float(t.ppf(0.975, units - 1)) * error
    return Estimate(value, value - half, value + half)


def two_classes(predictions: Predictions, objective: Objective) -> bool:
    """Whether there is a positive class, and so a probability of it, a threshold and a ROC curve."""
    return objective.kind == "classification" and predictions.values.ndim == 2 and predictions.values.shape[1] == 2


def _intervals(values: dict[str, float], drawn: dict[str, Floats], units: int) -> dict[str, Estimate]:
    return {
        name: Estimate(math.nan) if math.isnan(value) else Estimate(value, *percentiles(drawn[name], units))
        for name, value in values.items()
    }


def _linearised(values: Floats, weight: Array | None, clusters: Array | None) -> tuple[float, float, int]:
    """Weighted mean, its standard error between units (a ratio's Taylor linearisation), and the number of units."""
    weights = np.ones(len(values)) if weight is None else np.asarray(weight, np.float64)
    total = weights.sum()
    if not total > 0:
        return math.nan, math.nan, 0
    value = float((weights * values).sum() / total)
    moved = weights * (values - value) / total
    counted = (weights > 0).astype(np.int64)
    if clusters is not None:
        code = np.unique(clusters, return_inverse=True)[1]
        moved, counted = np.bincount(code, moved), np.bincount(code, counted).astype(np.int64)
    units = int(np.count_nonzero(counted))
    error = math.sqrt(units / (units - 1) * float(np.square(moved).sum())) if units > 1 else math.nan
    return value, error, units


def _over_folds(
    outcome: Outcome, objective: Objective, ranges: Mapping[str, tuple[float, float]]
) -> dict[str, Estimate]:
    folds, by_training = outcome.fold_scores(objective), outcome.training_scores(objective)
    found = {}
    for name in folds[0]:
        least = least_of_folds([[each[name] for each in fold] for fold in by_training])
        estimate = cross_validated(np.array([fold[name] for fold in folds]), *outcome.sizes, least)
        lowest, highest = ranges.get(name, (-math.inf, math.inf))
        low, high = np.clip([estimate.low, estimate.high], lowest, highest)
        found[name] = Estimate(estimate.value, float(low), float(high))
    return found
