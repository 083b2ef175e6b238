"""A run in which every contender is tuned within the same budget: what is tuned, what is refused, what is reported."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

from pipelines.compete import Trial
from pipelines.contenders.contender import Contender, Watch
from pipelines.contenders.remembered import itself
from pipelines.contenders.tuned import Budget, Tunable, TunedContender
from pipelines.errors import BadInput
from pipelines.objectives.objective import Objective
from pipelines.prepare import Prepared, Progress
from pipelines.report.tuning import Search, Tuning, best_of
from pipelines.training.strategy import workers

RECIPE = "recipe."


def pinned_by(assignments: Sequence[str]) -> tuple[str, ...]:
    """The fields of the recipe that the user has set, which stay as they are."""
    keys = (assignment.partition("=")[0].strip() for assignment in assignments)
    return tuple(key.removeprefix(RECIPE) for key in keys if key.startswith(RECIPE))


def tuned(
    contenders: Sequence[Contender], prepared: Prepared, budget: Budget, assignments: Sequence[str]
) -> list[Contender]:
    """The contenders, each tuned within the budget.

    Raises:
        BadInput: one of them cannot be tuned, none has anything to tune, or a setting does not go together with tuning.
    """
    pinned = pinned_by(assignments)
    _require_possible(prepared, pinned)
    train, found = prepared.dataset.examples.take(prepared.folds[0].train), []
    for contender in map(itself, contenders):
        if not hasattr(contender, "having"):
            raise BadInput(f"{contender.name} cannot be tuned")
        found.append(TunedContender(cast(Tunable, contender), prepared.objective, budget, pinned))
    if not any(each.base.space(train, pinned).axes for each in found):
        raise BadInput(
            "nothing can be tuned: neither the network (Network.search, less what --set gives) nor a baseline "
            "(Candidate.search) has a setting to search"
        )
    return list(found)


def followed(contender: Contender, prepared: Prepared, watch: Watch, progress: Progress) -> Watch:
    """A Watch for all folds of a contender; of one that is tuned, the terminal also shows how each tuning stands."""
    contender = itself(contender)
    if not isinstance(contender, TunedContender):
        return watch
    folds, at = len(prepared.folds), [1]

    def watched(done: int, total: int) -> None:
        at[0] = max(1, -(-done * folds // total))
        watch(done, total)

    def tell(words: str, ended: bool) -> None:
        where = f"fold {at[0]} of {folds}: " if folds > 1 else ""
        (progress.say if ended else progress.status)(f"{contender.name if ended else ''} {where}{words}".strip())

    contender.tell = tell
    return watched


def tuning_of(budget: Budget, trials: Sequence[Trial], prepared: Prepared, assignments: Sequence[str]) -> Tuning:
    """What the report says of it."""
    searches = [search for trial in trials for search in searches_of(trial, prepared.objective)]
    seconds = math.nan if budget.trials else budget.seconds
    return Tuning(budget.trials, seconds, tuple(searches), pinned_by(assignments))


def searches_of(trial: Trial, objective: Objective) -> list[Search]:
    """What one contender tried, fold by fold; nothing where it was not tuned."""
    greater = objective.greater_is_better(objective.primary)
    found = []
    for number, done in enumerate(trial.folds, start=1):
        if (best := best_of(done.tried, greater)) is not None:
            found.append(Search(trial.contender.name, number, best.number, done.tried))
    return found


def _require_possible(prepared: Prepared, pinned: Sequence[str]) -> None:
    if workers() > 1:
        raise BadInput("tuning runs in one process; leave out TF_CONFIG, or use `tapeline run` with several workers")
    if prepared.recipe.private:
        raise BadInput(
            "private training promises what one training spends, and choosing among several spends more; leave out "
            "recipe.dp_epsilon and recipe.dp_noise, or set what is tuned and use `tapeline run`"
        )
    if prepared.protocol.private:
        raise BadInput(
            f"--set protocol.private={prepared.protocol.private}: private networks are not tuned, for each trial would "
            "spend more; leave it out, and use `tapeline run` at the settings that tuning finds"
        )
    if "trials" in pinned:
        raise BadInput("--set recipe.trials is for the search of `tapeline run`; here --trials says how many there are")
    if prepared.protocol.mitigate:
        raise BadInput(
            "--set protocol.mitigate: what is mended is not tuned; leave it out, and mend with `tapeline run` at the "
            "settings that tuning finds"
        )
    if prepared.protocol.seeds > 1:
        raise BadInput("--set protocol.seeds: every training would be tuned anew; tune with one, then run with several")
