"""Spread: how much of what is not known of a value is due to the tested rows, and how much to the training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """The uncertainty of a mean over trainings; NaN where it cannot be had.

    Args:
        error: standard error, of all there is.
        freedom: degrees of freedom of Student's t.
        training_sd: standard deviation between single trainings, on these rows; NaN with one training.
        test_sd: what would be left with ever so many trainings; NaN with one training, where it is `error`.
        fixed: variance that more rows would not lessen: what trainings differ by on ever so many rows.
    """

    error: float
    freedom: float
    training_sd: float = math.nan
    test_sd: float = math.nan
    fixed: float = 0.0

    @property
    def of_rows(self) -> float:
        """Variance that more rows lessen."""
        variance = self.error**2
        return variance - self.fixed if variance > self.fixed * (1 + 1e-9) else 0.0


def of_resamples(values: Sequence[float], drawn: Sequence[Floats], units: int) -> Spread:
    """The spread of the mean of a value over trainings, from what each was under resamples of the same rows.

    Rows and trainings both vary, and so does what a training does to single rows. The variance of the mean is
    that between trainings, divided by their number, and the covariance of two trainings over tests, as readers and
    cases are taken apart in studies of diagnosis; it is never taken for less than that of the rows alone.

    Args:
        values: of each of s trainings.
        drawn: s times (b,) of the bootstrap; all with the same resamples.
        units: independent ones that were tested.

    References: Obuchowski and Rockette (1995), Communications in Statistics - Simulation and Computation 24(2);
    Cochran (1964), Biometrics 20(1), for the degrees of freedom.
    """
    defined = np.array(drawn, np.float64)
    defined = defined[:, ~np.isnan(defined).any(axis=0)]
    s = len(values)
    if units < 2 or 2 * defined.shape[1] < len(drawn[0]) or defined.shape[1] < 2:
        return Spread(math.nan, math.nan)
    few = units / (units - 1)  # resampling n units shows (n - 1) / n of the variance
    of_mean = few * float(defined.mean(axis=0).var(ddof=1))
    if s == 1:
        return Spread(math.sqrt(of_mean), units - 1)
    between = float(np.var(values, ddof=1))
    by_rows = few * _of_single_rows(defined)
    fixed = max(between - by_rows, 0.0) / s
    variance = of_mean + fixed
    freedom = _freedom(min(between / s / variance, 1.0), s - 1, units - 1) if between > 0 else units - 1.0
    return Spread(math.sqrt(variance), freedom, math.sqrt(between), _rest(variance, between / s), fixed)


def _freedom(share: float, few: float, many: float) -> float:
    """Degrees of freedom of a variance of which this share is known with few degrees of freedom, the rest with many.

    Those of the t whose 97.5 % quantile is the mean of both quantiles, weighted by the parts (Cochran). Welch's would
    err in 8 of 100 tests where most of the variance is between three trainings: where these happen to lie close
    together, they also seem not to matter.
    """
    from scipy.optimize import brentq
    from scipy.stats import t

    if many <= few:
        return min(few, many)
    wanted = share * float(t.ppf(0.975, few)) + (1 - share) * float(t.ppf(0.975, many))
    return float(brentq(lambda freedom: float(t.ppf(0.975, freedom)) - wanted, few, many))


def of_folds(values: Sequence[Sequence[float]], error: float, by_rows: float = 0.0) -> Spread:
    """The spread of the mean over folds, whose error is known, of means over trainings.

    Args:
        values: of each training of each fold.
        error: standard error of the mean (Nadeau and Bengio), which holds the trainings' part already.
        by_rows: variance of what single trainings do to single rows.
    """
    folds = _defined(values)
    freedom = len(folds) - 1.0
    if len(folds) < 2 or folds.shape[1] < 2:
        return Spread(error, freedom)
    s, between = folds.shape[1], _between(folds)
    fixed = min(max(between - by_rows, 0.0) / s, error**2)
    return Spread(error, freedom, math.sqrt(between), _rest(error**2, between / s), fixed)


def least_of_folds(values: Sequence[Sequence[float]]) -> float:
    """The standard error of the mean over folds that trainings alone give it: it cannot be less.

    The means of a few folds may happen to lie close together although their trainings do not.

    Args: as `of_folds`.
    """
    folds = _defined(values)
    return math.sqrt(_between(folds) / folds.shape[1]) if len(folds) > 1 and folds.shape[1] > 1 else 0.0


def _defined(values: Sequence[Sequence[float]]) -> Floats:
    folds = np.array(values, np.float64)
    return np.asarray(folds[~np.isnan(folds).any(axis=1)])


def _between(folds: Floats) -> float:
    """Variance of the mean over folds from one training of each to another."""
    return float(folds.var(axis=1, ddof=1).mean()) / len(folds)


def _rest(variance: float, of_trainings: float) -> float:
    return math.sqrt(max(variance - of_trainings, 0.0))


def of_single_rows(drawn: Sequence[Floats], units: int) -> float:
    """Variance of what a training does to single rows, which looks like a difference between trainings.

    Args: as `of_resamples`.
    """
    defined = np.array(drawn, np.float64)
    defined = defined[:, ~np.isnan(defined).any(axis=0)]
    return units / (units - 1) * _of_single_rows(defined) if units > 1 and defined.shape[1] > 1 else 0.0


def _of_single_rows(drawn: Floats) -> float:
    s = len(drawn)
    one, mean = float(drawn.var(axis=1, ddof=1).mean()), float(drawn.mean(axis=0).var(ddof=1))
    return max((one - mean) * s / (s - 1), 0.0)
