"""A study that was killed goes on where it was, and ends with the numbers of one that nobody stopped."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.errors import BadInput
from pipelines.run import resumed
from pipelines.tracking import query
from pipelines.tracking.store import VARIABLE, open_store

TASK = "finance/credit-default"
NAMES = ["mlp", "prior", "linear"]


@pytest.fixture(scope="module")
def deaths(tmp_path_factory):
    """One study that nobody stopped and one that was killed (`study_deaths.py`)."""
    folder = tmp_path_factory.mktemp("deaths")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(VARIABLE, raising=False)
        command = [sys.executable, Path(__file__).with_name("study_deaths.py"), folder]
        ended = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, timeout=500)
    assert (folder / "deaths.json").exists(), ended.stderr
    return folder


def told(folder):
    return json.loads((folder / "told.json").read_text())


def measured(document):
    """What depends neither on the clock nor on names that MLflow gives."""
    sizes = [
        ({card["name"]: card["scores"] for card in size["contenders"]}, size["comparisons"], size["splits"])
        for size in document["sizes"]
    ]
    return sizes, document["gains"], document["readings"]


def test_the_numbers_are_those_of_a_study_that_nobody_stopped(deaths):
    notes = json.loads((deaths / "deaths.json").read_text())
    assert notes["ends"] == [0, -signal.SIGKILL, 0]
    whole, killed = (told(deaths / name) for name in ("whole", "killed"))
    assert measured(killed["study"]) == measured(whole["study"])
    assert [size["rows"] for size in whole["study"]["sizes"]] == [31, 60]  # by its share, and rounded in each part


def test_nothing_that_was_done_is_done_again(deaths):
    """One size of three contenders in two folds, and of the next size two folds of the network and one of `prior`."""
    assert told(deaths / "whole")["learnt"] == [name for name in NAMES for _ in range(2)] * 2
    again = told(deaths / "killed")
    assert again["learnt"] == ["prior", "linear", "linear"]
    assert "1/2 50%: done before this study was stopped" in again["said"]
    assert any(line.startswith("2/2 100%: going on with run") for line in again["said"])
    assert not (deaths / "killed" / "mlruns" / "unfinished").exists()


def test_what_was_left_says_which_sizes_were_done(deaths):
    left = [path.split("/") for path in json.loads((deaths / "deaths.json").read_text())["left"]]
    assert [path[3:] for path in left if path[3] == "rows-30"] == [["rows-30", "report.json"]]
    assert {path[5] for path in left if path[3] == "unfinished"} == {"mlp-1", "mlp-2", "prior-1"}


def test_it_is_recorded_once(deaths, monkeypatch):
    monkeypatch.chdir(deaths / "killed")
    monkeypatch.delenv(VARIABLE, raising=False)
    client = open_store().client
    runs = client.search_runs([client.get_experiment_by_name(TASK).experiment_id])
    assert {run.info.status for run in runs} == {"FINISHED"}
    kinds = [run.data.tags["kind"] for run in runs]
    assert (kinds.count("study"), kinds.count("share"), len(runs)) == (1, 2, 3 + 2 * len(NAMES))
    assert query.runs(TASK).empty


def test_resume_of_run_is_not_for_studies(tmp_path, monkeypatch):
    folder = tmp_path / "mlruns" / "unfinished" / "key"
    folder.mkdir(parents=True)
    noted = {"run_id": "abcd", "identity": {}, "command": {"study": [0.5, 1.0]}}
    (folder / "command.json").write_text(json.dumps(noted))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match="this is a study; the same `tapeline study` command goes on with it"):
        resumed("abcd")
