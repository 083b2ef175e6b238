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


def test_days_that_are_not_known_or_did_not_move_are_left_out_and_counted():
    of = prices()
    of.values[300] = np.nan
    of.values[320] = of.values[319]
    found = directions(repaired(of, least=1))
    days = (found.examples.time / 86_400).astype(int).tolist()
    assert sorted(set(range(253, DAYS)) - set(days)) == [300, 301, 320]
    assert "2 days left out: its close, or the one before, was carried forward" in found.notes
    assert "1 day left out: it closed where it had before" in found.notes
    plain = rows(prices())
    kept = np.isin(plain.time, found.examples.time) & (plain.time < 300 * 86_400)
    np.testing.assert_array_equal(
        found.examples.columns["return_1_days_ago"][:47], plain.columns["return_1_days_ago"][kept]
    )


def test_a_price_that_hardly_ever_moves_is_refused():
    of = prices()
    of.values[240:320] = 50.0
    with pytest.raises(BadInput, match=r"'A' is known to have moved on 20 days of 87 only; at least 60"):
        rows(of)


def test_columns_of_one_asset_are_told_apart_by_target(tmp_path):
    path, close = str(tmp_path / "prices.csv"), prices().values[:, 0]
    dates = pd.bdate_range("2015-01-01", periods=DAYS).strftime("%Y-%m-%d")
    table = pd.DataFrame({"Date": dates, "Close": close, "Volume": 1000 + close, "ticker": "A"})
    table.to_csv(path, index=False)
    with pytest.raises(BadInput, match=r"the columns 'Close', 'Volume', 'ticker'; say.*--target 'Close'.*--exclude"):
        OwnDirections().load(DataRequest(path))
    assert OwnDirections().load(DataRequest(path, target="Close")).target == "direction of Close"


def test_a_model_takes_its_own_asset_of_several_and_tells_of_another(tmp_path):
    path = str(tmp_path / "prices.csv")
    dates = pd.bdate_range("2015-01-01", periods=DAYS).strftime("%Y-%m-%d")
    table = pd.DataFrame({"Date": dates, "A": prices().values[:, 0], "B": prices(1).values[:, 0]})
    table.to_csv(path, index=False)
    reading = OwnDirections().load(DataRequest(path, target="B")).reading
    of_several = OwnDirections().to_predict(path, {}, reading)
    table[["Date", "B"]].to_csv(path, index=False)
    alone = OwnDirections().to_predict(path, {}, reading)
    for name in alone.columns:
        np.testing.assert_array_equal(of_several.columns[name], alone.columns[name])
    assert (of_several.notes, alone.notes) == ((), ())
    table[["Date", "A"]].to_csv(path, index=False)
    assert "the model learned from 'B'; these are prices of 'A'" in OwnDirections().to_predict(path, {}, reading).notes
    table.rename(columns={"B": "C"}).to_csv(path, index=False)
    with pytest.raises(BadInput, match=r"no prices of 'B', which the model learned from; it has 'A', 'C'"):
        OwnDirections().to_predict(path, {}, reading)
