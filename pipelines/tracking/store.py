"""Where runs go: `mlruns/` in the current folder, or the server or database that MLFLOW_TRACKING_URI names."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pipelines.errors import BadInput
from pipelines.tracking.silence import quiet_mlflow

if TYPE_CHECKING:
    pass

VARIABLE = "MLFLOW_TRACKING_URI"
SECONDS_TO_ANSWER = 5
"""How long a server may take to answer the first question before it counts as unreachable."""
DATABASE_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}


@dataclass(frozen=True)
class Store:
    """An MLflow store that answered.

    Args:
        uri: what MLflow calls the tracking URI; `mlflow ui --backend-store-uri URI` shows a local one.
        artifacts: the folder of figures, models and reports; None where a server decides.
        client: MlflowClient of this URI. It keeps no global state, so stores may be used side by side.
    """

    uri: str
    artifacts: Path | None
    client: Any

    def find_experiment(self, task: str) -> str | None:
        """The id of the task's experiment, None where nothing was recorded yet.

        Raises:
            BadInput: somebody deleted the experiment.
        """
        found = self.client.get_experiment_by_name(task)
        if found is None:
            return None
        if found.lifecycle_stage != "active":
            raise BadInput(
                f"the experiment {task!r} was deleted in the MLflow store {self.uri}; "
                f"bring it back with `mlflow experiments restore --experiment-id {found.experiment_id}`"
            )
        return str(found.experiment_id)

    def experiment(self, task: str) -> str:
        """The id of the task's experiment, created where there is none; several processes may ask at once."""
        from mlflow.exceptions import MlflowException

        existing = self.find_experiment(task)
        if existing is not None:
            return existing
        location = None if self.artifacts is None else (self.artifacts / task).as_uri()
        try:
            return str(self.client.create_experiment(task, artifact_location=location))
        except MlflowException:
            won_by_another = self.find_experiment(task)
            if won_by_another is None:
                raise
            return won_by_another

    @contextlib.contextmanager
    def explained(self) -> Iterator[None]:
        """Turn a failure of MLflow, its database or its server into one clear line.

        Raises:
            BadInput: instead of MLflow's, SQLAlchemy's and requests' own exceptions.
        """
        try:
            yield
        except Exception as error:
            if not _comes_from_mlflow(error):
                raise
            raise BadInput(f"MLflow at {without_password(self.uri)} failed: {first_line(error)}") from error


def default_uri() -> str:
    """MLFLOW_TRACKING_URI, or the database under `mlruns/` in the current folder."""
    return os.environ.get(VARIABLE, "").strip() or f"sqlite:///{Path.cwd() / 'mlruns' / 'mlflow.db'}"


def open_store() -> Store:
    """The store, checked and ready; a local database is created where there is none.

    Raises:
        BadInput: the server does not answer, the folder cannot be written to, or the database is not one that this
            MLflow reads. The message names the URI, where it comes from and what would be right.
    """
    uri = default_uri()
    local = local_database(uri)
    if local is not None:
        from pipelines.tracking.database import prepare

        uri = f"sqlite:///{local}"
        prepare(local)
    return _connect(uri, local)


def existing_store() -> Store | None:
    """The store for readers: like `open_store`, but None where the local database was never created."""
    local = local_database(default_uri())
    return None if local is not None and not local.exists() else open_store()


def local_database(uri: str) -> Path | None:
    """The file of a `sqlite:///` URI, absolute; None for a server.

    Raises:
        BadInput: a folder or an unknown scheme, which MLflow does not record to.
    """
    if uri.startswith("sqlite:///") and uri.removeprefix("sqlite:///"):
        return Path(uri.removeprefix("sqlite:///")).absolute()
    scheme = uri.partition(":")[0].partition("+")[0]
    if scheme not in ("http", "https", "databricks", *DATABASE_PORTS):
        raise BadInput(
            f"{VARIABLE}={uri} is nothing that MLflow can record to; "
            "give http://HOST:PORT or sqlite:////ABSOLUTE/PATH/mlflow.db, or unset it to record under mlruns/"
        )
    return None


def without_password(uri: str) -> str:
    """The URI as it may be shown."""
    return re.sub(r"//([^/@:]*):[^/@]*@", r"//\1:***@", uri)


def first_line(error: BaseException) -> str:
    """The first line of an error's message, cut to what a terminal shows."""
    lines = str(error).strip().splitlines()
    return without_password(lines[0])[:500] if lines else type(error).__name__


def _connect(uri: str, local: Path | None) -> Store:
    quiet_mlflow()
    try:
        _someone_listens(uri)
        from mlflow import MlflowClient

        with _impatient():
            client = MlflowClient(tracking_uri=uri)
            client.search_experiments(max_results=1)
    except Exception as error:
        shown = without_password(uri)
        where = f"{VARIABLE}={shown}" if os.environ.get(VARIABLE, "").strip() else shown
        raise BadInput(
            f"cannot use the MLflow store {where} ({_reason(error)}); "
            + (f"start the server or correct {VARIABLE}, or unset it to record under mlruns/" if local is None
               else "correct what it says or move the file away; a new one is then created")
        ) from error  # fmt: skip
    return Store(uri, local.parent / "artifacts" if local else _beside_a_database(uri), client)


def _someone_listens(uri: str) -> None:
    """Raise OSError where no database server does: MLflow would otherwise try again for minutes."""
    import socket

    parts = urlsplit(uri)
    port = DATABASE_PORTS.get(parts.scheme.partition("+")[0])
    if port and parts.hostname:
        socket.create_connection((parts.hostname, parts.port or port), SECONDS_TO_ANSWER).close()


@contextlib.contextmanager
def _impatient() -> Iterator[None]:
    """No retries and a short wait, for the first question only."""
    hasty = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": str(SECONDS_TO_ANSWER)}
    before = {name: os.environ.get(name) for name in hasty}
    os.environ.update(hasty)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _beside_a_database(uri: str) -> Path | None:
    """A database server keeps no artifacts, so they go under `mlruns/`; an MLflow server keeps its own."""
    if urlsplit(uri).scheme.partition("+")[0] in DATABASE_PORTS:
        return Path.cwd() / "mlruns" / "artifacts"
    return None


def _reason(error: BaseException) -> str:
    """Why, without the tower of library names around it."""
    text = first_line(error)
    known = {
        "Errno 111": "connection refused",
        "timed out": f"no answer in {SECONDS_TO_ANSWER} s",
        "Failed to resolve": "there is no host of that name",
    }
    for sign, reason in known.items():
        if sign in text:
            return reason
    return text


def _comes_from_mlflow(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0] in ("mlflow", "sqlalchemy", "requests", "urllib3")
