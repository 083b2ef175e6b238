"""Scores of grades: equal to scikit-learn's or counted by hand, fast and slow alike; and where grades are cut."""

import numpy as np
import pytest
from sklearn import metrics

from pipelines.evaluation import grades, rates
from pipelines.evaluation.bias import gaps, group_table
from pipelines.evaluation.outcome import Outcome, Round
from pipelines.evaluation.replicates import fast_judge, replicate
from pipelines.objectives.objective import Predictions
from pipelines.objectives.ordinal import Ordinal

OBJECTIVE = Ordinal(classes=("0", "1", "2", "3", "4"), refer_from=2)


def graded(n=300, seed=0, noise=0.7):
    """Grades and probabilities that know something of them."""
    chance = np.random.default_rng(seed)
    target = chance.choice(5, n, p=[0.5, 0.15, 0.2, 0.1, 0.05])
    centre = target + noise * chance.standard_normal(n)
    raised = np.exp(-np.square(np.arange(5) - centre[:, np.newaxis]))
    return target, raised / raised.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("weighted", [False, True])
def test_scores_equal_scikit_learns(weighted):
    target, probabilities = graded()
    weight = np.random.default_rng(1).choice([0.0, 0.5, 1.0, 2.0], len(target)) if weighted else None
    labels = OBJECTIVE.predict(probabilities).labels()
    found = OBJECTIVE.scores(target, OBJECTIVE.predict(probabilities), weight)
    with_weight = {"sample_weight": weight}
    kappa = metrics.cohen_kappa_score(target, labels, weights="quadratic", **with_weight)
    assert found["quadratic_kappa"] == pytest.approx(kappa, rel=1e-12)
    assert found["mae"] == pytest.approx(metrics.mean_absolute_error(target, labels, **with_weight))
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(target, labels, **with_weight))
    above = probabilities[:, 2:].sum(axis=1)
    assert found["referable_auroc"] == pytest.approx(metrics.roc_auc_score(target >= 2, above, **with_weight))
    borders = [
        metrics.brier_score_loss(target <= k, probabilities[:, : k + 1].sum(axis=1).clip(0, 1), **with_weight)
        for k in range(4)
    ]
    assert found["ranked_probability_score"] == pytest.approx(np.mean(borders))


def test_whoever_is_of_the_border_grade_is_referred():
    probabilities = np.array([[0.5, 0.5, 0.0], [0.6, 0.1, 0.3], [0.2, 0.0, 0.8]])
    truth, above = grades.referable(np.array([0, 1, 2]), probabilities, 1)
    assert truth.tolist() == [0, 1, 1]
    np.testing.assert_allclose(above, [0.5, 0.4, 0.8])
    assert grades.cut(np.array([0.49, 0.5, 1.5, 9.0]), (0.5, 1.5)).tolist() == [0, 1, 2, 2]


def test_the_terms_of_kappa_are_what_each_row_moves_it_by():
    target, probabilities = graded(80)
    labels, weight = OBJECTIVE.predict(probabilities).labels(), np.random.default_rng(4).uniform(0.5, 2, 80)
    kappa = grades.quadratic_kappa(target, labels, weight)
    step = 1e-6 * np.eye(80)
    slope = [(grades.quadratic_kappa(target, labels, weight + each) - kappa) / 1e-6 * weight.sum() for each in step]
    np.testing.assert_allclose(grades.kappa_terms(target, labels, weight) - kappa, slope, atol=1e-3)


def test_kappa_of_one_grade_is_not_defined_and_of_constants_is_0():
    assert np.isnan(grades.quadratic_kappa(np.array([3, 3]), np.array([3, 3])))
    assert np.isnan(grades.quadratic_kappa(np.zeros(0), np.zeros(0)))
    assert np.isnan(grades.quadratic_kappa(np.array([1, 2]), np.array([1, 2]), np.zeros(2)))
    assert grades.quadratic_kappa(np.array([0, 1, 4]), np.array([2, 2, 2])) == pytest.approx(0.0)
    assert grades.quadratic_kappa(np.array([0, 4]), np.array([4, 0])) == pytest.approx(-1.0)


def test_many_weightings_at_once_give_the_scores_of_each():
    target, probabilities = graded(120)
    predictions, weight = OBJECTIVE.predict(probabilities), np.random.default_rng(2).uniform(0, 2, 120)
    drawn = np.random.default_rng(3).integers(0, 4, (4, 120)).astype(float)
    drawn[3] = target == 1  # one grade alone
    names = tuple(OBJECTIVE.scores(target, predictions))
    found = fast_judge(target, predictions, OBJECTIVE, names, weight)(drawn)
    for number, counts in enumerate(drawn):
        one = OBJECTIVE.scores(target, predictions, counts * weight)
        assert {name: values[number] for name, values in found.items()} == pytest.approx(one, nan_ok=True)


