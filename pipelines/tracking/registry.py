"""Getting a saved contender back, from a folder or from MLflow, as the folder that it was saved into."""

from __future__ import annotations

from pathlib import Path

from pipelines.errors import BadInput
from pipelines.tracking.models import NAME, model_file
from pipelines.tracking.query import contender_run
from pipelines.tracking.store import Store, existing_store, first_line


def download_model(where: str, destination: Path, contender: str | None = None) -> Path:
    """The folder of a saved contender: `model.keras` or `model.skops` with what describes it.

    Nothing is loaded here, and whatever else a store may hold is left alone: neither of these two files is a pickle.

    Args:
        where: a folder (or the model's file in it), a run id or its beginning, or `runs:/RUN_ID/model`.
        destination: an existing folder for what has to be downloaded; a local folder is returned as it is.
        contender: which one, where the id is a pipeline run's; None takes its winner.

    Raises:
        BadInput: there is no such folder, run or model; the message says what may be given.
    """
    local = Path(where)
    if local.exists():
        folder = local if local.is_dir() else local.parent
        model_file(folder)
        return folder
    if "/" in where and not where.startswith("runs:/"):
        raise BadInput(f"there is no folder {where}; give a saved model's folder, a run id or runs:/RUN_ID/{NAME}")
    store = existing_store()
    if store is None:
        raise BadInput(f"there is no folder {where}, and no run is recorded here; record one with `tapeline run TASK`")
    run_id = where.removeprefix("runs:/").removesuffix(f"/{NAME}")
    with store.explained():
        folder = _download(store, contender_run(store, run_id, contender), destination)
    model_file(folder)
    return folder


def _download(store: Store, run_id: str, destination: Path) -> Path:
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    run = store.client.get_run(run_id)
    outputs = run.outputs.model_outputs if run.outputs else []
    if not outputs:
        raise BadInput(f"run {run_id} ({run.info.run_name}, {run.info.status}) logged no model")
    location = store.client.get_logged_model(outputs[-1].model_id).artifact_location
    try:
        return Path(download_artifacts(location, dst_path=str(destination), tracking_uri=store.uri))
    except (MlflowException, OSError) as error:
        raise BadInput(
            f"the model of run {run_id} is not at {location}, where it was recorded ({first_line(error)}); "
            "its folder was moved or deleted"
        ) from error
