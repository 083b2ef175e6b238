"""Mitigation: what was done against bias, what it gained and what it cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.report.estimate import Estimate, estimate


@dataclass(frozen=True)
class Change:
    """A number before and after mitigation; `change` is after minus before, paired, with its own interval."""

    name: str
    before: Estimate
    after: Estimate
    change: Estimate


@dataclass(frozen=True)
class Mitigation:
    """What a mitigated contender gained and what it cost, against the contender that it was made of.

    `gaps` are those of the attribute, by metric; `scores` what was paid (`auroc`, `accuracy`, `balanced_accuracy`,
    and `cost_per_1000` where the rule for thresholds names costs).
    """

    contender: str
    base: str
    method: str
    attribute: str
    gaps: tuple[Change, ...]
    scores: tuple[Change, ...]


def mitigation(told: Mapping[str, Any]) -> Mitigation:
    """A Mitigation from plain JSON."""
    changed = {
        part: tuple(
            Change(each["name"], *(estimate(each[side]) for side in ("before", "after", "change")))
            for each in told[part]
        )
        for part in ("gaps", "scores")
    }
    return Mitigation(**{**told, **changed})
