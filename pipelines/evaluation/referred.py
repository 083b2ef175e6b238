"""Referred: how many rows a person decides, how good the decisions that are left are, and who is referred more."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation import apart
from pipelines.evaluation.apart import Sides
from pipelines.evaluation.bias import SMALLEST_GROUP
from pipelines.evaluation.comparison import holm
from pipelines.evaluation.decisions import AT_ONCE
from pipelines.evaluation.groups import UNKNOWN, Grouping, groupings
from pipelines.evaluation.intervals import mean, proportion
from pipelines.evaluation.outcome import Outcome
from pipelines.evaluation.rates import Measure, Members
from pipelines.report.document import Estimate
from pipelines.report.lending import Referral, ReferralGap, ReferredGroup

Flags = NDArray[np.bool_]


def measured(
    outcome: Outcome,
    refers: Sequence[Flags],
    rule: str,
    ends: tuple[float, float],
    costs: tuple[float, float, float] | None = None,
) -> Referral:
    """What a zone of referral does to the tested rows.

    Args:
        refers: of each round, whether each of its rows goes to a person.
        ends: of the zone of the model that is kept.
        costs: of a false alarm, a miss and a referral; None where they are not known.
    """
    referred = np.concatenate(list(refers))
    positive, decided = outcome.target == 1, outcome.predictions.labels() == 1
    right, left = positive == decided, ~referred

    def share(hits: Flags, among: Flags) -> Estimate:
        weight, clusters = (None if each is None else each[among] for each in (outcome.weight, outcome.clusters))
        return proportion(hits[among], weight, clusters)

    everyone = np.ones(len(right), bool)
    scores = {
        "right": share(right, left),
        "right_positive": share(right, left & decided),
        "right_negative": share(right, left & ~decided),
        "balanced_accuracy": _middle(share(decided, left & positive), share(~decided, left & ~positive)),
        "right_of_all": share(right, everyone),
    }
    if costs is not None:
        false_alarm, miss, referral = costs
        without = AT_ONCE * (false_alarm * (decided & ~positive) + miss * (positive & ~decided))
        after = np.where(referred, AT_ONCE * referral, without)
        of = (outcome.weight, outcome.clusters)
        scores |= {"cost_per_1000": mean(after, *of), "cost_per_1000_of_all": mean(without, *of)}
        scores["cost_change_per_1000"] = mean(after - without, *of)
    single = [each for each in groupings(outcome.groups) if not each.intersection]
    found = [_of_groups(outcome, grouping, referred, right) for grouping in single]
    gaps = [gap for _, gap in found if gap is not None]
    p_values = holm([gap.p_value for gap in gaps]) if gaps else []
    return Referral(
        rule,
        *ends,
        referred=share(referred, everyone),
        scores=scores,
        groups=tuple(row for rows, _ in found for row in rows),
        gaps=tuple(
            ReferralGap(gap.attribute, gap.difference, gap.low, gap.high, gap.groups, p_value)
            for gap, p_value in zip(gaps, p_values, strict=True)
        ),
    )


def _of_groups(
    outcome: Outcome, grouping: Grouping, referred: Flags, right: Flags
) -> tuple[list[ReferredGroup], ReferralGap | None]:
    """Each group's row; and how far apart they are, of those that are known and large enough."""
    rows, sides = [], []
    for name, index in zip(grouping.names, grouping.members(), strict=True):
        members = Members.of(outcome, index, joint=False)
        sent = members.share(referred[index])
        kept = members.share(right[index], among=~referred[index]).estimate
        rows.append(ReferredGroup(grouping.attribute, name, sent.n, sent.estimate, kept))
        if name != UNKNOWN and sent.n >= SMALLEST_GROUP:
            sides.append((name, sent))
    if len(sides) < 2:
        return rows, None
    found = apart.largest(_sides(sides))
    return rows, ReferralGap(grouping.attribute, found.difference, found.low, found.high, found.groups, found.p_value)


def _sides(known: Sequence[tuple[str, Measure]]) -> Sides:
    def each(read: Any) -> NDArray[np.float64]:
        return np.array([read(measure) for _, measure in known], np.float64)

    return Sides(
        names=tuple(name for name, _ in known),
        n=tuple(measure.n for _, measure in known),
        value=each(lambda measure: measure.estimate.value),
        low=each(lambda measure: measure.estimate.low),
        high=each(lambda measure: measure.estimate.high),
        freedom=each(lambda measure: measure.freedom),
        correlation=None,
    )


def _middle(first: Estimate, second: Estimate) -> Estimate:
    """The mean of two independent shares, its interval put together from theirs (MOVER: Zou and Donner 2008)."""
    value = (first.value + second.value) / 2
    down = math.hypot(first.value - first.low, second.value - second.low) / 2
    up = math.hypot(first.high - first.value, second.high - second.value) / 2
    return Estimate(value, value - down, value + up)
