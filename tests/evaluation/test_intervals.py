"""Intervals cover what they say, stay defined at the edges, and widen where rows are not independent."""

import math

import numpy as np
import pytest
from scipy import stats

from pipelines.evaluation import scores
from pipelines.evaluation.delong import auroc_interval
from pipelines.evaluation.intervals import bootstrap, cross_validated, estimates, mean, proportion, wilson
from pipelines.evaluation.outcome import Outcome, Round
from pipelines.objectives.objective import Predictions

from .cases import BINARY, NUMBER, Counted, holdout, noisy_scores, two_class


def assert_covers_as_promised(hits, promise=0.95, bias=0.015):
    """Four standard errors of the simulation around the promise, and `bias` for what is exact only in the limit."""
    slack = bias + 4 * math.sqrt(promise * (1 - promise) / len(hits))
    assert abs(np.mean(hits) - promise) < slack


def test_wilson_equals_scipy():
    for successes, n in ((0, 5), (3, 10), (10, 10), (57, 200)):
        low, high = wilson(successes, n)
        expected = stats.binomtest(successes, n).proportion_ci(0.95, method="wilson")
        assert (float(low), float(high)) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_works_on_arrays_and_knows_nothing_of_no_row():
    low, high = wilson(np.array([0, 5]), np.array([0, 10]))
    assert np.isnan([low[0], high[0]]).all()
    assert low[1] < 0.5 < high[1]


def test_bootstrap_covers_the_true_scores():
    rng = np.random.default_rng(1)
    separation = 1.0
    truth = {"auroc": stats.norm.cdf(separation / math.sqrt(2)), "accuracy": stats.norm.cdf(0.5) * 0.4}
    truth["accuracy"] += stats.norm.cdf(0.5) * 0.6
    hits = {name: [] for name in truth}
    for _ in range(300):
        target, probability = noisy_scores(rng, 150, separation)
        predictions = two_class(probability).decide(1 / (1 + math.exp(-separation / 2)))
        found = bootstrap(target, predictions, BINARY, resamples=200)
        for name, value in truth.items():
            hits[name].append(found[name].low <= value <= found[name].high)
    for name in truth:
        assert_covers_as_promised(hits[name])


def test_bootstrap_of_clusters_covers_and_of_rows_does_not():
    rng = np.random.default_rng(2)
    clusters = np.repeat(np.arange(30), 8)
    by_cluster, by_row = [], []
    for _ in range(300):
        error = rng.normal(1, 1, 30)[clusters] + rng.normal(0, 0.5, len(clusters))
        target = rng.normal(size=len(clusters))
        settings = {"resamples": 200}
        grouped = bootstrap(target, Predictions(target + error), NUMBER, clusters=clusters, **settings)["rmse"]
        single = bootstrap(target, Predictions(target + error), NUMBER, **settings)["rmse"]
        truth = math.sqrt(1 + 1 + 0.25)
        by_cluster.append(grouped.low <= truth <= grouped.high)
        by_row.append(single.low <= truth <= single.high)
    assert_covers_as_promised(by_cluster, bias=0.04)
    assert np.mean(by_row) < 0.75


def test_delong_interval_covers_also_with_clusters_and_few_positives():
    rng = np.random.default_rng(3)
    truth = stats.norm.cdf(1.2 / math.sqrt(2))
    rows, grouped = [], []
    for _ in range(400):
        target, score = noisy_scores(rng, 80, 1.2, prevalence=0.2)
        found = auroc_interval(target, score)
        rows.append(found.low <= truth <= found.high)
        clusters = np.repeat(np.arange(60), 5)
        target = np.repeat((rng.random(60) < 0.4).astype(int), 5)
        shared = rng.normal(0, math.sqrt(0.8), 60)[clusters] + rng.normal(0, math.sqrt(0.2), 300)
        found = auroc_interval(target, shared + 1.2 * target, clusters=clusters)
        grouped.append(found.low <= truth <= found.high)
    assert_covers_as_promised(rows, bias=0.02)
    assert_covers_as_promised(grouped, bias=0.02)


def test_auroc_interval_at_the_edges():
    target = np.array([0] * 20 + [1] * 20)
    perfect = auroc_interval(target, target.astype(float))
    assert perfect.value == 1
    assert 0.8 < perfect.low < 1
    assert perfect.high == 1
    reversed_ = auroc_interval(target, -target.astype(float))
    assert (reversed_.low, reversed_.high) == pytest.approx((0, 1 - perfect.low))
    assert math.isnan(auroc_interval(np.ones(5), np.arange(5)).value)
    lonely = auroc_interval(np.array([1, 0, 0, 0]), np.array([0.5, 0.1, 0.6, 0.2]))
    assert lonely.low < lonely.value < lonely.high
    assert lonely.high - lonely.low > 0.6


def test_weights_of_auroc_interval_are_not_copies_of_rows():
    rng = np.random.default_rng(4)
    target, score = noisy_scores(rng, 200)
    plain = auroc_interval(target, score)
    equal = auroc_interval(target, score, weight=np.full(200, 7.0))
    assert (equal.value, equal.low, equal.high) == pytest.approx((plain.value, plain.low, plain.high), abs=2e-3)
    weight = rng.integers(1, 5, 200)
    assert auroc_interval(target, score, weight=weight).value == pytest.approx(scores.auroc(target, score, weight))


