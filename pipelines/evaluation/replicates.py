"""Replicates: every score under many bootstrap resamples at once.

A resample is a weighting of the rows by how often each was drawn. Rows are sorted once; what is left per resample
is cumulative sums and one matrix product, so 1000 resamples cost seconds where 1000 calls of each score cost minutes.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation import grades, portfolio, scores
from pipelines.evaluation.blocks import stationary_counts
from pipelines.evaluation.ranking import Ranking
from pipelines.objectives.objective import Objective, Predictions

Floats = NDArray[np.float64]
Judge = Callable[[Floats], dict[str, Floats]]
"""(b, n) weightings of the rows -> score name -> (b,) values."""

CELLS_AT_ONCE = 2**17
"""Rows x resamples held in memory together: small enough for a processor's cache, large enough to hide Python."""


def resample_counts(units: int, size: int, seed: int, part: int, length: float = 1.0) -> NDArray[np.int64]:
    """(size, units) how often each unit was drawn in one part of the resamples.

    The same numbers give the same resamples, which is what makes two contenders' scores paired.
    """
    rng = np.random.default_rng([seed, part])
    if length > 1:
        return stationary_counts(rng, units, size, length)
    drawn = rng.integers(0, units, size=(size, units))
    drawn += np.arange(size)[:, np.newaxis] * units
    return np.bincount(drawn.ravel(), minlength=size * units).reshape(size, units)


