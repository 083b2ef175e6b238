"""No contender looks ahead: changing any price after day t changes no decision up to t."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domains.finance.portfolio import TASK
from pipelines.contenders.lineup import line_up
from pipelines.data.price_windows import OwnWindows, decided_on, windows
from pipelines.data.prices import Prices, repaired

DAYS, ASSETS, BORDER = 420, 4, 380
"""Of prices; of these days, the last whose close may be known."""


def prices(seed=0):
    rng = np.random.default_rng(seed)
    values = 50 * np.exp(np.cumsum(rng.normal(0.0003, 0.015, (DAYS, ASSETS)), axis=0))
    return Prices("made up", np.arange(DAYS) * 86_400.0, values, tuple("ABCD"))


def rows(of):
    return decided_on(repaired(of), OwnWindows().days)


@pytest.fixture(scope="module")
def trained():
    """Every contender of the task, trained on the days before the border."""
    dataset = rows(prices())
    objective = replace(TASK.objective.resolve(dataset.examples.target), assets=dataset.assets)
    recipe = replace(TASK.recipe, epochs=1, trials=2)
    early = dataset.examples.take(np.arange(80))
    late = dataset.examples.take(np.arange(80, 110))
    return [contender.fit(early, late, 0) for contender in line_up(TASK, objective, recipe)]


@settings(max_examples=8, deadline=None)
@given(day=st.integers(BORDER + 1, DAYS - 1), asset=st.integers(0, ASSETS - 1), factor=st.floats(0.3, 3.0))
def test_a_later_price_changes_no_earlier_decision(trained, day, asset, factor):
    changed = prices()
    changed.values[day, asset] *= factor
    before, after = rows(prices()).examples, rows(changed).examples
    up_to = before.time <= (day * 86_400.0)  # the row of day t is decided at the close of t - 1
    np.testing.assert_array_equal(before.columns["returns"][up_to], after.columns["returns"][up_to])
    last = np.flatnonzero(up_to)[-24:]
    for fitted in trained:
        ours, theirs = (fitted.predict(each.take(last)).values for each in (before, after))
        np.testing.assert_array_equal(ours, theirs)


def test_the_price_of_the_same_close_does_change_decisions(trained):
    """The property would hold of a contender that looks at nothing."""
    changed = prices()
    changed.values[BORDER] *= [2.0, 1.0, 1.0, 0.5]
    row = np.flatnonzero(rows(prices()).examples.time == (BORDER + 1) * 86_400.0)
    before, after = (rows(each).examples.take(row) for each in (prices(), changed))
    moved = [np.abs(each.predict(before).values - each.predict(after).values).max() > 1e-6 for each in trained]
    assert sum(moved) >= len(moved) - 2  # equal weights look at nothing, and a rank may stay the same


def test_what_is_learned_does_not_depend_on_later_prices():
    """Trained on the days up to the border, whatever the file holds after it."""
    changed = prices()
    changed.values[BORDER + 1 :] *= 7.0
    recipe = replace(TASK.recipe, epochs=1, trials=2)
    said = []
    for each in (prices(), changed):
        dataset = rows(each)
        objective = replace(TASK.objective, assets=dataset.assets)
        known = np.flatnonzero(dataset.examples.time <= BORDER * 86_400.0)
        train, valid = (dataset.examples.take(part) for part in (known[:90], known[90:]))
        fitted = [contender.fit(train, valid, 0) for contender in line_up(TASK, objective, recipe)[1:]]
        said.append([one.predict(valid).values for one in fitted])
    for ours, theirs in zip(*said, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


@given(st.integers(1, 40), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_features_of_a_step_are_of_the_days_up_to_it(steps, day):
    """The layer's trailing returns, step by step, against a window that ends there."""
    from pipelines.models.trailing import TrailingReturns

    returns = np.random.default_rng(0).normal(0, 0.01, (1, 100, 3)).astype(np.float32)
    layer = TrailingReturns(steps, [1, 5, 21], 21)
    before = np.asarray(layer(returns))
    returns[0, day] = 0.5
    after = np.asarray(layer(returns))
    first = max(0, steps - (100 - day))
    np.testing.assert_array_equal(before[:, :first], after[:, :first])
    if day >= 100 - steps:
        assert (before[:, first] != after[:, first]).any()


def test_trailing_features_are_what_they_say():
    from pipelines.models.trailing import TrailingReturns

    returns = np.random.default_rng(3).normal(0, 0.01, (2, 60, 3))
    found = np.asarray(TrailingReturns(10, [1, 5], 21)(returns.astype(np.float32)))
    logs = np.log1p(returns)
    for step in (0, 4, 9):
        end = 51 + step
        spread = np.sqrt(np.square(logs[:, end - 21 : end]).mean(axis=1)) + 1e-4
        np.testing.assert_allclose(found[:, step, :, 0], logs[:, end - 1] / spread, rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(
            found[:, step, :, 1], logs[:, end - 5 : end].sum(axis=1) / (spread * np.sqrt(5)), rtol=1e-3, atol=1e-5
        )
        np.testing.assert_allclose(found[:, step, :, 2], np.log(spread / spread.mean(axis=1, keepdims=True)), atol=1e-4)
        np.testing.assert_allclose(found[:, step, :, 3], returns[:, end - 1], rtol=1e-5)
    assert windows(returns[0], 10).shape == (51, 10, 3)
