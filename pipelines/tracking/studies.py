"""Reading studies back: what notebooks and the command line use. Nothing here writes to a store."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import BadInput
from pipelines.report.study import Study
from pipelines.tracking.query import _reading, _required, _search, _started, _status, resolve
from pipelines.tracking.record import STUDIED, STUDY

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("run_id", "task", "started", "status", "rows", "primary", "sentence", "data_sha256", "failure")


def studies(task: str | None = None, limit: int = 20) -> pd.DataFrame:
    """One row per study, newest first; empty where none was recorded. `rows` is the amounts that were asked for."""
    import pandas as pd

    with _reading() as store:
        found = [] if store is None else _search(store, task, f"tags.kind = '{STUDY}'", limit)
    rows = [
        {
            "run_id": run.info.run_id,
            "started": _started(run),
            "status": _status(run),
            "rows": run.data.params.get("rows", ""),
            **{name: run.data.tags.get(name, "") for name in ("task", "primary", "sentence", "data_sha256", "failure")},
        }
        for run in found
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def study(run_id: str) -> Study:
    """The document of a study, from its run's id or the beginning of it.

    Raises:
        BadInput: no such run, it is no study, or it has left no document.
    """
    with _reading() as found:
        store = _required(found)
        run = resolve(store, run_id)
        if run.data.tags.get("kind") != STUDY:
            raise BadInput(f"run {run.info.run_id} is no study; `tapeline study TASK` records one")
        if not any(file.path == STUDIED for file in store.client.list_artifacts(run.info.run_id)):
            why = run.data.tags.get("failure") or "it has not ended"
            raise BadInput(f"study {run.info.run_id} ({run.info.status}) has left no document: {why}")
        with tempfile.TemporaryDirectory() as folder:
            path = store.client.download_artifacts(run.info.run_id, STUDIED, folder)
            try:
                return Study.from_dict(json.loads(Path(path).read_text(encoding="utf-8")))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise BadInput(f"the document of study {run.info.run_id} cannot be read: {error}") from error
