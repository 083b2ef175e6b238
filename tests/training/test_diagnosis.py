"""Ill networks are named with the layer, healthy ones are left alone, and thresholds hold where they say."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from pipelines.objectives.classification import Classification
from pipelines.task import Recipe
from pipelines.training.diagnosis import diagnose
from pipelines.training.health import HEALTH
from pipelines.training.schedule import rate_at
from pipelines.training.step import Batch, Clock, Supervised

OBJECTIVE = Classification(classes=("no", "yes"))


def history(**measures):
    """gradient_norm={"1_a": [...]} -> the flat history of a training."""
    return {f"health/{name}/{layer}": values for name, layers in measures.items() for layer, values in layers.items()}


def trained(core, shape, epochs=4, **recipe):
    """Gradient health of a small training on random rows whose class depends on their mean."""
    recipe = Recipe(batch_size=32, warmup=recipe.pop("warmup", 0.05), **recipe)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(256, *shape)).astype(np.float32)
    y = (x.mean(axis=tuple(range(1, x.ndim))) > 0).astype(np.int32)
    step, steps, ones = Supervised(core, OBJECTIVE.loss, recipe), 256 // 32, tf.ones(32)

    @tf.function
    def once(x, y, number):
        clock = Clock(number, rate_at(number, tf.constant(float(steps * epochs)), recipe))
        return step.measured(Batch(x, y, ones, tf.constant(32.0)), clock)[HEALTH]

    found = {}
    for epoch in range(epochs):
        sums = []
        for index, rows in enumerate(np.split(rng.permutation(256), steps)):
            sums.append(once(tf.constant(x[rows]), tf.constant(y[rows]), tf.constant(float(epoch * steps + index))))
        for name, value in step.health.summary(np.sum(sums, axis=0)).items():
            found.setdefault(name, []).append(value)
    return found


def mlp(depth, activation, bias=0.0):
    keras.utils.set_random_seed(1)
    inputs = hidden = keras.Input((10,))
    for _ in range(depth):
        hidden = layers.Dense(16, activation=activation, bias_initializer=keras.initializers.Constant(bias))(hidden)
    return keras.Model(inputs, layers.Dense(1)(hidden))


def rnn(gain):
    keras.utils.set_random_seed(1)
    inputs = keras.Input((40, 2))
    recurrent = keras.initializers.Orthogonal(gain=gain)
    return keras.Model(inputs, layers.Dense(1)(layers.SimpleRNN(16, recurrent_initializer=recurrent)(inputs)))


def resnet():
    keras.utils.set_random_seed(1)
    inputs = keras.Input((8, 8, 1))
    hidden = layers.Conv2D(8, 3, padding="same")(inputs)
    for _ in range(3):
        inner = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(hidden))
        hidden = layers.Add()([hidden, layers.Conv2D(8, 3, padding="same")(inner)])
    return keras.Model(inputs, layers.Dense(1)(layers.GlobalAveragePooling2D()(hidden)))


def lstm():
    keras.utils.set_random_seed(1)
    inputs = keras.Input((20, 2))
    return keras.Model(inputs, layers.Dense(1)(layers.Bidirectional(layers.LSTM(8))(inputs)))


@pytest.mark.parametrize(
    ("core", "shape"),
    [(lambda: mlp(2, "relu"), (10,)), (lambda: mlp(4, "tanh"), (10,)), (resnet, (8, 8, 1)), (lstm, (20, 2)),
     (lambda: rnn(1.0), (40, 2))],
)  # fmt: skip
def test_healthy_networks_raise_no_alarm(core, shape):
    found = trained(core(), shape)
    assert found
    assert diagnose(found) == []


def test_twenty_sigmoid_layers_vanish_at_the_early_ones():
    (finding,) = diagnose(trained(mlp(20, "sigmoid"), (10,)))
    assert (finding.what, finding.layer, finding.since) == ("vanishing", "01_dense", 1)
    assert finding.layers[0] == "01_dense"
    assert "19_dense" not in finding.layers
    assert finding.value < 1e-6
    assert "residual" in str(finding)


def test_large_recurrent_weights_explode():
    (finding,) = diagnose(trained(rnn(3.0), (40, 2)))
    assert (finding.what, finding.layer) == ("exploding", "1_simple_rnn")
    assert "--set recipe.clip_norm=1" in str(finding)


def test_relu_units_with_very_negative_biases_are_dead_and_nothing_else_is_said():
    (finding,) = diagnose(trained(mlp(2, "relu", bias=-50.0), (10,)))
    assert (finding.what, finding.layer, finding.layers) == ("dead", "1_dense", ("1_dense", "2_dense"))
    assert "100%" in str(finding)


def test_far_too_large_and_far_too_small_rates_are_named():
    large = diagnose(trained(mlp(2, "tanh"), (10,), optimiser="sgd", schedule="constant", learning_rate=30.0))
    assert "jumping" in {finding.what for finding in large}
    small = diagnose(trained(mlp(2, "tanh"), (10,), schedule="constant", learning_rate=1e-8))
    assert [finding.what for finding in small] == ["still"]


def depth(first, last=(1.0, 1.0, 1.0, 1.0), ratio=1e-3):
    """Two layers with these gradient norms, whose weights move as usual."""
    return history(
        gradient_norm={"1_a": first, "2_b": list(last)}, update_ratio={"1_a": [ratio] * 4, "2_b": [1e-3] * 4}
    )


@pytest.mark.parametrize(
    ("first", "kinds"),
    [
        ([2e-3] * 4, []),
        ([5e-4] * 4, ["vanishing"]),
        ([1.0, 1.0, 1.0, 5e-4], []),  # for too few epochs
        ([1.0, 1.0, 5e-4, 5e-4], ["vanishing"]),
        ([900.0] * 4, []),
        ([2000.0] * 4, ["exploding"]),
        ([1.0, 1.0, 90.0, 1.0], []),
        ([1.0, 1.0, 110.0, 1.0], ["exploding"]),
        ([1e-3, 2e-3, 0.9, 1e-3], []),  # it rises, but far below 1
        ([1.0, 1.0, math.nan, math.nan], ["exploding"]),
        ([math.inf] * 4, ["exploding"]),
    ],
)
def test_norms_are_judged_against_later_layers_and_earlier_epochs(first, kinds):
    assert [finding.what for finding in diagnose(depth(first))] == kinds


def test_a_late_layer_alone_does_not_vanish():
    """Only layers through which a gradient had further to go are compared with those after them."""
    assert diagnose(depth([1.0] * 4, last=[0.002] * 4)) == []


def test_small_gains_of_a_normalisation_are_not_compared():
    found = depth([1.0] * 4) | history(gradient_norm={"0_normalisation": [1e-6] * 4})
    assert diagnose(dict(sorted(found.items()))) == []


@pytest.mark.parametrize(
    ("ratios", "kinds", "since"),
    [
        ([0.09] * 4, [], 0),
        ([0.5, 0.2, 0.01, 0.01], ["jumping"], 1),
        ([0.5, 0.01, 0.01, 0.01], [], 0),  # the first epoch only
        ([2e-5] * 4, [], 0),
        ([1e-3, 5e-6, 5e-6, 5e-6], ["still"], 2),
        ([1e-3, 1e-3, 1e-3, 1e-7], [], 0),  # the end of a cosine schedule
    ],
)
def test_update_ratios_are_judged_over_half_of_the_epochs(ratios, kinds, since):
    found = diagnose(history(gradient_norm={"1_a": [1.0] * 4}, update_ratio={"1_a": ratios}))
    assert [finding.what for finding in found] == kinds
    assert all(finding.since == since for finding in found)


def test_closed_units_are_named_with_the_worst_layer_and_the_first_epoch():
    found = history(
        dead_share={"1_a": [0.0, 0.5, 0.6, 0.6], "2_b": [0.0, 0.0, 0.7, 0.9], "3_c": [0.4] * 4},
        saturated_share={"4_d": [0.5] * 4},
    )
    dead, saturated = diagnose(found)
    assert (dead.what, dead.layer, dead.layers, dead.since) == ("dead", "2_b", ("1_a", "2_b"), 2)
    assert dead.value == pytest.approx(0.8)
    assert (saturated.what, saturated.layer) == ("saturated", "4_d")
    assert str(dead) == (
        "1_a to 2_b (2 layers, worst in 2_b): dead units: 80% give out 0 for every row, since epoch 2; lower the "
        "learning rate, warm it up (--set recipe.warmup=0.1), or normalise before the activation"
    )


def test_a_gradient_that_is_not_finite_is_said_in_words():
    (finding,) = diagnose(depth([1.0, math.nan, math.nan, math.nan]))
    assert str(finding).startswith("1_a: gradient not finite, since epoch 2; clip the gradient")


def test_a_history_without_measurements_has_no_findings():
    assert diagnose({"loss": (1.0, 0.5), "gradient_norm": (1e9, 1e9)}) == []
