"""Apart: how far apart the values of several groups are, with intervals that hold for all pairs of groups at once.

Ends of differences and ratios are put together from the groups' own intervals and the correlation of their values
(MOVER): Newcombe (1998), Statistics in Medicine 17(8), method 10; Zou and Donner (2008), Statistics in Medicine 27(10);
Donner and Zou (2012), Statistical Methods in Medical Research 21(4), for ratios.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Floats = NDArray[np.float64]

LEVEL = 0.05
AT_ONCE = 256
"""Groups compared with all others in one go, which bounds memory."""


@dataclass(frozen=True)
class Sides:
    """The k groups that are compared in one metric.

    Args:
        n: how many rows the metric rests on in each.
        value, low, high: (k,) the metric and its 95 % interval.
        freedom: (k,) degrees of freedom behind the interval.
        correlation: (k, k) of the values; None where they are independent.
    """

    names: tuple[str, ...]
    n: tuple[int, ...]
    value: Floats
    low: Floats
    high: Floats
    freedom: Floats
    correlation: Floats | None

    def furthest(self) -> tuple[tuple[str, str], tuple[int, int]]:
        """The two groups that are furthest apart, lower first, and their n."""
        lowest, highest = int(np.argmin(self.value)), len(self.value) - 1 - int(np.argmax(self.value[::-1]))
        return (self.names[lowest], self.names[highest]), (self.n[lowest], self.n[highest])

    def errors(self) -> Floats:
        """(k,) standard errors, as wide as the intervals say."""
        return np.asarray((self.high - self.low) / 2 / _student(LEVEL, self.freedom))

    def covariance(self) -> Floats:
        """(k, k) of the values."""
        errors = self.errors()
        return np.outer(errors, errors) * (np.eye(len(errors)) if self.correlation is None else self.correlation)


@dataclass(frozen=True)
class Apart:
    """How far apart the groups are in one metric; `groups` and `n` of the two furthest apart, lower first."""

    difference: float = math.nan
    low: float = math.nan
    high: float = math.nan
    ratio: float = math.nan
    groups: tuple[str, str] = ("", "")
    n: tuple[int, int] = (0, 0)
    p_value: float = math.nan


def correlation(moves: Floats, code: NDArray[np.int64], clusters: NDArray[np.int64], groups: int) -> Floats:
    """(groups, groups) correlation of the groups' values, of which some units have rows in several.

    Args:
        moves: (n,) how much each row moves its group's value; NaN where that is undefined.
        code: (n,) group of each row.
        clusters: (n,) unit of each row.

    Returns:
        0 where a group's value does not vary.
    """
    from scipy.sparse import csr_array

    summed = csr_array((np.nan_to_num(moves), (clusters, code)), shape=(int(clusters.max()) + 1, groups))
    covariance = (summed.T @ summed).toarray()
    spread = np.sqrt(np.diag(covariance))
    varies = spread > 1e-12
    scale = np.where(varies, spread, 1.0)
    found = np.clip(covariance / np.outer(scale, scale), -1.0, 1.0) * np.outer(varies, varies)
    np.fill_diagonal(found, 1.0)
    return np.asarray(found)


def largest(sides: Sides, level: float = LEVEL) -> Apart:
    """The largest difference between two groups, with bounds that hold for the largest true one.

    Every pair's interval is as wide as all pairs together need to err in a share `level` of the cases: Tukey and
    Kramer's studentized range, whose level for a pair is then taken from Student's distribution with that pair's
    degrees of freedom (Welch and Satterthwaite), as Games and Howell (1976), Journal of Educational Statistics 1(2).
    """
    if len(sides.names) < 2:
        return Apart()
    below, above, chance = [], [], []
    for pairs in _pairs(sides):
        factor = _widening(len(sides.names), level, pairs.freedom)
        below.append(np.max(pairs.difference - factor * pairs.below))
        above.append(np.max(pairs.difference + factor * pairs.above))
        chance.append(_least_chance(pairs))
    groups, n = sides.furthest()
    smallest, greatest = float(sides.value.min()), float(sides.value.max())
    return Apart(
        difference=greatest - smallest,
        low=float(np.max([0.0, *below])),  # unlike max(), it hands a NaN on
        high=float(np.max(above)),
        ratio=smallest / greatest if greatest > 0 else math.nan,
        groups=groups,
        n=n,
        p_value=_of_all_pairs(float(np.min(chance)), len(sides.names)),
    )


def wider(first: Apart, second: Apart) -> Apart:
    """The wider of two gaps; undefined where either is, because then it is not known which is wider."""
    if math.isnan(first.difference) or math.isnan(second.difference):
        return Apart()
    wide = max(first, second, key=lambda each: each.difference)
    ratios = [each.ratio for each in (first, second) if not math.isnan(each.ratio)]
    return replace(
        wide,
        low=float(np.maximum(first.low, second.low)),
        high=float(np.maximum(first.high, second.high)),
        ratio=min(ratios, default=math.nan),
        p_value=float(np.minimum(1.0, 2 * np.minimum(first.p_value, second.p_value))),
    )


def impact(sides: Sides) -> Apart:
    """Disparate impact: what the least selected group's rate lacks to the most selected group's, as its share."""
    apart = largest(sides)
    if math.isnan(apart.ratio):
        return replace(apart, difference=math.nan, low=math.nan, high=math.nan)
    lows: list[float] = []
    highs: list[float] = []
    for pairs in _pairs(sides):
        least, most = _ratio_bounds(pairs, _widening(len(sides.names), LEVEL, pairs.freedom))
        lows.append(float(np.min(least, initial=np.inf, where=pairs.differs)))
        highs.append(float(np.min(most, initial=np.inf, where=pairs.differs)))
    low, high = max(0.0, 1 - min(highs)), min(1.0, 1 - min(lows))
    return replace(apart, difference=1 - apart.ratio, low=low, high=high)


class _Pairs(NamedTuple):
    """Some groups against all: (b, k) of the second, the higher by intent, less the first.

    `below` and `above` reach to the ends of the difference's own 95 % interval.
    """

    difference: Floats
    below: Floats
    above: Floats
    freedom: Floats | float
    differs: NDArray[np.bool_]
    first: tuple[Floats, Floats, Floats]
    second: tuple[Floats, Floats, Floats]
    correlation: Floats | float


def _pairs(sides: Sides) -> Iterator[_Pairs]:
    value, down, up = sides.value, sides.value - sides.low, sides.high - sides.value
    error = sides.errors()
    for start in range(0, len(value), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        first, second = (each[part, np.newaxis] for each in (value, down, up)), (value, down, up)
        alike = 0.0 if sides.correlation is None else sides.correlation[part]
        (from_value, from_down, from_up), (to_value, to_down, to_up) = tuple(first), second
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = error[part, np.newaxis] ** 2 + error**2
            share = error[part, np.newaxis] ** 4 / sides.freedom[part, np.newaxis] + error**4 / sides.freedom
            freedom = np.where(share > 0, spread**2 / share, np.inf) if np.isfinite(sides.freedom).any() else np.inf
            if sides.correlation is not None:  # the same units on both sides count once
                freedom = np.minimum(freedom, np.minimum(sides.freedom[part, np.newaxis], sides.freedom))
        yield _Pairs(
            to_value - from_value,
            np.sqrt(np.maximum(to_down**2 + from_up**2 - 2 * alike * to_down * from_up, 0.0)),
            np.sqrt(np.maximum(to_up**2 + from_down**2 - 2 * alike * to_up * from_down, 0.0)),
            freedom,
            np.arange(start, start + len(value[part]))[:, np.newaxis] != np.arange(len(value)),
            (from_value, from_down, from_up),
            second,
            alike,
        )


def _ratio_bounds(pairs: _Pairs, factor: Floats | float) -> tuple[Floats, Floats]:
    """Bounds of the ratio of two rates, the first's to the second's."""
    (low, low_down, low_up), (high, high_down, high_up) = pairs.first, pairs.second

    def bound(ours: Floats, theirs: Floats) -> tuple[Floats, Floats, Floats]:
        """The larger root's numerator, and the constant and square terms, of the equation that the bound solves."""
        joint = low * high - pairs.correlation * np.abs((ours - low) * (theirs - high))
        constant, square = ours * (2 * low - ours), theirs * (2 * high - theirs)
        return joint + np.sqrt(np.maximum(joint**2 - constant * square, 0.0)), constant, square

    ends = (low - factor * low_down, low + factor * low_up, high - factor * high_down, high + factor * high_up)
    low_least, low_most, high_least, high_most = (np.clip(end, 0.0, 1.0) for end in ends)
    root, constant, _ = bound(low_least, high_most)
    least = np.divide(constant, root, out=np.zeros_like(root), where=root > 0)
    root, _, square = bound(low_most, high_least)
    most = np.divide(root, square, out=np.full_like(root, np.inf), where=square > 0)
    return np.maximum(least, 0.0), most


