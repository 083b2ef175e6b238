"""Gradients that are too large made smaller: by their global norm, by value, or in proportion to the weights."""

from __future__ import annotations

from typing import Any

from pipelines.task import Recipe

SMALLEST_WEIGHTS = 1e-3
"""Norm below which a unit's weights count as this large, so that what starts at 0 can leave it (Brock et al. 2021)."""

SMALLEST_GRADIENT = 1e-6
"""Norm below which no gradient is divided by."""


def clipped(gradients: list[Any], variables: list[Any], recipe: Recipe) -> list[Any]:
    """The gradients as the recipe bounds them; the very same tensors where it sets no bound.

    Args:
        gradients: dense, of the global batch, one per variable.

    Reference: by norm, Pascanu, Mikolov and Bengio (2013), arXiv 1211.5063.
    """
    import tensorflow as tf

    if recipe.clip_norm:
        bounded, _ = tf.clip_by_global_norm(gradients, recipe.clip_norm)
        return list(bounded)
    if recipe.clip_value:
        return [tf.clip_by_value(each, -recipe.clip_value, recipe.clip_value) for each in gradients]
    if recipe.clip_adaptive:
        pairs = zip(gradients, variables, strict=True)
        return [adaptively(each, tf.convert_to_tensor(variable), recipe.clip_adaptive) for each, variable in pairs]
    return gradients


def adaptively(gradient: Any, weights: Any, most: float) -> Any:
    """Gradient of which no unit's norm exceeds `most` times the norm of that unit's weights.

    A unit is one output of a layer: the last axis of a kernel as Keras lays it out. Biases and gains are one unit each
    variable. The paper leaves the last layer out; here it is bounded too, since a network may have several.

    Reference: Brock, De, Smith and Simonyan (2021), "High-performance large-scale image recognition without
    normalization", arXiv 2102.06171, equation 3.
    """
    import tensorflow as tf

    largest = most * tf.maximum(_unit_norm(weights), SMALLEST_WEIGHTS)
    norm = _unit_norm(gradient)
    return gradient * tf.where(norm > largest, largest / tf.maximum(norm, SMALLEST_GRADIENT), 1.0)


def _unit_norm(values: Any) -> Any:
    """L2 norm over all axes but the last; of a vector over its one axis. The axes stay, with length 1."""
    import tensorflow as tf

    rank = values.shape.rank
    axes = list(range(max(1, rank - 1)))[:rank]
    return tf.sqrt(tf.reduce_sum(tf.square(values), axis=axes, keepdims=True))
