"""Networks for pictures and volumes: residual ones, from three blocks to fifty layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipelines.data.examples import Examples
from pipelines.models.inputs import keras_inputs
from pipelines.models.normalisation import normalised
from pipelines.objectives.objective import Objective
from pipelines.task import Architecture, Recipe

WIDTH = 16
"""Channels of the first stage where the recipe says nothing; the 64 of the papers are for millions of pictures."""

LARGE = 64
"""A picture of so many pixels a side is thinned out by the stem already, as the papers do with 224."""


def residual(
    blocks: tuple[int, ...], bottleneck: bool = False, changes: Any = None
) -> Callable[[Examples, Objective, Recipe], Architecture]:
    """A pre-activation residual network for pictures (h, w, c) or volumes (d, h, w, c).

    Each stage halves the picture, but for the first, and doubles the channels; `recipe.width` of the first stage.
    Channels are normalised over the batch, in private training within each picture (`normalisation`).

    Args:
        blocks: how many of each stage; (2, 2, 2, 2) is ResNet-18, and with bottlenecks (3, 4, 6, 3) ResNet-50.
        bottleneck: blocks of 1x1, 3x3 and 1x1 convolutions, four times as wide outside, in place of two 3x3.
        changes: `augmentation.Changes` that leave a picture what it is; none are made where `recipe.augment` is 0, in
            private training, or of volumes.

    Reference: He, Zhang, Ren and Sun (2016), "Identity mappings in deep residual networks", arXiv 1603.05027.
    """

    def build(train: Examples, objective: Objective, recipe: Recipe) -> Architecture:
        import keras
        from keras import layers

        encode, inputs, hidden = began(train, recipe, changes)
        width = recipe.width or WIDTH
        hidden = _stem(hidden, width)
        for stage, count in enumerate(blocks):
            for block in range(count):
                stride = 2 if stage and not block else 1
                hidden = (_bottleneck if bottleneck else _plain)(hidden, width * 2**stage, stride, recipe)
        hidden = layers.ReLU()(normalised(hidden, recipe))
        hidden = layers.Dropout(recipe.dropout)(_pooled(hidden))
        return Architecture(encode, keras.Model(inputs, layers.Dense(objective.outputs)(hidden)), xla=False)

    return build


small_resnet = residual((1, 1, 1))
"""Three stages of one block each, for pictures of 28 to 64 pixels."""


def compact_cnn(changes: Any = None) -> Callable[[Examples, Objective, Recipe], Architecture]:
    """Three times two convolutions and a pooling, as wide as `residual`: what a network does without shortcuts.

    Args: as of `residual`.
    """

    def build(train: Examples, objective: Objective, recipe: Recipe) -> Architecture:
        import keras
        from keras import layers

        encode, inputs, hidden = began(train, recipe, changes)
        pool = layers.MaxPooling2D if len(inputs.shape) == 4 else layers.MaxPooling3D
        width = recipe.width or WIDTH
        for stage in range(3):
            for _ in range(2):
                hidden = layers.ReLU()(normalised(_convolution(hidden, width * 2**stage, 3), recipe))
            hidden = pool(2)(hidden) if stage < 2 else hidden
        hidden = layers.Dropout(recipe.dropout)(_pooled(hidden))
        return Architecture(encode, keras.Model(inputs, layers.Dense(objective.outputs)(hidden)), xla=False)

    return build


def began(train: Examples, recipe: Recipe, changes: Any) -> tuple[Any, Any, Any]:
    """Of a network for column `image`: its encoder, into [-1, 1]; the inputs of its core; these, changed by chance."""
    import keras
    from keras import layers

    from pipelines.models.augmentation import Augmentation

    raw = keras_inputs(train, ["image"])
    encode = keras.Model(raw, layers.Rescaling(1 / 127.5, offset=-1)(raw["image"]))
    inputs = keras.Input(encode.output_shape[1:])
    if changes is None or not recipe.augment or recipe.private or len(inputs.shape) != 4:
        return encode, inputs, inputs
    return encode, inputs, Augmentation.of(changes, recipe.augment)(inputs)


def _stem(inputs: Any, width: int) -> Any:
    if min(inputs.shape[1:-1]) < LARGE:
        return _convolution(inputs, width, 3)
    from keras import layers

    pool = layers.MaxPooling2D if len(inputs.shape) == 4 else layers.MaxPooling3D
    return pool(3, 2, padding="same")(_convolution(inputs, width, 7, 2))


def _plain(inputs: Any, width: int, stride: int, recipe: Recipe) -> Any:
    """inputs + two convolutions of the normalised inputs; the shortcut is projected where the shape changes."""
    from keras import layers

    ready = layers.ReLU()(normalised(inputs, recipe))
    shortcut = _shortcut(inputs, ready, width, stride, recipe)
    hidden = _convolution(ready, width, 3, stride)
    hidden = layers.ReLU()(normalised(hidden, recipe))
    return layers.Add()([shortcut, _convolution(hidden, width, 3)])


def _bottleneck(inputs: Any, width: int, stride: int, recipe: Recipe) -> Any:
    from keras import layers

    ready = layers.ReLU()(normalised(inputs, recipe))
    shortcut = _shortcut(inputs, ready, 4 * width, stride, recipe)
    hidden = layers.ReLU()(normalised(_convolution(ready, width, 1), recipe))
    hidden = layers.ReLU()(normalised(_convolution(hidden, width, 3, stride), recipe))
    return layers.Add()([shortcut, _convolution(hidden, 4 * width, 1)])


def _shortcut(inputs: Any, ready: Any, width: int, stride: int, recipe: Recipe) -> Any:
    from keras import layers

    if stride == 1 and inputs.shape[-1] == width:
        return inputs
    # Thinned out before and not by the convolution, which is the same: see `independence`.
    pool = layers.MaxPooling2D if len(inputs.shape) == 4 else layers.MaxPooling3D
    thinned = pool(1, stride)(ready) if recipe.private and stride > 1 else ready
    return _convolution(thinned, width, 1, 1 if recipe.private else stride)


def _convolution(inputs: Any, width: int, size: int, stride: int = 1) -> Any:
    from keras import layers

    layer = layers.Conv2D if len(inputs.shape) == 4 else layers.Conv3D
    return layer(width, size, strides=stride, padding="same", use_bias=False)(inputs)


def _pooled(hidden: Any) -> Any:
    from keras import layers

    return (layers.GlobalAveragePooling2D if len(hidden.shape) == 4 else layers.GlobalAveragePooling3D)()(hidden)
