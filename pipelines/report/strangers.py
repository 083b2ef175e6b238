"""What a report says of inputs that are unlike the training rows: whether they can be told, and how many are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.report.estimate import Estimate, estimate

UNKNOWN = Estimate(float("nan"))


@dataclass(frozen=True)
class Stranger:
    """One kind of other pictures.

    Args:
        kind, words: its name, and what they are.
        n: how many.
        by_distance, by_energy: AUROC of telling them from tested rows, by how far their features lie from those of
            training rows, and by how little the network sees of any class.
        flagged: share of them beyond the threshold.
    """

    kind: str
    words: str
    n: int
    by_distance: Estimate
    by_energy: Estimate
    flagged: Estimate


@dataclass(frozen=True)
class Strangers:
    """Whether a network's features tell other pictures from those that it is for.

    Args:
        rows: tested rows that others are told from.
        threshold: the distance beyond which `share` of the validation rows lie.
        flagged: share of the tested rows beyond it.
        left_out: kinds whose packages are not installed.
    """

    rows: int = 0
    share: float = 0.05
    threshold: float = float("nan")
    flagged: Estimate = UNKNOWN
    kinds: tuple[Stranger, ...] = ()
    left_out: tuple[str, ...] = ()
    seconds: float = float("nan")


def strangers(told: Mapping[str, Any] | None) -> Strangers | None:
    """A Strangers from plain JSON."""
    if told is None:
        return None
    measured = ("by_distance", "by_energy", "flagged")
    kinds = tuple(Stranger(**{**each, **{name: estimate(each[name]) for name in measured}}) for each in told["kinds"])
    known = {name: float("nan") if told[name] is None else told[name] for name in ("threshold", "seconds")}
    made = {"flagged": estimate(told["flagged"]), "kinds": kinds, "left_out": tuple(told["left_out"]), **known}
    return Strangers(**{**told, **made})
