"""Keras layers of networks that say how far a row is from normal ones. Registered by name, for Keras' safe mode."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from pipelines.models.layers import PACKAGE, centre_and_spread, known_of


@keras.saving.register_keras_serializable(package=PACKAGE)
class StandardNumbers(keras.layers.Layer):
    """Numbers as a reconstruction can be held to: asinh((x - centre) / spread), and a flag where missing.

    asinh is straight near 0 and a logarithm far out: an outlier stays apart, however far it is, and does not drown what
    else is in its row.

    Args:
        centre, spread: per column, in the column's unit; a missing value becomes the centre.

    Input (batch, columns) float64 with NaN where missing; output (batch, 2 columns) float32, the flags last.
    """

    def __init__(self, centre: list[float], spread: list[float], **settings: Any) -> None:
        super().__init__(autocast=False, **settings)
        self.centre, self.spread = list(centre), list(spread)

    @classmethod
    def fitted(cls, numbers: NDArray[np.float64], **settings: Any) -> StandardNumbers:
        """By the median and standard deviation of (n, columns) training numbers; 1 where a column does not vary."""
        found = [centre_and_spread(known_of(column)) for column in numbers.T]
        return cls([centre for centre, _ in found], [spread for _, spread in found], **settings)

    def call(self, numbers: Any) -> Any:
        ops = keras.ops
        numbers, centre = ops.cast(numbers, "float64"), np.asarray(self.centre)
        missing = ops.isnan(numbers)
        standard = ops.arcsinh((ops.where(missing, centre, numbers) - centre) / np.asarray(self.spread))
        return ops.concatenate([ops.cast(part, "float32") for part in (standard, missing)], axis=-1)

    def compute_output_spec(self, numbers: Any) -> Any:
        return keras.KerasTensor((numbers.shape[0], 2 * len(self.centre)), "float32")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "centre": self.centre, "spread": self.spread}


@keras.saving.register_keras_serializable(package=PACKAGE)
class MeanSquaredDifference(keras.layers.Layer):
    """(batch, 1) mean over the features of the squared difference of two (batch, features)."""

    def call(self, pair: list[Any]) -> Any:
        given, made = pair
        return keras.ops.mean(keras.ops.square(given - made), axis=-1, keepdims=True)

    def compute_output_shape(self, shapes: Any) -> Any:
        return (shapes[0][0], 1)


@keras.saving.register_keras_serializable(package=PACKAGE)
class SquaredDistance(keras.layers.Layer):
    """(batch, 1) squared Euclidean distance of (batch, features) from a centre that is set, not trained."""

    def build(self, input_shape: Any) -> None:
        # A weight, not a setting: one traced loop serves trainings that differ in their centre.
        self.centre = self.add_weight(
            shape=(input_shape[-1],), initializer="zeros", trainable=False, name="centre", dtype="float32"
        )
        super().build(input_shape)

    def call(self, features: Any) -> Any:
        return keras.ops.sum(keras.ops.square(features - self.centre), axis=-1, keepdims=True)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], 1)
