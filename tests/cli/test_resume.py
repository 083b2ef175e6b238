"""A run that was stopped goes on: the same command, or `--resume`, in the same MLflow run, without repeating a fold."""

import json
import os
import signal
import time

import pytest

from pipelines.tracking.store import open_store

from .conftest import TASK, finish, start
from .tables import loans

FEW = [
    part
    for each in (
        "recipe.epochs=6", "recipe.trials=1", "recipe.plan=resident", "protocol.folds=2", "protocol.resamples=100",
    )
    for part in ("--set", each)
] + ["--deterministic"]  # fmt: skip
ASKED = ("run", TASK, "--data", "loans.csv", "--target", "defaulted", "--json", *FEW)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The scores of a run that nobody stopped."""
    folder = tmp_path_factory.mktemp("whole")
    loans(120).to_csv(folder / "loans.csv", index=False)
    ended = finish(start(folder, *ASKED))
    assert ended.code == 0, ended.err
    assert not (folder / "mlruns" / "unfinished").exists()
    return scores(ended.out)


def scores(out):
    document = json.loads(out)
    assert document["deterministic"] is True
    return {card["name"]: card["scores"] for card in document["contenders"]}


def stopped(folder, number, when):
    """The command, sent this signal as soon as a path that matches is there."""
    process = start(folder, *ASKED)
    deadline = time.monotonic() + 200
    while not list((folder / "mlruns" / "unfinished").glob(when)) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, number)
    return finish(process)


@pytest.mark.parametrize(
    ("number", "when", "again"),
    [
        (signal.SIGKILL, "*/mlp-1/result.json", "the same command"),
        (signal.SIGTERM, "*/command.json", "--resume"),
    ],
)
def test_a_stopped_run_goes_on_and_ends_with_the_scores_of_one_that_was_not(
    number, when, again, whole, tmp_path, monkeypatch
):
    loans(120).to_csv(tmp_path / "loans.csv", index=False)
    dead = stopped(tmp_path, number, when)
    assert dead.out == ""
    (journal,) = (tmp_path / "mlruns" / "unfinished").iterdir()
    run_id = json.loads((journal / "command.json").read_text())["run_id"]
    if number == signal.SIGTERM:
        assert dead.code == 130
        assert f"`tapeline run --resume {run_id}`, goes on from here" in dead.err
    arguments = ("run", "--resume", run_id[:8], "--json") if again == "--resume" else ASKED
    ended = finish(start(tmp_path, *arguments))
    assert ended.code == 0, ended.err
    assert f"going on with run {run_id}" in ended.err
    assert json.loads(ended.out)["mlflow_run_id"] == run_id
    assert scores(ended.out) == whole
    assert not (tmp_path / "mlruns" / "unfinished").exists()
    monkeypatch.chdir(tmp_path)
    client = open_store().client
    runs = client.search_runs([client.get_experiment_by_name(TASK).experiment_id])
    assert {run.info.status for run in runs} == {"FINISHED"}
    names = [run.info.run_name for run in runs if "mlflow.parentRunId" in run.data.tags]
    assert sorted(names) == sorted(whole), "each contender is recorded once"
    assert len(runs) == len(whole) + 1


def test_what_cannot_go_on_is_said(tapeline, folder):
    ended = tapeline("run", "--resume", "abc")
    assert (ended.code, ended.out) == (2, "")
    assert "--resume abc: no unfinished run of that id" in ended.err
    for wrong in (("run",), ("run", TASK, "--resume", "abc")):
        ended = tapeline(*wrong)
        assert ended.code == 2
        assert "name a TASK" in ended.err
    assert not (folder / "mlruns").exists()
