"""Tests of differences: against slow references, worked examples, and their error rate under no difference."""

import math
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pipelines.evaluation.comparison import compare, corrected_resampled_t, delong, holm, paired_bootstrap
from pipelines.evaluation.outcome import Outcome, Round
from pipelines.objectives.objective import Predictions

from .cases import BINARY, NUMBER, TERNARY, holdout, noisy_scores, two_class


def delong_by_pairs(target, score_a, score_b):
    """DeLong et al. (1988) as printed: O(mn) kernels, structural components, their covariance matrices."""
    components = []
    for score in (score_a, score_b):
        positive, negative = score[target == 1], score[target == 0]
        kernel = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
        components.append((kernel.mean(), kernel.mean(axis=1), kernel.mean(axis=0)))
    s10 = np.cov([component[1] for component in components])
    s01 = np.cov([component[2] for component in components])
    covariance = s10 / (target == 1).sum() + s01 / (target == 0).sum()
    difference = components[0][0] - components[1][0]
    contrast = np.array([1, -1])
    return difference, contrast @ covariance @ contrast


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10_000), st.integers(4, 40), st.sampled_from([0, 1, 6]))
def test_delong_equals_its_definition(seed, n, digits):
    rng = np.random.default_rng(seed)
    target = rng.integers(0, 2, n)
    target[:4] = [0, 0, 1, 1]
    a, b = rng.normal(size=(2, n)).round(digits) + target
    expected, variance = delong_by_pairs(target, a, b)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        difference, low, high, p_value = delong(target, a, b)
    assert difference == pytest.approx(expected, abs=1e-12)
    if variance > 1e-12:
        assert p_value == pytest.approx(2 * stats.norm.sf(abs(expected) / math.sqrt(variance)))
        half = stats.norm.ppf(0.975) * math.sqrt(variance)
        assert (low, high) == pytest.approx((max(-1, expected - half), min(1, expected + half)))


def test_a_bootstrap_that_never_reaches_no_difference_is_no_coarser_than_its_spread():
    """Corrected for 30 baselines, 2 of 1001 decides nothing; the p-value is that of t then, as near the floor."""
    rng = np.random.default_rng(0)
    target = rng.normal(size=300)
    outcomes = {"net": holdout(target, Predictions(target + 0.1 * rng.normal(size=300)))}
    outcomes |= {f"b{k}": holdout(target, Predictions(target + 3 * rng.normal(size=300))) for k in range(30)}
    found = compare("net", [f"b{k}" for k in range(30)], outcomes, NUMBER, "rmse", 1000)
    assert max(test.p_value for test in found) < 1e-6
    errors = rng.normal(size=300)
    errors = (errors - errors.mean()) / errors.std(ddof=1)
    for lead in (2.5, 3.9, 5.0):  # of the mean of so many errors, in its standard errors
        sides = {"net": np.full(300, 10.0), "b": 10 + errors + lead / math.sqrt(300)}
        (test,) = compare("net", ["b"], {name: holdout(target, Predictions(target + each)) for name, each in
                                         sides.items()}, NUMBER, "mae", 1000)  # fmt: skip
        assert stats.norm.isf(test.p_value / 2) == pytest.approx(lead, rel=0.1)


def test_a_lead_of_few_rows_that_is_never_turned_has_the_resamples_own_p_value():
    """Right on 8 rows of 300 where the other is wrong, and wrong on none: Student's t knows no such skew."""
    target = np.zeros(300, int)
    sides = {"net": np.full(300, 0.1), "base": np.where(np.arange(300) < 8, 0.9, 0.1)}
    (test,) = compare("net", ["base"], {name: holdout(target, two_class(each)) for name, each in sides.items()}, BINARY,
                      "accuracy", 1000)  # fmt: skip
    share = 8 / 300
    student = 2 * stats.t.sf(share / math.sqrt(share * (1 - share) / 300), 299)
    assert 0.0015 < test.p_value < 0.6 * student


def test_delong_of_identical_rankings_is_no_difference():
    target, score = noisy_scores(np.random.default_rng(0), 50)
    assert delong(target, score, score**3) == (0, 0, 0, 1)
    perfect = target.astype(float)
    assert delong(target, perfect, perfect * 2 + 1) == (0, 0, 0, 1)


