"""AlertReport: what alerts within a day's budget find, and what they are worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.report.document import Estimate


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

    @classmethod
    def from_dict(cls, told: Mapping[str, Any], estimate: Callable[[Any], Estimate]) -> AlertReport:
        """What `Report.to_dict` wrote; `estimate` reads one value with its interval."""

        def measures(found: Mapping[str, Any]) -> dict[str, Estimate]:
            return {name: estimate(each) for name, each in found.items()}

        contenders = {name: measures(found) for name, found in told["contenders"].items()}
        return cls(**{**told, "contenders": contenders, "difference": measures(told["difference"])})
