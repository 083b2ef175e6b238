"""A batch taken in parts, so that only one part's activations are in memory at a time."""

from __future__ import annotations

from typing import Any


def part_of(rows: Any, weight: Any, number: Any, parts: int) -> tuple[Any, Any]:
    """One of `parts` equal parts of a batch.

    Where the batch cannot be divided equally, the last parts repeat its last row with weight 0. A mean over rows that
    a layer takes by itself (BatchNormalization) is then over the rows of one part, not of the batch.

    Args:
        rows: structure of (batch, ...) tensors.
        weight: (batch,) float.
        number: scalar int, which part, from 0.

    Returns:
        The structure of (ceil(batch / parts), ...) tensors, and the (ceil(batch / parts),) weights.
    """
    import tensorflow as tf

    size = weight.shape[0] if weight.shape[0] is not None else tf.shape(weight)[0]
    length = -(-size // parts)
    places = number * length + tf.range(length)
    inside = tf.minimum(places, size - 1)
    here = tf.nest.map_structure(lambda values: tf.gather(values, inside), rows)
    return here, tf.where(places < size, tf.gather(weight, inside), 0.0)
