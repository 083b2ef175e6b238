"""Grades: their order, the loss of each, and what is decided."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipelines.errors import BadInput
from pipelines.evaluation import grades
from pipelines.explanation.answer import answer_of
from pipelines.objectives import stored
from pipelines.objectives.members import Members
from pipelines.objectives.objective import Predictions
from pipelines.objectives.ordinal import Ordinal, cut_by, with_cuts_of

WORDS = ("none", "mild", "severe")
TASK = Ordinal(orders=(("0", "1", "2", "3", "4"), WORDS), refer_from=2)
FIVE = TASK.resolve(np.repeat([0, 1, 2, 3, 4], 4))
OUTPUTS = np.array([[2.0, -1.0, 0.5, 3.0], [-3.0, 0.0, 0.0, -2.0], [0.1, 2.0, -4.0, 1.0]], np.float32)


def above(outputs):
    """Chances of being above each grade, by hand."""
    steps = np.log1p(np.exp(outputs[:, 1:]))
    logits = np.cumsum(np.hstack([outputs[:, :1], -steps]), axis=1)
    return 1 / (1 + np.exp(-logits))


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([0, 2, 4] * 4, ("0", "1", "2", "3", "4")),  # grades that nobody has are grades all the same
        (["3", "0", "1"] * 4, ("0", "1", "2", "3", "4")),
        (["Severe", "None", "Mild"] * 4, ("None", "Mild", "Severe")),
        (["Severe", "None", "None", "mild"] * 4, ("None", "mild", "Severe")),
    ],
)
def test_grades_are_put_in_their_order(labels, classes):
    assert TASK.resolve(np.array(labels)).classes == classes


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([10, 9, 7] * 4, ("7", "8", "9", "10")),  # by number, not by letter
        (["100", "9", "20"] * 4, ("9", "20", "100")),
        ([0.5, 2.5, 1.5] * 4, ("0.5", "1.5", "2.5")),
    ],
)
def test_numbers_are_grades_where_no_others_are_declared(labels, classes):
    assert Ordinal(orders=(WORDS,)).resolve(np.array(labels)).classes == classes


@pytest.mark.parametrize(
    ("labels", "strange"), [([1, 2, 3, 4, 5], "5"), ([-1, 0, 1, 2], "-1"), ([0.0, 1.5, 3.0], "1.5")]
)
def test_numbers_that_are_none_of_the_declared_grades_are_refused(labels, strange):
    """Grades that begin at 1 would refer others than those from 2 on, and -1 mostly says that there is no grade."""
    with pytest.raises(BadInput, match=f"label {strange} is not one of the grades 0, 1, 2, 3, 4; recode"):
        TASK.resolve(np.array(labels * 4))


def test_labels_without_an_order_are_refused():
    with pytest.raises(BadInput, match=r"\(a, b, c\) have no order.*0 < 1 < 2 < 3 < 4; or as none < mild < severe"):
        TASK.resolve(np.array(["a", "b", "c"] * 4))
    with pytest.raises(BadInput, match="one class only"):
        TASK.resolve(np.array(["1"] * 4))
    with pytest.raises(BadInput, match="needs two classes"):
        TASK.resolve(np.array([0, 1, 2] * 4), positive="2")
    with pytest.raises(BadInput, match="a number or an identifier"):
        Ordinal(orders=(WORDS,)).resolve(np.arange(30))


def test_two_grades_are_two_classes_and_the_higher_is_positive():
    found = TASK.resolve(np.array(["0"] + ["3"] * 5))
    assert (found.classes, found.ordered, found.primary, found.outputs) == (("0", "3"), False, "auroc", 1)
    assert TASK.resolve(np.array(["severe", "none"] * 3)).classes == ("none", "severe")
    assert found.predict(np.array([[0.7]])).decisions is None
    binary = found.loss(tf.constant([1, 0]), tf.constant([[2.0], [1.0]]))
    np.testing.assert_allclose(binary, np.log1p(np.exp([-2.0, 1.0])), rtol=1e-6)


def test_fewer_grades_than_the_border_of_referral():
    assert TASK.resolve(np.array(["none", "mild", "severe"] * 3)).refer_from == 2
    assert Ordinal(refer_from=4).resolve(np.array([1, 2, 3] * 3)).refer_from == 2


def test_the_loss_is_the_sum_of_the_questions():
    target, chance = np.array([0, 2, 4]), above(OUTPUTS)
    truth = target[:, np.newaxis] > np.arange(4)
    expected = -np.where(truth, np.log(chance), np.log(1 - chance)).sum(axis=1)
    np.testing.assert_allclose(FIVE.loss(tf.constant(target), tf.constant(OUTPUTS)), expected, rtol=1e-4)


def test_smoothed_labels_are_spread_over_all_grades():
    target, chance, smooth = np.array([0, 2, 4]), above(OUTPUTS), 0.3
    shares = np.eye(5)[target] * (1 - smooth) + smooth / 5
    truth = 1 - np.cumsum(shares, axis=1)[:, :-1]
    expected = -(truth * np.log(chance) + (1 - truth) * np.log(1 - chance)).sum(axis=1)
    smoothed = Ordinal(classes=FIVE.classes, label_smoothing=smooth)
    np.testing.assert_allclose(smoothed.loss(tf.constant(target), tf.constant(OUTPUTS)), expected, rtol=1e-4)


def test_focal_loss_counts_questions_less_that_are_answered_well():
    target, chance = np.array([0, 2, 4]), above(OUTPUTS)
    right = np.where(target[:, np.newaxis] > np.arange(4), chance, 1 - chance)
    focused = Ordinal(classes=FIVE.classes, focal=2.0)
    expected = -((1 - right) ** 2 * np.log(right)).sum(axis=1)
    np.testing.assert_allclose(focused.loss(tf.constant(target), tf.constant(OUTPUTS)), expected, rtol=1e-4)


def test_what_a_network_says_are_probabilities_whatever_its_outputs():
    inputs = keras.Input((4,))
    served = keras.Model(inputs, FIVE.activate(inputs))
    wild = np.random.default_rng(0).normal(0, 20, (200, 4)).astype(np.float32)
    found = FIVE.predict(served.predict(wild, verbose=0)).values
    assert found.shape == (200, 5)
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(
        FIVE.predict(served.predict(OUTPUTS, verbose=0)).values[:, 1:].sum(axis=1), above(OUTPUTS)[:, 0], rtol=1e-5
    )


def test_a_classical_models_probabilities_are_taken_as_they_are():
    values = np.array([[0.1, 0.1, 0.6, 0.1, 0.1]])
    found = FIVE.predict(values)
    assert found.values.tolist() == values.tolist()
    assert found.labels().tolist() == [2]


def test_without_an_order_the_loss_is_cross_entropy_of_all_grades():
    plain = Ordinal(classes=FIVE.classes, learn_by="cross_entropy")
    logits = np.random.default_rng(1).normal(size=(3, 5)).astype(np.float32)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert plain.outputs == 5
    assert FIVE.outputs == 4
    expected = -np.log(shares[np.arange(3), [0, 2, 4]])
    np.testing.assert_allclose(plain.loss(tf.constant([0, 2, 4]), tf.constant(logits)), expected, rtol=1e-5)
    np.testing.assert_allclose(plain.expected(tf.constant(logits)), shares @ np.arange(5), rtol=1e-5)


def test_the_mean_grade_is_cut_where_validation_rows_say():
    target = np.repeat([0, 1, 2, 3, 4], 10)
    shrunk = 0.6 * target + 0.3
    probabilities = np.zeros((50, 5))
    low = np.floor(shrunk).astype(int)
    probabilities[np.arange(50), low], probabilities[np.arange(50), low + 1] = 1 - (shrunk - low), shrunk - low
    assert FIVE.scores(target, FIVE.predict(probabilities))["quadratic_kappa"] < 0.95
    cut = cut_by(FIVE, target, probabilities, None)
    assert (cut.predict(probabilities).labels() == target).all()
    assert cut.scores(target, Predictions(probabilities))["accuracy"] == 1
    assert with_cuts_of(Members(FIVE, 3), cut).cuts == cut.cuts
    two = TASK.resolve(np.array(["0", "3"] * 4))
    assert cut_by(two, target, probabilities, None) is two


def test_a_row_of_weight_two_moves_the_cuts_as_two_rows():
    chance = np.random.default_rng(0)
    target, probabilities = chance.integers(0, 5, 60), chance.dirichlet(np.ones(5), 60)
    weight = chance.integers(0, 3, 60)
    twice = cut_by(FIVE, target.repeat(weight), probabilities.repeat(weight, axis=0), None)
    assert cut_by(FIVE, target, probabilities, weight.astype(float)).cuts == twice.cuts
    assert cut_by(FIVE, target, probabilities, None).cuts != twice.cuts


def test_cuts_are_read_again_with_a_saved_model():
    cut = Ordinal(classes=("0", "1", "2"), cuts=(0.25, 1.5), refer_from=1)
    assert stored.from_dict(stored.to_dict(cut)) == cut
    assert stored.from_dict(stored.to_dict(cut)).kind == "classification"


def test_an_explanation_is_of_the_mean_grade():
    answer = answer_of(FIVE)
    outputs = tf.constant(OUTPUTS)
    np.testing.assert_allclose(answer.of(outputs, answer.choose(outputs)), above(OUTPUTS).sum(axis=1), rtol=1e-5)
    members = tf.stack([outputs, 2 * outputs], axis=1)
    both = (above(OUTPUTS).sum(axis=1) + above(2 * OUTPUTS).sum(axis=1)) / 2
    np.testing.assert_allclose(answer.of(members, answer.choose(members)), both, rtol=1e-4)


def test_most_probable_is_not_what_is_decided():
    """Of a row that is either healthy or very ill, the grade between costs least."""
    found = FIVE.predict(np.array([[0.5, 0.0, 0.1, 0.0, 0.4]]))
    assert found.values.argmax() == 0
    assert found.labels().tolist() == [2]
    assert grades.expected_grade(found.values)[0] == pytest.approx(1.8)
