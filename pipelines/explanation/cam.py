"""Grad-CAM: where in a picture a convolutional network looks for its answer.

Reference: Selvaraju et al. (2017), "Grad-CAM: Visual explanations from deep networks via gradient-based localization",
ICCV, arXiv 1610.02391.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.explanation.opened import Floats, Opened, in_blocks


def grad_cam(network: Opened, here: Floats, chosen: NDArray[np.int32]) -> NDArray[np.float64] | None:
    """(n, height, width) how strongly each place speaks for the answer, at least 0; None without convolutions.

    Features of the last layer that still has places are weighted by the mean gradient of the answer over places,
    summed, and cut at 0; places are then spread over the picture again, bilinearly.

    Args:
        here: (n, height, width, channels) pictures as `Opened.numbers` gives them.
    """
    features = _last_with_places(network.rest)
    if features is None:
        return None
    import tensorflow as tf
    from keras import Model

    both = Model(network.rest.input, [features, network.rest.output])

    def looked_at(pictures: Any, which: Any) -> Any:
        pictures = tf.convert_to_tensor(pictures)
        with tf.GradientTape() as tape:
            tape.watch(pictures)  # and with them all that is made of them
            maps, outputs = both(pictures, training=False)
            answers = tf.reduce_sum(network.answer.of(outputs, which))
        weight = tf.reduce_mean(tape.gradient(answers, maps), axis=(1, 2), keepdims=True)
        cam = tf.nn.relu(tf.reduce_sum(weight * maps, axis=-1, keepdims=True))
        return tf.image.resize(cam, here.shape[1:3])[..., 0]

    return np.asarray(in_blocks(looked_at, here, chosen), np.float64)


def _last_with_places(core: Any) -> Any:
    """The output of the last layer that gives (batch, height, width, channels)."""
    found = [layer.output for layer in core.layers[1:] if not isinstance(layer.output, list | tuple)]
    return next((each for each in reversed(found) if len(each.shape) == 4), None)
