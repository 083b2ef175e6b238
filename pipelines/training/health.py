"""Gradient health: what an update does to each layer, measured in the graph on few steps and kept per epoch.

Per layer with trainable variables the norm of the gradient of the mean loss, and how far the update moves its kernels
in proportion to their size; per layer with a gate the share of units that let no gradient through. All of it is one
vector, computed inside a `tf.cond`, so that the steps between two measurements cost next to nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.training.layers import Gate, Learning, layers_of, listen

SUMS = "health"
"""What a step calls the vector among its sums."""

SATURATED = 0.98
"""Beyond this a tanh, or a sigmoid stretched to [-1, 1], has less than 4 % of its steepest slope."""


class Health:
    """Measurements of a `Supervised` step; see there for the order of calls.

    Args:
        core: Keras model, built. Its layers with gates are listened to from now on, which changes nothing they give.

    Nothing of it has to be kept in a checkpoint (`state` is empty): weights are copied and compared within one update.
    """

    def __init__(self, core: Any) -> None:
        import tensorflow as tf

        self._core = core
        self._layers, self._gates = layers_of(core)
        self._heard = threading.local()  # replicas are traced in threads that take turns within a forward pass
        for gate in self._gates:
            listen(gate.layer, self._hear)
        self._sizes = [int(np.prod(core.trainable_variables[place].shape)) for place in self._kernels]
        # One for all kernels, because whatever goes into a `tf.cond` costs on every step. Each replica has its own: a
        # mirrored variable cannot be assigned there.
        self._copy = tf.Variable(
            tf.zeros(sum(self._sizes)),
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )

    @property
    def state(self) -> list[Any]:
        """Variables that outlive an update: none."""
        return []

    @property
    def sums(self) -> Mapping[str, tuple[int, ...]]:
        """One vector: how often it was measured, then by layer gradient norms, update ratios, and closed units."""
        return {SUMS: (1 + len(self._layers) + len(self._moving) + sum(gate.units for gate in self._gates),)}

    @property
    def _moving(self) -> list[Learning]:
        return [layer for layer in self._layers if layer.kernels]

    @property
    def _kernels(self) -> list[int]:
        """Places of all kernels among the trainable variables, layer by layer."""
        return [place for layer in self._moving for place in layer.kernels]

    def forward(self, x: Any) -> tuple[Any, list[list[Any]]]:
        """(outputs of the core in training, for each gate what it gave out at each of its calls)."""
        heard: dict[int, list[Any]] = {}
        self._heard.outputs = heard
        try:
            outputs = self._core(x, training=True)
        finally:
            del self._heard.outputs
        return outputs, [heard.get(id(gate.layer), []) for gate in self._gates]

    def _hear(self, layer: Any, output: Any) -> None:
        heard = getattr(self._heard, "outputs", None)
        if heard is not None:
            heard.setdefault(id(layer), []).append(output)

    def before(self, measured: Any) -> None:
        """Keep the kernels as they are before the update."""
        import tensorflow as tf

        if not self._kernels:
            return

        def copy() -> Any:
            # Turned round, because a branch that only moves values along is one that XLA takes on every step.
            self._copy.assign(tf.reverse(tf.concat(self._flat(), axis=0), [0]))
            return tf.constant(0)

        tf.cond(measured, copy, lambda: tf.constant(0))

    def after(self, measured: Any, gradients: Sequence[Any], activations: Sequence[Any]) -> dict[str, Any]:
        """The vector of this update; zeros where it is not measured.

        Args:
            gradients: of the mean loss over the global batch, one dense tensor per trainable variable.
            activations: what `forward` gave.
        """
        import tensorflow as tf

        (length,) = self.sums[SUMS]
        # Outside the branch: the step makes the very same for its own norm, and compilers merge the two.
        halves = tf.stack([tf.nn.l2_loss(gradient) for gradient in gradients])

        def measure() -> Any:
            squares = tf.unstack(2 * tf.cast(halves, tf.float32))
            norms = tf.sqrt([tf.add_n([squares[place] for place in layer.variables]) for layer in self._layers])
            ratios = self._ratios()
            closed = [_closed(gate, outputs) for gate, outputs in zip(self._gates, activations, strict=True)]
            return tf.concat([[1.0], norms, ratios, *closed], axis=0)

        return {SUMS: tf.cond(measured, measure, lambda: tf.zeros(length))}

    def per_epoch(self, sums: Mapping[str, NDArray[Any]]) -> dict[str, float]:
        """What goes into the history, from the sums over all updates of an epoch and all replicas.

        Returns:
            `health/gradient_norm/LAYER`, L2 norm, and `health/update_ratio/LAYER`, both means over the measured
            updates; `health/dead_share/LAYER` or `health/saturated_share/LAYER`, share of units that were closed for
            every row in every measured update. Empty where nothing was measured.
        """
        values = np.asarray(sums[SUMS], np.float64)
        count = values[0]
        if count == 0:
            return {}
        moving = self._moving
        norms, ratios, *closed = np.split(
            values[1:], np.cumsum([len(self._layers), len(moving), *(gate.units for gate in self._gates)])[:-1]
        )
        found = {
            f"health/gradient_norm/{layer.name}": norm / count for layer, norm in zip(self._layers, norms, strict=True)
        }
        found |= {
            f"health/update_ratio/{layer.name}": ratio / count for layer, ratio in zip(moving, ratios, strict=True)
        }
        for gate, counts in zip(self._gates, closed, strict=True):
            found[f"health/{gate.closing}_share/{gate.name}"] = np.mean(counts >= count)
        return {name: float(value) for name, value in found.items()}

    def _ratios(self) -> Any:
        """(layers,) ||after - before|| / ||before|| over each layer's kernels; 0 while they are all zero."""
        import tensorflow as tf

        if not self._kernels:
            return tf.zeros(0)
        old = tf.split(tf.reverse(self._copy, [0]), self._sizes)
        moved = [tf.reduce_sum(tf.square(now - before)) for now, before in zip(self._flat(), old, strict=True)]
        sizes = [tf.reduce_sum(tf.square(before)) for before in old]
        return tf.sqrt(tf.math.divide_no_nan(self._by_layer(moved), self._by_layer(sizes)))

    def _by_layer(self, squares: list[Any]) -> Any:
        """(layers,) sums over each layer's kernels, from one number for each kernel."""
        import tensorflow as tf

        ends = np.cumsum([len(layer.kernels) for layer in self._moving])
        starts = [0, *ends[:-1]]
        return tf.stack([tf.add_n(squares[start:end]) for start, end in zip(starts, ends, strict=True)])

    def _flat(self) -> list[Any]:
        """Every kernel as a float32 vector."""
        import tensorflow as tf

        variables = self._core.trainable_variables
        return [
            tf.reshape(tf.cast(tf.convert_to_tensor(variables[place]), tf.float32), [-1]) for place in self._kernels
        ]


def _closed(gate: Gate, outputs: Sequence[Any]) -> Any:
    """(units,) float32, 1 where a unit let no gradient through for any row, at any place, in any call."""
    import tensorflow as tf

    if not outputs:
        return tf.zeros(gate.units)
    closed = []
    for output in outputs:
        others = [axis for axis in range(len(output.shape)) if axis != gate.axis]
        if gate.function == "relu":
            closed.append(tf.reduce_max(output, axis=others) <= 0)
        else:
            signed = output if gate.function == "tanh" else 2 * output - 1
            closed.append(tf.reduce_min(tf.abs(signed), axis=others) >= SATURATED)
    return tf.cast(tf.reduce_all(tf.stack(closed), axis=0), tf.float32)
