"""Comparison: is one contender better than another on the same rows, by how much, and could it be chance?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation.delong import delong
from pipelines.evaluation.intervals import corrected_error, percentiles, two_classes
from pipelines.evaluation.outcome import Outcome
from pipelines.evaluation.replicates import replicate
from pipelines.evaluation.scores import RANGES
from pipelines.objectives.objective import Objective, Predictions
from pipelines.report.document import Comparison

__all__ = ["compare", "corrected_resampled_t", "delong", "holm", "paired_bootstrap"]

Array = NDArray[Any]
Tested = tuple[float, float, float, float]
"""Difference, lower and upper end of its 95 % interval, two-sided p-value."""


def compare(
    contender: str,
    baselines: Sequence[str],
    outcomes: Mapping[str, Outcome],
    objective: Objective,
    score: str,
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[Comparison, ...]:
    """Test a contender against each baseline on the rows that all of them were tested on.

    Cross-validation: corrected resampled t-test of the folds' differences. Holdout: DeLong's test for the AUROC of
    independent, unweighted rows; the paired bootstrap for everything else, of whole ids where ids repeat.

    Args:
        contender, baselines: names in `outcomes`.
        outcomes: name -> its test, of the same rows in the same order.
        objective: gives the scores and their direction.
        score: which one is compared.
        resamples, seed: of the bootstrap.

    Returns:
        One Comparison a baseline, in their order. A positive difference favours the contender whatever the score's
        direction. P-values are Holm-corrected over the baselines; the intervals are not.

    Raises:
        ValueError: two outcomes are of different rows.
    """
    ours = outcomes[contender]
    found = []
    for baseline in baselines:
        theirs = outcomes[baseline]
        if not np.array_equal(ours.rows, theirs.rows):
            raise ValueError(f"{contender} and {baseline} were tested on different rows; a paired test needs the same")
        name, tested = _test(ours, theirs, objective, score, resamples, seed)
        if not objective.greater_is_better(score):
            difference, low, high, p_value = tested
            tested = (-difference, -high, -low, p_value)
        found.append(Comparison(contender, baseline, score, *tested, test=name))
    corrected = holm([comparison.p_value for comparison in found])
    return tuple(replace(each, p_value=p_value) for each, p_value in zip(found, corrected, strict=True))


def paired_bootstrap(
    target: Array,
    predictions_a: Predictions,
    predictions_b: Predictions,
    objective: Objective,
    score: str,
    weight: Array | None = None,
    clusters: Array | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> Tested:
    """Test a score's difference by resampling rows, or whole clusters, the same ones for both sides.

    Args: as `replicates.replicate`.

    Returns:
        Score of a minus score of b, its percentile interval, and the p-value of the widest interval that leaves 0
        out; it is never below about 2 / resamples. Identical predictions give (0, 0, 0, 1).
    """
    settings = (objective, weight, clusters, resamples, seed)
    drawn = [replicate(target, side, *settings)[score] for side in (predictions_a, predictions_b)]
    values = [objective.scores(target, side, weight)[score] for side in (predictions_a, predictions_b)]
    units = len(target) if clusters is None else len(np.unique(clusters))
    return _of_replicates(values[0] - values[1], drawn[0] - drawn[1], units)


def corrected_resampled_t(differences: Array, n_train: float, n_test: float) -> Tested:
    """Test whether the mean difference over cross-validation folds is 0.

    Folds share training rows, so their spread understates the variance of the mean; it is multiplied by
    1/folds + n_test/n_train in place of 1/folds.

    Args:
        differences: (folds x repeats,) score of a minus score of b in each fold; undefined folds (NaN) are left out.
        n_train, n_test: rows that each fold learned from and was tested on, on average.

    Returns:
        Mean difference, its 95 % interval, and the two-sided p-value of t with folds - 1 degrees of freedom. Where
        all folds differ by the same amount there is no spread to test with, and p is that of the sign test, 1 for
        an amount of 0. With fewer than two folds the interval is NaN and p is 1.

    Reference: Nadeau and Bengio (2003), Machine Learning 52(3).
    """
    from scipy.stats import t

    defined = np.asarray(differences, np.float64)
    defined = defined[~np.isnan(defined)]
    if len(defined) < 2:
        return float(defined.mean()) if len(defined) else math.nan, math.nan, math.nan, 1.0
    mean, error = float(defined.mean()), corrected_error(defined, n_train, n_test)
    if error <= 1e-12:
        return mean, mean, mean, 1.0 if abs(mean) <= 1e-12 else 2.0 ** (1 - len(defined))
    freedom = len(defined) - 1
    half = float(t.ppf(0.975, freedom)) * error
    return mean, mean - half, mean + half, float(2 * t.sf(abs(mean) / error, freedom))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Correct p-values for how many were looked at, in their order.

    The smallest is multiplied by their number, the next by one less, and so on; none may fall below the one before.

    Reference: Holm (1979), Scandinavian Journal of Statistics 6(2).
    """
    values = np.asarray(p_values, np.float64)
    order = np.argsort(values, kind="stable")
    factors = np.arange(len(values), 0, -1)
    corrected = np.empty(len(values))
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(values[order] * factors))
    return tuple(corrected.tolist())


