"""What the loop in the graph is fed with: rows that stay on the devices, or rows encoded just before they are used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from pipelines.data.batches import Epoch, in_order, padded_rows, shuffled, steps_per_epoch, widened
from pipelines.training.loop import Loop
from pipelines.training.strategy import per_replica, replicas

EVALUATION_BATCH = 256


@dataclass(frozen=True)
class Rows:
    """Rows as the core sees them.

    Args:
        x: structure of arrays, or a reader of them: `x(rows)` encodes the rows that are asked for.
        y: (n, ...) learnable targets.
        weight: (n,) float32.
        evaluated: most rows of one step of the validation.
    """

    x: Any
    y: NDArray[Any]
    weight: NDArray[np.float32]
    evaluated: int = EVALUATION_BATCH

    def __len__(self) -> int:
        return len(self.y)

    def read(self, rows: NDArray[np.int32]) -> Any:
        """Inputs of the given rows, encoded now."""
        return self.x(rows)


class Call(NamedTuple):
    """One call of `Loop.train`: its first arguments, and the steps of the epoch that it makes.

    Args:
        arguments: `data`, `rows`, `mask`, `denominators`, as the loop takes them.
        origin: the step of the epoch that stands first in `rows`.
        start, stop: steps of the epoch, `stop` not included.
    """

    arguments: tuple[Any, ...]
    origin: int
    start: int
    stop: int


class Feed(Protocol):
    """Training rows, epoch by epoch, in an order that (seed, epoch) alone decides; the seed may be the step's own."""

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        ...

    @property
    def weight(self) -> float:
        """What the sums of an epoch are divided by: the weight of all rows together."""
        ...

    def calls(self, epoch: int, position: int) -> Iterator[Call]:
        """The calls that are left of an epoch of which `position` steps are done."""
        ...


def feed_of(loop: Loop, rows: Rows, seed: int) -> Feed:
    """The feed that the loop's plan asks for."""
    return (Resident if loop.plan.resident else Streamed)(loop, rows, seed)


class Resident:
    """Rows that stay on the devices; as many steps a call as the plan says, by default a whole epoch."""

    def __init__(self, loop: Loop, rows: Rows, seed: int) -> None:
        size = min(loop.recipe.batch_size, len(rows))
        self.order = _order_of(loop, len(rows), seed)
        self.steps = steps_per_epoch(len(rows), size)
        self.weight = _weight_of(loop, rows, self.steps)
        self._at_once = loop.plan.steps_per_call or self.steps
        self._weights = rows.weight
        self._data = _on_device(rows, self.steps * size)

    def calls(self, epoch: int, position: int) -> Iterator[Call]:
        order = self.order(epoch)
        arguments = (self._data, *_placed(order), _denominators(self._weights, order))
        for start in range(position, self.steps, self._at_once):
            yield Call(arguments, 0, start, min(start + self._at_once, self.steps))


class Streamed:
    """A few steps a call, on rows encoded while the call before runs: memory stays flat however many rows there are."""

    def __init__(self, loop: Loop, rows: Rows, seed: int) -> None:
        self._rows, self._strategy = rows, loop.strategy
        self.order = _order_of(loop, len(rows), seed)
        self.steps = steps_per_epoch(len(rows), min(loop.recipe.batch_size, len(rows)))
        self.weight = _weight_of(loop, rows, self.steps)
        self._at_once = min(loop.plan.steps_per_call, self.steps)

    def calls(self, epoch: int, position: int) -> Iterator[Call]:
        order = self.order(epoch)

        def read(start: int) -> Call:
            steps = slice(start, start + self._at_once)
            with self._strategy.scope():  # a thread of its own would see the default strategy
                arguments = _just_read(self._rows, Epoch(order.rows[steps], order.mask[steps]), self._at_once)
            return Call(arguments, start, start, min(start + self._at_once, self.steps))

        starts = range(position, self.steps, self._at_once)
        with ThreadPoolExecutor(1, "encode") as reader:
            coming = reader.submit(read, starts[0])
            for following in [*starts[1:], None]:
                call = coming.result()
                if following is not None:
                    coming = reader.submit(read, following)
                yield call


def _order_of(loop: Loop, n: int, seed: int) -> Callable[[int], Epoch]:
    """Number of an epoch -> its batches: drawn by a step that has to do so itself, or all rows, shuffled."""
    size = min(loop.recipe.batch_size, n)
    sampled: Callable[[int, int, int], Epoch] | None = getattr(loop.step, "sampled", None)
    if sampled is None:
        return lambda epoch: shuffled(n, size, seed, epoch)
    return lambda epoch: sampled(n, epoch, steps_per_epoch(n, size))


