"""Dropout by bytes: which numbers it drops, how many, by what chance; and that it is Keras' dropout otherwise."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from pipelines.models.dropout import ByteDropout


def kept(layer, shape):
    """Which of as many ones stay."""
    return np.asarray(layer(np.ones(shape, np.float32), training=True)) > 0


@pytest.mark.parametrize(("rate", "share"), [(0.25, 64), (0.3, 77), (0.5, 128), (0.001, 1), (0.9999, 255)])
def test_the_share_is_dropped_and_the_mean_stays(rate, share):
    layer, size = ByteDropout(rate), 1_000_000
    out = np.asarray(layer(np.ones(size, np.float32), training=True))
    dropped = int((out == 0).sum())
    assert stats.binomtest(dropped, size, share / 256).pvalue > 1e-4
    np.testing.assert_allclose(np.unique(out), [0, 256 / (256 - share)], rtol=1e-6)


def test_what_is_dropped_follows_no_pattern():
    layer = ByteDropout(0.5)
    first, second = (kept(layer, (500, 8, 61)).astype(float) for _ in range(2))
    n = first.size

    def correlation(a, b):
        return np.corrcoef(a.ravel(), b.ravel())[0, 1]

    for lag in (1, 2, 3, 4, 61):  # within a word, between words, between rows
        assert abs(correlation(first.ravel()[lag:], first.ravel()[:-lag])) < 5 / n**0.5
    assert abs(correlation(first, second)) < 5 / n**0.5
    for axis in range(3):  # no row, member or unit is dropped more than others
        counts = first.sum(axis=tuple(each for each in range(3) if each != axis))
        expected = n / len(counts) / 2
        assert stats.chi2(len(counts)).sf(np.square(counts - expected).sum() / (expected / 2)) > 1e-4


@pytest.mark.parametrize("compiled", [False, True])
def test_in_a_graph_every_call_drops_others_and_a_seed_the_same(compiled):
    def drawn(seed):
        keras.utils.set_random_seed(seed)
        layer = ByteDropout(0.4)
        call = tf.function(lambda x: layer(x, training=True), jit_compile=compiled)
        return [np.asarray(call(tf.ones((3, 5, 7)))) for _ in range(2)]

    first, again, other = drawn(1), drawn(1), drawn(2)
    np.testing.assert_array_equal(first, again)
    assert (first[0] != first[1]).any()
    assert (first[0] != other[0]).any()


def test_nothing_is_dropped_where_nothing_is_learned_or_asked_for():
    x = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    np.testing.assert_array_equal(ByteDropout(0.5)(x), x)
    np.testing.assert_array_equal(ByteDropout(0.0)(x, training=True), x)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_gradients_pass_where_numbers_stay(policy):
    layer = ByteDropout(0.25, dtype=policy)
    x = tf.Variable(tf.random.normal((40, 30)))
    with tf.GradientTape() as tape:
        out = layer(x, training=True)
    gradient = np.asarray(tape.gradient(out, x))
    np.testing.assert_allclose(gradient, np.where(np.asarray(tf.cast(out, "float32")) == 0, 0, 4 / 3), rtol=0.01)
    assert 0 < (gradient == 0).mean() < 0.5


def test_it_is_saved_and_read_in_safe_mode(tmp_path):
    inputs = keras.Input((6,))
    keras.Model(inputs, ByteDropout(0.3)(inputs)).save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    assert again.layers[-1].dropped == 77


@pytest.mark.parametrize("rate", [-0.1, 1.0, 1.5])
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises(ValueError, match="rate of dropout"):
        ByteDropout(rate)
