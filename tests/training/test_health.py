"""What gradient health measures, against NumPy; that it changes nothing; compiled, nested and on two replicas."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from pipelines.objectives.classification import Classification
from pipelines.objectives.regression import Regression
from pipelines.task import Recipe
from pipelines.training.health import HEALTH, Health
from pipelines.training.step import Batch, Clock, Supervised

ROOT = Path(__file__).resolve().parents[2]
SGD = Recipe(optimiser="sgd")
HOW = {"eager": None, "graph": False, "compiled": True}


def batch(x, y):
    return Batch(x, y, np.ones(len(y), np.float32), np.float32(len(y)))


def update(core, rows, health=None, how=None, recipe=SGD, rate=0.1, objective=None):
    """One update, measured if there is health, in one of the ways in `HOW`; what the step returns, as NumPy."""
    step = Supervised(core, (objective or Regression()).loss, recipe)
    if health is not None:
        step.health = health

    def once():
        clock = Clock(tf.constant(0.0), tf.constant(rate))
        return step(rows, clock) if health is None else step.measured(rows, clock)

    call = once if how is None else tf.function(once, jit_compile=how)
    return {name: np.asarray(value) for name, value in call().items()}


def measured(core, rows, health, *how, **settings):
    """The summary of one measured update, without the norm of all layers together."""
    found = health.summary(update(core, rows, health, *how, **settings)[HEALTH])
    del found["gradient_norm"]
    return found


def two_layers(bias=0.0):
    """6 inputs, 4 ReLU units, 1 output; a unit whose `bias` is very negative is dead."""
    keras.utils.set_random_seed(3)
    inputs = keras.Input((6,))
    hidden = layers.Dense(4, activation="relu")(inputs)
    core = keras.Model(inputs, layers.Dense(1)(hidden))
    core.layers[1].bias.assign(np.full(4, bias))
    return core


def rows(n=16, columns=6):
    rng = np.random.default_rng(0)
    return batch(rng.normal(size=(n, columns)).astype(np.float32), rng.normal(size=n).astype(np.float32))


def norm(*arrays):
    return np.sqrt(sum((array**2).sum() for array in arrays))


@pytest.mark.parametrize("how", HOW)
def test_measurements_equal_those_of_weights_before_and_after(how):
    """Plain descent moves each weight by rate times gradient, so the weights tell both."""
    core, rate = two_layers(), 0.1
    core.layers[1].bias.assign([-100.0, 0.0, 0.0, 100.0])
    health = Health(core)
    before = [np.array(weight) for weight in core.trainable_variables]
    found = measured(core, rows(), health, HOW[how], rate=rate)
    moves = [np.array(weight) - old for old, weight in zip(before, core.trainable_variables, strict=True)]
    assert found == pytest.approx(
        {
            "health/gradient_norm/1_dense": norm(*moves[:2]) / rate,
            "health/gradient_norm/2_dense": norm(*moves[2:]) / rate,
            "health/update_ratio/1_dense": norm(moves[0]) / norm(before[0]),
            "health/update_ratio/2_dense": norm(moves[2]) / norm(before[2]),
            "health/dead_share/1_dense": 0.25,
        },
        rel=1e-3,
    )


def test_norms_are_of_the_gradient_before_it_is_clipped():
    core = two_layers()
    health = Health(core)
    free = measured(core, rows(), health, rate=0.0)
    bound = measured(core, rows(), health, rate=0.0, recipe=Recipe(optimiser="sgd", clip_norm=1e-3))
    assert bound["health/gradient_norm/1_dense"] == pytest.approx(free["health/gradient_norm/1_dense"])


@pytest.mark.parametrize("recipe", [SGD, Recipe(optimiser="sgd", accumulate=4)])
def test_training_is_the_same_with_and_without(recipe):
    def trained(watched):
        keras.utils.set_random_seed(1)
        inputs = keras.Input((6,))
        hidden = layers.BatchNormalization()(layers.Dense(8, activation="relu")(inputs))
        core = keras.Model(inputs, layers.Dense(1)(layers.Dropout(0.5)(hidden)))
        found = update(core, rows(), Health(core) if watched else None, how=False, recipe=recipe)
        assert set(found) == {"loss", "health"} if watched else {"loss"}
        return [np.array(variable) for variable in core.variables]

    for with_health, without in zip(trained(True), trained(False), strict=True):
        np.testing.assert_allclose(with_health, without, rtol=1e-6, atol=1e-7)


def test_a_kernel_of_zeros_has_no_infinite_ratio():
    core = two_layers()
    core.layers[2].kernel.assign(np.zeros((4, 1)))
    health = Health(core)
    found = measured(core, rows(), health)
    assert found["health/gradient_norm/2_dense"] > 0
    assert found["health/update_ratio/2_dense"] == 0


def test_an_epoch_gives_means_and_the_units_that_never_opened():
    """Units 0 and 1 are closed in one measured update of two each, unit 2 in both; two replicas count twice."""
    core = two_layers()
    health = Health(core)
    one = np.array([1, 2.0, 4.0, 0.1, 0.3, 1, 0, 1, 0])
    two = np.array([1, 4.0, 6.0, 0.3, 0.5, 0, 1, 1, 0])
    for replicas in (1, 2):
        found = health.summary(replicas * (one + two))
        assert list(found.values()) == pytest.approx([np.hypot(3.0, 5.0), 3.0, 5.0, 0.2, 0.4, 0.25])


@pytest.mark.parametrize("how", ["eager", "compiled"])
def test_a_word_that_comes_often_counts_as_one_row_of_the_embedding(how):
    inputs = keras.Input((5,), dtype="int32")
    core = keras.Model(inputs, layers.Dense(1)(layers.Flatten()(layers.Embedding(7, 3)(inputs))))
    health, before = Health(core), np.array(core.layers[1].embeddings)
    x, y = np.array([[1, 1, 1, 2, 2], [1, 1, 3, 3, 3]], np.int32), np.array([1, -1], np.float32)
    found = measured(core, batch(x, y), health, HOW[how])
    moved = np.array(core.layers[1].embeddings) - before
    assert found["health/gradient_norm/1_embedding"] == pytest.approx(norm(moved) / 0.1, rel=1e-3)
    assert found["health/update_ratio/1_embedding"] == pytest.approx(norm(moved) / norm(before), rel=1e-3)


def residual():
    """A nested convolutional block around which the picture is added, with separate activations."""
    inner = keras.Input((6, 6, 3))
    hidden = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(3, 3, padding="same", use_bias=False)(inner)))
    block = keras.Model(inner, layers.Conv2D(3, 1, activation="tanh", name="mix")(hidden), name="block")
    inputs = keras.Input((6, 6, 3))
    hidden = layers.Activation("relu")(layers.Add()([inputs, block(inputs)]))
    return keras.Model(inputs, layers.Dense(1)(layers.GlobalAveragePooling2D()(hidden)))


def recurrent():
    inputs = keras.Input((5, 4))
    hidden = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(inputs)
    return keras.Model(inputs, layers.Dense(1)(layers.GRU(3)(hidden)))


class Own(keras.Model):
    """No graph of layers is known of a model that computes in Python."""

    def __init__(self):
        super().__init__()
        self.hidden, self.last = layers.Dense(4, activation="relu"), layers.Dense(1)

    def call(self, x):
        return self.last(self.hidden(x))


def own():
    core = Own()
    core(np.zeros((1, 6), np.float32))
    return core


NETWORKS = {
    residual: (
        (6, 6, 3),
        ["1_block.conv2d", "2_block.batch_normalization", "4_block.mix", "6_dense"],
        ["1_block.conv2d", "4_block.mix", "6_dense"],
        ["dead_share/3_block.re_lu", "saturated_share/4_block.mix", "dead_share/5_activation"],
    ),
    recurrent: (
        (5, 4),
        (names := ["1_bidirectional.forward_lstm", "2_bidirectional.backward_lstm", "3_gru", "4_dense"]),
        names,
        [],
    ),
    own: ((6,), ["1_dense", "2_dense"], ["1_dense", "2_dense"], []),
}


@pytest.mark.parametrize(
    ("network", "how"), [(residual, "eager"), (residual, "compiled"), (recurrent, "compiled"), (own, "graph")]
)
def test_layers_of_any_network_are_named_in_the_order_of_the_forward_pass(network, how):
    shape, norms, ratios, closed = NETWORKS[network]
    core = network()
    x = np.random.default_rng(0).normal(size=(8, *shape)).astype(np.float32)
    health = Health(core)
    found = measured(core, batch(x, np.ones(8, np.float32)), health, HOW[how])
    expected = [*(f"gradient_norm/{each}" for each in norms), *(f"update_ratio/{each}" for each in ratios), *closed]
    assert list(found) == [f"health/{each}" for each in expected]
    assert all(np.isfinite(value) and (value > 0 or "share" in name) for name, value in found.items())


def test_names_are_the_same_however_many_layers_were_made_before():
    def names():
        return [each.name for each in Health(residual())._layers]

    first = names()
    layers.Dense(3), layers.Conv2D(2, 2)
    assert names() == first


def test_frozen_layers_are_not_measured():
    core = two_layers()
    core.layers[1].trainable = False
    health = Health(core)
    found = measured(core, rows(), health)
    assert [name for name in found if "norm" in name] == ["health/gradient_norm/2_dense"]


@pytest.mark.parametrize(
    ("activation", "biases", "kind", "share"),
    [
        ("relu", [-100, -100, 100, 0], "dead", 0.5),
        ("relu6", [-100, 1, 1, 1], "dead", 0.25),
        ("sigmoid", [-100, 100, 0, 0], "saturated", 0.5),
        ("tanh", [-100, 100, 100, 0], "saturated", 0.75),
    ],
)
def test_units_are_closed_where_their_activation_passes_no_gradient(activation, biases, kind, share):
    inputs = keras.Input((6,))
    core = keras.Model(inputs, layers.Dense(1)(layers.Dense(4, activation=activation)(inputs)))
    core.layers[1].bias.assign(biases)
    health = Health(core)
    found = measured(core, rows(), health)
    assert {name: value for name, value in found.items() if "share" in name} == {f"health/{kind}_share/1_dense": share}


@pytest.mark.parametrize(
    "activation", ["linear", "gelu", "leaky_relu", layers.LeakyReLU(), layers.ReLU(negative_slope=0.1)]
)
def test_an_activation_that_always_passes_something_is_no_gate(activation):
    inputs = keras.Input((6,))
    core = keras.Model(inputs, layers.Dense(1)(layers.Dense(4, activation=activation)(inputs)))
    assert not Health(core)._gates


def test_a_channel_is_alive_if_it_is_at_any_place_of_any_row():
    inputs = keras.Input((4, 4, 1))
    hidden = layers.Conv2D(2, 1, activation="relu")(inputs)
    core = keras.Model(inputs, layers.Dense(1)(layers.Flatten()(hidden)))
    core.layers[1].set_weights([np.ones((1, 1, 1, 2)), np.zeros(2)])
    x = np.full((3, 4, 4, 1), -1.0, np.float32)
    health, y = Health(core), np.ones(3, np.float32)
    found = measured(core, batch(x, y), health, rate=0.0)
    assert found["health/dead_share/1_conv2d"] == 1
    x[1, 2, 3] = 1
    found = measured(core, batch(x, y), health, rate=0.0)
    assert found["health/dead_share/1_conv2d"] == 0


def test_a_layer_that_is_called_twice_is_dead_where_both_calls_are():
    inputs = keras.Input((4,))
    shared = layers.Dense(4, activation="relu", use_bias=False)
    core = keras.Model(inputs, layers.Dense(1)(layers.Concatenate()([shared(inputs), shared(-inputs)])))
    shared.set_weights([np.eye(4)])
    x = np.ones((2, 4), np.float32) * [1, -1, 0, 0]
    health = Health(core)
    found = measured(core, batch(x.astype(np.float32), np.ones(2, np.float32)), health)
    assert found["health/dead_share/1_dense"] == 0.5


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_lower_precision_is_measured_in_float32(policy):
    inputs = keras.Input((6,))
    hidden = layers.Dense(4, activation="relu", dtype=policy)(inputs)
    core = keras.Model(inputs, layers.Dense(1, dtype="float32")(hidden))
    health = Health(core)
    found = update(core, rows(), health, how=False)
    assert found[HEALTH].dtype == np.float32
    assert health.summary(found[HEALTH])["health/gradient_norm/1_dense"] > 0


def test_listening_changes_neither_other_calls_nor_what_is_saved(tmp_path):
    core = two_layers()
    x = rows().x
    before = np.asarray(core(x))
    Health(core)
    np.testing.assert_array_equal(core(x), before)
    core.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "model.keras")(x), before)


TWO_REPLICAS = """
import json, sys
import keras, numpy as np, tensorflow as tf
count = int(sys.argv[1])
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * count)
strategy = tf.distribute.MirroredStrategy([f"CPU:{number}" for number in range(count)])
from pipelines.objectives.regression import Regression
from pipelines.task import Recipe
from pipelines.training.health import Health
from pipelines.training.step import Batch, Clock, Supervised
rng = np.random.default_rng(0)
x = rng.normal(size=(2, 8, 5)).astype(np.float32)
y = rng.normal(size=(2, 8)).astype(np.float32)
with strategy.scope():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((5,))
    hidden = keras.layers.Dense(6, activation="relu")(inputs)
    hidden = keras.layers.ReLU()(keras.layers.BatchNormalization(synchronized=True)(hidden))
    core = keras.Model(inputs, keras.layers.Dense(1)(hidden))
    core.layers[1].bias.assign([-100, 0, 0, 0, 0, 0])
    step = Supervised(core, Regression().loss, Recipe(optimiser="adam", learning_rate=0.01))

