"""Calibration error without its bias: what of the observed error is more than chance.

The plain expected calibration error (`scores.expected_calibration_error`) sums sizes, so chance alone lifts it: of a
perfectly calibrated model's 400 rows in 15 bins it is about 0.06. Resampling adds chance a second time, so a percentile
interval never holds 0. Here the test is turned round instead: which true error would show one like this?
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation.intervals import expanded_tail
from pipelines.evaluation.ranking import CALIBRATION_BINS, Ranking
from pipelines.evaluation.recalibration import Rows, expit, kept_apart
from pipelines.report.document import Estimate

Array = NDArray[Any]
Floats = NDArray[np.float64]

DRAWS = 1000
"""Of what chance does to the bins."""


@dataclass(frozen=True)
class Binned:
    """What was predicted and what happened, in bins of equal mass (those of `scores.expected_calibration_error`).

    Args:
        rows: with their weights and units.
        probability: (n,) as predicted.
        bins: how many; where probabilities are tied, some hold nothing.
    """

    rows: Rows
    probability: Floats
    bins: int = CALIBRATION_BINS

    @cached_property
    def bin(self) -> NDArray[np.int64]:
        """(n,) which one each row is in."""
        return Ranking(self.rows.target, self.probability).bins(self.rows.weight, self.bins)

    @cached_property
    def mass(self) -> Floats:
        """(bins,) share of all weight in each."""
        return self.sums(np.ones(len(self.bin)))

    @cached_property
    def excess(self) -> Floats:
        """(bins,) what happened more than was predicted, as a share of all weight."""
        return self.sums(self.rows.target - self.probability)

    def sums(self, values: Floats) -> Floats:
        """(bins,) weighted sums over each bin, as a share of all weight."""
        weight = self.rows.weight
        return np.asarray(np.bincount(self.bin, weight * values, self.bins) / weight.sum())

    def means(self, values: Floats) -> Floats:
        """(bins,) weighted means over each bin; 0 for one without weight."""
        return np.divide(self.sums(values), self.mass, out=np.zeros(self.bins), where=self.mass > 0)

    @cached_property
    def expected(self) -> Floats:
        """(n,) chance of each row by the recalibration curve (`recalibration`), or as predicted where there is none."""
        intercept, slope = self.rows.line
        if math.isnan(slope):
            return kept_apart(self.probability)
        return expit(intercept + slope * self.rows.logit)

    @cached_property
    def chance(self) -> Floats:
        """(bins, bins) covariance of the excess.

        A row's own share is that of a coin of the expected chance, since a bin in which nothing happened would seem to
        know its rate exactly; what rows of one unit share is taken from how they strayed together.
        """
        weight, expected, bins = self.rows.weight, self.expected, self.bins
        apart = expected - self.probability
        apart = apart - self.means(apart)[self.bin]
        own = np.bincount(self.bin, np.square(weight) * (expected * (1 - expected) + np.square(apart)), bins)
        covariance = np.diag(own.astype(np.float64))
        if self.rows.clusters is not None:
            strayed = weight * (self.rows.target - expected)
            cell = self.rows.clusters * bins + self.bin
            together = np.bincount(cell, strayed, (self.rows.clusters.max() + 1) * bins).reshape(-1, bins)
            alone = np.bincount(self.bin, np.square(strayed), bins)
            units = self.rows.units
            covariance += (together.T @ together - np.diag(alone)) * units / max(units - 2, 1)
        return np.asarray(covariance / weight.sum() ** 2)

    @cached_property
    def noise(self) -> float:
        """What chance adds to the sum of squares of `reliability`, on average."""
        return float(_ratio(np.diag(self.chance), self.mass).sum())

    @cached_property
    def reliability(self) -> float:
        """Mean square of the bins' errors: Murphy's (1973) term, plain."""
        return float(_ratio(np.square(self.excess), self.mass).sum())

    def units_of_a_bin(self) -> int:
        """On average, and never below 2."""
        counted, clusters = self.rows.weight > 0, self.rows.clusters
        cell = None if clusters is None else np.bincount(clusters * self.bins + self.bin, counted)
        held = max(1, int((self.mass > 0).sum()))
        return max(2, int(np.count_nonzero(counted if cell is None else cell)) // held)

    def pattern(self) -> Floats:
        """(bins,) the likeliest form of the true excess; its size is what is asked for.

        The bins' own is half chance. It is drawn towards the recalibration curve by as much as chance explains of what
        lies between them (the positive part of James and Stein 1961).
        """
        curve = self.sums(self.expected - self.probability)
        rest = self.excess - curve
        held = max(1, int((self.mass > 0).sum()))
        size = float(_ratio(np.square(rest), self.mass).sum())
        kept = max(0.0, 1 - self.noise * max(held - 2, 0) / held / size) if size > 0 else 0.0
        found = curve + kept * rest
        return found if np.abs(found).sum() > 1e-12 else np.sqrt(np.diag(self.chance))


def debiased(binned: Binned, power: int = 1, seed: int = 0) -> Estimate:
    """The true error with its interval.

    The true excess of each bin is taken to be the pattern (`Binned.pattern`) times an unknown size, and chance to be
    normal with the bins' covariance, whatever units and weights it comes from. The value is the error of which half
    of all tests would show less than this one did; the ends are those of which 2.5 % would show less, or more (a
    little less than 2.5 %, since a bin's variance is known from its own units only). The value is 0, not below, where
    chance alone shows more than half of the time, and the interval then begins there.

    Args:
        power: 1 for the expected calibration error, 2 for the reliability of the Brier score.

    Returns:
        NaN where there is no weight; no interval where there are fewer than two units.

    Reference for why the plain estimate will not do: Broecker (2012), Climate Dynamics 39; Kumar, Liang and Ma (2019),
    Verified uncertainty calibration, NeurIPS. The interval is the inversion of a test, as in Casella and Berger (2002),
    section 9.2.1, and its coverage is measured in `benchmarks/coverage.py`.
    """
    if not binned.rows.weight.sum() > 0 or np.isnan(binned.probability).any():
        return Estimate(math.nan)
    mass = binned.mass

    def size(excess: Floats) -> Floats:
        if power == 1:
            return np.asarray(np.abs(excess).sum(axis=-1))
        return np.asarray(_ratio(np.square(excess), mass).sum(axis=-1))

    # No test shows less than half a row: of none that strayed one does not know that none ever will.
    shown = max(float(size(binned.excess)), (0.5 / len(binned.bin)) ** power)
    if binned.rows.units < 2:
        return Estimate(shown)
    values, vectors = np.linalg.eigh(binned.chance)
    spread = vectors * np.sqrt(np.maximum(values, 0.0))
    drawn = np.random.default_rng(seed).standard_normal((DRAWS, binned.bins)) @ spread.T
    pattern = binned.pattern()
    pattern = pattern / size(pattern) ** (1 / power)
    tail = expanded_tail(0.05, binned.units_of_a_bin())

    def true(level: float) -> float:
        """The error of which this share of tests would show less; never above 1, the most that there can be."""
        return min(_falling(lambda each: float((size(each * pattern + drawn) <= shown).mean()), level) ** power, 1.0)

    return Estimate(true(0.5), true(1 - tail), true(tail))


def _falling(share: Any, level: float) -> float:
    """The number at which a falling share reaches the level; 0 where it begins below."""
    low, high = 0.0, 1e-3
    if share(low) <= level:
        return low
    while share(high) > level and high < 1e3:
        low, high = high, 2 * high
    while high - low > max(1e-3 * high, 1e-6):
        middle = (low + high) / 2
        low, high = (middle, high) if share(middle) > level else (low, middle)
    return high


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.asarray(np.divide(above, below, out=np.zeros(np.broadcast(above, below).shape), where=below > 0))
