"""Calibration, measured: equal to scikit-learn's and to hand counts, exact sums, and truths that are known."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from benchmarks.calibrated import PATIENTS, ROWS, Said, finds_fault
from benchmarks.simulated import OBJECTIVE, World
from pipelines.evaluation import recalibration, scores
from pipelines.evaluation.calibration import LIMITS, brier_parts, measured, sentence, told_honestly
from pipelines.evaluation.calibration_error import Binned, debiased
from pipelines.evaluation.recalibration import Rows, expit, log_odds
from pipelines.objectives.objective import Predictions
from pipelines.report.document import Estimate

from .cases import BINARY, NUMBER, TERNARY, holdout, two_class

LEVELS = st.sampled_from([0.0, 0.1, 0.25, 0.25, 0.5, 0.75, 1.0])


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def said_and_done(rng, n=300, slope=1.4, intercept=-0.3):
    logit = rng.normal(scale=1.5, size=n)
    return (rng.random(n) < expit(intercept + slope * logit)).astype(int), expit(logit)


@pytest.mark.parametrize("weighted", [False, True])
def test_slope_and_intercept_equal_unpenalised_logistic_regression(rng, weighted):
    target, probability = said_and_done(rng)
    weight = rng.integers(0, 4, len(target)) if weighted else None
    logit = log_odds(probability)[:, np.newaxis]
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logit, target, sample_weight=weight)
    intercept, slope = recalibration.recalibrated(Rows.of(target, probability, weight))
    assert slope == pytest.approx(theirs.coef_[0, 0], rel=1e-5)
    assert intercept == pytest.approx(theirs.intercept_[0], rel=1e-5)


def test_in_the_large_is_what_must_be_added_for_as_much_to_be_predicted_as_happened(rng):
    target, probability = said_and_done(rng)
    logit = log_odds(probability)
    added = brentq(lambda each: (target - expit(logit + each)).sum(), -5, 5)
    assert recalibration.in_the_large(Rows.of(target, probability)).value == pytest.approx(added, abs=1e-9)


def test_errors_of_the_slope_are_those_of_the_sandwich(rng):
    """By the definition: the inverse information around the spread of the units' scores."""
    target, probability = said_and_done(rng)
    ids = rng.integers(0, 40, len(target))
    rows = Rows.of(target, probability, clusters=ids)
    intercept, slope = recalibration.recalibrated(rows)
    design = np.column_stack([np.ones(len(target)), rows.logit])
    chance = expit(intercept + slope * rows.logit)
    scored = np.array([(design * (target - chance)[:, None])[ids == each].sum(axis=0) for each in np.unique(ids)])
    bread = np.linalg.inv(design.T @ (design * (chance * (1 - chance))[:, None]))
    error = math.sqrt((bread @ scored.T @ scored @ bread)[1, 1] * 40 / 39)
    found = recalibration.slope(rows)
    assert (found.high - found.low) / 2 == pytest.approx(2.0226909 * error, rel=1e-5)  # t of 39 degrees of freedom


def test_what_cannot_be_fitted_is_undefined():
    apart = Rows.of(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9]))
    # Steps end here because no row is in doubt any more, not because they have arrived.
    said = [0.625, 0.00897, 0.00776, 0.00225, 0.3, 0.00874, 0.02, 0.00821, 0.00797, 0.468]
    rounded = Rows.of(np.array([1, 1, 1, 1, 1, 1, 1, 1, 0, 1]), np.array(said))
    assert math.isnan(recalibration.slope(rounded).value)
    alike = Rows.of(np.array([0, 1, 1, 0]), np.full(4, 0.4))
    alone = Rows.of(np.ones(4, int), np.array([0.1, 0.2, 0.8, 0.9]))
    for rows in (apart, alike, alone):
        assert all(math.isnan(each) for each in recalibration.recalibrated(rows))
    assert math.isnan(recalibration.in_the_large(alone).value)
    assert recalibration.in_the_large(alike).value == pytest.approx(math.log(0.6 / 0.4))


