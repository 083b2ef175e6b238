"""Bins of a scorecard: values that are judged alike, with the weight of evidence of each.

Numbers are cut at quantiles, and neighbours pooled until the risk rises, or falls, from bin to bin; missing values have
a bin of their own, rare categories one together.

Reference: Siddiqi (2006), Credit Risk Scorecards, chapter 6. Pooling adjacent violators: Ayer et al. (1955), Annals of
Mathematical Statistics 26(4).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

FEWEST = 20
"""Missing values, or rare categories, of fewer training rows say nothing surely: their weight of evidence is 0."""

NONE_SEEN = 0.5
"""Counted in a bin without a good or without a bad row, whose weight of evidence would be infinite."""

MISSING, OTHER = "missing", "any other"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Binned:
    """The bins of one column; the last two are of missing values, and of all that none of the others holds.

    Args:
        edges: of a number, the k - 1 inner edges of k bins, rising; a bin holds its lower edge.
        levels: of a category, the label of each bin.
        good, bad: (k + 2,) weight of the training rows in each.
        woe: (k + 2,) weight of evidence of each.
    """

    edges: Floats | None
    levels: tuple[str, ...]
    good: Floats
    bad: Floats
    woe: Floats

    def place(self, values: Any) -> NDArray[np.int64]:
        """(n,) the bin of each value."""
        inner = len(self.woe) - 2
        if self.edges is None:
            known = {level: place for place, level in enumerate(self.levels)}
            return np.array([inner if each is None else known.get(str(each), inner + 1) for each in values], np.int64)
        numbers = np.asarray(values, np.float64)
        found = np.searchsorted(self.edges, numbers, side="right")
        return np.where(np.isnan(numbers), inner, found).astype(np.int64)

    def names(self) -> list[str]:
        """What each bin is called."""
        if self.edges is None:
            return [*self.levels, MISSING, OTHER]
        if not len(self.edges):
            return ["any", MISSING, OTHER]
        marks = [f"{edge:.6g}" for edge in self.edges]
        between = [f"{low} to {high}" for low, high in pairwise(marks)]
        return [f"below {marks[0]}", *between, f"{marks[-1]} and more", MISSING, OTHER]


def number_bins(values: Any, bad: NDArray[Any], weight: Floats, bins: int, least: float, direction: int = 0) -> Binned:
    """Bins of a number, whose risk rises from bin to bin or falls, as `direction` says.

    Args:
        values: (n,) float, NaN where missing.
        bad: (n,) bool.
        weight: (n,) >= 0.
        bins: quantile bins to begin with.
        least: share of the known rows that each bin holds at least.
        direction: 1 where more of it may only raise the risk, -1 where only lower it; 0 lets the rows choose.
    """
    numbers = np.asarray(values, np.float64)
    known = ~np.isnan(numbers) & (weight > 0)
    cuts = np.unique(np.quantile(numbers[known], np.linspace(0, 1, bins + 1)[1:-1])) if known.any() else np.zeros(0)
    cuts = cuts[cuts > numbers[known].min()] if known.any() else cuts
    counts = _counts(np.searchsorted(cuts, numbers[known], side="right"), bad[known], weight[known], len(cuts) + 1)
    totals = _counts(np.zeros(len(bad), np.int64), bad, weight, 1)[0]
    tried = [_pooled(counts, sign, least) for sign in ((direction,) if direction else (1, -1))]
    chosen = max(tried, key=lambda blocks: _information(counts, blocks, totals))
    edges = cuts[[block[0] - 1 for block in chosen[1:]]] if len(chosen) > 1 else np.zeros(0)
    inner = np.array([counts[block[0] : block[1]].sum(axis=0) for block in chosen])
    absent = _counts(np.zeros(int((~known).sum()), np.int64), bad[~known], weight[~known], 1)
    return _weighed(edges, (), np.vstack([inner, absent, np.zeros((1, 2))]), totals)


def category_bins(values: Sequence[Any], bad: NDArray[Any], weight: Floats, least: float) -> Binned:
    """Bins of a category: one a level, and one for all levels rarer than the share `least` of the rows, which unseen
    ones join."""
    labels = np.array(["" if each is None else str(each) for each in values], dtype=object)
    known = np.array([each is not None for each in values], bool)
    levels, code = np.unique(labels[known].astype(str), return_inverse=True)
    counts = _counts(code, bad[known], weight[known], len(levels))
    totals = _counts(np.zeros(len(bad), np.int64), bad, weight, 1)[0]
    frequent = counts.sum(axis=1) >= least * totals.sum()
    absent = _counts(np.zeros(int((~known).sum()), np.int64), bad[~known], weight[~known], 1)
    other = counts[~frequent].sum(axis=0, keepdims=True)
    kept = tuple(str(level) for level in levels[frequent])
    return _weighed(None, kept, np.vstack([counts[frequent], absent, other]), totals)


def weight_of_evidence(good: Floats, bad: Floats, goods: float, bads: float) -> Floats:
    """ln of the share of all good rows in a bin over the share of all bad ones: above 0 it is safer than the whole.

    Args:
        good, bad: (k,) rows of each bin; a 0 counts `NONE_SEEN`.
        goods, bads: of all bins.
    """
    some_good, some_bad = (np.where(each > 0, each, NONE_SEEN) for each in (good, bad))
    return np.asarray(np.log(some_good / goods) - np.log(some_bad / bads))


def _weighed(edges: Floats | None, levels: tuple[str, ...], counts: Floats, totals: Floats) -> Binned:
    woe = weight_of_evidence(counts[:, 0], counts[:, 1], *totals)
    unsure = counts[-2:].sum(axis=1) < FEWEST
    woe[-2:] = np.where(unsure, 0.0, woe[-2:])
    if len(woe) - unsure.sum() < 2:
        woe[:] = 0.0  # one bin of all says nothing
    return Binned(edges, levels, counts[:, 0], counts[:, 1], woe)


def _counts(code: NDArray[Any], bad: NDArray[Any], weight: Floats, size: int) -> Floats:
    """(size, 2) weight of the good and of the bad rows with each code."""
    good, wrong = (np.bincount(code, weight * part, minlength=size) for part in (~bad, bad))
    return np.column_stack([good, wrong]).astype(np.float64)


def _pooled(counts: Floats, sign: int, least: float) -> list[tuple[int, int]]:
    """Neighbours pooled until the odds of the bad ones rise (sign 1) or fall (-1) strictly and no bin is too small.

    Returns:
        (first, one after the last) fine bin of each.
    """
    fewest = least * counts.sum()

    def merit(block: tuple[int, int]) -> float:
        good, bad = counts[block[0] : block[1]].sum(axis=0)
        return sign * math.log((bad or NONE_SEEN) / (good or NONE_SEEN))

    def size(block: tuple[int, int]) -> float:
        return float(counts[block[0] : block[1]].sum())

    def joined(found: list[tuple[int, int]]) -> list[tuple[int, int]]:
        stack: list[tuple[int, int]] = []
        for block in found:
            stack.append(block)
            while len(stack) > 1 and merit(stack[-2]) >= merit(stack[-1]):
                last = stack.pop()
                stack[-1] = (stack[-1][0], last[1])
        return stack

    blocks = joined([(place, place + 1) for place in range(len(counts))])
    while len(blocks) > 1:
        smallest = min(range(len(blocks)), key=lambda place: size(blocks[place]))
        if size(blocks[smallest]) >= fewest:
            break
        beside = [place for place in (smallest - 1, smallest + 1) if 0 <= place < len(blocks)]
        near = min(beside, key=lambda place: abs(merit(blocks[place]) - merit(blocks[smallest])))
        first, last = sorted((smallest, near))
        blocks[first : last + 1] = [(blocks[first][0], blocks[last][1])]
        blocks = joined(blocks)
    return blocks


def _information(counts: Floats, blocks: Sequence[tuple[int, int]], totals: Floats) -> float:
    """Information value of bins: how far apart they put the good and the bad rows."""
    good, bad = np.array([counts[first:last].sum(axis=0) for first, last in blocks]).T
    woe = weight_of_evidence(good, bad, *totals)
    return float(((good / totals[0] - bad / totals[1]) * woe).sum())
