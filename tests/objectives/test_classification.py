"""Classification: which label is which class, which one is positive, and the cross-entropy."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit, log_softmax, softmax
from sklearn.metrics import log_loss

from pipelines.errors import BadInput
from pipelines.objectives.classification import Classification
from pipelines.objectives.objective import Predictions


def resolved(*labels, positive=None, dtype=None, objective=None):
    return (objective or Classification()).resolve(np.array(labels, dtype=dtype), positive)


@pytest.mark.parametrize("target", [np.array([0, 1, 1, 1]), np.array([0.0, 1, 1, 1]), np.array(["0", "1", "1", "1"])])
def test_one_is_one_however_it_is_written(target):
    objective = Classification().resolve(target)
    assert objective.classes == ("0", "1")
    for other in (np.array([1, 0]), np.array([1.0, 0.0]), np.array(["1", "0"]), np.array(["1", "0"], dtype=object)):
        assert objective.encode(other).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("labels", "positive"),
    [
        (["no", "yes", "yes", "yes"], "yes"),  # a word that says so, although it is the commoner
        (["good", "good", "bad"], "bad"),
        (["Malignant", "Malignant", "benign"], "Malignant"),  # whatever its case
        (["cat", "cat", "dog"], "dog"),  # no such word: the rarer
        (["yes", "yes", "true"], "true"),  # two such words: the rarer
        ([True, True, False], "True"),
    ],
)
def test_which_label_is_positive(labels, positive):
    objective = resolved(*labels)
    assert objective.classes[1] == positive
    assert objective.binary
    assert objective.outputs == 1
    assert objective.primary == "auroc"


def test_the_user_and_then_the_task_decide():
    assert resolved("no", "yes", "yes", positive="no").classes == ("yes", "no")
    task = Classification(positive="cat")
    assert resolved("cat", "cat", "dog", objective=task).classes == ("dog", "cat")
    assert resolved("cat", "cat", "dog", positive="dog", objective=task).classes == ("cat", "dog")


def test_more_classes_are_in_order():
    objective = resolved("c", "a", "b", "a", "c", "b")
    assert objective.classes == ("a", "b", "c")
    assert (objective.binary, objective.outputs, objective.primary) == (False, 3, "accuracy")
    assert objective.encode(np.array(["b", "c", "a"])).tolist() == [1, 2, 0]
    assert objective.encode(np.array([], dtype=str)).tolist() == []


@pytest.mark.parametrize(
    ("labels", "positive", "message"),
    [
        (["a", "a"], None, r"one class only \(a\)"),
        ([], None, "no row"),
        (["a", "b"], "c", "'c' is not in the target; its classes are a, b"),
        (["a", "b", "c", "a", "b", "c"], "a", "needs two classes, but the target has 3"),
        (list(range(300)), None, "300 distinct values in 300 rows"),
        ([0.5 * each for each in range(40)], None, "a number or an identifier"),
        ([0.0, np.nan, 1.0], None, "missing"),
        (["a", None, "b"], None, "missing"),
        ([1.0, float("inf")], None, "missing"),
    ],
)
def test_targets_that_cannot_be_classified(labels, positive, message):
    target = np.array(labels, dtype=object if None in labels else None)
    with pytest.raises(BadInput, match=message):
        Classification().resolve(target, positive)


def test_an_unseen_label_is_named():
    with pytest.raises(BadInput, match="'maybe' was not seen before; the classes are no, yes"):
        Classification(classes=("no", "yes")).encode(np.array(["no", "maybe"]))


LOGITS = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32) * 3
TRUTH = np.random.default_rng(1).integers(0, 3, 20).astype(np.int32)


def test_binary_loss_is_the_log_loss_of_the_activated_outputs():
    objective, truth = Classification(classes=("no", "yes")), (TRUTH > 0).astype(np.int32)
    loss = objective.loss(truth, tf.constant(LOGITS[:, :1])).numpy()
    assert loss.shape == (20,)
    probability = np.asarray(objective.activate(tf.constant(LOGITS[:, :1])))
    np.testing.assert_allclose(probability, expit(LOGITS[:, :1]), rtol=1e-5)
    values = objective.predict(probability).values
    assert loss.mean() == pytest.approx(log_loss(truth, values), rel=1e-5)
    np.testing.assert_allclose(values.sum(axis=1), 1, rtol=1e-6)


def test_multiclass_loss_is_the_log_loss_of_the_activated_outputs():
    objective = Classification(classes=("a", "b", "c"))
    loss = objective.loss(TRUTH, tf.constant(LOGITS)).numpy()
    probability = np.asarray(objective.activate(tf.constant(LOGITS)))
    np.testing.assert_allclose(probability, softmax(LOGITS, axis=1), rtol=1e-5)
    assert loss.mean() == pytest.approx(log_loss(TRUTH, objective.predict(probability).values), rel=1e-4)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_label_smoothing_spreads_a_share_over_all_classes(smoothing):
    objective = Classification(classes=("a", "b", "c"), label_smoothing=smoothing)
    truth = np.eye(3)[TRUTH] * (1 - smoothing) + smoothing / 3
    expected = -(truth * log_softmax(LOGITS, axis=1)).sum(axis=1)
    np.testing.assert_allclose(objective.loss(TRUTH, tf.constant(LOGITS)), expected, rtol=1e-4)
    binary, yes = Classification(classes=("no", "yes"), label_smoothing=smoothing), (TRUTH > 0).astype(np.int32)
    share, outputs = yes * (1 - smoothing) + smoothing / 2, LOGITS[:, 0].astype(np.float64)
    expected = -(share * np.log(expit(outputs)) + (1 - share) * np.log(expit(-outputs)))
    np.testing.assert_allclose(binary.loss(yes, tf.constant(LOGITS[:, :1])), expected, rtol=1e-4)


@pytest.mark.parametrize("focal", [0.5, 2.0])
def test_focal_loss_counts_rows_less_that_are_decided_well(focal):
    objective = Classification(classes=("a", "b", "c"), focal=focal)
    right = softmax(LOGITS, axis=1)[np.arange(len(TRUTH)), TRUTH]
    np.testing.assert_allclose(
        objective.loss(TRUTH, tf.constant(LOGITS)), -((1 - right) ** focal) * np.log(right), rtol=1e-4
    )
    binary, yes = Classification(classes=("no", "yes"), focal=focal), (TRUTH > 0).astype(np.int32)
    right = expit(np.where(yes, 1, -1) * LOGITS[:, 0].astype(np.float64))
    np.testing.assert_allclose(
        binary.loss(yes, tf.constant(LOGITS[:, :1])), -((1 - right) ** focal) * np.log(right), rtol=1e-4
    )


@pytest.mark.parametrize("focal", [0.0, 0.5, 2.0])
def test_loss_has_finite_slopes_at_extreme_outputs(focal):
    objective, outputs = Classification(classes=("no", "yes"), focal=focal), tf.constant([[1e4], [1e4], [-1e4], [0.0]])
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        loss = objective.loss(np.array([0, 1, 0, 1]), outputs)
    assert np.isfinite(loss).all()
    assert np.isfinite(tape.gradient(loss, outputs)).all()


def test_loss_stays_finite_at_extreme_outputs():
    objective = Classification(classes=("no", "yes"))
    np.testing.assert_allclose(objective.loss(np.array([0, 1]), tf.constant([[1e4], [1e4]])), [1e4, 0])


def test_scores_and_decisions():
    objective = Classification(classes=("no", "yes"))
    predictions = objective.predict(np.array([[0.2], [0.6], [0.4]]))
    assert predictions.labels().tolist() == [0, 1, 0]
    assert predictions.decide(0.4).labels().tolist() == [0, 1, 1]
    assert predictions.decide(0.4).take(np.array([2])).labels().tolist() == [1]
    assert objective.scores(np.array([0, 1, 1]), predictions)["accuracy"] == pytest.approx(2 / 3)
    assert objective.scores(np.array([0, 1, 1]), predictions.decide(0.4))["accuracy"] == 1
    assert objective.scores(np.array([0, 1, 1]), predictions)["auroc"] == 1
    assert objective.greater_is_better("auroc")
    assert not objective.greater_is_better("log_loss")
    with pytest.raises(BadInput, match="2 decisions for 3 predictions"):
        Predictions(predictions.values, np.array([0, 1]))


@pytest.mark.parametrize(
    ("labels", "positive"),
    [(["1"] * 7 + ["2"] * 3, "2"), (["1"] * 3 + ["2"] * 7, "1"), (["0"] * 3 + ["1"] * 7, "1"), (["-1", "1", "1"], "1")],
)
def test_one_is_positive_against_zero_only(labels, positive):
    """Against 2 either may be the good one, so the rarer counts, and a note says which."""
    assert Classification().resolve(np.array(labels * 4, dtype=object)).classes[1] == positive
