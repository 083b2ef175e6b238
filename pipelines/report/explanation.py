"""What a report says about why: which parts of a row a contender's answers hang on, and whether that can be trusted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.report.estimate import Estimate, estimate, known

SAME = 0.5
"""Rank correlation with parts by weights drawn anew from which on they may say little of what was learned."""

Grid = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Importance:
    """How much worse a contender is when a part of every row is another row's.

    Args:
        part: a column, a word, a stretch of a recording, a field of a picture.
        lost: of the score, on the tested rows that were tried.
        p_value: of nothing lost, corrected by Holm's method for all parts.
        n: rows that the part is in: fewer than all, of a word.
    """

    part: str
    lost: Estimate
    p_value: float
    n: int


@dataclass(frozen=True)
class Attribution:
    """How far a part moves the answers of a network, away from those to a usual row.

    Args:
        size: mean over rows of how far, in either direction.
        mean: mean over rows with its sign; above 0 it raises the answer on the whole.
        n: rows that the part is in.
    """

    part: str
    size: Estimate
    mean: float
    n: int


@dataclass(frozen=True)
class Explanation:
    """What the answers of one contender's saved model hang on, on rows that it was tested with.

    Args:
        rows: how many were tried.
        score: what `importances` are losses of; empty where nothing was exchanged, and `why_not` says why.
        importances: the part whose exchange costs most first.
        answer, unit: what `attributions` push, and what it is counted in; empty of what is no network.
        attributions: by integrated gradients, the strongest first.
        attributed_rows: how many rows they are the mean of.
        completeness_error: the largest share of a difference by which the parts of one row do not add up to it.
        randomisation: rank correlation of a row's parts with those of the same network whose weights were drawn anew,
            over several draws: near 0 where they tell what was learned, near 1 where they tell what rows look like.
        maps: of pictures and recordings, how strongly each place is looked at, the mean over rows: `integrated
            gradients`, `grad-cam`.
    """

    rows: int
    score: str = ""
    importances: tuple[Importance, ...] = ()
    why_not: str = ""
    answer: str = ""
    unit: str = ""
    attributions: tuple[Attribution, ...] = ()
    attributed_rows: int = 0
    completeness_error: float = math.nan
    randomisation: Estimate = Estimate(math.nan)  # noqa: RUF009  frozen
    maps: Mapping[str, Grid] = field(default_factory=dict)

    @property
    def sane(self) -> bool:
        """Whether parts change when what was learned is taken away (the randomisation test)."""
        return self.randomisation.high < SAME


def most_important(asked: Sequence[tuple[str, Explanation]], first: str, most: int) -> list[str]:
    """The parts to tell: those that the contender named `first` hangs on most, then those of the others.

    Args:
        asked: (name, explanation) of contenders.
    """
    found: dict[str, float] = {}
    for name, each in asked:
        for importance in each.importances:
            lost = importance.lost.value + (1e3 if name == first else 0.0)
            found[importance.part] = max(found.get(importance.part, -math.inf), lost)
    return sorted(found, key=lambda part: -found[part])[:most]


def explanation(told: Mapping[str, Any] | None) -> Explanation | None:
    """An Explanation from plain JSON; None of a report from before its parts had these names."""
    if told is None or "importances" not in told:
        return None
    parts = {
        "importances": tuple(_part(Importance, each, "lost") for each in told["importances"]),
        "attributions": tuple(_part(Attribution, each, "size") for each in told["attributions"]),
        "randomisation": estimate(told["randomisation"]),
        "maps": {name: tuple(tuple(row) for row in grid) for name, grid in told["maps"].items()},
    }
    return Explanation(**known({**told, **parts}))


def _part(kind: type[Any], told: Mapping[str, Any], measured: str) -> Any:
    return kind(**known({**told, measured: estimate(told[measured])}))