def test_certain_rows_count_as_half_a_row():
    rows = Rows.of(np.array([0, 1, 1, 0]), np.array([0.0, 1.0, 0.5, 0.5]))
    assert rows.logit == pytest.approx([math.log(1 / 7), math.log(7), 0, 0])


def test_the_test_errs_as_often_as_it_says_and_without_a_fit():
    found = [
        recalibration.score_test(Rows.of(*said_and_done(np.random.default_rng(seed), 80, 1, 0))) for seed in range(400)
    ]
    assert np.mean(np.array(found) < 0.05) == pytest.approx(0.05, abs=0.03)
    apart = Rows.of(np.repeat([0, 1], 20), np.repeat([0.3, 0.7], 20))
    assert recalibration.score_test(apart) < 0.001


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 1), LEVELS, st.sampled_from([0.5, 1.0, 3.0]), st.integers(0, 6)),
        min_size=2,
        max_size=60,
    )
)
def test_the_parts_of_the_brier_score_add_up_to_it_exactly(rows):
    target, probability, weight, ids = (np.array(column) for column in zip(*rows, strict=True))
    # Three bins, so that most hold several probabilities.
    binned = Binned(Rows.of(target, probability, weight, ids), probability, bins=3)
    parts = {name: each.value for name, each in brier_parts(binned).items()}
    total = parts["reliability"] - parts["resolution"] + parts["uncertainty"] + parts["within_bins"]
    assert total == pytest.approx(parts["brier"], abs=1e-12)
    assert parts["brier"] == pytest.approx(brier_score_loss(target, probability, sample_weight=weight, pos_label=1))


def test_the_parts_of_the_brier_score_by_hand():
    # One probability a bin, so nothing is within bins: Murphy's three terms, less what chance adds to two of them.
    target, probability = np.array([1, 0, 0, 1, 1, 1]), np.array([0.2] * 3 + [0.6] * 3)
    binned = Binned(Rows.of(target, probability), probability, bins=2)
    assert binned.reliability == pytest.approx(((1 / 3 - 0.2) ** 2 + (1 - 0.6) ** 2) / 2)
    found = brier_parts(binned)
    of_rate = (2 / 3) * (1 / 3) / 5  # variance of the rate of 6 rows
    assert found["uncertainty"].value == pytest.approx((2 / 3) * (1 / 3) + of_rate)
    assert found["resolution"].value == pytest.approx((1 / 3) ** 2 - binned.noise + of_rate)
    assert found["within_bins"].value == pytest.approx(0)


def test_chance_is_taken_from_reliability_so_that_of_calibrated_rows_it_is_0_on_average():
    plain, corrected = [], []
    for seed in range(150):
        outcome = Said(ROWS).tested(seed)
        rows = Rows.of(outcome.target, outcome.predictions.values[:, 1])
        binned = Binned(rows, outcome.predictions.values[:, 1])
        plain.append(binned.reliability)
        corrected.append(binned.reliability - binned.noise)
    error = np.std(corrected) / math.sqrt(len(corrected))
    assert abs(np.mean(corrected)) < 4 * error
    assert np.mean(plain) > 20 * error


def test_plain_error_equals_the_bins_of_scikit_learn(rng):
    target, probability = said_and_done(rng, 450)
    observed, predicted = calibration_curve(target, probability, n_bins=15, strategy="quantile")
    assert scores.expected_calibration_error(target, probability) == pytest.approx(np.abs(observed - predicted).mean())
    assert np.abs(Binned(Rows.of(target, probability), probability).excess).sum() == pytest.approx(
        scores.expected_calibration_error(target, probability)
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), LEVELS, st.integers(0, 3)), min_size=2, max_size=40))
def test_bins_are_those_of_the_plain_error(rows):
    target, probability, weight = (np.array(column) for column in zip(*rows, strict=True))
    binned = Binned(Rows.of(target, probability, weight), probability, bins=5)
    if weight.sum():
        plain = scores.expected_calibration_error(target, probability, weight, bins=5)
        assert np.abs(binned.excess).sum() == pytest.approx(plain)


