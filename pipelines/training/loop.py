"""The loop in the graph: many updates per call from Python, traced once and reused for every fold and seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipelines.task import Recipe
from pipelines.training.checkpoint import Snapshot
from pipelines.training.plan import Plan
from pipelines.training.schedule import rate_at
from pipelines.training.step import Step


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
        self.train = tf.function(self._train, jit_compile=plan.xla)
        self.evaluate = tf.function(self._evaluate, jit_compile=plan.xla)

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
            Mean per unit of weight of what the step sums, by name.
        """
        import tensorflow as tf

        sums, seen = None, tf.constant(0.0)
        # Unrolled in Python once, so that the loop knows what the step returns; then the rest in the graph.
        sums, seen = self._update(x, y, weight, rows[0], mask[0], first, total)
        for index in tf.range(1, tf.shape(rows)[0]):
            more, batch = self._update(
                x, y, weight, rows[index], mask[index], first + tf.cast(index, tf.float32), total
            )
            sums = {name: sums[name] + more[name] for name in sums}
            seen += batch
        return {name: value / seen for name, value in sums.items()}

    def _update(
        self, x: Any, y: Any, weight: Any, rows: Any, mask: Any, step: Any, total: Any
    ) -> tuple[dict[str, Any], Any]:
        import tensorflow as tf

        batch = tf.nest.map_structure(lambda rows_of: tf.gather(rows_of, rows), x)
        scale = tf.gather(weight, rows) * mask
        seen = tf.reduce_sum(scale)
        sums = self.step(batch, tf.gather(y, rows), scale, tf.maximum(seen, 1e-12), rate_at(step, total, self.recipe))
        return sums, seen

    def _evaluate(self, x: Any, y: Any, weight: Any, rows: Any, mask: Any) -> tuple[Any, Any]:
        """(mean loss, (steps * batch, ...) outputs) of the given batches, without training."""
        import tensorflow as tf

        def forward(index: Any) -> tuple[Any, Any, Any]:
            batch = tf.nest.map_structure(lambda rows_of: tf.gather(rows_of, rows[index]), x)
            outputs = self.core(batch, training=False)
            scale = tf.gather(weight, rows[index]) * mask[index]
            loss = tf.reduce_sum(self.loss(tf.gather(y, rows[index]), outputs) * scale)
            return outputs, loss, tf.reduce_sum(scale)

        outputs, losses, seen = tf.map_fn(
            forward,
            tf.range(tf.shape(rows)[0]),
            fn_output_signature=(self.core.compute_dtype, tf.float32, tf.float32),
            parallel_iterations=1,
        )
        flat = tf.reshape(outputs, tf.concat([[-1], tf.shape(outputs)[2:]], axis=0))
        return tf.reduce_sum(losses) / tf.maximum(tf.reduce_sum(seen), 1e-12), flat