def test_delong_of_a_perfect_score_against_a_constant_one():
    small, large = np.array([0, 0, 1, 1]), np.array([0, 1] * 50)
    difference, low, high, p_value = delong(small, small.astype(float), np.zeros(4))
    assert difference == 0.5
    assert low < 0
    assert high == 1
    assert p_value > 0.05
    difference, low, _, p_value = delong(large, large.astype(float), np.zeros(100))
    assert difference == 0.5
    assert low > 0.2
    assert p_value < 1e-6


def test_delong_of_too_few_rows_claims_nothing():
    difference, low, high, p_value = delong(np.array([1, 0, 0]), np.array([1.0, 0, 0]), np.array([0.0, 1, 0]))
    assert (difference, low, high, p_value) == (0.75, -1, 1, 1)
    assert math.isnan(delong(np.ones(4), np.arange(4), np.arange(4))[0])
    assert delong(np.ones(4), np.arange(4), np.arange(4))[3] == 1


def test_tests_err_as_often_as_they_say_and_find_what_is_there():
    rng = np.random.default_rng(1)
    runs, wrong, found = 400, {"delong": 0, "bootstrap": 0}, {"delong": 0, "bootstrap": 0}
    for _ in range(runs):
        target = (rng.random(120) < 0.4).astype(int)
        shared = rng.normal(size=120) + target
        a, b = shared + rng.normal(size=(2, 120))
        better = shared + 0.2 * rng.normal(size=120)
        for counts, other in ((wrong, a), (found, better)):
            counts["delong"] += delong(target, other, b)[3] < 0.05
            sides = (two_class(1 / (1 + np.exp(-other))), two_class(1 / (1 + np.exp(-b))))
            tested = paired_bootstrap(target, *sides, BINARY, "auroc", resamples=200)
            counts["bootstrap"] += tested[3] < 0.05
    most = 0.05 + 0.015 + 4 * math.sqrt(0.05 * 0.95 / runs)
    assert all(count / runs < most for count in wrong.values())
    assert all(count / runs > 2 * most for count in found.values())


def test_paired_bootstrap_of_identical_predictions():
    target = np.random.default_rng(2).normal(size=40)
    same = Predictions(target + 1)
    assert paired_bootstrap(target, same, same, NUMBER, "mae", resamples=100) == (0, 0, 0, 1)


def test_paired_bootstrap_significant_exactly_where_the_interval_leaves_zero_out():
    rng = np.random.default_rng(3)
    verdicts = set()
    for shift in np.linspace(0, 0.3, 25):
        target = rng.normal(size=80)
        sides = Predictions(target + rng.normal(size=80)), Predictions(target + rng.normal(size=80) * (1 + shift))
        _, low, high, p_value = paired_bootstrap(target, *sides, NUMBER, "mae", resamples=999)
        excludes = low > 0 or high < 0
        if not 0.045 < p_value < 0.055:
            assert (p_value < 0.05) == excludes
            verdicts.add(excludes)
    assert verdicts == {True, False}


def test_clusters_make_a_difference_less_sure():
    rng = np.random.default_rng(4)
    clusters = np.repeat(np.arange(20), 10)
    target = rng.normal(size=200)
    worse = Predictions(target + 1 + 0.8 * rng.normal(size=20)[clusters])
    other = Predictions(target + 1 + 0.8 * rng.normal(size=20)[clusters] + 0.2)
    rows = paired_bootstrap(target, worse, other, NUMBER, "mae", resamples=400)
    grouped = paired_bootstrap(target, worse, other, NUMBER, "mae", clusters=clusters, resamples=400)
    assert grouped[0] == rows[0]
    assert grouped[2] - grouped[1] > 2 * (rows[2] - rows[1])
    assert grouped[3] > rows[3]


def test_corrected_t_by_hand():
    # Differences 1..5: mean 3, s^2 = 2.5. Plain t = 3 / sqrt(2.5 / 5) = 4.2426. Corrected by n_test / n_train = 1/4:
    # 3 / sqrt(2.5 * (1/5 + 1/4)) = 2.8284, four degrees of freedom, two-sided p = 0.0474.
    difference, low, high, p_value = corrected_resampled_t(np.arange(1.0, 6.0), n_train=80, n_test=20)
    assert difference == 3
    assert p_value == pytest.approx(2 * stats.t.sf(2.8284271, 4), rel=1e-6)
    assert p_value == pytest.approx(0.0474, abs=5e-5)
    assert (low, high) == pytest.approx((3 - 2.7764451 * 1.0606602, 3 + 2.7764451 * 1.0606602), rel=1e-5)
    plain = corrected_resampled_t(np.arange(1.0, 6.0), n_train=1e12, n_test=1)
    assert plain[3] == pytest.approx(stats.ttest_1samp(np.arange(1.0, 6.0), 0).pvalue)


