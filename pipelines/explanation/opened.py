"""A network taken apart: what turns raw columns into numbers, and what can be differentiated from there on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipelines.contenders.network import FittedNetwork
from pipelines.data.examples import Examples, Kind
from pipelines.explanation.answer import Answer, answer_of
from pipelines.models.inputs import as_tensors
from pipelines.training.plan import rows_within

Floats = NDArray[np.float32]

BYTES_AT_ONCE = 16 << 20
"""Of encoded rows that go through a network together."""

MOST_AT_ONCE = 4096


@dataclass(frozen=True)
class Opened:
    """A trained network in parts.

    Args:
        encode: Keras model from raw columns to what is fitted and not trained: features, spectrograms, words by number.
        embed: Keras layer from words by number to vectors; None where the core takes numbers already.
        rest: Keras model from encoded or embedded rows to outputs.
        core: all that was trained, `embed` included.
        kinds: the columns it reads.
        answer: the number of a row that is explained.
    """

    encode: Any
    embed: Any
    rest: Any
    core: Any
    kinds: dict[str, Kind]
    answer: Answer

    @property
    def shape(self) -> Literal["table", "text", "other"]:
        """Of the rows that it reads."""
        kinds = set(self.kinds.values())
        return "table" if kinds <= {"number", "category"} else "other" if self.embed is None else "text"

    def encoded(self, rows: Examples) -> NDArray[Any]:
        """(n, ...) rows as `encode` gives them: words by number, of a text."""
        return np.concatenate(list(self.blocks(rows)))

    def blocks(self, rows: Examples) -> Iterator[NDArray[Any]]:
        """The same some rows at a time, as many as fit."""
        columns = {name: rows.columns[name] for name in self.kinds}
        size = rows_within(MOST_AT_ONCE, self.row_bytes, BYTES_AT_ONCE)
        for start in range(0, len(rows), size):
            part = as_tensors(columns, self.kinds, slice(start, start + size))
            yield np.asarray(self.encode(part))

    @property
    def row_bytes(self) -> int:
        """Of one encoded row."""
        return 4 * int(np.prod(self.encode.output_shape[1:]))

    def numbers(self, encoded: NDArray[Any]) -> Floats:
        """(n, ...) what is differentiated by: the encoded rows, or the vectors of their words."""
        if self.embed is None:
            return np.asarray(encoded, np.float32)
        return np.asarray(in_blocks(self.embed, encoded), np.float32)

    def chosen(self, numbers: Floats) -> NDArray[np.int32]:
        """(n,) which output of each row is explained, by what the network itself decides."""
        return np.asarray(in_blocks(lambda x: self.answer.choose(self._forward(x)), numbers), np.int32)

    def values(self, numbers: Floats, chosen: NDArray[np.int32]) -> NDArray[np.float64]:
        """(n,) the number that is explained."""
        said = in_blocks(lambda x, which: self.answer.of(self._forward(x), which), numbers, chosen)
        return np.asarray(said, np.float64)

    @cached_property
    def _forward(self) -> Callable[[Any], Any]:
        """(n, ...) numbers -> outputs, in the graph: a recurrent layer takes its steps one by one outside it."""
        import tensorflow as tf

        def forward(numbers: Any) -> Any:
            return self.rest(numbers, training=False)

        traced: Callable[[Any], Any] = tf.function(forward, autograph=False, reduce_retracing=True)
        return lambda numbers: traced(tf.constant(numbers))

    @cached_property
    def slope(self) -> Callable[[Any, Any], Any]:
        """((n, ...) numbers, chosen) -> (n, ...) gradients of the answer, by the tape; of whatever the weights are."""
        import tensorflow as tf

        def slope(numbers: Any, chosen: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(numbers)
                answers = tf.reduce_sum(self.answer.of(self.rest(numbers, training=False), chosen))
            return tape.gradient(answers, numbers)

        traced: Callable[[Any, Any], Any] = tf.function(slope, autograph=False, reduce_retracing=True)
        return lambda numbers, chosen: traced(tf.constant(numbers), tf.constant(chosen))


def opened(fitted: Any) -> Opened | None:
    """The parts of a trained or loaded network; None of what is no network, or several in one, as an ensemble is."""
    import keras

    if not isinstance(fitted, FittedNetwork):
        return None
    cores = [layer for layer in fitted.model.layers if isinstance(layer, keras.Model)]
    if len(cores) != 1:
        return None
    (core,) = cores
    encoded = _encoded(core)
    if len(encoded) != 1 or len(core.inputs) != 1:
        return None
    first = [each for each in core.layers if isinstance(each, keras.layers.Embedding)]
    embed = first[0] if len(first) == 1 and first[0].input is core.inputs[0] else None
    rest = core if embed is None else keras.Model(embed.output, core.output)
    encode = keras.Model(fitted.model.input, encoded[0])
    return Opened(encode, embed, rest, core, dict(fitted.kinds), answer_of(fitted.objective))


def _encoded(core: Any) -> list[Any]:
    """What the encoder gives: the core is a layer of the model that is saved, and is called on that there, and on other
    looks at it, which are not explained."""
    from pipelines.models.augmentation import View

    called = [node.input_tensors for node in core._inbound_nodes]
    plain = [each for each in called if not any(isinstance(tensor._keras_history[0], View) for tensor in each)]
    found: list[Any] = plain[-1]
    return found


def in_blocks(call: Callable[..., Any], *arrays: NDArray[Any]) -> NDArray[Any]:
    """What `call` gives for all rows, as many at a time as fit."""
    n, row_bytes = len(arrays[0]), 4 * int(np.prod(arrays[0].shape[1:]))
    size = rows_within(MOST_AT_ONCE, row_bytes, BYTES_AT_ONCE)
    return np.concatenate([
        np.asarray(call(*(each[start : start + size] for each in arrays))) for start in range(0, n, size)
    ])  # fmt: skip
