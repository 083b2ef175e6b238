"""The verdict says yes only where the test does, and fails what could not be measured."""

import math
from dataclasses import replace

import pytest

from pipelines.evaluation.verdict import judge
from pipelines.report.document import Comparison, Cost, Estimate, Gap, Scorecard
from pipelines.task import Limits

NO_LIMITS = Limits()


def card(name, value, kind="classical", gaps=(), **scores):
    values = {"auroc": Estimate(value), **{key: Estimate(number) for key, number in scores.items()}}
    return Scorecard(name, kind, values, Cost(1.0), gaps=gaps)


def versus(difference, p_value, contender="net", baseline="forest", score="auroc"):
    return Comparison(contender, baseline, score, difference, difference - 0.01, difference + 0.01, p_value, "DeLong")


def verdict(difference, p_value, limits=NO_LIMITS, network=None):
    network = network or card("net", 0.85 + difference, "network")
    cards = [network, card("forest", 0.85), card("prior", 0.5)]
    comparisons = [versus(difference, p_value), versus(0.35, 1e-9, baseline="prior")]
    return judge(limits, ["net"], ["forest", "prior"], cards, comparisons, "auroc", True, n=891)


def test_yes_needs_a_significant_difference_to_the_best_baseline():
    found = verdict(0.02, 0.01)
    assert found.network_beats_best_baseline == "yes"
    assert (found.winner, found.network, found.best_baseline) == ("net", "net", "forest")
    assert found.sentence == (
        "Yes: on 891 tested rows net beats forest, the best baseline, by 0.02 AUROC "
        "(95 % interval of the difference +0.01 to +0.03, p = 0.01)."
    )


def test_no_where_it_is_significantly_worse():
    found = verdict(-0.02, 0.0001)
    assert found.network_beats_best_baseline == "no"
    assert found.winner == "forest"
    assert found.sentence.startswith("No: on 891 tested rows net is worse than forest")
    assert "p < 0.001" in found.sentence


@pytest.mark.parametrize("difference", [0.005, -0.005])
def test_inconclusive_where_chance_explains_it(difference):
    found = verdict(difference, 0.05)
    assert found.network_beats_best_baseline == "inconclusive"
    assert found.winner == ("net" if difference > 0 else "forest")
    assert "cannot be told apart" in found.sentence
    assert f"{found.winner} is ahead by 0.005 AUROC" in found.sentence


def test_of_equal_scores_nobody_is_ahead():
    said = verdict(0.0, 1.0).sentence
    assert "both have the same AUROC" in said
    assert "ahead" not in said


def test_lower_is_better_for_an_error():
    cards = [
        Scorecard(name, "classical", {"rmse": Estimate(value)}, Cost(1.0))
        for name, value in (("net", 2.0), ("ridge", 3.0), ("prior", 9.0))
    ]
    found = judge(
        Limits(primary_at_least=2.5),
        ["net"],
        ["prior", "ridge"],
        cards,
        [versus(1.0, 0.001, baseline="ridge", score="rmse")],
        "rmse",
        False,
        n=50,
    )
    assert (found.winner, found.best_baseline, found.network_beats_best_baseline) == ("net", "ridge", "yes")
    assert found.limits[0].passed


def test_choosing_among_networks_costs_significance():
    cards = [card("net", 0.87), card("deep", 0.86), card("forest", 0.85)]
    comparisons = [versus(0.02, 0.03), versus(0.01, 0.2, contender="deep")]
    found = judge(Limits(), ["net", "deep"], ["forest"], cards, comparisons, "auroc", True, n=10)
    assert found.network == "net"
    assert found.network_beats_best_baseline == "inconclusive"
    assert "p = 0.06 as the best of 2 networks" in found.sentence
    assert "as the best of" not in verdict(0.005, 0.3).sentence


def test_an_undefined_score_never_wins():
    cards = [card("net", math.nan), card("forest", 0.5)]
    found = judge(Limits(), ["net"], ["forest"], cards, [versus(math.nan, 1.0)], "auroc", True, n=10)
    assert found.winner == "forest"
    assert found.network_beats_best_baseline == "inconclusive"
    assert "could not be compared" in found.sentence


