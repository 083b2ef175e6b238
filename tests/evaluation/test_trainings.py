"""Several trainings of one fold: their mean is the score, and what they differ by is part of what is not known."""

import math

import numpy as np
import pytest
from scipy import stats

from pipelines.data.examples import Examples
from pipelines.evaluation import bias, intervals
from pipelines.evaluation.comparison import compare, corrected_resampled_t
from pipelines.evaluation.outcome import FoldResult, Outcome, Round
from pipelines.evaluation.spread import least_of_folds
from pipelines.objectives.objective import Predictions

from .cases import BINARY, NUMBER, noisy_scores, two_class


def outcome_of(target, probabilities, folds=1, **columns):
    """The outcome of trainings whose probabilities these are, each of all rows, in order of the folds."""
    parts = np.array_split(np.arange(len(target)), folds)
    labels = np.array(["no", "yes"], dtype=object)[target]
    examples = Examples({"x": np.zeros(len(target))}, labels, **columns)
    return Outcome.pooled(
        BINARY,
        [
            FoldResult(examples.take(part), two_class(probability[part]), part, 4 * len(part), number)
            for part in parts
            for number, probability in enumerate(probabilities)
        ],
    )


def unlike(rng, score, trainings=3, jitter=1.0):
    logit = np.log(score / (1 - score))
    return [1 / (1 + np.exp(-(logit + jitter * rng.normal(size=len(score))))) for _ in range(trainings)]


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    target, score = noisy_scores(rng, 240)
    return target, unlike(rng, score), unlike(rng, score)


def test_each_training_is_found_again_and_their_mean_is_the_score(data):
    target, probabilities, _ = data
    outcome = outcome_of(target, probabilities, folds=2)
    assert (outcome.trainings, len(outcome.parts), len(outcome.rounds)) == (3, 2, 6)
    assert [[each.training for each in fold] for fold in outcome.parts] == [[0, 1, 2]] * 2
    for number, probability in enumerate(probabilities):
        alone = outcome.training(number)
        np.testing.assert_array_equal(alone.predictions.values[:, 1], probability)
        assert (alone.trainings, len(alone.rounds), alone.clusters) == (1, 2, None)
    by_hand = [
        np.mean([BINARY.scores(target[half], two_class(each[half]))["auroc"] for each in probabilities])
        for half in (slice(0, 120), slice(120, 240))
    ]
    assert [fold["auroc"] for fold in outcome.fold_scores(BINARY)] == pytest.approx(by_hand)
    whole = np.mean([BINARY.scores(target, two_class(each))["brier"] for each in probabilities])
    assert outcome.scores(BINARY)["brier"] == pytest.approx(whole)
    assert outcome.distinct_rows == outcome.units == 240


def test_every_training_must_have_tested_every_fold():
    rounds = (Round(0, 2, 5), Round(2, 4, 5, 1), Round(4, 6, 5))
    with pytest.raises(ValueError, match="3 rounds are not 2 trainings of each fold"):
        Outcome(np.zeros(6), Predictions(np.zeros(6)), rounds, np.arange(6))


def test_the_corrected_t_sees_folds_not_trainings(data):
    target, ours, theirs = data
    outcomes = {"net": outcome_of(target, ours, 4), "base": outcome_of(target, theirs, 4)}
    (found,) = compare("net", ["base"], outcomes, BINARY, "auroc", resamples=100)
    means = [[fold["auroc"] for fold in outcomes[name].fold_scores(BINARY)] for name in ("net", "base")]
    by_training = [[[each["auroc"] for each in fold] for fold in outcomes[name].training_scores(BINARY)] for name in
                   ("net", "base")]  # fmt: skip
    least = least_of_folds(np.subtract(*by_training).tolist())
    expected = corrected_resampled_t(np.subtract(*means), 240, 60, least)
    assert (found.difference, found.low, found.high, found.p_value) == pytest.approx(expected)
    assert found.test == "corrected resampled t"
    assert found.training_sd > 0


def test_of_a_holdout_rows_and_trainings_both_widen_the_interval(data):
    target, ours, theirs = data
    outcomes = {"net": outcome_of(target, ours), "base": outcome_of(target, theirs)}
    (found,) = compare("net", ["base"], outcomes, BINARY, "auroc")
    assert found.test == "paired bootstrap t, 3 trainings"
    by_training = [
        np.subtract(*(BINARY.scores(target, two_class(side[k]))["auroc"] for side in (ours, theirs))) for k in range(3)
    ]
    assert found.difference == pytest.approx(np.mean(by_training))
    assert found.training_sd == pytest.approx(np.std(by_training, ddof=1))
    error = math.sqrt(found.training_sd**2 / 3 + found.test_sd**2)
    times = (found.high - found.difference) / error
    assert stats.t.ppf(0.975, 239) - 1e-9 <= times < stats.t.ppf(0.975, 2)
    assert found.p_value > 0.05


