"""Net benefit: whether acting on one contender is worth more than acting on another, at one threshold.

Whoever acts from a probability t on holds a false alarm for t / (1 - t) times as bad as a miss is. The net benefit is a
mean over rows (found positives less false alarms at that price), so its interval, and that of a difference on the same
rows, is a mean's: the same as the paired bootstrap's of Vickers et al. (2008), BMC Medical Informatics and Decision
Making 8:53, without resampling.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation.intervals import mean, two_classes
from pipelines.evaluation.outcome import Outcome
from pipelines.evaluation.thresholds import Rule
from pipelines.objectives.objective import Objective
from pipelines.report.document import Estimate, NetBenefit

Floats = NDArray[np.float64]


def net_benefit(outcome: Outcome, threshold: float) -> Estimate:
    """Of acting on every row from a probability on, per row; `threshold` lies in (0, 1)."""
    return mean(_gained(outcome, threshold), outcome.weight, outcome.clusters)


def versus(
    outcomes: Mapping[str, Outcome], objective: Objective, network: str, baseline: str, threshold: float
) -> NetBenefit | None:
    """The network's net benefit beside the best baseline's, on the same rows.

    Args:
        threshold: that the network decides at. Where the rule names costs, the probability at which acting breaks even
            is taken instead, since the costs already say what a false alarm is worth.

    Returns:
        None where there are not two classes, or no threshold between 0 and 1.
    """
    ours, theirs = outcomes[network], outcomes[baseline]
    if not two_classes(ours.predictions, objective):
        return None
    at = break_even(objective, threshold)
    if not 0 < at < 1:
        return None
    gained, other = _gained(ours, at), _gained(theirs, at)
    weight, clusters = ours.weight, ours.clusters
    of_network, of_baseline, difference, of_everyone = (
        mean(each, weight, clusters)
        for each in (gained, other, gained - other, _worth(ours, np.ones(len(ours), bool), at))
    )
    return NetBenefit(network, baseline, at, of_network, of_baseline, difference, of_everyone)


def break_even(objective: Objective, threshold: float = float("nan")) -> float:
    """The probability at which acting costs as much as not acting, FP / (FP + FN), where the rule names costs.

    Reference: Elkan (2001), The foundations of cost-sensitive learning, IJCAI.
    """
    rule = Rule.parse(getattr(objective, "decide_by", "balanced_accuracy"))
    return rule.numbers[0] / sum(rule.numbers) if rule.name == "cost" else threshold


def _gained(outcome: Outcome, threshold: float) -> Floats:
    return _worth(outcome, outcome.predictions.values[:, 1] >= threshold, threshold)


def _worth(outcome: Outcome, acted: NDArray[np.bool_], threshold: float) -> Floats:
    """(n,) what acting on these rows adds."""
    positive = outcome.target == 1
    return np.asarray(acted * np.where(positive, 1.0, -threshold / (1 - threshold)))
