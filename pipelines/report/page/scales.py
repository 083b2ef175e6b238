"""Scales of the small plots in tables: where a value stands, in percent of the width."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from pipelines.report.estimate import Estimate
from pipelines.report.wording import number

MARGIN = 4.0
"""Percent left free at each end, so that a mark at the end is whole."""
STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Scale:
    """From `low` to `high`; `mark` is a value that others are held against (0 of a difference, guessing of a score)."""

    low: float
    high: float
    mark: float = math.nan
    meaning: str = ""

    def place(self, value: float) -> float:
        """Percent from the left; what lies beyond an end is drawn at it."""
        share = (value - self.low) / (self.high - self.low)
        return round(MARGIN + (100 - 2 * MARGIN) * min(1.0, max(0.0, share)), 2)

    @property
    def ticks(self) -> tuple[tuple[float, str], ...]:
        """(percent, label) of a few round values."""
        step = _round_step((self.high - self.low) / 3)
        digits = max(0, -math.floor(math.log10(step) + 1e-9) + (1 if str(step).strip("0.").startswith("25") else 0))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return tuple((self.place(n * step), number(n * step, digits)) for n in range(first, last + 1))

    @property
    def has_mark(self) -> bool:
        """Whether the value that others are held against lies on the scale."""
        return self.low <= self.mark <= self.high


def scale_of(
    estimates: Iterable[Estimate], mark: float = math.nan, meaning: str = "", hold: bool = False
) -> Scale | None:
    """A scale on which all of these stand; None where none of them is known.

    Args:
        mark: drawn where it falls on the scale.
        meaning: what the mark is, in a word or two.
        hold: whether the scale reaches to the mark.
    """
    ends = [end for each in estimates for end in (each.value, each.low, each.high) if math.isfinite(end)]
    if not ends:
        return None
    ends += [mark] if hold and math.isfinite(mark) else []
    low, high = min(ends), max(ends)
    if low == high:
        spread = abs(low) / 10 or 0.1
        low, high = low - spread, high + spread
    return Scale(low, high, mark, meaning)


def _round_step(step: float) -> float:
    size = 10.0 ** math.floor(math.log10(step))
    return next(each for each in STEPS if each * size >= step * 0.999) * size
