"""Runs as MLflow keeps them: nesting, endings, numbers and models."""

import json
import math
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from mlflow.utils.validation import _validate_metric_name

from pipelines.contenders.contender import History
from pipelines.errors import BadInput, Interrupted, TrainingFailed
from pipelines.report import figures
from pipelines.report.document import Report
from pipelines.tracking import metrics, provenance, query
from pipelines.tracking.record import pipeline_run
from pipelines.tracking.stale import REASON

from .conftest import SHA, TASK


def child_of(store, run_id, name="mlp"):
    condition = f"tags.`mlflow.parentRunId` = '{run_id}'"
    found = store.client.search_runs([store.find_experiment(TASK)], condition)
    return next(run for run in found if run.info.run_name == name)


def test_children_are_nested_in_their_parent_and_all_end_finished(store):
    with pipeline_run(
        store, TASK, tags={"note": "first"}, params={"recipe.epochs": 3, "protocol": {"folds": 5}}
    ) as parent:
        with parent.child("mlp", "network", {"width": 8}):
            assert store.client.get_run(parent.run_id).info.status == "RUNNING"
        with parent.child("prior", "classical"):
            pass
    run = store.client.get_run(parent.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"recipe.epochs": "3", "protocol": "{'folds': 5}"}
    tags = run.data.tags
    assert {"task": TASK, "kind": "pipeline", "note": "first"}.items() <= tags.items()
    assert {"python", "tensorflow", "keras", "scikit-learn", "code_version", "devices", "process"} <= set(tags)
    child = child_of(store, parent.run_id)
    assert (child.info.status, child.data.tags["kind"], child.data.params["width"]) == ("FINISHED", "network", "8")
    assert child.data.tags["task"] == TASK
    assert child_of(store, parent.run_id, "prior").data.tags["kind"] == "classical"


def test_a_failing_run_is_failed_with_its_reason(store):
    with pytest.raises(TrainingFailed), pipeline_run(store, TASK) as parent, parent.child("mlp", "network") as child:
        raise TrainingFailed("the loss became nan in epoch 3\nsecond line")
    for run_id in (parent.run_id, child.run_id):
        run = store.client.get_run(run_id)
        assert run.info.status == "FAILED"
        assert run.data.tags["failure"] == "the loss became nan in epoch 3"


def test_an_unforeseen_failure_names_its_place_but_quotes_no_data(store):
    with pytest.raises(ValueError, match="Jane"), pipeline_run(store, TASK) as parent:
        Report.from_dict({"schema": "Jane Doe"})
    failure = store.client.get_run(parent.run_id).data.tags["failure"]
    assert "Jane" not in failure
    assert failure.startswith("ValueError in pipelines.report.document line ")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Interrupted("stopped after epoch 3")])
def test_an_interrupted_run_is_killed(store, error):
    with pytest.raises(type(error)), pipeline_run(store, TASK) as parent, parent.child("mlp", "network") as child:
        raise error
    assert store.client.get_run(parent.run_id).info.status == "KILLED"
    assert store.client.get_run(child.run_id).info.status == "KILLED"
    assert store.client.get_run(parent.run_id).data.tags["failure"] in ("interrupted", "stopped after epoch 3")


def test_a_contender_that_fails_alone_does_not_fail_the_run(store):
    with pipeline_run(store, TASK) as parent:
        with pytest.raises(TrainingFailed), parent.child("mlp", "network") as child:
            raise TrainingFailed("no luck")
        with parent.child("prior", "classical"):
            pass
    assert store.client.get_run(parent.run_id).info.status == "FINISHED"
    assert store.client.get_run(child.run_id).info.status == "FAILED"


def test_a_child_left_open_ends_with_its_parent(store):
    with pytest.raises(TrainingFailed), pipeline_run(store, TASK) as parent:  # noqa: PT012
        left_open = parent.child("mlp", "network")
        child = left_open.__enter__()
        raise TrainingFailed("no luck")
    assert store.client.get_run(child.run_id).info.status == "FAILED"


