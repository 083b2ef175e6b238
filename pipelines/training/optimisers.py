"""The recipe's optimiser, from Keras."""

from __future__ import annotations

from typing import Any

from pipelines.task import Recipe


def make_optimiser(recipe: Recipe) -> Any:
    """The recipe's optimiser; its learning rate is set at every step, and it takes gradients already summed over
    replicas."""
    optimiser = _of_name(recipe)
    # Keras sums over replicas after it has clipped, and so after our own clipping and norms, which need the sum.
    optimiser._all_reduce_sum_gradients = lambda gradients_and_variables: gradients_and_variables
    return optimiser


def _of_name(recipe: Recipe) -> Any:
    import keras

    rate = recipe.learning_rate
    if recipe.optimiser == "adam":
        return keras.optimizers.Adam(rate)
    if recipe.optimiser == "adamw":
        optimiser = keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay)
        optimiser.exclude_from_weight_decay(var_names=["bias", "beta", "gamma"])
        return optimiser
    momentum = 0.0 if recipe.optimiser == "sgd" else 0.9
    return keras.optimizers.SGD(rate, momentum=momentum, nesterov=recipe.optimiser == "nesterov")
