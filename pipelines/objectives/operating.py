"""Operating points: at which threshold a stated share of one class is decided rightly, as validation rows choose it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation.thresholds import choose, named_number

Side = Literal["sensitivity", "specificity"]
OTHER: Mapping[Side, Side] = {"sensitivity": "specificity", "specificity": "sensitivity"}


@dataclass(frozen=True)
class Target:
    """What is asked for: at least so large a share of the positive rows found, or of the negative ones left alone."""

    side: Side
    share: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """The target that `text` writes: `sensitivity:0.95`.

        Raises:
            ValueError: it writes none; the message says what can be written.
        """
        name, share = named_number(text)
        for side in OTHER:
            if name == side and 0.5 <= share < 1:
                return cls(side, share)
        raise ValueError(
            f"{text!r} says nothing about where to operate; write sensitivity:S or specificity:S, where the share S is "
            "at least 0.5 and below 1, several with commas between"
        )

    @property
    def other(self) -> Side:
        """What is then to be known."""
        return OTHER[self.side]

    @property
    def name(self) -> str:
        """`sensitivity_at_95_percent_specificity`, of the target `specificity:0.95`."""
        return f"{self.other}_at_{100 * self.share:g}_percent_{self.side}"

    @property
    def needed(self) -> int:
        """The fewest rows of the class that can choose a point: one of them, on average, lies beyond it."""
        return math.ceil(1 / (1 - self.share) - 1e-9)

    def __str__(self) -> str:
        return f"{self.side}:{self.share:g}"


def targets(text: str) -> tuple[Target, ...]:
    """The targets that `text` writes with commas between; none of an empty text.

    Raises:
        ValueError: one is none, or is written twice.
    """
    found = tuple(Target.parse(each) for each in text.split(",") if each.strip())
    if len(set(found)) < len(found):
        raise ValueError(f"{text!r} asks for the same twice")
    return found


@dataclass(frozen=True)
class Chosen:
    """A threshold as validation rows chose it.

    Args:
        threshold: from which probability on a row is decided positive; NaN where too few rows could choose it.
        units: how many independent validation rows of the class there were.
    """

    target: Target
    threshold: float
    units: int

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        known = self.threshold == self.threshold
        return {"target": str(self.target), "threshold": self.threshold if known else None, "units": self.units}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """What `to_dict` described.

        Raises:
            ValueError, KeyError, TypeError: it described none.
        """
        threshold = math.nan if told["threshold"] is None else float(told["threshold"])
        return cls(Target.parse(told["target"]), threshold, int(told["units"]))


def chosen(
    target: Target,
    truth: NDArray[Any],
    probability: NDArray[Any],
    weight: NDArray[Any] | None = None,
    clusters: NDArray[Any] | None = None,
) -> Chosen:
    """The threshold at which validation rows reach the target, and the other side is best.

    Args:
        truth: (n,) 1 for the positive class.
        probability: (n,) of the positive class.
        weight: (n,) float >= 0, or None for 1s.
        clusters: (n,) number of the unit that each row belongs to; None where every row is a unit of its own.
    """
    counted = np.ones(len(truth), bool) if weight is None else np.asarray(weight) > 0
    rows = np.flatnonzero(counted & ((np.asarray(truth) == 1) == (target.side == "sensitivity")))
    units = len(rows) if clusters is None else len(np.unique(clusters[rows]))
    if units < target.needed or len(rows) == counted.sum():  # of one class there is nothing to tell apart
        return Chosen(target, math.nan, units)
    return Chosen(target, choose(truth, probability, str(target), weight), units)
