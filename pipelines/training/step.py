"""One update: forward pass, loss, gradients, step of the optimiser. Written as one replica sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from pipelines.task import Recipe
from pipelines.training.accumulation import part_of
from pipelines.training.averaging import Average
from pipelines.training.clipping import clipped
from pipelines.training.loss_scale import LossScale, only_if
from pipelines.training.optimisers import decays, make_optimiser
from pipelines.training.precision import needs_loss_scale
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


class Health(Protocol):
    """What listens to updates; the measurements are its own matter."""

    @property
    def state(self) -> list[Any]:
        """Its variables that an update changes."""
        ...

    @property
    def sums(self) -> Mapping[str, tuple[int, ...]]:
        """Name and static shape of what `after` returns."""
        ...

    def forward(self, x: Any) -> tuple[Any, Any]:
        """(outputs of the core in training, whatever `after` wants to see of its layers)."""
        ...

    def before(self, measured: Any) -> None:
        """Called before the weights move."""
        ...

    def after(self, measured: Any, gradients: list[Any], activations: Any) -> dict[str, Any]:
        """Called after. `gradients` are of the global batch's objective, dense, before any clipping."""
        ...


class Supervised:
    """Minimise `loss(y, core(x))`, averaged by weight, plus the recipe's penalties.

    Args:
        core: Keras model, built; its layers compute in the precision they have (`precision.lower`).
        loss: (y, outputs) -> (batch,) per-example loss.
        health: listens to every update; None for nobody.
    """

    def __init__(
        self, core: Any, loss: Callable[[Any, Any], Any], recipe: Recipe, health: Health | None = None
    ) -> None:
        self.core, self.loss, self.recipe, self.health = core, loss, recipe, health
        self.optimiser = make_optimiser(recipe, core.trainable_variables)
        self.average = Average(core, recipe.average) if recipe.average else None
        self.loss_scale = LossScale() if needs_loss_scale(core) else None

    @property
    def state(self) -> list[Any]:
        parts = [each for each in (self.average, self.loss_scale, self.health) if each is not None]
        return [*self.core.variables, *self.optimiser.variables, *(one for each in parts for one in each.state)]

    @property
    def sums(self) -> Mapping[str, tuple[int, ...]]:
        skipped: dict[str, tuple[int, ...]] = {"skipped": ()} if self.loss_scale else {}
        return {"loss": (), "gradient_norm": (), **skipped, **(self.health.sums if self.health else {})}

    def averaged(self) -> list[Any] | None:
        """The variables to validate and to keep, one for each of `core.variables`; None for those themselves."""
        return self.average.variables if self.average else None

    def __call__(self, batch: Batch, clock: Clock) -> dict[str, Any]:
        import tensorflow as tf

        loss, gradients, activations = self._backward(batch)
        gradients = sum_over_replicas(gradients)
        if self.loss_scale:
            gradients = self.loss_scale.divide(gradients)
        norm, weight, measured = tf.linalg.global_norm(gradients), tf.reduce_sum(batch.weight), clock.measured
        found = {"loss": loss, "gradient_norm": norm * weight}
        if self.loss_scale:
            finite = tf.math.is_finite(norm)
            found |= {"gradient_norm": tf.where(finite, norm, 0.0) * weight, "skipped": tf.where(finite, 0.0, weight)}
            measured = tf.logical_and(measured, finite)
        if self.health:
            self.health.before(measured)
        self.optimiser.learning_rate.assign(clock.rate)
        bounded = clipped(gradients, self.core.trainable_variables, norm, self.recipe)
        if self.loss_scale:
            only_if(finite, self._update, bounded)
            self.loss_scale.saw(finite)
        else:
            self._update(bounded)
        if self.average:
            self.average.update(clock.step)
        if self.health:
            found |= self.health.after(measured, gradients, activations)
        return found

    def _update(self, gradients: list[Any]) -> None:
        self.optimiser.apply(gradients, self.core.trainable_variables)

    def _backward(self, batch: Batch) -> tuple[Any, list[Any], Any]:
        """(weighted sum of losses, gradients of this replica's share of the objective, what health sees)."""
        import tensorflow as tf

        parts = self.recipe.accumulate
        if parts == 1:
            return self._of_part(batch)

        def part(number: Any) -> Batch:
            (x, y), weight = part_of((batch.x, batch.y), batch.weight, number, parts)
            return Batch(x, y, weight, batch.denominator)

        def add(number: Any, loss: Any, gradients: list[Any]) -> tuple[Any, Any, list[Any]]:
            more, others, _ = self._of_part(part(number))
            return number + 1, loss + more, [one + other for one, other in zip(gradients, others, strict=True)]

        # The first part stands before the loop: a loop could not hand out what health saw.
        loss, gradients, activations = self._of_part(part(0))
        if replicas() == 1:
            _, loss, gradients = tf.while_loop(
                lambda number, *_: number < parts, add, (1, loss, gradients), maximum_iterations=parts - 1
            )
            return loss, gradients, activations
        # Replicas meet within the forward pass (BatchNormalization), which TensorFlow does not allow inside a loop.
        for number in range(1, parts):
            with tf.control_dependencies(gradients):  # one after the other, or all would be in memory
                _, loss, gradients = add(number, loss, gradients)
        return loss, gradients, activations

    def _of_part(self, batch: Batch) -> tuple[Any, list[Any], Any]:
        import tensorflow as tf

        activations = None
        with tf.GradientTape() as tape:
            if self.health:
                outputs, activations = self.health.forward(batch.x)
            else:
                outputs = self.core(batch.x, training=True)
            loss = tf.reduce_sum(self.loss(batch.y, outputs) * batch.weight)
            # Each part on each replica adds its share of the penalty, so that their sum counts it once.
            share = penalty(self.core, self.recipe) / (replicas() * self.recipe.accumulate)
            objective = loss / batch.denominator + share
            if self.loss_scale:
                objective = self.loss_scale.multiply(objective)
        variables = self.core.trainable_variables
        pairs = zip(tape.gradient(objective, variables), variables, strict=True)
        return loss, [_dense(gradient, variable) for gradient, variable in pairs], activations


def _dense(gradient: Any, variable: Any) -> Any:
    """A tensor also of a variable that took no part, and of an embedding, whose gradient comes as slices: their norm
    would count a repeated word for each time it occurs."""
    import tensorflow as tf

    return tf.zeros(variable.shape, variable.dtype) if gradient is None else tf.convert_to_tensor(gradient)


def penalty(core: Any, recipe: Recipe) -> Any:
    """L1 and L2 (Krogh and Hertz 1992) on kernels and embeddings, and whatever the layers themselves add."""
    import tensorflow as tf

    total = tf.zeros((), core.variable_dtype)
    for added in core.losses:  # of an activation it has the precision of its layer
        total += tf.cast(added, core.variable_dtype)
    for variable in core.trainable_variables if recipe.l1 or recipe.l2 else ():
        if not decays(variable):
            continue
        value = tf.convert_to_tensor(variable)
        if recipe.l1:
            total += recipe.l1 * tf.reduce_sum(tf.abs(value))
        if recipe.l2:
            total += recipe.l2 * tf.reduce_sum(tf.square(value))
    return total