def test_corrected_t_without_spread_or_folds():
    assert corrected_resampled_t(np.zeros(5), 8, 2) == (0, 0, 0, 1)
    assert corrected_resampled_t(np.full(5, 0.5), 8, 2) == (0.5, 0.5, 0.5, 2**-4)
    assert corrected_resampled_t(np.array([0.5, math.nan]), 8, 2)[3] == 1
    assert math.isnan(corrected_resampled_t(np.array([math.nan]), 8, 2)[0])


def test_holm_equals_worked_examples():
    # Four p-values 0.01, 0.04, 0.03, 0.005: 4 x 0.005, 3 x 0.01, 2 x 0.03, and 0.04 lifted to 0.06 (R's p.adjust).
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm([0.6, 0.7]) == (1, 1)
    assert holm([0.02]) == (0.02,)
    assert holm([]) == ()


def test_holm_rejects_what_is_published():
    """Fifteen endpoints of a trial of thrombolysis (Benjamini and Hochberg 1995, section 3.2): the first three hold."""
    p_values = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
                0.7590, 1.0]  # fmt: skip
    found = holm(p_values)
    assert [value < 0.05 for value in found] == [True] * 3 + [False] * 12
    assert found[:5] == pytest.approx((0.0015, 0.0056, 0.0247, 0.114, 0.2211))  # as statsmodels' multipletests


def test_the_corrected_t_of_scikit_learns_published_example():
    """Its "Statistical comparison of models using grid search" prints t = 0.750, one-sided p = 0.227; plain: 2.611."""
    from sklearn.datasets import make_moons
    from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
    from sklearn.svm import SVC

    x, y = make_moons(noise=0.352, random_state=1, n_samples=100)
    folds = RepeatedStratifiedKFold(n_splits=10, n_repeats=10, random_state=0)
    curved, straight = (
        cross_val_score(SVC(kernel=kernel, random_state=0), x, y, scoring="roc_auc", cv=folds)
        for kernel in ("rbf", "linear")
    )
    *_, p_value = corrected_resampled_t(curved - straight, n_train=90, n_test=10)
    assert p_value / 2 == pytest.approx(0.227, abs=5e-4)
    assert stats.t.isf(p_value / 2, 99) == pytest.approx(0.750, abs=5e-4)
    *_, plain = corrected_resampled_t(curved - straight, n_train=1e12, n_test=10)
    assert stats.t.isf(plain / 2, 99) == pytest.approx(2.611, abs=5e-4)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_between_the_raw_and_bonferroni(p_values):
    corrected = holm(p_values)
    for raw, adjusted in zip(p_values, corrected, strict=True):
        assert raw <= adjusted <= min(1, raw * len(p_values)) + 1e-15
    assert sorted(range(len(p_values)), key=lambda i: p_values[i]) == sorted(
        range(len(p_values)), key=lambda i: (corrected[i], p_values[i])
    )


def outcomes_of(target, sides, **columns):
    return {name: holdout(target, predictions, **columns) for name, predictions in sides.items()}


