"""Sent: which groups are sent to a person more often, and how good the decisions are that each keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation import apart
from pipelines.evaluation.apart import Sides
from pipelines.evaluation.bias import SMALLEST_GROUP
from pipelines.evaluation.comparison import holm
from pipelines.evaluation.groups import UNKNOWN, Grouping, groupings
from pipelines.evaluation.outcome import Outcome
from pipelines.evaluation.rates import Measure, Members
from pipelines.report.lending import ReferralGap, ReferredGroup

Flags = NDArray[np.bool_]


def by_group(outcome: Outcome, sent: Flags, right: Flags) -> tuple[tuple[ReferredGroup, ...], tuple[ReferralGap, ...]]:
    """Each group's row, and for each attribute how far its groups are apart.

    Gaps are between groups that are known and large enough; their p-values are corrected for the pairs of groups and,
    by Holm's method, for the attributes.

    Args:
        sent: (n,) whether a row goes to a person.
        right: (n,) whether it would be decided rightly without one.
    """
    single = [each for each in groupings(outcome.groups) if not each.intersection]
    found = [_of_groups(outcome, grouping, sent, right) for grouping in single]
    gaps = [gap for _, gap in found if gap is not None]
    p_values = holm([gap.p_value for gap in gaps]) if gaps else []
    return tuple(row for rows, _ in found for row in rows), tuple(
        ReferralGap(gap.attribute, gap.difference, gap.low, gap.high, gap.groups, p_value)
        for gap, p_value in zip(gaps, p_values, strict=True)
    )


def _of_groups(
    outcome: Outcome, grouping: Grouping, sent: Flags, right: Flags
) -> tuple[list[ReferredGroup], ReferralGap | None]:
    """Each group's row; and how far apart they are, of those that are known and large enough."""
    rows, sides = [], []
    for name, index in zip(grouping.names, grouping.members(), strict=True):
        members = Members.of(outcome, index, joint=False)
        share = members.share(sent[index])
        kept = members.share(right[index], among=~sent[index]).estimate
        rows.append(ReferredGroup(grouping.attribute, name, share.n, share.estimate, kept))
        if name != UNKNOWN and share.n >= SMALLEST_GROUP:
            sides.append((name, share))
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
