"""Bias: how one contender treats each group, and how far apart the groups are.

The table is counted here rather than by fairlearn, with which it agrees wherever both are defined: fairlearn gives
a group without positives a true positive rate of 0, which then drives the gap; here it is undefined. Gaps come from
the table alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import groupby, permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation.delong import auroc_interval
from pipelines.evaluation.intervals import bootstrap, mean, proportion, two_classes
from pipelines.evaluation.outcome import Outcome
from pipelines.objectives.objective import Objective, Predictions
from pipelines.report.document import Estimate, Gap, GroupRow

Array = NDArray[Any]

UNKNOWN = "unknown"
"""The group of rows whose attribute is not known: in the table, never in a gap."""

SMALLEST_GROUP = 10
"""Groups of fewer rows are in the table, with their n, but in no gap: chance alone would make it wide."""

GENERIC_RESAMPLES = 200
"""Bootstrap resamples of a group where the objective's scores have no faster form."""


@dataclass(frozen=True)
class Members:
    """The tested rows of one group; repeated cross-validation holds several copies of each."""

    target: Array
    predictions: Predictions
    weight: Array | None
    clusters: Array | None
    folds: Array

    def share(self, hits: Array, among: Array | None = None) -> Estimate:
        """Share of hits among the rows that count."""
        counted = np.ones(len(hits), bool) if among is None else among
        return proportion(hits[counted], _of(self.weight, counted), _of(self.clusters, counted))

    def mean(self, values: Array) -> Estimate:
        """Mean of a value over the rows."""
        return mean(values, self.weight, self.clusters)


def group_table(outcome: Outcome, objective: Objective) -> tuple[GroupRow, ...]:
    """How one contender treats each group of each sensitive attribute.

    Two classes: `selection_rate` (share decided positive), `tpr`, `fpr`, `ppv` (share of true positives among the
    rows decided positive), `auroc` (of pairs within a fold), `calibration` (observed rate minus mean predicted
    probability: above 0 the group's risk is underestimated). Several classes: `accuracy`. Numbers: `rmse`, `mae`,
    `mean_error` (prediction minus target). Any other objective: its primary score.

    A metric over no row is NaN. Intervals: Wilson for proportions, DeLong for the AUROC, Student for means; weighted
    rows, repeated rows and rows of one id count for as many independent ones as have the same variance, which needs
    no resampling and does not collapse at a rate of 0 or 1 as the cluster bootstrap does.

    Returns:
        One row a group, the groups of an attribute in alphabetical order and "unknown" last. `n` and `n_positive`
        count rows of the data, not copies or weights; `n_positive` is 0 where there is no positive class.
    """
    return tuple(
        _row(outcome, objective, attribute, group, index)
        for attribute, values in outcome.groups.items()
        for group, index in _groups(values)
    )


def gaps(rows: Iterable[GroupRow]) -> tuple[Gap, ...]:
    """How far apart the groups of each attribute are, from the table of `group_table`.

    Two classes: `demographic_parity` (selection rate), `disparate_impact` (the ratio of selection rates;
    its difference is 1 - ratio, so the four-fifths rule is a difference of at most 0.2), `equal_opportunity` (TPR),
    `equalized_odds` (the larger of the TPR and FPR gaps, the smaller of their ratios). Several classes: `accuracy`.
    Numbers: `mae`, `mean_error`. Any other objective: its primary score.

    Groups that are unknown, have fewer than `SMALLEST_GROUP` rows or for which the metric is undefined are left out;
    with fewer than two groups left a gap is NaN.

    The largest of many differences is above 0 by chance alone: with two groups of 30 positives and one true TPR the
    median observed gap is 0.07. So the interval holds for all pairs of groups at once (Tukey and Kramer's factor), and
    `low` is 0 unless some pair differs beyond chance. Ends of differences and ratios are put together from the
    groups' own intervals: Newcombe (1998), Statistics in Medicine 17(8), method 10; Donner and Zou (2012),
    Statistical Methods in Medical Research 21(4).
    """
    found: list[Gap] = []
    for attribute, members in groupby(rows, key=lambda row: row.attribute):
        table = list(members)
        eligible = [row for row in table if row.group != UNKNOWN and row.n >= SMALLEST_GROUP]
        found.extend(_gaps_of(attribute, tuple(table[0].metrics), eligible))
    return tuple(found)


