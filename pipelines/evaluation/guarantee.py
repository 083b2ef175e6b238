"""Guarantee: from which confidence on decisions may be automated so that, with 95 % confidence, they err rarely enough.

Every cut-off is a hypothesis, "decisions at least so sure err more often than stated", with an exact binomial p-value
(Learn then Test: Angelopoulos, Bates, Candes, Jordan and Lei 2021, arXiv 2110.01052). They are tested from the surest
decisions down: what a rejected one had of the 5 % goes on to the next, so that one that is never rejected costs nothing
(the fallback procedure: Wiens and Dmitrienko 2005, Journal of Biopharmaceutical Statistics 15(6)). A chain that began
at the surest decisions alone would end at the first of them that is wrong, so the 5 % are divided over several places
where it begins anew. In simulations that automates more than one chain, and more than a binary search of all cut-offs
does (SGR: Geifman and El-Yaniv 2017, arXiv 1705.08500).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation.intervals import effective

Floats = NDArray[np.float64]

DOUBT = 0.05
"""Chance that what is automated errs more often than stated."""
STEPS = 100
"""Cut-offs that are looked at, with as many decisions between two of them."""
APART = 2
"""Each place where the chain begins has so many times the rows of the one before."""


def fewest(error: float, doubt: float = DOUBT) -> int:
    """So many decisions without a wrong one are needed to say that they err at most so often."""
    return math.ceil(math.log(doubt) / math.log1p(-error))


@dataclass(frozen=True)
class Guarantee:
    """What validation rows say of decisions in the order of their confidence.

    Args:
        confidence: (m,) falling: the least confidence of what each cut-off automates.
        wrong: (m,) share of that which is wrong.
        size: (m,) how many independent decisions that is worth.
        counted: (m,) as how many it counts in the order of the tests, where no error of its own is looked at.
        rows: how many independent decisions all are worth.
    """

    confidence: Floats
    wrong: Floats
    size: Floats
    counted: Floats
    rows: float

    @classmethod
    def of(
        cls,
        wrong: NDArray[np.bool_],
        confidence: Floats,
        weight: Floats | None = None,
        clusters: NDArray[np.int64] | None = None,
    ) -> Guarantee:
        """What n decisions say.

        Rows of one person are not independent: they count for as many as would show their share of errors with the
        same spread, at most for what all decisions show, and every person once where none errs; with few persons for
        less (Korn and Graubard 1998, Survey Methodology 24(2)).

        Args:
            wrong: (n,) whether each decision was wrong.
            confidence: (n,) of each decision; those of the same confidence are automated together.
            weight: (n,) float >= 0, or None for 1s.
            clusters: (n,) id of the unit that rows belong to, or None where rows are independent.
        """
        kept = np.arange(len(wrong)) if weight is None else np.flatnonzero(weight > 0)
        order = kept[np.argsort(-confidence[kept], kind="stable")]
        n, sure = len(order), confidence[order]
        if n == 0:
            return cls(confidence[:0], confidence[:0], confidence[:0], confidence[:0], 0.0)
        ends = np.append(np.flatnonzero(np.diff(sure)), n - 1) + 1  # never between two of the same confidence
        steps = np.ceil(n * np.arange(1, STEPS + 1) / STEPS)
        counts = np.unique(ends[np.searchsorted(ends, steps)])

        def worth(count: int) -> tuple[float, float]:
            rows = order[:count]
            if weight is None and clusters is None:
                return float(np.mean(wrong[rows])), float(count)
            share, size, units = effective(
                wrong[rows], *(None if of is None else of[rows] for of in (weight, clusters))
            )
            return share, size * _few(units)

        whole = worth(n)[1]
        found = np.array([worth(count) for count in counts])
        counted = whole * counts / n
        return cls(sure[counts - 1], found[:, 0], np.minimum(found[:, 1], counted), counted, whole)

    def least(self, error: float) -> float | None:
        """The least confidence of what may be automated at a stated error; None where nothing may be."""
        p_values, share = self._p_values(error), self._shares(error)
        left, least = 0.0, None
        for place, p_value in enumerate(p_values):
            left += share[place]
            if left > 0 and p_value <= left:
                least = float(self.confidence[place])
            else:
                left = 0.0
        return least

    def _p_values(self, error: float) -> Floats:
        """(m,) chance of as few wrong decisions where they err as often as stated; counts need not be whole."""
        from scipy.special import betainc

        wrong = self.wrong * self.size
        return np.asarray(betainc(np.maximum(self.size - wrong, 1e-12), wrong + 1, 1 - error))

    def _shares(self, error: float) -> Floats:
        """(m,) what each cut-off has of the 5 % by itself: the same at each place where the chain begins, the first of
        which has enough rows to be rejected."""
        starts = 1
        while fewest(error, DOUBT / (starts + 1)) * APART**starts <= self.rows:
            starts += 1
        share, first = np.zeros(len(self.size)), fewest(error, DOUBT / starts)
        for start in range(starts):
            place = int(np.searchsorted(self.counted, first * APART**start))
            if place < len(share):
                share[place] += DOUBT / starts
        return share


def least_confidences(found: Guarantee, errors: Sequence[float], nothing: float) -> dict[float, float]:
    """The least confidence at each stated error, each promised by itself; `nothing` where nothing may be automated."""
    least = {error: found.least(error) for error in errors}
    return {error: nothing if each is None else each for error, each in least.items()}


def _few(units: int) -> float:
    """What an effective number of rows is multiplied by where its variance is known from few units."""
    from scipy.stats import norm, t

    return float((norm.isf(DOUBT) / t.isf(DOUBT, max(units - 1, 1))) ** 2)
