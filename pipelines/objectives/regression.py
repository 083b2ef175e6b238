"""Regression: a number per row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import BadInput
from pipelines.evaluation import scores
from pipelines.objectives.objective import Predictions


@dataclass(frozen=True)
class Regression:
    """Learn the mean (squared error) or a robust centre (Huber 1964) of a number.

    Networks train on the target standardised by training rows; predictions are in the target's own unit.

    Args:
        error: which loss.
        delta: where Huber's loss turns from square to linear, in standard deviations of the target.
        location, scale: mean and standard deviation of the training target; found by `fitted`.
    """

    error: Literal["squared", "huber"] = "squared"
    delta: float = 1.0
    location: float = 0.0
    scale: float = 1.0
    kind: str = "regression"

    @property
    def primary(self) -> str:
        return "rmse"

    @property
    def outputs(self) -> int:
        return 1

    def resolve(self, target: NDArray[Any], positive: str | None = None) -> Self:
        if positive is not None:
            raise BadInput(f"--positive {positive} names a class, but this task predicts a number")
        numbers = self.encode(target)
        if len(numbers) == 0 or numbers.min() == numbers.max():
            raise BadInput("the target is the same number in every row; there is nothing to learn")
        return self

    def fitted(self, target: NDArray[Any]) -> Self:
        numbers = self.encode(target)
        # Rounding may leave equal numbers a tiny deviation, which must not become the scale.
        return replace(self, location=float(numbers.mean()), scale=float(numbers.std()) if np.ptp(numbers) else 1.0)

    def encode(self, target: NDArray[Any]) -> NDArray[np.float64]:
        """(n,) raw numbers -> (n,) float64 in their own unit."""
        try:
            numbers = np.asarray(target, dtype=np.float64)
        except (TypeError, ValueError):
            raise BadInput("the target holds words; a regression needs a number in every row") from None
        if not np.isfinite(numbers).all():
            raise BadInput("the target has missing or infinite values; every row needs a number")
        return numbers

    def learnable(self, encoded: NDArray[Any]) -> NDArray[np.float32]:
        return ((encoded - self.location) / self.scale).astype(np.float32)

    def loss(self, target: Any, outputs: Any) -> Any:
        """(batch,) loss of (batch, 1) outputs; both in standard deviations of the training target."""
        import tensorflow as tf

        error = outputs[:, 0] - tf.cast(target, outputs.dtype)
        if self.error == "squared":
            return tf.square(error)
        size = tf.abs(error)
        return tf.where(size <= self.delta, 0.5 * tf.square(error), self.delta * (size - 0.5 * self.delta))

    def activate(self, outputs: Any) -> Any:
        import keras

        return keras.layers.Rescaling(self.scale, self.location, name="value", dtype="float32")(outputs)

    def predict(self, values: NDArray[Any]) -> Predictions:
        """(n,) or (n, 1) numbers in the target's unit -> Predictions."""
        return Predictions(np.asarray(values, dtype=np.float64).reshape(len(values)))

    def scores(
        self, target: NDArray[Any], predictions: Predictions, weight: NDArray[Any] | None = None
    ) -> dict[str, float]:
        return scores.regression_scores(target, predictions.values, weight)

    def greater_is_better(self, score: str) -> bool:
        return scores.GREATER_IS_BETTER[score]
