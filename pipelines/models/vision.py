"""Networks for pictures."""

from __future__ import annotations

from typing import Any

from pipelines.data.examples import Examples
from pipelines.models.inputs import keras_inputs
from pipelines.models.normalisation import normalised
from pipelines.objectives.objective import Objective
from pipelines.task import Architecture, Recipe


def small_resnet(train: Examples, objective: Objective, recipe: Recipe) -> Architecture:
    """A pre-activation residual network of three stages with two convolutions each, for pictures of 28 to 64 pixels.

    `recipe.width` channels in the first stage (16 if 0), doubled whenever the picture is halved. Channels are
    normalised over the batch, in private training within each picture (`normalisation`).

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
        hidden = _residual(hidden, width * 2**stage, 1 if stage == 0 else 2, recipe)
    hidden = layers.ReLU()(normalised(hidden, recipe))
    hidden = layers.Dropout(recipe.dropout)(layers.GlobalAveragePooling2D()(hidden))
    return Architecture(encode, keras.Model(inputs, layers.Dense(objective.outputs)(hidden)), xla=False)


def _residual(inputs: Any, width: int, stride: int, recipe: Recipe) -> Any:
    """inputs + convolutions of the normalised inputs; the shortcut is projected where the shape changes."""
    from keras import layers

    ready = layers.ReLU()(normalised(inputs, recipe))
    shortcut = inputs
    if stride > 1 or inputs.shape[-1] != width:
        # Thinned out before and not by the convolution, which is the same: see `independence`.
        thinned = layers.MaxPooling2D(1, stride)(ready) if recipe.private and stride > 1 else ready
        shortcut = layers.Conv2D(width, 1, strides=1 if recipe.private else stride, use_bias=False)(thinned)
    hidden = layers.Conv2D(width, 3, strides=stride, padding="same", use_bias=False)(ready)
    hidden = layers.ReLU()(normalised(hidden, recipe))
    hidden = layers.Conv2D(width, 3, padding="same", use_bias=False)(hidden)
    return layers.Add()([shortcut, hidden])
