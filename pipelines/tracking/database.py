"""The local database: created whole or not at all, and checked before MLflow opens it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
from pathlib import Path

from pipelines.errors import BadInput
from pipelines.tracking.silence import quiet_mlflow


def prepare(path: Path) -> None:
    """Create the database where there is none, and make sure that this MLflow can read and write it.

    Raises:
        BadInput: its folder or the file cannot be written to, it is no database, or its schema is another MLflow's.
    """
    _require_writable(path.parent)
    if not path.exists():
        _create(path)
    _require_our_schema(path)


def _require_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise BadInput(
            f"cannot write to {folder}, where runs are recorded ({error.strerror}); run from a folder that you may "
            "write to, or let MLFLOW_TRACKING_URI name a database or server"
        ) from error


def _create(path: Path) -> None:
    """Build it beside its place and put it there in one step.

    A process that is killed halfway leaves no half database; of two that create one at once the first wins.
    """
    from sqlalchemy.exc import DBAPIError

    try:
        _create_aside(path)
    except (OSError, DBAPIError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error.strerror
        raise BadInput(
            f"cannot create {path}, where runs are recorded ({cause}); free some space on that disk, or let "
            "MLFLOW_TRACKING_URI name a database or server elsewhere"
        ) from error


def _create_aside(path: Path) -> None:
    quiet_mlflow()
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    with tempfile.TemporaryDirectory(prefix=".creating-", dir=path.parent) as folder:
        unfinished = Path(folder) / path.name
        SqlAlchemyStore(f"sqlite:///{unfinished}", str(path.parent / "artifacts")).engine.dispose()
        with unfinished.open("rb+") as file:
            os.fsync(file.fileno())
        try:
            os.link(unfinished, path)  # unlike a rename, a link never replaces what another process made
        except FileExistsError:
            return
        except OSError:  # a file system without links
            unfinished.replace(path)


def _require_our_schema(path: Path) -> None:
    if not os.access(path, os.W_OK):
        raise BadInput(f"{path}, where runs are recorded, is read-only; make it writable or move it away")
    found, ours = _revision_of(path), _our_revisions()
    if found == ours[0]:
        return
    from mlflow.version import VERSION

    if found in ours:
        raise BadInput(
            f"{path} was written by an older MLflow (schema {found}); keep a copy and bring it up to date with "
            f"`mlflow db upgrade sqlite:///{path}`, or move it away"
        )
    raise BadInput(
        f"{path} was written by a newer MLflow than the installed {VERSION} (schema {found}); "
        "upgrade mlflow, or move the file away"
    )


def _revision_of(path: Path) -> str:
    try:
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=30)) as connection:
            return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])
    except (sqlite3.Error, TypeError) as error:
        raise BadInput(
            f"{path}, where runs are recorded, is not a database of MLflow ({error}); "
            "move it away and a new one is created, or let MLFLOW_TRACKING_URI name another"
        ) from error


def _our_revisions() -> list[str]:
    """The schemas that this MLflow knows, newest first, read from the migrations that it ships."""
    quiet_mlflow()
    import mlflow
    from alembic.script import ScriptDirectory

    migrations = Path(mlflow.__file__).parent / "store" / "db_migrations"
    return [script.revision for script in ScriptDirectory(str(migrations)).walk_revisions()]
