"""Membership: can an outsider tell by a model's answers who was among the rows that it learned from?

Whoever knows a row and its label sees how well the model knows it: rows that it learned from have smaller losses. The
attack ranks rows by their loss, and is measured on rows learned from against tested ones, of which the model knows
nothing. An AUC of 0.5 is guessing. What counts for a single person is the true positive rate where one accusation in a
hundred is false: an average hides those who are given away surely.

References: Yeom, Giacomelli, Fredrikson and Jha (2018), arXiv 1709.01604, for the attack; Carlini et al. (2022), arXiv
2112.03570, for the rate at few false positives.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation.delong import auroc_interval
from pipelines.evaluation.intervals import effective
from pipelines.objectives.objective import Objective, Predictions
from pipelines.report.document import Estimate

Floats = NDArray[np.float64]

MOST_ROWS = 10_000
"""Of a side: so many bound the AUC within 0.01."""

FALSE_RATE = 0.01
FEWEST_OTHERS = 100
"""Fewer rows cannot show a rate of one in a hundred."""

RESAMPLES = 2000
LEAST = 1e-12
"""Of a probability: below it a loss would be infinite."""


def measured(
    members: Floats,
    others: Floats,
    seed: int,
    member_ids: NDArray[np.generic] | None = None,
    other_ids: NDArray[np.generic] | None = None,
) -> Mapping[str, Estimate]:
    """`auc` and `tpr_at_1_percent_fpr` of the attack by loss, each with its 95 % interval.

    Args:
        members: (m,) losses of rows that the model learned from.
        others: (n,) losses of rows that it did not.
        seed: of the bootstrap of the rate.
        member_ids, other_ids: whom the rows are about, where one person has several; no person is on both sides.
    """
    if not len(members) or not len(others):
        return {}
    truth = np.repeat([1, 0], [len(members), len(others)])
    clusters = None if member_ids is None or other_ids is None else np.concatenate([member_ids, other_ids]).astype(str)
    auc = auroc_interval(truth, -np.concatenate([members, others]), clusters=clusters)
    return {"auc": auc, "tpr_at_1_percent_fpr": _rate(-members, -others, seed, member_ids, other_ids)}


def losses(objective: Objective, truth: NDArray[np.generic], predictions: Predictions) -> Floats | None:
    """(n,) cross-entropy in nats, or squared error; None of what has neither.

    Args:
        truth: (n,) as the objective encodes it.
    """
    if objective.kind == "classification":
        of_truth = predictions.values[np.arange(len(truth)), truth.astype(np.int64)]
        return np.asarray(-np.log(np.clip(of_truth, LEAST, None)), np.float64)
    if objective.kind == "regression":
        return np.asarray(np.square(predictions.values - truth), np.float64)
    return None


def worst(measures: Mapping[str, Estimate]) -> Estimate:
    """The AUC of the attack that tells most, of those that were measured; NaN where none was."""
    found = [each for name, each in measures.items() if name == "auc" or name.endswith("_auc")]
    return max(found, key=lambda each: each.value, default=Estimate(math.nan))


def some(rows: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """The rows, or `MOST_ROWS` of them by chance."""
    if len(rows) <= MOST_ROWS:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, MOST_ROWS, replace=False))


def _rate(
    members: Floats,
    others: Floats,
    seed: int,
    member_ids: NDArray[np.generic] | None = None,
    other_ids: NDArray[np.generic] | None = None,
) -> Estimate:
    """The share of members that score above all but one in a hundred of the others.

    Its interval is of both sides, drawn at once: of n others drawn again, the one with k above it has a rank of
    Beta(k + 1, n - k); and the share of members above that one is drawn from what Jeffreys' prior makes of their count,
    which leaves room where none was found. Rows of one person count for as many as would show the share as surely.
    """
    m, n = len(members), len(others)
    if n < FEWEST_OTHERS:
        return Estimate(math.nan)
    ranked, falling, allowed = np.sort(members), -np.sort(-others), int(FALSE_RATE * n)
    bar = falling[allowed]
    of_members, of_others = _worth(members > bar, member_ids), _worth(others > bar, other_ids)
    chance = np.random.default_rng(seed)
    ranks = (chance.beta(allowed * of_others + 1, (n - allowed) * of_others, RESAMPLES) * n).astype(np.int64)
    bars = falling[np.append(np.minimum(ranks, n - 1), allowed)]
    above = m - np.searchsorted(ranked, bars, side="right")
    shares = chance.beta(above[:-1] * of_members + 0.5, (m - above[:-1]) * of_members + 0.5)
    value, (low, high) = above[-1] / m, np.quantile(shares, (0.025, 0.975))
    return Estimate(float(value), float(min(low, value)), float(max(high, value)))


def _worth(hits: NDArray[np.bool_], ids: NDArray[np.generic] | None) -> float:
    """How many independent rows one of these is worth; 1 where each is somebody else's."""
    return 1.0 if ids is None else effective(hits, clusters=ids)[1] / len(hits)
