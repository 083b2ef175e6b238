"""Settings that these data, or this task, would not heed: they are refused, for nobody sets them to have nothing."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from pipelines.data.examples import Examples
from pipelines.data.splits import Fold
from pipelines.errors import BadInput
from pipelines.evaluation.blocks import LEAST_BLOCKS
from pipelines.evaluation.scores import RANGES
from pipelines.objectives.objective import Objective
from pipelines.recipe import OF_SOME
from pipelines.task import Protocol as Splitting
from pipelines.task import Recipe, Task


def require_divisible(task: Task, protocol: Splitting, examples: Examples) -> None:
    """Refuse to split by id where the rows are of a kind that only time divides.

    Raises:
        BadInput: with the setting, and why.
    """
    if protocol.by == "id" and examples.ids is None and task.protocol.by == "time":
        raise BadInput(
            f"--set protocol.by=id: {task.name} is split by time, for those whom its rows are about are the same in "
            "training and test; leave it out"
        )


def require_effect(
    recipe: Recipe, protocol: Splitting, primary: str, examples: Examples, folds: Sequence[Fold]
) -> None:
    """Refuse ways to compare that would do nothing, or what they may not, with this data.

    Raises:
        BadInput: with the setting, and what it needs.
    """
    for name in (each for each in ("block", "delay", "purge") if protocol.by != "time" and getattr(protocol, each)):
        raise BadInput(
            f"--set protocol.{name}={getattr(protocol, name)}: it does nothing where rows are not split by time; say "
            "which column holds the moments with --time COLUMN, or leave it out"
        )
    tested = np.unique(np.concatenate([fold.test for fold in folds]))
    moments = 0 if examples.time is None else len(np.unique(examples.time[tested]))
    if protocol.block * LEAST_BLOCKS > moments and protocol.block:
        raise BadInput(
            f"--set protocol.block={protocol.block}: only {moments} moments are tested, and fewer than {LEAST_BLOCKS} "
            f"blocks of them show no spread; set at most {moments // LEAST_BLOCKS}, or 0"
        )
    lowest, highest = RANGES.get(primary, (-math.inf, math.inf))
    if protocol.margin >= highest - lowest:
        raise BadInput(
            f"--set protocol.margin={protocol.margin:g}: {primary} lies between {lowest:g} and {highest:g}, so nothing "
            "could be worse by more; set less, such as 0.01"
        )
    if protocol.private and recipe.private:
        raise BadInput(
            f"--set protocol.private={protocol.private} tells what privacy costs against a network without, and "
            "recipe.dp_epsilon or recipe.dp_noise leaves none; leave one of them out"
        )
    if (recipe.private or protocol.private) and protocol.seeds > 1:
        epsilon = "recipe.dp_epsilon" if recipe.private else "protocol.private"
        raise BadInput(
            f"--set protocol.seeds={protocol.seeds} trains several networks on the same rows, each of which would "
            f"spend what {epsilon} allows one; leave it at 1"
        )


def require_heeded(
    task: Task, recipe: Recipe, protocol: Splitting, objective: Objective, columns: Collection[str]
) -> None:
    """Refuse settings that this task would not heed on data of these columns.

    Raises:
        BadInput: with the setting, and why.
    """
    if task.alerts is None and (protocol.alert_budget or protocol.alert_cost >= 0):
        raise BadInput(f"--set protocol.alert_budget and alert_cost do nothing here: {task.name} has no alerts")
    if protocol.points != task.protocol.points and protocol.points and not getattr(objective, "binary", False):
        raise BadInput(f"--set protocol.points={protocol.points} is for two classes, which this target has not")
    if protocol.obey == "yes" and not any(each.obeys == "asked" for each in task.baselines):
        raise BadInput(
            f"--set protocol.obey=yes does nothing here: {task.name} has no baseline that can be made to obey"
        )
    for name in OF_SOME:
        if getattr(recipe, name) not in (getattr(task.recipe, name), getattr(Recipe(), name)):
            _require_one_heeds(task.competing(protocol.networks, columns), name, getattr(recipe, name))
    if recipe.mixup and {"penalty", "all"} & {each.strip() for each in protocol.mitigate.split(",")}:
        raise BadInput(
            f"--set recipe.mixup={recipe.mixup:g}: a row that is mixed of two belongs to no group, which "
            "protocol.mitigate=penalty compares; leave one of them out"
        )
    taught = {each.learns_from for each in task.networks} | {each.learns_from for each in task.baselines}
    if recipe.contaminated == "yes" and "normal" not in taught:
        raise BadInput(f"--set recipe.contaminated=yes does nothing here: all of {task.name} learn from labels")


def _require_one_heeds(task: Task, name: str, value: Any) -> None:
    if not any(name in each.heeds for each in task.networks):
        raise BadInput(
            f"--set recipe.{name}={value} does nothing here: none of {', '.join(each.name for each in task.networks)} "
            "heeds it"
        )