def test_proportion_covers_in_clusters_and_does_not_collapse_at_one():
    rng = np.random.default_rng(5)
    clusters = np.repeat(np.arange(40), 6)
    hits = []
    for _ in range(400):
        # A beta-distributed rate per cluster: mean 0.8, correlation 1/3 between rows of a cluster.
        drawn = rng.random(240) < rng.beta(1.6, 0.4, 40)[clusters]
        found = proportion(drawn, clusters=clusters)
        hits.append(found.low <= 0.8 <= found.high)
    assert_covers_as_promised(hits, bias=0.02)
    certain = proportion(np.ones(240, bool), clusters=clusters)
    assert certain.high == 1
    assert certain.low == pytest.approx(float(wilson(40, 40, stats.t.ppf(0.975, 39))[0]))


def test_proportion_and_mean_of_independent_rows_are_the_usual_ones():
    hits = np.array([True] * 3 + [False] * 7)
    share = proportion(hits)
    assert (share.value, share.low, share.high) == pytest.approx((0.3, *map(float, wilson(3, 10))))
    values = np.array([1.0, 2.0, 4.0, 7.0])
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    found = mean(values)
    assert (found.value, found.low, found.high) == pytest.approx((3.5, expected.low, expected.high))
    assert math.isnan(proportion(np.zeros(0, bool)).value)
    assert math.isnan(mean(np.zeros(0)).value)
    assert math.isnan(proportion(hits, weight=np.zeros(10)).value)


def test_copies_of_rows_do_not_narrow_an_interval():
    rng = np.random.default_rng(6)
    target, probability = noisy_scores(rng, 120)
    once = holdout(target, two_class(probability))
    again = np.tile(np.arange(120), 4)
    copied = Outcome(target[again], two_class(probability[again]), (Round(0, 480, 100),), again)
    for measure in (
        lambda outcome: estimates(outcome, BINARY, resamples=1000)["brier"],
        lambda outcome: proportion(outcome.target == 1, clusters=outcome.clusters),
        lambda outcome: auroc_interval(outcome.target, outcome.predictions.values[:, 1], clusters=outcome.clusters),
    ):
        single, repeated = measure(once), measure(copied)
        assert repeated.value == pytest.approx(single.value)
        assert repeated.high - repeated.low == pytest.approx(single.high - single.low, rel=0.1)


def test_cross_validated_interval_by_hand():
    # Mean 0.8, s^2 = 0.001, 5 folds of 20 % test rows: variance (1/5 + 1/4) * 0.001, t(4) = 2.7764.
    found = cross_validated(np.array([0.76, 0.78, 0.80, 0.82, 0.84]), n_train=80, n_test=20)
    half = 2.7764451 * math.sqrt(0.45 * 0.001)
    assert (found.value, found.low, found.high) == pytest.approx((0.8, 0.8 - half, 0.8 + half))


def test_cross_validated_leaves_undefined_folds_out():
    assert cross_validated(np.array([math.nan, 0.5, 0.7]), 8, 2).value == pytest.approx(0.6)
    single = cross_validated(np.array([math.nan, 0.5]), 8, 2)
    assert single.value == 0.5
    assert math.isnan(single.low)
    assert math.isnan(cross_validated(np.array([math.nan]), 8, 2).value)


def test_estimates_of_folds_are_their_means_within_the_range_of_the_score():
    target = np.tile([0, 1, 0, 1], 10)
    rng = np.random.default_rng(7)
    probability = np.where(target == 1, 0.7, 0.3) + rng.normal(0, 0.3, 40)
    rounds = tuple(Round(start, start + 10, 30) for start in range(0, 40, 10))
    outcome = Outcome(target, two_class(probability.clip(0, 1)), rounds, np.arange(40))
    folds = [scores.auroc(target[s : s + 10], outcome.predictions.values[s : s + 10, 1]) for s in range(0, 40, 10)]
    found = estimates(outcome, BINARY)["auroc"]
    assert found.value == pytest.approx(np.mean(folds))
    assert found.low < found.value <= found.high <= 1


def test_estimates_of_a_holdout_use_delong_for_independent_rows_and_clusters_else():
    rng = np.random.default_rng(8)
    target, probability = noisy_scores(rng, 300)
    predictions = two_class(probability)
    plain = estimates(holdout(target, predictions), BINARY, resamples=300)
    assert plain["auroc"] == auroc_interval(target, predictions.values[:, 1])
    order = np.argsort(probability)  # alike rows share an id, which makes them nearly one observation
    ids = np.empty(300, dtype=object)
    ids[order] = [f"patient {index // 10}" for index in range(300)]
    clustered = estimates(holdout(target, predictions, ids=ids), BINARY, resamples=300)
    assert clustered["brier"].value == plain["brier"].value
    for name in ("auroc", "brier"):
        assert clustered[name].high - clustered[name].low > plain[name].high - plain[name].low


def test_bootstrap_of_an_undefined_score_is_undefined():
    found = bootstrap(np.zeros(20, int), two_class(np.linspace(0, 1, 20)), BINARY, resamples=100)
    assert math.isnan(found["auroc"].value)
    assert math.isnan(found["auroc"].low)
    assert found["brier"].low < found["brier"].value < found["brier"].high


def test_bootstrap_of_one_cluster_has_no_interval():
    found = bootstrap(np.array([0, 1]), two_class([0.2, 0.7]), BINARY, clusters=np.zeros(2), resamples=100)
    assert math.isnan(found["accuracy"].low)
    assert found["accuracy"].value == 1


def test_estimates_of_an_objective_evaluation_does_not_know():
    target = np.array(["a", "b"] * 20, dtype=object)
    found = estimates(holdout(target, Predictions(np.array(["a"] * 40, dtype=object))), Counted(), resamples=200)
    assert found["exact"].low < 0.5 < found["exact"].high