def test_a_lucky_seed_is_no_lead():
    """Rows agree on which trainings are better, but trainings do not agree on which contender is."""
    rng = np.random.default_rng(1)
    target, score = noisy_scores(rng, 4000)
    logit = np.log(score / (1 - score))

    def trained(leads):
        noise = rng.normal(size=len(target))
        return [1 / (1 + np.exp(-(logit + noise + lead * target))) for lead in leads]

    lucky, plain = trained([1.0, 0.9, 0.2]), trained([0.3, 0.3, 0.3])
    outcomes = {"net": outcome_of(target, lucky), "base": outcome_of(target, plain)}
    (one,) = compare("net", ["base"], {name: each.training(0) for name, each in outcomes.items()}, BINARY, "auroc")
    (three,) = compare("net", ["base"], outcomes, BINARY, "auroc", resamples=300)
    assert one.p_value < 1e-6
    assert three.p_value > 0.05
    assert three.low < 0 < three.difference
    assert three.training_sd > 3 * three.test_sd
    assert three.rows_to_decide == math.inf, "more rows would not tell a lucky seed from a better network"
    surely = {"net": outcome_of(target, trained([1.0, 0.95, 1.05])), "base": outcomes["base"]}
    assert compare("net", ["base"], surely, BINARY, "auroc", resamples=300)[0].p_value < 0.01


def test_the_same_trainings_on_both_sides_are_no_difference(data):
    target, ours, _ = data
    outcomes = {"net": outcome_of(target, ours), "same": outcome_of(target, ours)}
    (found,) = compare("net", ["same"], outcomes, BINARY, "auroc", resamples=100, margin=0.01)
    assert (found.difference, found.low, found.high, found.p_value) == (0, 0, 0, 1)
    assert found.p_non_inferior == 0


def test_scores_have_intervals_of_new_rows_and_new_trainings(data):
    target, probabilities, _ = data
    alike, apart = (
        outcome_of(target, [probabilities[0]] * 3),
        outcome_of(target, [*probabilities[:2], np.full(240, 0.4)]),
    )
    found = [
        intervals.estimates(each, BINARY, 400)["auroc"]
        for each in (outcome_of(target, probabilities[:1]), alike, apart)
    ]
    widths = [each.high - each.low for each in found]
    assert widths[1] == pytest.approx(widths[0], rel=0.15)
    assert widths[2] > 3 * widths[1]
    assert all(0 <= each.low <= each.value <= each.high <= 1 for each in found)
    spread = intervals.spread_of(apart, BINARY, 400)
    by_training = [BINARY.scores(target, each.predictions)["auroc"] for each in map(apart.training, range(3))]
    assert spread.training_sd == pytest.approx(np.std(by_training, ddof=1))
    assert math.isnan(intervals.spread_of(outcome_of(target, probabilities[:1]), BINARY).training_sd)
    assert intervals.spread_of(outcome_of(target, probabilities, folds=3), BINARY).training_sd > 0


def test_groups_count_rows_once_however_often_they_were_trained_for(data):
    target, probabilities, _ = data
    groups = {"sex": np.array(["F", "M"] * 120, dtype=object)}
    one, three = (
        bias.group_table(outcome_of(target, probabilities[:1] * n, groups=groups), BINARY).rows for n in (1, 3)
    )
    for alone, several in zip(one, three, strict=True):
        assert (several.n, several.n_positive) == (alone.n, alone.n_positive)
        assert several.metrics["tpr"].value == pytest.approx(alone.metrics["tpr"].value)
        width = [row.metrics["tpr"].high - row.metrics["tpr"].low for row in (alone, several)]
        assert width[1] == pytest.approx(width[0], rel=0.1)


def test_numbers_are_compared_over_trainings_too():
    rng = np.random.default_rng(2)
    target = rng.normal(size=300)
    examples = Examples({"x": np.zeros(300)}, target)
    sides = {
        name: Outcome.pooled(
            NUMBER,
            [
                FoldResult(examples, Predictions(target + size * rng.normal(size=300)), np.arange(300), 900, k)
                for k in range(3)
            ],
        )
        for name, size in (("net", 0.5), ("base", 1.0))
    }
    (found,) = compare("net", ["base"], sides, NUMBER, "rmse", resamples=300)
    assert 0.3 < found.low < found.high < 0.7
    assert found.p_value < 0.01


def test_folds_that_agree_by_luck_leave_what_trainings_differ_by():
    """Leads of 0.075, 0.070, 0.030 and 0.020, 0.135, 0.020: both folds' means are 0.0583, their trainings far apart."""
    leads = np.array([[0.075, 0.070, 0.030], [0.020, 0.135, 0.020]])
    n = 40
    rounds = tuple(Round(n * place, n * (place + 1), n, place % 3) for place in range(6))
    rows = np.concatenate([np.arange(n) + n * (place // 3) for place in range(6)])
    target = np.zeros(6 * n)
    ours, theirs = (Outcome(target, Predictions(said), rounds, rows) for said in
                    (np.ones(6 * n), 1 + np.repeat(leads.ravel(), n)))  # fmt: skip
    (test,) = compare("ours", ["theirs"], {"ours": ours, "theirs": theirs}, NUMBER, "rmse", 100)
    error = math.sqrt(leads.var(axis=1, ddof=1).mean() / 2 / 3)
    half = stats.t.ppf(0.975, 1) * error
    assert test.difference == pytest.approx(0.175 / 3)
    assert (test.low, test.high) == pytest.approx((0.175 / 3 - half, 0.175 / 3 + half))
    assert test.p_value > 0.05
    score = intervals.estimates(theirs, NUMBER, 100)["rmse"]
    assert (score.low, score.high) == pytest.approx((1 + 0.175 / 3 - half, 1 + 0.175 / 3 + half))
