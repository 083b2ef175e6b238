"""The chosen threshold is as good as any that brute force finds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.evaluation import scores
from pipelines.evaluation.thresholds import choose

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
