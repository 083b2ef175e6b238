"""What a worker that is not the chief does in a run: it trains the networks together with the others, and no more.

The chief alone trains baselines, judges, saves and records. It says which folds are still to be trained.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.contenders.lineup import line_up
from pipelines.errors import BadInput
from pipelines.prepare import Progress, Silent, prepare
from pipelines.task import DataRequest, Recipe, Task
from pipelines.training.strategy import make_deterministic, opened, workers
from pipelines.training.workers import from_chief, missed

TRAIN, DONE = b"train", b"done"
"""What the chief says of a fold."""


def assist(
    task: Task,
    request: DataRequest,
    seed: int = 0,
    assignments: Sequence[str] = (),
    progress: Progress | None = None,
    deterministic: bool = False,
) -> None:
    """Take part in the run that the chief was asked for; the arguments must be the same.

    Raises:
        BadInput: as for a run; or the data here is not the chief's.
        WorkerLost: another worker is gone.
    """
    opened()
    progress = progress or Silent()
    if deterministic:
        make_deterministic(seed)
    prepared = prepare(task, request, seed, assignments, progress)
    require_possible(prepared.recipe, deterministic)
    with missed():
        if from_chief(None) != prepared.card().sha256.encode():
            raise BadInput(f"the data in {prepared.dataset.source} is not the chief's; every worker needs the same")
        for contender in line_up(task, prepared.objective, prepared.recipe):
            if contender.kind == "classical":
                continue
            with progress.stage(contender.name) as watch:
                for number, fold in enumerate(prepared.folds):
                    if from_chief(None) == TRAIN:
                        train, valid = (prepared.dataset.examples.take(part) for part in (fold.train, fold.valid))
                        contender.fit(train, valid, seed + number, watch)


def require_possible(recipe: Recipe, deterministic: bool) -> None:
    """Refuse private training where its secret seed cannot be kept to one process.

    Raises:
        BadInput: with `--deterministic`, or with other workers.
    """
    if recipe.private and deterministic:
        raise BadInput(
            "--deterministic promises the same weights every time, and private training draws its noise from a seed "
            "that nobody may know; leave out --deterministic, or recipe.dp_epsilon and recipe.dp_noise"
        )
    if recipe.private and workers() > 1:
        raise BadInput(
            "private training draws its noise from a seed that never leaves the process; leave out --workers, or "
            "recipe.dp_epsilon and recipe.dp_noise"
        )
