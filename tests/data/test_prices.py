"""Prices by date: what is repaired is counted, what cannot be is named, and no window holds a later day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from pipelines.data.price_table import read_prices
from pipelines.data.price_windows import OwnWindows, SampleWindows, windows
from pipelines.data.prices import repaired
from pipelines.data.sample_set import SampleSet
from pipelines.errors import BadInput
from pipelines.task import DataRequest

ALL_WEEK = "there are prices on all 7 days of the week, but a year is taken for 252 rows, in scores as in windows"

STOCKS = SampleWindows(SampleSet("pipelines.data.builders.stock_prices.StockPrices"))


def frame(days=40, assets=("AA", "BB", "CC"), seed=0):
    rng = np.random.default_rng(seed)
    values = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, (days, len(assets))), axis=0))
    dates = [(date(2020, 1, 1) + timedelta(days=day)).isoformat() for day in range(days)]
    return pd.DataFrame({"Date": dates, **dict(zip(assets, values.T, strict=True))})


@pytest.fixture
def written(tmp_path):
    def write(table, name="prices.csv"):
        path = tmp_path / name
        table.to_parquet(path, index=False) if name.endswith("parquet") else table.to_csv(path, index=False)
        return str(path)

    return write


def load(path, days=5, **asked):
    return OwnWindows(days).load(DataRequest(path, **asked))


def test_a_row_holds_the_returns_up_to_the_close_before_it_and_what_followed(written):
    table = frame(80)
    dataset = load(written(table), days=5)
    prices = table[["AA", "BB", "CC"]].to_numpy()
    returns = prices[1:] / prices[:-1] - 1
    examples = dataset.examples
    assert examples.columns["returns"].shape == (74, 5, 3)
    for row in (0, 31, 73):
        np.testing.assert_allclose(examples.columns["returns"][row], returns[row : row + 5], rtol=1e-6)
        np.testing.assert_allclose(examples.target[row], returns[row + 5])
        assert examples.time[row] == pd.Timestamp(table["Date"][row + 6], tz="UTC").timestamp()
    assert (dataset.assets, dataset.notes) == (("AA", "BB", "CC"), (ALL_WEEK,))


def test_windows_are_a_view_of_the_returns_and_so_are_rows_that_follow_each_other(written):
    examples = load(written(frame(200)), days=50).examples
    column = examples.columns["returns"]
    assert column.strides[0] == column.strides[1]
    assert np.shares_memory(examples.take(np.arange(20, 90)).columns["returns"], column)
    picked = examples.take(np.array([3, 5, 4]))
    np.testing.assert_array_equal(picked.columns["returns"], column[[3, 5, 4]])


def test_the_sample_are_20_survivors_from_1990_to_2022():
    dataset = STOCKS.load(DataRequest())
    assert len(dataset.examples) == 8313 - 1 - 252
    assert len(dataset.assets) == 20
    assert not dataset.simulated
    assert any("hindsight" in note for note in dataset.notes)
    assert not any("not in order" in note for note in dataset.notes)
    day = dataset.examples.time.tolist().index(pd.Timestamp("2008-10-13", tz="UTC").timestamp())
    apple = dataset.examples.target[day][dataset.assets.index("AAPL")]
    assert apple == pytest.approx(0.139, abs=0.001)  # 13 October 2008, one of Apple's best days


def test_unsorted_and_repeated_dates_are_repaired_and_counted(written):
    table = frame(70)
    mixed = pd.concat([table.iloc[40:], table.iloc[:40], table.iloc[[7, 7]]])
    whole, found = load(written(table)), load(written(mixed, "mixed.csv"))
    np.testing.assert_array_equal(found.examples.columns["returns"], whole.examples.columns["returns"])
    np.testing.assert_array_equal(found.examples.time, whole.examples.time)
    assert found.notes[0].startswith("dates were not in order (2 rows earlier")
    assert found.notes[1].startswith("2 rows repeated the date")
    twice = pd.concat([table, table.iloc[[9]].assign(BB=3.0)])
    with pytest.raises(BadInput, match="two rows of 2020-01-10 with different prices"):
        load(written(twice, "twice.csv"))


def test_missing_and_zero_prices_are_carried_forward_from_earlier_days_only(written):
    table = frame(70)
    table.loc[[10, 11], "AA"] = np.nan
    table.loc[20, "BB"] = 0.0
    prices = repaired(read_prices(written(table)))
    assert prices.values[10, 0] == prices.values[11, 0] == table["AA"][9]
    assert prices.values[20, 1] == table["BB"][19]
    assert prices.values[12, 0] == table["AA"][12]
    assert prices.notes[0] == "1 price of 0 ('BB') counted as missing"
    assert prices.notes[1].startswith("3 missing prices ('AA', 'BB') carried forward from the day before, over 2 days")


def test_a_ticker_that_starts_late_costs_the_days_before_it_or_is_refused(written):
    table = frame(200)
    table.loc[:49, "CC"] = np.nan
    found = load(written(table))
    assert len(found.examples) == 150 - 6
    assert found.notes[0].startswith("50 days before 2020-02-20 left out: 'CC' has no price until then")
    table.loc[:149, "CC"] = np.nan
    with pytest.raises(BadInput, match=r"first price of 'CC' is of 2020-05-30, and 150 of 200 days.*--exclude 'CC'"):
        load(written(table, "late.csv"))
    assert load(written(table, "late.csv"), exclude=("CC",)).assets == ("AA", "BB")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda table: table.assign(AA=table["AA"].mask(table.index.isin(range(20, 30)))),
         r"'AA' has no price from 2020-01-20 to 2020-01-30.*5 days at most"),
        (lambda table: table.assign(BB=table["BB"].mask(table.index >= 60)), r"'BB' ends on 2020-02-29.*survivors"),
        (lambda table: table.assign(CC=table["CC"].mask(table.index == 4, -3.0)), r"'CC' on 2020-01-05 is negative"),
        (lambda table: table.assign(CC=np.nan), r"'CC' has no price at all.*--exclude 'CC'"),
        (lambda table: table[["Date", "AA"]], r"prices of 'AA' only"),
        (lambda table: table.drop(columns="Date"), r"no column in which every cell is a date"),
        (lambda table: table.assign(sector="tech"), r"'sector' holds no prices.*--exclude 'sector'"),
        (lambda table: table.head(50), r"prices on 50 days.*at least 66"),
        (lambda table: table.assign(AA=table["AA"].astype(object).mask(table.index == 3, "n.v.")), r"'AA'"),
    ],
)  # fmt: skip
def test_what_cannot_be_repaired_is_named(written, spoil, words):
    with pytest.raises(BadInput, match=words):
        load(written(spoil(frame(80))))


@pytest.mark.parametrize(
    ("asked", "words"),
    [({"target": "AA"}, "--target"), ({"id": "AA"}, "--id"), ({"sensitive": ("AA",)}, "--sensitive"),
     ({"time": "AA"}, r"'AA' \(--time\) holds no dates"), ({"exclude": ("ZZ",)}, "ZZ")],
)  # fmt: skip
def test_flags_that_do_not_fit_prices_are_refused(written, asked, words):
    with pytest.raises(BadInput, match=words):
        load(written(frame(80)), **asked)


def test_splits_are_named_and_left_as_they_are(written):
    table = frame(80)
    table.loc[30:, "AA"] /= 2
    table.loc[50:, "BB"] *= 3
    found = load(written(table))
    note, _ = found.notes
    assert note.startswith("2 jumps")
    assert "AA on 2020-01-31 to 1/2" in note
    assert "BB on 2020-02-20 to 3 times" in note
    assert found.examples.target[24, 0] == pytest.approx(-0.5, abs=0.03)


def test_a_split_is_named_whatever_else_moved_on_its_day(written):
    table = frame(80)
    for day in range(20, 60):
        split = table.assign(AA=table["AA"] / np.where(table.index >= day, 4, 1))
        note = repaired(read_prices(written(split))).notes[0]
        assert f"AA on {table['Date'][day]} to 1/4" in note, day


def test_large_moves_are_told_and_impossible_ones_refused(written):
    table = frame(80)
    table.loc[40, "BB"] *= 7
    note = load(written(table)).notes[0]
    assert note.startswith("2 prices more than doubled, or fell by more than half")
    assert "BB on 2020-02-10 to 7.06 times; BB on 2020-02-11 to 0.143 times" in note
    table.loc[40, "BB"] = 1e29
    with pytest.raises(BadInput, match=r"'BB' goes from .* to 1e\+29 from 2020-02-09 to 2020-02-10"):
        load(written(table))


def test_a_price_that_never_moves_is_told(written):
    notes = load(written(frame(80).assign(AA=100.0))).notes
    assert any(note.startswith("the price of 'AA' never moves") for note in notes)


def test_seven_days_a_week_are_told_and_five_are_not(written):
    table = frame(80)
    assert load(written(table)).notes == (ALL_WEEK,)
    weekdays = table.assign(Date=pd.bdate_range("2020-01-01", periods=80).strftime("%Y-%m-%d"))
    assert load(written(weekdays)).notes == ()


def test_pauses_are_told_and_rows_that_are_no_days_refused(written):
    table = frame(90)
    paused = table.drop(index=range(30, 45))
    assert load(written(paused)).notes[0].startswith("1 pause of more than 10 days")
    for step, told in (
        (timedelta(weeks=1), "7"),
        (timedelta(days=2), "2"),
        (timedelta(days=30), "30"),
        (timedelta(hours=1), "0.0417"),
    ):
        other = table.assign(Date=[(datetime(2018, 1, 1) + row * step).isoformat() for row in range(90)])
        with pytest.raises(BadInput, match=rf"rows lie {told} days apart \(median\).*one row a day"):
            load(written(other))


def test_an_asset_that_rarely_has_a_price_of_its_own_is_refused(written):
    table = frame(80)
    table.loc[table.index % 4 == 1, "BB"] = np.nan
    with pytest.raises(BadInput, match=r"'BB' has no price on 20 of 80 days.*--exclude 'BB'"):
        load(written(table))


def test_parquet_with_real_dates_reads_alike(written):
    table = frame(80)
    typed = table.assign(Date=pd.to_datetime(table["Date"]))
    found, same = load(written(typed, "prices.parquet")), load(written(table))
    np.testing.assert_array_equal(found.examples.time, same.examples.time)
    np.testing.assert_array_equal(found.examples.target, same.examples.target)


def test_rows_to_predict_end_with_the_last_close_and_take_the_models_assets(written):
    table = frame(80).assign(EXTRA=5.0)
    rows = OwnWindows(5).unlabelled(written(table), {"returns": (7, 3)}, ("CC", "AA", "BB"))
    prices = table[["CC", "AA", "BB"]].to_numpy()
    returns = prices[1:] / prices[:-1] - 1
    np.testing.assert_allclose(rows.columns["returns"][-1], returns[-7:], rtol=1e-5)
    assert (rows.files[-1], rows.called, len(rows.files)) == (table["Date"].iloc[-1], "at_close_of", 80 - 7)
    assert "1 column of other assets ignored" in rows.notes
    with pytest.raises(BadInput, match="no prices of 'DD'"):
        OwnWindows(5).unlabelled(written(table), {"returns": (7, 2)}, ("AA", "DD"))


def test_a_window_ends_with_its_own_day():
    np.testing.assert_array_equal(windows(np.arange(12.0).reshape(6, 2), 3)[-1], [[6, 7], [8, 9], [10, 11]])
