"""LiRA, the likelihood ratio attack: who was learned from, told by somebody who trains models of their own.

The attack by loss (`membership`) calls a row learned from when the model knows it well; but some rows every model knows
well. Here shadow models are trained like the one under attack, each on half of the rows, so that every row was learned
from by half of them. Of each row it is then known how sure models are of it that had it, and how sure those are that
had not. Both are taken as normal, with one variance for all rows, which a few models tell better than a variance for
each, as the paper advises. The attack ranks rows by the ratio of the two likelihoods of what the model under attack
says. Whoever had to train before knowing whom to ask about has no models that had the row: `offline` ranks by how far
above that of models without it the confidence lies.

A shadow learns from fewer rows than the model under attack where that learned from more than half of both kinds, so the
attack is a little weaker than it could be.

Reference: Carlini, Chien, Nasr, Song, Terzis and Tramer (2022), "Membership inference attacks from first principles",
IEEE S&P, arXiv 2112.03570.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation import membership
from pipelines.evaluation.membership import LEAST
from pipelines.objectives.objective import Objective, Predictions
from pipelines.report.document import Estimate

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEAST_VARIANCE = 1e-12
"""Of confidences: models that all say the same of a row have none."""


def halves(
    rows: int, shadows: int, seed: int, labels: NDArray[np.int64] | None = None, ids: NDArray[np.generic] | None = None
) -> Bools:
    """(shadows, rows) which rows each shadow learns from; every row is learned from by half of the shadows.

    Shadows come in pairs, each of which learns from the half that the other leaves. A half has its share of every
    class, and whole ids.

    Args:
        shadows: how many, an even number.
        labels: (rows,) class of each row; None where there are none.
        ids: (rows,) whom the rows are about, where one person has several.
    """
    unit = np.arange(rows) if ids is None else np.unique(ids.astype(np.str_), return_inverse=True)[1]
    first = np.unique(unit, return_index=True)[1]
    strata = np.zeros(len(first)) if labels is None else labels[first]
    chance, found = np.random.default_rng(seed), np.zeros((shadows, rows), bool)
    for pair in range(0, shadows, 2):
        taken, order = np.zeros(len(first), bool), np.lexsort((chance.random(len(first)), strata))
        taken[order[chance.integers(2) :: 2]] = True
        found[pair], found[pair + 1] = taken[unit], ~taken[unit]
    return found


def confidences(objective: Objective, truth: NDArray[np.generic], predictions: Predictions) -> Floats | None:
    """(n,) how sure a model is of each row's truth, about normal from one model to another; None of what has no such.

    Of classes log p - log(1 - p) of the true one, where 1 - p is summed over the others and so keeps its digits near 0;
    of numbers the error, negated.

    Args:
        truth: (n,) as the objective encodes it.
    """
    if objective.kind == "classification":
        others = np.array(predictions.values, np.float64)
        true = (np.arange(len(truth)), truth.astype(np.int64))
        of_truth, others[true] = others[true], 0.0
        return np.asarray(np.log(np.clip(of_truth, LEAST, None)) - np.log(np.clip(others.sum(1), LEAST, None)))
    if objective.kind == "regression":
        return np.asarray(-np.abs(predictions.values - truth), np.float64)
    return None


def measured(
    attacked: Floats,
    shadows: Floats,
    inside: Bools,
    members: int,
    seed: int,
    ids: NDArray[np.generic] | None = None,
) -> Mapping[str, Estimate]:
    """`lira_auc`, `lira_tpr_at_1_percent_fpr` and the same of `lira_offline`, with intervals as `membership.measured`.

    Args:
        attacked: (n,) confidences of the model under attack; first the rows that it learned from, then the others.
        shadows: (shadows, n) those of each shadow.
        inside: (shadows, n) whether the shadow learned from the row.
        members: how many rows it learned from.
        seed: of the bootstrap of the rate.
        ids: (n,) whom the rows are about, where one person has several.
    """
    sides = (None, None) if ids is None else (ids[:members], ids[members:])
    found: dict[str, Estimate] = {}
    for name, score in zip(("lira", "lira_offline"), ratios(attacked, shadows, inside), strict=True):
        attack = membership.measured(-score[:members], -score[members:], seed, *sides)
        found |= {f"{name}_{measure}": estimate for measure, estimate in attack.items()}
    return found


def ratios(attacked: Floats, shadows: Floats, inside: Bools) -> tuple[Floats, Floats]:
    """Online and offline: (n,) how much speaks for the row's having been learned from, and for its having been not.

    Args: as `measured`.
    """
    had, had_not = (Normals.of(shadows, which) for which in (inside, ~inside))
    return had.log_density(attacked) - had_not.log_density(attacked), had_not.standardised(attacked)


@dataclass(frozen=True)
class Normals:
    """A normal distribution for each row, all of one variance."""

    mean: Floats
    variance: float

    @classmethod
    def of(cls, values: Floats, which: Bools) -> Normals:
        """Fitted to the values, of each row those that count.

        Args:
            values, which: (models, n); at least one counts of every row, and two of some.
        """
        count = which.sum(0)
        mean = np.where(which, values, 0.0).sum(0) / count
        squares = np.square(np.where(which, values - mean, 0.0)).sum()
        return cls(mean, max(float(squares / (count - 1).sum()), LEAST_VARIANCE))

    def log_density(self, values: Floats) -> Floats:
        """(n,) but for a constant that all normal distributions share."""
        return np.asarray(-np.square(values - self.mean) / (2 * self.variance) - np.log(self.variance) / 2)

    def standardised(self, values: Floats) -> Floats:
        """(n,) how many standard deviations above the mean."""
        return np.asarray((values - self.mean) / np.sqrt(self.variance))
