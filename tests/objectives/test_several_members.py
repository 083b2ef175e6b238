"""Several members: each has its own loss, and the mean of what they say is the answer."""

import keras
import numpy as np
import pytest

from pipelines.objectives.classification import Classification
from pipelines.objectives.members import Members, of_members
from pipelines.objectives.regression import Regression

CASES = [
    (Classification(classes=("no", "yes"), label_smoothing=0.1), np.array([0, 1, 1, 0, 1])),
    (Classification(classes=("a", "b", "c")), np.array([0, 2, 1, 1, 2])),
    (Regression(location=5.0, scale=2.0), np.array([1.0, 3.0, 5.0, 9.0, 4.0])),
]


@pytest.mark.parametrize(("objective", "target"), CASES)
def test_losses_and_answers_are_means_over_members(objective, target):
    outputs = np.random.default_rng(0).normal(size=(5, 3, objective.outputs)).astype(np.float32)
    several, learnable = of_members(objective, 3), objective.learnable(target)
    each = [np.asarray(objective.loss(learnable, keras.ops.convert_to_tensor(outputs[:, one]))) for one in range(3)]
    found = np.asarray(several.loss(learnable, keras.ops.convert_to_tensor(outputs)))
    np.testing.assert_allclose(found, np.mean(each, axis=0), rtol=1e-5)
    answers = [np.asarray(objective.activate(outputs[:, one])) for one in range(3)]
    mean = np.asarray(several.activate(outputs))
    np.testing.assert_allclose(mean, np.mean(answers, axis=0), rtol=1e-5)
    np.testing.assert_array_equal(several.predict(mean).values, objective.predict(mean).values)


def test_all_else_is_the_objectives_own():
    objective = CASES[0][0]
    several = of_members(objective, 4)
    assert (several.kind, several.primary, several.outputs, several.binary) == ("classification", "auroc", 1, True)
    assert of_members(objective, 1) is objective
    assert several == Members(objective, 4)
    with pytest.raises(AttributeError):
        several.colour  # noqa: B018
