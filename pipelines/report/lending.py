"""What a report says to those who lend: the scorecard itself, who is referred to a person, and which way risk moves."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field, fields
from typing import Any

from pipelines.report.estimate import Estimate, estimate, estimates, known


@dataclass(frozen=True)
class PointsRow:
    """One line of a scorecard: a bin of a column and the points it gives.

    Args:
        n: weight of the training rows in it.
        risk: their share of the positive class.
        woe: weight of evidence, ln of the share of all good rows over that of all bad ones.
        points: more are safer; those of one row's bins add up to its score.
    """

    column: str
    bin: str
    n: float
    risk: float
    woe: float
    points: float


@dataclass(frozen=True)
class Direction:
    """Whether a contender's probability moves the way it must when one column alone moves up.

    Args:
        direction: 1 where more of the column must not lower the risk, -1 where it must not raise it.
        n: tested rows that were tried.
        wrong: share of them whose probability moves the wrong way, somewhere, by more than can be seen.
        largest: the largest wrong move, in probability.
    """

    column: str
    direction: int
    n: int
    wrong: Estimate
    largest: float


@dataclass(frozen=True)
class ReferredGroup:
    """Of one group: the share of rows that go to a person, and how often the other rows are decided rightly."""

    attribute: str
    group: str
    n: int
    referred: Estimate
    right: Estimate


@dataclass(frozen=True)
class ReferralGap:
    """How much more often the group that is referred most is referred than the one that is least; `p_value` of none."""

    attribute: str
    difference: float
    low: float
    high: float
    groups: tuple[str, str]
    p_value: float


@dataclass(frozen=True)
class Referral:
    """Cases that a person decides: those between two thresholds, chosen on validation rows.

    Args:
        low, high: the thresholds of the model that is kept: from `low` on a row is referred, from `high` on decided
            positive again; equal where nobody is.
        referred: share of the tested rows.
        scores: of the rows decided without a person: `right` (their share decided rightly), `right_positive` (of those
            decided positive), `right_negative`, `balanced_accuracy`; `right_of_all`, as if nobody were referred; and,
            where costs are named, `cost_per_1000` of all rows, referrals counted, and `cost_per_1000_of_all` without.
    """

    rule: str
    low: float
    high: float
    referred: Estimate
    scores: Mapping[str, Estimate] = field(default_factory=dict)
    groups: tuple[ReferredGroup, ...] = ()
    gaps: tuple[ReferralGap, ...] = ()


def as_csv(card: Sequence[PointsRow]) -> str:
    """A scorecard as a table for a spreadsheet; what is not known is empty."""
    told = io.StringIO()
    writer = csv.writer(told, lineterminator="\n")
    writer.writerow([each.name for each in fields(PointsRow)])
    for row in card:
        writer.writerow(["" if value != value else value for value in astuple(row)])
    return told.getvalue()


def points_row(told: Mapping[str, Any]) -> PointsRow:
    """A row of a scorecard from plain JSON."""
    return PointsRow(**known(told))


def direction(told: Mapping[str, Any]) -> Direction:
    """A Direction from plain JSON."""
    return Direction(**known({**told, "wrong": estimate(told["wrong"])}))


def referral(told: Mapping[str, Any] | None) -> Referral | None:
    """A Referral from plain JSON."""
    if told is None:
        return None
    parts = {
        "referred": estimate(told["referred"]),
        "scores": estimates(told["scores"]),
        "groups": groups_from(told["groups"]),
        "gaps": gaps_from(told["gaps"]),
    }
    return Referral(**known({**told, **parts}))


def groups_from(told: Iterable[Mapping[str, Any]]) -> tuple[ReferredGroup, ...]:
    """Groups and what of them goes to a person, from plain JSON."""
    return tuple(
        ReferredGroup(**{**each, "referred": estimate(each["referred"]), "right": estimate(each["right"])})
        for each in told
    )


def gaps_from(told: Iterable[Mapping[str, Any]]) -> tuple[ReferralGap, ...]:
    """The gaps between them, from plain JSON."""
    return tuple(ReferralGap(**{**known(each), "groups": tuple(each["groups"])}) for each in told)
