"""The learning rate of each step, computed in the graph so that one trace serves every length of training."""

from __future__ import annotations

import math
from typing import Any

from pipelines.task import Recipe

FLOOR = 0.01
"""What `cosine` and `exponential` end at, as a share of the peak."""


def rate_at(step: Any, total: Any, recipe: Recipe) -> Any:
    """Learning rate at `step` of `total`: a linear warm-up, then the recipe's schedule.

    Args:
        step, total: scalar float tensors; steps over the whole training, counted from 0.

    Returns:
        Scalar float tensor.

    Reference: cosine decay, Loshchilov and Hutter (2017), arXiv 1608.03983.
    """
    import tensorflow as tf

    warm = tf.maximum(1.0, tf.round(recipe.warmup * total)) if recipe.warmup else tf.constant(1.0)
    done = tf.clip_by_value((step - warm) / tf.maximum(1.0, total - warm), 0.0, 1.0)
    if recipe.schedule == "cosine":
        share = FLOOR + (1 - FLOOR) * 0.5 * (1.0 + tf.cos(math.pi * done))
    elif recipe.schedule == "exponential":
        share = tf.pow(FLOOR, done)
    else:
        share = tf.ones_like(done)
    return recipe.learning_rate * tf.minimum(share, (step + 1.0) / warm)
