"""How sure a decision is, and from where on it needs no person."""

import math

import numpy as np
import pytest

from pipelines.objectives.automation import NOTHING, Automation, confidence
from pipelines.objectives.objective import Predictions


def two(*positive):
    return Predictions(np.column_stack([1 - np.array(positive), positive]))


def test_confidence_is_the_probability_of_the_class_that_was_decided_on():
    said = two(0.1, 0.4, 0.9)
    assert confidence(said.decide(0.28)).tolist() == pytest.approx([0.9, 0.4, 0.9])
    assert confidence(said.decide(0.95)).tolist() == pytest.approx([0.9, 0.6, 0.1])
    several = Predictions(np.array([[0.2, 0.5, 0.3], [0.7, 0.2, 0.1]]))
    assert confidence(several).tolist() == [0.5, 0.7]


def test_ranks_are_as_sure_as_they_are_far_from_the_threshold_on_either_side():
    odds = np.array([0.25, 1.0, 4.0, 16.0])
    said = two(*(odds / (1 + odds))).decide(0.5)
    assert confidence(said, 0.5).tolist() == pytest.approx([0.8, 0.5, 0.8, 16 / 17])
    high = confidence(said, 0.8)  # odds of 4
    assert high.tolist() == pytest.approx([16 / 17, 0.8, 0.5, 0.8])
    assert confidence(two(0.0, 1.0), 1.000001).tolist() == pytest.approx([1.0, 0.5])
    assert np.isfinite(confidence(two(0.0, 0.3, 1.0), 0.0)).all()


def test_what_is_as_sure_as_asked_is_automated_and_nothing_where_nothing_may_be():
    found = Automation(0.05, {0.01: NOTHING, 0.05: 0.9, 0.1: 0.6}, 300)
    said = two(0.1, 0.4, 0.89, 0.9, 1.0)
    assert found.automates(said).tolist() == [True, False, False, True, True]
    assert found.automates(said, 0.1).tolist() == [True, True, True, True, True]
    assert not found.automates(said, 0.01).any()


@pytest.mark.parametrize("around", [math.nan, 0.3])
def test_it_is_the_same_after_json(around):
    found = Automation(0.05, {0.01: NOTHING, 0.05: 0.1 + 0.2}, 300, around)
    again = Automation.from_dict(found.to_dict())
    assert repr(again) == repr(found)


@pytest.mark.parametrize(
    "told",
    [
        {"at": 0.05, "least": [[0.1, 0.9]], "rows": 1, "around": None},
        {"at": 0.05, "least": [[0.05, 2.5]], "rows": 1, "around": None},
        {"at": 1.5, "least": [[1.5, 0.5]], "rows": 1, "around": None},
        {"at": 0.05, "least": [[0.05]], "rows": 1, "around": None},
    ],
)
def test_what_describes_none_is_refused(told):
    with pytest.raises((ValueError, TypeError)):
        Automation.from_dict(told)
