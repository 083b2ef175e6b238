"""The numbers a network computes with: float32, or for speed bfloat16 or float16 where the hardware has them.

Only the trained copy of a core is lowered, layer by layer. Its weights, the layers that give its outputs, the loss and
the optimiser stay in float32; encoding and the saved model are never touched.

Reference: Micikevicius et al. (2018), "Mixed precision training", arXiv 1710.03740.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pipelines.errors import BadInput
from pipelines.task import Recipe

Precision = Literal["float32", "bfloat16", "float16"]


def chosen(recipe: Recipe) -> Precision:
    """The recipe's precision; for `auto` the one this hardware is fast in.

    bfloat16 on TPUs and on GPUs of compute capability 8 or more, which have units for it and whose range needs no loss
    scaling; float16 on GPUs of capability 7, but not in private training; float32 on the rest and on CPUs.
    """
    if recipe.precision != "auto":
        return recipe.precision
    import tensorflow as tf

    if tf.config.list_physical_devices("TPU"):
        return "bfloat16"
    gpus = tf.config.list_physical_devices("GPU")
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    # The slowest GPU decides for all; those of other makers name no capability.
    major = min((each.get("compute_capability", (0, 0))[0] for each in details), default=0)
    if major >= 8:
        return "bfloat16"
    return "float16" if major == 7 and not recipe.private else "float32"


def lower(core: Any, precision: Precision) -> None:
    """Let the layers of a built model compute in `precision` from now on, all but those that give its outputs.

    A layer that was given another precision than float32 keeps it. The outputs stay float32.

    Raises:
        BadInput: the model is not made of connected layers, so that it is not known which give its outputs.
    """
    if precision == "float32":
        return
    last = {id(layer) for layer in _giving_outputs(core)}
    for layer in core._flatten_layers(include_self=False):
        if id(layer) not in last and layer.dtype_policy.name == "float32":
            layer.dtype_policy = f"mixed_{precision}"


def needs_loss_scale(core: Any) -> bool:
    """Whether a layer computes in float16, whose smallest gradients would otherwise become 0."""
    return any(layer.compute_dtype == "float16" for layer in core._flatten_layers())


def _giving_outputs(core: Any) -> Iterator[Any]:
    """The layers that the outputs come from, back to the first with weights: Dense, or Dense and then Reshape."""
    outputs = getattr(core, "outputs", None)
    if not outputs:
        raise BadInput(
            f"the network {core.name!r} is no functional Keras model; recipe.precision must be float32 for it"
        )
    yield from (layer for each in outputs for layer in _giving(each))


def _giving(tensor: Any) -> Iterator[Any]:
    import keras

    layer, node, _ = tensor._keras_history
    if getattr(layer, "outputs", None):  # a model within the model
        yield layer
        yield from _giving_outputs(layer)
        return
    if isinstance(layer, keras.Layer):  # and not a bare operation
        yield from layer._flatten_layers()
    if not getattr(layer, "variables", ()):
        yield from (found for each in layer._inbound_nodes[node].input_tensors for found in _giving(each))
