"""The learning rate of each step against NumPy."""

import math

import numpy as np
import pytest
import tensorflow as tf

from pipelines.task import Recipe
from pipelines.training.schedule import FLOOR, rate_at


def by_hand(step, total, recipe):
    warm = max(1, round(recipe.warmup * total))
    if step < warm:
        return recipe.learning_rate * (step + 1) / warm
    done = (step - warm) / max(1, total - warm)
    shares = {
        "constant": 1.0,
        "cosine": FLOOR + (1 - FLOOR) * (1 + math.cos(math.pi * done)) / 2,
        "exponential": FLOOR**done,
    }
    return recipe.learning_rate * shares[recipe.schedule]


@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("schedule", ["constant", "cosine", "exponential"])
@pytest.mark.parametrize("total", [1, 7, 200])
def test_rate_of_every_step(schedule, warmup, total):
    recipe = Recipe(schedule=schedule, warmup=warmup, learning_rate=0.2)
    found = [float(rate_at(tf.constant(float(step)), tf.constant(float(total)), recipe)) for step in range(total)]
    np.testing.assert_allclose(found, [by_hand(step, total, recipe) for step in range(total)], rtol=1e-4)


def test_the_rate_rises_to_the_peak_and_falls_to_the_floor():
    recipe = Recipe(schedule="cosine", warmup=0.1, learning_rate=1.0)
    rates = [float(rate_at(tf.constant(float(step)), tf.constant(100.0), recipe)) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == pytest.approx(1.0)
    assert np.argmax(rates) in (9, 10)
    assert rates[100] == pytest.approx(FLOOR)
    assert rates[10:] == sorted(rates[10:], reverse=True)
