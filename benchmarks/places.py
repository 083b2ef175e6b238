"""A layer of the benchmark's transformer, in a module of its own: a process that only loads it imports little."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="tapeline_benchmarks")
class Places(keras.layers.Layer):
    """Adds an embedding of each token's place: (batch, tokens, width) to the same."""

    def build(self, shape: tuple[int, ...]) -> None:
        self.embedding = self.add_weight(shape=shape[1:], name="embedding")

    def call(self, tokens: Any) -> Any:
        return tokens + self.embedding
