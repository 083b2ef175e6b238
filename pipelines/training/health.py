"""Gradient health: what an update does to each layer, measured in the graph on one update in many.

Per layer with trainable variables the norm of the gradient of the mean loss, and how far the update moves its kernels
in proportion to their size; per layer with a gate the share of units that let no gradient through. The update that is
measured has a graph of its own (`Supervised.measured`): a branch in the graph of all updates costs each of them, even
where it is not taken, by what it keeps alive and by what compilers make of it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.training.layers import Gate, Learning, layers_of, listen

HEALTH = "health"
"""What a measured update calls its vector."""

SATURATED = 0.98
"""Beyond this a tanh, or a sigmoid stretched to [-1, 1], has less than 4 % of its steepest slope."""

Heard = dict[int, list[Any]]
"""What each gate, by the identity of its layer, gave out at each of its calls."""


class Health:
    """Measurements of an update, in this order: listen to the passes, note the kernels, update, make the vector.

    Args:
        core: Keras model, built. Its layers with gates are listened to from now on, which changes nothing they give.
    """

    def __init__(self, core: Any) -> None:
        self._core = core
        self._layers, self._gates = layers_of(core)
        self._now = threading.local()  # replicas are traced in threads that take turns within a forward pass
        for gate in self._gates:
            listen(gate.layer, self._hear)

    @property
    def _moving(self) -> list[Learning]:
        return [layer for layer in self._layers if layer.kernels]

    @contextmanager
    def listening(self) -> Iterator[Heard]:
        """What gates give out while this is open."""
        heard: Heard = {}
        self._now.heard = heard
        try:
            yield heard
        finally:
            del self._now.heard

    def _hear(self, layer: Any, output: Any) -> None:
        heard = getattr(self._now, "heard", None)
        if heard is not None:
            heard.setdefault(id(layer), []).append(output)

    def kernels(self) -> list[list[Any]]:
        """The present values of each layer's kernels."""
        import tensorflow as tf

        variables = self._core.trainable_variables
        return [[tf.identity(variables[place]) for place in layer.kernels] for layer in self._moving]

    def vector(self, gradients: Sequence[Any], before: list[list[Any]], heard: Heard) -> Any:
        """1, then by layer gradient norms, update ratios, and closed units; to be summed over updates and replicas.

        Args:
            gradients: of the mean loss over the global batch, one dense tensor per trainable variable, not clipped.
            before: the kernels before the update, which has been made by now.
        """
        import tensorflow as tf

        norms = [_norm([gradients[place] for place in layer.variables]) for layer in self._layers]
        ratios = [_ratio(old, new) for old, new in zip(before, self.kernels(), strict=True)]
        closed = [_closed(gate, heard.get(id(gate.layer), [])) for gate in self._gates]
        return tf.concat([[1.0], norms, ratios, *closed], axis=0)

    def summary(self, vector: NDArray[Any]) -> dict[str, float]:
        """What goes into the history, from a vector or the sum of several.

        Returns:
            `gradient_norm`, L2, over all layers; `health/gradient_norm/LAYER` and `health/update_ratio/LAYER`, means
            over what was summed; `health/dead_share/LAYER` or `health/saturated_share/LAYER`, share of units that were
            closed for every row of every update.
        """
        values = np.asarray(vector, np.float64)
        count, moving = values[0], self._moving
        sizes = [len(self._layers), len(moving), *(gate.units for gate in self._gates)]
        norms, ratios, *closed = np.split(values[1:], np.cumsum(sizes)[:-1])
        found = {"gradient_norm": np.linalg.norm(norms / count)}
        found |= {
            f"health/gradient_norm/{each.name}": norm / count for each, norm in zip(self._layers, norms, strict=True)
        }
        found |= {f"health/update_ratio/{each.name}": ratio / count for each, ratio in zip(moving, ratios, strict=True)}
        for gate, counts in zip(self._gates, closed, strict=True):
            found[f"health/{gate.closing}_share/{gate.name}"] = np.mean(counts >= count)
        return {name: float(value) for name, value in found.items()}


def _norm(tensors: Sequence[Any]) -> Any:
    """L2 norm over all tensors together, in float32."""
    import tensorflow as tf

    return tf.linalg.global_norm([tf.cast(each, tf.float32) for each in tensors])


def _ratio(before: Sequence[Any], after: Sequence[Any]) -> Any:
    """||after - before|| / ||before||; 0 while all weights are."""
    import tensorflow as tf

    moved = _norm([new - old for old, new in zip(before, after, strict=True)])
    return tf.math.divide_no_nan(moved, _norm(before))


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
