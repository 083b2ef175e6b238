"""Days whose direction is asked for: columns of the past alone, and labels of what followed."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.data.next_day import OwnDirections, directions
from pipelines.data.prices import Prices, repaired
from pipelines.errors import BadInput
from pipelines.task import DataRequest

DAYS = 340


def prices(seed=0):
    values = 50 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.01, (DAYS, 1)), axis=0))
    return Prices("made up", np.arange(DAYS) * 86_400.0, values, ("A",))


def rows(of):
    return directions(repaired(of, least=1)).examples


def test_columns_are_of_the_days_before_and_the_label_is_of_the_day():
    of = prices()
    close, examples = of.values[:, 0], rows(of)
    for row in (0, 50, 86):
        day = row + 253
        assert examples.time[row] == day * 86_400
        assert examples.target[row] == ("up" if close[day] > close[day - 1] else "down")
        assert examples.columns["return_1_days_ago"][row] == pytest.approx(
            np.log(close[day - 1] / close[day - 2]), rel=1e-5
        )
        assert examples.columns["return_of_21_days"][row] == pytest.approx(
            np.log(close[day - 1] / close[day - 22]), rel=1e-4
        )
        below = np.log(close[day - 1] / close[day - 253 : day].max())
        assert examples.columns["below_the_years_high"][row] == pytest.approx(below, abs=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.integers(254, DAYS - 1), st.floats(0.5, 2.0))
def test_a_later_price_changes_no_earlier_column(day, factor):
    changed = prices()
    changed.values[day] *= factor
    before, after = rows(prices()), rows(changed)
    up_to = before.time <= day * 86_400  # the columns of day t are of the closes before it
    for name in before.columns:
        np.testing.assert_array_equal(before.columns[name][up_to], after.columns[name][up_to])
    np.testing.assert_array_equal(before.target[up_to][:-1], after.target[up_to][:-1])


def test_an_asset_of_ones_own_is_named_by_target(tmp_path):
    of, other = prices(), prices(1)
    dates = [(date(2015, 1, 1) + timedelta(days=day)).isoformat() for day in range(DAYS)]
    path = str(tmp_path / "prices.csv")
    pd.DataFrame({"day": dates, "A": of.values[:, 0], "B": other.values[:, 0]}).to_csv(path, index=False)
    found = OwnDirections().load(DataRequest(path, target="B"))
    np.testing.assert_array_equal(found.examples.target, rows(other).target)
    assert (found.target, found.positive) == ("direction of B", "up")
    for asked, words in (({}, "--target"), ({"target": "C"}, r"no column 'C' \(--target\)"), ({"id": "A"}, "--id")):
        with pytest.raises(BadInput, match=words):
            OwnDirections().load(DataRequest(path, **asked))
    pd.DataFrame({"day": dates, "B": other.values[:, 0]}).to_csv(path, index=False)
    said = OwnDirections().unlabelled(path, {})
    assert (said.files[-1], len(said.files)) == (dates[-1], DAYS - 252)
    np.testing.assert_allclose(
        said.columns["volatility_of_21_days"][:-1], found.examples.columns["volatility_of_21_days"]
    )
