"""Rows on their way into a network: raw columns beside the encoder that turns them into what its core takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.examples import Examples, Kind, OnDemand
from pipelines.models.inputs import as_tensors
from pipelines.objectives.objective import Objective
from pipelines.task import Architecture
from pipelines.training.feed import EVALUATION_BATCH, Rows
from pipelines.training.plan import rows_within

ROWS_AT_ONCE = 1024
"""Rows encoded or predicted in one call."""

BYTES_AT_ONCE = 32 << 20
"""Of these rows' inputs, as floats: of large pictures fewer are taken, for what a network makes of them is larger."""


@dataclass(frozen=True)
class Encodable:
    """Examples beside the encoder that turns them into what the core takes."""

    examples: Examples
    encode: Any
    columns: Mapping[str, Any]
    y: NDArray[Any]
    weight: NDArray[np.float32]

    @property
    def encoded_bytes(self) -> int:
        return len(self.y) * self.row_bytes

    @property
    def row_bytes(self) -> int:
        """Of one encoded row."""
        return sum(int(np.prod(shape[1:])) * 4 for shape in _as_list(self.encode.output_shape))

    @property
    def on_demand(self) -> bool:
        """Whether raw rows are not in memory."""
        return any(isinstance(values, OnDemand) for values in self.columns.values())

    @property
    def _evaluated(self) -> int:
        return rows_within(EVALUATION_BATCH, self.row_bytes, BYTES_AT_ONCE)

    def resident(self) -> Rows:
        x = in_blocks(self.encode, self.columns, self.examples.kinds, len(self.y))
        return Rows(x, self.y, self.weight, self._evaluated)

    def streamed(self) -> Rows:
        def read(rows: NDArray[np.int32]) -> Any:
            return self.encode(as_tensors(self.columns, self.examples.kinds, rows))

        return Rows(read, self.y, self.weight, self._evaluated)


def encodable(examples: Examples, objective: Objective, architecture: Architecture) -> Encodable:
    """Examples beside the encoder of this architecture, with targets as the objective learns them."""
    weight = np.ones(len(examples)) if examples.weight is None else examples.weight
    return Encodable(
        examples,
        architecture.encode,
        {name: examples.columns[name] for name in architecture.encode.input},
        objective.learnable(objective.encode(examples.target)),
        weight.astype(np.float32),
    )


def _as_list(shape: Any) -> list[Any]:
    if isinstance(shape, dict):
        return list(shape.values())
    return shape if isinstance(shape, list) else [shape]


def in_blocks(call: Callable[[Any], Any], columns: Mapping[str, Any], kinds: Mapping[str, Kind], n: int) -> Any:
    """What `call` gives for all rows, some at a time, as NumPy arrays of n rows."""
    import tensorflow as tf

    row_bytes = 4 * sum(int(np.prod(np.shape(values)[1:])) for values in columns.values())
    size = min(n, rows_within(ROWS_AT_ONCE, row_bytes, BYTES_AT_ONCE))
    blocks = []
    for start in range(0, n, size):
        # The last block is filled up with its last row, so that every call has one shape.
        rows = np.minimum(np.arange(start, start + size), n - 1)
        blocks.append(call(as_tensors(columns, kinds, rows)))
    return tf.nest.map_structure(lambda *parts: np.concatenate([part.numpy() for part in parts])[:n], *blocks)
