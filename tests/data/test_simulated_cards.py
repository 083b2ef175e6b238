"""The simulated cards: the same rows each time, with the rhythm, habits and frauds that the docstring tells of."""

import numpy as np
import pytest

from pipelines.data.builders.card_world import DAY_SECONDS, KINDS, simulate
from pipelines.data.builders.simulated_cards import SEED, SimulatedCards
from pipelines.data.sample_transactions import SampleTransactions
from pipelines.errors import BadInput
from pipelines.task import DataRequest


@pytest.fixture(scope="module")
def columns():
    return simulate(SEED)


def of_kind(columns, name):
    return columns["kind"] == KINDS.index(name)


def test_the_seed_decides_every_row(columns):
    again, other = simulate(SEED), simulate(SEED + 1)
    for name, values in columns.items():
        np.testing.assert_array_equal(values, again[name])
    assert len(other["time"]) != len(columns["time"])


def test_rows_are_payments_in_order_with_a_rhythm(columns):
    assert (np.diff(columns["time"]) >= 0).all()
    assert columns["amount"].min() >= 0.5
    day, hour = columns["time"] // DAY_SECONDS, columns["time"] % DAY_SECONDS / 3600
    by_weekday = np.bincount((day % 7).astype(int))
    assert by_weekday[5] > 1.5 * by_weekday[6]  # Saturdays and Sundays
    assert np.mean((hour > 9) & (hour < 20)) > 0.75
    assert 70_000 < len(day) < 85_000


def test_frauds_are_rare_and_of_every_kind(columns):
    assert 0.005 < (columns["kind"] > 0).mean() < 0.015
    assert np.bincount(columns["kind"].astype(int)).min() > 100
    usual = np.median(columns["amount"][of_kind(columns, "genuine")])
    assert np.median(columns["amount"][of_kind(columns, "stolen")]) > 2 * usual
    assert np.median(columns["amount"][of_kind(columns, "takeover")]) < 2 * usual  # it mimics
    assert (columns["amount"][of_kind(columns, "testing")] < 3).mean() > 0.5
    hit = np.unique(columns["terminal"][of_kind(columns, "terminal")])
    assert len(hit) == 11


def test_the_sample_holds_the_simulated_rows_and_says_so(columns, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path_factory.mktemp("cards")))
    found = SampleTransactions().load(DataRequest(delay=7.0))
    assert found.simulated
    assert "SIMULATED" in SimulatedCards.__doc__
    np.testing.assert_array_equal(found.records["amount"], columns["amount"])
    np.testing.assert_array_equal(found.examples.target == "fraud", columns["kind"] > 0)
    assert not {"kind", "age_band", "region"} & set(found.examples.columns)
    short = SampleTransactions(last=30.0).load(DataRequest(delay=7.0))
    assert np.ptp(short.examples.time) <= 30.0
    with pytest.raises(BadInput, match="--target goes with --data PATH"):
        SampleTransactions().load(DataRequest(target="fraud"))
