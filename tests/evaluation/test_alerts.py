"""Alerts: a day's budget by rank, and every measure as counted by hand."""

import math

import numpy as np
import pytest

from pipelines.evaluation.alerts import alerts_of, asked, chosen
from pipelines.evaluation.outcome import Outcome, Round
from pipelines.objectives.objective import Predictions
from pipelines.task import Alerts, Protocol

DAY = np.array([0.1, 0.2, 0.3, 0.9, 1.0, 1.1, 1.5, 1.75])
FRAUD = np.array([0, 1, 1, 0, 1, 0, 0, 1])
CARD = np.array([7, 8, 8, 7, 8, 7, 9, 9])
AMOUNT = np.array([10.0, 20, 40, 80, 5, 7, 9, 100])
GOOD = np.array([0.1, 0.2, 0.9, 0.3, 0.4, 0.1, 0.2, 0.8])
BAD = np.array([0.9, 0.2, 0.1, 0.3, 0.8, 0.9, 0.2, 0.1])
RECORDS = {"day": DAY, "amount": AMOUNT, "card": CARD}


def outcome(score, rows=slice(None), fraud=FRAUD):
    number = np.arange(len(fraud))[rows]
    values = np.column_stack([1 - score, score])[rows]
    return Outcome(fraud[rows], Predictions(values), (Round(0, len(number), 10),), number)


def measured(score, budget, records=RECORDS):
    outcomes = {"net": outcome(score), "base": outcome(BAD)}
    return alerts_of(outcomes, records, Alerts(budget, cost=3.0), "net", "base", resamples=200)


def test_measures_are_those_counted_by_hand():
    """One alert a day: rows 2 (fraud, card 8, 40) and 7 (fraud, card 9, 100)."""
    found = measured(GOOD, 1)
    values = {name: each.value for name, each in found.contenders["net"].items()}
    assert values["precision"] == 1.0
    assert values["recall"] == 2 / 4
    assert values["amount_recall"] == pytest.approx(140 / 165)
    assert values["saved_per_day"] == pytest.approx((140 - 2 * 3) / 2)
    assert values["card_recall"] == 1.0
    # Card 8 is first used at .2, card 9 at 1.75; alerts are raised at the end of the day.
    assert values["card_hours_to_detection"] == pytest.approx((0.8 + 0.25) * 24 / 2)
    assert (found.days, found.alerts, found.frauds, found.rows) == (2, 2, 4, 8)
    base = {name: each.value for name, each in found.contenders["base"].items()}
    assert base["precision"] == 0.0
    assert base["saved_per_day"] == -3.0
    assert math.isnan(base["card_hours_to_detection"])  # nothing was found, so no time is known
    assert found.difference["saved_per_day"].value == pytest.approx(67 + 3)


def test_a_payment_at_no_terminal_compromises_none():
    found = measured(GOOD, 1, {**RECORDS, "terminal": np.array([0, -1, -1, 0, 3, 0, -1, 4])}).contenders["net"]
    assert found["terminal_recall"].value == 1 / 2  # of 3 and 4, which have a fraud, 4 is found
    nowhere = measured(GOOD, 1, {**RECORDS, "terminal": np.full(8, -1)}).contenders["net"]
    assert math.isnan(nowhere["terminal_recall"].value)


def test_two_alerts_a_day_find_the_next_in_rank():
    found = measured(GOOD, 2).contenders["net"]
    assert found["precision"].value == 3 / 4  # rows 2 and 3 (genuine) on the first day, 7 and 4 on the second
    assert found["recall"].value == 3 / 4


def test_a_share_is_of_each_days_rows_and_never_none():
    day = np.repeat([0, 1, 2], [100, 10, 1])
    found = chosen(np.random.default_rng(0).random(111), day, 0.05)
    assert np.bincount(day[found]).tolist() == [5, 1, 1]


def test_of_equal_scores_the_earlier_is_looked_into():
    assert chosen(np.zeros(5), np.zeros(5, int), 2).tolist() == [True, True, False, False, False]


def test_later_days_change_no_alert_of_earlier_ones():
    chance = np.random.default_rng(3)
    day, score = np.sort(chance.integers(0, 9, 500)), chance.random(500)
    other = np.where(day >= 5, chance.random(500), score)
    before = day < 5
    np.testing.assert_array_equal(chosen(score, day, 0.1)[before], chosen(other, day, 0.1)[before])


def test_rows_without_cards_have_no_measures_of_cards():
    found = measured(GOOD, 1, {"day": DAY, "amount": AMOUNT})
    assert set(found.contenders["net"]) == {"precision", "recall", "amount_recall", "saved_per_day"}


def test_records_are_found_by_the_number_of_the_row():
    rows = np.array([4, 5, 6, 7])
    outcomes = {name: outcome(score, rows) for name, score in (("net", GOOD), ("base", BAD))}
    found = alerts_of(outcomes, RECORDS, Alerts(1, cost=3.0), "net", "base", resamples=100)
    assert (found.days, found.frauds) == (1, 2)
    assert found.contenders["net"]["saved_per_day"].value == 97.0
    assert math.isnan(found.contenders["net"]["saved_per_day"].low)  # one day shows no spread


