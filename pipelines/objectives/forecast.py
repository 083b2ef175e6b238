"""Forecasts of returns, on which a mean-variance portfolio is built outside the tape."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation import scores
from pipelines.objectives.allocation import Allocation
from pipelines.objectives.mean_variance import covariances, mean_variance
from pipelines.objectives.objective import Predictions


@dataclass(frozen=True)
class Forecast:
    """Learn the next day's return of each asset by squared error, in standard deviations of its training returns.

    Args:
        allocation: what the forecasts are for.
        aversion: to risk, of the mean-variance portfolio; chosen on validation rows.
        lookback: days that the covariance is estimated from.
        scale: standard deviation of each asset's training returns; found by `fitted`.
    """

    allocation: Allocation = field(default_factory=Allocation)
    aversion: float = 10.0
    lookback: int = 126
    scale: tuple[float, ...] = ()
    kind: str = "forecast"

    @property
    def primary(self) -> str:
        return "rmse"

    @property
    def outputs(self) -> int:
        return self.allocation.outputs

    @property
    def assets(self) -> tuple[str, ...]:
        """Of the portfolio."""
        return self.allocation.assets

    def resolve(self, target: NDArray[Any], positive: str | None = None) -> Self:
        return replace(self, allocation=self.allocation.resolve(target, positive))

    def fitted(self, target: NDArray[Any]) -> Self:
        spread = self.encode(target).std(axis=0)
        return replace(self, scale=tuple(float(each) if each > 0 else 1.0 for each in spread))

    def encode(self, target: NDArray[Any]) -> NDArray[np.float64]:
        return self.allocation.encode(target)

    def learnable(self, encoded: NDArray[Any]) -> NDArray[np.float32]:
        return self.allocation.learnable(encoded)

    def loss(self, target: Any, outputs: Any) -> Any:
        """(batch,) mean squared error over steps and assets.

        Args:
            target: (batch, assets) returns of the day after the last step.
            outputs: (batch, steps, 2 * assets) forecasts made at the close of each step, in standard deviations, and
                the returns of that step.
        """
        import tensorflow as tf

        expected, seen = tf.split(outputs, 2, axis=-1)
        after = tf.concat([seen[:, 1:], tf.cast(target, outputs.dtype)[:, tf.newaxis]], axis=1)
        error = expected - after / tf.constant(self.scale, outputs.dtype)
        return tf.reduce_mean(tf.square(error), axis=(1, 2))

    def activate(self, outputs: Any) -> Any:
        """(batch, assets) forecasts of the last step, as returns."""
        import keras

        expected = outputs[:, -1, : outputs.shape[-1] // 2]
        # Rescaling takes one number or a list of them; an array would not be written into the saved model.
        return keras.layers.Rescaling(list(self.scale), name="expected_return", dtype="float32")(expected)

    def predict(self, values: NDArray[Any]) -> Predictions:
        """(n, assets) expected returns -> Predictions of these, not of weights yet."""
        return Predictions(np.asarray(values, np.float64))

    def decide(self, expected: NDArray[Any], returns: NDArray[Any]) -> Predictions:
        """Weights of the mean-variance portfolio.

        Args:
            expected: (n, assets) returns of the next day.
            returns: (n, days, assets) up to the decision.
        """
        weights = mean_variance(np.asarray(expected, np.float64), covariances(returns, self.lookback), self.aversion)
        return self.allocation.predict(weights)

    def scores(
        self, target: NDArray[Any], predictions: Predictions, weight: NDArray[Any] | None = None
    ) -> dict[str, float]:
        return scores.regression_scores(target.ravel(), predictions.values.ravel())

    def greater_is_better(self, score: str) -> bool:
        return scores.GREATER_IS_BETTER[score]
