"""Where a training broke: the first layer, or the first gradient, that is not finite on a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pipelines.training.layers import layers_of, listen, walk


def first_non_finite(core: Any, loss: Callable[[Any, Any], Any], x: Any, y: Any, weight: Any) -> str | None:
    """What breaks first on a batch, to be said when a training has failed: `the output of 03_dense`.

    One eager pass in training mode, forward and backward; statistics and generators are put back afterwards.

    Args:
        x, y, weight: structure of (batch, ...) arrays; (batch, ...) learnable targets; (batch,) weights.

    Returns:
        The first layer, in the order of the forward pass, whose output is not finite; else the loss; else the first
        variable whose gradient is not. None where all is finite.
    """
    import tensorflow as tf

    if not all(_finite(each) for each in tf.nest.flatten((x, y, weight))):
        return "the batch itself: its inputs, its targets or its weights"
    moving = [(variable, np.array(variable)) for variable in core.non_trainable_variables]
    try:
        with tf.GradientTape() as tape:
            outputs, broken = _forward(core, x)
            mean = tf.reduce_sum(loss(y, outputs) * weight) / tf.reduce_sum(weight)
        gradients = tape.gradient(mean, core.trainable_variables)
    finally:
        for variable, value in moving:
            variable.assign(value)
    if broken:
        return broken
    if not _finite(mean):
        return "the loss of outputs that are finite"
    return _broken_gradient(core, gradients)


def _forward(core: Any, x: Any) -> tuple[Any, str | None]:
    """(outputs in training, the first layer that gave out anything not finite)."""
    import tensorflow as tf

    given: list[tuple[Any, Any]] = []
    silence = [listen(layer, lambda layer, output: given.append((layer, output))) for _, layer, _ in walk(core)]
    try:
        outputs = core(x, training=True)
    finally:
        for each in silence:
            each()
    for layer, output in given:  # in the order in which calls returned, so inner layers come before outer ones
        if not all(_finite(each) for each in tf.nest.flatten(output)):
            weights = [each.name for each in layer.trainable_variables if not _finite(each)]
            return outputs, f"the output of {_name(core, layer)}" + (f", whose {weights[0]} is not" if weights else "")
    return outputs, None


def _broken_gradient(core: Any, gradients: list[Any]) -> str | None:
    learning, _ = layers_of(core)
    for each in learning:
        for place in each.variables:
            if gradients[place] is not None and not _finite(gradients[place]):
                return f"the gradient of {each.name}, {core.trainable_variables[place].name}"
    return None


def _name(core: Any, layer: Any) -> str:
    """As gradient health calls it; a layer without a number there is named by where it stands."""
    learning, gates = layers_of(core)
    numbered = {id(each.layer): each.name for each in gates} | {id(each.layer): each.name for each in learning}
    last = ""
    for path, inner, _ in walk(core):
        last = numbered.get(id(inner), last)
        if inner is layer:
            return numbered.get(id(inner)) or path + (f" after {last}" if last else "")
    return str(layer.name)


def _finite(value: Any) -> bool:
    """Integers and strings always are."""
    import tensorflow as tf

    tensor = tf.convert_to_tensor(value)
    return not tensor.dtype.is_floating or bool(tf.reduce_all(tf.math.is_finite(tensor)))
