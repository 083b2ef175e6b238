"""Card fraud from a user's own payments to alerts, MLflow and predictions, and the ULB layout without customers."""

import json
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest
from payments import payments

from pipelines import catalogue
from pipelines.prepare import prepare
from pipelines.report import document
from pipelines.report.document import Report
from pipelines.task import DataRequest
from pipelines.tracking.metrics import of_report

TASK = "finance/card-fraud"
SCHEMA = Path(document.__file__).with_name("schema.json")
FAST = [
    part
    for each in ("recipe.epochs=1", "recipe.trials=1", "recipe.plan=resident", "recipe.width=8",
                 "protocol.networks=gru", "protocol.resamples=100", "protocol.alert_budget=2", "protocol.alert_cost=3")
    for part in ("--set", each)
]  # fmt: skip


def own(n=700):
    of = payments(n, days=100.0, customers=9)
    when = (pd.Timestamp("2024-01-01") + pd.to_timedelta(of.time, unit="D")).round("s")
    return pd.DataFrame({
        "when": when.strftime("%Y-%m-%d %H:%M:%S"), "customer": of.customer, "terminal": of.terminal,
        "amount": of.amount, "x": of.place[:, 0], "y": of.place[:, 1], "fraud": of.fraud.astype(int),
        "region": np.where(of.customer % 2 == 0, "north", "south"),
    })  # fmt: skip


def test_a_run_on_own_payments_ends_in_alerts_and_predictions(folder, tapeline):
    frame = own()
    frame.iloc[::-1].to_csv("payments.csv", index=False)  # the newest first, as banks' exports are
    done = tapeline("run", TASK, "--data", "payments.csv", "--time", "when", "--sensitive", "region", "--json", *FAST)
    assert done.code == 0, done.err
    printed = json.loads(done.out)
    schema = json.loads(SCHEMA.read_text())
    jsonschema.validate(printed, schema)
    report = Report.from_dict(printed)
    alerts = report.alerts
    assert (alerts.budget, alerts.cost, alerts.alerts) == (2, 3.0, 2 * alerts.days)
    assert set(alerts.contenders) == {card.name for card in report.contenders}
    best = alerts.contenders["boosting"]
    assert best["precision"].low <= best["precision"].value <= best["precision"].high
    assert report.primary == "average_precision"
    assert any("out of order" in note for note in report.data.notes)
    assert "labels known after 7" in report.data.protocol
    assert {row.attribute for row in report.contenders[0].bias} == {"region"}
    metrics = of_report(report)
    assert metrics["alerts/boosting/precision"] == best["precision"].value
    assert "alerts/difference/saved_per_day.low" in metrics

    new = frame.drop(columns=["fraud", "region"])
    new.to_csv("new.csv", index=False)
    for contender in ("gru", "linear"):
        told = tapeline("predict", report.mlflow_run_id, "--input", "new.csv", "--output", "out.csv",
                        "--contender", contender)  # fmt: skip
        assert told.code == 0, told.err
        said = pd.read_csv("out.csv")
        assert len(said) == len(new)
        assert said["probability_1"].between(0, 1).all()

    table = tapeline("predict", report.mlflow_run_id, "--input", "new.csv", "--output", "new.csv")
    assert table.code == 2


def test_the_table_of_alerts_says_who_saves_what(capsys):
    from rich.console import Console

    from pipelines.cli import show_alerts
    from pipelines.report.alerts import AlertReport
    from pipelines.report.document import Estimate

    measures = {
        "precision": Estimate(0.5, 0.4, 0.6), "recall": Estimate(-0.25, -0.3, -0.2), "amount_recall": Estimate(0.1),
        "saved_per_day": Estimate(12.5, -1, 30),
    }  # fmt: skip
    told = AlertReport(0.005, 5.0, 30, 60, 90, {"net": measures, "base": measures}, "net", "base", measures)

    class Document:
        alerts = told

    show_alerts.alerts(Console(width=120), Document)
    printed = capsys.readouterr().out
    assert "alerts: 0.5 % of a day's rows, 60 in 30 days with 90 frauds; each costs 5" in printed
    assert "12.50 (-1.00 to 30.00)" in printed
    said = (
        "net saves 12.50 more a day than base (difference -1.00 to +30.00), which may be chance; it finds 0.25 less of"
    )
    assert said in " ".join(printed.split())


def test_the_ulb_layout_has_no_histories_and_no_delay(tmp_path):
    chance = np.random.default_rng(0)
    n = 1500
    frame = pd.DataFrame({"Time": np.sort(chance.integers(0, 172792, n)).astype(float)})
    frame = frame.assign(**{f"V{number}": chance.normal(size=n) for number in range(1, 29)})
    frame = frame.assign(Amount=chance.exponential(50, n).round(2), Class=(np.arange(n) % 20 == 0).astype(int))
    frame.to_csv(tmp_path / "creditcard.csv", index=False)
    task = catalogue.find(TASK)
    prepared = prepare(task, DataRequest(str(tmp_path / "creditcard.csv")), 0)
    assert (prepared.protocol.by, prepared.protocol.delay) == ("time", 0.0)
    notes = " ".join(prepared.dataset.notes)
    assert "gru is left out" in notes
    assert "delay of labels by 7 is left out" in notes
    assert sum(prepared.folds[0].counts().values()) == n


@pytest.mark.parametrize("flag", ["protocol.alert_budget=5", "protocol.alert_cost=1"])
def test_budgets_are_for_tasks_with_alerts(folder, tapeline, flag):
    done = tapeline("run", "finance/credit-default", "--set", flag)
    assert done.code == 2
    assert "has no alerts" in done.err
