"""One update against a backward pass, finite differences and optimisers written by hand in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipelines.objectives.classification import Classification
from pipelines.objectives.regression import Regression
from pipelines.task import Recipe
from pipelines.training.accumulation import part_of
from pipelines.training.clipping import clipped
from pipelines.training.step import Batch, Clock, Supervised

OBJECTIVES = {
    "binary": Classification(classes=("no", "yes")),
    "smoothed": Classification(classes=("no", "yes"), label_smoothing=0.2),
    "multiclass": Classification(classes=("a", "b", "c")),
    "squared": Regression(),
    "huber": Regression(error="huber", delta=0.7),
}
PENALTIES = {"plain": {}, "l1": {"l1": 0.03}, "l2": {"l2": 0.05}, "both": {"l1": 0.02, "l2": 0.04}}
ROWS, INPUTS, HIDDEN = 7, 4, 5


def batch(objective, dtype, seed=3):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(ROWS, INPUTS)).astype(dtype)
    if objective.kind == "regression":
        y = (2 * rng.normal(size=ROWS)).astype(dtype)
    else:
        y = rng.integers(0, len(objective.classes), ROWS).astype(np.int32)
    return x, y, rng.uniform(0.2, 3, ROWS).astype(dtype)


def network(outputs, seed=0):
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((INPUTS,))
    hidden = keras.layers.Dense(HIDDEN, activation="relu", bias_initializer="normal")(inputs)
    return keras.Model(inputs, keras.layers.Dense(outputs, bias_initializer="normal")(hidden))


def at(rate, step=0.0):
    return Clock(tf.constant(step), tf.constant(rate))


def weights(core):
    return [np.array(each, dtype=np.float64) for each in core.trainable_variables]


def gradient_taken(core, objective, recipe, x, y, weight):
    """What plain descent at rate 1 subtracts from the weights is the gradient."""
    before = weights(core)
    Supervised(core, objective.loss, recipe)(Batch(x, y, weight, weight.sum()), at(1.0))
    return [old - new for old, new in zip(before, weights(core), strict=True)]


def slope_of_loss(objective, outputs, y):
    """(rows, outputs) derivative of each row's loss by the network's outputs, on paper."""
    if objective.kind == "regression":
        error = outputs[:, 0] - y
        slope = 2 * error if objective.error == "squared" else np.clip(error, -objective.delta, objective.delta)
        return slope[:, None]
    if objective.binary:
        truth = y * (1 - objective.label_smoothing) + objective.label_smoothing / 2
        return 1 / (1 + np.exp(-outputs)) - truth[:, None]
    odds = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True) - np.eye(len(objective.classes))[y]


def backward(objective, recipe, values, x, y, weight):
    kernel1, bias1, kernel2, bias2 = values
    before = x @ kernel1 + bias1
    hidden = np.maximum(before, 0)
    slope = slope_of_loss(objective, hidden @ kernel2 + bias2, y) * (weight / weight.sum())[:, None]
    inner = (slope @ kernel2.T) * (before > 0)
    found = [x.T @ inner, inner.sum(axis=0), hidden.T @ slope, slope.sum(axis=0)]
    for which, kernel in ((0, kernel1), (2, kernel2)):
        found[which] = found[which] + recipe.l1 * np.sign(kernel) + 2 * recipe.l2 * kernel
    return found


@pytest.fixture
def double_precision():
    kept = keras.config.floatx()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx(kept)
    keras.config.set_dtype_policy(kept)


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("name", OBJECTIVES)
def test_gradient_equals_a_backward_pass_by_hand(name, penalty):
    objective, recipe = OBJECTIVES[name], Recipe(optimiser="sgd", **PENALTIES[penalty])
    x, y, weight = batch(objective, np.float32)
    core = network(objective.outputs)
    expected = backward(objective, recipe, weights(core), x, y, weight)
    found = gradient_taken(core, objective, recipe, x, y, weight)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize("penalty", ["plain", "both"])
@pytest.mark.parametrize("name", OBJECTIVES)
def test_gradient_equals_central_finite_differences(name, penalty, double_precision):
    objective, recipe = OBJECTIVES[name], Recipe(optimiser="sgd", **PENALTIES[penalty])
    x, y, weight = batch(objective, np.float64)
    core = network(objective.outputs)
    assert core.trainable_variables[0].dtype == "float64"
    start = weights(core)

    def value(values):
        for variable, each in zip(core.trainable_variables, values, strict=True):
            variable.assign(each)
        kernels = [each for each in values if each.ndim == 2]
        penalties = sum(recipe.l1 * np.abs(each).sum() + recipe.l2 * (each**2).sum() for each in kernels)
        return float((objective.loss(y, core(x)).numpy() * weight).sum() / weight.sum()) + penalties

    step = 1e-6
    expected = [np.zeros_like(each) for each in start]
    for which, each in enumerate(start):
        for place in np.ndindex(each.shape):
            moved = [value([v + (sign * step * _one_at(v, place) if k == which else 0) for k, v in enumerate(start)])
                     for sign in (1, -1)]  # fmt: skip
            expected[which][place] = (moved[0] - moved[1]) / (2 * step)
    value(start)
    found = gradient_taken(core, objective, recipe, x, y, weight)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-8)


def _one_at(array, place):
    one = np.zeros_like(array)
    one[place] = 1
    return one


def descend(optimiser, weight_decay, values, gradients, rate, number, memory):
    """One step of each optimiser as its paper and Keras' documentation have it; `memory` lasts from step to step."""
    stepped = []
    for place, (value, gradient) in enumerate(zip(values, gradients, strict=True)):
        first, second = memory.get(place, (0.0, 0.0))
        value = value * (1 - (weight_decay if value.ndim == 2 else 0.0) * rate)
        if optimiser == "sgd":
            moved = value - rate * gradient
        elif optimiser in ("momentum", "nesterov"):
            first = 0.9 * first - rate * gradient
            moved = value + (first if optimiser == "momentum" else 0.9 * first - rate * gradient)
        else:
            first = 0.9 * first + 0.1 * gradient
            second = 0.999 * second + 0.001 * gradient**2
            size = rate * np.sqrt(1 - 0.999**number) / (1 - 0.9**number)
            moved = value - size * first / (np.sqrt(second) + 1e-7)
        memory[place] = first, second
        stepped.append(moved)
    return stepped


