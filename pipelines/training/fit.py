"""Training over epochs: shuffle, update, validate, keep the best weights, stop early."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.batches import Epoch, in_order, padded_rows, shuffled, steps_per_epoch
from pipelines.errors import BadInput, TrainingFailed
from pipelines.task import Recipe
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
        TrainingFailed: a loss became non-finite.
        BadInput: no training row, or no validation row, has any weight.
    """
    recipe = loop.recipe
    if not (train.weight.any() and valid.weight.any()):
        raise BadInput("every training row, or every validation row, has weight 0; nothing can be learned from them")
    epoch_of, validate = training_pass(loop, train, seed), _validation_pass(loop, valid)
    history: dict[str, list[float]] = {}
    best, best_epoch, kept = -np.inf, 0, Snapshot(loop.core.variables)
    for epoch in range(recipe.epochs):
        found = epoch_of(epoch)
        _require_finite("training", found["loss"], epoch, recipe)
        found["valid_loss"], outputs = validate()
        _require_finite("validation", found["valid_loss"], epoch, recipe)
        merit = -found["valid_loss"]
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


def _require_finite(which: str, loss: float, epoch: int, recipe: Recipe) -> None:
    if not np.isfinite(loss):
        raise TrainingFailed(
            f"the {which} loss became {loss} in epoch {epoch + 1}; "
            f"try --set recipe.learning_rate={recipe.learning_rate / 10:g} or --set recipe.clip_norm=1"
        )


def training_pass(loop: Loop, train: Rows, seed: int) -> Callable[[int], dict[str, float]]:
    """Epoch -> mean per unit of weight of what the step sums, by name."""
    import tensorflow as tf

    size = min(loop.recipe.batch_size, len(train))
    steps = steps_per_epoch(len(train), size)
    total = tf.constant(float(steps * loop.recipe.epochs))
    calls = (_resident_calls if loop.plan.resident else _streamed_calls)(loop, train, size)
    weight = float(train.weight.sum(dtype=np.float64))

    def epoch_of(epoch: int) -> dict[str, float]:
        sums = dict.fromkeys(loop.step.sums, 0.0)
        for first, arguments in calls(shuffled(len(train), size, seed, epoch)):
            found = loop.train(*arguments, tf.constant(float(epoch * steps + first)), total)
            sums = {name: sums[name] + float(found[name]) for name in sums}
        return {name: value / weight for name, value in sums.items()}

    return epoch_of


Calls = Callable[[Epoch], Iterator[tuple[int, tuple[Any, ...]]]]
"""Order of an epoch -> for each call of `Loop.train`: its first step, and its arguments."""


def _resident_calls(loop: Loop, train: Rows, size: int) -> Calls:
    """One call an epoch, on rows that stay on the device."""
    import tensorflow as tf

    rows = _on_device(train, size)

    def calls(order: Epoch) -> Iterator[tuple[int, tuple[Any, ...]]]:
        yield 0, (*rows, tf.constant(order.rows), tf.constant(order.mask))

    return calls


def _streamed_calls(loop: Loop, train: Rows, size: int) -> Calls:
    """A few steps a call, on rows encoded just before: memory stays flat however many rows there are."""

    def calls(order: Epoch) -> Iterator[tuple[int, tuple[Any, ...]]]:
        for first in range(0, len(order.rows), loop.plan.steps_per_call):
            steps = slice(first, first + loop.plan.steps_per_call)
            yield first, _just_read(train, order.rows[steps], order.mask[steps])

    return calls


def _validation_pass(loop: Loop, valid: Rows) -> Callable[[], tuple[float, NDArray[Any]]]:
    """() -> the mean loss per unit of weight, and the (n, ...) outputs."""
    import tensorflow as tf

    size = min(EVALUATION_BATCH, len(valid))
    order = in_order(len(valid), size)
    weight = float(valid.weight.sum(dtype=np.float64))
    whole = [(*_on_device(valid, size), tf.constant(order.rows), tf.constant(order.mask))] if loop.plan.resident else []

    def streamed() -> Iterator[tuple[Any, ...]]:
        for step in range(len(order.rows)):
            yield _just_read(valid, order.rows[step : step + 1], order.mask[step : step + 1])

    def validate() -> tuple[float, NDArray[Any]]:
        loss, outputs = 0.0, []
        for block in whole or streamed():
            more, found = loop.evaluate(*block)
            loss += float(more)
            outputs.append(np.asarray(found))
        return loss / weight, np.concatenate(outputs)[: len(valid)]

    return validate


def _on_device(rows: Rows, size: int) -> tuple[Any, Any, Any]:
    """All rows as tensors, filled up to whole batches, so that folds of nearly equal size share one shape."""
    import tensorflow as tf

    padded = steps_per_epoch(len(rows), size) * size
    x, y, weight = tf.nest.map_structure(
        lambda values: tf.constant(padded_rows(values, padded)), (rows.x, rows.y, rows.weight)
    )
    return x, y, weight


def _just_read(source: Rows, rows: NDArray[np.int32], mask: NDArray[np.float32]) -> tuple[Any, ...]:
    """The (steps, batch) rows of these steps, encoded now, and where among them each step finds its own."""
    import tensorflow as tf

    flat = rows.reshape(-1)
    here = np.arange(rows.size, dtype=np.int32).reshape(rows.shape)
    chosen = source.read(flat), tf.constant(source.y[flat]), tf.constant(source.weight[flat])
    return (*chosen, tf.constant(here), tf.constant(mask))
