"""Mixup: shares from a beta distribution, rows mixed as their losses are, and what weighs nothing adds nothing."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from pipelines.errors import BadInput
from pipelines.objectives.classification import Classification
from pipelines.task import Recipe
from pipelines.training.mixing import Mixing, mixed_loss, require_mixable
from pipelines.training.step import Batch, Clock, Supervised

OBJECTIVE = Classification(classes=("no", "yes"))


def batch(n=8, seed=0, weight=None):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, 3)).astype(np.float32), rng.integers(0, 2, n).astype(np.int32)
    weight = np.ones(n, np.float32) if weight is None else np.asarray(weight, np.float32)
    return tf.constant(x), tf.constant(y), tf.constant(weight)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_shares_follow_the_beta_distribution(alpha):
    shares = np.concatenate([np.asarray(Mixing(alpha).shares(500, float(step))) for step in range(20)])
    assert stats.kstest(shares, stats.beta(alpha, alpha).cdf).pvalue > 1e-4
    assert shares.min() >= 0
    assert shares.max() <= 1


def test_shares_are_of_the_update_alone():
    mixing = Mixing(0.4)
    np.testing.assert_array_equal(mixing.shares(9, 7.0), Mixing(0.4).shares(9, tf.constant(7.0)))
    assert not np.array_equal(mixing.shares(9, 7.0), mixing.shares(9, 8.0))


@pytest.mark.parametrize("compiled", [False, True])
def test_rows_and_losses_are_mixed_by_the_same_shares(compiled):
    x, y, weight = batch(weight=[1, 2, 1, 3, 1, 1, 2, 1])
    mixing, logits = Mixing(1.0), tf.constant(np.random.default_rng(1).normal(size=(8, 1)).astype(np.float32))
    call = tf.function(lambda: mixing(x, y, weight, tf.constant(5.0)), jit_compile=compiled)
    mixed, target = call()
    share = np.asarray(mixing.shares(8, 5.0))
    before = np.roll(np.arange(8), 1)
    np.testing.assert_allclose(mixed, share[:, None] * x + (1 - share[:, None]) * np.asarray(x)[before], atol=1e-6)
    p = 1 / (1 + np.exp(-np.asarray(logits)[:, 0]))
    w, truth = np.asarray(weight), np.asarray(y)
    nats = [-np.log(np.where(each == 1, p, 1 - p)) for each in (truth, truth[before])]
    expected = (share * w * nats[0] + (1 - share) * w[before] * nats[1]).sum()
    found = np.sum(np.asarray(mixed_loss(OBJECTIVE.loss)(target, logits)) * w)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_row_that_only_fills_the_batch_is_mixed_into_none_that_counts():
    """Rows of weight 0 are copies at the end of the last batch: they neither learn nor teach."""

    def total(filler):
        x, y, weight = batch(weight=[1, 1, 1, 1, 1, 1, 0, 0])
        y = tf.tensor_scatter_nd_update(y, [[6], [7]], [filler, filler])
        x = tf.tensor_scatter_nd_update(x, [[6], [7]], [[float(filler)] * 3] * 2)
        _, target = Mixing(1.0)(x, y, weight, 3.0)
        loss = mixed_loss(OBJECTIVE.loss)(target, tf.ones((8, 1))) * weight
        return np.asarray(loss)

    one, other = total(0), total(1)
    assert np.isfinite(one).all()
    np.testing.assert_allclose(one, other)
    assert (one[6:] == 0).all()


def test_words_by_number_are_refused():
    words, numbers = keras.Input((3,), dtype="int32"), keras.Input((3,))
    with pytest.raises(BadInput, match="mixup mixes numbers"):
        require_mixable([numbers, words])
    require_mixable([numbers, numbers])


@pytest.mark.parametrize("parts", [1, 3])
def test_an_update_learns_from_mixed_rows(parts):
    """The gradient of a linear core, by hand."""
    x, y, weight = batch(7)
    core = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    recipe = Recipe(optimiser="sgd", mixup=0.8, accumulate=parts, weight_decay=0.0)
    step = Supervised(core, OBJECTIVE.loss, recipe)
    sums = step(Batch(x, y, weight, tf.constant(7.0)), Clock(tf.constant(2.0), tf.constant(1.0)))
    share = np.asarray(Mixing(0.8).shares(7, 2.0))[:, None]
    before = np.roll(np.arange(7), 1)
    rows, truth = np.asarray(x), np.asarray(y)[:, None]
    mixed, soft = share * rows + (1 - share) * rows[before], share * truth + (1 - share) * truth[before]
    gradient = (mixed * (0.5 - soft)).mean(axis=0)
    np.testing.assert_allclose(core.get_weights()[0][:, 0], -gradient, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(sums["loss"], 7 * np.log(2), rtol=1e-5)
