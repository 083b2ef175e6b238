"""Regression: the target's scale comes from training rows; losses in deviations, predictions in its unit."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import huber

from pipelines.errors import BadInput
from pipelines.objectives.regression import Regression

TARGET = np.array([100.0, 130, 90, 200, 180])


def test_scale_is_that_of_the_rows_given():
    objective = Regression().resolve(TARGET)
    assert (objective.location, objective.scale) == (0, 1)  # resolving sees all rows, so it must not look
    fitted = objective.fitted(TARGET[:3])
    assert fitted.location == pytest.approx(TARGET[:3].mean())
    assert fitted.scale == pytest.approx(TARGET[:3].std())
    np.testing.assert_allclose(fitted.learnable(TARGET[:3]).mean(), 0, atol=1e-6)
    np.testing.assert_allclose(fitted.learnable(TARGET[:3]).std(), 1, rtol=1e-6)


def test_equal_training_rows_have_scale_1():
    assert Regression().fitted(np.full(1000, 0.1)).scale == 1.0


def test_activated_outputs_are_in_the_targets_unit():
    objective = Regression().fitted(TARGET)
    outputs = objective.learnable(TARGET)[:, None]
    values = objective.predict(np.asarray(objective.activate(tf.constant(outputs)))).values
    np.testing.assert_allclose(values, TARGET, rtol=1e-5)
    np.testing.assert_allclose(objective.loss(objective.learnable(TARGET), tf.constant(outputs)), 0, atol=1e-10)


def test_losses():
    outputs, truth = np.linspace(-3, 3, 13, dtype=np.float32), np.full(13, 0.4, np.float32)
    squared = Regression().loss(truth, tf.constant(outputs[:, None]))
    np.testing.assert_allclose(squared, (outputs - truth) ** 2, rtol=1e-5)
    for delta in (0.5, 1.0, 2.0):
        found = Regression(error="huber", delta=delta).loss(truth, tf.constant(outputs[:, None]))
        np.testing.assert_allclose(found, huber(delta, outputs - truth), rtol=1e-5)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (np.array([1.0, np.nan]), "missing or infinite"),
        (np.array([1.0, np.inf]), "missing or infinite"),
        (np.array([3.0, 3.0]), "same number in every row"),
        (np.array([]), "same number in every row"),
        (np.array(["much", "little"]), "holds words"),
        (np.array([1.0, None], dtype=object), "missing or infinite|holds words"),
    ],
)
def test_targets_that_cannot_be_predicted(target, message):
    with pytest.raises(BadInput, match=message):
        Regression().resolve(target)


def test_a_positive_class_makes_no_sense():
    with pytest.raises(BadInput, match="--positive bad names a class"):
        Regression().resolve(TARGET, "bad")


def test_numbers_as_text_are_numbers():
    np.testing.assert_array_equal(Regression().encode(np.array(["1", "2.5"])), [1, 2.5])


def test_scores():
    scores = Regression().scores(TARGET, Regression().predict(TARGET[:, None] + 10))
    assert scores["rmse"] == pytest.approx(10)
    assert scores["mae"] == pytest.approx(10)
    assert not Regression().greater_is_better("rmse")
    assert Regression().greater_is_better("r2")
