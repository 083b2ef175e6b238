"""What a tuning leaves in the report: the budget that every contender had, and all that each of them tried."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Tried:
    """One trial: settings, trained on the fold's training rows and scored on its validation rows.

    Args:
        number: from 1, which is what is declared without any tuning.
        score: the deciding score; NaN where the trial failed, or the validation rows leave the score undefined.
        why: of a failed trial, the reason.
    """

    number: int
    settings: Mapping[str, Any]
    score: float
    seconds: float
    state: Literal["finished", "failed"] = "finished"
    why: str = ""


@dataclass(frozen=True)
class Search:
    """All that one contender tried on one fold.

    Args:
        fold: from 1.
        best: number of the trial whose model was tested.
    """

    contender: str
    fold: int
    best: int
    tried: tuple[Tried, ...]

    @property
    def seconds(self) -> float:
        """Spent on all trials."""
        return sum(each.seconds for each in self.tried)

    @property
    def chosen(self) -> Tried:
        """The trial whose model was tested."""
        return next(each for each in self.tried if each.number == self.best)

    def so_far(self, greater_is_better: bool) -> tuple[float, ...]:
        """The best score after each trial; NaN before there is one."""
        found: list[float] = []
        for number in range(1, len(self.tried) + 1):
            best = best_of(self.tried[:number], greater_is_better)
            found.append(math.nan if best is None else best.score)
        return tuple(found)

    @property
    def failed(self) -> int:
        """How many trials failed."""
        return sum(each.state == "failed" for each in self.tried)


@dataclass(frozen=True)
class Tuning:
    """The same budget for every contender and fold, and what each made of it.

    Args:
        trials: 0 where the budget is time.
        seconds: NaN where the budget is a number of trials.
        pinned: settings that the user had set, and that were therefore not searched.
    """

    trials: int
    seconds: float
    searches: tuple[Search, ...]
    pinned: tuple[str, ...] = ()

    @property
    def budget(self) -> str:
        """In words."""
        return f"{self.trials} trials" if self.trials else f"{self.seconds:g} s"

    def of(self, contender: str) -> tuple[Search, ...]:
        """One contender's searches, fold by fold."""
        return tuple(each for each in self.searches if each.contender == contender)

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Tuning:
        """The Tuning that a report's JSON holds."""
        searches = (
            Search(**{**each, "tried": tuple(tried_from(trial) for trial in each["tried"])})
            for each in told["searches"]
        )
        return cls(told["trials"], _number(told["seconds"]), tuple(searches), tuple(told["pinned"]))


def best_of(tried: Iterable[Tried], greater_is_better: bool) -> Tried | None:
    """The best that did not fail, the first of equals; one whose score is undefined only where all are."""
    finished = [each for each in tried if each.state == "finished"]
    sign = 1 if greater_is_better else -1
    return max(finished, key=lambda each: -math.inf if math.isnan(each.score) else sign * each.score, default=None)


def tried_from(told: Mapping[str, Any]) -> Tried:
    """The trial that JSON holds."""
    return Tried(**{**told, "score": _number(told["score"])})


def _number(value: float | None) -> float:
    return math.nan if value is None else value
