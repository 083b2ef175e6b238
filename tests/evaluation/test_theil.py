"""The Theil index adds up, and its part between groups has the chances that textbooks give it."""

import math

import numpy as np
import pytest
from scipy import stats

from pipelines.evaluation import theil
from pipelines.evaluation.theil import inequality

WEIGHTS = np.array([[3.0, 20.0, 7.0], [10.0, 40.0, 2.0], [5.0, 30.0, 5.0]])


def index(benefits):
    ratio = np.asarray(benefits, float) / np.mean(benefits)
    return float(np.mean([each * math.log(each) if each else 0.0 for each in ratio]))


def means_and_errors(weights):
    values = np.arange(3)
    sizes = weights.sum(axis=1)
    means = weights @ values / sizes
    variances = (weights @ values**2 / sizes - means**2) / (sizes - 1)
    return means, variances


def test_the_whole_is_within_and_between():
    rows = [np.repeat(np.arange(3), group.astype(int)) for group in WEIGHTS]
    found = inequality(WEIGHTS, np.diag(means_and_errors(WEIGHTS)[1]))
    everyone = np.concatenate(rows)
    assert found.total == pytest.approx(index(everyone))
    within = sum(len(group) * group.mean() / (len(everyone) * everyone.mean()) * index(group) for group in rows)
    assert found.between.value == pytest.approx(found.total - within)
    assert 0 <= found.between.low <= found.between.value <= found.between.high


def test_two_groups_have_the_chance_of_a_test_of_their_means():
    weights = WEIGHTS[:2]
    means, variances = means_and_errors(weights)
    z = (means[0] - means[1]) / math.sqrt(variances.sum())
    assert inequality(weights, np.diag(variances)).p_value == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-6)


def test_correlated_means_are_tested_by_their_difference():
    covariance = np.array([[0.01, 0.008], [0.008, 0.01]])
    means, _ = means_and_errors(WEIGHTS[:2])
    z = (means[0] - means[1]) / math.sqrt(0.004)
    assert inequality(WEIGHTS[:2], covariance).p_value == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-6)


def test_chances_of_several_groups_are_those_of_simulated_ones():
    rng = np.random.default_rng(0)
    share, truth = np.array([0.5, 0.3, 0.15, 0.05]), np.array([0.02, -0.03, 0.0, -0.02])
    truth = truth - share @ truth
    covariance = np.diag([0.0004, 0.0009, 0.0016, 0.004]) + 0.0002
    form = theil._Form.of(share, truth, covariance)
    for scale in (0.0, 1.0, 3.0):
        drawn = scale * truth + rng.multivariate_normal(np.zeros(4), covariance, 40_000)
        drawn = drawn - (drawn @ share)[:, np.newaxis]
        values = np.square(drawn) @ share / 2
        for chance in (0.975, 0.5, 0.05, 0.01):
            assert form._above(float(np.quantile(values, 1 - chance)), scale) == pytest.approx(chance, abs=0.012)


def test_ends_of_the_interval_are_where_the_observed_is_a_rare_value():
    """Two groups of one size: the interval of the difference of means, carried over to the index."""
    weights = np.array([[2.0, 20.0, 28.0], [28.0, 20.0, 2.0]])
    means, variances = means_and_errors(weights)
    found = inequality(weights, np.diag(variances))
    half = 1.959964 * math.sqrt(variances.sum())

    def between(difference):
        ratio = 1 + np.array([1, -1]) * difference / (2 * means.mean())
        return float(np.mean(ratio * np.log(ratio)))

    difference = means[0] - means[1]
    assert found.between.low == pytest.approx(between(difference - half), rel=1e-4)
    assert found.between.high == pytest.approx(between(difference + half), rel=1e-4)


def test_equal_groups_are_not_known_to_be_equal():
    found = inequality(np.array([[5.0, 30.0, 5.0]] * 3), np.eye(3) * 0.01)
    assert (found.between.value, found.between.low) == (0, 0)
    assert found.between.high > 0
    assert found.p_value == pytest.approx(1)


@pytest.mark.parametrize(
    "weights",
    [WEIGHTS[:1], np.zeros((2, 3)), np.array([[3.0, 4.0, 5.0], [0.0, 0.0, 0.0]]), np.array([[9.0, 0, 0]] * 2)],
)
def test_undefined_where_there_is_nothing_to_divide(weights):
    found = inequality(weights, np.eye(len(weights)))
    assert all(math.isnan(each) for each in (found.total, found.between.value, found.p_value))


def test_no_interval_without_a_variance():
    for covariance in (np.zeros((3, 3)), np.full((3, 3), np.nan)):
        found = inequality(WEIGHTS, covariance)
        assert found.between.value > 0
        assert all(math.isnan(each) for each in (found.between.low, found.between.high, found.p_value))


def test_very_sure_differences_have_an_interval():
    found = inequality(WEIGHTS * 1e7, np.diag(means_and_errors(WEIGHTS * 1e7)[1]))
    assert 0.99 * found.between.value < found.between.low < found.between.value < found.between.high
    assert found.p_value < 1e-6
