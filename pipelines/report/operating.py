"""What a report says of operating points: what decisions do where a stated share of one class is decided rightly."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.report.estimate import Estimate, estimate

UNKNOWN = Estimate(math.nan)


@dataclass(frozen=True)
class OperatingPoint:
    """What one contender does at one target, such as `specificity:0.9`.

    Args:
        thresholds: chosen on the validation rows of each fold and training, that of the model that is kept first.
        validated: how many independent validation rows of the class chose it; the fewest of any fold.
        why_not: why no threshold could be chosen; empty where one was. What rests on it is then unknown.
        sensitivity, specificity: of the tested rows at these thresholds.
        precision, right_negatives: the predictive values at `prevalence`: the share of the alarms that is right, and
            of the rows left alone.
        prevalence: the share of positives that they are told for.
        stated: whether somebody stated it; else it is that of the tested rows.
        sizes: how many independent positive and negative rows show the two shares as surely.
        units: independent units that were tested.
        on_curve: the other side where the target holds exactly on the ROC curve of the tested rows themselves, which
            nobody knows beforehand: what the ranking allows, not what a threshold does.
    """

    target: str
    thresholds: tuple[float, ...] = ()
    validated: int = 0
    why_not: str = ""
    sensitivity: Estimate = UNKNOWN
    specificity: Estimate = UNKNOWN
    precision: Estimate = UNKNOWN
    right_negatives: Estimate = UNKNOWN
    prevalence: float = math.nan
    stated: bool = False
    sizes: tuple[float, float] = (0.0, 0.0)
    units: int = 0
    on_curve: Estimate = UNKNOWN

    @property
    def side(self) -> str:
        """Which share was asked for: `sensitivity` or `specificity`."""
        return self.target.partition(":")[0]

    @property
    def share(self) -> float:
        """How much of it."""
        return float(self.target.partition(":")[2])

    @property
    def other(self) -> str:
        """The side that was not asked for."""
        return "specificity" if self.side == "sensitivity" else "sensitivity"


ESTIMATES = ("sensitivity", "specificity", "precision", "right_negatives", "on_curve")


def operating_point(told: Mapping[str, Any]) -> OperatingPoint:
    """An OperatingPoint from plain JSON."""
    made = {name: estimate(told[name]) for name in ESTIMATES}
    prevalence = math.nan if told["prevalence"] is None else told["prevalence"]
    thresholds = tuple(math.nan if each is None else each for each in told["thresholds"])
    return OperatingPoint(
        **{**told, **made, "prevalence": prevalence, "thresholds": thresholds, "sizes": tuple(told["sizes"])}
    )
