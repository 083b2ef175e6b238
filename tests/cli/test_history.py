"""`compare` and `check` on a recorded run."""

import json
from dataclasses import replace

import pytest
from rich.console import Console

from pipelines import catalogue
from pipelines.cli import show
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
    assert row["seed"] == 0
    assert row["settings"]["protocol.folds"] == "2"
    assert row["network_score"] == pytest.approx(network["scores"]["auroc"]["value"])


@pytest.mark.parametrize("width", [80, 140])
def test_compare_fits_the_terminal_and_cuts_nothing(width, there, tapeline, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    shown = tapeline("compare", TASK).out
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= width
    assert "…" not in shown
    for word in (there["mlflow_run_id"][:8], "loans.csv", there["verdict"]["best_baseline"]):
        assert word in shown


def run_row(**changed):
    row = {
        "run_id": "9b297b18" * 4, "started": "2026-11-27T21:36:00", "status": "FINISHED", "data_source": "cards.csv",
        "primary": "average_precision", "answer": "inconclusive", "network": "gru", "network_score": 0.361,
        "best_baseline": "boosting", "baseline_score": 1.0, "difference": -0.639, "low": -0.8, "high": 0.1,
        "tuned": "", "failure": "", "seed": 0, "settings": {"protocol.folds": "5", "protocol.seeds": "1"},
    }  # fmt: skip
    return row | changed


@pytest.mark.parametrize("width", [80, 140])
def test_runs_say_which_score_it_is_what_tells_them_apart_and_when_an_interval_decides_nothing(width):
    def shown(*rows):
        console = Console(width=width)
        with console.capture() as captured:
            show.runs(console, rows)
        assert max(len(line.rstrip()) for line in captured.get().splitlines()) <= width
        return captured.get()

    alike = shown(run_row(), run_row())
    assert "past runs, and their avg precision" in alike
    assert "seed" not in alike
    assert "folds" not in alike
    assert "corrected" not in alike
    told = shown(run_row(), run_row(seed=3, settings={"protocol.folds": "2", "protocol.seeds": "1"}, high=-0.141))
    assert all(words in told for words in ("seed 0", "seed 3", "folds 5", "folds 2", "intervals are not"))
    assert "seeds 1" not in told
    mixed = shown(run_row(), run_row(primary="auroc"))
    assert "AUROC 0.361" in mixed
    assert "avg precision 0.361" in mixed


def test_check_ends_with_1_where_a_limit_fails_and_names_it(there, tapeline, limits):
    limits(primary_at_least=1.01)
    ended = tapeline("check", TASK)
    assert ended.code == 1
    assert "fails" in ended.out
    network = next(card for card in there["contenders"] if card["name"] == there["verdict"]["network"])
    measured = f"{network['scores']['auroc']['value']:.3f}"
    assert ended.err == f"error 1 of 1 limits of {TASK} failed: AUROC at least 1.010 (measured {measured})\n"
    assert "AUROC at least  1.010" in ended.out


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
