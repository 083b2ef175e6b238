"""The chosen threshold is as good as any that brute force finds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.evaluation import scores
from pipelines.evaluation.thresholds import RULES, Rule, choose

LEVEL = st.sampled_from([0.0, 0.2, 0.3, 0.5, 0.50001, 0.9, 1.0])
SCORES = {"balanced_accuracy": scores.balanced_accuracy, "f1": scores.f1, "accuracy": scores.accuracy}


@pytest.mark.parametrize("by", SCORES)
@settings(max_examples=100, deadline=None)
@given(rows=st.lists(st.tuples(st.integers(0, 1), LEVEL), min_size=2, max_size=25))
def test_no_other_cut_is_better(by, rows):
    target, probability = (np.array(column) for column in zip(*rows, strict=True))
    threshold = choose(target, probability, by)
    if len(set(target)) < 2:
        assert threshold == 0.5
        return
    reached = SCORES[by](target, (probability >= threshold).astype(int))
    cuts = np.concatenate([np.unique(probability), [2.0]])
    best = max(SCORES[by](target, (probability >= cut).astype(int)) for cut in cuts)
    assert reached == pytest.approx(best)


@pytest.mark.parametrize("by", ["balanced_accuracy", "f1", "accuracy", "cost:1:4", "sensitivity:0.8", "precision:0.7",
                                "alerts:0.3"])  # fmt: skip
def test_weights_count_as_rows_repeated(by):
    rng = np.random.default_rng(0)
    for _ in range(20):
        target, times = rng.integers(0, 2, 30), rng.integers(0, 4, 30)
        probability = rng.random(30)
        repeated = choose(np.repeat(target, times), np.repeat(probability, times), by)
        assert choose(target, probability, by, times.astype(float)) == pytest.approx(repeated)


def test_cut_lies_between_its_neighbours():
    assert choose(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.6, 0.9])) == pytest.approx(0.4)


def test_among_equals_the_cut_nearest_to_a_half_wins():
    # Cuts 0.3 and 0.8 both have a balanced accuracy of 3/4.
    assert choose(np.array([0, 1, 0, 1]), np.array([0.2, 0.4, 0.7, 0.9])) == pytest.approx(0.3)
    assert choose(np.array([0, 1, 0, 1]), np.array([0.02, 0.04, 0.5, 0.6])) == pytest.approx(0.55)


def test_nobody_positive_may_be_best_by_accuracy():
    target, probability = np.array([0, 0, 0, 1]), np.array([0.1, 1.0, 1.0, 0.9])
    threshold = choose(target, probability, "accuracy")
    assert threshold > 1
    assert not (probability >= threshold).any()


def test_neighbouring_floats_are_told_apart():
    low = 0.3
    high = float(np.nextafter(low, 1))
    assert choose(np.array([0, 1]), np.array([low, high])) == high


ROWS = st.lists(st.tuples(st.integers(0, 1), LEVEL), min_size=2, max_size=25).filter(lambda rows: len(dict(rows)) == 2)


def counted(rows, by):
    """(rightly alarmed, wrongly alarmed) at the chosen threshold, and at every other cut."""
    target, probability = (np.array(column) for column in zip(*rows, strict=True))

    def alarms(cut):
        decided = probability >= cut
        return int((decided & (target == 1)).sum()), int((decided & (target == 0)).sum())

    cuts = [*np.unique(probability), 2.0]
    return alarms(choose(target, probability, by)), [alarms(cut) for cut in cuts], int(target.sum()), len(target)


@settings(max_examples=100, deadline=None)
@given(rows=ROWS, false_alarm=st.sampled_from([0.5, 1.0, 7.0]), miss=st.sampled_from([0.2, 1.0, 30.0]))
def test_no_cut_costs_less(rows, false_alarm, miss):
    chosen, others, positives, _ = counted(rows, Rule("cost", (false_alarm, miss)))

    def cost(alarms):
        return false_alarm * alarms[1] + miss * (positives - alarms[0])

    assert cost(chosen) == pytest.approx(min(map(cost, others)))


@settings(max_examples=100, deadline=None)
@given(rows=ROWS, share=st.sampled_from([0.2, 0.5, 0.9, 1.0]))
def test_the_wanted_sensitivity_costs_no_more_false_alarms_than_it_must(rows, share):
    chosen, others, positives, _ = counted(rows, f"sensitivity:{share}")
    enough = [alarms for alarms in others if alarms[0] >= share * positives - 1e-9]
    assert chosen in enough
    assert chosen[1] == min(false for _, false in enough)


@settings(max_examples=100, deadline=None)
@given(rows=ROWS, share=st.sampled_from([0.2, 0.5, 0.9, 1.0]))
def test_the_wanted_precision_finds_as_many_as_it_can(rows, share):
    chosen, others, _, _ = counted(rows, f"precision:{share}")
    precise = {alarms: alarms[0] / sum(alarms) for alarms in others if sum(alarms)}
    asked = min(share, max(precise.values()))
    assert precise[chosen] >= asked - 1e-12
    assert chosen[0] == max(alarms[0] for alarms, reached in precise.items() if reached >= asked - 1e-12)


@settings(max_examples=100, deadline=None)
@given(rows=ROWS, share=st.sampled_from([0.1, 0.2, 0.5, 1.0]))
def test_the_budget_of_alerts_is_kept_and_used(rows, share):
    chosen, others, _, n = counted(rows, f"alerts:{share}")
    within = [alarms for alarms in others if sum(alarms) <= share * n + 1e-9]
    assert chosen in within
    assert chosen[0] == max(hits for hits, _ in within)


@pytest.mark.parametrize("text", ["balanced_accuracy", "f1", "accuracy", "cost:1:5", "sensitivity:0.9", "alerts:1"])
def test_a_rule_is_written_as_it_is_read(text):
    assert str(Rule.parse(f" {text}")) == text


@pytest.mark.parametrize(
    "text",
    ["", "auroc", "f1:1", "cost:1", "cost:1:x", "cost:0:1", "cost:1:inf", "sensitivity", "sensitivity:1.1", "alerts:0",
     "precision:nan", "alerts:-1"],
)  # fmt: skip
def test_what_is_no_rule_is_refused_with_what_is(text):
    with pytest.raises(ValueError, match="write one of") as refused:
        Rule.parse(text)
    assert all(form in str(refused.value) for form in RULES)
