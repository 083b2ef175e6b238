"""The check of gradients: it passes what is right, names the layer that is wrong, and knows a kink from an error."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from diabetes import TASK as DIABETES

from pipelines import catalogue
from pipelines.errors import BadInput
from pipelines.models.applications import APPLICATIONS
from pipelines.models.inputs import as_tensors
from pipelines.objectives.errors import of_core
from pipelines.prepare import load
from pipelines.settings import apply
from pipelines.task import DataRequest, Recipe
from pipelines.training.gradcheck import LayerCheck, gradcheck, in_float64
from pipelines.training.step import penalty

ROWS, INPUTS = 6, 4
layers = keras.layers


@tf.custom_gradient
def too_steep(values):
    """The identity, with a gradient that is 1 % too large."""
    return values, lambda upstream: 1.01 * tf.convert_to_tensor(upstream)


class SteepKernel(keras.layers.Layer):
    """A dense layer whose own gradient is wrong; what it hands on is right."""

    def __init__(self, units, **settings):
        super().__init__(**settings)
        self.units = units

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], self.units), name="kernel")

    def call(self, inputs):
        return inputs @ too_steep(tf.convert_to_tensor(self.kernel))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class SteepInputs(keras.layers.Layer):
    """A layer that hands on a wrong gradient and has nothing of its own."""

    def call(self, inputs):
        return too_steep(inputs)


class Narrow(keras.layers.Dense):
    """A layer that does not take a precision."""

    def get_config(self):
        return {key: value for key, value in super().get_config().items() if key != "dtype"}


def squared(target, outputs):
    return tf.reduce_sum(tf.square(outputs - target), axis=-1)


def batch(seed=0, outputs=1):
    random = np.random.default_rng(seed)
    return random.normal(size=(ROWS, INPUTS)), random.normal(size=(ROWS, outputs))


def stacked(*between, inputs=(INPUTS,), dtype="float32", seed=0):
    keras.utils.set_random_seed(seed)
    return keras.Sequential([keras.Input(inputs, dtype=dtype), *between])


def wrong(checks):
    return [f"{each.layer}/{each.variable}" for each in checks if not each.passed]


def only(checks):
    assert len(checks) == 1
    return checks[0]


def test_a_linear_network_has_the_gradient_on_paper():
    x, y = batch()
    core = stacked(layers.Dense(1, use_bias=False, name="line"))
    weight = np.array([1, 2, 0, 3, 1, 1.0])
    found = only(gradcheck(core, squared, x, y, weight))
    kernel = np.asarray(core.trainable_variables[0], dtype=np.float64)
    on_paper = 2 * x.T @ ((x @ kernel - y) * weight[:, None]) / weight.sum()
    assert (found.layer, found.variable, found.entries, found.size) == ("line", "kernel", INPUTS, INPUTS)
    np.testing.assert_allclose(found.tape_norm, np.linalg.norm(on_paper), rtol=1e-12)
    assert found.error < 1e-9
    assert found.at_kink == 0
    assert found.passed


def test_every_kind_of_layer_passes_as_it_trains_and_the_model_is_left_as_it_was():
    words = keras.Input((5,), dtype="int64")
    keras.utils.set_random_seed(1)
    hidden = layers.Embedding(30, 6)(words)
    hidden = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(layers.SpatialDropout1D(0.2)(hidden))
    hidden = hidden * 2.0 + keras.ops.tanh(hidden)
    hidden = layers.SeparableConv1D(4, 3, padding="same")(hidden)
    hidden = layers.GlobalMaxPooling1D()(layers.ReLU()(layers.BatchNormalization()(hidden)))
    hidden = keras.Sequential([layers.Dense(5, "gelu"), layers.GaussianNoise(0.1), layers.Dropout(0.4)])(hidden)
    core = keras.Model(words, layers.Dense(2)(layers.LayerNormalization()(hidden)))
    before = [np.array(each) for each in core.variables]
    x = np.random.default_rng(2).integers(0, 30, (ROWS, 5))
    told = []
    found = gradcheck(core, squared, x, batch(outputs=2)[1], watch=lambda *each: told.append(each))
    assert wrong(found) == []
    assert [each.size for each in found] == [math.prod(each.shape) for each in core.trainable_variables]
    assert all(each.tape_norm > 0 for each in found if each.variable not in ("depthwise_kernel", "bias"))
    assert max(each.entries for each in found) == 20
    assert told[-1] == (sum(each.entries for each in found),) * 2
    for variable, value in zip(core.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)
    assert core.trainable_variables[0].dtype == "float32"


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_layer_whose_gradient_is_off_by_one_per_cent_is_named(place):
    between = [layers.Dense(5, "tanh", name="first"), layers.Dense(4, "tanh", name="second"), layers.Dense(3)]
    between[place] = SteepKernel(4, name="steep")
    found = gradcheck(stacked(*between, layers.Dense(1, name="last")), squared, *batch())
    assert wrong(found) == ["steep/kernel"]
    error = next(each.error for each in found if not each.passed)
    np.testing.assert_allclose(error, 0.01 / 2.01, rtol=1e-4)


def test_a_wrong_gradient_handed_on_is_found_in_all_layers_before_it():
    core = stacked(
        layers.Dense(5, "tanh", name="a"), layers.Dense(4, name="b"), SteepInputs(), layers.Dense(1, name="c")
    )
    assert wrong(gradcheck(core, squared, *batch())) == ["a/kernel", "a/bias", "b/kernel", "b/bias"]


def test_a_gradient_that_is_wrongly_zero_is_found():
    class Blocked(keras.layers.Dense):
        def call(self, inputs):
            return inputs @ tf.stop_gradient(self.kernel) + self.bias

    found = gradcheck(stacked(layers.Dense(30, "tanh"), Blocked(1, name="blocked")), squared, *batch())
    assert wrong(found) == ["blocked/kernel"]


def test_the_few_rows_of_an_embedding_that_matter_are_among_those_checked():
    class SteepEmbedding(keras.layers.Embedding):
        def call(self, inputs):
            return tf.gather(too_steep(tf.convert_to_tensor(self.embeddings)), inputs)

    core = stacked(SteepEmbedding(5000, 3, name="words"), layers.Flatten(), inputs=(1,), dtype="int64")
    found = only(gradcheck(core, squared, np.array([[7], [4002]]), np.ones((2, 3)), most=10))
    assert not found.passed
    assert (found.entries, found.size) == (10, 15000)
    assert found.tape_norm > 0


def test_the_draw_depends_on_the_seed_alone():
    core = stacked(layers.Dense(30, "tanh"), layers.Dense(1))
    first, again, other = (gradcheck(core, squared, *batch(), seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert [each.tape_norm for each in first] != [each.tape_norm for each in other]


@pytest.mark.parametrize(("tape", "passed"), [(0.0, True), (1.0, True), (-1.0, False), (1.01, False)])
def test_a_kink_is_counted_and_only_a_slope_between_its_sides_is_allowed_there(tape, passed):
    """max(w, 0) at w = 0: the slopes of the sides are 0 and 1."""

    @tf.custom_gradient
    def hinge(values):
        return tf.maximum(values, 0.0), lambda upstream: tape * upstream

    class Hinge(keras.layers.Layer):
        def build(self, shape):
            self.gain = self.add_weight(shape=(2,), initializer="zeros", name="gain")

        def call(self, inputs):
            return inputs * hinge(tf.convert_to_tensor(self.gain))

    core = stacked(Hinge(), inputs=(2,))
    found = only(gradcheck(core, lambda y, outputs: tf.reduce_sum(outputs, axis=-1), np.ones((3, 2)), np.zeros(3)))
    assert found.passed == passed
    assert found.at_kink == (2 if passed else 0)
    assert math.isnan(found.error) == passed


def test_kinks_nearer_than_a_step_on_both_sides_are_stepped_around():
    """|w - 2e-6| + |w + 2e-6| has slope 0 between the kinks, which a step of 6e-6 crosses."""

    class Trough(keras.layers.Layer):
        def build(self, shape):
            self.place = self.add_weight(shape=(1,), initializer=keras.initializers.Constant(1e-6), name="place")

        def call(self, inputs):
            return inputs * (5 * tf.abs(self.place - 2e-6) - 3 * tf.abs(self.place + 2e-6))

    core = stacked(Trough(), inputs=(1,))
    found = only(gradcheck(core, lambda y, outputs: outputs[:, 0], np.ones((3, 1)), np.zeros(3)))
    np.testing.assert_allclose(found.tape_norm, 8.0)
    assert (found.at_kink, found.passed) == (0, True)
    assert found.error < 1e-6


def test_a_gradient_that_normalisation_makes_zero_passes_as_too_small_to_tell():
    core = stacked(layers.Dense(5, name="before"), layers.BatchNormalization(), layers.Dense(1, "tanh"))
    found = gradcheck(core, squared, *batch())
    bias = next(each for each in found if (each.layer, each.variable) == ("before", "bias"))
    assert wrong(found) == []
    assert bias.tape_norm < bias.resolution < 1e-7


def test_penalties_are_part_of_what_is_differentiated():
    recipe, core = Recipe(l1=0.03, l2=0.5), stacked(layers.Dense(1, use_bias=False))
    x, y = batch()
    plain, penalised = (
        only(gradcheck(core, squared, x, y, penalty=given)) for given in (None, lambda copy: penalty(copy, recipe))
    )
    assert plain.passed
    assert penalised.passed
    kernel = np.asarray(core.trainable_variables[0], dtype=np.float64)
    on_paper = 2 * x.T @ (x @ kernel - y) / ROWS + 0.03 * np.sign(kernel) + 2 * 0.5 * kernel
    np.testing.assert_allclose(penalised.tape_norm, np.linalg.norm(on_paper), rtol=1e-7)  # the recipe's are float32


def test_a_gradient_that_is_not_a_number_fails():
    core = stacked(layers.Dense(1, use_bias=False))
    found = only(gradcheck(core, lambda y, outputs: tf.sqrt(outputs[:, 0] * 0.0), *batch()))
    assert not found.passed
    assert math.isnan(found.tape_norm)


def test_a_copy_computes_in_float64_throughout():
    inputs = keras.Input((INPUTS,))
    hidden = layers.Dense(3, dtype="mixed_bfloat16")(inputs) * 1.0
    core = keras.Model(inputs, keras.Sequential([layers.Dense(2), layers.Rescaling(0.125)])(hidden))
    x = batch()[0]
    copy = in_float64(core)
    kernel, bias, last, shift = (np.asarray(each, dtype=np.float64) for each in core.trainable_variables)
    expected = ((x @ kernel + bias) @ last + shift) * 0.125
    np.testing.assert_allclose(copy(x), expected, rtol=1e-14)


def test_what_cannot_be_checked_is_told():
    x, y = batch()
    with pytest.raises(BadInput, match="the loss on these rows is nan"):
        gradcheck(stacked(layers.Dense(1)), squared, x, y * np.nan)

    class Own(keras.Model):
        def __init__(self, units):
            super().__init__(name="own")
            self.dense = keras.layers.Dense(units)

        def call(self, inputs):
            return self.dense(inputs)

    own = Own(1)
    own(x)
    with pytest.raises(BadInput, match="'own' cannot be copied in float64"):
        gradcheck(own, squared, x, y)
    with pytest.raises(BadInput, match="'narrow/kernel' stays in its own precision"):
        gradcheck(stacked(Narrow(1, name="narrow")), squared, x, y)


TRIED = set()
"""Networks beside those that compete unasked, with what they learn: many tasks offer the same."""

LARGE = {*APPLICATIONS, "resnet-18", "resnet-50"}
"""Networks of the layers of others, or of no other than smaller ones; each takes minutes."""


@pytest.mark.parametrize("name", [*catalogue.names(), DIABETES.name])
def test_the_networks_of_every_task_have_the_gradient_of_their_loss(name):
    task = DIABETES if name == DIABETES.name else catalogue.find(name)
    whole = load(task, DataRequest()).examples
    examples = whole.take(np.random.default_rng(0).choice(len(whole), 200, replace=False))
    recipe, _ = apply(["recipe.width=4", "recipe.l2=0.01"], task.recipe, task.protocol)
    resolved = task.objective.resolve(whole.target)  # of 200 payments none may be fraud
    rows = examples.take(np.arange(4))
    for network in task.networks:
        if network.name in LARGE or not network.suits(examples.columns):
            continue
        objective = network.learns(resolved).fitted(examples.target)
        kind = (network.name, objective.kind, getattr(objective, "ordered", False))
        if not network.unasked and kind in TRIED:
            continue
        TRIED.add(kind)
        for seed in range(3):  # a unit at its kink for every row shows nothing; what is wrong is so with any weights
            keras.utils.set_random_seed(seed)
            built = network.build(examples, objective, recipe)
            x = built.encode(as_tensors({each: rows.columns[each] for each in built.encode.input}, rows.kinds))
            y = objective.learnable(objective.encode(rows.target))
            loss = of_core(objective, network.learns_from, built.members).loss
            found = gradcheck(built.core, loss, x, y, penalty=lambda core: penalty(core, recipe), most=6)
            if not wrong(found):
                break
        assert all(isinstance(each, LayerCheck) for each in found)
        assert len(found) == len(built.core.trainable_variables)
        assert wrong(found) == []
        assert sum(each.entries - each.at_kink for each in found) > sum(each.entries for each in found) / 2
