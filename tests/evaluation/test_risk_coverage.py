"""Risk against coverage: counted by hand, and areas whose intervals are as wide as a bootstrap says."""

import math

import numpy as np
import pytest

from pipelines.evaluation.outcome import Outcome, Round
from pipelines.evaluation.risk_coverage import COVERAGES, areas, curve
from pipelines.objectives.objective import Predictions


def outcome(n, rounds=None, weight=None, ids=None):
    parts = rounds or (Round(0, n, n),)
    return Outcome(np.zeros(n, int), Predictions(np.zeros((n, 2))), parts, np.arange(n), weight=weight, ids=ids)


def by_hand(wrong, confidence, weight=None):
    """The three areas by their definition."""
    weight = np.ones(len(wrong)) if weight is None else weight
    risk, lost = [], []
    for least in confidence:
        kept = confidence >= least
        risk.append(np.average(wrong[kept], weights=weight[kept]))
        lost.append(np.sum(weight[kept] * wrong[kept]) / weight.sum())
    area, general = np.average(risk, weights=weight), np.average(lost, weights=weight)
    error = np.average(wrong, weights=weight)
    return {"aurc": area, "augrc": general, "excess_aurc": area - error - (1 - error) * math.log(1 - error)}


def simulated(n=400, seed=0):
    chance = np.random.default_rng(seed)
    confidence = np.round(chance.uniform(0.5, 1, n), 2)
    return chance.random(n) > confidence, confidence


def test_the_curve_is_counted_by_hand():
    wrong = np.array([0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], bool)
    found = curve(outcome(20), wrong, np.linspace(1, 0, 20))
    assert [each.coverage for each in found] == list(COVERAGES)
    expected = np.cumsum(wrong) / np.arange(1, 21)
    assert [each.error.value for each in found] == pytest.approx(expected.tolist())
    assert all(each.error.low <= each.error.value <= each.error.high for each in found)


def test_each_fold_keeps_its_own_surest_and_ties_stay_together():
    wrong = np.array([1, 1, 0, 0, 0, 0, 0, 1], bool)
    confidence = np.array([0.9, 0.8, 0.7, 0.6, 0.4, 0.3, 0.2, 0.1])
    rounds = (Round(0, 4, 4), Round(4, 8, 4))
    found = {each.coverage: each.error.value for each in curve(outcome(8, rounds), wrong, confidence)}
    assert found[0.25] == 0.5, "the surest of either fold, of which the first is wrong"
    assert found[1.0] == 0.375
    (first, *_) = curve(outcome(8), wrong, np.ones(8))
    assert first.error.value == 0.375


def test_rows_of_one_person_make_the_curve_less_sure():
    wrong = np.repeat(np.random.default_rng(0).random(40) < 0.3, 10)
    alone, together = (
        curve(outcome(400, ids=ids), wrong, np.ones(400))[-1].error for ids in (None, np.repeat(np.arange(40), 10))
    )
    assert together.value == alone.value
    assert together.high - together.low > 2 * (alone.high - alone.low)


@pytest.mark.parametrize("weighted", [False, True])
def test_areas_are_those_of_their_definition(weighted):
    wrong, confidence = simulated()
    weight = np.random.default_rng(1).uniform(0, 2, 400) if weighted else None
    found = areas(outcome(400, weight=weight), wrong, confidence)
    assert {name: each.value for name, each in found.items()} == pytest.approx(by_hand(wrong, confidence, weight))


def test_areas_of_folds_are_the_mean_of_theirs():
    wrong, confidence = simulated()
    rounds = (Round(0, 100, 300), Round(100, 400, 100))
    found, parts = areas(outcome(400, rounds), wrong, confidence), (slice(0, 100), slice(100, 400))
    each = [by_hand(wrong[part], confidence[part]) for part in parts]
    assert {name: value.value for name, value in found.items()} == pytest.approx(
        {name: 0.25 * each[0][name] + 0.75 * each[1][name] for name in found}
    )


@pytest.mark.parametrize("clustered", [False, True])
def test_intervals_are_as_wide_as_a_bootstrap_says(clustered):
    wrong, confidence = simulated(600, 3)
    unit = np.arange(600) // 6 if clustered else np.arange(600)
    if clustered:
        wrong = wrong[unit * 6]
        confidence = confidence[unit * 6] - 1e-6 * np.arange(600)
    found = areas(outcome(600, ids=unit.astype(str) if clustered else None), wrong, confidence)
    chance, units, drawn = np.random.default_rng(0), unit.max() + 1, []
    for _ in range(300):
        weight = np.bincount(chance.integers(0, units, units), minlength=units)[unit].astype(float)
        drawn.append(by_hand(wrong, confidence, np.maximum(weight, 1e-9)))
    for name, each in found.items():
        spread = np.std([one[name] for one in drawn])
        assert (each.high - each.low) / 2 / 1.96 == pytest.approx(spread, rel=0.2)


def test_the_best_order_has_no_excess_and_one_confidence_has_the_error():
    wrong = np.arange(1000) >= 800
    found = areas(outcome(1000), wrong, np.linspace(1, 0, 1000))
    assert found["excess_aurc"].value == pytest.approx(0, abs=1e-3)
    same = areas(outcome(1000), wrong, np.ones(1000))
    assert same["aurc"].value == pytest.approx(0.2)
    assert areas(outcome(10), np.ones(10, bool), np.ones(10))["excess_aurc"].value == 0
    assert areas(outcome(10), np.zeros(10, bool), np.ones(10))["aurc"].value == 0
