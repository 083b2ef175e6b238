"""Augmentation of pictures: while a network is trained, each picture is moved, turned and lit a little by chance.

The same changes, drawn once and kept, are the views of a picture that a trained network may average over.

Layers are registered by name, so a saved model loads them in Keras' safe mode.
"""

from __future__ import annotations

from dataclasses import asdict
from math import pi
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from pipelines.models.changes import Changes
from pipelines.models.layers import PACKAGE

DRAWN = 8
"""Numbers in [-1, 1) that say how one picture is changed: turned, scaled, moved down and right, mirrored, upended,
brighter, of more contrast."""

VIEW = 0.5
"""Of the largest changes: how far the views of a picture go. Halves are what training saw most of the way."""


def changed(pictures: Any, changes: Changes, strength: float, drawn: Any) -> Any:
    """Each picture changed as the numbers drawn for it say.

    Args:
        pictures: (batch, height, width, channels) floats in [-1, 1]; or (batch, depth, height, width, channels), whose
            slices all change alike.
        strength: what all changes are multiplied by, but for mirrors.
        drawn: (batch, `DRAWN`) or (1, `DRAWN`) floats.

    Returns:
        The same shape and type. What is moved in from outside is as the nearest edge.
    """
    import tensorflow as tf

    whole = tf.cast(pictures, tf.float32)  # lower precision would move pictures by pixels
    if len(pictures.shape) == 4:
        return tf.cast(_lit(_moved(whole, changes, strength, drawn), changes, strength, drawn), pictures.dtype)
    depth, height, width, channels = pictures.shape[1:]
    slices = tf.reshape(tf.transpose(whole, [0, 2, 3, 1, 4]), [-1, height, width, depth * channels])
    slices = tf.reshape(changed(slices, changes, strength, drawn), [-1, height, width, depth, channels])
    return tf.cast(tf.transpose(slices, [0, 3, 1, 2, 4]), pictures.dtype)


def _moved(pictures: Any, most: Changes, strength: float, drawn: Any) -> Any:
    import tensorflow as tf

    sizes = (most.turned * pi / 180, most.scaled, most.shifted, most.shifted)
    turned, scaled, down, right = (drawn[:, place] * size * strength for place, size in enumerate(sizes))
    height, width = pictures.shape[1] - 1, pictures.shape[2] - 1
    across = tf.where(drawn[:, 4] < 0, -1.0, 1.0) if most.mirrored else tf.ones_like(turned)
    along = tf.where(drawn[:, 5] < 0, -1.0, 1.0) if most.upended else tf.ones_like(turned)
    # From a place in the new picture to one in the old, around the middle; a mirror goes before all else.
    sine, cosine = tf.sin(turned) * (1 + scaled), tf.cos(turned) * (1 + scaled)
    a, b, c, d = cosine * across, -sine * along, sine * across, cosine * along
    x = (width - a * width - b * height) / 2 + right * width
    y = (height - c * width - d * height) / 2 + down * height
    none = tf.zeros_like(x)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=pictures,
        transforms=tf.stack([a, b, x, c, d, y, none, none], axis=1),
        output_shape=pictures.shape[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )


def _lit(pictures: Any, most: Changes, strength: float, drawn: Any) -> Any:
    import tensorflow as tf

    if not most.lit * strength:
        return pictures
    brighter, contrast = (drawn[:, place, tf.newaxis, tf.newaxis, tf.newaxis] * most.lit * strength for place in (6, 7))
    middle = tf.reduce_mean(pictures, axis=(1, 2, 3), keepdims=True)
    return tf.clip_by_value((pictures - middle) * (1 + contrast) + middle + brighter, -1.0, 1.0)


class _OfPictures(keras.layers.Layer):
    """A layer whose output is as large as its input, made of `changes` times `strength`."""

    def __init__(self, changes: dict[str, Any], strength: float, **settings: Any) -> None:
        super().__init__(**settings)
        self.changes, self.strength = dict(changes), strength
        self.most = Changes(**changes)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "changes": self.changes, "strength": self.strength}


@keras.saving.register_keras_serializable(package=PACKAGE)
class Augmentation(_OfPictures):
    """Changes each picture by chance while training, by all of its `changes` at once, and none at any other time.

    Args:
        changes: the largest ones, as a mapping of the fields of `Changes`.
        strength: what they are multiplied by.

    Input and output: pictures or volumes as `changed` takes them.
    """

    def __init__(self, changes: dict[str, Any], strength: float = 1.0, **settings: Any) -> None:
        super().__init__(changes, strength, **settings)
        self.seed_generator = keras.random.SeedGenerator()

    @classmethod
    def of(cls, changes: Changes, strength: float) -> Augmentation:
        """A layer for these changes."""
        return cls(asdict(changes), strength, name="augmentation")

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training:
            return inputs
        import tensorflow as tf

        seed = tf.cast(self.seed_generator.next(), "int32")
        drawn = tf.random.stateless_uniform([tf.shape(inputs)[0], DRAWN], seed, -1.0, 1.0)
        return changed(inputs, self.most, self.strength, drawn)


@keras.saving.register_keras_serializable(package=PACKAGE)
class View(_OfPictures):
    """Changes all pictures alike, in a way of its own.

    Args:
        changes, strength: as of `Augmentation`.
        number: which way, from 1.

    Input and output: pictures or volumes as `changed` takes them.
    """

    def __init__(self, changes: dict[str, Any], strength: float, number: int, **settings: Any) -> None:
        super().__init__(changes, strength, **settings)
        self.number = number

    def call(self, inputs: Any) -> Any:
        import tensorflow as tf

        drawn = tf.repeat(tf.constant(spread_out(self.number)), tf.shape(inputs)[0], axis=0)
        return changed(inputs, self.most, self.strength, drawn)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "number": self.number}


def views(changes: Changes, n: int) -> tuple[View, ...]:
    """n different looks at a picture, beside the picture itself."""
    return tuple(View(asdict(changes), VIEW, number, name=f"view_{number}") for number in range(1, n + 1))


def spread_out(number: int) -> NDArray[np.float32]:
    """(1, `DRAWN`) in [-1, 1): number `number` of a sequence that leaves no part of the cube empty for long.

    Reference: Halton (1960), Numerische Mathematik 2.
    """
    from scipy.stats import qmc

    points = qmc.Halton(DRAWN, scramble=False).random(number + 1)
    return np.asarray(2 * points[number:] - 1, np.float32)
