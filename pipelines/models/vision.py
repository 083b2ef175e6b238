"""Networks for pictures."""

from __future__ import annotations

from typing import Any

from pipelines.data.examples import Examples
from pipelines.models.inputs import keras_inputs
from pipelines.objectives.objective import Objective
from pipelines.task import Architecture, Recipe

MOMENTUM = 0.9
"""Of the running statistics: with some 50 steps an epoch, Keras' 0.99 would lag behind the weights for epochs."""


def small_resnet(train: Examples, objective: Objective, recipe: Recipe) -> Architecture:
    """A pre-activation residual network of three stages with two convolutions each, for pictures of 28 to 64 pixels.

    `recipe.width` channels in the first stage (16 if 0), doubled whenever the picture is halved.

    Reference: He, Zhang, Ren and Sun (2016), "Identity mappings in deep residual networks", arXiv 1603.05027.
    """
    import keras
    from keras import layers

    raw = keras_inputs(train, ["image"])
    encode = keras.Model(raw, layers.Rescaling(1 / 127.5, offset=-1)(raw["image"]))
    width = recipe.width or 16
    inputs = keras.Input(encode.output_shape[1:])
    hidden = layers.Conv2D(width, 3, padding="same", use_bias=False)(inputs)
    for stage in range(3):
        hidden = _residual(hidden, width * 2**stage, stride=1 if stage == 0 else 2)
    hidden = layers.ReLU()(layers.BatchNormalization(momentum=MOMENTUM)(hidden))
    hidden = layers.Dropout(recipe.dropout)(layers.GlobalAveragePooling2D()(hidden))
    return Architecture(encode, keras.Model(inputs, layers.Dense(objective.outputs)(hidden)), xla=False)


def _residual(inputs: Any, width: int, stride: int) -> Any:
    """inputs + convolutions of the normalised inputs; the shortcut is projected where the shape changes."""
    from keras import layers

    ready = layers.ReLU()(layers.BatchNormalization(momentum=MOMENTUM)(inputs))
    shortcut = inputs
    if stride > 1 or inputs.shape[-1] != width:
        shortcut = layers.Conv2D(width, 1, strides=stride, use_bias=False)(ready)
    hidden = layers.Conv2D(width, 3, strides=stride, padding="same", use_bias=False)(ready)
    hidden = layers.ReLU()(layers.BatchNormalization(momentum=MOMENTUM)(hidden))
    hidden = layers.Conv2D(width, 3, padding="same", use_bias=False)(hidden)
    return layers.Add()([shortcut, hidden])
