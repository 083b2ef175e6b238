"""`tapeline run finance/portfolio --data prices.csv` and `predict`, as a person gives them."""

import json
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest

from pipelines.cli.prediction import read_rows_to_predict
from pipelines.data.next_day import OwnDirections
from pipelines.objectives.classification import Classification
from pipelines.report import document
from pipelines.report.document import Report
from pipelines.task import DataRequest
from pipelines.tracking.store import VARIABLE

TASK = "finance/portfolio"
FAST = [
    part
    for each in ("recipe.epochs=1", "recipe.trials=1", "protocol.folds=2", "protocol.test=.4", "protocol.resamples=100")
    for part in ("--set", each)
]  # fmt: skip


def prices(days=400, seed=0):
    rng = np.random.default_rng(seed)
    values = 100 * np.exp(np.cumsum(rng.normal(0.0004, 0.012, (days, 3)), axis=0))
    dates = [(date(2015, 1, 1) + timedelta(days=day)).isoformat() for day in range(days)]
    return pd.DataFrame({"day": dates, **dict(zip(("AA", "B/B", "CC"), values.T, strict=True))})


def test_a_portfolio_of_ones_own_is_run_recorded_shown_and_predicted(tapeline, folder, monkeypatch):
    """All in one, since a run is dear."""
    monkeypatch.delenv(VARIABLE, raising=False)
    table = prices()
    table.loc[100, "CC"] = np.nan
    table.to_csv("prices.csv", index=False)
    ended = tapeline("run", TASK, "--data", "prices.csv", "--set", "protocol.rebalance=3", "--json", *FAST)
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    jsonschema.validate(found, json.loads(Path(document.__file__).with_name("schema.json").read_text()))
    report = Report.from_dict(found)
    assert report.data.protocol == "walk forward: 59 rows tested in 2 stretches of time, 1 moment left out before each"
    assert any("carried forward" in note for note in report.data.notes)
    assert {card.name for card in report.contenders} == {
        "gru-weights", "gru-forecast", "equal-weights", "inverse-volatility", "minimum-variance", "momentum",
        "ridge-forecast",
    }  # fmt: skip
    for card in report.contenders:
        assert set(card.scores) == {
            "sharpe", "annual_return", "volatility", "max_drawdown", "turnover", "tail_loss",
        }  # fmt: skip
        assert not card.bias
        assert not card.calibration
        assert not card.decisions
    assert {each.test for each in report.comparisons} == {"Ledoit-Wolf"}
    assert "Sharpe" in report.verdict.sentence

    artifacts = {path.name for path in Path("mlruns/artifacts").rglob("*.png")}
    assert {"equity.png", "scores.png"} <= artifacts

    shown = tapeline("compare", TASK)
    assert (shown.code, "inconclusive" in shown.out) == (0, True)

    new = table.iloc[::-1].assign(EXTRA=1.0).fillna(50.0)
    new.to_csv("new.csv", index=False)
    for contender in ("gru-weights", "gru-forecast", "ridge-forecast"):
        ended = tapeline(
            "predict", report.mlflow_run_id, "--contender", contender, "--input", "new.csv", "--output", "out.csv"
        )
        assert ended.code == 0, ended.err
        weights = pd.read_csv("out.csv")
        assert list(weights.columns) == ["at_close_of", "AA", "B/B", "CC"]
        assert weights["at_close_of"].iloc[-1] == table["day"].iloc[-1]
        assert len(weights) == 400 - 252
        np.testing.assert_allclose(weights[["AA", "B/B", "CC"]].sum(axis=1), 1, atol=1e-9)
        assert (weights[["AA", "B/B", "CC"]] >= 0).all().all()
    new.drop(columns="AA").to_csv("new.csv", index=False)
    ended = tapeline("predict", report.mlflow_run_id, "--input", "new.csv", "--output", "out.csv")
    assert (ended.code, ended.out) == (2, "")
    assert "no prices of 'AA'" in ended.err


@pytest.mark.parametrize(
    ("spoil", "flags", "words"),
    [
        (lambda table: table[["day", "AA"]], (), "two assets or more"),
        (lambda table: table.head(200), (), "at least 313 days"),
        (lambda table: table, ("--target", "AA"), "--target"),
        (lambda table: table, ("--time", "AA"), "holds no dates"),
        (lambda table: table, ("--set", "protocol.kind=cross-validation"), "train on the future"),
        (lambda table: table, ("--set", "protocol.rebalance=-1"), "protocol.rebalance"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(spoil, flags, words, tapeline, folder):
    spoil(prices()).to_csv("prices.csv", index=False)
    ended = tapeline("run", TASK, "--data", "prices.csv", *flags)
    assert (ended.code, ended.out) == (2, "")
    (line,) = [line for line in ended.err.splitlines() if words in line]
    assert "Traceback" not in ended.err
    assert line


@pytest.mark.parametrize(
    ("setting", "words"),
    [("protocol.rebalance=5", "is for portfolios"), ("protocol.purge=5", "--time COLUMN"),
     ("protocol.kind=walk-forward", "set protocol.by=time")],
)  # fmt: skip
def test_what_is_for_days_does_nothing_elsewhere_and_is_refused(setting, words, tapeline, folder):
    ended = tapeline("run", "medical_imaging/breast-cancer", "--set", setting)
    assert ended.code == 2
    assert words in ended.err


def test_a_saved_model_of_directions_reads_prices_not_features(tmp_path):
    path = tmp_path / "prices.csv"
    prices()[["day", "AA"]].to_csv(path, index=False)
    learned = OwnDirections().load(DataRequest(str(path))).examples
    model: Any = SimpleNamespace(
        task="finance/next-day-direction",
        kinds=learned.kinds,
        shapes={},
        by_group=None,
        reading={},
        objective=Classification(),
    )
    examples, closes, *_ = read_rows_to_predict(model, path)
    assert (closes.name, closes.iloc[-1], len(examples)) == ("at_close_of", prices()["day"].iloc[-1], 400 - 252)
    for name, values in learned.columns.items():
        np.testing.assert_array_equal(examples.columns[name][:-1], values)


def test_a_model_of_directions_finds_its_asset_among_several(tmp_path):
    path = tmp_path / "prices.csv"
    prices().to_csv(path, index=False)
    learned = OwnDirections().load(DataRequest(str(path), target="CC"))
    examples = learned.examples
    model: Any = SimpleNamespace(
        task="finance/next-day-direction",
        kinds=examples.kinds,
        shapes={},
        by_group=None,
        reading=learned.reading,
        objective=Classification(),
    )
    read, closes, *_ = read_rows_to_predict(model, path)
    assert closes.name == "at_close_of"
    for name, values in examples.columns.items():
        np.testing.assert_array_equal(read.columns[name][:-1], values)
