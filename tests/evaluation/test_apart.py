"""Gaps of groups that share units, and their p-values, equal textbook tests where there is one."""

import math

import numpy as np
import pytest
from scipy import stats

from pipelines.evaluation import apart
from pipelines.evaluation.apart import Sides, correlation, impact, largest, wider
from pipelines.evaluation.bias import gaps, group_table
from pipelines.evaluation.intervals import wilson
from pipelines.objectives.objective import Predictions

from .cases import BINARY, NUMBER, holdout, noisy_scores, two_class


def sides(value, half, freedom=math.inf, alike=None):
    value, half = np.asarray(value, float), np.asarray(half, float)
    names, freedoms = tuple(f"g{place}" for place in range(len(value))), np.full(len(value), freedom)
    return Sides(names, tuple(range(20, 20 + len(value))), value, value - half, value + half, freedoms, alike)


def rates(hits, n):
    hits, n = np.asarray(hits), np.asarray(n)
    low, high = wilson(hits, n)
    return Sides(tuple("abcdef")[: len(hits)], tuple(n), hits / n, low, high, np.full(len(hits), np.inf), None)


@pytest.fixture
def paired():
    """Thirty patients, each measured once by either device; errors of one patient are alike."""
    rng = np.random.default_rng(0)
    patient = rng.normal(size=30)
    error = np.concatenate([patient + 0.3 * rng.normal(size=30), 0.2 + patient + 0.3 * rng.normal(size=30)])
    target = rng.normal(size=60)
    device = np.repeat(["one", "two"], 30).astype(object)
    outcome = holdout(target, Predictions(target + error), ids=np.tile(np.arange(30), 2), groups={"device": device})
    return outcome, error


def test_gap_of_patients_in_both_groups_is_that_of_the_paired_test(paired):
    outcome, error = paired
    (gap,) = (each for each in gaps(group_table(outcome, NUMBER)) if each.metric == "mean_error")
    theirs = stats.ttest_rel(error[30:], error[:30])
    low, high = theirs.confidence_interval(0.95)
    assert gap.difference == pytest.approx(theirs.statistic * np.std(error[30:] - error[:30], ddof=1) / math.sqrt(30))
    assert (gap.low, gap.high) == pytest.approx((max(0.0, low), high))
    (treatment,) = group_table(outcome, NUMBER).treatments
    assert largest(treatment.sides("mean_error")).p_value == pytest.approx(theirs.pvalue)


def test_a_gap_of_independent_means_is_that_of_welch():
    rng = np.random.default_rng(1)
    error, target = np.concatenate([rng.normal(size=60), rng.normal(0.7, 3, 40)]), np.zeros(100)
    outcome = holdout(target, Predictions(error), groups={"g": np.repeat(["a", "b"], [60, 40]).astype(object)})
    (treatment,) = group_table(outcome, NUMBER).treatments
    found = largest(treatment.sides("mean_error"))
    theirs = stats.ttest_ind(error[60:], error[:60], equal_var=False)
    assert found.p_value == pytest.approx(theirs.pvalue, rel=0.02)
    low, high = theirs.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((max(0.0, low), high), rel=0.02)


@pytest.mark.parametrize("metric", ["selection_rate", "tpr", "fpr", "ppv", "auroc", "calibration", "benefit"])
def test_correlation_of_groups_is_that_of_leaving_one_patient_out(metric):
    rng = np.random.default_rng(2)
    patient = np.repeat(np.arange(60), 6)
    target, _ = noisy_scores(rng, 360, prevalence=0.5)
    lean = rng.normal(size=60)[patient]
    probability = 1 / (1 + np.exp(-(rng.normal(size=360) + 2 * lean + target - 0.5)))
    device = np.tile(["one", "two"], 180).astype(object)

    def table(kept):
        outcome = holdout(
            target[kept], two_class(probability[kept]), ids=patient[kept], groups={"device": device[kept]}
        )
        return group_table(outcome, BINARY)

    left_out = np.array([[row.metrics[metric].value for row in table(patient != each).rows] for each in range(60)])
    (treatment,) = table(np.full(360, True)).treatments
    found = treatment.correlation[metric]
    assert found[0, 1] == found[1, 0] == pytest.approx(np.corrcoef(left_out.T)[0, 1], abs=0.04)
    assert found[0, 0] == 1
    assert abs(found[0, 1]) > 0.05


def test_patients_of_one_group_each_leave_groups_independent():
    target, probability = noisy_scores(np.random.default_rng(3), 80)
    outcome = holdout(
        target, two_class(probability), ids=np.repeat(np.arange(20), 4), groups={"s": np.repeat(["a", "b"], 40)}
    )
    assert group_table(outcome, BINARY).treatments[0].correlation == {}


def test_a_value_that_does_not_vary_is_correlated_with_nothing():
    moves, code, clusters = np.array([0.0, 0.0, 0.1, -0.1]), np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    assert np.array_equal(correlation(moves, code, clusters, 2), np.eye(2))


