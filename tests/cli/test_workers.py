"""Several processes train one network: the answer of one process, one run recorded; a dead worker ends the job."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from pipelines.cli.main import _without

from .conftest import TASK, finish, start
from .tables import loans

FEW = [
    part
    for each in (
        "recipe.epochs=4", "recipe.trials=1", "recipe.dropout=0", "recipe.plan=resident",
        "protocol.folds=2", "protocol.resamples=100",
    )
    for part in ("--set", each)
]  # fmt: skip
ASKED = ("run", TASK, "--data", "loans.csv", "--target", "defaulted", "--json", *FEW)


@pytest.fixture
def folder(tmp_path):
    loans(120).to_csv(tmp_path / "loans.csv", index=False)
    return tmp_path


def children(process, count):
    """Process ids of the launcher's workers by index, once all are there."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                if int(stat.read_text().rpartition(")")[2].split()[1]) == process.pid:
                    settings = (stat.parent / "environ").read_bytes().split(b"\0")
                    (config,) = (each for each in settings if each.startswith(b"TF_CONFIG="))
                    found[json.loads(config.partition(b"=")[2])["task"]["index"]] = int(stat.parent.name)
            except (OSError, ValueError):  # it ended meanwhile, or has not begun
                continue
        if len(found) == count:
            return found
        time.sleep(0.05)
    raise AssertionError("the workers did not start")


def wait_for(folder, pattern, process):
    deadline = time.monotonic() + 200
    while not list((folder / "mlruns" / "unfinished").glob(pattern)) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert process.poll() is None


def gone(pid):
    deadline = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def test_a_killed_worker_ends_the_job_and_the_same_command_goes_on_to_the_answer_of_one_process(folder):
    process = start(folder, *ASKED, "--workers", "2")
    workers = children(process, 2)
    wait_for(folder, "*/mlp-1/result.json", process)
    os.kill(workers[1], signal.SIGKILL)
    ended = finish(process)
    assert ended.code == 3
    assert "worker 1 of 2 was killed by signal 9; the same command goes on from the last checkpoint" in ended.err
    assert "Traceback" not in ended.err
    assert gone(workers[0])

    together = finish(start(folder, *ASKED, "--workers=2"))
    assert together.code == 0, together.err
    assert "going on with run" in together.err
    alone = finish(start(folder, *ASKED, "--fresh"))
    assert alone.code == 0, alone.err
    one, two = (json.loads(each.out) for each in (alone, together))
    for ours, theirs in zip(two["contenders"], one["contenders"], strict=True):
        for score, estimate in theirs["scores"].items():
            assert ours["scores"][score]["value"] == pytest.approx(estimate["value"], abs=1e-5), (ours["name"], score)


def test_all_workers_stop_when_one_is_told_to_and_keep_what_was_done(folder):
    process = start(folder, *ASKED, "--workers", "2")
    workers = children(process, 2)
    wait_for(folder, "*/command.json", process)
    process.send_signal(signal.SIGTERM)
    ended = finish(process)
    assert ended.code == 130
    assert "goes on from here" in ended.err
    assert all(gone(pid) for pid in workers.values())
    assert list((folder / "mlruns" / "unfinished").glob("*/command.json"))


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--workers", "1"), "2 to 64"),
        (("--workers", "2", "--worker", "0"), "--worker goes with the addresses"),
        (("--workers", "here,there:2", "--worker", "0"), "'here' is not host:port"),
        (("--workers", "a:1,a:1", "--worker", "0"), "an address of its own"),
        (("--workers", "a:1,b:1"), "a number from 0 to 1"),
        (("--workers", "a:1,b:1", "--worker", "2"), "a number from 0 to 1"),
        (("--worker", "0"), "is not host:port"),
    ],
)
def test_a_job_that_cannot_be_is_refused(flags, said, folder):
    ended = finish(start(folder, *ASKED, *flags))
    assert ended.code == 2
    assert said in ended.err
    assert not (folder / "mlruns").exists()


def test_tf_config_that_is_not_one_is_named(folder, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {}}')
    ended = finish(start(folder, *ASKED))
    assert ended.code == 2
    assert "TF_CONFIG must be like" in ended.err


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["run", "--workers", "2", "a"], ["run", "a"]),
        (["--workers=2", "run", "--seed", "2"], ["run", "--seed", "2"]),
    ],
)
def test_the_workers_are_started_with_the_other_arguments(given, kept):
    assert _without("--workers", given) == kept
