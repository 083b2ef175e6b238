"""Behaviour is what a brute-force walk through the past finds, and nothing else."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from payments import changed_after, payments

from pipelines.data.behaviour_state import BehaviourState, Payment
from pipelines.data.event_series import CHANNELS, EVENTS
from pipelines.data.transactions import NOWHERE
from pipelines.errors import BadInput

DELAY = 3.0


def walked(of, row):
    """The columns of one row, by looking at every earlier row."""
    now, earlier = of.time[row], np.arange(row)
    mine = earlier[of.customer[:row] == of.customer[row]]
    there = earlier[of.terminal[:row] == of.terminal[row]]
    found = {"amount": of.amount[row], "hour": now * 24 % 24, "weekday": math.floor(now) % 7}
    found["days_since_last"] = now - of.time[mine[-1]] if len(mine) else math.nan
    for days in (1, 7, 30):
        for name, rows in (("customer", mine), ("terminal", there)):
            within = rows[of.time[rows] >= now - days]
            found[f"{name}_count_{days}d"] = len(within)
            found[f"{name}_mean_{days}d"] = of.amount[within].mean() if len(within) else math.nan
        known = there[(of.time[there] <= now - DELAY) & (of.time[there] >= now - DELAY - days)]
        known = known[~np.isnan(of.fraud[known])]
        found[f"terminal_fraud_{days}d"] = of.fraud[known].mean() if len(known) else math.nan
    month = mine[of.time[mine] >= now - 30]
    found["amount_over_mean"] = of.amount[row] / of.amount[month].mean() if len(month) else math.nan
    found["km_from_usual"] = math.dist(of.place[row], of.place[month].mean(axis=0)) if len(month) else math.nan
    found["km_from_last"] = math.dist(of.place[row], of.place[mine[-1]]) if len(mine) else math.nan
    found["visits_here"] = (of.terminal[mine] == of.terminal[row]).sum()
    return found


def test_columns_are_those_of_a_walk_through_the_past():
    of = payments()
    of.fraud[::7] = np.nan
    columns, kinds = of.inputs(DELAY)
    walk = [walked(of, row) for row in range(len(of))]
    assert set(columns) == {*walk[0], "history"}
    assert kinds["history"] == "series"
    for name in walk[0]:
        np.testing.assert_allclose(columns[name], [each[name] for each in walk], rtol=1e-9, atol=1e-9, err_msg=name)


def test_histories_hold_each_customers_last_events_and_nothing_of_others():
    of = payments()
    history = of.inputs(DELAY)[0]["history"]
    assert history.shape == (len(of), EVENTS, len(CHANNELS))
    for row in (0, 5, 60, 150, 299):
        mine = np.flatnonzero(of.customer[: row + 1] == of.customer[row])[-EVENTS:]
        np.testing.assert_array_equal(history[row, -len(mine) :, 0], of.amount[mine].astype(np.float32))
        np.testing.assert_array_equal(history[row, -len(mine) :, -2:], of.place[mine].astype(np.float32))
        gaps = np.diff(of.time[mine])
        np.testing.assert_array_equal(history[row, EVENTS - len(mine) + 1 :, 1], gaps.astype(np.float32))
        assert np.isnan(history[row, : EVENTS - len(mine)]).all()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**20), moment=st.floats(0, 60), delay=st.sampled_from([0.0, DELAY, 20.0]))
def test_nothing_that_is_changed_later_changes_a_column(seed, moment, delay):
    of = payments(seed=seed)
    before, after = (each.inputs(delay)[0] for each in (of, changed_after(of, moment, seed)))
    until = of.time <= moment
    for name in before:
        np.testing.assert_array_equal(before[name][until], after[name][until], err_msg=name)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**20), moment=st.floats(10, 60))
def test_labels_are_not_looked_at_before_the_delay_is_over(seed, moment):
    of = payments(seed=seed)
    later = of.time > moment - DELAY
    before, after = (
        each.inputs(DELAY)[0] for each in (of, of.__class__(**{**vars(of), "fraud": np.where(later, 1, of.fraud)}))
    )
    until = of.time < moment
    for name in before:
        np.testing.assert_array_equal(before[name][until], after[name][until], err_msg=name)


@pytest.mark.parametrize("delay", [0.0, DELAY])
@pytest.mark.parametrize("placed", [True, False])
def test_a_payment_at_a_time_gives_the_tables_numbers_to_the_last_bit(delay, placed, monkeypatch):
    monkeypatch.setattr("pipelines.data.behaviour_state.MANY", 20)  # old events are dropped on the way
    of = payments(800, days=150.0)
    of.terminal[5::9] = NOWHERE
    if not placed:
        of = of.__class__(**{**vars(of), "place": None})
    columns = of.inputs(delay)[0]
    state = BehaviourState(delay)
    for row in range(len(of)):
        place = tuple(of.place[row].tolist()) if placed else None
        who, where = f"c{of.customer[row]}", None if of.terminal[row] < 0 else f"t{of.terminal[row]}"
        found, events = state.observe(Payment(who, where, float(of.time[row]), float(of.amount[row]), place))
        assert set(found) == set(columns) - {"history"}
        for name, value in found.items():
            np.testing.assert_array_equal(value, columns[name][row], err_msg=f"{name} of {row}")
        np.testing.assert_array_equal(events, columns["history"][row])
        state.told(row, bool(of.fraud[row]))
    assert (columns["visits_here"][5::9] == 0).all()


def test_payments_must_come_in_order():
    state = BehaviourState(DELAY)
    state.observe(Payment("a", "b", 2.0, 1.0))
    with pytest.raises(BadInput, match=r"payment 1 .* older"):
        state.observe(Payment("a", "b", 1.0, 1.0))
    with pytest.raises(BadInput, match=r"payment 1 .* negative"):
        state.observe(Payment("a", "b", 2.0, -1.0))
