"""Thresholds: from which probability on a row is decided positive. Chosen on validation rows, never on test rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

UNDECIDED = 0.5
"""The threshold where the rows cannot choose one."""

RULES = {
    "balanced_accuracy": "the mean of the shares of both classes that are decided rightly is largest (Youden 1950)",
    "f1": "f1 is largest",
    "accuracy": "most rows are decided rightly",
    "cost:FP:FN": "the cost is least, where a false alarm costs FP and a missed positive row FN",
    "sensitivity:S": "at least the share S of the positive rows is found, with the fewest false alarms",
    "specificity:S": "at least the share S of the negative rows is left alone, and the most positive rows are found",
    "precision:P": "at least the share P of the alarms is right, and the most positive rows are found",
    "alerts:A": "at most the share A of the rows is decided positive, and the most positive rows are found",
}
"""How a threshold can be chosen, as it is written, and what then holds on the validation rows.

Two costs say all that four do: where right decisions cost something as well, FP is what a false alarm costs more than
leaving a negative row alone, and FN what a miss costs more than finding a positive one. Which decision is best depends
on nothing else (Elkan 2001, section 1).
"""


def named_number(text: str) -> tuple[str, float]:
    """What `NAME:NUMBER` says; the number is NaN where none is written."""
    name, _, told = text.strip().partition(":")
    try:
        return name, float(told)
    except ValueError:
        return name, math.nan


@dataclass(frozen=True)
class Rule:
    """A way to choose a threshold, read from its text by `parse`.

    Args:
        name: which of `RULES`, without its numbers.
        numbers: those of the rule: two costs, a share, or none.
    """

    name: str
    numbers: tuple[float, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Rule:
        """The rule that `text` writes: `f1`, `cost:1:5`, `sensitivity:0.9`, ...

        Raises:
            ValueError: it writes none; the message says what can be written.
        """
        name, *given = text.strip().split(":")
        form = next((each for each in RULES if each.partition(":")[0] == name), None)
        try:
            numbers = tuple(float(each) for each in given)
        except ValueError:
            numbers = (-1.0,)
        if form is None or len(numbers) != form.count(":") or not _possible(name, numbers):
            raise ValueError(
                f"{text!r} says nothing about how to decide; write one of {', '.join(RULES)}, where costs are positive "
                "and 1e12 at most, and shares between 0 and 1"
            )
        return cls(name, numbers)

    def __str__(self) -> str:
        return ":".join([self.name, *(f"{number:g}" for number in self.numbers)])


def choose(
    target: NDArray[Any],
    probability: NDArray[Any],
    by: str | Rule = "balanced_accuracy",
    weight: NDArray[Any] | None = None,
) -> float:
    """The threshold of the decisions `probability >= threshold` that follows a rule.

    Every different division of the rows is tried: cuts lie half way between neighbouring probabilities, at 0
    (all positive) and above the highest (none positive). Among equally good cuts the one nearest to 0.5 is taken,
    the lower of two that are as near. Where no cut reaches the precision that is asked for, the most precise is taken.

    Args:
        target: (n,) int, 1 for the positive class.
        probability: (n,) of the positive class, in [0, 1].
        by: the rule, or its text (`RULES`).
        weight: (n,) float >= 0: how many rows each one counts for; None for 1s.

    Returns:
        The threshold; 0.5 where only one class is present.
    """
    weights = np.ones(len(target)) if weight is None else np.asarray(weight, np.float64)
    kept = weights > 0  # a row that does not count must not even move a cut, which lies half way between two rows
    positive, probability, counted = (np.asarray(target) == 1)[kept], np.asarray(probability)[kept], weights[kept]
    positives, negatives = float(counted @ positive), float(counted @ ~positive)
    if positives == 0 or negatives == 0:
        return UNDECIDED
    values, level = np.unique(np.asarray(probability, np.float64), return_inverse=True)
    # hit[i] and false[i]: rows decided positive, rightly and wrongly, when the i lowest values are below the cut.
    hit = positives - np.concatenate([[0], np.cumsum(np.bincount(level, counted * positive, len(values)))])
    false = negatives - np.concatenate([[0], np.cumsum(np.bincount(level, counted * ~positive, len(values)))])
    reached = _reached(by if isinstance(by, Rule) else Rule.parse(by), hit, false, positives, negatives)
    cuts = _cuts(values)
    best = cuts[reached >= reached.max() - 1e-12]
    return float(best[np.argmin(np.abs(best - UNDECIDED))])


def _possible(name: str, numbers: tuple[float, ...]) -> bool:
    """Whether costs are positive and finite, and a share lies within 0 and 1."""
    return all(0 < number <= (1e12 if name == "cost" else 1) for number in numbers)


def _reached(rule: Rule, hit: Floats, false: Floats, positives: float, negatives: float) -> Floats:
    """What a rule makes of each cut; the largest is the best."""
    if rule.name == "cost":
        false_alarm, miss = rule.numbers
        return -(false_alarm * false + miss * (positives - hit)) / (false_alarm + miss)
    if rule.name == "sensitivity":
        return np.where(hit >= rule.numbers[0] * positives - 1e-9, -false, -np.inf)
    if rule.name == "specificity":
        return np.where(negatives - false >= rule.numbers[0] * negatives - 1e-9, hit, -np.inf)
    if rule.name == "alerts":
        return np.where(hit + false <= rule.numbers[0] * (positives + negatives) + 1e-9, hit, -np.inf)
    precision = np.divide(hit, hit + false, out=np.zeros(len(hit)), where=hit + false > 0)
    if rule.name == "precision":
        wanted = precision >= min(rule.numbers[0], precision.max()) - 1e-12
        return np.where(wanted, hit, -np.inf)
    if rule.name == "f1":
        return 2 * hit / (positives + hit + false)
    if rule.name == "accuracy":
        return (hit + negatives - false) / (positives + negatives)
    return (hit / positives + (negatives - false) / negatives) / 2


def _cuts(values: Floats) -> Floats:
    """(m + 1,) one cut below each of the m rising values, and one above them all."""
    between = values[:-1] + np.diff(values) / 2
    between = np.where(between > values[:-1], between, values[1:])  # neighbouring floats have no middle
    top = values[-1] + (1 - values[-1]) / 2 if values[-1] < 1 else values[-1]
    above = top if top > values[-1] else np.nextafter(values[-1], np.inf)
    return np.concatenate([[min(0.0, values[0])], between, [above]])
