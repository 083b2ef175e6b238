"""Blocks: rows that follow each other in time are like their neighbours, so neighbours are drawn together.

References: Politis and Romano (1994), Journal of the American Statistical Association 89(428), for the stationary
bootstrap; Politis and White (2004), Econometric Reviews 23(1), corrected by Patton, Politis and White (2009),
Econometric Reviews 28(4), for the length of its blocks.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


LONGER = 2.0
"""Times the automatic length, which suits the variance of a mean: an interval is hurt more by what shorter blocks miss
of it than by its being less sure, which Student's t with fewer degrees of freedom allows for (Lazarus et al. 2018,
Journal of Business and Economic Statistics 36(4)). With it 93 to 95 of 100 intervals hold the truth where 90 to 93
did. Where errors remember each other for a tenth of the whole test no block is long enough: of 300 rows whose errors
are correlated by .95 from one to the next, 16 of 100 tests find a difference that is not there
(`benchmarks.coverage`)."""


LEAST_BLOCKS = 4
"""Stretches of time that a test must hold for their spread to say anything."""


def in_order(time: NDArray[Any], ids: NDArray[Any] | None, rows: NDArray[Any]) -> Codes:
    """Place in time of the unit that each row belongs to.

    A unit is all rows of one moment. Where ids repeat it is all rows of one id, in the order of their first moments:
    what one patient or customer adds stays together however long it lasts, and those who came one after the other,
    and met the same circumstances, are neighbours.

    Args:
        time: (n,) sortable.
        ids: (n,) or None.
        rows: (n,) number of each row; copies of a row have one number.
    """
    moment = np.unique(time, return_inverse=True)[1].astype(np.int64)
    if ids is None:
        return moment
    unit = np.unique(ids.astype(np.str_), return_inverse=True)[1]
    if len(np.unique(rows)) == len(np.unique(unit)):
        return moment
    first = np.full(unit.max() + 1, len(moment))
    np.minimum.at(first, unit, moment)
    place = np.empty(len(first), np.int64)
    place[np.argsort(first, kind="stable")] = np.arange(len(first))
    return place[unit]


def automatic_length(series: Floats) -> float:
    """Mean block length with which the stationary bootstrap judges the mean of a series best.

    Args:
        series: (m,) values in time order.

    Returns:
        At least 1, which draws single values; at most 3 sqrt(m) and m / 3.
    """
    m = len(series)
    moved = np.asarray(series, np.float64) - np.mean(series)
    if m < 4 or not moved @ moved > 0 or not np.isfinite(moved).all():
        return 1.0
    quiet = max(5, math.ceil(math.sqrt(math.log10(m))))
    most = min(math.ceil(math.sqrt(m)) + quiet, m - 1)
    covariance = np.array([moved[lag:] @ moved[: m - lag] for lag in range(most + 1)]) / m
    loud = np.abs(covariance[1:] / covariance[0]) >= 2 * math.sqrt(math.log10(m) / m)
    lag = np.arange(-(bandwidth := _bandwidth(loud, quiet, most)), bandwidth + 1)
    tapered = np.minimum(1, 2 * (1 - np.abs(lag) / bandwidth)) * covariance[np.abs(lag)]
    spectrum = float(tapered.sum())
    if not spectrum > 0:
        return 1.0
    length = float(np.cbrt((float(tapered @ np.abs(lag)) / spectrum) ** 2 * m))
    return min(max(length, 1.0), math.ceil(3 * math.sqrt(m)), max(m / 3, 1.0))


def length_for_intervals(series: Floats) -> float:
    """Mean block length for intervals and tests: longer than the automatic one, but never too long to show a spread."""
    return min(LONGER * automatic_length(series), max(len(series) / LEAST_BLOCKS, 1.0))


def usual_length(m: int) -> float:
    """The length where there is no series to look at: it grows as the best one does."""
    return max(1.0, float(np.cbrt(m)))


def stationary_counts(rng: np.random.Generator, units: int, size: int, length: float) -> Codes:
    """(size, units) how often each unit is in each of `size` resamples of blocks.

    A block starts anywhere and goes on to the next unit with probability 1 - 1/length; after the last comes the first.
    """
    place = np.arange(units)
    begins = rng.random((size, units)) < 1 / length
    begins[:, 0] = True
    starts = rng.integers(0, units, size=(size, units))
    last = np.maximum.accumulate(np.where(begins, place, 0), axis=1)
    drawn = (np.take_along_axis(starts, last, axis=1) + place - last) % units
    drawn += np.arange(size)[:, np.newaxis] * units
    return np.bincount(drawn.ravel(), minlength=size * units).reshape(size, units)


def _bandwidth(loud: NDArray[np.bool_], quiet: int, most: int) -> int:
    """Twice the lag after which `quiet` correlations in a row are no more than chance."""
    for lag in range(len(loud)):
        if not loud[lag : lag + quiet].any():
            return min(max(2 * lag, 2), most)
    return min(max(2 * (int(np.flatnonzero(loud)[-1]) + 1), 2), most)