def replica(x, y, index):
    batch = Batch(x[index], y[index], tf.ones(8 // count), tf.constant(8.0))
    return step.measured(batch, Clock(tf.cast(index, tf.float32), tf.constant(0.01)))

@tf.function
def run(x, y):
    total = 0.0
    for index in range(2):  # around the replicas: a synchronised normalisation cannot meet within a loop
        total += strategy.experimental_local_results(strategy.run(replica, (x, y, index))["health"])[0]
    return total

def part(values):
    def of(context):
        share = 8 // count
        number = context.replica_id_in_sync_group
        return tf.constant(values[:, number * share : (number + 1) * share])
    return strategy.experimental_distribute_values_from_function(of)

total = run(part(x), part(y)).numpy()
print(json.dumps([float(total[0]), step.health.summary(total)]))
"""


def test_two_replicas_measure_what_one_does(tmp_path):
    script = tmp_path / "replicas.py"  # a file, because AutoGraph reads the source
    script.write_text(TWO_REPLICAS)

    def measured(replicas):
        printed = subprocess.run(
            [sys.executable, str(script), str(replicas)], cwd=ROOT, capture_output=True, text=True, check=False,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert printed.returncode == 0, printed.stderr[-2000:]
        return json.loads(printed.stdout.splitlines()[-1])

    (one, expected), (two, found) = measured(1), measured(2)
    assert (one, two) == (2, 4)
    assert found == pytest.approx(expected, rel=1e-4)
    assert found["health/dead_share/1_dense"] == pytest.approx(1 / 6)


def test_classes_too_and_an_accumulated_batch():
    inputs = keras.Input((6,))
    core = keras.Model(inputs, layers.Dense(3)(layers.Dense(4, activation="relu")(inputs)))
    health, objective = Health(core), Classification(classes=("a", "b", "c"))
    whole = batch(rows().x, np.arange(16, dtype=np.int32) % 3)
    once = measured(core, whole, health, how=False, rate=0.0, objective=objective)
    parts = Recipe(optimiser="sgd", accumulate=4)
    split = measured(core, whole, health, how=False, rate=0.0, objective=objective, recipe=parts)
    for name in ("health/gradient_norm/1_dense", "health/gradient_norm/2_dense"):
        assert split[name] == pytest.approx(once[name], rel=1e-4)