def _test(
    ours: Outcome, theirs: Outcome, objective: Objective, score: str, resamples: int, seed: int
) -> tuple[str, Tested]:
    if len(ours.rounds) > 1:
        pairs = zip(ours.fold_scores(objective), theirs.fold_scores(objective), strict=True)
        differences = np.array([mine[score] - other[score] for mine, other in pairs])
        n_train, n_test = (
            float(np.mean([getattr(part, size) for part in ours.rounds])) for size in ("n_train", "n_test")
        )
        tested = _possible(score, corrected_resampled_t(differences, n_train, n_test))
        spread = np.nanmax(differences) - np.nanmin(differences) if not np.isnan(differences).all() else 0.0
        if spread > 1e-12 or not abs(tested[0]) > 1e-12:
            return "corrected resampled t", tested
        # Every fold differs by the same amount, so only the rows can say whether that is chance.
    elif (
        score == "auroc" and two_classes(ours.predictions, objective) and ours.clusters is None and ours.weight is None
    ):
        return "DeLong", delong(ours.target, ours.predictions.values[:, 1], theirs.predictions.values[:, 1])
    name = "paired bootstrap" if ours.clusters is None else "paired cluster bootstrap"
    values = [outcome.scores(objective)[score] for outcome in (ours, theirs)]
    drawn = [outcome.replicates(objective, resamples, seed)[score] for outcome in (ours, theirs)]
    return name, _of_replicates(values[0] - values[1], drawn[0] - drawn[1], ours.units)


def _possible(score: str, tested: Tested) -> Tested:
    """With its interval cut to the differences that two values of the score can have; t knows no such ends."""
    lowest, highest = RANGES.get(score, (-math.inf, math.inf))
    difference, low, high, p_value = tested
    width = highest - lowest
    return difference, float(np.maximum(low, -width)), float(np.minimum(high, width)), p_value


def _of_replicates(difference: float, drawn: NDArray[np.float64], units: int) -> Tested:
    """What bootstrap replicates of a difference say about it; a difference that is not defined is not significant."""
    low, high = percentiles(drawn, units)
    if math.isnan(difference) or math.isnan(low):
        return difference, math.nan, math.nan, 1.0
    return difference, low, high, _tail_probability(drawn, units)


def _tail_probability(differences: NDArray[np.float64], units: int) -> float:
    """The level at which `percentiles` of the differences just touches 0."""
    from scipy.stats import norm, t

    defined = differences[~np.isnan(differences)]
    beyond = min((defined <= 0).sum(), (defined >= 0).sum())
    tail = (beyond + 1) / (len(defined) + 1)
    if tail >= 0.5:
        return 1.0
    return float(2 * t.cdf(norm.ppf(tail) / math.sqrt(units / (units - 1)), units - 1))
