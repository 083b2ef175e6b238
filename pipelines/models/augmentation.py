"""Augmentation of pictures: while a network is trained, each picture is moved, turned and lit a little by chance.

What may be changed depends on what is seen: a chest has its heart on the left, tissue under a microscope has no top.
Registered by name, so a saved model loads it in Keras' safe mode.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import keras

from pipelines.models.layers import PACKAGE


@dataclass(frozen=True)
class Changes:
    """The largest changes that leave a picture what it is.

    Args:
        mirrored: whether left may be right.
        upended: whether top may be bottom.
        turned: degrees either way.
        shifted: share of the side either way.
        scaled: share of the size, larger or smaller.
        lit: share of the whole range of grey by which all is brighter or darker, and share of the contrast.
    """

    mirrored: bool = False
    upended: bool = False
    turned: float = 10.0
    shifted: float = 0.1
    scaled: float = 0.1
    lit: float = 0.1


CHEST = Changes()
"""A chest from the front, patient upright."""

TISSUE = Changes(mirrored=True, upended=True, turned=180.0, lit=0.1)
"""What has neither top nor side: tissue and cells under a microscope."""

OUTLINE = Changes(mirrored=True, upended=True, turned=180.0, scaled=0.0, lit=0.0)
"""An outline whose size matters."""

EYE = Changes(mirrored=True, turned=20.0)
"""The ground of an eye: the left one is a mirror of the right one."""


@keras.saving.register_keras_serializable(package=PACKAGE)
class Augmentation(keras.layers.Layer):
    """Changes each picture by chance while training, by all of its `changes` at once, and none at any other time.

    Args:
        changes: the largest ones, as a mapping of the fields of `Changes`.
        strength: what they are multiplied by.

    Input and output: (batch, height, width, channels) floats in [-1, 1]. What is moved in from outside is as the
    nearest edge.
    """

    def __init__(self, changes: dict[str, Any], strength: float = 1.0, **settings: Any) -> None:
        super().__init__(**settings)
        self.changes, self.strength = dict(changes), strength
        self.seed_generator = keras.random.SeedGenerator()

    @classmethod
    def of(cls, changes: Changes, strength: float) -> Augmentation:
        """A layer for these changes."""
        return cls(asdict(changes), strength, name="augmentation")

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or not self.strength:
            return inputs
        import tensorflow as tf

        seed = tf.cast(self.seed_generator.next(), "int32")
        chance = tf.random.stateless_uniform([tf.shape(inputs)[0], 8], seed, -1.0, 1.0)
        return self._lit(self._moved(inputs, chance), chance)

    def _moved(self, pictures: Any, chance: Any) -> Any:
        import tensorflow as tf

        most = Changes(**self.changes)
        turned, scaled, down, right = (
            chance[:, place] * size * self.strength
            for place, size in enumerate((most.turned * 3.14159265 / 180, most.scaled, most.shifted, most.shifted))
        )
        height, width = pictures.shape[1] - 1, pictures.shape[2] - 1
        sine, cosine = tf.sin(turned) * (1 + scaled), tf.cos(turned) * (1 + scaled)
        # From a place in the new picture to one in the old, around the middle; a mirror goes before all else.
        across = tf.where(chance[:, 4] > 0, 1.0, -1.0) if most.mirrored else tf.ones_like(turned)
        along = tf.where(chance[:, 5] > 0, 1.0, -1.0) if most.upended else tf.ones_like(turned)
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

    def _lit(self, pictures: Any, chance: Any) -> Any:
        import tensorflow as tf

        lit = Changes(**self.changes).lit * self.strength
        if not lit:
            return pictures
        brighter, contrast = (
            tf.cast(each[:, tf.newaxis, tf.newaxis, tf.newaxis] * lit, pictures.dtype)
            for each in (chance[:, 6] * 2, chance[:, 7])
        )
        middle = tf.reduce_mean(pictures, axis=(1, 2, 3), keepdims=True)
        return tf.clip_by_value((pictures - middle) * (1 + contrast) + middle + brighter, -1.0, 1.0)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "changes": self.changes, "strength": self.strength}
