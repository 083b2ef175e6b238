"""Referred: how many rows a person decides, how good the decisions that are left are, and who is referred more."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation import sent
from pipelines.evaluation.decisions import AT_ONCE
from pipelines.evaluation.intervals import mean, proportion
from pipelines.evaluation.outcome import Outcome
from pipelines.report.document import Estimate
from pipelines.report.lending import Referral

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
    groups, gaps = sent.by_group(outcome, referred, right)
    return Referral(rule, *ends, referred=share(referred, everyone), scores=scores, groups=groups, gaps=gaps)


def _middle(first: Estimate, second: Estimate) -> Estimate:
    """The mean of two independent shares, its interval put together from theirs (MOVER: Zou and Donner 2008)."""
    value = (first.value + second.value) / 2
    down = math.hypot(first.value - first.low, second.value - second.low) / 2
    up = math.hypot(first.high - first.value, second.high - second.value) / 2
    return Estimate(value, value - down, value + up)
