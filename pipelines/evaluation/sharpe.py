"""Is one Sharpe ratio larger than another? The test of Ledoit and Wolf, which allows for fat tails and for memory.

The difference is studentised with what heteroskedasticity and autocorrelation consistent (HAC) estimation says of its
error; how large the studentised difference is by chance, a circular block bootstrap says, which studentises each
resample anew. Without it the test would reject too often in short or heavy-tailed series.

Reference: Ledoit and Wolf (2008), "Robust performance hypothesis testing with the Sharpe ratio", Journal of Empirical
Finance 15(5). The kernel and its bandwidth: Andrews (1991), Econometrica 59(3), for AR(1) approximations.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation.portfolio import DAYS

Floats = NDArray[np.float64]

AT_ONCE = 2**20
"""Numbers of resampled blocks held in memory together."""


class SharpeTest(NamedTuple):
    """The difference of two Sharpe ratios a year.

    Args:
        difference: of the first minus the second.
        error: its HAC standard error.
        low, high: its 95 % interval, symmetric and studentised.
        p_value: two-sided.
        drawn: (resamples,) studentised differences under the bootstrap, about 0.
    """

    difference: float
    error: float
    low: float
    high: float
    p_value: float
    drawn: Floats


def ledoit_wolf(ours: Floats, theirs: Floats, block: int, resamples: int = 1000, seed: int = 0) -> SharpeTest:
    """Test whether two series of daily net returns, of the same days, have different Sharpe ratios.

    Args:
        ours, theirs: (n,) in the order of time.
        block: days that follow each other and are resampled together.

    Returns:
        With p = 1 and no interval where a Sharpe ratio is not defined; two equal series differ by 0 with p = 1.
    """
    moments = np.column_stack([ours, theirs, np.square(ours), np.square(theirs)])
    n, yearly = len(moments), math.sqrt(DAYS)
    none = np.zeros(0)
    if n < 4 or not (ours.std() > 1e-12 and theirs.std() > 1e-12):
        return SharpeTest(math.nan, math.nan, math.nan, math.nan, 1.0, none)
    mean = moments.mean(axis=0)
    difference, gradient = _difference(mean), _gradient(mean)
    error = math.sqrt(max(long_run_variance((moments - mean) @ gradient), 0.0) / n)
    if error <= 1e-12:
        same = yearly * float(difference)
        return SharpeTest(same, 0.0, same, same, 1.0 if abs(difference) <= 1e-12 else 1 / (resamples + 1), none)
    drawn = _studentised(moments, float(difference), min(max(block, 1), n // 2), resamples, seed)
    p_value = (1 + (np.abs(drawn) >= abs(difference) / error).sum()) / (1 + len(drawn))
    half = float(np.quantile(np.abs(drawn), 0.95)) * error
    low, high = float(difference) - half, float(difference) + half
    return SharpeTest(yearly * float(difference), yearly * error, yearly * low, yearly * high, float(p_value), drawn)


def long_run_variance(series: Floats) -> float:
    """n times the variance of the mean of a series of mean 0 that may remember: Parzen's kernel, Andrews' bandwidth.

    Args:
        series: (n,).
    """
    n = len(series)
    before, after = series[:-1], series[1:]
    power = float(before @ before)
    memory = float(np.clip(before @ after / power, -0.97, 0.97)) if power > 0 else 0.0
    curvature = 4 * memory**2 / (1 - memory) ** 4
    bandwidth = min(2.6614 * (curvature * n) ** 0.2, n - 1.0)
    found = float(series @ series) / n
    for lag in range(1, math.ceil(bandwidth)):
        found += 2 * _parzen(lag / bandwidth) * float(series[lag:] @ series[:-lag]) / n
    return found * n / max(n - 4, 1)  # four moments were estimated


def _parzen(x: float) -> float:
    return 1 - 6 * x**2 + 6 * x**3 if x <= 0.5 else 2 * (1 - x) ** 3 if x < 1 else 0.0


def _studentised(moments: Floats, difference: float, block: int, resamples: int, seed: int) -> Floats:
    """(resamples,) difference of the resampled Sharpe ratios from the observed one, over its own error."""
    n = len(moments)
    blocks = n // block
    around = np.concatenate([np.zeros((1, 4)), np.cumsum(np.vstack([moments, moments[: block - 1]]), axis=0)])
    sums = around[block:] - around[:-block]  # of the block that begins at each day
    rng, found = np.random.default_rng(seed), []
    at_once = max(1, AT_ONCE // (4 * blocks))
    for start in range(0, resamples, at_once):
        drawn = sums[rng.integers(0, n, (min(at_once, resamples - start), blocks))]
        mean = drawn.sum(axis=1) / (blocks * block)
        moved = np.einsum("rbm,rm->rb", drawn - block * mean[:, None], _gradient(mean)) / math.sqrt(block)
        error = np.sqrt(np.square(moved).mean(axis=1) / (blocks * block))
        found.append((_difference(mean) - difference) / np.where(error > 1e-15, error, np.nan))
    values = np.concatenate(found)
    return np.asarray(values[np.isfinite(values)])


def _difference(mean: Floats) -> Floats:
    """Of two Sharpe ratios a day, from (..., 4) means of both series and of their squares."""
    first, second, square, other = np.moveaxis(mean, -1, 0)
    return np.asarray(first / np.sqrt(square - first**2) - second / np.sqrt(other - second**2))


def _gradient(mean: Floats) -> Floats:
    """(..., 4) of `_difference`."""
    first, second, square, other = np.moveaxis(mean, -1, 0)
    ours, theirs = (square - first**2) ** 1.5, (other - second**2) ** 1.5
    return np.stack([square / ours, -other / theirs, -first / (2 * ours), second / (2 * theirs)], axis=-1)
