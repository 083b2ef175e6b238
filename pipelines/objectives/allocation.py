"""Allocation: how wealth is divided between assets, day after day, for the best Sharpe ratio after costs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import BadInput, require
from pipelines.evaluation import portfolio, scores
from pipelines.objectives.objective import Predictions

SMALLEST_VARIANCE = 1e-10
"""Of daily net returns, in the loss: a portfolio that hardly moves must not have a gradient without bounds."""


@dataclass(frozen=True)
class Allocation:
    """Learn weights, none negative, that add up to 1, by minus the Sharpe ratio a year of what they earn after costs.

    A row is a day: its target are the returns of that day, which the weights decided at the close before it will earn.
    A network sees a window of the days before, and gives for each of its last steps what it would have held on the day
    after, beside that step's own returns; all of these steps are in the row's loss, while the last one alone is the
    decision.

    Args:
        costs: of trading, as a share of what is traded; 0.001 are 10 basis points.
        every: days from one rebalancing to the next, for all contenders alike; weights drift in between.
        assets: their names, in the order of the weights; told by the data.

    References: Zhang, Zohren and Roberts (2020), "Deep learning for portfolio optimization", The Journal of Financial
    Data Science 2(4), arXiv 2005.13665; Lim, Zohren and Roberts (2019), "Enhancing time-series momentum strategies
    using deep neural networks", The Journal of Financial Data Science 1(4), for costs inside the loss.
    """

    costs: float = 0.001
    every: int = 5
    assets: tuple[str, ...] = ()
    kind: str = "allocation"

    def __post_init__(self) -> None:
        require(0 <= self.costs < 1, f"costs are a share of what is traded, in [0, 1); received {self.costs}")
        require(self.every >= 1, f"every counts days and must be at least 1; received {self.every}")

    @property
    def primary(self) -> str:
        return "sharpe"

    @property
    def outputs(self) -> int:
        return len(self.assets)

    def resolve(self, target: NDArray[Any], positive: str | None = None) -> Self:
        if positive is not None:
            raise BadInput(f"--positive {positive} names a class, but this task divides wealth between assets")
        if target.ndim != 2 or target.shape[1] < 2:
            raise BadInput("an allocation needs the returns of two or more assets on each day")
        return self

    def fitted(self, target: NDArray[Any]) -> Self:
        return self

    def encode(self, target: NDArray[Any]) -> NDArray[np.float64]:
        """(n, assets) returns of each day."""
        returns = np.asarray(target, np.float64)
        if not np.isfinite(returns).all():
            raise BadInput("the target has missing or infinite returns; every asset needs one on every day")
        return returns

    def learnable(self, encoded: NDArray[Any]) -> NDArray[np.float32]:
        return encoded.astype(np.float32)

    def loss(self, target: Any, outputs: Any) -> Any:
        """(batch,) minus the Sharpe ratio a year of each window, after costs.

        What is held on the first day of a window is taken for bought before it.

        Args:
            target: (batch, assets) returns of the day after the last step.
            outputs: (batch, steps, 2 * assets) logits of the weights decided at the close of each step, and the
                returns of that step.
        """
        import tensorflow as tf

        wanted, seen = tf.split(outputs, 2, axis=-1)
        after = tf.concat([seen[:, 1:], tf.cast(target, outputs.dtype)[:, tf.newaxis]], axis=1)
        # Every so many steps something is carried out, so that the last of these is the decision.
        first = (outputs.shape[1] - 1) % self.every
        days, assets = outputs.shape[1] - first, wanted.shape[-1]
        held = tf.nn.softmax(wanted[:, first :: self.every])
        missing = -days % self.every  # of the last block, the days that are not known
        grown = tf.pad(after[:, first:], ((0, 0), (0, missing), (0, 0)))
        grown = tf.math.cumprod(tf.reshape(1 + grown, (-1, held.shape[1], self.every, assets)), axis=2)
        worth = tf.reduce_sum(held[:, :, tf.newaxis] * grown, axis=-1)
        before = tf.concat([tf.ones_like(worth[:, :, :1]), worth[:, :, :-1]], axis=2)
        drifted = held * grown[:, :, -1] / worth[:, :, -1:]
        traded = tf.reduce_sum(tf.abs(held[:, 1:] - drifted[:, :-1]), axis=-1)
        traded = tf.pad(traded[:, :, tf.newaxis], ((0, 0), (1, 0), (0, self.every - 1)))
        net = tf.reshape(worth / before - 1 - self.costs * traded, (-1, days + missing))[:, :days]
        mean, variance = tf.nn.moments(net, axes=1)
        return -math.sqrt(portfolio.DAYS) * mean / tf.sqrt(variance + SMALLEST_VARIANCE)

    def activate(self, outputs: Any) -> Any:
        """(batch, assets) weights decided at the last step."""
        import keras

        wanted = outputs[:, -1, : outputs.shape[-1] // 2]
        return keras.layers.Softmax(name="weights", dtype="float32")(wanted)

    def predict(self, values: NDArray[Any]) -> Predictions:
        """(n, assets) weights -> Predictions; rounding is taken out of their sum."""
        weights = np.maximum(np.asarray(values, np.float64), 0.0)
        return Predictions(weights / weights.sum(axis=1, keepdims=True))

    def path(self, target: NDArray[Any], predictions: Predictions) -> portfolio.Path:
        """What these decisions earned on days that follow each other."""
        return portfolio.walk(predictions.values, target, self.costs, self.every)

    def scores(
        self, target: NDArray[Any], predictions: Predictions, weight: NDArray[Any] | None = None
    ) -> dict[str, float]:
        """Of the path of these days, which follow each other; days have no weights."""
        return portfolio.scores(self.path(target, predictions))

    def greater_is_better(self, score: str) -> bool:
        return scores.GREATER_IS_BETTER[score]
