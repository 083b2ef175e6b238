"""What the workers of one job tell each other beside gradients: what the chief has, and whether one was told to stop.

Every worker calls these in the same order, or all of them wait for ever.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import WorkerLost
from pipelines.training.checkpoint import Saved
from pipelines.training.strategy import chief, opened, workers

NOTES = "notes.json"
"""Where the JSON of a checkpoint stands among its arrays on the way."""

SECONDS_TO_MISS_A_WORKER = 60
"""A worker that died is missed after this long at most: TensorFlow asks all of them every 30 s, for up to 10 s."""

GONE = ("UnavailableError", "AbortedError", "DeadlineExceededError", "CancelledError", "InternalError", "UnknownError")
"""How TensorFlow's calls end when another worker is gone."""


def agreed(flag: bool) -> bool:
    """Whether any worker says so; at once where there is only one."""
    return flag if workers() == 1 else bool(_summed(np.array([int(flag)], np.int32))[0])


def from_chief(payload: bytes | None) -> bytes | None:
    """What the chief calls this with, on every worker."""
    if workers() == 1:
        return payload
    mine = payload if chief() else None
    length = int(_summed(np.array([0 if mine is None else 1 + len(mine)], np.int32))[0])
    if length <= 1:
        return b"" if length else None
    padded = np.zeros(-(-(length - 1) // 4) * 4, np.uint8)  # as int32, which collectives know
    if mine is not None:
        padded[: len(mine)] = np.frombuffer(mine, np.uint8)
    return _summed(padded.view(np.int32)).tobytes()[: length - 1]


def saved_by_chief(saved: Saved | None) -> Saved | None:
    """The chief's checkpoint, on every worker."""
    if workers() == 1:
        return saved
    payload = from_chief(_packed(saved) if chief() and saved is not None else None)
    return None if payload is None else _unpacked(payload)


@contextmanager
def missed() -> Iterator[None]:
    """Say clearly what TensorFlow's error means when another worker is gone.

    Raises:
        WorkerLost: it is.
    """
    try:
        yield
    except Exception as error:
        if workers() == 1 or not any(kind.__name__ in GONE for kind in type(error).__mro__):
            raise
        raise WorkerLost(
            f"a worker of this job is gone ({type(error).__name__}); start all workers again with the same command, "
            "and training goes on from the last checkpoint"
        ) from error


def _summed(values: NDArray[Any]) -> NDArray[Any]:
    """The sum of the first replica's values over all workers."""
    import tensorflow as tf

    strategy = opened()

    def mine() -> Any:
        context = tf.distribute.get_replica_context()
        first = context.replica_id_in_sync_group % (strategy.num_replicas_in_sync // workers()) == 0
        return tf.constant(values if first else np.zeros_like(values))

    with strategy.scope():
        return np.asarray(strategy.reduce(tf.distribute.ReduceOp.SUM, strategy.run(mine), axis=None))


def _packed(saved: Saved) -> bytes:
    file = io.BytesIO()
    notes = np.frombuffer(json.dumps(dict(saved.notes)).encode(), np.uint8)
    np.savez(file, allow_pickle=False, **{**saved.arrays, NOTES: notes})
    return file.getvalue()


def _unpacked(payload: bytes) -> Saved:
    with np.load(io.BytesIO(payload), allow_pickle=False) as arrays:
        notes = json.loads(arrays[NOTES].tobytes())
        return Saved({name: arrays[name] for name in arrays.files if name != NOTES}, notes)
