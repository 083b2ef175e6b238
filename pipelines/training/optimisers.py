"""The recipe's optimiser, from Keras."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelines.task import Recipe

UNDECAYED = ("bias", "beta", "gamma", "scale")
"""Names of offsets and gains, which some layers (attention, GRU) keep in more than one dimension."""


def make_optimiser(recipe: Recipe, variables: Sequence[Any]) -> Any:
    """The recipe's optimiser, built for `variables`.

    Its learning rate is set at every step, and it takes gradients already summed over replicas. Weight decay is
    decoupled from the gradient for every optimiser that has it: before the update each kernel and embedding shrinks by
    the factor 1 - rate * weight_decay (Loshchilov and Hutter 2019, arXiv 1711.05101).
    """
    optimiser = _of_name(recipe)
    optimiser.exclude_from_weight_decay(var_list=[each for each in variables if not decays(each)])
    # Keras sums over replicas after it has clipped, and so after our own clipping and norms, which need the sum.
    optimiser._all_reduce_sum_gradients = lambda gradients_and_variables: gradients_and_variables
    optimiser.build(variables)
    if recipe.weight_decay:
        import tensorflow as tf

        # A variable, which a trace reads anew: see `decay_by`.
        optimiser.weight_decay = tf.Variable(recipe.weight_decay, trainable=False, name="weight_decay")
    return optimiser


def decay_by(step: Any, recipe: Recipe) -> None:
    """Let a step's optimiser, which was made to decay weights, do so by this recipe's amount from now on."""
    optimiser = getattr(step, "optimiser", None)
    if recipe.weight_decay and optimiser is not None:
        optimiser.weight_decay.assign(recipe.weight_decay)


def decays(variable: Any) -> bool:
    """Whether a variable is a kernel or an embedding; biases and the gains of a normalisation are neither decayed nor
    penalised."""
    return len(variable.shape) >= 2 and variable.name not in UNDECAYED


def _of_name(recipe: Recipe) -> Any:
    """Every optimiser with the constants of its paper, which are Keras' defaults."""
    import keras

    of = keras.optimizers
    # None spares the decay; 0.0 would be computed at every step.
    rate, decay = recipe.learning_rate, recipe.weight_decay or None
    if recipe.optimiser == "rmsprop":
        return of.RMSprop(rate, weight_decay=decay)
    if recipe.optimiser in ("adam", "adamw"):  # one and the same but for the decay, which adam refuses
        return of.Adam(rate, weight_decay=decay)
    if recipe.optimiser == "lion":
        return of.Lion(rate, weight_decay=decay)
    if recipe.optimiser == "adafactor":
        return of.Adafactor(rate, weight_decay=decay, relative_step=False)
    momentum = 0.0 if recipe.optimiser == "sgd" else 0.9
    return of.SGD(rate, weight_decay=decay, momentum=momentum, nesterov=recipe.optimiser == "nesterov")
