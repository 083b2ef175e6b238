"""Events for networks: amounts, gaps, hours and places of what somebody did, one after the other."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from pipelines.models.layers import PACKAGE


@keras.saving.register_keras_serializable(package=PACKAGE)
class EventEncoding(keras.layers.Layer):
    """Events for a network: 1 where there is one, then its numbers; zeros where there is none.

    A number on a logarithmic scale becomes the standardised log(1 + x), a plain one is standardised, a cycle becomes
    its sine and cosine, so that 23 o'clock is next to 0.

    Args:
        scales: of each channel: `log`, `plain`, or the length of its cycle as a word (`24`).
        centre, spread: of each channel on its scale; 0 and 1 of a cycle.
        gaps: places of channels that an event may lack, which get a 1 where it does; what is lacking is 0, the centre.

    Input (batch, events, channels) float32 with NaN where there is no event, which the first channel tells; output
    (batch, events, features) float32.
    """

    LARGEST = 5.0
    """Standardised values are clipped here."""

    def __init__(
        self,
        scales: list[str],
        centre: list[float],
        spread: list[float],
        gaps: list[int] | tuple[()] = (),
        **settings: Any,
    ) -> None:
        super().__init__(autocast=False, **settings)
        self.scales, self.centre, self.spread, self.gaps = list(scales), list(centre), list(spread), list(gaps)

    @classmethod
    def fitted(cls, events: NDArray[np.float32], scales: list[str]) -> EventEncoding:
        """The encoding of (n, events, channels) training events."""
        centre, spread, gaps = [], [], []
        there = ~np.isnan(events[..., 0])
        for place, scale in enumerate(scales):
            values = events[..., place].astype(np.float64)
            if np.isnan(values[there]).any():
                gaps.append(place)
            known = values[~np.isnan(values)]
            known = np.log1p(np.maximum(known, 0)) if scale == "log" else known
            cycle = scale not in ("log", "plain")
            centre.append(0.0 if cycle or not len(known) else float(known.mean()))
            spread.append(1.0 if cycle or not len(known) else float(known.std()) or 1.0)
        return cls(scales, centre, spread, gaps)

    def call(self, events: Any) -> Any:
        ops = keras.ops
        there = ops.logical_not(ops.isnan(events[..., 0]))
        parts = [ops.cast(there, "float32")]
        for place, (scale, centre, spread) in enumerate(zip(self.scales, self.centre, self.spread, strict=True)):
            known = ops.where(there, events[..., place], 0.0)
            if scale in ("log", "plain"):
                values = ops.log1p(ops.maximum(known, 0.0)) if scale == "log" else known
                scaled = [ops.clip((values - centre) / spread, -self.LARGEST, self.LARGEST)]
            else:
                turn = known * (2 * math.pi / float(scale))
                scaled = [ops.sin(turn), ops.cos(turn)]
            parts += [ops.where(ops.isnan(each), 0.0, ops.where(there, each, 0.0)) for each in scaled]
        lacking = [ops.logical_and(there, ops.isnan(events[..., place])) for place in self.gaps]
        parts += [ops.cast(each, "float32") for each in lacking]
        return ops.stack(parts, axis=-1)

    def compute_output_spec(self, events: Any) -> Any:
        features = 1 + sum(1 if scale in ("log", "plain") else 2 for scale in self.scales)
        return keras.KerasTensor((*events.shape[:2], features + len(self.gaps)), "float32")

    def get_config(self) -> dict[str, Any]:
        own = {"scales": self.scales, "centre": self.centre, "spread": self.spread, "gaps": self.gaps}
        return {**super().get_config(), **own}
