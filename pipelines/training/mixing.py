"""Mixup: each row of a batch is mixed with the one before it, and so are their losses.

What is drawn depends on the number of the update alone, so that a resumed training mixes as one that nobody stopped.
Rows are shuffled in each epoch, so neighbours in a batch are there by chance.

Reference: Zhang et al. (2018), "mixup: beyond empirical risk minimization", arXiv 1710.09412.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from pipelines.errors import BadInput

POINTS = 1025
"""At which the quantiles of the beta distribution are tabled: drawing from it would not compile with XLA."""

MIXING = 0x6D69
"""Keeps this stream of random numbers apart from others."""


class Mixed(NamedTuple):
    """Targets of rows that were mixed.

    Args:
        own, other: (batch, ...) targets of the row itself and of the one that was mixed in.
        share: (batch,) how much of the row is itself.
        other_weight: (batch,) weight of the row that was mixed in, over that of the row itself; 0 where that is 0.
    """

    own: Any
    other: Any
    share: Any
    other_weight: Any


class Mixing:
    """Mixes batches by shares drawn from a beta distribution.

    Args:
        alpha: both of its parameters; 0.2 leaves most rows nearly alone, 1 draws all shares alike.
    """

    def __init__(self, alpha: float) -> None:
        from scipy.stats import beta

        self._quantiles = beta.ppf(np.linspace(0, 1, POINTS), alpha, alpha).astype(np.float32)

    def shares(self, n: Any, step: Any) -> Any:
        """(n,) drawn for an update of this number."""
        import tensorflow as tf

        chance = tf.random.stateless_uniform([n], tf.stack([MIXING, tf.cast(step, tf.int32)]), alg="philox") * (
            POINTS - 1
        )
        below = tf.cast(chance, tf.int32)
        low, high = (tf.gather(tf.constant(self._quantiles), below + more) for more in (0, 1))
        return low + (high - low) * (chance - tf.cast(below, tf.float32))

    def __call__(self, x: Any, y: Any, weight: Any, step: Any) -> tuple[Any, Mixed]:
        """Inputs mixed, and their targets.

        Args:
            x: structure of (batch, ...) floats.
            y: (batch, ...) targets.
            weight: (batch,), 0 for rows that only fill the batch.
        """
        import tensorflow as tf

        share = self.shares(tf.shape(weight)[0], step)

        def mix(values: Any) -> Any:
            of_row = tf.cast(tf.reshape(share, [-1] + [1] * (len(values.shape) - 1)), values.dtype)
            return of_row * values + (1 - of_row) * _before(values)

        beside = tf.math.divide_no_nan(_before(weight), weight)
        return tf.nest.map_structure(mix, x), Mixed(y, tf.nest.map_structure(_before, y), share, beside)


def require_mixable(encoded: Any) -> None:
    """Refuse to mix words by number.

    Args:
        encoded: what the encoder gives, any structure of Keras tensors.

    Raises:
        BadInput: there are such among them.
    """
    import keras

    if not all(keras.backend.is_float_dtype(each.dtype) for each in keras.tree.flatten(encoded)):
        raise BadInput("recipe.mixup mixes numbers; this network reads words, of which there are no mixtures")


def mixed_loss(loss: Callable[[Any, Any], Any]) -> Callable[[Mixed, Any], Any]:
    """(targets, outputs) -> (batch,) losses of mixed rows: both targets' by their shares, each with its own weight."""

    def of_both(target: Mixed, outputs: Any) -> Any:
        other = (1 - target.share) * target.other_weight * loss(target.other, outputs)
        return target.share * loss(target.own, outputs) + other

    return of_both


def _before(values: Any) -> Any:
    """(batch, ...) of the row before each; of the first row, the last."""
    import tensorflow as tf

    return tf.roll(values, 1, axis=0)