@pytest.mark.parametrize("world", [ROWS, PATIENTS], ids=["rows", "patients"])
def test_intervals_hold_the_truth_as_often_as_they_say(world):
    """Roughly; `python -m benchmarks.coverage` measures it."""
    said, held = Said(world, 2.0, 0.3), []
    for seed in range(80):
        found = measured(said.tested(seed), OBJECTIVE)
        held.append([found[name].low <= truth <= found[name].high for name, truth in said.truth.items()])
    shares = dict(zip(said.truth, np.mean(held, axis=0), strict=True))
    assert min(shares.values()) >= 0.875, shares
    assert min(np.mean(held), 0.99) == np.mean(held), shares


def test_a_calibrated_model_is_not_found_at_fault_and_its_interval_holds_0():
    tests = [Said(ROWS).tested(seed) for seed in range(60)]
    found = [measured(each, OBJECTIVE) for each in tests]
    plain = [scores.expected_calibration_error(each.target, each.predictions.values[:, 1]) for each in tests]
    errors = [each["debiased_calibration_error"] for each in found]
    assert np.mean([each.low == 0 for each in errors]) >= 0.9
    assert np.mean([each.value for each in errors]) < np.mean(plain) / 2
    assert np.mean(["cannot be told" in sentence("it", each) for each in found]) >= 0.86
    assert np.mean([finds_fault(Said(ROWS, 2.0), seed) for seed in range(10)]) > 0.6


def test_copies_of_rows_make_nothing_surer(rng):
    target, probability = said_and_done(rng, 200)
    once = holdout(target, two_class(probability))
    twice = holdout(np.tile(target, 2), two_class(np.tile(probability, 2)), ids=np.tile(np.arange(200), 2))
    alone, copied = (measured(each, BINARY) for each in (once, twice))
    for name in (
        "debiased_calibration_error",
        "slope",
        "in_the_large",
        "observed_minus_predicted",
        "brier",
        "resolution",
    ):
        assert copied[name].value == pytest.approx(alone[name].value, abs=0.012), name
        width, other = (each[name].high - each[name].low for each in (copied, alone))
        assert width == pytest.approx(other, rel=0.12), name


def test_weights_of_0_are_absent_rows(rng):
    target, probability = said_and_done(rng, 200)
    weight = (np.arange(200) % 3 > 0).astype(float)
    kept = weight > 0
    all_rows = measured(holdout(target, two_class(probability), weight=weight), BINARY)
    fewer = measured(holdout(target[kept], two_class(probability[kept]), weight=weight[kept]), BINARY)
    for name, each in all_rows.items():
        assert each.value == pytest.approx(fewer[name].value, rel=1e-6, abs=1e-9), name
        assert each.high == pytest.approx(fewer[name].high, rel=1e-6, abs=1e-9, nan_ok=True), name


def test_several_classes_are_judged_by_their_top_label(rng):
    values = rng.dirichlet(np.ones(3), 300)
    target = (values.cumsum(axis=1) > rng.random((300, 1))).argmax(axis=1)
    found = measured(holdout(target, Predictions(values)), TERNARY)
    hit, top = scores.top_label(target, values)
    assert found["observed_minus_predicted"].value == pytest.approx(np.mean(hit - top))
    assert found["slope"].value == pytest.approx(recalibration.recalibrated(Rows.of(hit, top))[1])
    assert "brier" not in found


def test_nothing_is_said_of_numbers_or_without_rows():
    assert measured(holdout(np.array([1.0, 2.0]), Predictions(np.array([1.0, 2.0]))), NUMBER) == {}
    assert measured(holdout(np.array([0, 1]), two_class([0.2, 0.6]), weight=np.zeros(2)), BINARY) == {}


