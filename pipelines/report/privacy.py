"""The price of privacy: what a network that is trained privately pays, against itself without."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.report.estimate import Estimate, estimate


@dataclass(frozen=True)
class GapChange:
    """A gap between the groups of an attribute without privacy and with it; `change` is paired.

    `n` counts the rows that the gap without privacy rests on, in each of the two groups that are furthest apart.
    """

    attribute: str
    metric: str
    before: Estimate
    after: Estimate
    change: Estimate
    n: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class PrivacyPrice:
    """What `contender`, private at `epsilon`, pays against `base`, the same network without privacy.

    `score` is how much worse its primary score is, whatever the score's direction, on the same rows; its p-value is
    corrected by Holm's method for the number of epsilons. What an attack tells of both, and what training them took, is
    in their scorecards.
    """

    contender: str
    base: str
    epsilon: float
    score: Estimate
    p_value: float = math.nan
    test: str = ""
    gaps: tuple[GapChange, ...] = field(default_factory=tuple)


def price(told: Mapping[str, Any]) -> PrivacyPrice:
    """A PrivacyPrice from plain JSON."""
    chance = math.nan if told["p_value"] is None else told["p_value"]
    gaps = tuple(_gap_change(each) for each in told["gaps"])
    return PrivacyPrice(**{**told, "score": estimate(told["score"]), "p_value": chance, "gaps": gaps})


def _gap_change(told: Mapping[str, Any]) -> GapChange:
    sides = {side: estimate(told[side]) for side in ("before", "after", "change")}
    return GapChange(**{**told, **sides, "n": tuple(told["n"])})
