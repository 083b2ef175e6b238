"""One update: forward pass, loss, gradients, step of the optimiser. Written as one replica sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from pipelines.task import Recipe


class Step(Protocol):
    """What the loop repeats. A step with two networks and two optimisers (adversarial training) is one too."""

    @property
    def state(self) -> list[Any]:
        """Every variable that an update changes: weights, statistics, generators, optimiser slots."""
        ...

    @property
    def sums(self) -> tuple[str, ...]:
        """The names of what an update returns; the loop in the graph has to know them before its first turn."""
        ...

    def __call__(self, x: Any, y: Any, weight: Any, denominator: Any, rate: Any) -> dict[str, Any]:
        """Update once.

        Args:
            x: batch of inputs, any structure of (batch, ...) tensors.
            y: (batch, ...) learnable targets.
            weight: (batch,) float, 0 for rows that only fill the batch.
            denominator: scalar, the weight of the GLOBAL batch, so that one replica and many give the same numbers.
            rate: scalar learning rate.

        Returns:
            Sums over the batch for each of `sums`; `loss` is the weighted sum of per-example losses.
        """
        ...


class Supervised:
    """Minimise `loss(y, core(x))`, averaged by weight, plus the recipe's penalties.

    Args:
        core: Keras model, built.
        loss: (y, outputs) -> (batch,) per-example loss.
    """

    sums = ("loss", "gradient_norm")

    def __init__(self, core: Any, loss: Callable[[Any, Any], Any], recipe: Recipe) -> None:
        self.core, self.loss, self.recipe = core, loss, recipe
        self.optimiser = make_optimiser(recipe)
        self.optimiser.build(core.trainable_variables)

    @property
    def state(self) -> list[Any]:
        return [*self.core.variables, *self.optimiser.variables]

    def __call__(self, x: Any, y: Any, weight: Any, denominator: Any, rate: Any) -> dict[str, Any]:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            outputs = self.core(x, training=True)
            loss = tf.reduce_sum(self.loss(y, outputs) * weight)
            objective = loss / denominator + penalty(self.core, self.recipe)
        variables = self.core.trainable_variables
        gradients = tape.gradient(objective, variables)
        norm = tf.linalg.global_norm(gradients)
        if self.recipe.clip_norm:
            gradients, _ = tf.clip_by_global_norm(gradients, self.recipe.clip_norm, use_norm=norm)
        self.optimiser.learning_rate.assign(rate)
        self.optimiser.apply(gradients, variables)
        return {"loss": loss, "gradient_norm": norm * denominator}


def penalty(core: Any, recipe: Recipe) -> Any:
    """L1 and L2 (Krogh and Hertz 1992) on kernels and embeddings, and whatever the layers themselves add."""
    import tensorflow as tf

    total = tf.add_n(core.losses) if core.losses else tf.zeros((), core.variable_dtype)
    for variable in core.trainable_variables if recipe.l1 or recipe.l2 else ():
        if len(variable.shape) < 2:  # biases and the gains of a normalisation are not penalised
            continue
        value = tf.convert_to_tensor(variable)
        if recipe.l1:
            total += recipe.l1 * tf.reduce_sum(tf.abs(value))
        if recipe.l2:
            total += recipe.l2 * tf.reduce_sum(tf.square(value))
    return total


def make_optimiser(recipe: Recipe) -> Any:
    """The recipe's optimiser from Keras; its learning rate is set at every step."""
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
