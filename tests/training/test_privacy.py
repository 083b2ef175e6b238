"""DP-SGD: what a row can change, what noise is added, how much that spends, and which networks are refused."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import BadInput, TrainingFailed
from pipelines.objectives.classification import Classification
from pipelines.task import Recipe
from pipelines.training import privacy
from pipelines.training.accounting import Guarantee, default_delta, epsilon, noise_for
from pipelines.training.checkpoint import Snapshot
from pipelines.training.independence import require_independent_rows
from pipelines.training.privacy import Private, capacity, poisson
from pipelines.training.step import Batch, Clock

layers = keras.layers
OBJECTIVE = Classification(classes=("no", "yes"))
ROWS, WORDS = 12, 20


def mlp(dropout=0.0):
    return keras.Sequential([keras.Input((6,)), layers.Dense(8, "relu"), layers.Dropout(dropout), layers.Dense(1)])


def cnn():
    inputs = keras.Input((8, 8, 1))
    hidden = layers.Conv2D(4, 3, padding="same", use_bias=False)(inputs)
    hidden = layers.ReLU()(layers.GroupNormalization(2)(hidden))
    hidden = layers.Add()([hidden, layers.Conv2D(4, 3, padding="same")(hidden)])
    return keras.Model(inputs, layers.Dense(1)(layers.GlobalAveragePooling2D()(hidden)))


def lstm():
    inputs = keras.Input((5,), dtype="int32")
    hidden = layers.Embedding(WORDS, 6)(inputs)
    hidden = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(hidden)
    return keras.Model(inputs, layers.Dense(1)(layers.GlobalMaxPooling1D()(hidden)))


NETWORKS = {"mlp": mlp, "cnn": cnn, "lstm": lstm}


def made(name, seed=0, **settings):
    keras.utils.set_random_seed(seed)
    return NETWORKS[name](**settings)


def rows(name, count=ROWS, seed=3):
    random = np.random.default_rng(seed)
    shape = {"mlp": (6,), "cnn": (8, 8, 1), "lstm": (5,)}[name]
    if name == "lstm":
        x = random.integers(0, WORDS, (count, *shape)).astype(np.int32)
        x[:, 1] = x[:, 0]  # a word that comes twice in a row
    else:
        x = random.normal(size=(count, *shape)).astype(np.float32)
    return x, random.integers(0, 2, count).astype(np.int32)


def private(core, recipe=None, clip=0.5, noise=1.0, seed=11):
    recipe = recipe or Recipe(optimiser="sgd", batch_size=8)
    return Private(core, OBJECTIVE.loss, recipe, clip=clip, noise_multiplier=noise, seed=seed)


def batch(x, y, weight):
    return Batch(tf.constant(x), tf.constant(y), tf.constant(weight, tf.float32), tf.constant(1.0))


def clock(step, rate=1.0):
    return Clock(tf.constant(float(step)), tf.constant(rate))


def flat(tensors):
    return np.concatenate([np.asarray(each, np.float64).ravel() for each in tensors])


def gradient_of_row(core, x, y, weight):
    with tf.GradientTape() as tape:
        value = OBJECTIVE.loss(y[None], core(x[None], training=False))[0] * weight
    return flat([tf.convert_to_tensor(each) for each in tape.gradient(value, core.trainable_variables)])


@pytest.mark.parametrize(("name", "at_once"), [("mlp", 64), ("mlp", 5), ("cnn", 5), ("lstm", 5)])
def test_clipped_mean_gradient_equals_a_loop_over_single_rows(name, at_once, monkeypatch):
    monkeypatch.setattr(privacy, "ROWS_AT_ONCE", at_once)
    core, (x, y) = made(name), rows(name)
    weight = np.random.default_rng(1).uniform(0.3, 3, ROWS).astype(np.float32)
    if name != "mlp":  # with every place filled, the last few rows at once are fewer than the others
        weight[[2, 7]] = 0
    gradients = [gradient_of_row(core, *row) for row in zip(x, y, weight, strict=True)]
    norms = np.array([np.linalg.norm(each) for each in gradients])
    clip = float(np.median(norms[norms > 0]))  # half of the rows are clipped
    expected = sum(each * min(1, clip / norm) for each, norm in zip(gradients, norms, strict=True) if norm)
    step = private(core, clip=clip)
    loss, sums = tf.function(step.clipped_sums)(batch(x, y, weight))
    np.testing.assert_allclose(flat(sums) / ROWS, expected / ROWS, atol=1e-5)
    np.testing.assert_allclose(flat(sums), expected, atol=1e-5)
    losses = OBJECTIVE.loss(y, core(x, training=False)).numpy() * weight
    np.testing.assert_allclose(float(loss), losses.sum(), rtol=1e-5)


@pytest.fixture(scope="module")
def sums_of():
    """Noiseless sum of clipped gradients of the MLP with clip 0.5, in one trace."""
    step = private(made("mlp"))
    traced = tf.function(step.clipped_sums)
    return lambda x, y, weight: flat(traced(batch(x, y, weight))[1])


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    row=st.integers(0, ROWS - 1),
    scale=st.sampled_from([1e-3, 1.0, 1e4, 1e30, np.inf, np.nan]),
    weight=st.sampled_from([1e-6, 1.0, 1e6]),
)
def test_one_row_moves_the_sum_by_at_most_the_clip(sums_of, seed, row, scale, weight):
    (x, y), ones = rows("mlp", seed=seed), np.ones(ROWS, np.float32)
    base = sums_of(x, y, ones)
    other, weights = x.copy(), ones.copy()
    other[row] *= np.float32(scale)
    weights[row] = weight
    without = ones.copy()
    without[row] = 0
    added = sums_of(other, y, weights) - sums_of(x, y, without)
    assert np.linalg.norm(added) <= 0.5 * (1 + 1e-4) + 1e-5
    flipped = np.where(np.arange(ROWS) == row, 1 - y, y)
    assert np.linalg.norm(sums_of(other, flipped, weights) - base) <= 2 * 0.5 * (1 + 1e-4) + 1e-5


def test_replacing_a_row_moves_the_sum_by_at_most_twice_the_clip_and_nearly_that(sums_of):
    x, y = rows("mlp")
    y[:] = 0
    moved = [np.linalg.norm(sums_of(x, np.where(np.arange(ROWS) == row, 1, y), np.full(ROWS, 1e3)) -
                            sums_of(x, y, np.full(ROWS, 1e3))) for row in range(ROWS)]  # fmt: skip
    assert max(moved) <= 1.0 + 1e-4
    assert max(moved) > 0.99  # opposite labels pull in opposite directions, each as far as it may


def test_rows_that_fill_the_batch_change_nothing(sums_of):
    x, y = rows("mlp")
    weight = np.ones(ROWS, np.float32)
    weight[[0, 5, 11]] = 0
    filled = x.copy()
    filled[[0, 5]], filled[11] = 1e6, np.nan
    np.testing.assert_array_equal(sums_of(filled, y, weight), sums_of(x, y, weight))
    assert not np.array_equal(sums_of(x, y, np.ones(ROWS, np.float32)), sums_of(x, y, weight))


def wide():
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((100,)), layers.Dense(400), layers.Dense(1)])


def test_noise_has_its_deviation_is_the_steps_own_and_comes_again_after_a_restore():
    core, clip, multiplier, size = wide(), 0.5, 3.0, 8
    step = private(core, Recipe(optimiser="sgd", batch_size=size), clip, multiplier)
    nothing = batch(np.zeros((4, 100), np.float32), np.zeros(4, np.int32), np.zeros(4))
    update = tf.function(step)
    start = Snapshot(step.state)

    def noise(number):
        before = flat(core.trainable_variables)
        update(nothing, clock(number))
        return (before - flat(core.trainable_variables)) * size

    first = noise(5)
    other = noise(6)
    start.restore(step.state)
    np.testing.assert_array_equal(noise(5), first)
    n = len(first)
    deviation = multiplier * clip
    # Five standard errors: a right noise fails once in a million, one of half or double the deviation always.
    assert abs(first.std() / deviation - 1) < 5 / math.sqrt(2 * n)
    assert abs(first.mean()) < 5 * deviation / math.sqrt(n)
    assert abs(np.corrcoef(first, other)[0, 1]) < 5 / math.sqrt(n)
    kernel = first[: 100 * 400]
    assert abs(np.corrcoef(kernel[:400], kernel[400:800])[0, 1]) < 5 / math.sqrt(400)
    start.restore(step.state)
    step.begin(multiplier, 12)
    assert abs(np.corrcoef(noise(5), first)[0, 1]) < 5 / math.sqrt(n)


def test_an_update_divides_by_the_expected_size_and_adds_penalties_on_weights_afterwards():
    x, y = rows("mlp")
    core = made("mlp")
    recipe = Recipe(optimiser="sgd", batch_size=40, l2=0.1)
    step = private(core, recipe, noise=0.0)
    _, sums = step.clipped_sums(batch(x, y, np.ones(ROWS)))
    before = [np.array(each) for each in core.trainable_variables]
    found = step(batch(x, y, np.ones(ROWS)), clock(0, rate=0.5))
    moved = [(old - np.array(new)) / 0.5 for old, new in zip(before, core.trainable_variables, strict=True)]
    slopes = [2 * 0.1 * each if each.ndim == 2 else 0 * each for each in before]
    expected = [np.array(each) / 40 + slope for each, slope in zip(sums, slopes, strict=True)]
    np.testing.assert_allclose(flat(moved), flat(expected), atol=1e-6)
    np.testing.assert_allclose(float(found["gradient_norm"]), np.linalg.norm(flat(expected)) * 40, rtol=1e-4)


def test_a_layers_own_loss_belongs_to_the_row_and_is_clipped_with_it():
    keras.utils.set_random_seed(0)
    activity, kernel = keras.regularizers.L2(0.3), keras.regularizers.L2(0.1)
    dense = layers.Dense(8, activity_regularizer=activity, kernel_regularizer=kernel)
    core = keras.Sequential([keras.Input((6,)), dense, layers.Dense(1)])
    x, y = rows("mlp")
    with tf.GradientTape() as tape:
        hidden = tf.matmul(x[:1], dense.kernel.value)
        value = OBJECTIVE.loss(y[:1], core.layers[1](hidden))[0] + 0.3 * tf.reduce_sum(hidden**2)
    expected = flat([tape.gradient(value, dense.kernel.value)])
    step = private(core)
    tf.function(core)(x)  # leaves losses of other rows in the layers, as validation does
    slopes = tf.function(step._penalty_slopes)()
    np.testing.assert_allclose(slopes[0], 0.2 * np.array(dense.kernel), atol=1e-6)
    alone = batch(x, y, np.eye(ROWS)[0])
    _, sums = private(core, clip=1e6).clipped_sums(alone)
    np.testing.assert_allclose(flat(sums[:1]), expected, rtol=1e-4, atol=1e-5)
    step = private(core, clip=0.01, noise=0.0)
    _, sums = step.clipped_sums(alone)
    assert np.linalg.norm(flat(sums)) == pytest.approx(0.01, rel=1e-4)
    before = np.array(dense.kernel)
    tf.function(step)(batch(x, y, np.zeros(ROWS)), clock(0))  # no row: only the penalty on the kernel is left
    np.testing.assert_allclose(before - np.array(dense.kernel), 0.2 * before, atol=1e-6)


def test_dropout_differs_from_row_to_row_and_from_step_to_step():
    step = private(made("mlp", dropout=0.5), clip=1e3)
    start, traced = Snapshot(step.state), tf.function(step.clipped_sums)

    def loss(weight):
        return float(traced(batch(np.ones((64, 6), np.float32), np.ones(64, np.int32), weight))[0])

    alone = []
    for row in range(4):
        start.restore(step.state)
        alone.append(loss(np.eye(64)[row]))
    assert len(set(alone)) > 1
    start.restore(step.state)
    together, later = loss(np.ones(64)), loss(np.ones(64))
    assert together != later
    start.restore(step.state)
    assert loss(np.ones(64)) == together


def test_a_private_network_learns():
    random = np.random.default_rng(0)
    x = random.normal(size=(512, 6)).astype(np.float32)
    y = (x[:, 0] + x[:, 1] > 0).astype(np.int32)
    core = made("mlp")
    step = private(core, Recipe(optimiser="adam", batch_size=64), clip=1.0, noise=0.8)
    update = tf.function(step)
    for epoch in range(6):
        order = poisson(512, 64, 5, epoch, 8)
        for number, (here, mask) in enumerate(zip(order.rows, order.mask, strict=True)):
            update(batch(x[here], y[here], mask), clock(8 * epoch + number, rate=0.02))
    assert np.mean((np.asarray(core(x))[:, 0] > 0) == y) > 0.9


def test_each_row_joins_each_batch_independently_with_the_same_chance():
    n, size, steps = 300, 30, 2000
    order = poisson(n, size, seed=7, epoch=2, steps=steps)
    assert order.rows.shape == order.mask.shape == (steps, capacity(size))
    joined = np.zeros((steps, n))
    for step in range(steps):
        chosen = order.rows[step][order.mask[step] == 1]
        assert len(set(chosen)) == len(chosen)
        joined[step, chosen] = 1
    q = size / n
    error = math.sqrt(q * (1 - q))
    assert abs(joined.mean(axis=0) - q).max() < 5 * error / math.sqrt(steps)
    counts = joined.sum(axis=1)
    # A batch of fixed size, or one of a shuffled epoch, has no variance.
    assert abs(counts.var() / (n * q * (1 - q)) - 1) < 5 * math.sqrt(2 / steps)
    pairs = np.corrcoef(joined[:, :40].T) - np.eye(40)
    assert abs(pairs).max() < 6 / math.sqrt(steps)
    assert abs(np.corrcoef(joined[:-1, 0], joined[1:, 0])[0, 1]) < 5 / math.sqrt(steps)
    half = order.mask[:, : capacity(size) // 2].sum()
    assert abs(half / order.mask.sum() - 0.5) < 0.02  # two replicas have as much to do


def test_sampling_is_a_function_of_seed_and_epoch():
    one, again, other, reseeded = (poisson(50, 8, *key, 6) for key in ((3, 1), (3, 1), (3, 2), (4, 1)))
    np.testing.assert_array_equal(one.rows, again.rows)
    np.testing.assert_array_equal(one.mask, again.mask)
    assert not np.array_equal(one.rows, other.rows)
    assert not np.array_equal(one.rows, reseeded.rows)
    assert poisson(8, 8, 0, 0, 3).mask.sum() == 24  # everyone joins with certainty


def test_a_batch_that_does_not_fit_ends_training_and_loses_no_row(monkeypatch):
    from scipy import stats

    for size in (1, 64, 1000):
        assert stats.binom.sf(capacity(size), 10 * size, 0.1) < 1e-9
        assert stats.binom.sf(capacity(size), 10**6 * size, 1e-6) < 1e-9
    monkeypatch.setattr(privacy, "OVERFLOW", 0.5)
    with pytest.raises(TrainingFailed, match="another seed"):
        poisson(1000, 50, 0, 0, 20)
    with pytest.raises(BadInput, match=r"recipe\.batch_size=9 of 8"):
        poisson(8, 9, 0, 0, 1)


class Centred(layers.Layer):
    def call(self, x):
        return x - keras.ops.mean(x, axis=0, keepdims=True)


class Counting(layers.Layer):
    def build(self, shape):
        self.seen = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, x):
        self.seen.assign(self.seen + keras.ops.mean(x))
        return x


def with_layer(*inner):
    inputs = keras.Input((6,))
    hidden = layers.Dense(4, name="before")(inputs)
    for each in inner:
        hidden = each(hidden)
    return keras.Model(inputs, layers.Dense(1)(layers.Dropout(0.5)(hidden)))


def nested(layer):
    return keras.Sequential([keras.Input((4,)), layers.Dense(4), layer], name="inner")


REFUSED = {
    "normalisation": (lambda: with_layer(layers.BatchNormalization(name="norm")), "'norm' .BatchNormalization. mixes"),
    "nested": (lambda: with_layer(nested(layers.BatchNormalization(name="norm"))), r"'inner\.norm' .BatchNorm.* mixes"),
    "wrapped": (
        lambda: with_layer(
            layers.Reshape((2, 2)), layers.TimeDistributed(layers.BatchNormalization()), layers.Flatten()
        ),
        "BatchNormalization. mixes",
    ),
    "own layer": (lambda: with_layer(Centred(name="centred")), "'centred' .Centred. mixes"),
    "own layer, nested": (lambda: with_layer(nested(Centred())), "'inner' .Sequential. mixes"),
    "striding": (
        lambda: with_layer(layers.Reshape((4, 1)), layers.Conv1D(2, 1, strides=2, name="thin"), layers.Flatten()),
        "'thin' .Conv1D. looks at one place .* let MaxPooling of size 1",
    ),
    "statistics": (lambda: with_layer(Counting(name="counting")), "'counting' keeps statistics"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_layer_that_mixes_rows_is_refused_by_name(case):
    build, message = REFUSED[case]
    core = build()
    with pytest.raises(BadInput, match=message) as refused:
        private(core)
    assert case == "striding" or "use LayerNormalization or GroupNormalization" in str(refused.value)


def test_layers_that_look_at_one_row_are_taken():
    for name in NETWORKS:
        require_independent_rows(made(name))
    require_independent_rows(with_layer(layers.LayerNormalization(), layers.GaussianNoise(1.0)))
    require_independent_rows(with_layer(layers.Reshape((4, 1)), layers.GRU(3, dropout=0.4)))
    require_independent_rows(with_layer(layers.Reshape((4, 1)), layers.Conv1D(2, 1), layers.Flatten()))
    require_independent_rows(with_layer(layers.Reshape((4, 1)), layers.Conv1D(2, 2, strides=2), layers.Flatten()))
    inputs = {"a": keras.Input((3,)), "b": keras.Input((None, 2))}
    joined = layers.Concatenate()([inputs["a"], layers.GlobalMaxPooling1D()(inputs["b"])])
    require_independent_rows(keras.Model(inputs, layers.Dense(1)(joined)))


def test_settings_that_promise_nothing_are_refused():
    with pytest.raises(BadInput, match="dp_clip must be positive"):
        private(made("mlp"), clip=0.0)
    core = keras.Sequential([keras.Input((6,)), layers.Dense(4, dtype="mixed_float16"), layers.Dense(1)])
    with pytest.raises(BadInput, match=r"recipe\.precision=float16"):
        private(core)


def moments(noise, q, steps, delta):
    """Epsilon by the moments accountant as published: integer orders, Mironov's (2017) first conversion."""

    def log_moment(order):
        terms = [
            math.lgamma(order + 1) - math.lgamma(k + 1) - math.lgamma(order - k + 1)
            + k * math.log(q) + (order - k) * math.log1p(-q) + k * (k - 1) / (2 * noise**2)
            for k in range(order + 1)
        ]  # fmt: skip
        return np.logaddexp.reduce(terms)

    return min((steps * log_moment(a) - math.log(delta)) / (a - 1) for a in range(2, 65))


