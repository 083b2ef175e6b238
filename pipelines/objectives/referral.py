"""Referral: which rows go to a person, because a decision on them would be right too rarely, or be worth less than it.

Reference: Chow (1970), On optimum recognition error and reject tradeoff, IEEE Transactions on Information Theory 16(1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation.thresholds import named_number

Floats = NDArray[np.float64]

RULES = {
    "right:S": "of each kind of decision that is left more than the share S is right (95 %), and the fewest go",
    "cost:C": "the cost is least, where a referral costs C and an error what the rule for decisions says, else 1",
}
"""How rows can be chosen for a person, as it is written, and what then holds on the validation rows."""

ONE_SIDED = 1.6448536269514722
"""Standard errors of a one-sided 95 % bound."""


@dataclass(frozen=True)
class ReferralRule:
    """A way to choose who is referred, read from its text by `parse`."""

    name: str
    number: float

    @classmethod
    def parse(cls, text: str) -> ReferralRule:
        """The rule that `text` writes: `right:0.9`, `cost:0.2`.

        Raises:
            ValueError: it writes none; the message says what can be written.
        """
        name, number = named_number(text)
        possible = {"right": 0.5 < number < 1, "cost": 0 < number <= 1e12}
        if not possible.get(name, False):
            raise ValueError(
                f"{text!r} says nothing about whom to refer; write {' or '.join(RULES)}, where the share S is above "
                "0.5 and below 1, and the cost C above 0"
            )
        return cls(name, number)


@dataclass(frozen=True)
class Zone:
    """Probabilities that are not decided on: from `low` on, and below `high`; none where the two are equal."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high <= 2:
            raise ValueError(f"a zone reaches from a probability up to another; received {self.low}, {self.high}")

    def refers(self, probability: NDArray[Any]) -> NDArray[np.bool_]:
        """(n,) whether each row goes to a person."""
        return np.asarray((probability >= self.low) & (probability < self.high))

    def to_dict(self) -> dict[str, float]:
        """Both ends."""
        return {"low": self.low, "high": self.high}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Zone:
        """The zone that `to_dict` described.

        Raises:
            ValueError, KeyError, TypeError: it described none.
        """
        return cls(float(told["low"]), float(told["high"]))


def choose(
    target: NDArray[Any],
    probability: NDArray[Any],
    rule: ReferralRule,
    threshold: float,
    costs: tuple[float, float] = (1.0, 1.0),
    weight: NDArray[Any] | None = None,
) -> Zone:
    """The zone around a decision threshold that follows a rule; outside it decisions are what they were.

    Each side is chosen by itself: how far below the threshold rows are still decided negative, and how far above it
    they are not yet decided positive. Every division of the rows is tried. A side on which no decision can be right
    often enough is referred whole.

    Args:
        target: (n,) int, 1 for the positive class.
        probability: (n,) of the positive class.
        threshold: from which rows are decided positive.
        costs: of a false alarm and of a miss.
        weight: (n,) float >= 0; None for 1s.
    """
    counted = np.ones(len(target)) if weight is None else np.asarray(weight, np.float64)
    kept = counted > 0
    positive, value, counted = (np.asarray(target) == 1)[kept], np.asarray(probability, np.float64)[kept], counted[kept]
    false_alarm, miss = costs
    below, above = value < threshold, value >= threshold
    # Both sides are read from the far end towards the threshold; the far ends are 0 and 1.
    low = _reach(-value[below], positive[below], counted[below], rule, miss)
    high = _reach(value[above], ~positive[above], counted[above], rule, false_alarm)
    return Zone(
        0.0 if low is None else min(threshold, _between(-low[0], None if low[1] is None else -low[1], threshold)),
        2.0 if high is None else max(threshold, _between(high[0], high[1], threshold)),
    )


def _reach(
    merit: Floats, wrong: NDArray[np.bool_], weight: Floats, rule: ReferralRule, cost: float
) -> tuple[float, float | None] | None:
    """How far decisions reach, from the largest merit down.

    Returns:
        The merit of the last row that is decided, and of the first that is not (None where all are); None where no row
        is decided.
    """
    values, level = np.unique(-merit, return_inverse=True)  # rising, so from the surest decision on
    if len(values) == 0:
        return None
    errors = np.cumsum(np.bincount(level, weight * wrong, len(values)))
    decided = np.cumsum(np.bincount(level, weight, len(values)))
    if rule.name == "right":
        rows = decided**2 / np.cumsum(np.bincount(level, weight**2, len(values)))
        good = np.flatnonzero(_at_most(errors / decided, rows) <= 1 - rule.number)
        last = int(good[-1]) if len(good) else -1
    else:
        saved = rule.number * decided - cost * errors  # against referring them all
        last = int(np.flatnonzero(saved >= saved.max() - 1e-12)[-1]) if saved.max() > 0 else -1
    if last < 0:
        return None
    return -float(values[last]), -float(values[last + 1]) if last + 1 < len(values) else None


def _at_most(share: Floats, rows: Floats) -> Floats:
    """The one-sided 95 % bound of a share of so many rows (Wilson 1927): what looks best by chance must not count."""
    squared = ONE_SIDED**2
    middle, spread = share + squared / (2 * rows), share * (1 - share) / rows + squared / (4 * rows**2)
    return np.asarray((middle + ONE_SIDED * np.sqrt(spread)) / (1 + squared / rows))


def _between(last: float, after: float | None, threshold: float) -> float:
    """The end of the zone: half way between the last row that is decided and the first that is not."""
    if after is None:
        return threshold
    return last + (after - last) / 2
