"""The penalty on gaps: its value by hand, its gradient by central differences, one replica and two."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipelines.objectives.classification import Classification
from pipelines.task import Recipe
from pipelines.training.gap import GapPenalty, gap_between, of_class
from pipelines.training.step import Batch, Clock, Supervised

LOSS = of_class(Classification(classes=("no", "yes")).loss)
ROOT = Path(__file__).resolve().parents[2]


def rows(n=24, groups=3, seed=0):
    """Inputs, (class, group) pairs of which some have no group, and weights of which some are 0."""
    chance = np.random.default_rng(seed)
    y = np.column_stack([np.arange(n) % 2, chance.integers(-1, groups, n)]).astype(np.int32)
    weight = chance.uniform(0.2, 2, n) * (chance.random(n) < 0.8)
    return chance.normal(size=(n, 4)).astype(np.float32), y, weight.astype(np.float32)


def by_hand(y, logits, weight, groups, shift):
    """The mean squared difference of all pairs of groups, class by class, with loops."""
    probability, total = 1 / (1 + np.exp(-(logits - shift))), 0.0
    for label in (0, 1):
        means = []
        for group in range(groups):
            here = (y[:, 0] == label) & (y[:, 1] == group) & (weight > 0)
            if here.any():
                means.append(np.average(probability[here], weights=weight[here]))
        pairs = [(a - b) ** 2 for place, a in enumerate(means) for b in means[:place]]
        total += np.mean(pairs) if pairs else 0.0
    return total


@pytest.mark.parametrize("groups", [2, 3, 5])
def test_the_penalty_is_what_is_counted_by_hand(groups):
    _, y, weight = rows(40, groups)
    logits = np.random.default_rng(1).normal(size=40) * 2
    penalty = GapPenalty(groups)
    penalty.begin(3.0, -1.2)
    expected = by_hand(y, logits, weight, groups, -1.2)
    assert expected > 1e-3
    assert float(penalty(y, tf.constant(logits[:, None]), weight)) == pytest.approx(3 * expected, rel=1e-5)
    assert gap_between(y, logits, weight, groups, -1.2) == pytest.approx(expected, rel=1e-9)


def test_of_several_members_it_is_the_penalty_of_their_mean_probability():
    _, y, weight = rows(40, 3)
    outputs = np.random.default_rng(1).normal(size=(40, 5, 1)) * 2
    penalty = GapPenalty(3)
    penalty.begin(1.0, -1.2)
    probability = (1 / (1 + np.exp(-(outputs[:, :, 0] + 1.2)))).mean(axis=1)
    expected = by_hand(y, np.log(probability / (1 - probability)) - 1.2, weight, 3, -1.2)
    assert float(penalty(y, tf.constant(outputs), weight)) == pytest.approx(expected, rel=1e-5)


def test_nothing_to_compare_is_no_penalty():
    x, y, weight = rows(10, 2)
    penalty = GapPenalty(2)
    penalty.begin(5.0, 0.0)
    outputs = tf.constant(x[:, :1])
    for alone in (np.where(y[:, 1] == 1, -1, y[:, 1]), np.full(10, -1)):
        y[:, 1] = alone
        with tf.GradientTape() as tape:
            tape.watch(outputs)
            value = penalty(y, outputs, weight)
        assert float(value) == 0
        assert not np.any(tape.gradient(value, outputs))
        assert np.isnan(gap_between(y, x[:, 0], weight, 2, 0.0))


def network(seed=0):
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(5, activation="tanh")(inputs)
    return keras.Model(inputs, keras.layers.Dense(1)(hidden))


def step(core, strength, recipe=None):
    penalty = GapPenalty(3)
    penalty.begin(strength, -0.5)
    return Supervised(core, LOSS, recipe or Recipe(optimiser="sgd"), penalty)


def test_the_gradient_of_the_whole_objective_equals_central_differences():
    core, (x, y, weight) = network(), rows()
    recipe = Recipe(optimiser="sgd", l2=0.02)
    before = [np.array(each) for each in core.trainable_variables]
    step(core, 2.0, recipe)(Batch(x, y, weight, weight.sum()), Clock(tf.constant(0.0), tf.constant(1.0)))
    taken = [old - np.array(new) for old, new in zip(before, core.trainable_variables, strict=True)]

    def objective(values):
        (first, bias, second, last) = (each.astype(np.float64) for each in values)
        logits = (np.tanh(x @ first + bias) @ second + last)[:, 0]
        loss = weight @ (np.logaddexp(0, logits) - y[:, 0] * logits) / weight.sum()
        return (
            loss + 2.0 * by_hand(y, logits, weight, 3, -0.5) + 0.02 * sum((each**2).sum() for each in (first, second))
        )

    for place, gradient in enumerate(taken):
        for index in np.ndindex(gradient.shape):
            ends = []
            for sign in (1, -1):
                moved = [each.astype(np.float64) for each in before]
                moved[place][index] += sign * 1e-5
                ends.append(objective(moved))
            assert gradient[index] == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=3e-6)


def test_a_strength_of_zero_trains_as_without():
    x, y, weight = rows()
    found = []
    for beside in (False, True):
        core = network()
        update = step(core, 0.0) if beside else Supervised(core, LOSS, Recipe(optimiser="sgd"))
        update(Batch(x, y, weight, weight.sum()), Clock(tf.constant(0.0), tf.constant(0.5)))
        found.append(core.get_weights())
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


ON_REPLICAS = """
import os, sys
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import numpy as np
from pipelines.contenders.contender import unwatched
from pipelines.task import Recipe
from pipelines.training import strategy
from pipelines.training.feed import Rows
from pipelines.training.fit import fit
from pipelines.training.loop import Loop
from pipelines.training.plan import Plan
sys.path.insert(0, "tests/training")
import test_gap
if sys.argv[1] == "two":
    strategy.split_cpu(2)
with strategy.opened().scope():
    core = test_gap.network()
    step = test_gap.step(core, 4.0, Recipe(epochs=3, batch_size=11, learning_rate=0.05, optimiser="adam"))
    loop = Loop(step, core, step.loss, step.recipe, Plan(True, False))
    fit(loop, Rows(*test_gap.rows(37)), Rows(*test_gap.rows(15, seed=2)), 1, None, unwatched)
    assert strategy.replicas() == {"one": 1, "two": 2}[sys.argv[1]]
np.savez(sys.argv[2], *core.get_weights())
"""


def test_two_replicas_train_what_one_does(tmp_path):
    found = []
    for how in ("one", "two"):
        output = tmp_path / f"{how}.npz"
        done = subprocess.run(
            [sys.executable, "-c", ON_REPLICAS, how, output], cwd=ROOT, capture_output=True, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        found.append(np.load(output))
    for name in found[0].files:
        np.testing.assert_allclose(found[1][name], found[0][name], atol=1e-5)
