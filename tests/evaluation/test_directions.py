"""Directions: a model that moves the wrong way is caught, and one that cannot is never blamed."""

import numpy as np
import pytest

from pipelines.data.directions import directions_of
from pipelines.data.examples import Examples
from pipelines.errors import BadInput
from pipelines.evaluation import directions
from pipelines.evaluation.directions import Moves, measured, moves, wrong_moves
from pipelines.task import Dataset


def table(n=300, seed=0):
    chance = np.random.default_rng(seed)
    return Examples(
        columns={
            "debt": np.where(chance.random(n) < 0.1, np.nan, chance.uniform(0, 10, n)), "income": chance.normal(size=n),
            "job": np.array(["a", "b"], object)[chance.integers(0, 2, n)],
        },
        target=np.zeros(n),
    )  # fmt: skip


def test_the_largest_fall_is_that_of_any_two_levels():
    chance = np.random.default_rng(1)
    curve = chance.random((7, 50))
    brute = np.zeros(50)
    for low in range(7):
        for high in range(low, 7):
            brute = np.maximum(brute, curve[low] - curve[high])
    np.testing.assert_allclose(wrong_moves(curve, 1), brute)
    np.testing.assert_allclose(wrong_moves(-curve, -1), brute)
    assert (wrong_moves(np.sort(curve, axis=0), 1) == 0).all()


def test_a_planted_dip_is_found_in_the_rows_that_have_it():
    """Risk rises with debt, but dips by .2 at half way for those with job b; missing debt is asked like any other."""
    rows = table()

    def risk(asked):
        debt = np.nan_to_num(asked.columns["debt"])
        return 0.05 * debt - 0.2 * ((asked.columns["job"] == "b") & (debt > 5))

    found = moves(risk, rows, np.arange(300), rows, {"debt": 1, "income": -1}, seed=0)
    of_b = rows.columns["job"][found.rows] == "b"
    assert (found.wrong["income"] == 0).all()
    assert ((found.wrong["debt"] > 0) == of_b).all()
    steps = np.diff(np.nanquantile(rows.columns["debt"], directions.QUANTILES))
    assert found.wrong["debt"].max() == pytest.approx(0.2, abs=0.05 * steps.max())
    debt, income = measured([found], {"debt": 1, "income": -1})
    assert debt.wrong.value == pytest.approx(of_b.mean())
    assert debt.wrong.low < of_b.mean() < debt.wrong.high
    assert (debt.n, income.wrong.value, income.largest) == (directions.MOST_ROWS, 0.0, 0.0)


def test_rows_asked_again_count_once_and_what_cannot_be_seen_does_not_count():
    wrong = {"debt": np.where(np.arange(100) < 50, 0.5, directions.SEEN / 2)}
    twice = [Moves(np.arange(100), wrong), None, Moves(np.arange(100), wrong)]
    (found,) = measured(twice, {"debt": 1})
    assert (found.n, found.wrong.value, found.largest) == (100, 0.5, 0.5)
    (once,) = measured(twice[:1], {"debt": 1})
    assert found.wrong.high - found.wrong.low > 0.95 * (once.wrong.high - once.wrong.low)


def test_without_directions_nobody_is_asked():
    assert moves(lambda rows: pytest.fail("asked"), table(), np.arange(300), table(), {}, 0) is None
    assert measured([None], {}) == ()


@pytest.fixture
def dataset():
    rows = table()
    rows = Examples(rows.columns, rows.target, groups={"age": np.full(300, None, object)})
    return Dataset(rows, "loans.csv", False, "bad", directions={"debt": 1, "age": -1})


def test_declared_directions_hold_for_what_models_see_unless_others_are_asked_for(dataset):
    assert directions_of(dataset, "") == {"debt": 1}
    assert directions_of(dataset, "income:down, debt:up") == {"income": -1, "debt": 1}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("Debt:up", r"loans.csv has no column 'Debt'; did you mean 'debt'\?"),
        ("wealth:down", r"loans.csv has no column 'wealth'\. Its columns are"),
        ("job:up", "'job' is a category; only a number can rise"),
        ("age:up", "'age' is sensitive, and no model sees it"),
        ("debt:higher", "'debt:higher' says no direction; write COLUMN:up or COLUMN:down"),
        ("debt", "'debt' says no direction"),
        ("debt:up,debt:down", "'debt' is given twice"),
    ],
)
def test_a_direction_that_cannot_be_tested_is_told(asked, words, dataset):
    with pytest.raises(BadInput, match=words):
        directions_of(dataset, asked)
