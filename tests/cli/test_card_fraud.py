"""Card fraud from a user's own payments to alerts, MLflow and predictions, and the ULB layout without customers."""

import json
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest
from payments import payments

from pipelines import catalogue
from pipelines.cli.prediction import _require_reasons, predict_file
from pipelines.contenders import saved
from pipelines.contenders.acting import Acting, usual_of
from pipelines.contenders.blend import FittedBlend, Part
from pipelines.contenders.classical import FittedClassical
from pipelines.contenders.lineup import line_up
from pipelines.contenders.network import FittedNetwork
from pipelines.contenders.reading import columns_read
from pipelines.errors import BadInput
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


def shown_alerts(capsys, width=160, **changed):
    from rich.console import Console

    from pipelines.cli import show_alerts
    from pipelines.report.alerts import AlertReport
    from pipelines.report.document import Estimate

    measures = {name: Estimate(0.5, 0.4, 0.6) for name in show_alerts.HEADINGS}
    told = {"budget": 0.005, "cost": 5.0, "days": 12, "alerts": 12, "frauds": 9, "contenders": {"net": measures},
            "network": "net", "baseline": "base", "difference": measures, "rows": 600}  # fmt: skip

    class Document:
        alerts = AlertReport(**{**told, **changed})

    show_alerts.alerts(Console(width=width), Document)
    return " ".join(capsys.readouterr().out.split())


def test_a_budget_of_less_than_a_row_is_said_to_be_one(capsys):
    assert "0.5 % of a day's rows, rounded and at least one, which is 2 % here, 12 in 12 days" in shown_alerts(capsys)
    assert "0.5 % of a day's rows, 12 in" in shown_alerts(capsys, rows=2400)
    assert "0.5 % of a day's rows, 12 in" in shown_alerts(capsys, rows=0)  # written before rows were kept
    assert "alerts: 1 a day, 12 in" in shown_alerts(capsys, budget=1)


def test_the_legend_of_alerts_explains_what_is_shown(capsys):
    from pipelines.report.document import Estimate

    wide, narrow = shown_alerts(capsys), shown_alerts(capsys, width=80)
    assert "hours: from the first fraud" in wide
    assert "hours" not in narrow
    assert "cards found: of those" in narrow
    few = {name: Estimate(0.5, 0.4, 0.6) for name in ("precision", "recall", "saved_per_day")}
    least = shown_alerts(capsys, contenders={"net": few}, difference=few)
    assert "saved: money" in least
    assert "cards" not in least


def test_one_day_and_no_fraud_are_said_in_words(capsys):
    from pipelines.report.document import Estimate

    difference = {"saved_per_day": Estimate(-84.63), "recall": Estimate(float("nan"))}
    told = shown_alerts(capsys, days=1, alerts=4, frauds=0, difference=difference)
    assert "4 in 1 day with 0 frauds; each costs 5" in told
    assert "net saves 84.63 less a day than base (one day shows no spread, so whether this is chance cannot be" in told
    assert "the test holds no fraud that could be found." in told
    assert "undefined" not in told
    assert "which may be chance" not in told


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


def test_card_fraud_is_not_split_by_customers(tmp_path):
    own().to_csv(tmp_path / "payments.csv", index=False)
    asked = DataRequest(str(tmp_path / "payments.csv"), id="customer", time="when")
    with pytest.raises(BadInput, match=r"protocol.by=id: finance/card-fraud is split by time"):
        prepare(catalogue.find(TASK), asked, 0, ["protocol.by=id"])


@pytest.fixture
def model(tmp_path):
    """A logistic regression on own payments, saved as a run saves it; and the payments."""
    frame, task = own(400).drop(columns="region"), catalogue.find(TASK)
    frame.to_csv(tmp_path / "payments.csv", index=False)
    data = task.sources.own.load(DataRequest(str(tmp_path / "payments.csv"), time="when", delay=7.0))
    objective = task.objective.resolve(data.examples.target, positive=data.positive)
    linear = next(each for each in line_up(task, objective, task.recipe) if each.name == "linear")
    fitted = linear.having({}).fit(data.examples, data.examples, 0)
    (tmp_path / "model").mkdir()
    saved.save(fitted, tmp_path / "model", TASK, "linear", objective, data.examples, 0.3,
               acting=Acting(usual=usual_of(data.examples)), reading=data.reading)  # fmt: skip
    return tmp_path / "model", frame


def test_reasons_of_a_model_that_reads_windows_name_windows(model, tmp_path):
    folder, frame = model
    frame.loc[3, "amount"] = -2.0
    pd.concat([frame, frame.iloc[[7]]]).to_csv(tmp_path / "new.csv", index=False)
    notes = predict_file(str(folder), tmp_path / "new.csv", tmp_path / "out.csv", None, 2)
    said = pd.read_csv(tmp_path / "out.csv")
    assert len(said) == len(frame) + 1
    assert said.loc[3].isna().all()
    assert said["probability_1"].drop(3).between(0, 1).all()
    named = {reason.split(":")[0] for reason in said["reason_1"].dropna()}
    assert named
    assert named <= set(saved.load(folder).kinds) - {"history"}
    assert any(note.startswith("400 predictions of linear") for note in notes)  # the repeat has no id: one of its own


def test_reasons_are_refused_of_a_model_that_reads_histories():
    objective = catalogue.find(TASK).objective.resolve(np.array(["0", "1"] * 10, object), positive="1")
    kinds = {"amount": "number", "history": "series"}
    gru, linear = FittedNetwork(None, objective, {"history": "series"}), FittedClassical(None, objective, None)
    blend = FittedBlend((Part("gru", 0.5, gru), Part("linear", 0.5, linear)), objective)
    assert columns_read(linear, kinds) == {"amount": "number"}
    assert columns_read(gru, kinds) == {"history": "series"}
    assert columns_read(blend, kinds) == kinds
    for fitted in (gru, blend):
        with pytest.raises(BadInput, match="--reasons is for columns of numbers and categories; gru reads series"):
            _require_reasons(saved.Saved(TASK, "gru", fitted, objective, kinds, 0.5), 2)


@pytest.mark.parametrize("flag", ["protocol.alert_budget=5", "protocol.alert_cost=1"])
def test_budgets_are_for_tasks_with_alerts(folder, tapeline, flag):
    done = tapeline("run", "finance/credit-default", "--set", flag)
    assert done.code == 2
    assert "has no alerts" in done.err
