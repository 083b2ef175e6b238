"""The loop in the graph: many updates per call from Python, traced once and reused for every fold and seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipelines.task import Recipe
from pipelines.training.checkpoint import Snapshot
from pipelines.training.plan import Plan
from pipelines.training.schedule import rate_at
from pipelines.training.step import Batch, Clock, Step

MEASURED_EVERY = 32
"""One update in so many, and the first of every call, has its gradients measured layer by layer."""


class Loop:
    """Traced functions around one step.

    Args:
        step: the update that is repeated.
        core: Keras model whose outputs `evaluate` gives.
        loss: (y, outputs) -> (batch,) per-example loss, for validation.
    """

    def __init__(self, step: Step, core: Any, loss: Callable[[Any, Any], Any], recipe: Recipe, plan: Plan) -> None:
        import tensorflow as tf

        self.step, self.core, self.loss, self.recipe, self.plan = step, core, loss, recipe, plan
        self._untrained = Snapshot(step.state)
        # Numbers of rows and steps that differ from call to call are generalised, not traced anew each time.
        self.train = tf.function(self._train, jit_compile=plan.xla, reduce_retracing=True)
        self.evaluate = tf.function(self._evaluate, jit_compile=plan.xla, reduce_retracing=True)

    def restart(self, fresh: Any) -> None:
        """Forget all training: the weights and generators of `fresh` (the same architecture), empty optimiser slots."""
        self._untrained.restore(self.step.state)
        Snapshot(fresh.variables).restore(self.core.variables)

    def _train(self, x: Any, y: Any, weight: Any, rows: Any, mask: Any, first: Any, total: Any) -> dict[str, Any]:
        """Update once for each of the given batches.

        Args:
            x, y, weight: all rows; structures of (n, ...) tensors, (n, ...), (n,).
            rows, mask: (steps, batch) row numbers, and 0 where a row only fills the batch.
            first, total: scalar float, the number of the first step in the whole training, and of all steps.

        Returns:
            What the step sums, over all batches, by name.
        """
        import tensorflow as tf

        sums = {name: tf.zeros(shape) for name, shape in self.step.sums.items()}
        for index in tf.range(tf.shape(rows)[0]):
            inputs, target, scale = _gathered(x, y, weight, rows[index], mask[index])
            step = first + tf.cast(index, tf.float32)
            clock = Clock(step, rate_at(step, total, self.recipe), index % MEASURED_EVERY == 0)
            found = self.step(Batch(inputs, target, scale, tf.maximum(tf.reduce_sum(scale), 1e-12)), clock)
            sums = {name: sums[name] + found[name] for name in sums}
        return sums

    def _evaluate(self, x: Any, y: Any, weight: Any, rows: Any, mask: Any) -> tuple[Any, Any]:
        """(weighted sum of losses, (steps * batch, ...) outputs) of the given batches, without training."""
        import tensorflow as tf

        def forward(index: Any) -> tuple[Any, Any]:
            inputs, target, scale = _gathered(x, y, weight, rows[index], mask[index])
            outputs = self.core(inputs, training=False)
            return outputs, tf.reduce_sum(self.loss(target, outputs) * scale)

        outputs, losses = tf.map_fn(
            forward,
            tf.range(tf.shape(rows)[0]),
            fn_output_signature=(self.core.compute_dtype, tf.float32),
            parallel_iterations=1,
        )
        return tf.reduce_sum(losses), tf.reshape(outputs, tf.concat([[-1], tf.shape(outputs)[2:]], axis=0))


def _gathered(x: Any, y: Any, weight: Any, rows: Any, mask: Any) -> tuple[Any, Any, Any]:
    """Inputs, targets and weights of one batch; rows that only fill it weigh 0."""
    import tensorflow as tf

    inputs, target = tf.nest.map_structure(lambda values: tf.gather(values, rows), (x, y))
    return inputs, target, tf.gather(weight, rows) * mask
