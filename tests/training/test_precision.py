"""Lower precision: which is chosen, what stays in float32, and that training comes out nearly the same."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipelines.errors import BadInput
from pipelines.objectives.classification import Classification
from pipelines.task import Recipe
from pipelines.training import precision
from pipelines.training.loss_scale import LossScale
from pipelines.training.step import Batch, Clock, Supervised, penalty

OBJECTIVE = Classification(classes=("no", "yes"))


def network(seed=0):
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((8,))
    hidden = keras.layers.Dense(16, activation="relu")(inputs)
    return keras.Model(inputs, keras.layers.Dense(1)(keras.layers.LayerNormalization()(hidden)))


def rows(n=64):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 8)).astype(np.float32)
    return x, (x[:, 0] * x[:, 1] > 0).astype(np.int32), np.ones(n, np.float32)


def trained(recipe, updates, prepare=lambda step: None, xla=False):
    """(step, sums of each update, weights at the end)."""
    core = network()
    precision.lower(core, precision.chosen(recipe))
    step = Supervised(core, OBJECTIVE.loss, recipe)
    prepare(step)
    x, y, weight = rows()

    @tf.function(jit_compile=xla)
    def update(number):
        return step(Batch(x, y, tf.constant(weight), tf.constant(64.0)), Clock(number, tf.constant(0.01)))

    sums = [{name: float(value) for name, value in update(tf.constant(float(number))).items()}
            for number in range(updates)]  # fmt: skip
    return step, sums, [np.array(each) for each in step.core.trainable_variables]


@pytest.fixture(scope="module")
def in_float32():
    return trained(Recipe(precision="float32"), 60)


@pytest.mark.parametrize("xla", [False, True])
@pytest.mark.parametrize("name", ["bfloat16", "float16"])
def test_training_comes_out_nearly_as_in_float32(name, xla, in_float32):
    _, exact, _ = in_float32
    step, found, _ = trained(Recipe(precision=name), 60, xla=xla)
    assert [layer.compute_dtype for layer in step.core.layers[1:]] == [name, name, "float32"]
    assert {variable.dtype for variable in step.core.trainable_variables} == {"float32"}
    assert exact[-1]["loss"] < 0.7 * exact[0]["loss"]
    np.testing.assert_allclose(found[-1]["loss"], exact[-1]["loss"], rtol=0.05)
    assert found[0]["loss"] != exact[0]["loss"]


def test_an_overflow_skips_the_update_and_halves_the_scale_until_it_fits():
    def plant(step):
        step.loss_scale.scale.assign(2.0**30)
        step.loss_scale.patience = 3

    core = network()
    before = [np.array(each) for each in core.trainable_variables]
    step, sums, after = trained(Recipe(precision="float16", weight_decay=0.1), 1, plant)
    assert sums[0]["skipped"] == 64
    assert np.isfinite(sums[0]["loss"])
    assert float(step.loss_scale.scale) == 2.0**29
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)
    slots = [each for each in step.optimiser.variables if "momentum" in each.path or "iteration" in each.path]
    assert slots
    assert not any(np.array(each).any() for each in slots)

    step, sums, after = trained(Recipe(precision="float16", weight_decay=0.1), 24, plant)
    skipped = [each["skipped"] > 0 for each in sums]
    assert all(skipped[:5])
    finite = skipped.index(False)
    assert float(step.loss_scale.scale) <= 2.0 ** (30 - finite + (24 - finite) // 3)
    # Three finite updates after another double it, and what overflows then halves it again.
    assert skipped[finite : finite + 4] == [False, False, False, True]
    assert any((old != new).any() for old, new in zip(before, after, strict=True))


def test_the_scale_by_hand():
    scale = LossScale(initial=4.0, patience=2)
    seen = []
    for finite in (True, False, True, True, True, True, False, False, False, False, False):
        scale.saw(tf.constant(finite))
        seen.append(float(scale.scale))
    assert seen == [4, 2, 2, 4, 4, 8, 4, 2, 1, 1, 1]
    scale.scale.assign(8.0)
    assert float(scale.multiply(tf.constant(3.0))) == 24
    assert [float(each) for each in scale.divide([tf.constant(16.0)])] == [2]
    assert [float(each) for each in scale.state] == [8, 0]


def test_float32_has_no_scale_and_bfloat16_needs_none():
    for name in ("float32", "bfloat16"):
        core = network()
        precision.lower(core, name)
        step = Supervised(core, OBJECTIVE.loss, Recipe(precision=name))
        assert step.loss_scale is None
        assert "skipped" not in step.sums


@pytest.mark.parametrize(
    ("capabilities", "tpus", "expected"),
    [((), 0, "float32"), ((), 1, "bfloat16"), (((8, 0),), 0, "bfloat16"), (((9, 0), (7, 5)), 0, "float16"),
     (((7, 0),), 0, "float16"), (((6, 1),), 0, "float32"), ((None,), 0, "float32")],
)  # fmt: skip
def test_auto_goes_by_the_slowest_device(monkeypatch, capabilities, tpus, expected):
    found = {"GPU": list(capabilities), "TPU": [None] * tpus}
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: found[kind])
    monkeypatch.setattr(
        tf.config.experimental, "get_device_details", lambda each: {"compute_capability": each} if each else {}
    )
    assert precision.chosen(Recipe()) == expected
    assert precision.chosen(Recipe(precision="float16")) == "float16"


def test_layers_from_which_outputs_come_stay_in_float32():
    inputs = keras.Input((6,))
    inner = keras.Sequential([keras.Input((6,)), keras.layers.Dense(6), keras.layers.Dense(4)])
    recurrent = keras.layers.Bidirectional(keras.layers.LSTM(3))(keras.layers.Reshape((2, 2))(inner(inputs)))
    ends = [keras.layers.Reshape((3, 1))(keras.layers.Dense(3)(recurrent)), inner(inputs)]
    core = keras.Model(inputs, ends)
    precision.lower(core, "bfloat16")
    computed = {layer.path: layer.compute_dtype for layer in core._flatten_layers(include_self=False)}
    dense, reshape = core.layers[-2:] if core.layers[-1].name.startswith("reshape") else core.layers[-3:-1]
    assert [computed[dense.path], computed[reshape.path]] == ["float32", "float32"]
    assert [layer.compute_dtype for layer in inner.layers] == ["bfloat16", "float32"]
    lstm = next(layer for layer in core.layers if layer.name.startswith("bidirectional"))
    assert {lstm.compute_dtype, lstm.forward_layer.compute_dtype, lstm.forward_layer.cell.compute_dtype} == {"bfloat16"}
    assert [each.dtype for each in core(np.ones((2, 6), np.float32))] == ["float32", "float32"]


def test_what_is_inside_a_last_layer_stays_in_float32_too():
    inputs = keras.Input((4, 3))
    last = keras.layers.TimeDistributed(keras.layers.Dense(2))
    core = keras.Model(inputs, keras.ops.abs(last(keras.layers.Dense(5)(inputs))))
    precision.lower(core, "bfloat16")
    assert [last.compute_dtype, last.layer.compute_dtype, core.layers[1].compute_dtype] == [
        "float32", "float32", "bfloat16"
    ]  # fmt: skip
    assert core(np.ones((2, 4, 3), np.float32)).dtype == "float32"


def test_equals_a_network_built_under_keras_own_policy():
    x, *_ = rows()
    lowered = network()
    precision.lower(lowered, "bfloat16")
    kept = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        theirs = network()
    finally:
        keras.config.set_dtype_policy(kept)
    theirs.layers[-1].dtype_policy = "float32"
    theirs.set_weights(lowered.get_weights())
    np.testing.assert_array_equal(lowered(x), keras.ops.convert_to_numpy(theirs(x)).astype(np.float32))


def test_a_layer_with_a_precision_of_its_own_keeps_it():
    inputs = keras.Input((2,))
    core = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Dense(2, dtype="float64")(inputs)))
    precision.lower(core, "float16")
    assert [layer.compute_dtype for layer in core.layers[1:]] == ["float64", "float32"]


def test_a_model_without_connected_layers_is_refused():
    class Subclassed(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(BadInput, match=r"recipe.precision must be float32"):
        precision.lower(Subclassed(), "float16")


def test_a_penalty_on_activations_counts_in_float32():
    inputs = keras.Input((8,))
    penalised = keras.layers.Dense(4, activity_regularizer=keras.regularizers.L2(0.5))(inputs)
    core = keras.Model(inputs, keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L2(0.5))(penalised))
    x, y, weight = rows()
    core(x, training=True)
    exact = float(penalty(core, Recipe()))
    precision.lower(core, "bfloat16")
    step = Supervised(core, OBJECTIVE.loss, Recipe(optimiser="sgd"))
    step(Batch(x, y, weight, 64.0), Clock(tf.constant(0.0), tf.constant(0.0)))
    found = penalty(core, Recipe())
    assert found.dtype == tf.float32
    np.testing.assert_allclose(float(found), exact, rtol=0.02)
