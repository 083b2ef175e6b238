"""A table's row as tokens: a vector for each column, as attention takes them.

Registered by name, so a saved model loads them in Keras' safe mode.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from pipelines.models.layers import PACKAGE


@keras.saving.register_keras_serializable(package=PACKAGE)
class ColumnTokens(keras.layers.Layer):
    """A linear embedding of each column's own part of an encoded row.

    Args:
        places: for each column, which numbers of the row are its own.
        units: numbers of a token.

    Input (batch, features); output (batch, columns, units).
    """

    def __init__(self, places: list[list[int]], units: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.places, self.units = [list(each) for each in places], units

    def build(self, input_shape: Any) -> None:
        columns, widest = len(self.places), max(map(len, self.places))
        # A column with fewer numbers than the widest is filled up with the first number of all, times 0.
        self._taken = np.zeros((columns, widest), np.int32)
        self._own = np.zeros((columns, widest), np.float32)
        for row, each in enumerate(self.places):
            self._taken[row, : len(each)], self._own[row, : len(each)] = each, 1
        reach = keras.initializers.RandomUniform(-(self.units**-0.5), self.units**-0.5)
        self.kernel = self.add_weight(shape=(columns, widest, self.units), initializer=reach, name="kernel")
        self.bias = self.add_weight(shape=(columns, self.units), initializer=reach, name="bias")
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        ops = keras.ops
        own = ops.take(inputs, self._taken, axis=1) * self._own
        return ops.einsum("bcw,cwu->bcu", own, self.kernel) + self.bias

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], len(self.places), self.units)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "places": self.places, "units": self.units}


@keras.saving.register_keras_serializable(package=PACKAGE)
class AnswerToken(keras.layers.Layer):
    """Puts a learned token, the same for every row, before the others: (batch, n, units) -> (batch, 1 + n, units)."""

    def build(self, input_shape: Any) -> None:
        units = input_shape[-1]
        reach = keras.initializers.RandomUniform(-(units**-0.5), units**-0.5)
        self.token = self.add_weight(shape=(1, 1, units), initializer=reach, name="embedding")
        super().build(input_shape)

    def call(self, tokens: Any) -> Any:
        ops = keras.ops
        own = ops.tile(ops.cast(self.token, tokens.dtype), (ops.shape(tokens)[0], 1, 1))
        return ops.concatenate([own, tokens], axis=1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        batch, tokens, units = input_shape
        return (batch, tokens + 1, units)