def test_compare_chooses_the_test_that_fits():
    rng = np.random.default_rng(5)
    target, score = noisy_scores(rng, 200)
    sides = {"net": two_class(score), "prior": two_class(np.full(200, 0.4))}
    plain = outcomes_of(target, sides)
    assert compare("net", ["prior"], plain, BINARY, "auroc")[0].test == "DeLong"
    assert compare("net", ["prior"], plain, BINARY, "brier", resamples=100)[0].test == "paired bootstrap"
    weighted = outcomes_of(target, sides, weight=rng.random(200))
    assert compare("net", ["prior"], weighted, BINARY, "auroc", resamples=100)[0].test == "paired bootstrap"
    grouped = outcomes_of(target, sides, ids=np.arange(200) // 4)
    assert compare("net", ["prior"], grouped, BINARY, "auroc", resamples=100)[0].test == "paired cluster bootstrap"
    several = {name: Predictions(rng.dirichlet(np.ones(3), 60)) for name in ("net", "prior")}
    found = compare("net", ["prior"], outcomes_of(rng.integers(0, 3, 60), several), TERNARY, "auroc", resamples=100)
    assert found[0].test == "paired bootstrap"


def test_compare_turns_the_difference_towards_the_contender():
    rng = np.random.default_rng(6)
    target = rng.normal(size=150)
    sides = {
        "good": Predictions(target + 0.5 * rng.normal(size=150)),
        "bad": Predictions(target + rng.normal(size=150)),
    }
    outcomes = outcomes_of(target, sides)
    (won,) = compare("good", ["bad"], outcomes, NUMBER, "rmse", resamples=200)
    (lost,) = compare("bad", ["good"], outcomes, NUMBER, "rmse", resamples=200)
    expected = NUMBER.scores(target, sides["bad"])["rmse"] - NUMBER.scores(target, sides["good"])["rmse"]
    assert won.difference == pytest.approx(expected)
    assert 0 < won.low < won.difference < won.high
    assert (lost.difference, lost.low, lost.high) == pytest.approx((-won.difference, -won.high, -won.low))
    (explained,) = compare("good", ["bad"], outcomes, NUMBER, "r2", resamples=200)
    assert explained.difference > 0


def test_compare_corrects_over_the_baselines():
    rng = np.random.default_rng(7)
    target, score = noisy_scores(rng, 300)
    sides = {"net": two_class(score)}
    sides |= {f"base {index}": two_class(1 / (1 + np.exp(-rng.normal(0.3 * target)))) for index in range(3)}
    outcomes = outcomes_of(target, sides)
    bases = [name for name in sides if name != "net"]
    found = compare("net", bases, outcomes, BINARY, "auroc")
    raw = [delong(target, score, sides[name].values[:, 1])[3] for name in bases]
    assert [each.p_value for each in found] == pytest.approx(list(holm(raw)))
    assert [each.baseline for each in found] == bases


def test_compare_of_folds_is_the_corrected_t_of_their_differences():
    rng = np.random.default_rng(8)
    target, score = noisy_scores(rng, 100)
    rounds = tuple(Round(start, start + 20, 80) for start in range(0, 100, 20))
    sides = {"net": two_class(score), "base": two_class(1 / (1 + np.exp(-rng.normal(0.2 * target))))}
    outcomes = {name: Outcome(target, side, rounds, np.arange(100)) for name, side in sides.items()}
    (found,) = compare("net", ["base"], outcomes, BINARY, "auroc")
    per_fold = [[fold["auroc"] for fold in outcomes[name].fold_scores(BINARY)] for name in ("net", "base")]
    assert found.test == "corrected resampled t"
    tested = corrected_resampled_t(np.subtract(*per_fold), 80, 20)
    assert (found.difference, found.low, found.high, found.p_value) == pytest.approx(tested)


def test_compare_of_folds_that_all_differ_alike_asks_the_rows():
    target = np.tile([0, 1], 50)
    rounds = tuple(Round(start, start + 20, 80) for start in range(0, 100, 20))
    sides = {"net": two_class(0.1 + 0.8 * target), "prior": two_class(np.full(100, 0.5))}
    outcomes = {name: Outcome(target, side, rounds, np.arange(100)) for name, side in sides.items()}
    (found,) = compare("net", ["prior"], outcomes, BINARY, "auroc", resamples=500)
    assert found.difference == 0.5
    assert found.p_value < 0.05
    assert found.test == "paired bootstrap"


def test_compare_refuses_other_rows():
    target, score = noisy_scores(np.random.default_rng(9), 30)
    one = holdout(target, two_class(score))
    other = Outcome(target, two_class(score), one.rounds, np.arange(30) + 1)
    with pytest.raises(ValueError, match="different rows"):
        compare("a", ["b"], {"a": one, "b": other}, BINARY, "auroc")


def test_no_interval_goes_beyond_what_two_values_can_differ_by():
    """Two folds in which the differences are far apart: Student's t with one degree of freedom reaches beyond 1."""
    target = np.tile([0, 1], 20)
    right, wrong = np.where(target == 1, 0.9, 0.1), np.where(target == 1, 0.1, 0.9)
    mixed = np.where(np.arange(40) < 20, right, 0.5)
    rounds = (Round(0, 20, 20), Round(20, 40, 20))
    outcomes = {
        name: replace(holdout(target, two_class(values)), rounds=rounds)
        for name, values in (("net", mixed), ("base", wrong))
    }
    found = compare("net", ["base"], outcomes, BINARY, "auroc")[0]
    assert (found.difference, found.low, found.high) == (0.75, -1.0, 1.0)
