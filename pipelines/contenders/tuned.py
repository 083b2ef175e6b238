"""A contender whose settings are chosen by trials: each is trained on the training rows, scored on the validation rows.

Networks and classical models go through the same code with the same budget. The first trial is what is declared, so
that tuning is never worse than that on the validation rows. Nothing here sees a tested row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from pipelines.contenders.attempts import Attempt, Attempts
from pipelines.contenders.contender import UNMEASURED, Contender, Fitted, Watch, part_of, unwatched
from pipelines.contenders.meter import Meter
from pipelines.contenders.suggestion import Point, Space, suggestion
from pipelines.data.examples import Examples
from pipelines.errors import TrainingFailed
from pipelines.objectives.objective import Objective
from pipelines.report.document import ContenderKind, Cost, together
from pipelines.report.tuning import Tried, best_of
from pipelines.training.checkpoint import Checkpoints


class Tunable(Contender, Protocol):
    """A contender that can be set otherwise."""

    def space(self, train: Examples, pinned: Collection[str] = ()) -> Space:
        """What it may be set to on these rows.

        Args:
            pinned: settings that stay as they are.
        """
        ...

    def having(self, settings: Mapping[str, Any]) -> Contender:
        """The same contender with these settings, and none that it chooses itself."""
        ...


@dataclass(frozen=True)
class Budget:
    """What each contender may spend on each fold: so many trials, or so many seconds and at least one trial."""

    trials: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.trials} trials" if self.trials else f"{self.seconds:g} s"

    def allows(self, attempts: Attempts) -> bool:
        """Whether one more trial may begin. One that has begun may end."""
        made = len(attempts.made)
        return made < self.trials if self.trials else made == 0 or attempts.seconds < self.seconds

    def watched(self, watch: Watch, attempts: Attempts) -> Watch:
        """A Watch for the next trial."""
        return part_of(watch, len(attempts.made), self.trials) if self.trials else unwatched

    def told(self, watch: Watch, attempts: Attempts) -> None:
        """Tell how much is spent."""
        if self.trials:
            watch(len(attempts.made), self.trials)
        else:
            watch(math.ceil(min(attempts.seconds, self.seconds)), math.ceil(self.seconds))


@dataclass
class TunedContender:
    """`base`, tuned anew on each fold within the budget.

    Args:
        pinned: settings that are not searched.
        tell: told after each trial how the tuning stands, and whether that was the last one.
    """

    base: Tunable
    objective: Objective
    budget: Budget
    pinned: Collection[str] = ()
    tell: Callable[[str, bool], None] = lambda words, ended: None

    @property
    def name(self) -> str:
        return self.base.name

    @property
    def kind(self) -> ContenderKind:
        return self.base.kind

    def fit(
        self,
        train: Examples,
        valid: Examples,
        seed: int,
        watch: Watch = unwatched,
        checkpoints: Checkpoints | None = None,
    ) -> Any:
        """Try, and return the best trial's model.

        Every trial has the fold's own seed, so that they differ in their settings only. The first is of the settings
        that are declared: of a network those of its recipe; of a classical model those of its estimator, where a run
        without tuning would search a few more by itself. Where there are fewer settings than trials, all are tried.

        Raises:
            TrainingFailed: every trial failed.
        """
        space = self.base.space(train, self.pinned)
        attempts = Attempts.found(None if checkpoints is None else checkpoints.folder / "tuning", repr(space))
        best, model = best_of(attempts.tried, self.greater), None
        while self.budget.allows(attempts) and (following := self._following(space, attempts, seed)) is not None:
            point, settings = following
            number, watched = len(attempts.made) + 1, self.budget.watched(watch, attempts)
            here = checkpoints and checkpoints.within(f"trial-{number}")
            fitted, tried, cost = self._tried(number, settings, train, valid, seed, watched, here)
            before = best
            best = best_of((*attempts.tried, tried), self.greater)
            if fitted is not None and best is tried:
                model = fitted
                attempts.keep(number, fitted, self.objective, self.name, train)
            attempts.add(Attempt(tried, point, cost))
            if best is not before and best is not None:
                attempts.tidy(best.number)
            if here is not None:
                here.clear()
            self.budget.told(watch, attempts)
            self.tell(self._standing(attempts, best), False)
        if best is None:
            failed = attempts.tried
            raise TrainingFailed(f"{self.name}: all of {len(failed)} trials failed; the first one: {failed[0].why}")
        model = model or attempts.model(best.number) or self._again(best, space, attempts, train, valid, seed)
        self.budget.told(watch, attempts)
        self.tell(self._standing(attempts, best), True)
        return self._chosen(model, best, attempts)

    @property
    def greater(self) -> bool:
        """Whether a greater score is better."""
        return self.objective.greater_is_better(self.objective.primary)

    def _following(self, space: Space, attempts: Attempts, seed: int) -> tuple[Point | None, dict[str, Any]] | None:
        """Where the next trial lies and what it sets; None where all was tried."""
        if not attempts.made:
            return space.point(space.default), dict(space.default)
        tried = [(each.point, each.tried.score) for each in attempts.made if each.point is not None]
        point = suggestion(space, tried, self.greater, seed, len(attempts.made) + 1)
        return None if point is None else (point, space.settings(point))

    def _tried(
        self,
        number: int,
        settings: Mapping[str, Any],
        train: Examples,
        valid: Examples,
        seed: int,
        watch: Watch,
        checkpoints: Checkpoints | None,
    ) -> tuple[Fitted | None, Tried, Cost]:
        fitted, score, why = None, math.nan, ""
        with Meter() as meter:
            try:
                fitted = self.base.having(settings).fit(train, valid, seed, watch, checkpoints)
                truth, predictions = self.objective.encode(valid.target), fitted.predict(valid)
                score = float(self.objective.scores(truth, predictions, valid.weight)[self.objective.primary])
            except TrainingFailed as error:
                why = str(error)
        failed = fitted is None
        tried = Tried(number, _told(settings), score, meter.seconds, "failed" if failed else "finished", why)
        learned = UNMEASURED if fitted is None else fitted.cost
        rows = learned.train_rows_per_second * learned.train_seconds
        return fitted, tried, meter.cost(rows=rows, flops=learned.train_flops)

    def _again(
        self, best: Tried, space: Space, attempts: Attempts, train: Examples, valid: Examples, seed: int
    ) -> Fitted:
        """The best trial's model, trained once more: it was lost with the process that made it."""
        point = attempts.made[best.number - 1].point
        settings = space.default if best.number == 1 or point is None else space.settings(point)
        return self.base.having(settings).fit(train, valid, seed)

    def _standing(self, attempts: Attempts, best: Tried | None) -> str:
        made = len(attempts.made)
        trials = f"{made} of {self.budget.trials} trials" if self.budget.trials else f"{made} trials"
        if best is None:
            return f"{trials} in {attempts.seconds:.0f} s, none succeeded"
        return f"{trials} in {attempts.seconds:.0f} s, best {self._scored(best)} (trial {best.number})"

    def _scored(self, tried: Tried) -> str:
        return f"{self.objective.primary} {tried.score:.4f}"

    def _chosen(self, model: Any, best: Tried, attempts: Attempts) -> Any:
        """The best trial's model with what all trials cost, and what was tried."""
        tuned = f"trial {best.number} of {len(attempts.made)}, {self._scored(best)} on validation rows"
        settings = {name: _word(value) for name, value in best.settings.items()}
        return replace(
            model,
            cost=together([each.cost for each in attempts.made], model.cost),
            settings={**settings, **model.settings, "tuned": tuned},
            tried=attempts.tried,
        )


def _told(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as JSON holds them: what it cannot, in words."""
    plain = {name: value.item() if hasattr(value, "item") else value for name, value in settings.items()}
    return {
        name: value if value is None or isinstance(value, bool | int | float | str) else str(value)
        for name, value in plain.items()
    }


def _word(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
