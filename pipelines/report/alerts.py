"""AlertReport: what alerts within a day's budget find, and what they are worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.report.estimate import Estimate, estimates


@dataclass(frozen=True)
class AtBudget:
    """`recall` and `saved_per_day` of each contender, had so many alerts a day been looked into."""

    alerts_per_day: int
    contenders: Mapping[str, Mapping[str, Estimate]]


@dataclass(frozen=True)
class AlertReport:
    """What comes of looking, each day, into the rows that each contender ranks first.

    `contenders` maps a name to its measures: `precision`, `recall` (of frauds), `amount_recall` (of their money),
    `saved_per_day` (the money of frauds that are found, less the cost of all alerts), and of cards and terminals that
    were compromised `..._recall` and `..._hours_to_detection` (of those found). `difference` is the network's minus the
    baseline's, on the same days.
    """

    budget: float
    cost: float
    days: int
    alerts: int
    frauds: int
    contenders: Mapping[str, Mapping[str, Estimate]]
    network: str
    baseline: str
    difference: Mapping[str, Estimate]
    by_budget: tuple[AtBudget, ...] = ()
    """What other budgets would have found and saved. The best of them, picked here, has been picked on tested rows."""
    rows: int = 0
    """Rows that alerts were chosen among; 0 in a report that was written before this was kept."""

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> AlertReport:
        """What `Report.to_dict` wrote."""

        def of_all(found: Mapping[str, Any]) -> dict[str, dict[str, Estimate]]:
            return {name: estimates(each) for name, each in found.items()}

        budgets = tuple(
            AtBudget(each["alerts_per_day"], of_all(each["contenders"])) for each in told.get("by_budget", ())
        )
        read = {"contenders": of_all(told["contenders"]), "difference": estimates(told["difference"])}
        return cls(**{**told, **read, "by_budget": budgets})
