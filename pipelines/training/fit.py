"""Training over epochs: shuffle, update, validate, keep the best weights, stop early."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.batches import Epoch, in_order, padded_rows, shuffled, steps_per_epoch
from pipelines.errors import TrainingFailed
from pipelines.training.checkpoint import Snapshot
from pipelines.training.loop import Loop

EVALUATION_BATCH = 256


@dataclass(frozen=True)
class Rows:
    """Rows as the core sees them.

    Args:
        x: structure of arrays, or a reader of them: `x(rows)` encodes the rows that are asked for.
        y: (n, ...) learnable targets.
        weight: (n,) float32.
    """

    x: Any
    y: NDArray[Any]
    weight: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.y)

    def read(self, rows: NDArray[np.int32]) -> Any:
        """Inputs of the given rows, encoded now."""
        return self.x(rows)


@dataclass(frozen=True)
class Trained:
    """What a training leaves besides the weights: one value per epoch and metric, and the epoch that was best."""

    metrics: dict[str, tuple[float, ...]]
    best_epoch: int


def fit(
    loop: Loop,
    train: Rows,
    valid: Rows,
    seed: int,
    score: Callable[[NDArray[Any]], float] | None,
    watch: Callable[[int, int], None],
) -> Trained:
    """Train `loop.core` and leave the best epoch's weights in it.

    Args:
        score: validation outputs -> a number to maximise; None watches the validation loss.
        watch: called with (epochs done, epochs at most).

    Raises:
        TrainingFailed: the loss became non-finite.
    """
    recipe = loop.recipe
    epoch_of, validate = _training_pass(loop, train, seed), _validation_pass(loop, valid)
    history: dict[str, list[float]] = {}
    best, best_epoch, kept = -np.inf, 0, Snapshot(loop.core.variables)
    for epoch in range(recipe.epochs):
        found = epoch_of(epoch)
        if not np.isfinite(found["loss"]):
            raise TrainingFailed(
                f"the training loss became {found['loss']} in epoch {epoch + 1}; "
                f"try --set recipe.learning_rate={recipe.learning_rate / 10:g} or --set recipe.clip_norm=1"
            )
        loss, outputs = validate()
        found |= {"valid_loss": loss}
        merit = -loss
        if score is not None:
            merit = found["valid_score"] = score(outputs)
        for name, value in found.items():
            history.setdefault(name, []).append(value)
        if merit > best:
            best, best_epoch, kept = merit, epoch, Snapshot(loop.core.variables)
        watch(epoch + 1, recipe.epochs)
        if epoch - best_epoch >= recipe.patience:
            break
    kept.restore(loop.core.variables)
    return Trained({name: tuple(values) for name, values in history.items()}, best_epoch)


def _training_pass(loop: Loop, train: Rows, seed: int) -> Callable[[int], dict[str, float]]:
    import tensorflow as tf

    size = min(loop.recipe.batch_size, len(train))
    steps = steps_per_epoch(len(train), size)
    total = tf.constant(float(steps * loop.recipe.epochs))
    calls = _resident_calls if loop.plan.resident else _streamed_calls
    prepared = calls(loop, train, size)

    def epoch_of(epoch: int) -> dict[str, float]:
        order = shuffled(len(train), size, seed, epoch)
        sums: dict[str, float] = {}
        for share, first, arguments in prepared(order):
            found = loop.train(*arguments, tf.constant(float(epoch * steps + first)), total)
            for name, value in found.items():
                sums[name] = sums.get(name, 0.0) + share * float(value)
        return sums

    return epoch_of


Calls = Callable[[Epoch], Iterator[tuple[float, int, tuple[Any, ...]]]]
"""Order of an epoch -> for each call of `Loop.train`: its share of the rows, its first step, its arguments."""


def _resident_calls(loop: Loop, train: Rows, size: int) -> Calls:
    """One call an epoch, on rows that stay on the device."""
    import tensorflow as tf

    padded = steps_per_epoch(len(train), size) * size
    x, y, weight = (
        tf.nest.map_structure(tf.constant, padded_rows(part, padded)) for part in (train.x, train.y, train.weight)
    )

    def calls(order: Epoch) -> Iterator[tuple[float, int, tuple[Any, ...]]]:
        yield 1.0, 0, (x, y, weight, tf.constant(order.rows), tf.constant(order.mask))

    return calls


def _streamed_calls(loop: Loop, train: Rows, size: int) -> Calls:
    """A few steps a call, on rows encoded just before: memory stays flat however many rows there are."""
    import tensorflow as tf

    def calls(order: Epoch) -> Iterator[tuple[float, int, tuple[Any, ...]]]:
        for first in range(0, len(order.rows), loop.plan.steps_per_call):
            rows = order.rows[first : first + loop.plan.steps_per_call]
            mask = order.mask[first : first + loop.plan.steps_per_call]
            flat = rows.reshape(-1)
            here = np.arange(rows.size, dtype=np.int32).reshape(rows.shape)
            yield (
                float(mask.sum() / order.mask.sum()),
                first,
                (train.read(flat), train.y[flat], train.weight[flat], tf.constant(here), tf.constant(mask)),
            )

    return calls


def _validation_pass(loop: Loop, valid: Rows) -> Callable[[], tuple[float, NDArray[Any]]]:
    import tensorflow as tf

    size = min(EVALUATION_BATCH, len(valid))
    order = in_order(len(valid), size)
    padded = order.rows.size
    if loop.plan.resident:
        x, y, weight = (
            tf.nest.map_structure(tf.constant, padded_rows(part, padded)) for part in (valid.x, valid.y, valid.weight)
        )
        blocks = [(x, y, weight, tf.constant(order.rows), tf.constant(order.mask))]

    def streamed() -> Iterator[tuple[Any, ...]]:
        for rows, mask in zip(order.rows, order.mask, strict=True):
            here = tf.range(size, dtype=tf.int32)[tf.newaxis]
            yield valid.read(rows), valid.y[rows], valid.weight[rows], here, tf.constant(mask[np.newaxis])

    def validate() -> tuple[float, NDArray[Any]]:
        loss, seen, outputs = 0.0, 0.0, []
        for block in blocks if loop.plan.resident else streamed():
            mean, found = loop.evaluate(*block)
            # The mean of a block counts by the weight of its rows.
            share = float(np.sum(np.asarray(block[2])[np.asarray(block[3])] * np.asarray(block[4])))
            loss, seen = loss + float(mean) * share, seen + share
            outputs.append(np.asarray(found))
        return loss / max(seen, 1e-12), np.concatenate(outputs)[: len(valid)]

    return validate