def test_a_run_whose_process_was_killed_is_ended_by_the_next_one(store):
    code = f"""
import time
from pipelines.tracking.record import pipeline_run
from pipelines.tracking.store import open_store
with pipeline_run(open_store(), {TASK!r}) as run, run.child("mlp", "network"):
    print(run.run_id, flush=True)
    time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        run_id = process.stdout.readline().strip()
        child = child_of(store, run_id).info.run_id
        with pipeline_run(store, TASK):
            assert store.client.get_run(run_id).info.status == "RUNNING"  # its process lives
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.kill()
        process.communicate()
    table = query.runs(TASK)
    assert table.set_index("run_id").status[run_id] == "KILLED", "readers know it before anybody writes it"
    assert store.client.get_run(run_id).info.status == "RUNNING"
    with pipeline_run(store, TASK) as mine:
        assert store.client.get_run(mine.run_id).info.status == "RUNNING"
    for ended in (run_id, child):
        run = store.client.get_run(ended)
        assert (run.info.status, run.data.tags["failure"]) == ("KILLED", REASON)


def test_a_run_that_ended_early_is_gone_on_with(store):
    with suppress(KeyboardInterrupt), pipeline_run(store, TASK) as first:
        with first.child("linear", "classical") as done:
            done.metrics({"auroc": 0.5})
        with first.child("mlp", "network"):
            raise KeyboardInterrupt
    assert store.client.get_run(first.run_id).info.status == "KILLED"
    with pipeline_run(store, TASK, going_on_with=first.run_id) as second:
        assert second.run_id == first.run_id
        with second.child("linear", "classical") as again:
            assert (again.run_id, again.done) == (done.run_id, True)
        with second.child("mlp", "network") as unfinished:
            assert not unfinished.done
        with second.child("boosting", "classical") as new:
            assert not new.done
    runs = store.client.search_runs([first.experiment])
    assert len(runs) == 4
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert not any("failure" in run.data.tags for run in runs)
    assert store.client.get_run(first.run_id).data.tags["resumed"] == "1"


def test_a_run_that_is_gone_is_made_anew(store):
    with pipeline_run(store, TASK, going_on_with="0" * 32) as made:
        assert made.run_id != "0" * 32
    assert store.client.get_run(made.run_id).info.status == "FINISHED"


def test_a_process_of_another_machine_or_unknown_is_never_called_ended():
    here = provenance.this_process()
    assert not provenance.has_ended(here)
    machine, pid, started = here.rsplit(" ", 2)
    assert provenance.has_ended(f"{machine} {pid} {float(started) - 100:.2f}")  # the number was given away again
    assert not provenance.has_ended(f"elsewhere {pid} {float(started) - 100:.2f}")
    assert not provenance.has_ended("")
    assert not provenance.has_ended(f"{machine} not-a-number 1.0")


def test_scores_bias_and_cost_become_valid_metrics_without_nan(store, card):
    with pipeline_run(store, TASK) as parent, parent.child("mlp", "network") as child:
        child.scores(card)
    run = store.client.get_run(child.run_id)
    found = run.data.metrics
    expected = {
        "auroc": 0.8, "auroc.low": 0.75, "auroc.high": 0.85, "threshold": 0.4, "cost/train_seconds": 1.5,
        "cost/parameters": 17, "group/age/under 25/n": 30, "group/age/under 25/tpr": 0.6,
        "group/age/at least 25/tpr.high": 0.9, "gap/age/tpr": 0.2, "gap/age/tpr.low": -0.1,
        "gap/age/tpr.p_value": 0.3, "gap/age/tpr.n": 9,
    }  # fmt: skip
    assert expected.items() <= found.items()
    assert not any(name.startswith(("f1", "cost/energy")) or name.endswith("fpr") for name in found)
    assert all(math.isfinite(value) for value in found.values())
    assert run.data.params["chosen/plan"] == "resident"


@pytest.mark.parametrize(
    "name",
    [
        "<25",
        ">=40",
        "a=b",
        "[x, y)",
        "@",
        "",
        " ",
        ".",
        "..",
        "a/b",
        "../../etc",
        "Weiß",
        "女",
        "x" * 400,
        "a\nb",
        "😀",
    ],
)
def test_any_group_name_gives_a_name_that_mlflow_takes(name):
    _validate_metric_name(metrics.metric_name("group", "an attribute", name, "tpr") + ".high")


def test_two_groups_never_share_a_metric():
    names = ["a=b", "a,b", "a[b", "a_b", "a/b", "x" * 100, "x" * 101, "", "_", "..", "."]
    assert len({metrics.metric_name("group", name) for name in names}) == len(names)


def test_histories_of_folds_keep_every_epoch(store, history):
    with pipeline_run(store, TASK) as parent, parent.child("mlp", "network") as child:
        child.history(history, prefix="fold-1")
        child.history(History({"loss": tuple(np.linspace(1, 0, 2500))}, 7), prefix="fold-2")
        child.history(History())
    read = store.client.get_metric_history
    first = [(point.step, point.value) for point in read(child.run_id, "history/fold-1/loss")]
    assert first == [(1, 3.0), (2, 2.0), (3, 1.0)]
    gap = [(point.step, point.value) for point in read(child.run_id, "history/fold-1/valid_loss")]
    assert gap == [(1, 3.0), (3, 2.0)]
    assert len(read(child.run_id, "history/fold-2/loss")) == 2500
    assert store.client.get_run(child.run_id).data.metrics["best_epoch/fold-1"] == 3


def test_the_data_set_and_the_verdict_are_on_the_pipeline_run(store, report):
    with pipeline_run(store, TASK) as parent:
        parent.dataset(report.data)
        parent.report(report)
    run = store.client.get_run(parent.run_id)
    dataset = run.inputs.dataset_inputs[0].dataset
    assert (dataset.name, SHA.startswith(dataset.digest)) == (report.data.source, True)
    assert json.loads(dataset.profile)["num_rows"] == 100
    assert {"data_sha256": SHA, "winner": "mlp", "answer": "yes", "passed": "true"}.items() <= run.data.tags.items()
    assert run.data.metrics["difference"] == 0.3
    assert run.data.metrics["network/auroc"] == 0.8
    assert run.data.metrics["baseline/auroc"] == 0.5


def test_a_figure_is_kept_as_png(store, folder):
    with pipeline_run(store, TASK) as parent:
        parent.figure("roc", figures.roc({"mlp": figures.Curve([0, 1], [0, 1])}))
    path = store.client.download_artifacts(parent.run_id, "figures/roc.png", str(folder))
    assert Path(path).read_bytes().startswith(b"\x89PNG")


def test_long_values_are_cut_and_many_are_sent_in_batches(store):
    with pipeline_run(store, TASK, params={f"p{n}": n for n in range(250)}, tags={"long": "x" * 20_000}) as parent:
        parent.params({"text": "y" * 20_000})
        parent.metrics({f"m{n}": n for n in range(1500)})
    run = store.client.get_run(parent.run_id)
    assert len(run.data.params) == 251
    assert len(run.data.metrics) == 1500
    assert len(run.data.tags["long"]) == len(run.data.params["text"]) == 5000


def test_nothing_is_written_to_stdout_or_stderr(store, report, history, capfd):
    with pipeline_run(store, TASK) as parent:
        with parent.child("mlp", "network") as child:
            child.history(history)
            child.scores(report.contenders[0])
        parent.dataset(report.data)
        parent.report(report)
    written = capfd.readouterr()
    assert (written.out, written.err) == ("", "")


def test_a_store_that_breaks_meanwhile_is_bad_input_in_one_line(store, folder):
    with pytest.raises(BadInput, match=r"MLflow at sqlite:///.* failed") as caught, pipeline_run(store, TASK) as run:  # noqa: PT012
        (folder / "mlruns" / "mlflow.db").write_bytes(b"no database any more" * 1000)
        run.metrics({"a": 1.0})
    assert "\n" not in str(caught.value)


def test_the_commit_is_found_in_a_checkout_only(tmp_path):
    assert provenance.git_commit(tmp_path) is None
    commands = (
        ["init", "-q"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x"],
    )
    for command in commands:
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)
    commit = provenance.git_commit(tmp_path)
    assert len(commit) == 40
    (tmp_path / "inner").mkdir()
    assert provenance.git_commit(tmp_path / "inner") is None


def test_what_stands_in_a_history_until_it_is_measured_again_is_logged_once(store):
    values = {"loss": (1.0, 1.0, 1.0), "health/update_ratio/01_dense": (0.5, 0.5, 0.25)}
    with pipeline_run(store, TASK) as parent, parent.child("mlp", "network") as child:
        child.history(History(values), prefix="fold-1")
    read = store.client.get_metric_history
    layer = read(child.run_id, "history/fold-1/health/update_ratio/01_dense")
    assert [(point.step, point.value) for point in layer] == [(1, 0.5), (3, 0.25)]
    assert len(read(child.run_id, "history/fold-1/loss")) == 3


def test_names_of_a_history_are_read_back_with_their_fold_and_their_layer():
    for prefix in ("", "fold-2"):
        for metric in ("loss", "health/dead_share/3_block.re_lu"):
            name = metrics.history_name(metric, prefix)
            assert metrics.history_names([name]) == [(name, prefix, metric)]
