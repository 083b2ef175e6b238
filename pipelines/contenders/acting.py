"""Acting: what those who act on a model's answers are told beside them: points, who goes to a person, what is usual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pipelines.data.cells import missing
from pipelines.data.examples import Examples
from pipelines.objectives.automation import Automation
from pipelines.objectives.referral import Zone
from pipelines.points import Points

Usual = Mapping[str, float | str | None]
"""Column -> the median of a number, the most frequent category; None where nothing is known of it."""


@dataclass(frozen=True)
class Acting:
    """What is saved beside a model for those who act on its answers.

    Args:
        points: the scale on which probabilities are points as well; None where there is none.
        zone: the probabilities at which a person decides; None where nobody is referred.
        usual: what reasons compare with; empty where the rows are no table.
        automation: which decisions need no person; None of what decides no class.
    """

    points: Points | None = None
    zone: Zone | None = None
    usual: Usual = field(default_factory=dict)
    automation: Automation | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "points": None if self.points is None else str(self.points),
            "zone": None if self.zone is None else self.zone.to_dict(),
            "usual": dict(self.usual),
            "automation": None if self.automation is None else self.automation.to_dict(),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any] | None) -> Acting:
        """What `to_dict` described; nothing of a model that was saved before there was any of it.

        Raises:
            ValueError, KeyError, TypeError: it was not described by `to_dict`.
        """
        if told is None:
            return cls()
        usual = {str(name): value for name, value in told["usual"].items()}
        if strange := [value for value in usual.values() if not isinstance(value, float | int | str | None)]:
            raise ValueError(f"{strange[0]!r} is no usual value")
        points = None if told["points"] is None else Points.parse(told["points"])
        automation = None if told.get("automation") is None else Automation.from_dict(told["automation"])
        return cls(points, None if told["zone"] is None else Zone.from_dict(told["zone"]), usual, automation)


def usual_of(train: Examples) -> Usual:
    """The usual value of each number and category, over the training rows that have one."""
    found: dict[str, float | str | None] = {}
    for name in train.names("number"):
        numbers = np.asarray(train.columns[name], np.float64)
        known = np.sort(numbers[~np.isnan(numbers)])
        found[name] = float(known[(len(known) - 1) // 2]) if len(known) else None  # a value that somebody has
    for name in train.names("category"):
        words = np.asarray(train.columns[name])
        known, counts = np.unique(words[~missing(words)].astype(str), return_counts=True)
        found[name] = str(known[counts.argmax()]) if len(known) else None
    return found
