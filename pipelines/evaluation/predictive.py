"""Predictive values: which share of the alarms is right, and of the all-clears, where so many rows are positive."""

from __future__ import annotations

import math

from pipelines.evaluation.intervals import wilson
from pipelines.report.document import Estimate


def predictive_values(
    sensitivity: float, specificity: float, sizes: tuple[float, float], prevalence: float, units: int
) -> tuple[Estimate, Estimate]:
    """The positive and the negative predictive value at a stated prevalence, by Bayes' rule.

    The odds of a right alarm are those of being positive times sensitivity / (1 - specificity); the interval is that
    of this ratio, from the Wilson intervals of both, and the prevalence is taken as known. The classes count as
    independent: where one unit has rows of both, what they share mostly cancels, and leaving that out makes intervals
    too wide rather than too narrow.

    Args:
        sizes: independent positive and negative rows that show the two shares.
        prevalence: share of positives, above 0 and below 1.
        units: independent ones in all, for Student's t.

    Reference: Newcombe (2016), Statistical Methods in Medical Research 25(5), for ratios by the method of variance
    estimates recovery (Donner and Zou 2012).
    """
    from scipy.stats import t

    if not min(sizes) > 0 or math.isnan(sensitivity) or math.isnan(specificity) or not 0 < prevalence < 1:
        return Estimate(math.nan), Estimate(math.nan)
    critical = float(t.ppf(0.975, max(units - 1, 1)))
    found, missed = (_share(each, sizes[0], critical) for each in (sensitivity, 1 - sensitivity))
    alone, alarmed = (_share(each, sizes[1], critical) for each in (specificity, 1 - specificity))
    odds = prevalence / (1 - prevalence)
    return _value(found, alarmed, odds), _value(alone, missed, 1 / odds)


def _share(share: float, n: float, critical: float) -> Estimate:
    low, high = wilson(share * n, n, critical)
    return Estimate(share, min(float(low), share), max(float(high), share))


def _value(above: Estimate, below: Estimate, odds: float) -> Estimate:
    """The share that odds times above / below is the odds of."""
    if above.value + below.value <= 0:
        return Estimate(math.nan)
    value = odds * above.value / (odds * above.value + below.value)
    low, high = (_as_share(odds * each) for each in _ratio(above, below))
    return Estimate(value, min(low, value), max(high, value))


def _ratio(above: Estimate, below: Estimate) -> tuple[float, float]:
    """Interval of above / below, two independent shares; it may reach infinity."""
    product = above.value * below.value

    def end(numerator: float, denominator: float, sign: int) -> float:
        beside = denominator * (2 * below.value - denominator)
        root = math.sqrt(max(0.0, product**2 - numerator * (2 * above.value - numerator) * beside))
        return (product + sign * root) / beside if beside else math.inf

    return end(above.low, below.high, -1), end(above.high, below.low, 1)


def _as_share(odds: float) -> float:
    return 1.0 if math.isinf(odds) else odds / (1 + odds)