def _weight_of(loop: Loop, rows: Rows, steps: int) -> float:
    """Of all rows together; of sampled ones the number that is expected, since the actual one is not to be told."""
    if loop.recipe.private:
        return float(steps * loop.recipe.batch_size)
    return float(rows.weight.sum(dtype=np.float64))


def validation_pass(loop: Loop, valid: Rows) -> Callable[[], tuple[float, NDArray[Any]]]:
    """() -> the mean loss per unit of weight, and the (n, ...) outputs."""
    size = min(valid.evaluated, len(valid))
    order = in_order(len(valid), size)
    weight = float(valid.weight.sum(dtype=np.float64))
    whole = [(_on_device(valid, order.rows.size), *_placed(order))] if loop.plan.resident else []

    def streamed() -> Iterator[tuple[Any, ...]]:
        for step in range(len(order.rows)):
            yield _just_read(valid, Epoch(order.rows[step : step + 1], order.mask[step : step + 1]))[:3]

    def validate() -> tuple[float, NDArray[Any]]:
        loss, outputs = 0.0, []
        for block in whole or streamed():
            more, found = loop.evaluate(*block)
            loss += float(more)
            outputs.append(_narrowed(np.asarray(found), size))
        return loss / weight, np.concatenate(outputs)[: len(valid)]

    return validate


def _on_device(rows: Rows, padded: int) -> Any:
    """All rows as tensors on every device, filled up so that folds of nearly equal size share one shape."""
    import tensorflow as tf

    data = tf.nest.map_structure(lambda values: padded_rows(values, padded), (rows.x, rows.y, rows.weight))
    return per_replica(lambda replica: tf.nest.map_structure(tf.constant, data))


def _placed(order: Epoch) -> tuple[Any, Any]:
    """The (steps, batch) order as tensors, each replica's columns on its device."""
    import tensorflow as tf

    parts = _columns(order)
    rows = per_replica(lambda replica: tf.constant(parts[replica].rows))
    return rows, per_replica(lambda replica: tf.constant(parts[replica].mask))


def _just_read(source: Rows, order: Epoch, steps: int = 1) -> tuple[Any, ...]:
    """The rows of these steps, encoded now, and where among them each step of each replica finds its own.

    Args:
        steps: fewer are filled up to so many, which are never made: one shape serves all calls.
    """
    import tensorflow as tf

    parts = _columns(order)

    def read(replica: int) -> Any:
        flat = parts[replica].rows.reshape(-1)
        missing = max(0, steps - len(order.rows)) * parts[replica].rows.shape[1]
        data = source.read(flat), tf.constant(source.y[flat]), tf.constant(source.weight[flat])
        return tf.nest.map_structure(lambda values: _lengthened(values, missing), data) if missing else data

    def here(replica: int) -> Any:
        rows = parts[replica].rows
        return tf.constant(padded_rows(np.arange(rows.size, dtype=np.int32).reshape(rows.shape), steps))

    mask = per_replica(lambda replica: tf.constant(padded_rows(parts[replica].mask, steps)))
    order = Epoch(padded_rows(order.rows, steps), padded_rows(order.mask, steps))
    return per_replica(read), per_replica(here), mask, _denominators(source.weight, order)


def _lengthened(values: Any, missing: int) -> Any:
    """The tensor with its first row repeated after the last."""
    import tensorflow as tf

    return tf.concat([values, tf.repeat(values[:1], missing, axis=0)], axis=0)


def _columns(order: Epoch) -> list[Epoch]:
    """Each replica's share of every batch."""
    count = replicas()
    wide = widened(order, count)
    share = wide.rows.shape[1] // count
    columns = [slice(replica * share, (replica + 1) * share) for replica in range(count)]
    return [Epoch(np.ascontiguousarray(wide.rows[:, at]), np.ascontiguousarray(wide.mask[:, at])) for at in columns]


def _narrowed(outputs: NDArray[Any], size: int) -> NDArray[Any]:
    """Outputs without those of the columns that `widened` added."""
    extra = -size % replicas()
    if not extra:
        return outputs
    return outputs.reshape(-1, size + extra, *outputs.shape[1:])[:, :size].reshape(-1, *outputs.shape[1:])


def _denominators(weight: NDArray[np.float32], order: Epoch) -> Any:
    """(steps,) weight of each global batch, never 0."""
    import tensorflow as tf

    return tf.constant(np.maximum((weight[order.rows] * order.mask).sum(axis=1, dtype=np.float32), 1e-12))
