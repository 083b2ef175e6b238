"""What decisions do, counted by hand, and net benefit by its definition."""

from dataclasses import replace

import numpy as np
import pytest

from pipelines.data.examples import Examples
from pipelines.evaluation.decisions import decided, decision_curve
from pipelines.evaluation.intervals import wilson
from pipelines.evaluation.outcome import FoldResult, Outcome
from pipelines.objectives.classification import Classification
from pipelines.objectives.objective import Predictions


def outcome(target, alarm, weight=None, ids=None, classes=2):
    target, alarm = np.array(target), np.array(alarm)
    probability = np.where(alarm, 0.9, 0.1)
    values = np.column_stack([1 - probability, probability, *[np.zeros(len(alarm))] * (classes - 2)])
    examples = Examples(
        {"x": np.zeros(len(target))}, target.astype(str).astype(object),
        weight=None if weight is None else np.array(weight, float), ids=None if ids is None else np.array(ids),
    )  # fmt: skip
    objective = Classification(classes=tuple("012"[:classes]))
    predictions = Predictions(values).decide(0.5) if classes == 2 else Predictions(values)
    return Outcome.pooled(objective, [FoldResult(examples, predictions, np.arange(len(target)), 100)]), objective


def test_shares_are_counted_by_hand():
    tested, objective = outcome([1, 1, 1, 0, 0, 0, 0, 0], [1, 1, 0, 1, 0, 0, 0, 0])
    found = decided(tested, objective)
    per_1000 = {"true_alarms_per_1000": 2, "false_alarms_per_1000": 1, "misses_per_1000": 1}
    assert set(found) == {"sensitivity", "specificity", "precision", "alerts", *per_1000}
    for name, hits in per_1000.items():
        low, high = map(float, wilson(hits, 8))
        told = (found[name].value, found[name].low, found[name].high)
        assert told == pytest.approx((125 * hits, 1000 * low, 1000 * high)), name
    counts = {"sensitivity": (2, 3), "specificity": (4, 5), "precision": (2, 3), "alerts": (3, 8)}
    for name, (hits, n) in counts.items():
        low, high = map(float, wilson(hits, n))
        assert (found[name].value, found[name].low, found[name].high) == pytest.approx((hits / n, low, high)), name


def test_costs_are_per_thousand_decisions_with_an_interval():
    tested, _ = outcome([1, 1, 0, 0, 0], [1, 0, 1, 0, 0])
    found = decided(tested, Classification(classes=("0", "1"), decide_by="cost:2:10"))
    assert found["cost_per_1000"].value == pytest.approx(1000 * (2 + 10) / 5)
    assert found["cost_per_1000"].low < found["cost_per_1000"].value < found["cost_per_1000"].high


def test_deciding_where_the_costs_break_even_is_compared_row_by_row():
    tested, _ = outcome([1, 1, 0, 0, 0], [1, 0, 1, 0, 0])  # probabilities of 0.9 and 0.1, decided at 0.5
    found = decided(tested, Classification(classes=("0", "1"), decide_by="cost:1:19"))["cost_change_at_break_even"]
    # From 1 / 20 on all are alarms: the miss (19) is found, for two false alarms more.
    assert found.value == pytest.approx(1000 * (2 - 19) / 5)
    assert found.low < found.value < found.high
    at_half = decided(tested, Classification(classes=("0", "1"), decide_by="cost:2:2"))["cost_change_at_break_even"]
    assert (at_half.value, at_half.low, at_half.high) == (0, 0, 0)


def test_at_the_break_even_point_itself_it_is_acted():
    tested, _ = outcome([1, 1, 0, 0], [1, 0, 1, 0])
    halves = replace(tested, predictions=Predictions(np.full((4, 2), 0.5), np.zeros(4, np.int64)))
    found = decided(halves, Classification(classes=("0", "1"), decide_by="cost:1:1"))
    assert found["cost_per_1000"].value == pytest.approx(500)
    assert found["cost_change_at_break_even"].value == pytest.approx(0)  # two misses less, two false alarms more
    dear = decided(halves, Classification(classes=("0", "1"), decide_by="cost:3:3"))
    assert dear["cost_change_at_break_even"].high > 0


def test_where_groups_have_thresholds_of_their_own_there_is_none_to_hold_against_another():
    tested, _ = outcome([1, 1, 0, 0, 0], [1, 0, 1, 0, 0])
    found = decided(tested, Classification(classes=("0", "1"), decide_by="cost:1:19"), one_threshold=False)
    assert "cost_per_1000" in found
    assert "cost_change_at_break_even" not in found


def test_weights_count_as_rows_and_ids_widen():
    weighted, objective = outcome([1, 1, 0, 0], [1, 0, 1, 0], weight=[3, 1, 1, 3])
    found = decided(weighted, objective)
    assert found["sensitivity"].value == pytest.approx(3 / 4)
    assert found["specificity"].value == pytest.approx(3 / 4)
    target, alarm = np.tile([1, 0], 40), np.tile([1, 1, 1, 0], 20)
    alone, of_ids = (decided(*outcome(target, alarm, ids=ids)) for ids in (None, np.repeat(np.arange(8), 10)))
    assert of_ids["alerts"].value == alone["alerts"].value
    together = np.repeat([1, 0], 40)
    grouped = decided(*outcome(together, together, ids=np.repeat(np.arange(8), 10)))["alerts"]
    independent = decided(*outcome(together, together))["alerts"]
    assert grouped.high - grouped.low > 1.5 * (independent.high - independent.low)


def test_nothing_is_said_of_several_classes():
    assert decided(*outcome([0, 1, 2], [1, 0, 1], classes=3)) == {}


def test_net_benefit_is_its_definition():
    rng = np.random.default_rng(0)
    target, probability = rng.integers(0, 2, 200), rng.random(200).round(2)
    weight, thresholds = rng.integers(0, 3, 200), np.array([0.05, 0.2, 0.5, 0.73, 0.99])
    found = decision_curve(target, probability, thresholds, weight)
    rows = np.repeat(np.arange(200), weight)
    for place, threshold in enumerate(thresholds):
        acted, truth = probability[rows] >= threshold, target[rows] == 1
        odds = threshold / (1 - threshold)
        assert found.model[place] == pytest.approx(((acted & truth).sum() - odds * (acted & ~truth).sum()) / len(rows))
        assert found.everyone[place] == pytest.approx((truth.sum() - odds * (~truth).sum()) / len(rows))


def test_a_perfect_model_is_worth_the_prevalence_and_a_useless_one_what_everyone_or_nobody_is():
    target = np.array([1, 0, 0, 0])
    thresholds = np.array([0.1, 0.6])
    assert decision_curve(target, target.astype(float), thresholds).model == pytest.approx([0.25, 0.25])
    useless = decision_curve(target, np.full(4, 0.5), thresholds)
    assert useless.model[0] == pytest.approx(useless.everyone[0])
    assert useless.model[1] == 0
