"""Bias: how one contender treats each group, and each group of two attributes, and how far apart the groups are.

The table is counted here rather than by fairlearn, with which it agrees wherever both are defined: fairlearn gives
a group without positives a true positive rate of 0, which then drives the gap; here it is undefined. Gaps come from
the table alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation import apart, theil
from pipelines.evaluation.apart import Apart, Sides
from pipelines.evaluation.comparison import holm
from pipelines.evaluation.groups import UNKNOWN, Grouping, groupings
from pipelines.evaluation.outcome import Outcome
from pipelines.evaluation.rates import Measure, Members, benefit, measured
from pipelines.objectives.objective import Objective
from pipelines.report.document import Gap, GroupRow

Floats = NDArray[np.float64]

SMALLEST_GROUP = 10
"""A metric that rests on fewer rows is in the table, marked, but in no gap: chance alone would make it wide."""

WIDEST = {
    **dict.fromkeys(("demographic_parity", "equal_opportunity", "equalized_odds", "predictive_parity"), 1.0),
    **dict.fromkeys(("auroc_parity", "accuracy"), 1.0),
    "calibration_gap": 2.0,
    "quadratic_kappa": 2.0,
}
"""How far apart two groups can be at all: an interval of a gap ends there."""


@dataclass(frozen=True)
class Treatment:
    """How one contender treats the groups of one attribute, or of two crossed.

    Args:
        rows: one a group.
        measures: each row's metrics, with what their gaps need besides.
        correlation: metric -> (groups, groups) correlation of the groups' values, where units lie in several groups.
        benefits: (groups, 3) weight of the rows with benefit 0, 1 and 2 (`rates.benefit`); empty but for two classes.
    """

    attribute: str
    intersection: bool
    rows: tuple[GroupRow, ...]
    measures: tuple[Mapping[str, Measure], ...]
    correlation: Mapping[str, Floats]
    benefits: Floats

    def eligible(self, metric: str) -> list[int]:
        """The places of the groups that can be compared by a metric."""
        return [
            place
            for place, row in enumerate(self.rows)
            if row.group != UNKNOWN and metric not in row.small and not math.isnan(row.metrics[metric].value)
        ]

    def sides(self, metric: str) -> Sides:
        """These groups, with what their gaps need."""
        kept = self.eligible(metric)
        chosen, correlation = [self.measures[place][metric] for place in kept], self.correlation.get(metric)
        return Sides(
            names=tuple(self.rows[place].group for place in kept),
            n=tuple(each.n for each in chosen),
            value=np.array([each.estimate.value for each in chosen]),
            low=np.array([each.estimate.low for each in chosen]),
            high=np.array([each.estimate.high for each in chosen]),
            freedom=np.array([each.freedom for each in chosen]),
            correlation=None if correlation is None else correlation[np.ix_(kept, kept)],
        )


@dataclass(frozen=True)
class GroupTable:
    """How one contender treats each group of each attribute, and of each two attributes together."""

    treatments: tuple[Treatment, ...]

    @property
    def rows(self) -> tuple[GroupRow, ...]:
        """One row a group: of each attribute, then of each two; in the order of `Grouping`."""
        return tuple(row for each in self.treatments for row in each.rows)


def group_table(outcome: Outcome, objective: Objective) -> GroupTable:
    """How one contender treats each group of each sensitive attribute, and of each two of them crossed.

    Two classes: `selection_rate` (share decided positive), `tpr`, `fpr`, `ppv` (share of true positives among the
    rows decided positive), `auroc` (of pairs within a fold), `calibration` (observed rate minus mean predicted
    probability: above 0 the group's risk is underestimated), `benefit` (mean of decision - truth + 1, behind the
    Theil index). Several classes: `accuracy`; of grades also `quadratic_kappa`, and what numbers have but `rmse`.
    Numbers: `rmse`, `mae`, `mean_error` (prediction minus target), `mean_prediction`. Any other objective: its primary
    score. A group's expected calibration error is not among them: over a few hundred rows it is mostly noise, always
    upwards, which no resampling of these rows tells apart.

    A metric over no row is NaN. Intervals: Wilson for proportions, DeLong for the AUROC, Student for means; weighted
    rows, repeated rows and rows of one id count for as many independent ones as have the same variance, which needs
    no resampling and does not collapse at a rate of 0 or 1 as the cluster bootstrap does.

    They say what these trained models would do to other rows of the kind; what models from other seeds or folds would
    do is not in them, unlike in the intervals of scores. So of three trainings between which a TPR gap of .15 has a
    standard deviation of .08 they hold the mean gap in 50 of 100 sets of 2000 rows, and of .03 in 83
    (`benchmarks.coverage`).

    Returns:
        `n` and `n_positive` count rows of the data, not copies or weights; `n_positive` is 0 where there is no
        positive class. `small` names the metrics that rest on fewer than `SMALLEST_GROUP` rows.
    """
    return GroupTable(tuple(_treatment(outcome, objective, each) for each in groupings(outcome.groups)))


def gaps(table: GroupTable) -> tuple[Gap, ...]:
    """How far apart the groups of each attribute are, and of each two attributes crossed.

    Two classes: `demographic_parity` (selection rate), `disparate_impact` (the ratio of selection rates;
    its difference is 1 - ratio, so the four-fifths rule is a difference of at most 0.2), `equal_opportunity` (TPR),
    `equalized_odds` (the larger of the TPR and FPR gaps, the smaller of their ratios), `predictive_parity` (PPV),
    `auroc_parity`, `calibration_gap`, `theil_index` (the part between groups; its ratio is that part's share of the
    whole index). Several classes: `accuracy`. Numbers: `mae`, `rmse`, `mean_error`, `mean_prediction`. Grades:
    `quadratic_kappa`, `mae`, `accuracy`, `mean_error` and `mean_prediction`, of the grades decided on. Any other
    objective: its primary score.

    Groups that are unknown, have fewer than `SMALLEST_GROUP` rows, or rows for the metric (positives of a TPR), or for
    which it is undefined are left out; with fewer than two groups left a gap is NaN. `n` counts those rows.

    The largest of many differences is above 0 by chance alone: with two groups of 30 positives and one true TPR the
    median observed gap is 0.07. So the interval holds for all pairs of groups at once, and `low` is 0 unless some pair
    differs beyond chance (`apart.largest`). `p_value` is the level at which that interval just excludes 0, and corrects
    for all gaps of the contender besides (Holm), disparate impact counting with demographic parity, whose null
    hypothesis it shares; of the Theil index it is the chance of as much where all groups' mean benefits are equal.
    """
    return _corrected([gap for treatment in table.treatments for gap in _gaps_of(treatment)])


def _treatment(outcome: Outcome, objective: Objective, grouping: Grouping) -> Treatment:
    indices = grouping.members()
    clusters = _shared(outcome, grouping)
    members = [Members.of(outcome, index, joint=clusters is not None) for index in indices]
    measures = tuple(measured(each, objective) for each in members)
    two = "selection_rate" in measures[0]
    rows = tuple(
        _row(grouping, name, each, found, two)
        for name, each, found in zip(grouping.names, members, measures, strict=True)
    )
    correlation = {}
    if clusters is not None:
        moves = _moves(indices, measures)
        correlation = {
            name: apart.correlation(each, grouping.code, clusters, len(rows)) for name, each in moves.items()
        }
    benefits = np.array([_benefits(each) for each in members]) if two else np.zeros((0, 3))
    return Treatment(grouping.attribute, grouping.intersection, rows, measures, correlation, benefits)


def _shared(outcome: Outcome, grouping: Grouping) -> NDArray[np.int64] | None:
    """The unit of each row, where some units have rows in several groups."""
    if outcome.clusters is None:
        return None
    met = np.sort(outcome.clusters * len(grouping.names) + grouping.code)
    return outcome.clusters if np.count_nonzero(np.diff(met)) + 1 > outcome.units else None


def _moves(indices: Sequence[NDArray[np.int64]], measures: Sequence[Mapping[str, Measure]]) -> dict[str, Floats]:
    """Metric -> (n,) how much each row moves the value of its group, of the metrics that tell."""
    found = {}
    for metric in measures[0]:
        moves = [each[metric].moves for each in measures]
        known = [each for each in moves if each is not None]
        if len(known) == len(moves):
            found[metric] = np.concatenate(known)[np.argsort(np.concatenate(indices))]
    return found


def _row(grouping: Grouping, name: str, members: Members, measures: Mapping[str, Measure], two: bool) -> GroupRow:
    everything = np.ones(len(members.target), bool)
    return GroupRow(
        grouping.attribute,
        name,
        n=members.distinct(everything),
        n_positive=members.distinct(members.target == 1) if two else 0,
        metrics={metric: found.estimate for metric, found in measures.items()},
        small=tuple(metric for metric, found in measures.items() if found.n < SMALLEST_GROUP),
        intersection=grouping.intersection,
    )


def _benefits(members: Members) -> Floats:
    return np.bincount(benefit(members), members.weight, minlength=3).astype(np.float64)


def _gaps_of(treatment: Treatment) -> list[Gap]:
    """The gaps of one attribute, p-values not yet corrected."""

    def gap(metric: str, found: Apart, signed: bool = False) -> Gap:
        ratio = math.nan if signed else found.ratio  # a ratio of signed numbers says nothing
        high = float(np.minimum(found.high, WIDEST.get(metric, math.inf)))  # hands a NaN on
        ends = (found.difference, ratio, found.low, high)
        return Gap(
            treatment.attribute, metric, *ends, found.groups, found.n, found.p_value, treatment.intersection
        )  # fmt: skip

    metrics = tuple(treatment.measures[0])
    if "selection_rate" not in metrics:
        signed = ("mean_error", "mean_prediction")
        found = ("quadratic_kappa", "mae", "rmse", "accuracy", *signed)
        ordered = tuple(each for each in found if each in metrics) if "mean_error" in metrics else metrics
        return [gap(name, apart.largest(treatment.sides(name)), name in signed) for name in ordered]
    selected = treatment.sides("selection_rate")
    # Two families of pairs share one error rate of 5 %.
    both = [apart.largest(treatment.sides(name), level=0.025) for name in ("tpr", "fpr")]
    return [
        gap("demographic_parity", apart.largest(selected)),
        gap("disparate_impact", apart.impact(selected)),
        gap("equal_opportunity", apart.largest(treatment.sides("tpr"))),
        gap("equalized_odds", apart.wider(*both)),
        gap("predictive_parity", apart.largest(treatment.sides("ppv"))),
        gap("auroc_parity", apart.largest(treatment.sides("auroc"))),
        gap("calibration_gap", apart.largest(treatment.sides("calibration")), signed=True),
        gap("theil_index", _inequality(treatment)),
    ]


def _inequality(treatment: Treatment) -> Apart:
    sides = treatment.sides("benefit")
    if len(sides.names) < 2:
        return Apart()
    found = theil.inequality(treatment.benefits[treatment.eligible("benefit")], sides.covariance())
    share = found.between.value / found.total if found.total > 0 else math.nan
    ends = (found.between.value, found.between.low, found.between.high)
    return Apart(*ends, share, *sides.furthest(), found.p_value)


def _corrected(found: Sequence[Gap]) -> tuple[Gap, ...]:
    """The gaps with p-values that correct for their number; disparate impact stands behind demographic parity."""
    tested = [
        place for place, gap in enumerate(found) if gap.metric != "disparate_impact" and not math.isnan(gap.p_value)
    ]
    p_values = dict(zip(tested, holm([found[place].p_value for place in tested]), strict=True))
    return tuple(
        replace(gap, p_value=p_values.get(place - (gap.metric == "disparate_impact"), math.nan))
        for place, gap in enumerate(found)
    )
