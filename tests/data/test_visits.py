"""Visits: what is made of earlier ones, by hand; and that nothing of a later one is in it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.data.visits import HISTORY, Visits

NAN = float("nan")


def visits(who, when):
    return Visits(np.array(list(who), dtype=object), np.array(when, dtype=float))


def made(of, steps=3, **numbers):
    columns, kinds = of.inputs({name: np.array(values, dtype=float) for name, values in numbers.items()}, steps)
    assert set(columns) == set(kinds)
    return columns


def test_each_visit_knows_the_ones_before_it():
    columns = made(visits("abaab", [20, 5, 0, 50, 7]), x=[3, 10, 1, 2, 14])
    told = {name: values.tolist() for name, values in columns.items() if name != HISTORY}
    assert told == {
        "earlier_visits": [1, 0, 0, 2, 1],
        "since_last_visit": [20, 0, 0, 30, 2],
        "since_first_visit": [20, 0, 0, 50, 2],
        "x_since_last_visit": [2, 0, 0, -1, 4],
        "x_since_first_visit": [2, 0, 0, 1, 4],
    }
    none = [NAN, NAN]
    np.testing.assert_array_equal(
        columns[HISTORY],
        np.array([
            [none, [0, 1], [20, 3]], [none, none, [0, 10]], [none, none, [0, 1]], [[0, 1], [20, 3], [30, 2]],
            [none, [0, 10], [2, 14]],
        ]),
    )  # fmt: skip


def test_a_history_holds_the_last_visits_and_a_number_may_be_missing():
    columns = made(visits("aaa", [0, 1, 2]), steps=2, x=[4, NAN, 5])
    np.testing.assert_array_equal(columns[HISTORY][2], [[1, NAN], [1, 5]])
    np.testing.assert_array_equal(columns["x_since_last_visit"], [0, NAN, NAN])
    np.testing.assert_array_equal(columns["x_since_first_visit"], [0, NAN, 1])


def test_which_numbers_change_and_how_often_people_come():
    of = visits("aabb", [0, 1, 0, 1])
    numbers = {"fixed": [1, 1, 2, 2], "moves": [1, 1, 2, 3], "comes": [NAN, 1, 2, 2]}
    assert of.changing({name: np.array(values, float) for name, values in numbers.items()}) == ["moves"]
    assert of.most() == 2
    assert visits("a" * 40, np.arange(40)).most() == 16


@pytest.mark.parametrize(
    ("who", "when", "rows"), [("abab", [1, 1, 2, 2], []), ("abba", [1, 1, 2, 1], [0, 3]), ("aaa", [3, 1, 3], [0, 2])]
)
def test_two_visits_of_one_person_at_one_moment(who, when, rows):
    assert visits(who, when).twice() == rows


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_later_visits_change_nothing_of_earlier_ones_and_neither_do_other_people(data):
    n = data.draw(st.integers(2, 14))
    who = data.draw(st.lists(st.sampled_from("abc"), min_size=n, max_size=n))
    when = data.draw(st.permutations(range(n)))
    values = np.array(data.draw(st.lists(st.floats(-9, 9, width=32), min_size=n, max_size=n)))
    row = data.draw(st.integers(0, n - 1))
    past = np.array([each == who[row] and when[at] <= when[row] for at, each in enumerate(who)])
    other = np.where(past, values, data.draw(st.floats(10, 99)))
    whole, changed = (made(visits(who, when), x=each) for each in (values, other))
    alone = made(visits(np.array(who)[past], np.array(when)[past]), x=values[past])
    place = int(past[: row + 1].sum()) - 1
    for name in whole:
        np.testing.assert_array_equal(whole[name][row], changed[name][row])
        np.testing.assert_array_equal(whole[name][row], alone[name][place])
