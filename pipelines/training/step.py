"""One update: forward pass, loss, gradients, step of the optimiser. Written as one replica sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from pipelines.task import Recipe
from pipelines.training.optimisers import make_optimiser
from pipelines.training.strategy import replicas, sum_over_replicas


class Batch(NamedTuple):
    """The rows that one replica learns from in one update.

    Args:
        x: inputs, any structure of (batch, ...) tensors.
        y: (batch, ...) learnable targets.
        weight: (batch,) float, 0 for rows that only fill the batch.
        denominator: scalar, the weight of the GLOBAL batch, so that one replica and many give the same numbers.
    """

    x: Any
    y: Any
    weight: Any
    denominator: Any


class Clock(NamedTuple):
    """Where in the training an update stands.

    Args:
        step: scalar float, its number in the whole training, from 0.
        rate: scalar float, the learning rate.
        measured: scalar bool, True on the few updates on which costly measurements are taken.
    """

    step: Any
    rate: Any
    measured: Any


class Step(Protocol):
    """What the loop repeats. A step with two networks and two optimisers (adversarial training) is one too."""

    @property
    def state(self) -> list[Any]:
        """Every variable that an update changes: weights, statistics, generators, optimiser slots."""
        ...

    @property
    def sums(self) -> Mapping[str, tuple[int, ...]]:
        """Name and static shape of what an update returns; the loop in the graph has to know them before its turn."""
        ...

    def __call__(self, batch: Batch, clock: Clock) -> dict[str, Any]:
        """Update once.

        Returns:
            float32 sums over the local batch for each of `sums`; `loss` is the weighted sum of per-example losses.
        """
        ...


class Supervised:
    """Minimise `loss(y, core(x))`, averaged by weight, plus the recipe's penalties.

    Args:
        core: Keras model, built.
        loss: (y, outputs) -> (batch,) per-example loss.
    """

    def __init__(self, core: Any, loss: Callable[[Any, Any], Any], recipe: Recipe) -> None:
        self.core, self.loss, self.recipe = core, loss, recipe
        self.optimiser = make_optimiser(recipe)
        self.optimiser.build(core.trainable_variables)

    @property
    def state(self) -> list[Any]:
        return [*self.core.variables, *self.optimiser.variables]

    @property
    def sums(self) -> Mapping[str, tuple[int, ...]]:
        return {"loss": (), "gradient_norm": ()}

    def __call__(self, batch: Batch, clock: Clock) -> dict[str, Any]:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            outputs = self.core(batch.x, training=True)
            loss = tf.reduce_sum(self.loss(batch.y, outputs) * batch.weight)
            # Each replica adds its share of the penalty, so that the sum over replicas counts it once.
            objective = loss / batch.denominator + penalty(self.core, self.recipe) / replicas()
        variables = self.core.trainable_variables
        gradients = sum_over_replicas(tape.gradient(objective, variables))
        norm = tf.linalg.global_norm(gradients)
        if self.recipe.clip_norm:
            gradients, _ = tf.clip_by_global_norm(gradients, self.recipe.clip_norm, use_norm=norm)
        self.optimiser.learning_rate.assign(clock.rate)
        self.optimiser.apply(gradients, variables)
        return {"loss": loss, "gradient_norm": norm * tf.reduce_sum(batch.weight)}


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