def _row(outcome: Outcome, objective: Objective, attribute: str, group: str, index: NDArray[np.int64]) -> GroupRow:
    members = Members(
        outcome.target[index],
        outcome.predictions.take(index),
        _of(outcome.weight, index),
        _of(outcome.clusters, index),
        outcome.folds[index],
    )
    n, n_positive = len(np.unique(outcome.rows[index])), 0
    if two_classes(members.predictions, objective):
        n_positive = len(np.unique(outcome.rows[index][members.target == 1]))
        metrics = _binary(members)
    elif objective.kind == "classification":
        metrics = {"accuracy": members.share(members.predictions.labels() == members.target)}
    elif objective.kind == "regression":
        metrics = _regression(members)
    else:
        weights = (members.weight, members.clusters)
        scores = bootstrap(members.target, members.predictions, objective, *weights, resamples=GENERIC_RESAMPLES)
        metrics = {objective.primary: scores[objective.primary]}
    return GroupRow(attribute, group, n, n_positive, metrics)


def _groups(values: Array) -> list[tuple[str, NDArray[np.int64]]]:
    """(group, its rows), in alphabetical order, the unknown last."""
    names = np.array([UNKNOWN if value is None else str(value) for value in values], dtype=np.str_)
    distinct, code = np.unique(names, return_inverse=True)
    found = [(str(name), np.flatnonzero(code == index)) for index, name in enumerate(distinct)]
    return sorted(found, key=lambda group: (group[0] == UNKNOWN, group[0]))


def _binary(members: Members) -> dict[str, Estimate]:
    positive, decided = members.target == 1, members.predictions.labels() == 1
    probability = members.predictions.values[:, 1]
    return {
        "selection_rate": members.share(decided),
        "tpr": members.share(decided, among=positive),
        "fpr": members.share(decided, among=~positive),
        "ppv": members.share(positive, among=decided),
        "auroc": auroc_interval(members.target, probability, members.weight, members.clusters, members.folds),
        "calibration": members.mean(positive - probability),
    }


def _regression(members: Members) -> dict[str, Estimate]:
    error = members.predictions.values - members.target
    squared = members.mean(np.square(error))
    roots = np.sqrt(np.maximum([squared.value, squared.low, squared.high], 0.0))
    absolute = members.mean(np.abs(error))
    return {
        "rmse": Estimate(*roots.tolist()),
        "mae": Estimate(absolute.value, max(absolute.low, 0.0), absolute.high),
        "mean_error": members.mean(error),
    }


def _of(values: Array | None, index: Array) -> Array | None:
    return None if values is None else values[index]


@dataclass(frozen=True)
class _Apart:
    """How far apart the groups are in one metric."""

    difference: float = math.nan
    low: float = math.nan
    high: float = math.nan
    ratio: float = math.nan
    groups: tuple[str, str] = ("", "")


def _gaps_of(attribute: str, metrics: tuple[str, ...], rows: list[GroupRow]) -> list[Gap]:
    if "selection_rate" not in metrics:
        names = ("mae", "mean_error") if "mean_error" in metrics else metrics
        return [_gap(attribute, name, _apart(rows, name)) for name in names]
    selected, recalled = _apart(rows, "selection_rate"), _apart(rows, "tpr")
    # Two families of pairs share one error rate of 5 %.
    both = [_apart(rows, name, level=0.025) for name in ("tpr", "fpr")]
    return [
        _gap(attribute, "demographic_parity", selected),
        _impact(attribute, rows, selected),
        _gap(attribute, "equal_opportunity", recalled),
        _gap(attribute, "equalized_odds", _larger(*both)),
    ]


def _gap(attribute: str, metric: str, apart: _Apart) -> Gap:
    signed = metric == "mean_error"  # a ratio of signed numbers says nothing
    ratio = math.nan if signed else apart.ratio
    return Gap(attribute, metric, apart.difference, ratio, apart.low, apart.high, apart.groups)