def test_epsilon_is_that_of_the_published_examples():
    # Abadi et al. (2016), section 3.2: q 0.01, noise 4, 10 000 steps, delta 1e-5 give 1.26.
    published = moments(4, 0.01, 10_000, 1e-5)
    assert published == pytest.approx(1.26, abs=0.005)
    assert 0.7 * published < epsilon(4, 0.01, 10_000, 1e-5) < published
    # TensorFlow Privacy's tutorial: MNIST, noise 1.1, batches of 256, 60 epochs, delta 1e-5 give 3.0.
    steps = 60 * 60_000 // 256
    published = moments(1.1, 256 / 60_000, steps, 1e-5)
    assert published == pytest.approx(3.0, abs=0.05)
    assert 0.7 * published < epsilon(1.1, 256 / 60_000, steps, 1e-5) < published


@pytest.mark.parametrize(("noise", "steps"), [(1.0, 1), (4.0, 10), (30.0, 50)])
def test_epsilon_without_sampling_is_the_exact_one_of_the_gaussian_mechanism(noise, steps):
    from scipy import optimize, stats

    deviation, delta = noise / math.sqrt(steps), 1e-5

    def excess(value):  # Balle and Wang (2018), arXiv 1805.06530, theorem 8
        away = 1 / (2 * deviation)
        tails = stats.norm.cdf(away - value * deviation), stats.norm.cdf(-away - value * deviation)
        return tails[0] - math.exp(value) * tails[1] - delta

    exact = optimize.brentq(excess, 1e-6, 30)
    assert exact <= epsilon(noise, 1.0, steps, delta) <= exact * 1.005


