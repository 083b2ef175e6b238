"""Dropout that draws a byte for each number, where Keras' draws four (`python -m benchmarks.dropout`).

Registered by name, so a saved model loads it in Keras' safe mode.
"""

from __future__ import annotations

from typing import Any

import keras

from pipelines.models.layers import PACKAGE

STEPS = 256
"""Of a byte; a share to drop is met to within half of one, and one that is not 0 is at least one of them."""


@keras.saving.register_keras_serializable(package=PACKAGE)
class ByteDropout(keras.layers.Layer):
    """Sets a share of the numbers to 0 while training, and enlarges the others so that the mean stays.

    Args:
        rate: the share, in [0, 1); rounded to 256ths, but never to none or all.

    Input and output: any one shape of floats.

    Reference: Srivastava et al. (2014), Journal of Machine Learning Research 15.
    """

    def __init__(self, rate: float, **settings: Any) -> None:
        super().__init__(**settings)
        if not 0 <= rate < 1:
            raise ValueError(f"a rate of dropout is at least 0 and below 1; received {rate}")
        self.rate = rate
        self.dropped = min(max(round(rate * STEPS), 1), STEPS - 1) if rate else 0
        self.seed_generator = keras.random.SeedGenerator()
        self.supports_masking = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or not self.dropped:
            return inputs
        scale = STEPS / (STEPS - self.dropped)
        return keras.ops.where(self._bytes(inputs) >= self.dropped, inputs * scale, 0.0)

    def _bytes(self, like: Any) -> Any:
        """uint8 by chance, in the shape of `like`: four of each random word."""
        import tensorflow as tf

        seed = tf.cast(self.seed_generator.next(), "int32")
        size = tf.size(like)
        words = tf.random.stateless_uniform([(size + 3) // 4], seed, minval=None, maxval=None, dtype="uint32")
        drawn = tf.reshape(tf.bitcast(words, "uint8"), [-1])
        return tf.reshape(drawn[:size], tf.shape(like))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate}