def test_undecided_predictions_are_cut_half_way_in_the_judge_too():
    target, probabilities = graded(80)
    bare = Predictions(probabilities)
    names = tuple(OBJECTIVE.scores(target, bare))
    found = fast_judge(target, bare, OBJECTIVE, names)(np.ones((1, 80)))
    assert found["quadratic_kappa"][0] == pytest.approx(OBJECTIVE.scores(target, bare)["quadratic_kappa"])
    labels = OBJECTIVE.predict(probabilities).labels()
    assert (labels != probabilities.argmax(axis=1)).any()
    assert found["accuracy"][0] == pytest.approx((labels == target).mean())


def test_the_terms_of_kappa_have_its_mean_and_its_spread():
    target, probabilities = graded(400)
    labels = OBJECTIVE.predict(probabilities).labels()
    weight = np.random.default_rng(4).choice([0.5, 2.0], 400)
    terms = grades.kappa_terms(target, labels, weight)
    assert np.average(terms, weights=weight) == pytest.approx(grades.quadratic_kappa(target, labels, weight))
    plain = grades.kappa_terms(target, labels)
    drawn = replicate(target, OBJECTIVE.predict(probabilities), OBJECTIVE, resamples=2000)["quadratic_kappa"]
    assert plain.std() / np.sqrt(400) == pytest.approx(drawn.std(), rel=0.1)


def test_cuts_raise_kappa_where_half_way_is_wrong_and_stay_where_it_is_right():
    target, _ = graded(300)
    shifted = target * 0.6 + 0.3  # nobody is expected at grade 4
    cuts = grades.choose_cuts(target, shifted, 5)
    assert (grades.cut(shifted, cuts) == target).all()
    assert list(cuts) == sorted(cuts)
    assert grades.choose_cuts(target, target.astype(float), 5) == grades.half_way(5)
    assert grades.choose_cuts(np.ones(3), np.ones(3), 5) == grades.half_way(5)
    assert grades.choose_cuts(np.zeros(0), np.zeros(0), 3) == (0.5, 1.5)


def test_rows_without_weight_move_no_cut():
    target, probabilities = graded(120)
    expected, weight = grades.expected_grade(probabilities), (np.arange(120) < 60).astype(float)
    other = target.copy()
    other[60:] = 4
    assert grades.choose_cuts(other, expected, 5, weight) == grades.choose_cuts(target[:60], expected[:60], 5)


def outcome(target, probabilities, ids=None, groups=None):
    n = len(target)
    return Outcome(
        target, OBJECTIVE.predict(probabilities), (Round(0, n, 100),), np.arange(n), ids=ids, groups=groups or {}
    )


def test_groups_are_told_their_kappa_and_their_errors_in_grades():
    (target, sharp), (_, blurred) = graded(800), graded(800, noise=2.0)
    second = np.arange(800) % 2 == 1
    probabilities = np.where(second[:, np.newaxis], blurred, sharp)
    groups = {"camera": np.where(second, "b", "a").astype(object)}
    ids = np.arange(800) // 4  # both cameras saw each person
    table = group_table(outcome(target, probabilities, ids, groups), OBJECTIVE)
    for row, of_group in zip(table.rows, (~second, second), strict=True):
        labels = OBJECTIVE.predict(probabilities).labels()[of_group]
        truth = target[of_group]
        assert row.metrics["quadratic_kappa"].value == pytest.approx(grades.quadratic_kappa(truth, labels))
        assert row.metrics["mae"].value == pytest.approx(np.abs(truth - labels).mean())
        assert row.metrics["mean_error"].value == pytest.approx((labels - truth).mean())
    found = {gap.metric: gap for gap in gaps(table)}
    assert list(found) == ["quadratic_kappa", "mae", "accuracy", "mean_error", "mean_prediction"]
    assert found["quadratic_kappa"].low > 0
    assert found["quadratic_kappa"].groups == ("b", "a")


def test_a_perfect_group_of_one_grade_has_no_kappa():
    target = np.zeros(30, np.int64)
    sure = np.eye(5)[target]
    members = rates.Members.of(outcome(target, sure), np.arange(30), joint=False)
    found = rates.measured(members, OBJECTIVE)
    assert np.isnan(found["quadratic_kappa"].estimate.value)
    assert found["mae"].estimate.value == 0
