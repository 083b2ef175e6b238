"""One update: forward pass, loss, gradients, step of the optimiser. Written as one replica sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from pipelines.task import Recipe
from pipelines.training.accumulation import part_of
from pipelines.training.averaging import Average
from pipelines.training.clipping import clipped
from pipelines.training.health import HEALTH, Health
from pipelines.training.loss_scale import LossScale, only_if
from pipelines.training.mixing import Mixing, mixed_loss
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
    """

    step: Any
    rate: Any


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
            float32 sums over the GLOBAL batch for each of `sums`, the same on every replica; `loss` is the weighted
            sum of per-example losses.
        """
        ...


class Supervised:
    """Minimise `loss(y, core(x))`, averaged by weight, plus the recipe's penalties.

    Args:
        core: Keras model, built; its layers compute in the precision they have (`precision.lower`).
        loss: (y, outputs) -> (batch,) per-example loss.
        beside: (y, outputs, weight) -> what is added to the mean loss, of the rows of all replicas; the same on each.
    """

    def __init__(
        self,
        core: Any,
        loss: Callable[[Any, Any], Any],
        recipe: Recipe,
        beside: Callable[[Any, Any, Any], Any] | None = None,
    ) -> None:
        self.core, self.loss, self.recipe, self.beside = core, loss, recipe, beside
        self.optimiser = make_optimiser(recipe, core.trainable_variables)
        self.average = Average(core, recipe.average) if recipe.average else None
        self.loss_scale = LossScale() if needs_loss_scale(core) else None
        self.health = Health(core)
        self.mixing = Mixing(recipe.mixup) if recipe.mixup else None
        self._learned = mixed_loss(loss) if self.mixing else loss

    @property
    def state(self) -> list[Any]:
        parts = [each for each in (self.average, self.loss_scale) if each is not None]
        return [*self.core.variables, *self.optimiser.variables, *(one for each in parts for one in each.state)]

    @property
    def sums(self) -> Mapping[str, tuple[int, ...]]:
        return {"loss": (), **({"skipped": ()} if self.loss_scale else {})}

    def averaged(self) -> list[Any] | None:
        """The variables to validate and to keep, one for each of `core.variables`; None for those themselves."""
        return self.average.variables if self.average else None

    def __call__(self, batch: Batch, clock: Clock) -> dict[str, Any]:
        loss, gradients = self._backward(self._mixed(batch, clock), in_a_loop=replicas() == 1)
        return self._update(batch, clock, loss, gradients)

    def measured(self, batch: Batch, clock: Clock) -> dict[str, Any]:
        """The same update, and what `health` measures of it. A graph of its own: the others pay nothing for it."""
        with self.health.listening() as heard:
            mixed = self._mixed(batch, clock)
            loss, gradients = self._backward(mixed, in_a_loop=False)  # a loop could not hand out what was heard
        before = self.health.kernels()
        found = self._update(batch, clock, loss, gradients)
        (vector,) = sum_over_replicas([self.health.vector(gradients, before, heard)])
        return found | {HEALTH: vector}

    def _mixed(self, batch: Batch, clock: Clock) -> Batch:
        if self.mixing is None:
            return batch
        x, y = self.mixing(batch.x, batch.y, batch.weight, clock.step)
        return batch._replace(x=x, y=y)

    def _update(self, batch: Batch, clock: Clock, loss: Any, gradients: list[Any]) -> dict[str, Any]:
        import tensorflow as tf

        found, variables = {"loss": loss}, self.core.trainable_variables

        def apply(bounded: list[Any]) -> None:
            self.optimiser.apply(bounded, variables)

        self.optimiser.learning_rate.assign(clock.rate)
        bounded = clipped(gradients, variables, self.recipe)
        if self.loss_scale:
            finite = tf.math.is_finite(tf.linalg.global_norm(gradients))
            found["skipped"] = tf.where(finite, 0.0, batch.denominator)
            only_if(finite, apply, bounded)
            self.loss_scale.saw(finite)
        else:
            apply(bounded)
        if self.average:
            self.average.update(clock.step)
        return found

    def _backward(self, batch: Batch, in_a_loop: bool) -> tuple[Any, list[Any]]:
        """Of the global batch: the weighted sum of losses, and the gradients of the objective, dense."""
        loss, gradients = self._of_parts(batch, in_a_loop) if self.recipe.accumulate > 1 else self._of_part(batch)
        loss, *gradients = sum_over_replicas([loss, *gradients])
        return loss, self.loss_scale.divide(gradients) if self.loss_scale else gradients

    def _of_parts(self, batch: Batch, in_a_loop: bool) -> tuple[Any, list[Any]]:
        """The same as for the whole batch, with one part of it in memory at a time."""
        import tensorflow as tf

        parts = self.recipe.accumulate

        def add(number: Any, loss: Any, gradients: list[Any]) -> tuple[Any, Any, list[Any]]:
            (x, y), weight = part_of((batch.x, batch.y), batch.weight, number, parts)
            more, others = self._of_part(Batch(x, y, weight, batch.denominator))
            return number + 1, loss + more, [one + other for one, other in zip(gradients, others, strict=True)]

        loss, gradients = tf.constant(0.0), [tf.zeros(each.shape, each.dtype) for each in self.core.trainable_variables]
        if in_a_loop:
            _, loss, gradients = tf.while_loop(
                lambda number, *_: number < parts, add, (0, loss, gradients), maximum_iterations=parts
            )
            return loss, gradients
        # Replicas meet within the forward pass (BatchNormalization), which TensorFlow does not allow inside a loop.
        for number in range(parts):
            with tf.control_dependencies(gradients):  # one after the other, or all would be in memory
                _, loss, gradients = add(number, loss, gradients)
        return loss, gradients

    def _of_part(self, batch: Batch) -> tuple[Any, list[Any]]:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            outputs = self.core(batch.x, training=True)
            loss = tf.reduce_sum(self._learned(batch.y, outputs) * batch.weight)
            # Each part on each replica adds its share of the penalties, so that their sum counts them once.
            added = penalty(self.core, self.recipe)
            if self.beside:
                added += self.beside(batch.y, outputs, batch.weight)
            objective = loss / batch.denominator + added / (replicas() * self.recipe.accumulate)
            if self.loss_scale:
                objective = self.loss_scale.multiply(objective)
        variables = self.core.trainable_variables
        pairs = zip(tape.gradient(objective, variables), variables, strict=True)
        return loss, [_dense(gradient, variable) for gradient, variable in pairs]


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
