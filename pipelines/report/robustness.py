"""What a report says of worse pictures: what noise, blur, little contrast and strong compression cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.report.estimate import Estimate, estimate

STATED_LOSS = 0.05
"""Of the score, from which on a report says so."""


@dataclass(frozen=True)
class Worsened:
    """One corruption at one severity.

    Args:
        severity: from 1, the mildest.
        amount: in the corruption's own unit (`data.pictures.corrupted.SEVERITIES`).
        score: of the pictures so changed.
        lost: how much worse than of the same pictures as they are; above 0 is worse whatever the score's direction.
    """

    corruption: str
    severity: int
    amount: float
    score: Estimate
    lost: Estimate


@dataclass(frozen=True)
class Robustness:
    """What worse pictures do to the saved model of one contender.

    Args:
        score: what is told of.
        rows: how many of its tested pictures were made worse, the same ones for every contender.
        clean: of these as they are.
        seconds: that all of it took.
        why_not: why nothing was measured; empty where it was.
    """

    score: str
    rows: int = 0
    clean: Estimate = Estimate(float("nan"))  # noqa: RUF009  frozen
    worsened: tuple[Worsened, ...] = ()
    seconds: float = float("nan")
    why_not: str = ""


@dataclass(frozen=True)
class WorsenedLead:
    """The network's lead over the best baseline on the same worse pictures; above 0 the network is better."""

    corruption: str
    severity: int
    difference: Estimate


def robustness(told: Mapping[str, Any] | None) -> Robustness | None:
    """A Robustness from plain JSON."""
    if told is None:
        return None
    worsened = tuple(
        Worsened(**{**each, "score": estimate(each["score"]), "lost": estimate(each["lost"])})
        for each in told["worsened"]
    )
    seconds = float("nan") if told["seconds"] is None else told["seconds"]
    return Robustness(**{**told, "clean": estimate(told["clean"]), "worsened": worsened, "seconds": seconds})


def worsened_lead(told: Mapping[str, Any]) -> WorsenedLead:
    """A WorsenedLead from plain JSON."""
    return WorsenedLead(**{**told, "difference": estimate(told["difference"])})