def _apart(rows: list[GroupRow], metric: str, level: float = 0.05) -> _Apart:
    """The largest difference between two groups, with the bounds that hold for the largest true one."""
    known = [row for row in rows if not math.isnan(row.metrics[metric].value)]
    if len(known) < 2:
        return _Apart()
    lowest, *_, highest = sorted(known, key=lambda row: row.metrics[metric].value)
    smallest, largest = lowest.metrics[metric].value, highest.metrics[metric].value
    bounds = [
        _difference_bounds(low.metrics[metric], high.metrics[metric], _widening(len(known), level))
        for low, high in permutations(known, 2)
    ]
    return _Apart(
        difference=largest - smallest,
        low=float(np.max([0.0, *(low for low, _ in bounds)])),  # unlike max(), it hands a NaN on
        high=float(np.max([high for _, high in bounds])),
        ratio=smallest / largest if largest > 0 else math.nan,
        groups=(lowest.group, highest.group),
    )


def _larger(first: _Apart, second: _Apart) -> _Apart:
    """The wider of two gaps; undefined where either is, because then it is not known which is wider."""
    if math.isnan(first.difference) or math.isnan(second.difference):
        return _Apart()
    wider = max(first, second, key=lambda apart: apart.difference)
    ratios = [apart.ratio for apart in (first, second) if not math.isnan(apart.ratio)]
    return _Apart(
        wider.difference,
        float(np.maximum(first.low, second.low)),
        float(np.maximum(first.high, second.high)),
        min(ratios, default=math.nan),
        wider.groups,
    )


def _impact(attribute: str, rows: list[GroupRow], selected: _Apart) -> Gap:
    """Disparate impact: what the least selected group's rate lacks to the most selected group's."""
    rates = [row.metrics["selection_rate"] for row in rows]
    known = [rate for rate in rates if not math.isnan(rate.value)]
    pairs = [_ratio_bounds(low, high, _widening(len(known), 0.05)) for low, high in permutations(known, 2)]
    defined = not math.isnan(selected.ratio)
    low = max(0.0, 1 - min(high for _, high in pairs)) if defined else math.nan
    high = min(1.0, 1 - min(low for low, _ in pairs)) if defined else math.nan
    return Gap(attribute, "disparate_impact", 1 - selected.ratio, selected.ratio, low, high, selected.groups)


def _difference_bounds(low: Estimate, high: Estimate, widening: float) -> tuple[float, float]:
    """Bounds of high - low from the two groups' own intervals (Newcombe's method 10)."""
    difference = high.value - low.value
    below = math.hypot(high.value - high.low, low.high - low.value)
    above = math.hypot(high.high - high.value, low.value - low.low)
    return difference - widening * below, difference + widening * above


def _ratio_bounds(low: Estimate, high: Estimate, widening: float) -> tuple[float, float]:
    """Bounds of low / high, two rates, from the two groups' own intervals (Donner and Zou 2012)."""
    (low_down, low_up), (high_down, high_up) = (
        (
            max(0.0, rate.value - widening * (rate.value - rate.low)),
            min(1.0, rate.value + widening * (rate.high - rate.value)),
        )
        for rate in (low, high)
    )
    product = low.value * high.value

    def bound(ours: float, theirs: float, sign: int) -> float:
        under = product**2 - ours * (2 * low.value - ours) * theirs * (2 * high.value - theirs)
        below = theirs * (2 * high.value - theirs)
        return (product + sign * math.sqrt(max(under, 0.0))) / below if below > 0 else math.inf

    return max(0.0, bound(low_down, high_up, -1)), bound(low_up, high_down, +1)


@cache
def _widening(groups: int, level: float) -> float:
    """How much wider than its own 95 % interval a group's must be for all pairs to hold at once."""
    from scipy.stats import norm, studentized_range

    critical = (
        norm.ppf(1 - level / 2) if groups == 2 else studentized_range.ppf(1 - level, groups, np.inf) / math.sqrt(2)
    )
    return float(critical / norm.ppf(0.975))
