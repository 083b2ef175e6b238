"""Recalibration: what a logistic regression of the outcome on the predicted log odds says about probabilities.

Where they are calibrated its slope is 1 and its intercept 0: Cox (1958), Biometrika 45(3/4). A slope below 1 says that
they lie too near 0 and 1 (overconfident), above 1 that they are too timid; with the slope held at 1 the intercept says
whether risks are too low or too high altogether (calibration in the large): Van Calster et al. (2019), Calibration:
the Achilles heel of predictive analytics, BMC Medicine 17:230.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.report.document import Estimate

Array = NDArray[Any]
Floats = NDArray[np.float64]

MOST_STEPS = 50
LARGEST = 1e3
"""A coefficient beyond this (in standard deviations of the log odds) belongs to classes that are told apart fully."""
LEAST = 1e-6
"""Rows that are still in doubt; with fewer the classes are told apart fully, and steps end by rounding only."""
SINGULAR = 1e12
"""Condition of the information from which on one coefficient cannot be told from another."""


@dataclass(frozen=True)
class Rows:
    """What was predicted and what happened, with what makes rows count for more, or less, than one.

    Args:
        target: (n,) 1 where it happened.
        logit: (n,) log odds that were predicted.
        weight: (n,) float >= 0.
        clusters: (n,) number of the unit that rows belong to, or None where rows are independent.
    """

    target: Floats
    logit: Floats
    weight: Floats
    clusters: NDArray[np.int64] | None

    @classmethod
    def of(cls, target: Array, probability: Array, weight: Array | None = None, clusters: Array | None = None) -> Rows:
        """Of (n,) probabilities.

        A probability of 0 or 1 has no log odds: it is taken for that of half a row in all n, since no test of n rows
        could tell the two apart (the empirical logit's half).
        """
        n = len(target)
        return cls(
            (np.asarray(target) == 1).astype(np.float64),
            log_odds(kept_apart(np.asarray(probability, np.float64))),
            np.ones(n) if weight is None else np.asarray(weight, np.float64),
            None if clusters is None else np.unique(clusters, return_inverse=True)[1].astype(np.int64),
        )

    @cached_property
    def units(self) -> int:
        """Independent units of some weight."""
        counted = self.weight > 0
        return int(np.count_nonzero(counted if self.clusters is None else np.bincount(self.clusters, counted)))

    @cached_property
    def line(self) -> tuple[float, float]:
        """Intercept and slope of `recalibrated`."""
        return recalibrated(self)

    def summed(self, per_row: Floats) -> Floats:
        """(k, units) sums over each unit of (k, n)."""
        if self.clusters is None:
            return per_row
        return np.stack([np.bincount(self.clusters, values) for values in per_row])


def recalibrated(rows: Rows) -> tuple[float, float]:
    """Intercept and slope of the logistic regression of the outcome on the predicted log odds, by most likelihood.

    Returns:
        NaNs where they are not finite or not unique: one class, one prediction, or classes told apart fully.
    """
    total = rows.weight.sum()
    rate = float(rows.weight @ rows.target / total) if total > 0 else math.nan
    middle = float(rows.weight @ rows.logit / total) if total > 0 else math.nan
    spread = math.sqrt(float(rows.weight @ np.square(rows.logit - middle) / total)) if total > 0 else math.nan
    if not 0 < rate < 1 or not spread > 1e-9:
        return math.nan, math.nan
    scaled = (rows.logit - middle) / spread  # so that no step of Newton's is too long
    design = np.stack([np.ones(len(scaled)), scaled])
    found = _newton(rows, design, np.zeros(len(scaled)), math.log(rate / (1 - rate)))
    intercept, slope = found[0], found[1] / spread
    return float(intercept - slope * middle), float(slope)


def slope(rows: Rows) -> Estimate:
    """The slope with its interval: Student's, of the sandwich variance between units."""
    intercept, value = rows.line
    design = np.stack([np.ones(len(rows.target)), rows.logit])
    return _interval(value, rows, design, expit(intercept + value * rows.logit))


def in_the_large(rows: Rows) -> Estimate:
    """The intercept where the slope is held at 1: above 0 more happened than was predicted, in log odds."""
    ones = np.ones((1, len(rows.target)))
    total = rows.weight.sum()
    if not (total > 0 and 0 < rows.weight @ rows.target < total):
        return Estimate(math.nan)
    (value,) = _newton(rows, ones, rows.logit, 0.0)
    return _interval(float(value), rows, ones, expit(value + rows.logit))


def score_test(rows: Rows) -> float:
    """P-value of the score test that intercept and slope are 0 and 1 together.

    It needs no fit, so it is defined, and of the right size, where the slope is not. Independent rows vary as coins of
    the predicted chances do; rows of one unit vary together, and then the spread between units takes the coins' place
    (Hotelling's T^2).

    Reference: Cox (1958).
    """
    from scipy.stats import chi2, f

    chance = expit(rows.logit)
    design = np.stack([np.ones(len(chance)), rows.logit])
    moved = rows.summed(design * (rows.weight * (rows.target - chance)))
    push, units = moved.sum(axis=1), rows.units
    if rows.clusters is None:
        spread = (design * (np.square(rows.weight) * chance * (1 - chance))) @ design.T
    else:
        apart = moved - push[:, np.newaxis] / max(units, 1)
        spread = apart @ apart.T
    if units < 4 or not np.linalg.det(spread) > 1e-12 * float(np.prod(np.diag(spread))):
        return math.nan
    squared = float(push @ np.linalg.solve(spread, push))
    if rows.clusters is None:
        return float(chi2.sf(squared, 2))
    return float(f.sf(squared * (units - 2) / (2 * units), 2, units - 2))


def expit(logit: Any) -> Floats:
    """Probabilities of log odds."""
    from scipy.special import expit as of

    return np.asarray(of(logit))


def log_odds(probability: Floats) -> Floats:
    """Log odds of probabilities in (0, 1)."""
    return np.asarray(np.log(probability) - np.log1p(-probability))


def kept_apart(probability: Floats) -> Floats:
    """Probabilities no nearer to 0 and 1 than half a row in all."""
    half = 0.5 / max(len(probability), 1)
    return np.clip(probability, half, 1 - half)


def _newton(rows: Rows, design: Floats, offset: Floats, start: float) -> Floats:
    """(k,) coefficients of most likelihood of a (k, n) design; NaN where Newton's method runs away."""
    found: Floats = np.zeros(len(design))
    found[0] = start
    for _ in range(MOST_STEPS):
        chance = expit(offset + found @ design)
        gradient, information = design @ (rows.weight * (rows.target - chance)), _information(rows, design, chance)
        in_doubt = float(rows.weight @ (chance * (1 - chance)) / rows.weight.max())
        step = np.linalg.lstsq(information, gradient, rcond=None)[0]
        found = np.asarray(found + np.clip(step, -2, 2))
        if not np.abs(found).max() < LARGEST or in_doubt < LEAST or not np.linalg.cond(information) < SINGULAR:
            break
        if np.abs(step).max() < 1e-10:
            return found
    return np.full(len(design), np.nan)


def _information(rows: Rows, design: Floats, chance: Floats) -> Floats:
    return np.asarray((design * (rows.weight * chance * (1 - chance))) @ design.T)


def _interval(value: float, rows: Rows, design: Floats, chance: Floats) -> Estimate:
    """Of the last coefficient."""
    from scipy.stats import t

    units = rows.units
    if math.isnan(value) or units < 2:
        return Estimate(value)
    moved = rows.summed(design * (rows.weight * (rows.target - chance)))
    bread = np.linalg.inv(_information(rows, design, chance))
    variance = (bread @ (moved @ moved.T) @ bread)[-1, -1] * units / (units - 1)
    half = float(t.ppf(0.975, units - 1)) * math.sqrt(variance)
    return Estimate(value, value - half, value + half)
