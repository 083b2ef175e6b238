"""`tapeline run`, in real processes: what is printed, recorded and left behind when it ends in any way."""

import json
import re
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import jsonschema
import pytest

from pipelines.report.document import Report
from pipelines.tracking import query
from pipelines.tracking.record import pipeline_run
from pipelines.tracking.store import open_store

from .conftest import FAST, TASK, finish, start
from .tables import loans

SCHEMA = Path(__file__).resolve().parents[2] / "pipelines" / "report" / "schema.json"
ENDLESS = ("--set", "recipe.epochs=100000", "--set", "recipe.patience=100000", "--set", "recipe.trials=1")


def asked(database, question):
    """Rows of the MLflow database, read without creating or locking it; none while it is not there."""
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return connection.execute(question).fetchall()
    except sqlite3.Error:
        return []


def statuses(folder):
    return {
        status
        for (status,) in asked(
            folder / "mlruns" / "mlflow.db", "select status from runs where lifecycle_stage = 'active'"
        )
    }


def failures(folder):
    return {why for (why,) in asked(folder / "mlruns" / "mlflow.db", "select value from tags where key = 'failure'")}


def test_json_is_one_document_of_the_schema_and_nothing_else(recorded):
    assert recorded.ended.out.count("\n") == 1
    jsonschema.validate(recorded.document, json.loads(SCHEMA.read_text()))
    assert Report.from_dict(recorded.document).to_dict() == recorded.document


def test_stderr_tells_the_schema_and_notes_without_noise_bars_or_colour(recorded):
    lines = recorded.ended.err.splitlines()
    assert lines[0] == "columns that models see"
    assert any(line.startswith("note column 'name' is left out") for line in lines)
    table = [line for line in lines if not line.startswith("note ")]
    apart = table.index("columns set aside to judge bias by, which no model sees")
    assert {line.split()[0] for line in table[2:apart]} == {"income", "job", "visits", "customer", "grade", "day"}
    assert {line.split()[0] for line in table[apart + 2 :]} == {"sex", "age"}
    assert not re.search(r"\x1b|━|\r", recorded.ended.err)


def test_a_table_never_seen_before_is_judged_with_only_the_needed_flags(recorded):
    data, document = recorded.document["data"], recorded.document
    assert (data["rows"], data["target"], data["source"], data["simulated"]) == (200, "defaulted", "loans.csv", False)
    assert not {"sex", "age", "name", "defaulted"} & set(data["columns"])
    assert {row["attribute"] for card in document["contenders"] for row in card["bias"]} == {"sex", "age", "sex x age"}
    assert document["verdict"]["sentence"]


def test_nothing_but_the_runs_is_left_in_the_folder(recorded):
    assert sorted(each.name for each in recorded.folder.iterdir() if each.suffix != ".parquet") == [
        "loans.csv",
        "mlruns",
    ]
    assert {each.name for each in (recorded.folder / "mlruns").iterdir()} == {"mlflow.db", "artifacts"}
    assert statuses(recorded.folder) == {"FINISHED"}


def test_quiet_says_nothing_but_the_answer_and_classes_ids_and_exclusions_work(tapeline, folder):
    loans().to_parquet("d.parquet")
    flags = (
        "--target",
        "grade",
        "--id",
        "customer",
        "--exclude",
        "income",
        "--exclude",
        "defaulted",
        "--sensitive",
        "sex",
    )
    ended = tapeline("run", TASK, "--data", "d.parquet", *flags, "--quiet", "--json", *FAST)
    assert (ended.code, ended.err) == (0, "")
    document = json.loads(ended.out)
    assert document["primary"] == "accuracy"
    assert not {"income", "defaulted", "customer", "sex"} & set(document["data"]["columns"])
    assert "whole ids" in document["data"]["protocol"]
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))


def test_training_that_diverges_ends_with_3_and_a_failed_run_that_says_why(tapeline, folder):
    loans().to_csv("d.csv", index=False)
    ended = tapeline(
        "run", TASK, "--data", "d.csv", "--target", "defaulted", "--quiet", *FAST, "--set", "recipe.learning_rate=1e12"
    )
    assert (ended.code, ended.out, ended.err.count("\n")) == (3, "", 1)
    assert "loss was not finite" in ended.err
    assert statuses(folder) == {"FAILED"}
    assert all("loss was not finite" in why for why in failures(folder))


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """Three runs in the middle of training, each stopped in its way; started together to save time."""
    found = {}
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        folder = tmp_path_factory.mktemp(number.name)
        loans().to_csv(folder / "d.csv", index=False)
        process = start(folder, "run", TASK, "--data", "d.csv", "--target", "defaulted", "--quiet", *ENDLESS)
        found[number] = (folder, process)
    ended = {}
    for number, (folder, process) in found.items():
        for _ in range(800):
            if process.poll() is not None or len(asked(folder / "mlruns" / "mlflow.db", "select 1 from runs")) == 2:
                break
            time.sleep(0.25)
        time.sleep(2)
        process.send_signal(number)
        if number == signal.SIGINT:
            process.send_signal(number)  # an impatient user
        ended[number] = (folder, finish(process))
    return ended


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_told_to_stop_ends_with_130_and_is_marked_killed(stopped, number):
    folder, ended = stopped[number]
    assert (ended.code, ended.out, ended.err.count("\n")) == (130, "", 1)
    assert re.fullmatch(r"error interrupted; the same command, or `tapeline run --resume \w+`, goes on.*\n", ended.err)
    assert statuses(folder) == {"KILLED"}
    assert failures(folder) == {"interrupted"}


def test_a_run_that_was_killed_outright_is_closed_by_the_next(stopped, monkeypatch):
    folder, ended = stopped[signal.SIGKILL]
    assert ended.code == -signal.SIGKILL
    assert statuses(folder) == {"RUNNING"}
    monkeypatch.chdir(folder)
    with pipeline_run(open_store(), TASK):
        pass
    assert statuses(folder) == {"KILLED", "FINISHED"}
    assert list(query.runs(TASK)["status"]) == ["FINISHED", "KILLED"]
