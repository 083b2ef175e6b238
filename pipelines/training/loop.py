"""The loop in the graph: many updates per call from Python, traced once and reused for every fold and seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from pipelines.task import Recipe
from pipelines.training.averaging import forward as forward_with
from pipelines.training.checkpoint import Snapshot
from pipelines.training.optimisers import decay_by
from pipelines.training.plan import Plan
from pipelines.training.schedule import rate_at
from pipelines.training.step import Batch, Clock, Step

NOT_TRACED = ("learning_rate", "weight_decay", "epochs", "patience", "drop_patience", "restarts", "members", "monitor",
              "trials", "plan", "dp_epsilon", "dp_noise", "dp_delta")  # fmt: skip
"""Settings of a recipe that no trace holds: trainings that differ in nothing else share one, which costs seconds. The
noise of private training is a variable; that there is some is in the trace."""


def traced(recipe: Recipe) -> dict[str, Any]:
    """What of a recipe is in the traces of its loop. No decay at all is: it is not computed then."""
    kept = {name: value for name, value in vars(recipe).items() if name not in NOT_TRACED}
    return {**kept, "decays": bool(recipe.weight_decay), "private": recipe.private}


class Loop:
    """Traced functions around one step, under the distribution strategy that is open when it is made.

    Args:
        step: the update that is repeated.
        core: Keras model whose outputs `evaluate` gives.
        loss: (y, outputs) -> (batch,) per-example loss, for validation.
    """

    def __init__(self, step: Step, core: Any, loss: Callable[[Any, Any], Any], recipe: Recipe, plan: Plan) -> None:
        import tensorflow as tf

        self.step, self.core, self.loss, self.recipe, self.plan = step, core, loss, recipe, plan
        self._shape = replace(recipe, learning_rate=1.0)  # of the schedule; the clock brings the rate itself
        self.strategy = tf.distribute.get_strategy()
        averaged: Callable[[], list[Any] | None] | None = getattr(step, "averaged", None)
        self.averaged = None if averaged is None else averaged()
        """Variables to validate and keep in place of the core's own, in its order; None where there are none."""
        self.health = getattr(step, "health", None)
        """What `measure` measures with; None where the step has none."""
        self._untrained = Snapshot(step.state)
        # Only the loop of `_train` needs rewriting for the graph; rewriting all that Keras calls in it, which knows
        # how to be traced, would take longer than the tracing.
        self._one = tf.autograph.experimental.do_not_convert(self._update)
        # Numbers of rows that differ from fold to fold are generalised, not traced anew each time.
        self.train = tf.function(self._train, jit_compile=plan.xla, reduce_retracing=True)
        # Never compiled: it runs once in many updates, which would not earn the compiling back.
        self.measure = tf.function(self._measure, reduce_retracing=True, autograph=False)
        self.evaluate = tf.function(self._evaluate, jit_compile=plan.xla, reduce_retracing=True, autograph=False)

    def restart(self, fresh: Any, recipe: Recipe | None = None) -> None:
        """Forget all training: the weights and generators of `fresh` (the same architecture), empty optimiser slots.

        Args:
            recipe: of the next training, which may differ from the one before in what is `NOT_TRACED`.
        """
        if recipe is not None:
            self.recipe = recipe
            decay_by(self.step, recipe)
        self._untrained.restore(self.step.state)
        Snapshot(fresh.variables).restore(self.core.variables)

    def _train(
        self, data: Any, rows: Any, mask: Any, denominators: Any, start: Any, stop: Any, clock: Any
    ) -> dict[str, Any]:
        """Update once for each batch from `start` to `stop`, or until the loss is no longer finite.

        Args:
            data: inputs, targets and weights of all rows of each replica; structures of (n, ...) tensors, (n,) last.
            rows, mask: (steps, batch) for each replica: row numbers, and 0 where a row only fills the batch.
            denominators: (steps,) weight of each global batch.
            start, stop: scalar int32, which of the steps.
            clock: (number of step 0 in the whole training, number of all steps, the learning rate at its peak).

        Returns:
            What the step sums, over all batches and replicas, by name; and `steps`, how many updates were made.
        """
        import tensorflow as tf

        first, total, rate = clock
        sums = {name: tf.zeros(shape) for name, shape in self.step.sums.items()}
        steps = tf.constant(0)
        for index in tf.range(start, stop):
            number = first + tf.cast(index, tf.float32)
            moment = Clock(number, rate * rate_at(number, total, self._shape))
            found = self.strategy.run(self._one, args=(data, rows, mask, denominators, index, moment))
            sums = {name: sums[name] + self._any(found[name]) for name in sums}
            steps += 1
            if not tf.math.is_finite(sums["loss"]):
                break
        return sums | {"steps": steps}

    def _measure(self, data: Any, rows: Any, mask: Any, denominators: Any, index: Any, clock: Any) -> dict[str, Any]:
        """Update once, as `_train` does; also what the step's health measured."""
        import tensorflow as tf

        first, total, rate = clock
        number = first + tf.cast(index, tf.float32)
        moment = Clock(number, rate * rate_at(number, total, self._shape))
        arguments = (data, rows, mask, denominators, index, moment)
        found = self.strategy.run(partial(self._update, measured=True), args=arguments)
        return {name: self._any(value) for name, value in found.items()} | {"steps": tf.constant(1)}

    def _update(
        self, data: Any, rows: Any, mask: Any, denominators: Any, index: Any, moment: Any, measured: bool = False
    ) -> dict[str, Any]:
        inputs, target, weight = gathered(data, rows[index], mask[index])
        step: Any = self.step
        update: Callable[[Batch, Clock], dict[str, Any]] = step.measured if measured else step
        return update(Batch(inputs, target, weight, denominators[index]), Clock(*moment))

    def _evaluate(self, data: Any, rows: Any, mask: Any) -> tuple[Any, Any]:
        """(weighted sum of losses, (steps * batch, ...) outputs) of the given batches, without training."""
        import tensorflow as tf

        losses, outputs = self.strategy.run(self._forward, args=(data, rows, mask))
        if self.strategy.num_replicas_in_sync > 1:
            outputs = self.strategy.gather(outputs, axis=1)
        return self._sum(losses), tf.reshape(outputs, tf.concat([[-1], tf.shape(outputs)[2:]], axis=0))

    def _forward(self, data: Any, rows: Any, mask: Any) -> tuple[Any, Any]:
        import tensorflow as tf

        def forward(index: Any) -> tuple[Any, Any]:
            inputs, target, weight = gathered(data, rows[index], mask[index])
            outputs = forward_with(self.core, self.averaged, inputs)
            return tf.reduce_sum(self.loss(target, outputs) * weight), outputs

        losses, outputs = tf.map_fn(
            forward,
            tf.range(tf.shape(rows)[0]),
            fn_output_signature=(tf.float32, self.core.compute_dtype),
            parallel_iterations=1,
        )
        return tf.reduce_sum(losses), outputs

    def _any(self, value: Any) -> Any:
        """What is the same on every replica."""
        return self.strategy.experimental_local_results(value)[0]

    def _sum(self, value: Any) -> Any:
        """Over replicas."""
        return value if self.strategy.num_replicas_in_sync == 1 else self.strategy.reduce("SUM", value, axis=None)


def gathered(data: Any, rows: Any, mask: Any) -> tuple[Any, Any, Any]:
    """Inputs, targets and weights of one batch; rows that only fill it weigh 0."""
    import tensorflow as tf

    inputs, target, weight = tf.nest.map_structure(lambda values: tf.gather(values, rows), data)
    return inputs, target, weight * mask
