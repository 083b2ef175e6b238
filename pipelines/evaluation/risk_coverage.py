"""Risk and coverage: how often the surest decisions are wrong, for every share of them that is kept.

References: El-Yaniv and Wiener (2010), Journal of Machine Learning Research 11, for the curve; Geifman, Uziel and
El-Yaniv (2019), arXiv 1805.08206, for the area under it and its excess; Traub et al. (2024), arXiv 2407.01032, for the
generalised one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation.intervals import mean, proportion
from pipelines.evaluation.outcome import Outcome
from pipelines.report.document import Estimate
from pipelines.report.oversight import Risk

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

COVERAGES = tuple(place / 20 for place in range(1, 21))
"""Shares of the decisions at which the curve is told."""


def curve(outcome: Outcome, wrong: Flags, confidence: Floats) -> tuple[Risk, ...]:
    """The share of wrong decisions among the surest, by the share that is kept; of each fold its own surest.

    Args:
        wrong, confidence: (n,) of the outcome's decisions. Those of the same confidence are kept together, so that
            more may be kept than a point says.
    """
    weight, clusters = outcome.weight, outcome.clusters
    share = np.concatenate([_kept_before(confidence[rows], _weights(outcome)[rows]) for rows in _rounds(outcome)])
    found = []
    for coverage in COVERAGES:
        kept = share < coverage - 1e-9
        among = (None if each is None else each[kept] for each in (weight, clusters))
        found.append(Risk(coverage, proportion(wrong[kept], *among)))
    return tuple(found)


def areas(outcome: Outcome, wrong: Flags, confidence: Floats) -> dict[str, Estimate]:
    """What all coverages together say of the order of the decisions; less is better.

    Returns:
        `aurc`, the mean risk over all coverages; `excess_aurc`, how much of that would be gone if every wrong decision
        were less sure than every right one; `augrc`, the mean over all coverages of the share of all rows that is
        decided wrongly without a person. Means over folds and trainings, by their rows. Intervals by how each row moves
        the value, rows of one unit together.
    """
    weights, whole = _weights(outcome), float(_weights(outcome).sum())
    parts = [_areas(wrong[rows], confidence[rows], weights[rows]) for rows in _rounds(outcome)]
    if not whole > 0:
        return {name: Estimate(math.nan) for name in parts[0]}
    found = {name: mean(np.concatenate([part[name] for part in parts]), outcome.weight, outcome.clusters)
             for name in parts[0]}  # fmt: skip
    return {
        name: Estimate(each.value, float(np.maximum(each.low, 0.0)), float(np.minimum(each.high, 1.0)))
        for name, each in found.items()
    }


def _areas(wrong: Flags, confidence: Floats, weight: Floats) -> dict[str, Floats]:
    """(n,) area -> values of the rows whose weighted mean is the area and whose spread is that of its estimate.

    A row moves the area by its own risk and by the risks at all coverages that it is kept at.
    """
    order, whole = np.argsort(-confidence, kind="stable"), float(weight.sum())
    w, hit, sure = weight[order], wrong[order].astype(np.float64), confidence[order]
    if not whole > 0:
        return {name: np.zeros(len(w)) for name in ("aurc", "excess_aurc", "augrc")}
    last = _last_of_ties(sure)
    kept, lost = np.cumsum(w)[last], np.cumsum(w * hit)[last]
    risk = np.divide(lost, kept, out=np.zeros(len(w)), where=kept > 0)
    error = float(w @ hit) / whole
    # Of a row: the sum over the rows that are as sure or less, at whose coverages it is kept.
    first = _first_of_ties(sure)
    per_kept = np.divide(w, kept, out=np.zeros(len(w)), where=kept > 0)
    after, of_risk = (_tail_sums(values)[first] for values in (per_kept, per_kept * risk))
    left = _tail_sums(w)[first] / whole
    general = lost / whole
    found = {
        "aurc": risk + hit * after - of_risk,
        "augrc": general + hit * left - float(w @ general) / whole,
    }
    found["excess_aurc"] = found["aurc"] - _ideal(error, hit)
    back = np.argsort(order, kind="stable")
    return {name: found[name][back] for name in ("aurc", "excess_aurc", "augrc")}


def _ideal(error: float, hit: Floats) -> Floats:
    """(n,) the area with every wrong decision last, e + (1 - e) ln(1 - e) at an error e, and how rows move it."""
    if error >= 1:
        return np.ones(len(hit))
    return np.asarray(error + (1 - error) * math.log1p(-error) - math.log1p(-error) * (hit - error))


def _kept_before(confidence: Floats, weight: Floats) -> Floats:
    """(n,) share of the rows, by weight, that are surer than each."""
    order = np.argsort(-confidence, kind="stable")
    before = np.concatenate([[0.0], np.cumsum(weight[order])])[_first_of_ties(confidence[order])]
    share = np.empty(len(order))
    share[order] = before / max(float(weight.sum()), 1e-300)
    return share


def _first_of_ties(falling: Floats) -> NDArray[np.int64]:
    """(n,) place of the first of the values that are the same as each."""
    return np.asarray(np.searchsorted(-falling, -falling, side="left"))


def _last_of_ties(falling: Floats) -> NDArray[np.int64]:
    return np.asarray(np.searchsorted(-falling, -falling, side="right") - 1)


def _tail_sums(values: Floats) -> Floats:
    """(n,) sum of each value and all after it."""
    return np.asarray(np.cumsum(values[::-1])[::-1])


def _weights(outcome: Outcome) -> Floats:
    return np.ones(len(outcome)) if outcome.weight is None else outcome.weight


def _rounds(outcome: Outcome) -> Iterator[NDArray[np.int64]]:
    return (np.arange(part.start, part.stop) for part in outcome.rounds)
