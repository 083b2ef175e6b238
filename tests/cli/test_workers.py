"""Several processes train one network: the answer of one process, one run recorded; a dead worker ends the job."""

import json
import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from pipelines.cli import workers
from pipelines.cli.main import _without
from pipelines.errors import Interrupted, WorkerLost

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
    deadline = time.monotonic() + 200
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
    deadline = time.monotonic() + 200
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def test_a_killed_worker_ends_the_job_and_the_same_command_goes_on_to_the_answer_of_one_process(folder):
    process = start(folder, *ASKED, "--workers", "2")
    found = children(process, 2)
    wait_for(folder, "*/mlp-1/result.json", process)
    os.kill(found[1], signal.SIGKILL)
    ended = finish(process)
    assert ended.code == 3
    assert "worker 1 of 2 was killed by signal 9; the same command goes on from the last checkpoint" in ended.err
    assert "Traceback" not in ended.err
    assert gone(found[0])

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
    found = children(process, 2)
    wait_for(folder, "*/command.json", process)
    process.send_signal(signal.SIGTERM)
    ended = finish(process)
    assert ended.code == 130
    assert "goes on from here" in ended.err
    assert all(gone(pid) for pid in found.values())
    assert list((folder / "mlruns" / "unfinished").glob("*/command.json"))


STARTS = """
import json, os, signal, sys, time
from pipelines.cli.stopping import heed_signals
index = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
"""
"""What a worker is before it hears signals: here, in place of `tapeline`."""
HEEDS = "heed_signals(print); open(sys.argv[1 + index], 'w').close()\n"
WAITS = "time.sleep(300)\n"


@pytest.fixture
def launched(tmp_path, monkeypatch):
    """Start programs in place of `tapeline`, and do something once files named `0` and `1` say that they are ready."""

    def launch(program, then, count=2):
        monkeypatch.setattr(workers, "PROGRAM", STARTS + program)
        files = [tmp_path / str(index) for index in range(count)]

        def wait():
            while not all(file.exists() for file in files):
                time.sleep(0.02)
            then(files)

        thread = threading.Thread(target=wait, daemon=True)
        thread.start()
        return workers.launch(count, [str(file) for file in files])

    return launch


def told(number):
    return lambda files: os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "ends",
    [
        "try: time.sleep(300)\nexcept KeyboardInterrupt: time.sleep(3 * (index == 0)); sys.exit(130)",
        "try: time.sleep(300)\nexcept KeyboardInterrupt: time.sleep(index); sys.exit(3)",
        "try: time.sleep(300)\nexcept KeyboardInterrupt: time.sleep(index == 0); sys.exit(0 if index else 3)",
        "signal.signal(signal.SIGINT, 0); signal.signal(signal.SIGTERM, 0); time.sleep(300)",
    ],
    ids=["a worker first", "as lost", "as missing another", "by the signal itself"],
)
def test_who_is_told_to_stop_says_so_however_its_workers_end(number, ends, launched):
    with suppress(Interrupted):  # the command makes 130 of it
        assert launched(HEEDS + ends, told(number)) == 130


def test_a_run_that_was_done_when_it_was_told_to_stop_is_done(launched):
    ends = "try: time.sleep(300)\nexcept KeyboardInterrupt: sys.exit(0)"
    assert launched(HEEDS + ends, told(signal.SIGTERM)) == 0


def test_workers_that_do_not_hear_yet_are_told_when_they_do(launched, tmp_path):
    slow = "open(sys.argv[1 + index], 'w').close(); time.sleep(2)\n"
    hears = (
        "try: heed_signals(print)\nexcept KeyboardInterrupt: open(sys.argv[1 + index] + '-heard', 'w'); sys.exit(130)\n"
    )
    assert launched(slow + hears + WAITS, told(signal.SIGTERM)) == 130
    assert (tmp_path / "0-heard").exists()


def test_a_worker_that_is_being_started_when_the_signal_comes_is_told_too(launched, monkeypatch):
    def started(*arguments):
        process = usual(*arguments)
        if not begun:
            os.kill(os.getpid(), signal.SIGTERM)
        begun.append(process)
        return process

    begun, usual = [], workers._started
    monkeypatch.setattr(workers, "_started", started)
    with suppress(Interrupted):
        assert launched("heed_signals(print)\ntime.sleep(30)", lambda files: None) == 130


@pytest.mark.parametrize("seconds", [0.0, 0.5])
def test_a_worker_that_was_killed_is_named_though_the_chief_ends_with_it(seconds, launched):
    ends = f"if index: os.kill(os.getpid(), signal.SIGKILL)\ntime.sleep({seconds}); sys.exit(3)"
    with pytest.raises(WorkerLost, match="worker 1 of 2 was killed by signal 9"):
        launched(HEEDS + "time.sleep(1)\n" + ends, lambda files: None)


def test_a_worker_that_was_killed_is_named_though_the_chief_ended_before(launched):
    ends = "if index: time.sleep(0.7); os.kill(os.getpid(), signal.SIGKILL)\nsys.exit(3)"
    with pytest.raises(WorkerLost, match="worker 1 of 2 was killed by signal 9"):
        launched(HEEDS + "time.sleep(1)\n" + ends, lambda files: None)


def test_a_chief_that_was_killed_is_missed_in_words(launched):
    killed = "if index == 0: time.sleep(1); os.kill(os.getpid(), signal.SIGKILL)\n"
    with pytest.raises(WorkerLost, match="worker 0, the chief, was killed by signal 9"):
        launched(HEEDS + killed + WAITS, lambda files: None)


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
