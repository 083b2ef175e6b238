"""Decisions: what a contender's decisions at its threshold do, and whether acting on its probabilities is worth it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation.intervals import mean, proportion, two_classes
from pipelines.evaluation.net_benefit import break_even
from pipelines.evaluation.outcome import Outcome
from pipelines.evaluation.thresholds import Rule
from pipelines.objectives.objective import Objective
from pipelines.report.document import Estimate

Floats = NDArray[np.float64]

AT_ONCE = 1000
"""Decisions that a cost is told for."""


class DecisionCurve(NamedTuple):
    """(m,) net benefit of three policies at each threshold: acting on the model, on everyone; on nobody it is 0."""

    threshold: Floats
    model: Floats
    everyone: Floats


def decided(outcome: Outcome, objective: Objective, one_threshold: bool = True) -> dict[str, Estimate]:
    """What the decisions at the chosen thresholds do to the tested rows; empty where there are not two classes.

    Args:
        one_threshold: whether all rows of a fold are decided at one, so that it can be held against another.

    Returns:
        `sensitivity` (share of the positive rows that was found), `specificity` (share of the negative rows left
        alone), `precision` (share of the alarms that were right), `alerts` (share of all rows decided positive); of
        1000 decisions `true_alarms_per_1000`, `false_alarms_per_1000` and `misses_per_1000`; and, where the rule names
        costs, `cost_per_1000` decisions and `cost_change_at_break_even`: what would be added to it if the threshold
        were not chosen on validation rows but FP / (FP + FN), which is best for calibrated probabilities (Elkan 2001).
        Intervals as those of groups (`bias.group_table`).
    """
    if not two_classes(outcome.predictions, objective):
        return {}
    positive, alarm = outcome.target == 1, outcome.predictions.labels() == 1
    everyone = np.ones(len(alarm), bool)

    def share(hits: NDArray[Any], among: NDArray[Any]) -> Estimate:
        weight, clusters = (None if each is None else each[among] for each in (outcome.weight, outcome.clusters))
        return proportion(hits[among], weight, clusters)

    found = {
        "sensitivity": share(alarm, positive),
        "specificity": share(~alarm, ~positive),
        "precision": share(positive, alarm),
        "alerts": share(alarm, everyone),
    }
    counted = {"true_alarms": alarm & positive, "false_alarms": alarm & ~positive, "misses": positive & ~alarm}
    for name, hits in counted.items():
        found[f"{name}_per_{AT_ONCE}"] = share(hits, everyone).times(AT_ONCE)
    rule = Rule.parse(getattr(objective, "decide_by", "balanced_accuracy"))
    if rule.name == "cost":
        by_theory = outcome.predictions.values[:, 1] >= break_even(objective)
        costs, other = (AT_ONCE * _costs(positive, each, *rule.numbers) for each in (alarm, by_theory))
        found["cost_per_1000"] = mean(costs, outcome.weight, outcome.clusters)
        if one_threshold:
            found["cost_change_at_break_even"] = mean(other - costs, outcome.weight, outcome.clusters)
    return found


def cost_change(before: Outcome, after: Outcome, objective: Objective) -> Estimate | None:
    """What 1000 decisions cost more by one contender than by another, on the same rows in the same order; None where
    the rule names no costs."""
    rule = Rule.parse(getattr(objective, "decide_by", "balanced_accuracy"))
    if rule.name != "cost":
        return None
    positive = before.target == 1
    was, is_ = (AT_ONCE * _costs(positive, each.predictions.labels() == 1, *rule.numbers) for each in (before, after))
    return mean(is_ - was, before.weight, before.clusters)


def _costs(positive: NDArray[Any], alarm: NDArray[Any], false_alarm: float, miss: float) -> Floats:
    """(n,) what each decision costs."""
    return np.asarray(false_alarm * (alarm & ~positive) + miss * (positive & ~alarm))


def decision_curve(
    target: NDArray[Any], probability: Floats, thresholds: Floats, weight: NDArray[Any] | None = None
) -> DecisionCurve:
    """Net benefit: true positives less false positives, each weighed by the odds of the threshold, per row.

    Whoever acts from a probability t on holds a false alarm for t / (1 - t) times as bad as a miss is.

    Args:
        target: (n,) 1 for the positive class.
        probability: (n,) of the positive class.
        thresholds: (m,) in (0, 1).
        weight: (n,) float >= 0, or None for 1s.

    Reference: Vickers and Elkin (2006), Medical Decision Making 26(6).
    """
    positive = np.asarray(target) == 1
    counted = np.ones(len(positive)) if weight is None else np.asarray(weight, np.float64)
    order = np.argsort(probability, kind="stable")
    # Weight of the rows at and above each place, in rising order of probability.
    above = [np.concatenate([np.cumsum((counted * part)[order][::-1])[::-1], [0.0]]) for part in (positive, ~positive)]
    first = np.searchsorted(np.asarray(probability)[order], thresholds, side="left")
    odds, total = thresholds / (1 - thresholds), counted.sum()
    hit, false = (each[first] for each in above)
    everyone = (above[0][0] - odds * above[1][0]) / total
    return DecisionCurve(thresholds, (hit - odds * false) / total, everyone)
