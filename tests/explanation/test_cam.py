"""Grad-CAM of a network that is small enough to be worked out by hand."""

import keras
import numpy as np

from pipelines.contenders.network import FittedNetwork
from pipelines.explanation.cam import grad_cam
from pipelines.explanation.opened import opened
from pipelines.objectives.classification import Classification

SIDE = 6


def network(weights):
    """Two filters of one pixel, the picture and its negative beyond a half, averaged and weighed."""
    raw = {"image": keras.Input((SIDE, SIDE, 1), dtype="uint8", name="image")}
    encode = keras.Model(raw, keras.layers.Rescaling(1 / 255)(raw["image"]))
    inputs = keras.Input((SIDE, SIDE, 1))
    features = keras.layers.Conv2D(2, 1, activation="relu")(inputs)
    core = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.GlobalAveragePooling2D()(features)))
    core.layers[1].set_weights([np.array([[[[1.0, -1.0]]]]), np.array([0.0, 0.5])])
    core.layers[-1].set_weights([np.array(weights)[:, np.newaxis], np.array([0.1])])
    objective = Classification().resolve(np.array(["no", "yes"]))
    model = keras.Model(raw, objective.activate(core(encode.output)))
    return opened(FittedNetwork(model, objective, {"image": "image"}))


def test_maps_are_features_weighed_by_their_mean_gradient_and_cut_at_nothing():
    pictures = np.random.default_rng(0).integers(0, 256, (5, SIDE, SIDE, 1)).astype(np.uint8)
    for weights in ((2.0, -3.0), (-2.0, 3.0)):
        opened_ = network(weights)
        here = (pictures / np.float32(255)).astype(np.float32)
        first, second = here[..., 0], np.maximum(0.5 - here[..., 0], 0)
        expected = np.maximum((weights[0] * first + weights[1] * second) / SIDE**2, 0)
        np.testing.assert_allclose(grad_cam(opened_, here, opened_.chosen(here)), expected, rtol=1e-4, atol=1e-7)


def test_without_convolutions_there_is_none():
    from small_networks import trained

    fitted, examples = trained("two")
    opened_ = opened(fitted)
    here = opened_.numbers(opened_.encoded(examples))
    assert grad_cam(opened_, here, opened_.chosen(here)) is None