def replicate(
    target: NDArray[Any],
    predictions: Predictions,
    objective: Objective,
    weight: NDArray[Any] | None = None,
    clusters: NDArray[Any] | None = None,
    resamples: int = 1000,
    seed: int = 0,
    length: float = 1.0,
    stretches: NDArray[np.int64] | None = None,
) -> dict[str, Floats]:
    """Every score of the objective under bootstrap resamples of the rows, or of whole clusters.

    Args:
        target: (n,) encoded.
        predictions: for the n rows.
        objective: gives the scores; two or more classes and numbers take a fast path, and so does what has a `judge`
            of its own; any other is called once per resample.
        weight: (n,) float >= 0, or None for 1s.
        clusters: (n,) id of the unit that is drawn as a whole, or None to draw rows.
        resamples: how many.
        seed: the same one gives every contender the same resamples.
        length: above 1, clusters are drawn in blocks of so many neighbours on average, in the order of their ids.
        stretches: (n,) number of the stretch in which each row is scored with its like, the scores being the means over
            the stretches (`over_stretches`); None scores all rows together.

    Returns:
        score name -> (resamples,) values, NaN where a resample leaves a score undefined (one class only, no weight).
    """
    names = tuple(objective.scores(target, predictions, weight))
    if len(target) == 0:
        return {name: np.full(resamples, np.nan) for name in names}
    code = None if clusters is None else np.unique(clusters, return_inverse=True)[1]
    units = len(target) if code is None else int(code.max()) + 1
    at_once = max(1, CELLS_AT_ONCE // len(target))
    fast = fast_judge(target, predictions, objective, names, weight)
    judge = fast or _slow_judge(target, predictions, objective, names, weight)
    if stretches is not None:
        judge = _judge_of_stretches(target, predictions, objective, names, weight, stretches)

    def judge_part(part: int) -> dict[str, Floats]:
        counts = resample_counts(units, min(at_once, resamples - part * at_once), seed, part, length)
        return judge(np.asarray(counts if code is None else np.take(counts, code, axis=1), np.float64))

    # NumPy lets go of the interpreter's lock; another objective's own scores need not be safe in two threads.
    with ThreadPoolExecutor(1 if fast is None else min(8, os.cpu_count() or 1)) as threads:
        parts = list(threads.map(judge_part, range(math.ceil(resamples / at_once))))
    return {name: np.concatenate([part[name] for part in parts]) for name in names}


def fast_judge(
    target: NDArray[Any],
    predictions: Predictions,
    objective: Objective,
    names: tuple[str, ...],
    weight: NDArray[Any] | None = None,
) -> Judge | None:
    """The vectorised form of the objective's scores, or None where it has scores that only itself can give."""
    values = predictions.values
    judge: Judge
    own: Any = objective
    if hasattr(own, "judge"):
        judge = own.judge(target, predictions)
    elif objective.kind == "classification" and values.ndim == 2 and values.shape[1] == 2:
        judge = binary_judge(target, values[:, 1], predictions.labels())
    elif getattr(objective, "ordered", False) and values.ndim == 2:
        ordinal: Any = objective
        judge = ordinal_judge(target, values, ordinal.decided(predictions).labels(), ordinal.refer_from)
    elif objective.kind == "classification" and values.ndim == 2:
        judge = multiclass_judge(target, values, predictions.labels())
    elif objective.kind == "regression" and values.ndim == 1:
        judge = regression_judge(target, values)
    elif objective.kind == "allocation":
        judge = portfolio.judged(own.path(target, predictions))
    else:
        return None
    if set(judge(np.ones((1, len(target))))) != set(names):
        return None
    return judge if weight is None else lambda weights: judge(weights * weight)


def binary_judge(target: NDArray[Any], probability: NDArray[Any], labels: NDArray[Any]) -> Judge:
    """`scores.binary_scores` for many weightings."""
    positive, decided = np.asarray(target) == 1, np.asarray(labels) == 1
    ranking = Ranking(positive, probability)
    losses, distances = scores.log_losses(target, probability), scores.squared_distances(target, probability)
    per_row = np.array([decided, positive & decided, losses, distances], np.float64)

    def judge(weights: Floats) -> dict[str, Floats]:
        ranked = ranking.weigh(weights)
        total, truth = ranked.total, ranked.positives
        chosen, hit, loss, distance = _sums(weights, per_row)
        negative, right_negative = total - truth, total - truth - chosen + hit
        return {
            "auroc": ranked.auroc(),
            "average_precision": ranked.average_precision(),
            "accuracy": _divide(hit + right_negative, total),
            "balanced_accuracy": (_divide(hit, truth) + _divide(right_negative, negative)) / 2,
            "f1": np.where(truth > 0, _divide(2 * hit, truth + chosen), np.nan),
            "log_loss": _divide(loss, total),
            "brier": _divide(distance, total),
            "expected_calibration_error": ranked.calibration_error(),
        }

    return judge


def multiclass_judge(target: NDArray[Any], probabilities: NDArray[Any], labels: NDArray[Any]) -> Judge:
    """`scores.multiclass_scores` for many weightings."""
    target, labels = np.asarray(target, np.int64), np.asarray(labels, np.int64)
    classes = max(probabilities.shape[1], int(target.max(initial=0)) + 1, int(labels.max(initial=0)) + 1)
    met = np.unique(target)
    rankings = [Ranking(target == index, probabilities[:, index]) for index in met]
    confidence = Ranking(*scores.top_label(target, probabilities))
    losses, distances = scores.log_losses(target, probabilities), scores.squared_distances(target, probabilities)
    per_row = np.array([np.ones(len(target)), target == labels, losses, distances])
    truth_of, choice_of = _one_hot(target, classes), _one_hot(labels, classes)
    hit_of = _one_hot(target, classes, keep=target == labels)

    def judge(weights: Floats) -> dict[str, Floats]:
        total, right, loss, distance = _sums(weights, per_row)
        truth, chosen, hit = ((membership @ weights.T).T for membership in (truth_of, choice_of, hit_of))
        present = truth > 0
        several = present.sum(axis=1) > 1
        ranked = [ranking.weigh(weights) for ranking in rankings]
        return {
            "auroc": _mean_where(np.column_stack([rank.auroc() for rank in ranked]), present[:, met], several),
            "average_precision": _mean_where(
                np.column_stack([rank.average_precision() for rank in ranked]), present[:, met], several
            ),
            "accuracy": _divide(right, total),
            "balanced_accuracy": _mean_where(_divide(hit, truth), present, several),
            "f1": _mean_where(_divide(2 * hit, truth + chosen), truth + chosen > 0, several),
            "log_loss": _divide(loss, total),
            "brier": _divide(distance, total),
            "expected_calibration_error": confidence.weigh(weights).calibration_error(),
        }

    return judge


def ordinal_judge(target: NDArray[Any], probabilities: NDArray[Any], labels: NDArray[Any], refer_from: int) -> Judge:
    """`grades.ordinal_scores` for many weightings."""
    target, labels = np.asarray(target, np.float64), np.asarray(labels, np.float64)
    whole = target.astype(np.int64)
    positive, above = grades.referable(whole, probabilities, refer_from)
    ranking, confidence = Ranking(positive == 1, above), Ranking(*scores.top_label(whole, probabilities))
    losses, ranked = scores.log_losses(whole, probabilities), grades.ranked_distances(whole, probabilities)
    of_kappa = grades.per_row(target, labels)
    rows = np.vstack([of_kappa, [target == labels, np.abs(target - labels), losses, ranked]])

    def judge(weights: Floats) -> dict[str, Floats]:
        sums = _sums(weights, rows)
        total, (right, away, loss, distance) = sums[0], sums[len(of_kappa) :]
        return {
            "quadratic_kappa": grades.kappa_of_sums(*sums[: len(of_kappa)]),
            "accuracy": _divide(right, total),
            "mae": _divide(away, total),
            "referable_auroc": ranking.weigh(weights).auroc(),
            "log_loss": _divide(loss, total),
            "ranked_probability_score": _divide(distance, total),
            "expected_calibration_error": confidence.weigh(weights).calibration_error(),
        }

    return judge


def regression_judge(target: NDArray[Any], values: NDArray[Any]) -> Judge:
    """`scores.regression_scores` for many weightings."""
    target = np.asarray(target, np.float64)
    centred = target - target.mean()  # keeps the variance of a number far from 0 exact
    error = np.asarray(values, np.float64) - target
    per_row = np.array([np.ones(len(target)), np.abs(error), np.square(error), centred, np.square(centred)])

    def judge(weights: Floats) -> dict[str, Floats]:
        total, absolute, squared, first, second = _sums(weights, per_row)
        spread = second - _divide(first * first, total)
        # Of equal targets only rounding is left of the spread.
        varies = spread > len(target) * np.finfo(np.float64).eps * second
        return {
            "rmse": np.sqrt(_divide(squared, total)),
            "mae": _divide(absolute, total),
            "r2": np.where(varies, 1 - _divide(squared, np.where(varies, spread, 1.0)), np.nan),
        }

    return judge


def _slow_judge(
    target: NDArray[Any],
    predictions: Predictions,
    objective: Objective,
    names: tuple[str, ...],
    weight: NDArray[Any] | None,
) -> Judge:
    def judge(counts: Floats) -> dict[str, Floats]:
        rows = [np.repeat(np.arange(len(target)), count.astype(np.int64)) for count in counts]
        found = [
            objective.scores(target[index], predictions.take(index), None if weight is None else weight[index])
            for index in rows
        ]
        return {name: np.array([each[name] for each in found], np.float64) for name in names}

    return judge


def _judge_of_stretches(
    target: NDArray[Any],
    predictions: Predictions,
    objective: Objective,
    names: tuple[str, ...],
    weight: NDArray[Any] | None,
    stretches: NDArray[np.int64],
) -> Judge:
    parts: list[tuple[NDArray[np.int64], NDArray[Any], Judge]] = []
    for number in np.unique(stretches):
        rows = np.flatnonzero(stretches == number)
        own = None if weight is None else np.asarray(weight)[rows]
        given = (target[rows], predictions.take(rows), objective, names, own)
        parts.append((rows, np.ones(len(rows)) if own is None else own, fast_judge(*given) or _slow_judge(*given)))

    def judge(counts: Floats) -> dict[str, Floats]:
        found = [each(counts[:, rows]) for rows, _, each in parts]
        return over_stretches(found, [np.einsum("bn,n->b", counts[:, rows], own) for rows, own, _ in parts])

    return judge


def over_stretches(found: Sequence[Mapping[str, Floats]], mass: Sequence[Floats]) -> dict[str, Floats]:
    """Mean of each score over stretches, by the weight of their rows; those in which it is not defined are left out.

    Args:
        found: of each stretch, score name -> (b,) values.
        mass: of each stretch, (b,) weight of its rows.
    """
    means = {}
    for name in found[0]:
        values = np.array([each[name] for each in found], np.float64)
        counted = np.where(np.isnan(values), 0.0, np.array(mass, np.float64))
        means[name] = _divide((np.nan_to_num(values) * counted).sum(axis=0), counted.sum(axis=0))
    return means


def _one_hot(index: NDArray[np.int64], classes: int, keep: NDArray[Any] | None = None) -> Any:
    """(classes, n) sparse: 1 where the row is of the class."""
    from scipy.sparse import csr_array

    ones = np.ones(len(index)) if keep is None else np.asarray(keep, np.float64)
    return csr_array((ones, (index, np.arange(len(index)))), shape=(classes, len(index)))


def _divide(above: Floats, below: Floats) -> Floats:
    return np.asarray(np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below > 0))


def _mean_where(values: Floats, counted: NDArray[np.bool_], defined: NDArray[np.bool_]) -> Floats:
    """(b,) mean over the counted classes, NaN where it is not defined."""
    return np.where(defined, _divide(np.where(counted, values, 0.0).sum(axis=1), counted.sum(axis=1)), np.nan)


def _sums(weights: Floats, per_row: Floats) -> Floats:
    """(k, b) weighted sums of the k rows of `per_row`; not by BLAS, whose own threads would fight with ours."""
    return np.stack([np.einsum("bn,n->b", weights, row) for row in per_row])
