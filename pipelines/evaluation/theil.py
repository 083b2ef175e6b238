"""Theil: how unequally benefits fall to rows, and how much of that lies between groups, with an interval.

References: Speicher et al. (2018), A Unified Approach to Quantifying Algorithmic Unfairness, KDD, with alpha 1; Liu,
Tang and Zhang (2009), Computational Statistics and Data Analysis 53(4), for the distribution of a quadratic form.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.report.document import Estimate

Floats = NDArray[np.float64]

NORMAL_FROM = 1e4
"""A chi-square whose shift is larger is a normal distribution, for which SciPy needs no series."""


@dataclass(frozen=True)
class Inequality:
    """The Theil index of all rows, its part between groups, and the chance of as much where groups are equal."""

    total: float
    between: Estimate
    p_value: float


UNDEFINED = Inequality(math.nan, Estimate(math.nan), math.nan)


def inequality(weights: Floats, covariance: Floats) -> Inequality:
    """The Theil index of benefits that are 0, 1 or 2.

    The part between groups cannot be negative and so is above 0 by chance alone. What of it is sure is found by
    shrinking and stretching the observed differences between the groups' means until as large (or as small) a value
    as was observed has a chance of 2.5 %.

    Args:
        weights: (groups, 3) weight of the rows with benefit 0, 1 and 2.
        covariance: (groups, groups) of the groups' estimated means; NaN gives no interval.

    Returns:
        Undefined (NaN) where there are fewer than two groups or no benefits.
    """
    sizes, sums = weights.sum(axis=1), weights @ np.arange(3.0)
    if len(weights) < 2 or not (sizes > 0).all() or not sums.sum() > 0:
        return UNDEFINED
    share, mean = sizes / sizes.sum(), float(sums.sum() / sizes.sum())
    total = float(_entropy(np.arange(3.0) / mean) @ weights.sum(axis=0) / sizes.sum())
    apart = (sums / sizes - mean) / mean
    between = float(share @ _entropy(1 + apart))
    if not np.isfinite(covariance).all() or not np.trace(covariance) > 0:
        return Inequality(total, Estimate(between), math.nan)
    form = _Form.of(share, apart, covariance / mean**2)
    low, high, p_value = form.interval()
    least, most = (float(share @ _entropy(np.maximum(1 + scale * form.apart, 0.0))) for scale in (low, high))
    return Inequality(total, Estimate(between, least, max(most, between)), p_value)


def _entropy(ratio: Floats) -> Floats:
    """r ln r, which is 0 at 0."""
    return ratio * np.log(np.where(ratio > 0, ratio, 1.0))


@dataclass(frozen=True)
class _Form:
    """Half the weighted squares of normal differences around a multiple of the observed ones.

    Args:
        observed: its value as observed.
        apart: (groups,) the direction in which the truth is sought, 1 times which is what was observed.
        noise, signal: (4,) what chance, and one unit of the squared multiple, add to its first four cumulants.
    """

    observed: float
    apart: Floats
    noise: Floats
    signal: Floats

    @classmethod
    def of(cls, share: Floats, apart: Floats, covariance: Floats) -> _Form:
        centred = np.eye(len(share)) - share
        scaled = np.sqrt(share / 2)[:, np.newaxis] * centred
        spread = scaled @ covariance @ scaled.T
        direction = np.sqrt(share / 2) * apart
        observed = float(direction @ direction)
        if observed <= 1e-12 * np.trace(spread):  # no difference shows a direction; the most uncertain one is taken
            values, vectors = np.linalg.eigh(spread)
            direction = math.sqrt(values[-1]) * vectors[:, -1]
        powers = [np.linalg.matrix_power(spread, power) for power in range(5)]
        noise = [np.trace(power) for power in powers[1:]]
        signal = [(order + 1) * (direction @ power @ direction) for order, power in enumerate(powers[:4])]
        return cls(observed, direction / np.sqrt(share / 2), np.array(noise), np.array(signal))

    def interval(self) -> tuple[float, float, float]:
        """The multiples between which the truth lies with 95 %, and the chance of as much at a multiple of 0."""
        from scipy.optimize import brentq

        by_chance = self._above(self.observed, 0.0)
        # An observation below what chance gives half the time says nothing of how little there is.
        usual = max(self.observed, self._median())

        def solved(value: float, chance: float) -> float:
            beyond = 1.0
            while self._above(value, beyond) < chance:
                beyond *= 2
            return float(brentq(lambda scale: self._above(value, scale) - chance, 0.0, beyond, xtol=1e-6))

        return solved(self.observed, 0.025) if by_chance < 0.025 else 0.0, solved(usual, 0.975), by_chance

    def _above(self, value: float, scale: float) -> float:
        """The chance that the form exceeds a value, where the truth is `scale` times what was observed."""
        from scipy.stats import chi2, ncx2, norm

        mean, spread, freedom, shift, width = self._matched(scale)
        at = (value - mean) / spread * width + freedom + shift
        if shift > NORMAL_FROM:
            return float(norm.sf((value - mean) / spread))
        return float(ncx2.sf(at, freedom, shift) if shift > 1e-9 else chi2.sf(at, freedom)) if at > 0 else 1.0

    def _median(self) -> float:
        """What chance alone exceeds half the time."""
        from scipy.optimize import brentq

        mean, spread, *_ = self._matched(0.0)
        return float(brentq(lambda value: self._above(value, 0.0) - 0.5, 0.0, mean + 2 * spread))

    def _matched(self, scale: float) -> tuple[float, float, float, float, float]:
        """Mean and standard deviation; degrees, shift and standard deviation of the chi-square that is alike."""
        first, second, third, fourth = self.noise + scale**2 * self.signal
        skew, tail = third / second**1.5, fourth / second**2
        shift = 0.0
        if skew**2 > tail:
            width = 1 / (skew - math.sqrt(skew**2 - tail))
            shift = max(skew * width**3 - width**2, 0.0)
            freedom = width**2 - 2 * shift
        else:
            width, freedom = 1 / skew, 1 / skew**2
        return float(first), math.sqrt(2 * second), freedom, shift, math.sqrt(2) * width
