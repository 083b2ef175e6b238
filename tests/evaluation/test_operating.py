"""Operating points of contenders whose ROC curve is known."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_curve

from pipelines.evaluation.comparison import holm
from pipelines.evaluation.intervals import estimates
from pipelines.evaluation.operating import RocPoints, leads, measured
from pipelines.evaluation.outcome import Outcome, Round
from pipelines.evaluation.predictive import predictive_values
from pipelines.evaluation.replicates import replicate
from pipelines.objectives.operating import Chosen, Target, chosen, targets

from .cases import Slow, holdout, noisy_scores, two_class

USUAL = targets("specificity:0.9,specificity:0.95,sensitivity:0.9,sensitivity:0.95")
TRUTH = {str(each): float(norm.cdf(1.5 - norm.ppf(each.share))) for each in USUAL}
"""The other side of two normal distributions that are 1.5 standard deviations apart."""


def scored(rng, n, groups=None):
    """Rows of that separation, several of each group sharing some of what makes them look positive."""
    target = (rng.random(n) < 0.4).astype(int)
    score = rng.normal(size=n) + 1.5 * target
    return target, norm.cdf(score - 0.75)


def thresholds(*pairs):
    return [[Chosen(Target.parse(text), threshold, 100) for text, threshold in pairs]]


def test_at_a_threshold_shares_are_those_that_are_counted():
    target = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    said = two_class([0.9, 0.8, 0.7, 0.2, 0.75, 0.4, 0.3, 0.2, 0.1, 0.1])
    (point,) = measured(holdout(target, said), thresholds(("specificity:0.8", 0.7)))
    assert (point.sensitivity.value, point.specificity.value) == (0.75, 5 / 6)
    assert (point.precision.value, point.right_negatives.value, point.prevalence) == (0.75, 5 / 6, 0.4)
    assert not point.stated
    assert point.sensitivity.low == pytest.approx(0.301, abs=1e-3)  # Wilson's, of 3 of 4


def test_each_round_is_decided_at_its_own_threshold():
    target, said = np.array([1, 0, 1, 0]), two_class([0.6, 0.4, 0.3, 0.1])
    outcome = Outcome(target, said, (Round(0, 2, 8), Round(2, 4, 8)), np.arange(4))
    by_round = [*thresholds(("specificity:0.8", 0.5)), *thresholds(("specificity:0.8", 0.2))]
    (point,) = measured(outcome, by_round)
    assert (point.sensitivity.value, point.specificity.value, point.thresholds) == (1.0, 1.0, (0.5, 0.2))


@pytest.mark.parametrize("ties", [False, True])
def test_the_curve_is_read_as_scikit_learn_draws_it(ties):
    target, probability = noisy_scores(np.random.default_rng(1), 300)
    probability = np.round(probability, 1) if ties else probability
    weight = np.random.default_rng(2).integers(0, 3, 300).astype(float)
    false, found, _ = roc_curve(target, probability, sample_weight=weight, drop_intermediate=False)
    said = RocPoints(USUAL).scores(target, two_class(probability), weight)
    for each in USUAL[:2]:
        # Where the curve stands upright its upper end counts, which np.interp does not take.
        expected = np.interp(1 - each.share + 1e-12, false, found)
        assert said[each.name] == pytest.approx(expected, abs=1e-9)
    for each in USUAL[2:]:
        expected = 1 - np.interp(each.share - 1e-12, found, false)
        assert said[each.name] == pytest.approx(expected, abs=1e-9)


def test_many_resamples_at_once_are_those_one_by_one():
    target, probability = noisy_scores(np.random.default_rng(3), 120)
    clusters = np.arange(120) // 3
    quick = replicate(target, two_class(probability), RocPoints(USUAL), None, clusters, 100, 5)
    slow = replicate(target, two_class(probability), Slow(RocPoints(USUAL)), None, clusters, 100, 5)
    for name, values in quick.items():
        np.testing.assert_allclose(values, slow[name], atol=1e-9)


def test_of_one_class_nothing_is_known():
    ones = np.ones(30, int)
    found = RocPoints(USUAL).scores(ones, two_class(np.linspace(0, 1, 30)))
    assert all(math.isnan(value) for value in found.values())


def test_intervals_hold_the_truth_as_often_as_they_say():
    """Both at thresholds that were chosen beforehand, and on the curve, where the place is found on the same rows."""
    rng, asked, repeats = np.random.default_rng(4), USUAL[:1] + USUAL[2:3], 100
    cut = {"specificity:0.9": norm.cdf(norm.ppf(0.9) - 0.75), "sensitivity:0.9": norm.cdf(0.75 - norm.ppf(0.9))}
    by_round = [[Chosen(each, cut[str(each)], 100) for each in asked]]
    held = {str(each): np.zeros(2) for each in asked}
    for repeat in range(repeats):
        target, probability = scored(rng, 250)
        for point in measured(holdout(target, two_class(probability)), by_round, resamples=100, seed=repeat):
            truth, other = TRUTH[point.target], getattr(point, point.other)
            held[point.target] += [other.low <= truth <= other.high, point.on_curve.low <= truth <= point.on_curve.high]
    for shares in held.values():
        assert (shares / repeats > 0.88).all()
        assert (shares / repeats < 1).all()


def test_rows_of_one_patient_count_together():
    target, probability = scored(np.random.default_rng(5), 100)
    said, ids = two_class(np.repeat(probability, 5)), np.repeat(np.arange(100), 5)
    once = measured(holdout(target, two_class(probability)), thresholds(("specificity:0.9", 0.7)), 0.1)[0]
    copied = measured(holdout(np.repeat(target, 5), said, ids=ids), thresholds(("specificity:0.9", 0.7)), 0.1)[0]
    for part in ("sensitivity", "precision", "right_negatives"):
        mine, other = getattr(once, part), getattr(copied, part)
        assert other.value == pytest.approx(mine.value)
        assert other.high - other.low == pytest.approx(mine.high - mine.low, rel=0.1)
    assert copied.units == 100
    assert copied.on_curve.high - copied.on_curve.low == pytest.approx(once.on_curve.high - once.on_curve.low, rel=0.25)


def test_folds_are_judged_one_by_one_on_the_curve():
    rng = np.random.default_rng(6)
    target, probability = scored(rng, 400)
    shifted = np.where(np.arange(400) < 200, probability / 2, 0.5 + probability / 2)  # each fold has a scale of its own
    outcome = Outcome(target, two_class(shifted), (Round(0, 200, 200), Round(200, 400, 200)), np.arange(400))
    found = estimates(outcome, RocPoints(USUAL))["sensitivity_at_90_percent_specificity"]
    single = RocPoints(USUAL).scores(target, two_class(probability))["sensitivity_at_90_percent_specificity"]
    pooled = RocPoints(USUAL).scores(target, two_class(shifted))["sensitivity_at_90_percent_specificity"]
    assert abs(found.value - single) < 0.08 < single - pooled


def test_a_threshold_is_not_chosen_by_too_few_patients():
    truth = np.repeat([1, 0], [60, 40])
    probability = np.linspace(1, 0, 100)
    assert Target.parse("sensitivity:0.95").needed == 20
    assert chosen(Target.parse("sensitivity:0.95"), truth, probability).threshold > 0.4
    enough = chosen(Target.parse("sensitivity:0.95"), truth, probability, clusters=np.arange(100) // 3)
    assert (enough.units, enough.threshold > 0.4) == (20, True)
    few = chosen(Target.parse("sensitivity:0.95"), truth, probability, clusters=np.arange(100) // 4)
    assert (few.units, math.isnan(few.threshold)) == (15, True)
    (point,) = measured(holdout(truth, two_class(probability)), [[few]])
    assert point.why_not == "validation rows hold 15 independent positive ones, and 20 are needed"
    assert math.isnan(point.sensitivity.value)
    assert point.on_curve.value == 1.0
    halves = Outcome(truth, two_class(probability), (Round(0, 70, 90), Round(70, 100, 90)), np.arange(100))
    (point,) = measured(halves, [[enough], [few]])
    assert point.validated == 15, "in one round there are too few"


def test_weights_count_in_the_threshold_and_in_how_many_are_ill():
    truth, probability = scored(np.random.default_rng(12), 300)
    weight = np.random.default_rng(13).integers(0, 4, 300)
    copies = (each.repeat(weight) for each in (truth, probability))
    target = Target.parse("sensitivity:0.9")
    weighed = chosen(target, truth, probability, weight.astype(float))
    assert weighed.threshold == chosen(target, *copies).threshold
    assert weighed.threshold != chosen(target, truth, probability).threshold
    (point,) = measured(holdout(truth, two_class(probability), weight=weight.astype(float)), [[weighed]])
    assert point.prevalence == pytest.approx(truth.repeat(weight).mean())


@pytest.mark.parametrize("text", ["specificity:0.9", "sensitivity:0.9"])
def test_the_chosen_threshold_keeps_its_target_and_the_next_one_would_not(text):
    truth, probability = scored(np.random.default_rng(7), 500)
    threshold = chosen(Target.parse(text), truth, probability).threshold
    positive, step = truth == 1, np.unique(probability)

    def sides(at):
        return {
            "sensitivity": (probability >= at)[positive].mean(),
            "specificity": (probability < at)[~positive].mean(),
        }

    side = text.partition(":")[0]
    assert sides(threshold)[side] >= 0.9 - 1e-9
    towards = step[step > threshold] if side == "sensitivity" else step[step < threshold][::-1]
    of_class = [each for each in towards if (truth[probability == each] == (side == "sensitivity")).any()]
    beyond = np.nextafter(of_class[0], 2) if side == "sensitivity" else of_class[0]
    assert sides(beyond)[side] < 0.9


@pytest.mark.parametrize("text", ["sensitivity", "recall:0.9", "sensitivity:1", "specificity:0.2", "sensitivity:x"])
def test_what_is_no_target_is_refused(text):
    with pytest.raises(ValueError, match="says nothing about where to operate"):
        targets(f"specificity:0.9,{text}")
    assert targets("") == ()
    with pytest.raises(ValueError, match="asks for the same twice"):
        targets("specificity:0.9, specificity:0.90")


def test_predictive_values_follow_from_bayes_and_hold_the_truth():
    right, clear = predictive_values(0.9, 0.8, (100, 100), 0.05, 200)
    assert right.value == pytest.approx(0.9 * 0.05 / (0.9 * 0.05 + 0.2 * 0.95))
    assert clear.value == pytest.approx(0.8 * 0.95 / (0.8 * 0.95 + 0.1 * 0.05))
    rng, held = np.random.default_rng(8), np.zeros(2)
    truth = (right.value, clear.value)
    for _ in range(1000):
        drawn = predictive_values(rng.binomial(60, 0.9) / 60, rng.binomial(80, 0.8) / 80, (60, 80), 0.05, 140)
        held += [each.low <= true <= each.high for each, true in zip(drawn, truth, strict=True)]
    assert (held > 930).all()
    assert (held < 995).all()


def test_more_rows_of_the_class_that_errs_make_a_predictive_value_surer():
    def widths(*sizes):
        return np.array([each.high - each.low for each in predictive_values(0.9, 0.8, sizes, 0.3, 10**5)])

    few, negatives, positives = widths(100, 100), widths(100, 10**4), widths(10**4, 100)
    assert negatives[0] < 0.5 * few[0], "false alarms are negatives"
    assert positives[1] < 0.5 * few[1], "those that are missed are positives"


@pytest.mark.parametrize("shares", [(1.0, 1.0), (0.0, 1.0), (1.0, 0.0)])
def test_at_the_edges_predictive_values_keep_an_interval_or_are_unknown(shares):
    for value in predictive_values(*shares, (20, 30), 0.1, 50):
        assert math.isnan(value.value) or (value.low <= value.value <= value.high and value.high > value.low)


def test_the_lead_is_paired_and_corrected_for_the_targets():
    target, probability = scored(np.random.default_rng(9), 600)
    worse = np.random.default_rng(10).normal(probability, 0.25).clip(0, 1)
    outcomes = {"net": holdout(target, two_class(probability)), "old": holdout(target, two_class(worse))}
    found = leads("net", "old", outcomes, USUAL, 300, 0)
    expected = [RocPoints(USUAL).scores(target, each.predictions) for each in outcomes.values()]
    for each, test in zip(USUAL, found, strict=True):
        assert test.difference == pytest.approx(expected[0][each.name] - expected[1][each.name])
        assert test.low <= test.difference <= test.high
    alone = [leads("net", "old", outcomes, [each], 300, 0)[0].p_value for each in USUAL]
    assert [each.p_value for each in found] == pytest.approx(holm(alone))
    assert found[0].p_value >= 4 / 301  # two-sided of 300 resamples would be 2 / 301 at least, and there are four tests
    assert leads("net", "old", outcomes, (), 300, 0) == ()


def test_no_lead_goes_beyond_what_two_shares_can_differ_by():
    """Two folds in which the differences are far apart: Student's t with one degree of freedom reaches beyond 1."""
    target = np.tile([0, 1], 20)
    right, wrong = np.where(target == 1, 0.9, 0.1), np.where(target == 1, 0.1, 0.9)
    outcomes = {
        name: replace(holdout(target, two_class(values)), rounds=(Round(0, 20, 20), Round(20, 40, 20)))
        for name, values in (("net", np.where(np.arange(40) < 20, right, 0.5)), ("old", wrong))
    }
    assert [(each.low, each.high) for each in leads("net", "old", outcomes, USUAL, 300, 0)] == [(-1.0, 1.0)] * 4