def test_epsilon_equals_that_of_dp_accounting():
    import dp_accounting

    step = dp_accounting.PoissonSampledDpEvent(0.02, dp_accounting.GaussianDpEvent(1.3))
    theirs = dp_accounting.pld.PLDAccountant().compose(dp_accounting.SelfComposedDpEvent(step, 500))
    assert epsilon(1.3, 0.02, 500, 1e-5) == pytest.approx(theirs.get_epsilon(1e-5), rel=1e-9)
    loose = dp_accounting.rdp.RdpAccountant().compose(dp_accounting.SelfComposedDpEvent(step, 500))
    assert epsilon(1.3, 0.02, 500, 1e-5) < loose.get_epsilon(1e-5)
    assert epsilon(1.3, 0.02, 0, 1e-5) == 0
    assert epsilon(0.0, 0.02, 1, 1e-5) == math.inf
    assert 50 < epsilon(0.2, 0.02, 500, 1e-5) < math.inf


@pytest.mark.parametrize("target", [0.1, 2.0])
def test_noise_for_a_target_spends_just_that(target):
    noise = noise_for(target, 0.02, 400, 1e-5)
    assert epsilon(noise, 0.02, 400, 1e-5) <= target
    assert epsilon(noise * 0.99, 0.02, 400, 1e-5) > target


