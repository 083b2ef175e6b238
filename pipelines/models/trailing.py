"""A Keras layer for returns: what each step of a window knows of the days up to it, and of none after."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from pipelines.models.layers import PACKAGE


@keras.saving.register_keras_serializable(package=PACKAGE)
class TrailingReturns(keras.layers.Layer):
    """Features of each of the last steps of a window of daily returns, from the days up to that step alone.

    For each asset and horizon of h days: its log return over them, over its own volatility times the root of h, so that
    a value of 1 is one standard deviation whatever the asset and the horizon; then the log of that volatility over the
    mean of all assets'; and last, for the loss, the step's own simple return as it is.

    Args:
        steps: how many, the last one being the last day of the window.
        horizons: days; `steps - 1 + max(horizons)` must not exceed the window.
        volatility: days that the volatility is taken over.

    Input (batch, days, assets) simple returns; output (batch, steps, assets, len(horizons) + 2) float32.

    Reference: Lim, Zohren and Roberts (2019), arXiv 1904.04912, for returns scaled by volatility at several horizons.
    """

    LARGEST = 5.0
    """Scaled returns are clipped here, so that one crash cannot drown a window."""

    LEAST = 1e-4
    """Volatility a day below which an asset counts as at rest."""

    def __init__(self, steps: int, horizons: list[int], volatility: int, **settings: Any) -> None:
        super().__init__(autocast=False, **settings)
        self.steps, self.horizons, self.volatility = steps, list(horizons), volatility

    def call(self, returns: Any) -> Any:
        ops = keras.ops
        returns = ops.cast(returns, "float32")
        logs = ops.log(ops.maximum(1 + returns, 1e-6))
        spread = ops.sqrt(self._trailing(ops.square(logs), self.volatility) / self.volatility) + self.LEAST
        scaled = [self._trailing(logs, days) / (spread * np.sqrt(days)) for days in self.horizons]
        level = ops.log(spread / ops.mean(spread, axis=-1, keepdims=True))
        features = [ops.clip(each, -self.LARGEST, self.LARGEST) for each in (*scaled, level)]
        return ops.stack([*features, returns[:, -self.steps :]], axis=-1)

    def _trailing(self, values: Any, days: int) -> Any:
        """(batch, steps, assets) sums over so many days up to each step.

        A difference of cumulative sums would round; and what is not finite in one day would spread to all later ones.
        """
        ops = keras.ops
        reach = values[:, -(self.steps - 1 + days) :]
        pooled = ops.average_pool(reach, days, strides=1, padding="valid")
        return pooled * days

    def compute_output_spec(self, returns: Any) -> Any:
        return keras.KerasTensor((returns.shape[0], self.steps, returns.shape[2], len(self.horizons) + 2), "float32")

    def get_config(self) -> dict[str, Any]:
        own = {"steps": self.steps, "horizons": self.horizons, "volatility": self.volatility}
        return {**super().get_config(), **own}