def test_every_limit_is_checked_on_the_network():
    gaps = (
        Gap("sex", "equalized_odds", 0.08, 0.9, 0.0, 0.2),
        Gap("age", "equalized_odds", 0.3, 0.6, 0.1, 0.5),
        Gap("sex", "demographic_parity", 0.5, 0.5, 0.4, 0.6),
    )
    network = card("net", 0.9, "network", gaps, expected_calibration_error=0.02)
    limits = Limits(True, 0.88, {"equalized_odds": 0.1}, 0.05)
    found = verdict(0.05, 0.001, limits, network)
    assert [(each.name, each.value, each.limit, each.passed) for each in found.limits] == [
        ("beats_best_baseline", 0.05, 0.0, True),
        ("primary_at_least", 0.9, 0.88, True),
        ("gap_at_most/sex/equalized_odds", 0.08, 0.1, True),
        ("gap_at_most/age/equalized_odds", 0.3, 0.1, False),
        ("calibration_error_at_most", 0.02, 0.05, True),
    ]
    assert not found.passed
    assert verdict(0.05, 0.001, Limits(True, 0.88, {}, 0.05), network).passed
    assert not verdict(0.001, 0.5, Limits(beats_best_baseline=True)).passed


@pytest.mark.parametrize(("score", "asked"), [("", 1), ("auroc", 1), ("accuracy", 0)])
def test_a_limit_is_asked_of_the_score_it_is_meant_for_only(score, asked):
    assert len(verdict(0.05, 0.001, Limits(primary_at_least=0.8, score=score)).limits) == asked


def test_what_was_not_measured_is_not_known_to_hold():
    undefined = card("net", 0.9, "network", (Gap("sex", "equalized_odds", math.nan, math.nan, math.nan, math.nan),))
    limits = Limits(gap_at_most={"equalized_odds": 0.1, "demographic_parity": 0.2}, calibration_error_at_most=0.1)
    found = verdict(0.05, 0.001, limits, undefined)
    assert [each.name for each in found.limits] == [
        "gap_at_most/sex/equalized_odds",
        "gap_at_most/demographic_parity",
        "calibration_error_at_most",
    ]
    assert not any(each.passed for each in found.limits)


def test_without_limits_everything_passes():
    assert verdict(-0.02, 0.0001).passed
    assert verdict(-0.02, 0.0001).limits == ()


def test_of_two_attributes_a_limit_is_held_by_what_is_sure_of_the_gap():
    gaps = (
        Gap("sex", "equalized_odds", 0.08, 0.9, 0.0, 0.2),
        Gap("sex x age", "equalized_odds", 0.5, 0.9, 0.05, 0.8, intersection=True),
        Gap("sex x job", "equalized_odds", 0.5, 0.9, 0.15, 0.8, intersection=True),
        Gap("age x job", "equalized_odds", math.nan, math.nan, math.nan, math.nan, intersection=True),
        Gap("age x zip", "equalized_odds", 0.3, 0.5, math.nan, math.nan, intersection=True),
    )
    network = card("net", 0.9, "network", gaps)
    found = judge(
        Limits(gap_at_most={"equalized_odds": 0.1}),
        ["net"],
        ["base"],
        [network, card("base", 0.8)],
        [],
        "auroc",
        True,
        100,
    )
    assert [(each.name, each.passed) for each in found.limits] == [
        ("gap_at_most/sex/equalized_odds", True),
        ("gap_at_most/sex x age/equalized_odds/low_end", True),
        ("gap_at_most/sex x job/equalized_odds/low_end", False),
        ("gap_at_most/age x zip/equalized_odds/low_end", False),
    ]


@pytest.mark.parametrize(("latency", "holds"), [(2.0, True), (5.0, True), (5.1, False), (math.nan, False)])
def test_a_single_row_may_take_so_long_and_what_was_not_measured_is_not_known_to_hold(latency, holds):
    network = replace(card("net", 0.9, "network"), cost=Cost(1.0, latency_ms=latency, latency_ms_95=99.0))
    (found,) = verdict(0.05, 0.01, Limits(latency_ms_at_most=5.0), network).limits
    assert (found.name, found.limit, found.passed) == ("latency_ms_at_most", 5.0, holds)
    assert verdict(0.05, 0.01, network=network).limits == ()