def test_an_impossible_request_is_said():
    for arguments, message in (
        ((0.0, 0.1, 10, 1e-5), r"recipe\.dp_epsilon must be above 0"),
        ((1.0, 1.5, 10, 1e-5), "a row joins a batch with a probability"),
        ((1.0, 0.1, 10, 1.0), r"recipe\.dp_delta"),
        ((1.0, 0.1, -1, 1e-5), "steps must not be negative"),
    ):
        with pytest.raises(BadInput, match=message):
            noise_for(*arguments)
    with pytest.raises(BadInput, match="noise multiplier"):
        epsilon(-1.0, 0.1, 10, 1e-5)


def test_a_guarantee_says_what_was_spent_and_what_is_not_covered():
    found = Guarantee.of(1.3, 1.0, 20, 1000, steps=200, planned=500, delta=default_delta(1000))
    assert found.epsilon < found.planned_epsilon == epsilon(1.3, 0.02, 500, 1e-5)
    said = found.settings()
    spent, most = (math.ceil(each * 1000) / 1000 for each in (found.epsilon, found.planned_epsilon))
    assert said["privacy"] == (
        f"epsilon {spent:.3f} (at most {most:.3f}) at delta 1e-05: clip 1, noise 1.3, 200 steps of 20 of 1000 rows"
    )
    assert (said["privacy_epsilon"], said["privacy_delta"]) == (f"{spent:.3f}", "1e-05")
    assert "validation" in said["privacy_does_not_cover"]
    assert default_delta(10**6) == pytest.approx(10**-6.6)


