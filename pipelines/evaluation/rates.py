"""Rates: what is measured of one group of rows, how many rows each metric rests on, and how its rows move it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation.delong import auroc_interval, folded_influence
from pipelines.evaluation.grades import kappa_terms
from pipelines.evaluation.intervals import bootstrap, mean, proportion, two_classes
from pipelines.evaluation.outcome import Outcome
from pipelines.objectives.objective import Objective, Predictions
from pipelines.report.document import Estimate

Array = NDArray[Any]
Floats = NDArray[np.float64]

GENERIC_RESAMPLES = 200
"""Bootstrap resamples of a group where the objective's scores have no faster form."""


@dataclass(frozen=True)
class Measure:
    """One metric of one group.

    Args:
        n: how many rows of the data it rests on: of a rate those that it is a share of, of the AUROC those of the
            smaller class.
        freedom: degrees of freedom behind its interval; infinite where it is the normal distribution's.
        moves: how much each row of the group moves the value (its linearised influence), where that was asked for.
    """

    estimate: Estimate
    n: int
    freedom: float = math.inf
    moves: Floats | None = None


@dataclass(frozen=True)
class Members:
    """The tested rows of one group; repeated cross-validation holds several copies of each.

    Args:
        clusters, rows: (m,) number of each row's unit, and of the row itself, counted from 0 within the group.
        joint: whether another group has rows of the same units, so that it matters how rows move a value.
    """

    target: Array
    predictions: Predictions
    weight: Array | None
    clusters: Array | None
    folds: Array
    rows: Array
    joint: bool

    @classmethod
    def of(cls, outcome: Outcome, index: NDArray[np.int64], joint: bool) -> Members:
        """The members of a group, by their places among the tested rows."""
        clusters, rows = _of(outcome.clusters, index), np.arange(len(index))
        if clusters is not None:
            clusters, rows = (np.unique(each, return_inverse=True)[1] for each in (clusters, outcome.rows[index]))
        return cls(
            outcome.target[index], outcome.predictions.take(index), _of(outcome.weight, index), clusters,
            outcome.folds[index], rows, joint,
        )  # fmt: skip

    def share(self, hits: Array, among: Array | None = None) -> Measure:
        """Share of hits among the rows that count."""
        counted = np.ones(len(hits), bool) if among is None else among
        weight, clusters = _of(self.weight, counted), _of(self.clusters, counted)
        estimate = proportion(hits[counted], weight, clusters)
        plain = weight is None and clusters is None
        moves = self._moves(np.asarray(hits, np.float64), counted, estimate.value)
        return Measure(estimate, self.distinct(counted), math.inf if plain else self._freedom(counted), moves)

    def mean(self, values: Array) -> Measure:
        """Mean of a value over the rows."""
        counted = np.ones(len(values), bool)
        estimate = mean(values, self.weight, self.clusters)
        moves = self._moves(np.asarray(values, np.float64), counted, estimate.value)
        return Measure(estimate, self.distinct(counted), self._freedom(counted), moves)

    def auroc(self, probability: Array) -> Measure:
        """The AUROC, of pairs within a fold."""
        estimate = auroc_interval(self.target, probability, self.weight, self.clusters, self.folds)
        moves = folded_influence(self.target, probability, self.folds, self.weight)[1] if self.joint else None
        positive = self.target == 1
        n = min(self.distinct(positive), self.distinct(~positive))
        freedom = math.inf if self.clusters is None else self._freedom(np.ones(len(positive), bool))
        return Measure(estimate, n, freedom, moves)

    def distinct(self, counted: Array) -> int:
        """How many rows of the data these are, copies aside."""
        return int(np.count_nonzero(np.bincount(self.rows[counted])))

    def _freedom(self, counted: Array) -> float:
        if self.weight is not None:
            counted = counted & (self.weight > 0)
        units = int(np.count_nonzero(counted if self.clusters is None else np.bincount(self.clusters[counted])))
        return float(max(units - 1, 1))

    def _moves(self, values: Floats, counted: Array, centre: float) -> Floats | None:
        if not self.joint:
            return None
        weights = counted * (1.0 if self.weight is None else self.weight)
        total = weights.sum()
        return weights * (values - centre) / total if total > 0 else np.full(len(values), np.nan)


def measured(members: Members, objective: Objective) -> dict[str, Measure]:
    """Every metric of a group, by its name: those that `bias.group_table` explains."""
    if two_classes(members.predictions, objective):
        return _binary(members)
    if getattr(objective, "ordered", False):
        return _ordinal(members)
    if objective.kind == "classification":
        return {"accuracy": members.share(members.predictions.labels() == members.target)}
    if objective.kind == "regression":
        return _regression(members)
    weights = (members.weight, members.clusters)
    scores = bootstrap(members.target, members.predictions, objective, *weights, resamples=GENERIC_RESAMPLES)
    return {objective.primary: Measure(scores[objective.primary], members.distinct(np.ones(len(members.target), bool)))}


def benefit(members: Members) -> NDArray[np.int64]:
    """(m,) what each row gets out of its decision: 2 for a false alarm, 1 for a right decision, 0 for a miss.

    Reference: Speicher et al. (2018), A Unified Approach to Quantifying Algorithmic Unfairness, KDD: decision minus
    truth plus 1.
    """
    decided = (members.predictions.labels() == 1).astype(np.int64)
    return np.asarray(decided - (members.target == 1) + 1)


def _binary(members: Members) -> dict[str, Measure]:
    positive, decided = members.target == 1, members.predictions.labels() == 1
    probability = members.predictions.values[:, 1]
    return {
        "selection_rate": members.share(decided),
        "tpr": members.share(decided, among=positive),
        "fpr": members.share(decided, among=~positive),
        "ppv": members.share(positive, among=decided),
        "auroc": members.auroc(probability),
        "calibration": members.mean(positive - probability),
        "benefit": members.mean(benefit(members)),
    }


def _ordinal(members: Members) -> dict[str, Measure]:
    decided = members.predictions.labels()
    error, kappa = decided - members.target, members.mean(kappa_terms(members.target, decided, members.weight))
    return {
        "quadratic_kappa": replace(kappa, estimate=_within(kappa.estimate, -1.0, 1.0)),
        "accuracy": members.share(error == 0),
        "mae": _size(members, error),
        "mean_error": members.mean(error),
        "mean_prediction": members.mean(decided),
    }


def _size(members: Members, error: Array) -> Measure:
    found = members.mean(np.abs(error))
    return replace(found, estimate=_within(found.estimate, 0.0, math.inf))


def _within(estimate: Estimate, lowest: float, highest: float) -> Estimate:
    low, high = np.clip([estimate.low, estimate.high], lowest, highest)
    return Estimate(estimate.value, float(low), float(high))


def _regression(members: Members) -> dict[str, Measure]:
    said = members.predictions.values
    error = said - members.target
    squared = members.mean(np.square(error))
    ends = (squared.estimate.value, squared.estimate.low, squared.estimate.high)
    root = Estimate(*np.sqrt(np.maximum(ends, 0.0)).tolist())
    return {
        # A square root moves as its square does, to first order.
        "rmse": Measure(root, squared.n, squared.freedom, squared.moves),
        "mae": _size(members, error),
        "mean_error": members.mean(error),
        "mean_prediction": members.mean(said),
    }


def _of(values: Array | None, index: Array) -> Array | None:
    return None if values is None else values[index]
