"""Referred: shares and rates counted by hand, and a group that is referred more often found."""

import numpy as np
import pytest

from pipelines.evaluation.outcome import Outcome, Round
from pipelines.evaluation.referred import measured
from pipelines.objectives.objective import Predictions


def outcome(target, probability, groups=None, threshold=0.5):
    n = len(target)
    predictions = Predictions(np.column_stack([1 - probability, probability])).decide(threshold)
    return Outcome(np.asarray(target), predictions, (Round(0, n, 2 * n),), np.arange(n), groups=groups or {})


def test_what_is_left_is_counted_by_hand():
    #                      decided no ..............  referred .....  decided yes .........
    probability = np.array([0.1, 0.1, 0.2, 0.2, 0.2, 0.4, 0.5, 0.6, 0.8, 0.8, 0.9, 0.9])
    target = np.array([0, 0, 0, 0, 1, 1, 0, 1, 0, 1, 0, 1])
    sent = (probability >= 0.3) & (probability < 0.7)
    found = measured(outcome(target, probability), [sent], "cost:0.5", (0.3, 0.7), (1.0, 4.0, 0.5))
    assert found.referred.value == pytest.approx(3 / 12)
    value = {name: each.value for name, each in found.scores.items()}
    assert value["right"] == pytest.approx(6 / 9)
    assert value["right_negative"] == pytest.approx(4 / 5)
    assert value["right_positive"] == pytest.approx(2 / 4)
    assert value["balanced_accuracy"] == pytest.approx((2 / 3 + 4 / 6) / 2)
    assert value["right_of_all"] == pytest.approx(7 / 12)
    assert value["cost_per_1000"] == pytest.approx(1000 * (4 + 2 * 1 + 3 * 0.5) / 12)
    assert value["cost_per_1000_of_all"] == pytest.approx(1000 * (4 + 4 + 3 * 1) / 12)
    change = found.scores["cost_change_per_1000"]
    assert change.value == pytest.approx(value["cost_per_1000"] - value["cost_per_1000_of_all"])
    assert all(each.low <= each.value <= each.high for each in found.scores.values())


def test_who_is_referred_more_often_is_found_and_a_tiny_group_is_in_no_gap():
    chance = np.random.default_rng(0)
    n = 1200
    group = np.array(["old", "young"], object)[chance.integers(0, 2, n)]
    group[:4] = "tiny"
    group[4:20] = None
    spread = np.where(group == "young", 0.15, 0.45)
    probability = np.clip(0.5 + spread * chance.choice([-1, 1], n) + 0.1 * chance.normal(size=n), 0.01, 0.99)
    target = (chance.random(n) < probability).astype(int)
    sent = (probability >= 0.3) & (probability < 0.7)
    found = measured(outcome(target, probability, {"age": group}), [sent], "right:0.8", (0.3, 0.7))
    rows = {row.group: row for row in found.groups}
    assert set(rows) == {"old", "young", "tiny", "unknown"}
    for name, row in rows.items():
        chosen = group == (None if name == "unknown" else name)
        assert row.n == chosen.sum()
        assert row.referred.value == pytest.approx(sent[chosen].mean())
        kept = chosen & ~sent
        if kept.any():
            assert row.right.value == pytest.approx((target[kept] == (probability[kept] >= 0.5)).mean())
    (gap,) = found.gaps
    assert gap.groups == ("old", "young")
    assert gap.difference == pytest.approx(sent[group == "young"].mean() - sent[group == "old"].mean())
    assert gap.low > 0.3
    assert gap.p_value < 1e-6


def test_nobody_left_leaves_everything_undefined_but_the_share():
    probability, target = np.linspace(0.1, 0.9, 20), np.arange(20) % 2
    found = measured(outcome(target, probability), [np.ones(20, bool)], "right:0.99", (0.0, 2.0))
    assert found.referred.value == 1.0
    assert np.isnan(found.scores["right"].value)
    assert np.isnan(found.scores["balanced_accuracy"].value)
    assert found.scores["right_of_all"].value == 0.5
