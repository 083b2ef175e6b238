"""What a worker that is not the chief does in a run: it trains the networks together with the others, and no more.

The chief alone trains baselines, judges, saves and records. It says which trainings are still to be made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from pipelines.contenders.lineup import line_up
from pipelines.errors import BadInput
from pipelines.prepare import Prepared, Progress, Silent, prepare
from pipelines.task import DataRequest, Task
from pipelines.tracking.provenance import sources, versions
from pipelines.training.strategy import make_deterministic, opened, workers
from pipelines.training.workers import agreed, from_chief, missed

TRAIN, DONE = b"train", b"done"
"""What the chief says of a training."""


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
        BadInput: as for a run; or something that was asked for is not what the chief was asked for.
        WorkerLost: another worker is gone.
    """
    progress = progress or Silent()
    meet(progress)
    if deterministic:
        make_deterministic(seed)
    prepared = prepare(task, request, seed, assignments, progress)
    task = task.competing(prepared.protocol.networks, prepared.dataset.examples.columns)
    require_possible(prepared, deterministic)
    agree(task, request, seed, assignments, deterministic, prepared)
    with missed():
        for contender in line_up(task, prepared.objective, prepared.recipe):
            if contender.kind == "classical":
                continue
            with progress.stage(contender.name) as watch:
                for each in prepared.trainings(seed):
                    if from_chief(None) == TRAIN:
                        parts = (each.fold.train, each.fold.valid)
                        train, valid = (prepared.dataset.examples.take(part) for part in parts)
                        contender.fit(train, valid, each.seed, watch)


def meet(progress: Progress) -> None:
    """Open the devices, which several workers do together; before TensorFlow computes anything, or they cannot.

    Raises:
        BadInput: the port of this worker cannot be had.
        WorkerLost: not all workers came in time.
    """
    with progress.stage("meet the other workers") if workers() > 1 else nullcontext(), missed():
        opened()


def agree(
    task: Task, request: DataRequest, seed: int, assignments: Sequence[str], deterministic: bool, prepared: Prepared
) -> None:
    """Make sure that all workers are asked for the same, of the same data and with the same code.

    Otherwise each would train on other rows, or wait for what the others never do.

    Raises:
        BadInput: they are not; on every one of them.
        WorkerLost: another worker is gone.
    """
    if workers() == 1:
        return
    asked = {name: value for name, value in vars(request).items() if name != "where"}
    mine: Mapping[str, Any] = {
        "the task": task.name, "--seed": seed, "--set": sorted(assignments), "--deterministic": deterministic,
        **{f"--{name}": list(value) if isinstance(value, tuple) else value for name, value in asked.items()},
        "the code": sources(), "versions": versions(), "the data": prepared.card().sha256,
    }  # fmt: skip
    with missed():
        theirs = json.loads(from_chief(json.dumps(mine).encode()) or b"{}")
        other = [name for name, value in mine.items() if theirs.get(name) != value]
        wrong = agreed(bool(other))
    if other:
        raise BadInput(
            f"here {' and '.join(other)} {'is' if len(other) == 1 else 'are'} not the chief's (data: "
            f"{prepared.dataset.source}); every worker needs the same"
        )
    if wrong:
        raise BadInput("another worker was not started with the same command, data or code; it says what differs")


def require_possible(prepared: Prepared, deterministic: bool) -> None:
    """Refuse private training where its seed cannot be kept to one process; of several mitigation, blends and shadows.

    Raises:
        BadInput: private training with `--deterministic`; either with other workers.
    """
    recipe, protocol = prepared.recipe, prepared.protocol
    if prepared.mitigation is not None and workers() > 1:
        raise BadInput("protocol.mitigate trains in one process; leave out --workers, or protocol.mitigate")
    if protocol.blend == "yes" and workers() > 1:
        raise BadInput("protocol.blend trains in one process; leave out --workers, or protocol.blend")
    if protocol.shadows and workers() > 1:
        raise BadInput("protocol.shadows trains in one process; leave out --workers, or protocol.shadows")
    private = "recipe.dp_epsilon and recipe.dp_noise" if recipe.private else protocol.private and "protocol.private"
    if private and deterministic:
        raise BadInput(
            "--deterministic promises the same weights every time, and private training draws its noise from a seed "
            f"that nobody may know; leave out --deterministic, or {private}"
        )
    if private and workers() > 1:
        raise BadInput(
            "private training draws its noise from a seed that never leaves the process; leave out --workers, or "
            f"{private}"
        )