@pytest.mark.parametrize("clip_norm", [0.0, 0.1])
@pytest.mark.parametrize("optimiser", ["sgd", "momentum", "nesterov", "adam", "adamw"])
def test_updates_equal_the_optimiser_by_hand(optimiser, clip_norm):
    objective = OBJECTIVES["squared"]
    recipe = Recipe(optimiser=optimiser, weight_decay=0.0 if optimiser == "adam" else 0.3, clip_norm=clip_norm)
    core = network(1)
    step = Supervised(core, objective.loss, recipe)
    expected, memory = weights(core), {}
    for number, rate in enumerate((0.05, 0.1, 0.02), start=1):
        x, y, weight = batch(objective, np.float32, seed=number)
        gradients = backward(objective, recipe, expected, x, y, weight)
        norm = np.sqrt(sum((each**2).sum() for each in gradients))
        if clip_norm:
            assert norm > clip_norm
            gradients = [each * clip_norm / norm for each in gradients]
        expected = descend(optimiser, recipe.weight_decay, expected, gradients, rate, number, memory)
        step(Batch(x, y, weight, weight.sum()), at(rate))
    for ours, theirs in zip(weights(core), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_neither_biases_nor_gains_decay_nor_are_penalised():
    """With no gradient from the data, only what decays or is penalised can move."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((3,))
    hidden = keras.layers.LayerNormalization()(keras.layers.Dense(4, bias_initializer="ones")(inputs))
    core = keras.Model(inputs, keras.layers.Dense(1, bias_initializer="ones")(hidden))
    before = weights(core)
    step = Supervised(core, Regression().loss, Recipe(optimiser="adamw", weight_decay=0.5, l1=0.1, l2=0.1))
    step(Batch(np.ones((2, 3), np.float32), np.zeros(2, np.float32), np.zeros(2, np.float32), 1.0), at(0.1))
    moved = [not np.array_equal(old, new) for old, new in zip(before, weights(core), strict=True)]
    assert moved == [each.ndim == 2 for each in before]


def test_penalties_of_layers_count():
    inputs = keras.Input((2,))
    regularised = keras.layers.Dense(1, use_bias=False, kernel_regularizer=keras.regularizers.L2(0.5))
    core = keras.Model(inputs, regularised(inputs))
    before = weights(core)[0]
    nothing = np.zeros(1, np.float32)
    Supervised(core, Regression().loss, Recipe(optimiser="sgd"))(
        Batch(np.ones((1, 2), np.float32), nothing, nothing, 1.0), at(0.1)
    )
    np.testing.assert_allclose(weights(core)[0], before * 0.9, rtol=1e-5)


def test_state_holds_every_variable_that_an_update_changes():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((3,))
    hidden = keras.layers.Dropout(0.5)(keras.layers.BatchNormalization()(keras.layers.Dense(4)(inputs)))
    core = keras.Model(inputs, keras.layers.Dense(1)(hidden))
    step = Supervised(core, Regression().loss, Recipe(optimiser="adam"))
    before = [np.array(each) for each in step.state]
    x, y, weight = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32), np.arange(5.0), np.ones(5)
    step(Batch(x, y.astype(np.float32), weight.astype(np.float32), 5.0), at(0.1))
    changed = {each.path.split("/")[-1] for old, each in zip(before, step.state, strict=True)
               if not np.array_equal(old, np.array(each))}  # fmt: skip
    assert {"kernel", "bias", "moving_mean", "seed_generator_state", "iteration", "learning_rate"} <= changed


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("parts", [2, 3, 7])
def test_an_accumulated_update_equals_the_undivided_one(parts, compiled):
    """Seven rows in two or three parts leave the last part ragged."""
    objective = OBJECTIVES["multiclass"]
    x, y, weight = batch(objective, np.float32)
    ends = []
    for accumulate in (1, parts):
        recipe = Recipe(optimiser="adamw", weight_decay=0.1, l1=0.02, l2=0.04, clip_norm=0.5, accumulate=accumulate)
        core = network(3)
        step = Supervised(core, objective.loss, recipe)
        call = tf.function(step, jit_compile=True) if compiled else step
        for number in range(3):
            given = Batch(*(tf.constant(each) for each in (x, y, weight, weight.sum())))
            sums = call(given, at(0.05, float(number)))
        ends.append(([float(each) for each in sums.values()], weights(core)))
    (sums, values), (accumulated, others) = ends
    np.testing.assert_allclose(accumulated, sums, rtol=1e-5)
    for one, other in zip(values, others, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-5, atol=1e-6)


def test_parts_of_a_batch_whose_size_is_not_known_to_the_trace():
    rows = {"a": np.arange(10.0).reshape(5, 2), "b": np.arange(5)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32), tf.TensorSpec([], tf.int32)])
    def part(weight, number):
        return part_of(rows, weight, number, 2)

    found, weight = part(tf.range(1.0, 6.0), tf.constant(1))
    np.testing.assert_array_equal(found["b"], [3, 4, 4])
    np.testing.assert_array_equal(found["a"], [[6, 7], [8, 9], [8, 9]])
    np.testing.assert_array_equal(weight, [4, 5, 0])


def test_the_norm_counts_a_repeated_word_once():
    """The gradient of an embedding comes as slices; two of the same word add up before they are squared."""
    inputs = keras.Input((3,), dtype="int32")
    embedding = keras.layers.Embedding(5, 2)
    core = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Flatten()(embedding(inputs))))
    x, y = np.array([[1, 1, 2], [1, 0, 1]], np.int32), np.array([1, 2], np.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(Regression().loss(y, core(x))) / 2
    dense = [tf.convert_to_tensor(each) for each in tape.gradient(loss, core.trainable_variables)]
    expected = np.sqrt(sum(float(tf.reduce_sum(each**2)) for each in dense))
    step = Supervised(core, Regression().loss, Recipe(optimiser="sgd"))
    sums = step.measured(Batch(x, y, np.ones(2, np.float32), 2.0), at(0.1))
    found = step.health.summary(np.array(sums["health"]))
    np.testing.assert_allclose(found["gradient_norm"], expected, rtol=1e-5)


def test_a_variable_that_takes_no_part_does_not_stop_the_others():
    class Spare(keras.layers.Layer):
        def build(self, shape):
            self.spare = self.add_weight(shape=(2, 2), name="spare")

        def call(self, x):
            return x

    inputs = keras.Input((INPUTS,))
    core = keras.Model(inputs, keras.layers.Dense(1)(Spare()(inputs)))
    before = weights(core)
    x, y, weight = batch(OBJECTIVES["squared"], np.float32)
    step = Supervised(core, Regression().loss, Recipe(optimiser="adam", accumulate=2, clip_value=1.0))
    sums = step(Batch(x, y, tf.constant(weight), weight.sum()), at(0.1))
    assert np.isfinite(float(sums["loss"]))
    moved = {variable.name for old, new, variable in zip(before, weights(core), core.trainable_variables, strict=True)
             if not np.array_equal(old, new)}  # fmt: skip
    assert moved == {"kernel", "bias"}


def test_an_average_is_part_of_the_state_and_follows_the_weights():
    x, y, weight = batch(OBJECTIVES["squared"], np.float32)
    core = network(1)
    plain = Supervised(core, Regression().loss, Recipe(optimiser="sgd"))
    assert plain.averaged() is None
    step = Supervised(core, Regression().loss, Recipe(optimiser="sgd", average=0.9))
    assert len(step.state) == len(plain.state) + len(core.variables)
    expected = None
    for number in range(4):
        step(Batch(x, y, weight, weight.sum()), at(0.05, float(number)))
        kept, now = number / (9 + number), weights(core)
        expected = [kept * old + (1 - kept) * new for old, new in zip(expected or now, now, strict=True)]
    for ours, theirs in zip(step.averaged(), expected, strict=True):
        np.testing.assert_allclose(np.array(ours), theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("settings", [{"clip_value": 0.05}, {"clip_adaptive": 0.02}])
def test_the_update_is_of_the_clipped_gradient(settings):
    objective, recipe = OBJECTIVES["squared"], Recipe(optimiser="sgd", **settings)
    x, y, weight = batch(objective, np.float32)
    core = network(1)
    start = [tf.constant(each, tf.float32) for each in weights(core)]
    gradients = [tf.constant(each, tf.float32) for each in backward(objective, recipe, weights(core), x, y, weight)]
    found = gradient_taken(core, objective, recipe, x, y, weight)
    for ours, theirs in zip(found, clipped(gradients, start, recipe), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=2e-6)
