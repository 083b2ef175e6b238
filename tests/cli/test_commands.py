"""list, help, completion, ui and what they must not do."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing, suppress

import pytest
import typer

from pipelines import __version__, catalogue
from pipelines.cli import main

from .conftest import Ended, finish, start

HEAVY = {"tensorflow", "keras", "pandas", "sklearn", "scipy", "mlflow", "matplotlib", "tensorflow_datasets"}
COMMANDS = typer.main.get_command(main.app).commands


def test_list_names_every_task_and_imports_nothing_heavy(tmp_path):
    command = [sys.executable, "-X", "importtime", "-m", "pipelines.cli.main", "list", "--json"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert [task["name"] for task in json.loads(ended.stdout)] == catalogue.names()
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in ended.stderr.splitlines()}
    assert "typer" in imported
    assert not HEAVY & imported
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("width", [80, 160])
def test_list_shows_each_task_whole(width, tapeline, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    ended = tapeline("list")
    assert max(map(len, ended.out.splitlines())) <= width
    for name in catalogue.names():
        assert name in ended.out
        assert all(public in ended.out for public in catalogue.find(name).sources.public)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_every_command_is_explained(command, tapeline, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    shown = tapeline(command, "--help")
    assert shown.code == 0
    assert COMMANDS[command].help
    for option in COMMANDS[command].params:
        assert option.help, f"{command} {option.name} has no help"
        flag = option.opts[0] if option.opts[0].startswith("-") else option.metavar
        assert flag in shown.out


def test_version(tapeline):
    assert tapeline("--version") == Ended(0, f"tapeline {__version__}\n", "")


def test_a_shell_completes_the_names_of_tasks(tmp_path):
    environment = {
        **os.environ, "_TAPELINE_COMPLETE": "complete_bash", "COMP_WORDS": "tapeline run fin", "COMP_CWORD": "2",
    }  # fmt: skip
    code = "import sys; sys.argv[0] = 'tapeline'; from pipelines.cli.main import app; app(prog_name='tapeline')"
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ended.stdout.split() == [name for name in catalogue.names() if name.startswith("fin")]


def test_ui_serves_the_runs_on_this_machine_only_and_ends_when_told(recorded):
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = start(recorded.folder, "ui", "--port", port, start_new_session=True)
    try:
        for _ in range(800):
            if process.poll() is not None or _listens("127.0.0.1", port):
                break
            time.sleep(0.25)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=200) as answer:
            assert answer.status == 200
        assert not _listens("127.0.0.2", port), "it listens on other addresses too"
        process.send_signal(signal.SIGTERM)
        ended = finish(process, timeout=200)
    finally:
        with suppress(ProcessLookupError):  # nothing of its group is left, as it should be
            os.killpg(process.pid, signal.SIGKILL)
    assert re.search(rf"http://127.0.0.1:{port}\b", ended.err)
    assert not _listens("127.0.0.1", port)


def test_a_port_in_use_is_said(tapeline, folder):
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = tapeline("ui", "--port", taken.getsockname()[1])
    assert ended.code == 2
    assert "cannot be had" in ended.err


def _listens(host, port):
    with closing(socket.socket()) as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0
