"""The objective of errors: its loss is the error, its answer rises with it, and it is kept beside a saved model."""

import keras
import numpy as np
import pytest

from pipelines.errors import BadInput
from pipelines.objectives import stored
from pipelines.objectives.classification import Classification
from pipelines.objectives.errors import EXCEEDING, RowErrors, of_core, reference_of
from pipelines.objectives.members import Members

TWO = Classification(classes=("normal", "odd"), primary_of_two="average_precision")


def test_the_loss_is_the_error_whatever_the_class():
    errors = np.array([[0.5], [2.0], [0.0]], np.float32)
    for target in (np.zeros(3, np.int32), np.ones(3, np.int32)):
        np.testing.assert_array_equal(RowErrors(TWO).loss(target, errors), [0.5, 2.0, 0.0])


def test_the_answer_is_half_at_the_reference_and_keeps_far_errors_apart():
    errors = np.array([[0.0], [0.3], [0.9], [1e6], [1.0001e6], [1e9]], np.float32)
    objective = RowErrors(TWO, 0.3)
    values = objective.predict(np.asarray(objective.activate(errors))).values
    exact = errors.astype(np.float64)
    np.testing.assert_allclose(values[:, 1], (exact / (exact + 0.3))[:, 0], rtol=1e-7)
    assert (np.diff(values[:, 1]) > 0).all()
    np.testing.assert_allclose(values.sum(axis=1), 1)


def test_one_row_in_a_hundred_exceeds_the_reference():
    errors = np.random.default_rng(0).exponential(size=5000)
    assert (errors > reference_of(errors)).mean() == pytest.approx(EXCEEDING, abs=1e-3)
    assert reference_of(np.zeros(5)) > 0


def test_it_is_of_the_classification_in_all_else():
    objective = RowErrors(TWO)
    assert (objective.kind, objective.primary, objective.binary) == ("classification", "average_precision", True)
    assert objective.encode(np.array(["odd", "normal"], object)).tolist() == [1, 0]


def test_a_core_learns_by_errors_or_by_labels():
    assert of_core(TWO, "normal", 1) == RowErrors(TWO)
    assert of_core(TWO, "labels", 1) is TWO
    assert of_core(TWO, "labels", 4) == Members(TWO, 4)


def test_it_is_stored_and_read_again():
    objective = RowErrors(TWO, 0.25)
    assert stored.from_dict(stored.to_dict(objective)) == objective
    for wrong in ({"reference": 0.0}, {"reference": "x"}, {"each": None}, {"reference": float("inf")}):
        with pytest.raises(BadInput, match="a saved model of errors"):
            stored.from_dict(stored.to_dict(objective) | wrong)


def test_a_model_of_errors_is_made_of_keras_own_layers():
    inputs = keras.Input((1,))
    model = keras.Model(inputs, RowErrors(TWO, 2.0).activate(inputs))
    again = keras.Model.from_config(model.get_config())
    np.testing.assert_allclose(np.asarray(again(np.array([[2.0], [6.0]])))[:, 0], [0.5, 0.75])


@pytest.mark.parametrize(("classes", "primary"), [(("a", "b"), "average_precision"), (("a", "b", "c"), "accuracy")])
def test_the_average_precision_decides_between_two_classes(classes, primary):
    assert Classification(classes=classes, primary_of_two="average_precision").primary == primary
