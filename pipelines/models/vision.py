"""Networks for pictures and volumes: residual ones, from three blocks to fifty layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipelines.data.examples import Examples
from pipelines.models.changes import Changes
from pipelines.models.inputs import keras_inputs
from pipelines.models.normalisation import normalised
from pipelines.objectives.objective import Objective
from pipelines.task import Architecture, Recipe

Build = Callable[[Examples, Objective, Recipe], Architecture]
"""Of a network that competes, as `Network.build`."""

WIDTH = 16
"""Channels of the first stage where the recipe says nothing; the 64 of the papers are for millions of pictures."""

LARGE = 64
"""A picture of so many pixels a side is thinned out by the stem already, as the papers do with 224."""

LARGE_VOLUME = 16
"""Voxels a side from which on the stem thins out a volume: half as many a side are an eighth of the work."""


@dataclass(frozen=True)
class Begun:
    """A network for column `image` up to its first layer.

    Args:
        encode: from raw pictures to floats in [-1, 1].
        inputs: of the core, (h, w, c) or (d, h, w, c).
        hidden: these, changed by chance in training.
        views: other looks at what `encode` gives.
    """

    encode: Any
    inputs: Any
    hidden: Any
    views: tuple[Any, ...]

    def ended(self, features: Any, objective: Objective, recipe: Recipe) -> Architecture:
        """The network that answers from (batch, n) features."""
        import keras
        from keras import layers

        outputs = layers.Dense(objective.outputs)(layers.Dropout(recipe.dropout)(features))
        return Architecture(self.encode, keras.Model(self.inputs, outputs), xla=False, views=self.views)


def began(train: Examples, recipe: Recipe, changes: Changes | None) -> Begun:
    """The start of a network for pictures that are changed as `recipe.augment` and `recipe.views` say.

    Args:
        changes: the largest that leave a picture what it is; None, and in private training, makes none.
    """
    import keras
    from keras import layers

    from pipelines.models.augmentation import Augmentation, views

    raw = keras_inputs(train, ["image"])
    encode = keras.Model(raw, layers.Rescaling(1 / 127.5, offset=-1)(raw["image"]))
    inputs = keras.Input(encode.output_shape[1:])
    if changes is None:
        return Begun(encode, inputs, inputs, ())
    augmented = recipe.augment and not recipe.private
    hidden = Augmentation.of(changes, recipe.augment)(inputs) if augmented else inputs
    return Begun(encode, inputs, hidden, views(changes, recipe.views))


def residual(blocks: tuple[int, ...], bottleneck: bool = False, changes: Changes | None = None) -> Build:
    """A pre-activation residual network for pictures (h, w, c) or volumes (d, h, w, c).

    Each stage halves the picture, but for the first, and doubles the channels; `recipe.width` of the first stage.
    Channels are normalised over the batch, in private training within each picture (`normalisation`).

    Args:
        blocks: how many of each stage; (2, 2, 2, 2) is ResNet-18, and with bottlenecks (3, 4, 6, 3) ResNet-50.
        bottleneck: blocks of 1x1, 3x3 and 1x1 convolutions, four times as wide outside, in place of two 3x3.
        changes: as of `began`.

    Reference: He, Zhang, Ren and Sun (2016), "Identity mappings in deep residual networks", arXiv 1603.05027.
    """

    def build(train: Examples, objective: Objective, recipe: Recipe) -> Architecture:
        from keras import layers

        begun, width = began(train, recipe, changes), recipe.width or WIDTH
        hidden, block = _stem(begun.hidden, width), _bottleneck if bottleneck else _plain
        for stage, count in enumerate(blocks):
            for place in range(count):
                hidden = block(hidden, width * 2**stage, 2 if stage and not place else 1, recipe)
        return begun.ended(_pooled(layers.ReLU()(normalised(hidden, recipe))), objective, recipe)

    return build


small_resnet = residual((1, 1, 1))
"""Three stages of one block each, for pictures of 28 to 64 pixels."""


def compact_cnn(changes: Changes | None = None) -> Build:
    """Three times two convolutions and a pooling, as wide as `residual`: what a network does without shortcuts.

    Args: as of `residual`.
    """

    def build(train: Examples, objective: Objective, recipe: Recipe) -> Architecture:
        from keras import layers

        begun, width = began(train, recipe, changes), recipe.width or WIDTH
        hidden = begun.hidden
        for stage in range(3):
            for _ in range(2):
                hidden = layers.ReLU()(normalised(_convolution(hidden, width * 2**stage, 3), recipe))
            hidden = _pool(hidden, 2, 2) if stage < 2 else hidden
        return begun.ended(_pooled(hidden), objective, recipe)

    return build


def _stem(inputs: Any, width: int) -> Any:
    if len(inputs.shape) == 5:
        return _convolution(inputs, width, 3, 2 if min(inputs.shape[1:-1]) >= LARGE_VOLUME else 1)
    if min(inputs.shape[1:-1]) < LARGE:
        return _convolution(inputs, width, 3)
    return _pool(_convolution(inputs, width, 7, 2), 3, 2)


def _plain(inputs: Any, width: int, stride: int, recipe: Recipe) -> Any:
    """inputs + two convolutions of the normalised inputs; the shortcut is projected where the shape changes."""
    from keras import layers

    ready = layers.ReLU()(normalised(inputs, recipe))
    shortcut = _shortcut(inputs, ready, width, stride)
    hidden = _convolution(ready, width, 3, stride)
    hidden = layers.ReLU()(normalised(hidden, recipe))
    return layers.Add()([shortcut, _convolution(hidden, width, 3)])


def _bottleneck(inputs: Any, width: int, stride: int, recipe: Recipe) -> Any:
    from keras import layers

    ready = layers.ReLU()(normalised(inputs, recipe))
    shortcut = _shortcut(inputs, ready, 4 * width, stride)
    hidden = layers.ReLU()(normalised(_convolution(ready, width, 1), recipe))
    hidden = layers.ReLU()(normalised(_convolution(hidden, width, 3, stride), recipe))
    return layers.Add()([shortcut, _convolution(hidden, 4 * width, 1)])


def _shortcut(inputs: Any, ready: Any, width: int, stride: int) -> Any:
    if stride == 1 and inputs.shape[-1] == width:
        return inputs
    # Thinned out before and not by the convolution, which is the same, but for a gradient of its kernel that writes
    # beyond its memory on some CPUs and kills the process (TensorFlow 2.21 with oneDNN, 8 channels and 48 pixels).
    return _convolution(_pool(ready, 1, stride) if stride > 1 else ready, width, 1)


def _convolution(inputs: Any, width: int, size: int, stride: int = 1) -> Any:
    from keras import layers

    layer = layers.Conv2D if len(inputs.shape) == 4 else layers.Conv3D
    return layer(width, size, strides=stride, padding="same", use_bias=False)(inputs)


def _pool(inputs: Any, size: int, stride: int) -> Any:
    from keras import layers

    layer = layers.MaxPooling2D if len(inputs.shape) == 4 else layers.MaxPooling3D
    return layer(size, stride, padding="same")(inputs)


def _pooled(hidden: Any) -> Any:
    from keras import layers

    return (layers.GlobalAveragePooling2D if len(hidden.shape) == 4 else layers.GlobalAveragePooling3D)()(hidden)
