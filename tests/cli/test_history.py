"""`compare` and `check` on a recorded run."""

import json
from dataclasses import replace

import pytest

from pipelines import catalogue
from pipelines.task import Limits

from .conftest import TASK


@pytest.fixture
def there(recorded, monkeypatch):
    monkeypatch.chdir(recorded.folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return recorded.document


@pytest.fixture
def limits(monkeypatch):
    """Let the task declare other limits."""

    def declare(**limits):
        task = replace(catalogue.find(TASK), limits=Limits(**limits))
        monkeypatch.setattr(catalogue, "find", lambda name: task)

    return declare


def test_compare_gives_the_runs_as_plain_values(there, tapeline):
    ended = tapeline("compare", TASK, "--json")
    (row,) = json.loads(ended.out)
    verdict = there["verdict"]
    assert (ended.code, ended.err) == (0, "")
    assert (row["run_id"], row["status"], row["data_source"]) == (there["mlflow_run_id"], "FINISHED", "loans.csv")
    assert (row["network"], row["winner"]) == (verdict["network"], verdict["winner"])
    network = next(card for card in there["contenders"] if card["name"] == verdict["network"])
    assert row["network_score"] == pytest.approx(network["scores"]["auroc"]["value"])


@pytest.mark.parametrize("width", [80, 140])
def test_compare_fits_the_terminal_and_cuts_nothing(width, there, tapeline, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    shown = tapeline("compare", TASK).out
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= width
    assert "…" not in shown
    for word in (there["mlflow_run_id"][:8], "loans.csv", there["verdict"]["best_baseline"]):
        assert word in shown


def test_check_ends_with_1_where_a_limit_fails_and_names_it(there, tapeline, limits):
    limits(primary_at_least=1.01)
    ended = tapeline("check", TASK)
    assert ended.code == 1
    assert "fails" in ended.out
    assert ended.err == f"error 1 of 1 limits of {TASK} failed: primary_at_least\n"


def test_check_ends_with_0_where_all_hold_also_of_a_run_named_by_its_beginning(there, tapeline, limits):
    limits(primary_at_least=0.0)
    ended = tapeline("check", TASK, "--run", there["mlflow_run_id"][:8], "--json")
    assert (ended.code, ended.err) == (0, "")
    assert json.loads(ended.out)["limits"][0]["passed"] is True


def test_check_writes_a_limit_that_could_not_be_measured_as_null(there, tapeline, limits):
    limits(gap_at_most={"no_such_gap": 0.1})
    ended = tapeline("check", TASK, "--json")
    assert ended.code == 1
    assert json.loads(ended.out)["limits"] == [
        {"name": "gap_at_most/no_such_gap", "value": None, "limit": 0.1, "passed": False}
    ]


def test_check_refuses_the_run_of_another_task(there, tapeline):
    ended = tapeline("check", "nlp/sentiment", "--run", there["mlflow_run_id"])
    assert (ended.code, ended.out) == (2, "")
    assert f"is a run of {TASK}" in ended.err
