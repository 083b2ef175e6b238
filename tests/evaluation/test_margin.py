"""Not worse by more than a margin: each test has its own form of it, and the verdict says it in words."""

import math

import numpy as np
import pytest
from scipy import stats

from pipelines.evaluation.comparison import compare, corrected_resampled_t
from pipelines.evaluation.delong import difference_error
from pipelines.evaluation.outcome import Outcome, Round
from pipelines.evaluation.verdict import judge
from pipelines.objectives.objective import Predictions
from pipelines.report.document import Comparison, Cost, Estimate, Scorecard
from pipelines.task import Limits

from .cases import BINARY, NUMBER, holdout, noisy_scores, two_class

MARGIN = 0.05


@pytest.fixture
def sides():
    rng = np.random.default_rng(0)
    target, score = noisy_scores(rng, 300)
    logit = np.log(score / (1 - score))
    ours, theirs = (1 / (1 + np.exp(-(logit + 0.5 * rng.normal(size=300)))) for _ in range(2))
    return target, two_class(ours), two_class(theirs)


def test_of_delong_it_is_the_normal_tail(sides):
    target, ours, theirs = sides
    outcomes = {"net": holdout(target, ours), "base": holdout(target, theirs)}
    (found,) = compare("net", ["base"], outcomes, BINARY, "auroc", margin=MARGIN)
    difference, error = difference_error(target, ours.values[:, 1], theirs.values[:, 1])
    assert found.p_non_inferior == pytest.approx(stats.norm.sf((difference + MARGIN) / error))
    assert found.margin == MARGIN
    (plain,) = compare("net", ["base"], outcomes, BINARY, "auroc")
    assert math.isnan(plain.p_non_inferior)
    assert plain.p_value == found.p_value


def test_of_folds_it_is_students_tail(sides):
    target, ours, theirs = sides
    rounds = tuple(Round(start, start + 60, 240) for start in range(0, 300, 60))
    outcomes = {name: Outcome(target, side, rounds, np.arange(300)) for name, side in (("net", ours), ("base", theirs))}
    (found,) = compare("net", ["base"], outcomes, BINARY, "auroc", margin=MARGIN)
    per_fold = [[fold["auroc"] for fold in outcomes[name].fold_scores(BINARY)] for name in ("net", "base")]
    # Testing a lead of more than -margin is testing a shifted lead of more than 0.
    shifted = np.subtract(*per_fold) + MARGIN
    two_sided = corrected_resampled_t(shifted, 240, 60)[3]
    assert found.p_non_inferior == pytest.approx(two_sided / 2 if shifted.mean() > 0 else 1 - two_sided / 2)


@pytest.mark.parametrize("score", ["mae", "r2"])
def test_of_the_bootstrap_it_agrees_with_the_interval(score):
    """The upper and lower ends of the interval are where the one-sided p-value is 2.5 %, whatever the direction."""
    rng = np.random.default_rng(1)
    target = rng.normal(size=200)
    sides = {name: holdout(target, Predictions(target + rng.normal(size=200))) for name in ("net", "base")}
    (plain,) = compare("net", ["base"], sides, NUMBER, score, resamples=2000)
    inside, outside = (
        compare("net", ["base"], sides, NUMBER, score, resamples=2000, margin=-plain.low + shift)[0].p_non_inferior
        for shift in (-0.03, 0.03)
    )
    assert outside < 0.025 < inside
    if plain.low < 0:
        exactly = compare("net", ["base"], sides, NUMBER, score, resamples=2000, margin=-plain.low)[0]
        assert exactly.p_non_inferior == pytest.approx(0.025, abs=0.002)


def card(name, value):
    return Scorecard(name, "network" if name.startswith("net") else "classical", {"auroc": Estimate(value)}, Cost(1.0))


def verdict(difference, p_non_inferior, margin=0.02, networks=("net",), half=0.01, test="DeLong", **more):
    compared = [
        Comparison(
            name, "forest", "auroc", difference, difference - half, difference + half, 0.3, test,
            margin=margin, p_non_inferior=p_non_inferior, **more,
        )
        for name in networks
    ]  # fmt: skip
    cards = [*(card(name, 0.8 + difference) for name in networks), card("forest", 0.8)]
    return judge(Limits(), list(networks), ["forest"], cards, compared, "auroc", True, n=500)


def test_yes_where_being_worse_by_the_margin_is_refuted():
    found = verdict(-0.001, 0.001)
    assert (found.non_inferior, found.margin) == ("yes", 0.02)
    assert found.network_beats_best_baseline == "inconclusive"
    assert "It is not worse by more than the margin of 0.02 AUROC (one-sided p = 0.001)." in found.sentence


def test_no_where_the_whole_interval_lies_beyond():
    found = verdict(-0.05, 1 - 1e-4)
    assert found.non_inferior == "no"
    assert "It is worse by more than the margin of 0.02 AUROC." in found.sentence
    assert verdict(-0.029, 0.98).non_inferior == "inconclusive", "the upper end is within the margin"


def test_undecided_between_them():
    found = verdict(-0.015, 0.2)
    assert found.non_inferior == "inconclusive"
    assert "is not decided (one-sided p = 0.2; 0.025 would do)" in found.sentence
    assert verdict(math.nan, 1.0).non_inferior == "inconclusive"


def test_choosing_among_networks_costs_certainty_either_way():
    assert verdict(-0.001, 0.02).non_inferior == "yes"
    assert verdict(-0.001, 0.02, networks=("net", "net2")).non_inferior == "inconclusive"
    assert verdict(-0.05, 0.98).non_inferior == "no"
    assert verdict(-0.05, 0.98, networks=("net", "net2")).non_inferior == "inconclusive"


def test_without_a_margin_nothing_is_said_of_one():
    found = verdict(-0.001, math.nan, margin=0.0)
    assert (found.non_inferior, found.margin) == ("", 0.0)
    assert "margin" not in found.sentence


@pytest.mark.parametrize(
    ("rows", "units", "said"),
    [
        (2400.0, 500, "About 2,400 more tested rows would decide it if the lead stays as it is (80 % power)."),
        (2400.0, 100, "About 2,400 more tested rows (of 480 more ids) would decide it"),
        (math.inf, 500, "More rows would not decide it while the lead stays as it is"),
    ],
)
def test_the_sentence_says_what_would_decide(rows, units, said):
    found = verdict(0.005, math.nan, margin=0.0, rows_to_decide=rows, units=units)
    assert said in found.sentence
    assert found.rows_to_decide == rows


@pytest.mark.parametrize("rows", [0.0, math.nan])
def test_nothing_is_said_of_rows_where_none_are_needed_or_nothing_is_known(rows):
    found = verdict(0.005, math.nan, margin=0.0, rows_to_decide=rows, units=500)
    assert "more tested rows" not in found.sentence
    assert "More rows" not in found.sentence


def test_of_rows_in_time_the_units_are_stretches():
    in_time = verdict(0.005, math.nan, margin=0.0, rows_to_decide=2400.0, units=100, test="paired block bootstrap t")
    assert "(of 480 more stretches of time) would decide it" in in_time.sentence
