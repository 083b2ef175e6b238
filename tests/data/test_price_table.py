"""A file of prices: which columns are dates and assets, and what is no such table, by line."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipelines.data.price_table import open_prices, read_prices
from pipelines.data.prices import repaired
from pipelines.errors import BadInput

DATES = pd.bdate_range("2022-03-01", periods=60)  # clocks are put forward within it


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "prices.csv")


def table(*names):
    walk = 100 * np.exp(np.random.default_rng(0).normal(0, 0.01, (60, len(names))).cumsum(axis=0))
    return pd.DataFrame({"Date": DATES.strftime("%Y-%m-%d"), **dict(zip(names, walk.round(2).T, strict=True))})


def refused(of, path, words, read=read_prices, **asked):
    of.to_csv(path, index=False)
    with pytest.raises(BadInput, match=words):
        repaired(read(path, **asked))


def test_open_high_low_close_and_volume_are_no_assets(path):
    words = "'Open', 'High', 'Low', 'Close', 'Adj Close', 'Volume' are of one asset.*one column an asset"
    refused(table("Open", "High", "Low", "Close", "Adj Close", "Volume"), path, words)
    refused(table("AAPL", "VOLUME"), path, "'VOLUME' are of one asset by its name")
    refused(table("close", "Stock Splits"), path, "'close', 'Stock Splits' are of one asset")


def test_lowes_and_opendoor_are_assets(path):
    table("LOW", "OPEN", "AAPL").to_csv(path, index=False)
    assert read_prices(path).names == ("LOW", "OPEN", "AAPL")


def test_a_date_in_the_future_is_named(path):
    of = table("A", "B")
    of.loc[59, "Date"] = "2099-01-01"
    refused(of, path, r"line 61, column 'Date' \(--time\): '2099-01-01' is in the future")


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Asia/Tokyo", "UTC", None])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_date_with_an_offset_is_the_day_where_it_was_written(zone, kind, tmp_path):
    of, file = table("A", "B"), tmp_path / f"prices.{kind}"
    of["Date"] = DATES.tz_localize(zone)
    of.to_csv(file, index=False) if kind == "csv" else of.to_parquet(file, index=False)
    found = read_prices(str(file))
    assert [found.day(row) for row in range(60)] == DATES.strftime("%Y-%m-%d").tolist()
    assert set(np.diff(found.dates) / 86_400) == {1, 3}


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("{:,.2f}", r"line 2, column 'A' holds '10,\d\d\d.\d\d', with a separator of thousands; write 10\d\d\d.\d\d"),
        ("${:.2f}", r"line 2, column 'A' holds '\$10\d+.\d\d', with a currency sign; write 10\d+"),
        ("€{:,.2f}", r"with a currency sign and a separator of thousands; write 10\d+.*--exclude 'A'"),
        ("high", r"column 'A' holds no prices \(line 2 says 'high'\).*--exclude 'A'"),
    ],
)
def test_prices_that_are_no_plain_numbers_are_named(written, words, path):
    of = table("A", "B")
    refused(of.assign(A=[written.format(100 * price) for price in of["A"]]), path, words)


def test_one_date_that_is_none_is_named(path):
    of = table("A", "B")
    of.loc[9, "Date"] = "2022-02-30"
    words = "column 'Date'.*holds dates, but in line 11 '2022-02-30', which is none"
    refused(of, path, words)
    refused(of, path, words, time="Date")


@pytest.mark.parametrize("read", [read_prices, open_prices])
def test_a_row_for_each_asset_is_refused(read, path):
    long = table("A", "B").melt("Date", var_name="ticker", value_name="close")
    refused(long, path, "one row for each date and each of 'A', 'B' .'ticker'.; give one row a date", read)


def test_two_rows_of_one_date_are_named(path):
    of = table("A", "B")
    refused(pd.concat([of, of.iloc[[3]].assign(B=1.5)]), path, r"two rows of 2022-03-04 .*\(lines 5 and 62\)")
