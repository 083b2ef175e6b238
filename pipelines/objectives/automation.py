"""Automation: which decisions are sure enough to need no person.

Reference: Chow (1970), On optimum recognition error and reject tradeoff, IEEE Transactions on Information Theory 16(1):
where probabilities come true, no other order of the decisions automates more at the same error.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.objectives.objective import Predictions

NOTHING = 2.0
"""A least confidence that no decision has."""

NEAREST = 1e-12
"""Ranks nearer to 0 or 1 than this are as far from a threshold as this one."""


def confidence(predictions: Predictions, around: float = math.nan) -> NDArray[np.float64]:
    """(n,) how sure each decision is, in [0, 1]: the probability of the class that was decided on.

    At a threshold of 0.28 a row of 0.4 is decided positive, with a confidence of 0.4.

    Args:
        predictions: for n rows, with their decisions.
        around: where answers only rank rows, the threshold of the decisions: confidence then rises with the distance
            from it in log-odds, for one decision as for the other. NaN where they are probabilities.
    """
    if around != around:
        return np.asarray(predictions.values[np.arange(len(predictions)), predictions.labels()], np.float64)
    rank, middle = (np.clip(each, NEAREST, 1 - NEAREST) for each in (predictions.values[:, 1], around))
    distance = np.abs(np.log(rank / (1 - rank)) - np.log(middle / (1 - middle)))
    return np.asarray(1 / (1 + np.exp(-distance)), np.float64)


@dataclass(frozen=True)
class Automation:
    """From which confidence on a decision needs no person, as validation rows chose it.

    Args:
        at: the stated error that is acted on, one of those in `least`.
        least: stated error -> the least confidence of what is automated; `NOTHING` where nothing may be.
        rows: how many independent validation rows chose it, or as many as they are worth.
        around: as `confidence` takes it.

    Raises:
        ValueError: these are no such numbers.
    """

    at: float
    least: Mapping[float, float]
    rows: int
    around: float = math.nan

    def __post_init__(self) -> None:
        if self.at not in self.least:
            raise ValueError(f"no confidence is known for an error of {self.at}")
        if not all(0 < error < 1 and 0 <= least <= NOTHING for error, least in self.least.items()):
            raise ValueError(f"an error and a confidence lie between 0 and 1; received {dict(self.least)}")

    def confidence(self, predictions: Predictions) -> NDArray[np.float64]:
        """(n,) how sure each decision is."""
        return confidence(predictions, self.around)

    def automates(self, predictions: Predictions, at: float | None = None) -> NDArray[np.bool_]:
        """(n,) whether each decision needs no person, at the stated error that is acted on or another of `least`."""
        return np.asarray(self.confidence(predictions) >= self.least[self.at if at is None else at])

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        around = None if self.around != self.around else self.around
        least = [[error, confidence] for error, confidence in self.least.items()]
        return {"at": self.at, "least": least, "rows": self.rows, "around": around}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Automation:
        """What `to_dict` described.

        Raises:
            ValueError, KeyError, TypeError: it described none.
        """
        least = {float(error): float(confidence) for error, confidence in told["least"]}
        around = math.nan if told["around"] is None else float(told["around"])
        return cls(float(told["at"]), least, int(told["rows"]), around)
