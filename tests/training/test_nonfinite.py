"""The first layer, or gradient, that is not finite is named as gradient health names it."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from pipelines.objectives.regression import Regression
from pipelines.training.nonfinite import first_non_finite

X = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
Y, ONES = np.ones(6, np.float32), np.ones(6, np.float32)


@keras.saving.register_keras_serializable(package="tests")
class Root(keras.layers.Layer):
    """The square root, whose slope at 0 is infinite."""

    def call(self, x):
        return tf.sqrt(x)


def network(last="linear"):
    keras.utils.set_random_seed(0)
    inner = keras.Input((5,))
    block = keras.Model(inner, layers.Dense(5, name="inside")(layers.BatchNormalization()(inner)), name="block")
    inputs = keras.Input((4,))
    hidden = layers.Dropout(0.5)(layers.Dense(5, activation="relu")(inputs))
    return keras.Model(inputs, layers.Dense(1, activation=last)(layers.Rescaling(1.0)(block(hidden))))


def broken(core, x=X, y=Y, weight=ONES, loss=None):
    return first_non_finite(core, loss or Regression().loss, x, y, weight)


def test_nothing_is_named_where_all_is_finite():
    assert broken(network()) is None


def test_a_broken_weight_is_named_with_its_layer():
    core = network()
    core.get_layer("block").get_layer("inside").kernel.assign(np.full((5, 5), np.nan))
    assert broken(core) == "the output of 3_block.inside, whose kernel is not"


def test_an_overflow_is_named_at_the_first_layer():
    core = network()
    core.layers[1].kernel.assign(np.full((4, 5), 3e38))
    assert broken(core, x=np.full((6, 4), 10, np.float32)) == "the output of 1_dense"


def test_a_layer_without_a_number_is_named_by_where_it_stands():
    core = network()
    core.get_layer("block").get_layer("inside").bias.assign(np.full(5, 1e38))
    next(layer for layer in core.layers if isinstance(layer, layers.Rescaling)).scale = 1e10
    assert broken(core) == "the output of rescaling after 3_block.inside"


def test_a_gradient_is_named_with_its_variable():
    inputs = keras.Input((4,))
    core = keras.Model(inputs, layers.Dense(1)(Root()(layers.Dense(2, activation="relu", use_bias=False)(inputs))))
    core.layers[1].kernel.assign(np.zeros((4, 2)))
    assert broken(core) == "the gradient of 1_dense, kernel"


def test_a_loss_is_named_where_outputs_are_finite():
    assert broken(network(), loss=lambda y, outputs: tf.math.log(0 * outputs[:, 0])) == (
        "the loss of outputs that are finite"
    )


@pytest.mark.parametrize("which", ["x", "y", "weight"])
def test_a_broken_batch_is_named(which):
    given = {"x": X.copy(), "y": Y.copy(), "weight": ONES.copy()}
    given[which].reshape(-1)[3] = np.inf
    assert broken(network(), **given) == "the batch itself: its inputs, its targets or its weights"


def test_looking_changes_nothing():
    core = network()
    before = [np.array(variable) for variable in core.variables]
    broken(core)
    for old, variable in zip(before, core.variables, strict=True):
        np.testing.assert_array_equal(old, np.array(variable))
    assert not any("call" in vars(layer) for layer in core.layers)
