"""The command as a person runs it: in this process where that says the same, in a real one where it does not."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.cli import main
from pipelines.tracking.store import VARIABLE

from .tables import loans

TASK = "finance/credit-default"
FAST = [
    part
    for each in ("recipe.epochs=2", "recipe.trials=1", "protocol.folds=2", "protocol.resamples=100")
    for part in ("--set", each)
]


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Recorded:
    """A folder in which one real run was recorded, with what the command printed."""

    folder: Path
    ended: Ended

    @property
    def document(self):
        return json.loads(self.ended.out)


HASTE = Path(__file__).parents[1] / "haste.py"


def start(folder, *arguments, **options):
    """The command in a process of its own, in this folder, heeding Ctrl-C even where a shell told us to ignore it, with
    the threads and the budgets of tests."""
    return subprocess.Popen(
        [sys.executable, str(HASTE), *map(str, arguments)], cwd=folder, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL), **options,
    )  # fmt: skip


def finish(process, timeout=300):
    try:
        out, err = process.communicate(timeout=timeout)
    finally:
        process.kill()
    return Ended(process.returncode, out, err)


@pytest.fixture(scope="session")
def recorded(tmp_path_factory):
    """One run of a table never seen before, with the flags that it needs, uncertain cases referred, and `--json`; with
    as many threads as it wants, as a person's run has."""
    folder = tmp_path_factory.mktemp("recorded")
    loans().to_csv(folder / "loans.csv", index=False)
    lending = ("--set", "protocol.refer=right:0.55", "--set", "protocol.monotone=income:up,visits:down")
    lending = (*lending, "--set", "protocol.automate_at=0.4")
    flags = ("--target", "defaulted", "--sensitive", "sex", "--sensitive", "age", "--json", *lending)
    threads = {name: value for name, value in os.environ.items() if not name.endswith("_THREADS")}
    ended = finish(start(folder, "run", TASK, "--data", "loans.csv", *flags, *FAST, env=threads))
    assert ended.code == 0, ended.err
    return Recorded(folder, ended)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)
    return tmp_path


@pytest.fixture
def tapeline(monkeypatch, capfd):
    """Run the command in this process: `tapeline("run", ...)` gives its exit code and what it printed."""

    def command(*arguments):
        monkeypatch.setattr(sys, "argv", ["tapeline", *map(str, arguments)])
        kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        capfd.readouterr()
        code = 0
        try:
            main.run()
        except SystemExit as ended:
            code = ended.code or 0
        finally:
            for number, handler in kept.items():
                signal.signal(number, handler)
        printed = capfd.readouterr()
        return Ended(code, printed.out, printed.err)

    return command