def test_one_unit_has_values_without_intervals():
    found = measured(holdout(np.array([0, 1, 1]), two_class([0.2, 0.6, 0.3]), ids=np.zeros(3)), BINARY)
    assert found["observed_minus_predicted"].value == pytest.approx((2 - 1.1) / 3)
    assert all(math.isnan(each.low) for name, each in found.items() if name != "reliability")


def test_a_perfect_and_certain_model_is_not_known_to_be_perfect():
    target = np.tile([0, 1], 10)
    found = debiased(Binned(Rows.of(target, target.astype(float)), target.astype(float)))
    assert (found.value, found.low) == (0, 0)
    assert 0 < found.high < 0.3


def test_the_interval_of_the_plain_error_is_that_of_the_true_one_and_reaches_to_it():
    plain = {"expected_calibration_error": Estimate(0.06, 0.05, 0.08), "auroc": Estimate(0.8)}
    told = told_honestly(plain, {"debiased_calibration_error": Estimate(0.01, 0.0, 0.04)})
    assert told["expected_calibration_error"] == Estimate(0.06, 0.0, 0.06)
    assert told["auroc"] is plain["auroc"]
    assert told_honestly(plain, {}) == plain


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (Said(World(rows=4000), 2.0), "overconfident, too near 0 and 1"),
        (Said(World(rows=4000), 0.5), "underconfident, too far from 0 and 1"),
        (Said(World(rows=4000), 1.0, 0.8), "too high by"),
        (Said(World(rows=4000), 1.0, -0.8), "too low by"),
        (Said(World(rows=300)), "cannot be told from calibrated ones"),
    ],
)
def test_a_sentence_says_what_is_wrong(said, words):
    assert words in sentence("mlp", measured(said.tested(0), OBJECTIVE))


@pytest.mark.parametrize("rows", [10, 40])
@pytest.mark.parametrize("certain", [0.02, 0.3, 0.5])
def test_intervals_of_few_rows_hold_nothing_impossible(rng, rows, certain):
    for _ in range(5):
        probability = np.clip(rng.random(rows), certain, 1 - certain) * rng.choice([0.01, 1], rows)
        found = measured(holdout(rng.integers(0, 2, rows), two_class(probability)), BINARY)
        assert found["debiased_calibration_error"].value <= 1
        for name, (lowest, highest) in LIMITS.items():
            each = found[name]
            # An estimate that chance was taken from may lie outside; the interval then reaches just to it.
            assert each.low >= min(lowest, each.value), name
            assert each.high <= max(highest, each.value), name


def told(p_value=math.nan, **changed):
    """Measures of a contender that nothing is wrong with, but for these."""
    fine = {"debiased_calibration_error": (0.0, 0.0, 0.05), "slope": (1.0, 0.8, 1.2),
            "observed_minus_predicted": (0.0, -0.1, 0.1)}  # fmt: skip
    return {name: Estimate(*ends) for name, ends in (fine | changed).items()} | {"p_value": Estimate(p_value)}


def test_few_rows_are_not_said_to_look_calibrated():
    assert "cannot be told from calibrated ones: their error" in sentence("mlp", told())
    few = sentence("mlp", told(debiased_calibration_error=(0.1, 0.0, 0.9)))
    assert few.startswith("Whether mlp's probabilities come true cannot be told from so few rows")
    assert few.endswith("their error may be anything up to 0.900.")


def test_a_sentence_names_what_is_sure_however_fault_was_found():
    off = {"debiased_calibration_error": (0.42, 0.2, 0.6), "observed_minus_predicted": (-0.422, -0.6, -0.2)}
    for p_value in (0.3, 0.001, math.nan):
        assert "too high by 42.2 points on average" in sentence("mlp", told(p_value, slope=(5.592, -1, 12), **off))
    unsure = sentence("mlp", told(debiased_calibration_error=(0.1, 0.05, 0.2), slope=(5.592, -1.0, 12.0)))
    assert "wrong in places" in unsure
    assert "neither over- nor underconfident" not in unsure
    undefined = sentence("mlp", told(slope=(math.nan,), **off))
    assert "(slope undefined; error 0.420, 0.200 to 0.600)" in undefined