def test_intervals_are_those_of_resampled_days():
    """On many alike, independent days the interval of a share is near the binomial's."""
    chance = np.random.default_rng(1)
    days, a_day = 200, 20
    fraud = (chance.random(days * a_day) < 0.5).astype(int)
    score = chance.random(days * a_day)
    records = {"day": np.repeat(np.arange(days), a_day) + 0.5, "amount": np.ones(days * a_day)}
    outcomes = {"net": outcome(score, fraud=fraud), "base": outcome(1 - score, fraud=fraud)}
    found = alerts_of(outcomes, records, Alerts(1, cost=0.0), "net", "base", resamples=2000).contenders["net"][
        "precision"
    ]
    spread = (found.high - found.low) / (2 * 1.96)
    assert spread == pytest.approx(math.sqrt(0.25 / days), rel=0.35)


def test_what_is_set_comes_before_what_is_declared():
    declared = Alerts(0.01, 5.0)
    assert asked(None, Protocol()) is None
    assert asked(declared, Protocol()) == declared
    assert asked(declared, Protocol(alert_budget=20, alert_cost=0.0)) == Alerts(20, 0.0)
    with pytest.raises(ValueError, match="whole number"):
        Protocol(alert_budget=1.5)


def test_other_budgets_are_measured_as_if_they_had_been_asked_for():
    found = measured(GOOD, 1)
    assert [each.alerts_per_day for each in found.by_budget] == [1, 2, 3, 4]  # a day has four rows
    for each in found.by_budget:
        alone = measured(GOOD, each.alerts_per_day).contenders
        for name, measures in each.contenders.items():
            for measure, estimate in measures.items():
                assert str(estimate) == str(alone[name][measure]), (name, measure)


def test_few_rows_a_day_have_a_budget_of_one():
    records = {"day": np.arange(8.0), "amount": AMOUNT}
    assert [each.alerts_per_day for each in measured(GOOD, 1, records).by_budget] == [1]


def test_a_share_is_rounded_to_the_nearest_number():
    assert chosen(np.zeros(100), np.zeros(100, int), 0.012).sum() == 1
    assert chosen(np.zeros(100), np.zeros(100, int), 0.018).sum() == 2


def trained(scores, fraud):
    """The outcome of several trainings on the same rows."""
    n = len(fraud)
    values = np.concatenate([np.column_stack([1 - score, score]) for score in scores])
    rounds = tuple(Round(number * n, (number + 1) * n, 10, number) for number in range(len(scores)))
    return Outcome(np.tile(fraud, len(scores)), Predictions(values), rounds, np.tile(np.arange(n), len(scores)))


def test_several_trainings_are_a_mean_counted_once_and_their_spread_widens_the_interval():
    chance = np.random.default_rng(5)
    days, a_day = 60, 30
    fraud = (chance.random(days * a_day) < 0.1).astype(int)
    records = {"day": np.repeat(np.arange(days), a_day) + 0.5, "amount": np.ones(days * a_day)}
    good, bad = fraud + chance.normal(0, 0.3, len(fraud)), chance.normal(0, 0.3, len(fraud))

    def found(*scores):
        outcomes = {"net": trained(scores, fraud), "base": trained([bad] * len(scores), fraud)}
        return alerts_of(outcomes, records, Alerts(1, cost=0.0), "net", "base", resamples=400)

    alike, apart, once = found(good, good, good), found(good, bad, bad), found(good)
    assert (alike.alerts, alike.frauds) == (once.alerts, once.frauds) == (days, fraud.sum())
    assert [each.alerts_per_day for each in alike.by_budget] == [each.alerts_per_day for each in once.by_budget]
    one, three, other = (each.contenders["net"]["recall"] for each in (once, alike, apart))
    assert three.value == pytest.approx(one.value)
    assert all(0 <= each.low <= each.value <= each.high <= 1 for each in (one, three, other))
    assert other.value == pytest.approx((one.value + 2 * found(bad).contenders["net"]["recall"].value) / 3)
    assert other.high - other.low > 3 * (three.high - three.low)
    assert apart.difference["recall"].value == pytest.approx(other.value - apart.contenders["base"]["recall"].value)


def test_days_that_are_alike_are_drawn_together():
    """Fraud that comes in weeks: the interval is wider than where the same days lie in any order."""
    chance = np.random.default_rng(2)
    days, a_day = 140, 10
    week = np.repeat(chance.random(days // 7) < 0.5, 7)
    score = np.tile(np.linspace(1, 0, a_day), days)

    def width(order):
        fraud = (np.repeat(week[order], a_day) & (np.tile(np.arange(a_day), days) == 0)).astype(int)
        records = {"day": np.repeat(np.arange(days), a_day) + 0.5, "amount": np.ones(days * a_day)}
        outcomes = {"net": outcome(score, fraud=fraud), "base": outcome(1 - score, fraud=fraud)}
        told = alerts_of(outcomes, records, Alerts(1, cost=0.0), "net", "base", resamples=400)
        return told.contenders["net"]["precision"].high - told.contenders["net"]["precision"].low

    assert width(np.arange(days)) > 1.5 * width(chance.permutation(days))
