"""`tapeline study`: one document, one figure; killed and started again it goes on, and ends as if nothing had been."""

import io
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
    for each in ("recipe.epochs=2", "recipe.trials=1", "protocol.folds=2", "protocol.resamples=100")
    for part in ("--set", each)
]
OWN = ("--data", "loans.csv", "--target", "defaulted", "--exclude", "name")
ASKED = ("study", TASK, "--rows", "60%,100%", *OWN, *FEW, "--deterministic", "--json")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A study that nobody stopped, which wrote its figure too."""
    folder = tmp_path_factory.mktemp("whole")
    loans(120).to_csv(folder / "loans.csv", index=False)
    ended = finish(start(folder, *ASKED, "--figure", "curve.png"))
    assert ended.code == 0, ended.err
    assert (folder / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert not (folder / "mlruns" / "unfinished").exists()
    return json.loads(ended.out)


def measured(document):
    """What does not depend on the clock or on names that MLflow gives."""
    sizes = [
        ({card["name"]: card["scores"] for card in size["contenders"]}, size["comparisons"], size["rows"])
        for size in document["sizes"]
    ]
    return sizes, document["gains"], document["readings"]


def test_a_killed_study_goes_on_and_ends_like_one_that_was_not(whole, tmp_path, monkeypatch):
    """Killed with one size done and a fold of the next: neither is trained again, and all numbers are the same."""
    loans(120).to_csv(tmp_path / "loans.csv", index=False)
    process = start(tmp_path, *ASKED)
    unfinished, deadline = tmp_path / "mlruns" / "unfinished", time.monotonic() + 250
    while not list(unfinished.glob("*/rows-36/../unfinished/*/mlp-1/result.json")) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    assert finish(process).out == ""
    (journal,) = unfinished.iterdir()
    assert (journal / "rows-36" / "report.json").exists()
    run_id = json.loads((journal / "command.json").read_text())["run_id"]
    plain = finish(start(tmp_path, "run", "--resume", run_id))
    assert plain.code == 2
    assert "this is a study; the same `tapeline study` command goes on with it" in plain.err
    ended = finish(start(tmp_path, *ASKED))
    assert ended.code == 0, ended.err
    assert f"going on with study {run_id}" in ended.err
    assert "1/2 60%: done before this study was stopped" in ended.err
    assert "2/2 100%: going on with run" in ended.err
    document = json.loads(ended.out)
    assert document["mlflow_run_id"] == run_id
    assert measured(document) == measured(whole)
    assert not unfinished.exists()
    monkeypatch.chdir(tmp_path)
    client = open_store().client
    runs = client.search_runs([client.get_experiment_by_name(TASK).experiment_id])
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert sorted(run.data.tags["kind"] for run in runs if run.data.tags["kind"] in ("study", "share", "pipeline")) == [
        "share", "share", "study",
    ]  # fmt: skip
    assert len(runs) == 3 + 2 * len(document["sizes"][0]["contenders"]), "each contender is recorded once a size"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--rows", "0.1,0.3"), "write for example 10%,30%,100%"),
        (("--rows", "50%"), "two amounts or more"),
        (("--rows", "10%,10%"), "the same amount"),
        (("--rows", "10%,101%"), "101% is more than there is; 60 rows (100%)"),
        (("--rows", "2%,100%"), "the smallest amount that works here is"),
        (("--workers", "2"), "No such option: --workers"),
        (("--figure", "curve.txt"), "name a file that ends in .png, .svg or .pdf"),
        (("--figure", "no/curve.png"), "there is no folder no"),
        (("--set", "protocol.learn_from=0.5"), "--rows says which shares"),
    ],
)
def test_bad_usage_is_one_line(tapeline, folder, arguments, said):
    loans(120).to_csv(folder / "loans.csv", index=False)
    ended = tapeline("study", TASK, *OWN, *FEW, *arguments)
    assert (ended.code, ended.out) == (2, "")
    errors = [line for line in ended.err.splitlines() if line.startswith("error")]
    assert len(errors) == 1
    assert said in errors[0]
    assert not (folder / "mlruns").exists()


def test_a_study_is_shown_in_words(tapeline, whole):
    """The tables of the document that `--json` printed, on a terminal of 80 columns."""
    from rich.console import Console

    from pipelines.cli import show_study
    from pipelines.report.study import Study

    console = Console(width=80, record=True, file=io.StringIO())
    document = Study.from_dict(whole)
    show_study.study(console, document)
    shown = console.export_text()
    assert max(map(len, shown.splitlines())) <= 80
    for size in document.sizes:
        assert f"{size.rows:,}" in shown
        assert f"{size.value('mlp', document.primary):.3f}" in shown
    assert "over the best baseline" in shown
    assert " ".join(document.readings[0].sentence.split()) in " ".join(shown.split())
