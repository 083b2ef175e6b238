"""Power: how large a lead is beside the spread of single rows, and how many more rows would decide on it."""

from __future__ import annotations

import math

from pipelines.evaluation.spread import Spread

POWER = 0.8
"""Chance of a decision, if the lead stays as it is, at which the number of rows is told."""

TOO_MANY = 100
"""Times the tested rows from which the lead is next to nothing and no number is told."""


def effect_size(difference: float, by_units: float, units: int) -> float:
    """The difference over the standard deviation of what one independent unit adds to it.

    For a mean of per-row differences this is their mean over their standard deviation, Cohen's d_z. For any other
    score, such as the AUROC, a unit adds its influence on the score; the standard error that rows explain is that
    standard deviation over the root of their number. NaN where nothing varies.

    Args:
        by_units: variance of the difference that the units explain (`paired.Paired`).
        units: independent ones that were tested: rows, ids, or stretches of time.

    References: Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, section 2.3.5; Lakens (2013),
    Frontiers in Psychology 4, 863.
    """
    deviation = math.sqrt(by_units * units)
    return difference / deviation if deviation > 1e-12 else math.nan


def rows_to_decide(difference: float, spread: Spread, level: float, rows: int) -> float:
    """How many more rows would find such a difference, between such rows, in 80 of 100 tests.

    The variance that rows explain falls as their number grows; what trainings differ by stays. An observed difference
    is as uncertain as its interval says, so this is a plan, not a promise.

    Args:
        level: two-sided significance that is asked for, after every correction.
        rows: that were tested.

    Returns:
        Rounded up to two digits; infinite where no number of rows would do, NaN where the difference is unknown or next
        to nothing.

    Reference: Hoenig and Heisey (2001), The American Statistician 55(1), for what power at an observed effect is not.
    """
    from scipy.stats import t

    if math.isnan(difference) or math.isnan(spread.error) or not spread.of_rows > 0:
        return math.nan
    freedom = max(spread.freedom, 1.0)
    needed = (abs(difference) / float(t.ppf(1 - level / 2, freedom) + t.ppf(POWER, freedom))) ** 2
    if spread.error**2 > (TOO_MANY + 1) * needed:
        return math.nan
    if needed <= spread.fixed:
        return math.inf
    more = (spread.of_rows / (needed - spread.fixed) - 1) * rows
    return math.inf if more > TOO_MANY * rows else _two_digits(max(more, 1.0))


def _two_digits(value: float) -> float:
    unit = 10.0 ** max(math.floor(math.log10(value)) - 1, 0)
    return float(math.ceil(value / unit) * unit)