def _least_chance(pairs: _Pairs) -> float:
    """The smallest two-sided p-value of a pair; NaN where any is not known, because it may be the smallest."""
    from scipy.stats import t

    with np.errstate(invalid="ignore", divide="ignore"):
        reach = np.where(pairs.difference > 0, pairs.difference / pairs.below, 0.0 * pairs.below)
    return float(np.min(2 * t.sf(reach * _student(LEVEL, pairs.freedom), pairs.freedom)))


def _of_all_pairs(chance: float, groups: int) -> float:
    """The chance of so small a p-value among all pairs of so many groups."""
    from scipy.stats import norm, studentized_range

    if groups == 2 or math.isnan(chance):
        return chance
    # Far out the numerical integral is not exact; Bonferroni's bound is.
    bound = chance * groups * (groups - 1) / 2
    if bound < 1e-9:
        return bound
    return float(min(bound, studentized_range.sf(norm.isf(chance / 2) * math.sqrt(2), groups, np.inf)))


def _widening(groups: int, level: float, freedom: Floats | float) -> Floats | float:
    """How much wider than a pair's own 95 % interval one must be for all pairs to hold at once."""
    factor = _student(_pair_level(groups, level), freedom) / _student(LEVEL, freedom)
    return factor if np.ndim(factor) else float(factor)


@cache
def _pair_level(groups: int, level: float) -> float:
    """The level of one pair with which all pairs of so many groups together have the given one."""
    from scipy.stats import norm, studentized_range

    if groups == 2:
        return level
    return float(2 * norm.sf(studentized_range.ppf(1 - level, groups, np.inf) / math.sqrt(2)))


def _student(level: float, freedom: Floats | float) -> Any:
    """Half the width, in standard errors, of an interval that leaves `level` out."""
    from scipy.stats import t

    return t.isf(level / 2, freedom)
