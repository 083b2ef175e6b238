"""Scales of the small plots in tables: where a value stands, in percent of the width."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from pipelines.report.estimate import Estimate
from pipelines.report.wording import number

MARGIN = 4.0
"""Percent left free at each end, so that a mark at the end is whole."""
STEPS = (1, 2, 2.5, 5)


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
        step, digits = _round_step(self.high - self.low)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return tuple((self.place(n * step), number(n * step, digits)) for n in range(first, last + 1))

    def beyond(self, value: float) -> str:
        """`left` or `right` where the value lies beyond that end; else nothing."""
        return "left" if value < self.low else "right" if value > self.high else ""

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


def _round_step(length: float) -> tuple[float, int]:
    """The largest round step that divides a length into three at least, and the decimals that it is written with."""
    size = math.floor(math.log10(length / 3))
    step = max(each for each in STEPS if each * 10.0**size <= length / 3 * 1.001)
    return step * 10.0**size, max(0, -size + (step == 2.5))
