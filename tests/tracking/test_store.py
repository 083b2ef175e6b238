"""Where runs go, and what is said when they cannot go there."""

import resource
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pipelines.errors import BadInput
from pipelines.tracking.store import VARIABLE, Store, existing_store, local_database, open_store, without_password

RECORD = """
import sys
from pipelines.tracking.record import pipeline_run
from pipelines.tracking.store import open_store
with pipeline_run(open_store(), "finance/credit-default", params={"number": sys.argv[1]}) as run:
    with run.child("prior", "classical") as child:
        child.metrics({"auroc": 0.5})
"""


def test_importing_the_room_is_cheap():
    code = """
import sys
from pipelines.tracking import query, record, registry, store
heavy = ('mlflow', 'pandas', 'sklearn', 'tensorflow', 'sqlalchemy', 'matplotlib')
sys.exit(' '.join(name for name in heavy if name in sys.modules) or None)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_runs_go_under_the_current_folder_unless_a_variable_says_otherwise(folder, store, monkeypatch, empty_database):
    assert store.uri == f"sqlite:///{folder}/mlruns/mlflow.db"
    experiment = store.client.get_experiment(store.experiment("finance/credit-default"))
    assert experiment.artifact_location == (folder / "mlruns/artifacts/finance/credit-default").as_uri()
    elsewhere = empty_database.parent
    monkeypatch.setenv(VARIABLE, f"sqlite:///{elsewhere}/mlflow.db")
    assert open_store().uri == f"sqlite:///{elsewhere}/mlflow.db"
    assert open_store().artifacts == elsewhere / "artifacts"


def test_a_database_is_created_whole_and_silently(folder, capfd):
    found = open_store()
    assert isinstance(found, Store)
    assert sorted(path.name for path in (folder / "mlruns").iterdir()) == ["mlflow.db"]
    assert sorted(path.name for path in folder.iterdir()) == ["mlruns"]
    written = capfd.readouterr()
    assert (written.out, written.err) == ("", "")


def test_a_disk_that_fills_up_while_the_database_is_created_is_one_line_and_leaves_nothing(folder):
    """A limit on the size of a file stands in for a full disk; SQLite meets it in the same place."""
    kept = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, kept[1]))
    try:
        with pytest.raises(
            BadInput, match=r"cannot create .*mlflow.db, where runs are recorded \(.*\); free some space"
        ):
            open_store()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, kept)
    assert list((folder / "mlruns").iterdir()) == []
    assert open_store().uri.endswith("mlflow.db")


def test_readers_create_nothing(folder):
    assert existing_store() is None
    assert list(folder.iterdir()) == []


def test_two_processes_recording_into_a_fresh_folder_both_succeed(folder):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", RECORD, str(n)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for n in range(2)
    ]
    for process in processes:
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        assert out == ""
    store = open_store()
    found = store.client.search_runs([store.find_experiment("finance/credit-default")], "tags.kind = 'pipeline'")
    assert sorted(run.data.params["number"] for run in found) == ["0", "1"]
    assert {run.info.status for run in found} == {"FINISHED"}
    assert not list((folder / "mlruns").glob(".creating-*"))


@pytest.mark.timeout(60)
def test_a_server_that_refuses_is_named_at_once(monkeypatch):
    monkeypatch.setenv(VARIABLE, "http://127.0.0.1:9")
    with pytest.raises(BadInput, match=r"MLFLOW_TRACKING_URI=http://127\.0\.0\.1:9 \(connection refused\)") as caught:
        open_store()
    assert "\n" not in str(caught.value)


@pytest.mark.timeout(60)
def test_a_server_that_never_answers_does_not_hang(monkeypatch):
    monkeypatch.setattr("pipelines.tracking.store.SECONDS_TO_ANSWER", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv(VARIABLE, f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(BadInput, match="no answer in 1 s"):
            open_store()


@pytest.mark.timeout(60)
def test_a_server_that_is_not_mlflow_is_refused(monkeypatch):
    from http.server import BaseHTTPRequestHandler, HTTPServer

    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)  # answers 501 to everything
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        monkeypatch.setenv(VARIABLE, f"http://127.0.0.1:{server.server_port}")
        with pytest.raises(BadInput, match="cannot use the MLflow store") as caught:
            open_store()
        assert "\n" not in str(caught.value)
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.timeout(60)
def test_a_database_server_that_refuses_is_named_without_its_password(monkeypatch):
    monkeypatch.setenv(VARIABLE, "postgresql://ada:secret@127.0.0.1:9/mlflow")
    with pytest.raises(BadInput, match="connection refused") as caught:
        open_store()
    assert "secret" not in str(caught.value)
    assert "ada:***@" in without_password("postgresql://ada:secret@host/mlflow")


@pytest.mark.parametrize("uri", ["file:///somewhere/mlruns", "mlruns", "ftp://host/x", "sqlite:///"])
def test_what_mlflow_cannot_record_to_is_refused_with_what_can(monkeypatch, uri):
    monkeypatch.setenv(VARIABLE, uri)
    with pytest.raises(BadInput, match="unset it to record under mlruns/"):
        open_store()


def test_a_folder_that_cannot_be_written_to_is_named(folder):
    (folder / "mlruns").write_text("a file where a folder should be")
    with pytest.raises(BadInput, match=r"cannot write to .*mlruns, where runs are recorded"):
        open_store()
    assert (folder / "mlruns").read_text() == "a file where a folder should be"


def _set_schema(path, revision):
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.close()


def test_a_database_of_another_mlflow_is_refused_untouched(store, folder):
    path = folder / "mlruns" / "mlflow.db"
    _set_schema(path, "ffffffffffff")
    with sqlite3.connect(path) as connection:
        before = list(connection.iterdump())
    connection.close()
    with pytest.raises(BadInput, match=r"written by a newer MLflow than the installed .* upgrade mlflow"):
        open_store()
    _set_schema(path, "451aebb31d03")  # the first migration that MLflow ever shipped
    with pytest.raises(BadInput, match=r"written by an older MLflow .*mlflow db upgrade sqlite:///"):
        open_store()
    _set_schema(path, "ffffffffffff")
    with sqlite3.connect(path) as connection:
        assert list(connection.iterdump()) == before
    connection.close()


@pytest.mark.parametrize("content", [b"", b"name,age\nx,1\n" * 100])
def test_a_file_that_is_no_database_is_refused_and_kept(folder, content):
    (folder / "mlruns").mkdir()
    (folder / "mlruns" / "mlflow.db").write_bytes(content)
    with pytest.raises(BadInput, match="is not a database of MLflow"):
        open_store()
    assert (folder / "mlruns" / "mlflow.db").read_bytes() == content


def test_a_process_killed_while_creating_leaves_no_half_database(folder):
    code = "from pipelines.tracking.store import open_store; open_store()"
    process = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 200
    while not any((folder / "mlruns").glob(".creating-*/mlflow.db")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not (folder / "mlruns" / "mlflow.db").exists()
    assert open_store().client.search_experiments(max_results=1)


def test_a_deleted_experiment_says_how_to_bring_it_back(store):
    store.client.delete_experiment(store.experiment("nlp/sentiment"))
    with pytest.raises(BadInput, match="mlflow experiments restore --experiment-id"):
        store.experiment("nlp/sentiment")


def test_a_relative_database_is_found_from_the_current_folder(folder):
    assert local_database("sqlite:///runs.db") == folder / "runs.db"
    assert local_database("sqlite:////abs/runs.db") == Path("/abs/runs.db")
    assert local_database("https://host:5000") is None