def test_correlation_narrows_a_difference_and_a_ratio():
    value, half, alike = [0.4, 0.6], [0.1, 0.1], np.array([[1.0, 0.8], [0.8, 1.0]])
    alone, joint = sides(value, half), sides(value, half, alike=alike)
    assert largest(joint).high - 0.2 == pytest.approx(math.sqrt(2 * 0.01 - 2 * 0.8 * 0.01))
    assert largest(alone).high - 0.2 == pytest.approx(math.sqrt(2 * 0.01))
    widths = [found.high - found.low for found in (impact(alone), impact(joint))]
    assert widths[1] < 0.6 * widths[0]


def test_a_ratio_is_where_the_difference_of_the_one_and_a_multiple_of_the_other_is_nothing():
    """By root finding: the limits R at which a - R b, by the same method, just reaches 0."""
    found = impact(rates([30, 60], [200, 180]))
    (a, low_a, high_a), (b, low_b, high_b) = (
        (hit / n, *map(float, wilson(hit, n))) for hit, n in ((30, 200), (60, 180))
    )
    ratios = np.linspace(0.01, 2, 200_000)
    above = a - ratios * b + np.sqrt((high_a - a) ** 2 + (ratios * (b - low_b)) ** 2)
    below = a - ratios * b - np.sqrt((a - low_a) ** 2 + (ratios * (high_b - b)) ** 2)
    assert 1 - found.low == pytest.approx(ratios[np.argmin(np.abs(above))], abs=1e-4)
    assert 1 - found.high == pytest.approx(ratios[np.argmin(np.abs(below))], abs=1e-4)


def test_a_ratio_of_rare_rates_has_an_interval():
    found = impact(rates([2, 5], [100, 100]))
    assert 0 == found.low < found.difference == pytest.approx(0.6)
    assert found.difference < found.high <= 1


@pytest.mark.parametrize("seed", range(8))
def test_p_value_and_interval_agree(seed):
    rng = np.random.default_rng(seed)
    groups = int(rng.integers(2, 7))
    values = rng.normal(0, 2.2, groups)
    freedom = rng.choice([math.inf, 9.0, 40.0])
    found = largest(sides(values, np.full(groups, 1.96), freedom))
    assert (found.low > 0) == (found.p_value < 0.05)
    assert 0 <= found.p_value <= 1


@pytest.mark.parametrize(("groups", "reach"), [(2, 1.959964), (3, 3.3145 / math.sqrt(2)), (10, 4.4745 / math.sqrt(2))])
def test_all_pairs_hold_at_once_as_tukey_has_it(groups, reach):
    """Published upper 5 % points of the studentized range with infinite degrees of freedom."""
    values = np.linspace(0, 10, groups)
    found = largest(sides(values, np.full(groups, 1.959964)))
    assert found.high == pytest.approx(10 + reach * math.sqrt(2), rel=1e-3)
    edge = sides([*np.full(groups - 1, 0.0), reach * math.sqrt(2)], np.full(groups, 1.959964))
    assert largest(edge).p_value == pytest.approx(0.05, rel=0.01)


def test_groups_compared_in_parts_are_compared_alike(monkeypatch):
    rng = np.random.default_rng(4)
    value, half = rng.random(30), rng.random(30) / 10
    value[9], value[10] = -0.5, 1.5  # of the second part
    matrix = np.corrcoef(rng.normal(size=(30, 40)))
    whole = [how(sides(value, half, 20.0, matrix)) for how in (largest, impact)]
    monkeypatch.setattr(apart, "AT_ONCE", 7)
    assert [how(sides(value, half, 20.0, matrix)) for how in (largest, impact)] == whole


def test_the_wider_of_two_counts_both():
    first, second = largest(rates([5, 20], [50, 50]), 0.025), largest(rates([10, 12], [50, 50]), 0.025)
    found = wider(first, second)
    assert found.difference == pytest.approx(0.3)
    assert found.p_value == pytest.approx(2 * first.p_value)
    assert math.isnan(wider(first, largest(rates([3], [10]))).difference)


def test_p_values_are_corrected_for_all_gaps():
    rng = np.random.default_rng(5)
    target, probability = noisy_scores(rng, 400)
    groups = {name: rng.integers(0, 2, 400).astype(str).astype(object) for name in ("one", "two")}
    groups["one"] = np.where(probability > 0.6, "1", groups["one"]).astype(object)
    table = group_table(holdout(target, two_class(probability), groups=groups), BINARY)
    found = gaps(table)
    raw = {
        (each.attribute, metric): largest(each.sides(name)).p_value
        for each in table.treatments
        for metric, name in (("demographic_parity", "selection_rate"), ("auroc_parity", "auroc"))
    }
    tested = 3 * 7  # three attributes with seven hypotheses each; disparate impact shares one
    smallest = min(found, key=lambda gap: gap.p_value)
    assert smallest.p_value <= tested * min(raw.values())
    parity = next(gap for gap in found if gap.metric == "auroc_parity" and gap.attribute == "two")
    assert parity.p_value == 1.0 > raw["two", "auroc_parity"]
    for attribute in ("one", "two", "one x two"):
        of = {gap.metric: gap.p_value for gap in found if gap.attribute == attribute}
        assert of["disparate_impact"] == of["demographic_parity"] >= raw[attribute, "demographic_parity"]
    assert sorted(gap.p_value for gap in found)[0] < 1e-6
