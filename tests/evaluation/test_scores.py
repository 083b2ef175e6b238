"""Scores equal scikit-learn's where both are defined, and are NaN where they are not."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from pipelines.evaluation import delong, grades, portfolio, scores

LEVELS = st.sampled_from([0.0, 0.1, 0.25, 0.25, 0.5, 0.5, 0.75, 0.9, 1.0])  # few levels, so that ties are the rule
WEIGHTS = st.sampled_from([0.0, 0.5, 1.0, 1.0, 2.0, 3.25])


@st.composite
def binary_rows(draw):
    n = draw(st.integers(2, 40))
    target = np.array(draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    probability = np.array(draw(st.lists(LEVELS, min_size=n, max_size=n)))
    weight = draw(st.one_of(st.none(), st.lists(WEIGHTS, min_size=n, max_size=n).map(np.array)))
    return target, probability, weight


@st.composite
def ternary_rows(draw):
    n = draw(st.integers(2, 40))
    target = np.array(draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)))
    raw = np.array(draw(st.lists(st.tuples(LEVELS, LEVELS, LEVELS), min_size=n, max_size=n))) + 0.05
    weight = draw(st.one_of(st.none(), st.lists(WEIGHTS, min_size=n, max_size=n).map(np.array)))
    return target, raw / raw.sum(axis=1, keepdims=True), weight


def present(target, weight):
    return set(target if weight is None else target[weight > 0])


@settings(max_examples=200, deadline=None)
@given(binary_rows())
def test_binary_scores_equal_scikit_learn(rows):
    target, probability, weight = rows
    labels = (probability >= 0.5).astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours = scores.binary_scores(target, probability, labels, weight)
    classes = present(target, weight)
    if not classes:
        assert all(np.isnan(value) for value in ours.values())
        return
    kept = np.ones(len(target), bool) if weight is None else weight > 0
    target, probability, labels = target[kept], probability[kept], labels[kept]
    given_weight = {"sample_weight": None if weight is None else weight[kept]}
    assert ours["accuracy"] == pytest.approx(metrics.accuracy_score(target, labels, **given_weight))
    assert ours["brier"] == pytest.approx(metrics.brier_score_loss(target, probability, pos_label=1, **given_weight))
    assert ours["log_loss"] == pytest.approx(metrics.log_loss(target, probability, labels=[0, 1], **given_weight))
    if 1 in classes:
        assert ours["f1"] == pytest.approx(metrics.f1_score(target, labels, zero_division=0, **given_weight))
    else:
        assert np.isnan(ours["f1"])
    if classes == {0, 1}:
        assert ours["auroc"] == pytest.approx(metrics.roc_auc_score(target, probability, **given_weight))
        expected = metrics.average_precision_score(target, probability, **given_weight)
        assert ours["average_precision"] == pytest.approx(expected)
        expected = metrics.balanced_accuracy_score(target, labels, **given_weight)
        assert ours["balanced_accuracy"] == pytest.approx(expected)
    else:
        assert all(np.isnan(ours[name]) for name in ("auroc", "average_precision", "balanced_accuracy"))


@settings(max_examples=150, deadline=None)
@given(ternary_rows())
def test_multiclass_scores_equal_scikit_learn(rows):
    target, probabilities, weight = rows
    labels = probabilities.argmax(axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours = scores.multiclass_scores(target, probabilities, labels, weight)
    classes = present(target, weight)
    if not classes:
        assert all(np.isnan(value) for value in ours.values())
        return
    kept = np.ones(len(target), bool) if weight is None else weight > 0
    target, probabilities, labels = target[kept], probabilities[kept], labels[kept]
    given_weight = {"sample_weight": None if weight is None else weight[kept]}
    assert ours["accuracy"] == pytest.approx(metrics.accuracy_score(target, labels, **given_weight))
    expected = metrics.log_loss(target, probabilities, labels=[0, 1, 2], **given_weight)
    assert ours["log_loss"] == pytest.approx(expected)
    expected = metrics.brier_score_loss(target, probabilities, labels=[0, 1, 2], **given_weight)
    assert ours["brier"] == pytest.approx(expected)
    if len(classes) < 2:
        assert all(np.isnan(ours[name]) for name in ("auroc", "average_precision", "balanced_accuracy", "f1"))
        return
    expected = metrics.f1_score(target, labels, average="macro", zero_division=0, **given_weight)
    assert ours["f1"] == pytest.approx(expected)
    recalls = metrics.recall_score(target, labels, average=None, labels=sorted(classes), **given_weight)
    assert ours["balanced_accuracy"] == pytest.approx(recalls.mean())
    one_to_rest = [metrics.roc_auc_score(target == k, probabilities[:, k], **given_weight) for k in classes]
    assert ours["auroc"] == pytest.approx(np.mean(one_to_rest))
    precisions = [metrics.average_precision_score(target == k, probabilities[:, k], **given_weight) for k in classes]
    assert ours["average_precision"] == pytest.approx(np.mean(precisions))


@settings(max_examples=100, deadline=None)
@given(binary_rows(), st.integers(0, 100))
def test_regression_scores_equal_scikit_learn(rows, seed):
    _, values, weight = rows
    target = values + np.random.default_rng(seed).normal(size=len(values)).round(1)
    ours = scores.regression_scores(target, values, weight)
    kept = np.ones(len(target), bool) if weight is None else weight > 0
    if not kept.any():
        assert all(np.isnan(value) for value in ours.values())
        return
    given_weight = {"sample_weight": None if weight is None else weight[kept]}
    expected = metrics.root_mean_squared_error(target[kept], values[kept], **given_weight)
    assert ours["rmse"] == pytest.approx(expected)
    assert ours["mae"] == pytest.approx(metrics.mean_absolute_error(target[kept], values[kept], **given_weight))
    if len(set(target[kept])) > 1:
        assert ours["r2"] == pytest.approx(metrics.r2_score(target[kept], values[kept], **given_weight))
    else:
        assert np.isnan(ours["r2"])


@settings(max_examples=100, deadline=None)
@given(binary_rows(), st.randoms(use_true_random=False))
def test_calibration_error_ignores_row_order_and_takes_weights_as_copies(rows, random):
    target, probability, _ = rows
    copies = np.array([random.randint(0, 3) for _ in target])
    order = np.array(random.sample(range(len(target)), len(target)))
    weighted = scores.expected_calibration_error(target[order], probability[order], copies[order])
    repeated = scores.expected_calibration_error(np.repeat(target, copies), np.repeat(probability, copies))
    assert weighted == pytest.approx(repeated, nan_ok=True)


def test_macro_auroc_equals_scikit_learns_own_average():
    rng = np.random.default_rng(0)
    target, probabilities, weight = rng.integers(0, 4, 300), rng.dirichlet(np.ones(4), 300).round(2), rng.random(300)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    for given_weight in (None, weight):
        ours = scores.macro_auroc(target, probabilities, given_weight)
        theirs = metrics.roc_auc_score(target, probabilities, multi_class="ovr", sample_weight=given_weight)
        assert ours == pytest.approx(theirs)


@settings(max_examples=100, deadline=None)
@given(binary_rows())
def test_auroc_of_the_influence_equals_scikit_learn_and_its_pairs(rows):
    """The value that DeLong's variance is taken around, and each row's part in it: O(n^2), by moving weights."""
    target, probability, weight = rows
    value, influences = delong.influence(target, probability, weight)
    if present(target, weight) != {0, 1}:
        assert np.isnan(value)
        return
    weight = np.ones(len(target)) if weight is None else weight
    assert value == pytest.approx(metrics.roc_auc_score(target, probability, sample_weight=weight))
    kernel = (probability[:, None] > probability) + 0.5 * (probability[:, None] == probability)
    positive, negative = weight * (target == 1), weight * (target == 0)
    won = kernel @ negative / negative.sum() - value
    lost = positive @ kernel / positive.sum() - value
    expected = positive * won / positive.sum() + negative * lost / negative.sum()
    np.testing.assert_allclose(influences, expected, atol=1e-12)


def test_calibration_error_by_hand():
    # Two bins of two rows: predicted 0.15 and observed 0.5, predicted 0.7 and observed 1.
    error = scores.expected_calibration_error(np.array([0, 1, 1, 1]), np.array([0.1, 0.2, 0.6, 0.8]), bins=2)
    assert error == pytest.approx((2 * abs(0.5 - 0.15) + 2 * abs(1 - 0.7)) / 4)


def test_a_row_in_the_middle_of_two_bins_joins_the_lower_one():
    # Two bins of a row and a half each: the middle row's middle rank lies exactly between them.
    error = scores.expected_calibration_error(np.array([1, 0, 0]), np.array([0.9, 0.5, 0.1]), bins=2)
    assert error == pytest.approx((abs(1 - 0.9) + abs(0 - 0.5 - 0.1)) / 3)


def test_calibration_error_of_several_classes_judges_the_top_label():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.2, 0.6, 0.2]])
    error = scores.expected_calibration_error(np.array([0, 2]), probabilities, bins=1)
    assert error == pytest.approx(abs((1 - 0.7) + (0 - 0.6)) / 2)


def test_a_class_absent_from_the_rows_leaves_the_others_their_scores():
    rng = np.random.default_rng(0)
    target = rng.integers(0, 2, 50)
    probabilities = rng.dirichlet(np.ones(3), 50)
    found = scores.multiclass_scores(target, probabilities, probabilities.argmax(axis=1))
    assert all(np.isfinite(value) for value in found.values())


def test_infinite_scores_rank_and_nan_scores_are_undefined():
    target = np.array([0, 0, 1, 1])
    assert scores.auroc(target, np.array([-np.inf, 0.0, 1.0, np.inf])) == 1.0
    assert np.isnan(scores.auroc(target, np.array([0.0, np.nan, 1.0, 2.0])))


def test_no_rows_at_all():
    nothing = np.zeros(0)
    assert all(np.isnan(value) for value in scores.binary_scores(nothing, nothing, nothing).values())
    assert all(np.isnan(value) for value in scores.multiclass_scores(nothing, np.zeros((0, 3)), nothing).values())
    assert all(np.isnan(value) for value in scores.regression_scores(nothing, nothing).values())


def test_every_score_has_a_direction_and_a_range():
    target, values = np.array([0, 1, 1]), np.array([0.2, 0.7, 0.4])
    found = scores.binary_scores(target, values, target) | scores.regression_scores(target, values)
    found |= portfolio.scores(portfolio.Path(values, values))
    found |= grades.ordinal_scores(target, np.eye(3)[target], target, None, 1)
    assert set(found) == set(scores.GREATER_IS_BETTER) == set(scores.RANGES)
