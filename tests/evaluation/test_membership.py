"""Who was learned from: the attack by loss, against hand counts, known truths and simulations."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from pipelines.evaluation.membership import MOST_ROWS, losses, measured, some
from pipelines.objectives.classification import Classification
from pipelines.objectives.objective import Predictions
from pipelines.objectives.regression import Regression


def test_the_auc_is_the_share_of_pairs_that_are_told_apart():
    members, others = np.array([0.1, 0.2, 0.9]), np.array([0.5, 0.2, 1.0, 2.0])
    pairs = [(m < o) + 0.5 * (m == o) for m in members for o in others]
    assert measured(members, others, 0)["auc"].value == pytest.approx(np.mean(pairs))


def test_the_rate_lets_one_other_in_a_hundred_lie_above():
    others = np.arange(200.0)  # the two smallest losses may be accused falsely
    found = measured(np.array([0.5, 1.5, 1.9, 2.0, 50.0]), others, 0)["tpr_at_1_percent_fpr"]
    assert found.value == pytest.approx(3 / 5)


def test_what_cannot_be_known_is_not_told():
    assert measured(np.zeros(0), np.ones(5), 0) == {}
    few = measured(np.zeros(50), np.ones(99), 0)
    assert math.isnan(few["tpr_at_1_percent_fpr"].value)
    none = measured(np.ones(50), np.zeros(100), 0)["tpr_at_1_percent_fpr"]
    assert none.value == 0
    assert 0.01 < none.high < 0.1, "of 50 rows none was found, which leaves room"


def test_intervals_hold_the_truth():
    random, held = np.random.default_rng(0), np.zeros(2)
    truths = norm.cdf(1 / math.sqrt(2)), norm.cdf(norm.ppf(0.01) + 1)
    for repeat in range(300):
        found = measured(random.normal(-1, 1, 300), random.normal(0, 1, 500), repeat)
        held += [e.low <= truth <= e.high for e, truth in zip(found.values(), truths, strict=True)]
    assert (held / 300 > 0.91).all()
    assert held[0] / 300 < 0.99


def test_rows_of_one_person_are_one_unit():
    random = np.random.default_rng(0)
    members, others = np.repeat(random.normal(-0.3, 1, 40), 10), np.repeat(random.normal(0, 1, 40), 10)
    ids = np.repeat(np.arange(40), 10)
    alone, together = measured(members, others, 0)["auc"], measured(members, others, 0, ids, ids + 40)["auc"]
    assert alone.value == together.value
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_the_rate_of_several_rows_a_person_is_as_sure_as_that_of_one():
    random, widths, ids = np.random.default_rng(0), np.zeros(2), np.arange(300)
    for repeat in range(50):
        sides = random.normal(-1, 1, 300), random.normal(0, 1, 300)
        of_one = measured(*sides, repeat)
        of_four = measured(*(np.repeat(side, 4) for side in sides), repeat, np.repeat(ids, 4), np.repeat(ids + 300, 4))
        widths += [
            found["tpr_at_1_percent_fpr"].high - found["tpr_at_1_percent_fpr"].low for found in (of_one, of_four)
        ]
    assert widths[1] == pytest.approx(widths[0], rel=0.05)


def test_losses_are_those_of_the_truth():
    classes = Classification(classes=("a", "b", "c"))
    values = np.array([[0.7, 0.2, 0.1], [0.0, 0.0, 1.0]])
    found = losses(classes, np.array([1, 0]), Predictions(values))
    np.testing.assert_allclose(found, [-math.log(0.2), -math.log(1e-12)])
    numbers = losses(Regression(), np.array([1.0, 2.0]), Predictions(np.array([3.0, 2.5])))
    np.testing.assert_allclose(numbers, [4, 0.25])


def test_so_many_rows_are_enough():
    rows = np.arange(2 * MOST_ROWS)
    assert len(np.unique(some(rows, 0))) == MOST_ROWS
    np.testing.assert_array_equal(some(rows[:5], 0), rows[:5])
