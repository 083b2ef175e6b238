"""Points: a probability on the scale that lenders read, where so many points double the odds of a good outcome."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SURE = 1e-12
"""Probabilities nearer to 0 or 1 than this get the points of this one: odds would be infinite."""


@dataclass(frozen=True)
class Points:
    """The scale of a scorecard: `base` points at odds of `odds` to 1 against the positive class, `pdo` points to double
    them. More points mean less risk.

    Reference: Siddiqi (2006), Credit Risk Scorecards, chapter 6; Thomas, Edelman and Crook (2002), Credit Scoring and
    Its Applications, section 8.
    """

    pdo: float
    base: float
    odds: float

    def __post_init__(self) -> None:
        if not all(math.isfinite(each) for each in (self.pdo, self.base, self.odds)):
            raise ValueError("points to double the odds, base points and odds are finite numbers")
        if self.pdo <= 0 or self.odds <= 0:
            raise ValueError("points to double the odds, and odds, are above 0")

    @classmethod
    def parse(cls, text: str) -> Points:
        """The scale that `PDO:BASE:ODDS` writes, such as `20:600:50`: 600 points at 50 to 1, 20 to double them.

        Raises:
            ValueError: it writes none; the message says what can be written.
        """
        try:
            numbers = [float(each) for each in text.split(":")]
            if len(numbers) != 3:
                raise ValueError(f"three numbers are needed, and these are {len(numbers)}")
            return cls(*numbers)
        except ValueError as error:
            raise ValueError(
                f"write PDO:BASE:ODDS, such as 20:600:50 (600 points at odds of 50 to 1, 20 more double them); {error}"
            ) from error

    def __str__(self) -> str:
        return f"{self.pdo:g}:{self.base:g}:{self.odds:g}"

    @property
    def factor(self) -> float:
        """Points for each unit of log-odds against the positive class."""
        return self.pdo / math.log(2)

    @property
    def offset(self) -> float:
        """Points at even odds."""
        return self.base - self.factor * math.log(self.odds)

    def at(self, log_odds: Any) -> Any:
        """Points at these log-odds OF the positive class."""
        return self.offset - self.factor * log_odds

    def of(self, probability: NDArray[Any]) -> NDArray[np.float64]:
        """(n,) probabilities of the positive class -> (n,) points."""
        inner = np.clip(np.asarray(probability, np.float64), SURE, 1 - SURE)
        return np.asarray(self.at(np.log(inner) - np.log1p(-inner)))
