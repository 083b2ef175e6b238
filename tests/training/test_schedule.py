"""The learning rate of each step against NumPy, and what a plateau does to it."""

import math

import numpy as np
import pytest
import tensorflow as tf

from pipelines.task import Recipe
from pipelines.training.schedule import FLOOR, Plateau, rate_at


def by_hand(step, total, recipe):
    warm = max(1, round(recipe.warmup * total))
    done = (step - warm) / max(1, total - warm)
    edges = [k * recipe.drop_every * total for k in range(1, math.ceil(1 / recipe.drop_every))]
    shares = {
        "constant": 1.0,
        "plateau": 1.0,
        "cosine": FLOOR + (1 - FLOOR) * (1 + math.cos(math.pi * done)) / 2,
        "exponential": FLOOR**done,
        "step": recipe.drop_factor ** sum(step + 0.5 >= edge for edge in edges),
    }
    share = 1.0 if step < warm and recipe.schedule != "step" else shares[recipe.schedule]
    return recipe.learning_rate * min(share, (step + 1) / warm)


def rates(recipe, total, steps=None):
    every = rate_at(tf.range(steps or total, dtype=tf.float32), tf.constant(float(total)), recipe)
    return [float(rate) for rate in tf.broadcast_to(every, [steps or total])]


@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("schedule", ["constant", "cosine", "exponential", "step", "plateau"])
@pytest.mark.parametrize("total", [1, 7, 200])
def test_rate_of_every_step(schedule, warmup, total):
    recipe = Recipe(schedule=schedule, warmup=warmup, learning_rate=0.2, drop_every=0.25, drop_factor=0.5)
    np.testing.assert_allclose(rates(recipe, total), [by_hand(step, total, recipe) for step in range(total)], rtol=1e-4)


def test_the_rate_rises_to_the_peak_and_falls_to_the_floor():
    found = rates(Recipe(schedule="cosine", warmup=0.1, learning_rate=1.0), 100, 101)
    assert found[0] == pytest.approx(0.1)
    assert max(found) == pytest.approx(1.0)
    assert np.argmax(found) in (9, 10)
    assert found[100] == pytest.approx(FLOOR)
    assert found[10:] == sorted(found[10:], reverse=True)


@pytest.mark.parametrize("total", [10, 100, 1000, 7330])
def test_steps_drop_at_their_share_whatever_is_rounded(total):
    found = rates(Recipe(schedule="step", warmup=0.0, learning_rate=1.0), total)
    falls = [step for step in range(1, total) if found[step] < found[step - 1]]
    assert falls == [round(share * total) for share in (0.3, 0.6, 0.9)]
    np.testing.assert_allclose(found[-1], 1e-3, rtol=1e-4)


def after(plateau, *merits):
    scales = []
    for merit in merits:
        plateau.saw(merit)
        scales.append(plateau.scale)
    return scales


def test_a_plateau_drops_after_its_patience_and_waits_again():
    plateau = Plateau(factor=0.5, patience=2)
    assert after(plateau, 1.0, 2.0, 2.0, 1.9, 2.1) == [1.0, 1.0, 1.0, 0.5, 0.5]
    assert after(plateau, math.nan, 2.1, 2.0, 2.0) == [0.5, 0.25, 0.25, 0.125]


def test_a_plateau_stops_at_the_floor():
    assert after(Plateau(factor=0.1, patience=1), *[0.0] * 5) == [1.0, 0.1, *[pytest.approx(FLOOR)] * 3]


def test_a_plateau_goes_on_from_a_checkpoint():
    merits = [1.0, 0.5, 0.2, 0.1, 3.0, 1.0, 1.0, 1.0, 1.0]
    whole, first, second = (Plateau(factor=0.5, patience=2) for _ in range(3))
    expected = after(whole, *merits)
    begun = after(first, *merits[:4])
    second.restore(first.state())
    assert begun + after(second, *merits[4:]) == expected
    assert second == whole


def test_only_the_schedule_of_that_name_has_a_plateau():
    recipe = Recipe(schedule="plateau", drop_factor=0.3, drop_patience=4)
    assert Plateau.of(recipe) == Plateau(factor=0.3, patience=4)
    assert Plateau.of(Recipe()) is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"drop_every": 1.0}, r"recipe.drop_every must be in \(0, 1\)"),
        ({"drop_factor": 0.0}, r"recipe.drop_factor must be in \(0, 1\)"),
        ({"schedule": "plateau", "drop_patience": 10, "patience": 10}, "training stops before"),
        ({"optimiser": "adam", "weight_decay": 0.1}, "take adamw"),
        ({"clip_norm": 1.0, "clip_adaptive": 0.1}, "only one of recipe.clip_norm and recipe.clip_adaptive"),
        ({"accumulate": 65}, "must not exceed recipe.batch_size"),
        ({"accumulate": 0}, "at least 1"),
        ({"average": 1.0}, r"recipe.average must be in \[0, 1\)"),
        ({"label_smoothing": -0.1}, r"recipe.label_smoothing must be in \[0, 1\)"),
        ({"clip_value": -1.0}, "must not be negative"),
    ],
)
def test_settings_that_cannot_work_together_are_refused(settings, message):
    with pytest.raises(ValueError, match=message) as caught:
        Recipe(**settings)
    assert "\n" not in str(caught.value)