TWO_REPLICAS = """
import json
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from test_privacy import *
def trained(strategy, share):
    with strategy.scope():
        core = made("mlp")
        step = private(core, Recipe(optimiser="adam", batch_size=8, l2=0.1), noise=2.0)
    (x, y), weight = rows("mlp"), np.ones(ROWS)
    weight[[1, 4, 5]] = 0
    def update(number):
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        here = replica * share + tf.range(share)
        part = Batch(*(tf.gather(each, here) for each in (x, y, weight.astype(np.float32))), tf.constant(1.0))
        return step(part, Clock(number, tf.constant(0.01)))["gradient_norm"]
    traced = tf.function(lambda number: strategy.reduce("MEAN", strategy.run(update, args=(number,)), axis=None))
    return [float(traced(tf.constant(float(number)))) for number in range(3)], flat(core.trainable_variables)
one, many = trained(tf.distribute.get_strategy(), ROWS), trained(tf.distribute.MirroredStrategy(), ROWS // 2)
print(json.dumps([float(abs(one[1] - many[1]).max()), one[0], many[0]]))
"""


def test_two_replicas_add_the_noise_once():
    root = Path(__file__).resolve().parents[2]
    run = subprocess.run(
        [sys.executable, "-c", TWO_REPLICAS],
        cwd=root,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
    )
    assert run.returncode == 0, run.stderr[-2000:]
    apart, one, many = json.loads(run.stdout.splitlines()[-1])
    assert apart < 1e-5
    np.testing.assert_allclose(one, many, rtol=1e-4)
