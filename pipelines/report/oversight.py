"""What a report says of people in the loop: what may be automated at a stated error, and what is left to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.report.estimate import Estimate, estimate, estimates, known
from pipelines.report.lending import ReferralGap, ReferredGroup, gaps_from, groups_from


@dataclass(frozen=True)
class Automated:
    """What is automated at one stated error, measured on tested rows.

    Args:
        at: the stated error: the surest decisions, of which validation rows promise that no larger share is wrong.
        share: of the decisions that need no person.
        error: share of those that is wrong; NaN where there are none.
        sent_per_1000: of 1000 decisions, those that a person makes: the workload.
        caught: of the wrong decisions, the share that goes to a person.
        left_per_1000: wrong decisions among 1000 where persons decide what is sent to them, and are always right.
    """

    at: float
    share: Estimate
    error: Estimate
    sent_per_1000: Estimate
    caught: Estimate
    left_per_1000: Estimate


@dataclass(frozen=True)
class DecidedClass:
    """The same of one class at the stated error that is acted on.

    Args:
        n: tested rows that are decided so.
        share: of those, what is automated.
        error: of what is automated, the share that is wrong.
        lost: of the rows that truly are of this class, the share that is decided otherwise without a person.
    """

    label: str
    n: int
    share: Estimate
    error: Estimate
    lost: Estimate


@dataclass(frozen=True)
class Risk:
    """How often the surest decisions are wrong: one point of the risk-coverage curve."""

    coverage: float
    error: Estimate


@dataclass(frozen=True)
class Oversight:
    """Which of a contender's decisions need no person.

    Args:
        at: the stated error that is acted on, one of the `levels`.
        rows: how many independent validation rows the cut-offs of the model that is kept rest on.
        error_of_all: share of wrong decisions if all were automated.
        classes, groups, gaps: empty where nothing may be automated.
        shares: what is automated in each fold and training.
        areas: `aurc`, `excess_aurc` and `augrc` of the curve.
    """

    at: float
    rows: int
    error_of_all: Estimate
    levels: tuple[Automated, ...]
    classes: tuple[DecidedClass, ...] = ()
    groups: tuple[ReferredGroup, ...] = ()
    gaps: tuple[ReferralGap, ...] = ()
    shares: tuple[float, ...] = ()
    curve: tuple[Risk, ...] = ()
    areas: Mapping[str, Estimate] = field(default_factory=dict)

    @property
    def acted(self) -> Automated:
        """What is automated at the stated error that is acted on."""
        return next(each for each in self.levels if each.at == self.at)


@dataclass(frozen=True)
class OversightLead:
    """How much more of the same decisions the network automates than the best baseline, both at their own cut-offs."""

    network: str
    baseline: str
    at: float
    difference: Estimate


def oversight(told: Mapping[str, Any] | None) -> Oversight | None:
    """An Oversight from plain JSON."""
    if told is None:
        return None
    made = {
        "error_of_all": estimate(told["error_of_all"]),
        "levels": tuple(Automated(**_read(each)) for each in told["levels"]),
        "classes": tuple(DecidedClass(**_read(each)) for each in told["classes"]),
        "groups": groups_from(told["groups"]),
        "gaps": gaps_from(told["gaps"]),
        "shares": tuple(told["shares"]),
        "curve": tuple(Risk(**_read(each)) for each in told["curve"]),
        "areas": estimates(told["areas"]),
    }
    return Oversight(**{**told, **made})


def lead(told: Mapping[str, Any] | None) -> OversightLead | None:
    """An OversightLead from plain JSON."""
    return None if told is None else OversightLead(**_read(told))


def _read(told: Mapping[str, Any]) -> dict[str, Any]:
    return known({name: estimate(each) if isinstance(each, Mapping) else each for name, each in told.items()})
