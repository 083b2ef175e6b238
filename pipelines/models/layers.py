"""Keras layers of our own. Registered by name, so a saved model loads them in Keras' safe mode."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

PACKAGE = "tapeline"


def known_of(column: NDArray[np.float64]) -> NDArray[np.float64]:
    """The numbers that are not missing; a single 0 where all are."""
    known = column[~np.isnan(column)]
    return known if len(known) else np.zeros(1)


def centre_and_spread(known: NDArray[np.float64]) -> tuple[float, float]:
    """Median and standard deviation of at least one number; 1 where they do not vary."""
    reach = float(np.ptp(known))  # divided by it first, no square over- or underflows
    return float(np.median(known)), float((known / reach).std()) * reach if reach else 1.0


@keras.saving.register_keras_serializable(package=PACKAGE)
class NumberEncoding(keras.layers.Layer):
    """Numbers for a network: standardised, with a flag where missing, and piecewise linearly encoded.

    The piecewise-linear encoding of x over edges e_0 < ... < e_T is the vector of clip((x - e_t) / (e_{t+1} - e_t),
    0, 1): how far x has come through each bin. It lets a small network bend at quantiles, which trees do for nothing.
    The paper leaves the first and the last bin open; here they are closed, so that far beyond the training rows, where
    nothing is known, nothing moves.

    Args:
        centre, spread: per column, in the column's unit; a missing value becomes the centre.
        edges: per column, increasing bin edges; columns may have different numbers of them.

    Input (batch, columns) float64 with NaN where missing; output (batch, features) float32.

    Reference: Gorishniy, Rubachev and Babenko (2022), "On embeddings for numerical features", arXiv 2203.05556.
    """

    LARGEST = 5.0
    """Standardised values are clipped here, so that one outlier cannot drown a row."""

    def __init__(self, centre: list[float], spread: list[float], edges: list[list[float]], **settings: Any) -> None:
        super().__init__(autocast=False, **settings)
        self.centre, self.spread, self.edges = list(centre), list(spread), [list(each) for each in edges]

    @classmethod
    def fitted(cls, numbers: NDArray[np.float64], bins: int, **settings: Any) -> NumberEncoding:
        """The encoding of (n, columns) training numbers: median, standard deviation, and quantiles as edges."""
        centre, spread, edges = [], [], []
        for column in numbers.T:
            known = known_of(column)
            middle, deviation = centre_and_spread(known)
            centre.append(middle)
            spread.append(deviation)
            edges.append([float(edge) for edge in np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)))])
        return cls(centre, spread, edges, **settings)

    def build(self, input_shape: Any) -> None:
        left = np.zeros((len(self.edges), self._bins))
        width = np.full_like(left, np.inf)  # a bin that is not there: (x - 0) / inf = 0
        for row, each in enumerate(self.edges):
            left[row, : len(each) - 1] = each[:-1]
            width[row, : len(each) - 1] = np.diff(each)
        self._left, self._width = left, width
        super().build(input_shape)

    def call(self, numbers: Any) -> Any:
        ops = keras.ops
        numbers, centre = ops.cast(numbers, "float64"), np.asarray(self.centre)
        missing = ops.isnan(numbers)
        known = ops.where(missing, centre, numbers)
        standard = ops.clip((known - centre) / np.asarray(self.spread), -self.LARGEST, self.LARGEST)
        pieces = ops.clip((known[:, :, None] - self._left) / self._width, 0.0, 1.0)
        flat = ops.reshape(pieces, (-1, self._left.size))
        return ops.concatenate([ops.cast(part, "float32") for part in (standard, missing, flat)], axis=-1)

    def compute_output_spec(self, numbers: Any) -> Any:
        return keras.KerasTensor((numbers.shape[0], len(self.edges) * (self._bins + 2)), "float32")

    @property
    def places(self) -> list[list[int]]:
        """For each column, where in the output its standardised number, its flag and its bins are."""
        columns, bins = len(self.edges), self._bins
        return [
            [each, columns + each, *range(2 * columns + bins * each, 2 * columns + bins * (each + 1))]
            for each in range(columns)
        ]

    @property
    def _bins(self) -> int:
        """Bins of the column that has most."""
        return max(1, *(len(each) - 1 for each in self.edges))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "centre": self.centre, "spread": self.spread, "edges": self.edges}
