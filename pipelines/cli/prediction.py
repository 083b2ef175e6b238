"""Predicting the rows of a file with a saved contender."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from pipelines import catalogue
from pipelines.contenders import saved
from pipelines.data.examples import Examples
from pipelines.data.tables import read_rows
from pipelines.errors import BadInput
from pipelines.objectives.objective import Predictions
from pipelines.task import DataRequest
from pipelines.tracking.registry import download_model

TABULAR = {"number", "category", "text"}


def predict_file(where: str, source: Path, destination: Path, contender: str | None) -> tuple[str, ...]:
    """Write one row of predictions per row of `source`, in its order; returns notes for the user.

    Raises:
        BadInput: the model, the rows or the place to write to; nothing is left half written.
    """
    if destination.suffix not in (".csv", ".parquet"):
        raise BadInput(f"--output {destination}: write to a file that ends in .csv or .parquet")
    if not destination.parent.is_dir():
        raise BadInput(f"--output {destination}: there is no folder {destination.parent}")
    if destination.exists() and source.exists() and destination.samefile(source):
        raise BadInput(f"--output {destination} is the input itself; name another file")
    with tempfile.TemporaryDirectory() as folder:
        model = saved.load(download_model(where, Path(folder), contender))
        examples, notes = _read(model, source)
        predictions = model.predict(examples)
    _write(_table(model, predictions), destination)
    return (*notes, f"{len(examples)} predictions of {model.name} ({model.task}) written to {destination}")


def _read(model: saved.Saved, source: Path) -> tuple[Examples, tuple[str, ...]]:
    if set(model.kinds.values()) <= TABULAR:
        examples, notes = read_rows(source, model.kinds)
        return examples, tuple(notes)
    dataset = catalogue.find(model.task).sources.own.load(DataRequest(str(source)))
    return dataset.examples, dataset.notes


def _table(model: saved.Saved, predictions: Predictions) -> Any:
    import pandas as pd

    classes = getattr(model.objective, "classes", ())
    if not classes:
        return pd.DataFrame({"prediction": predictions.values})
    probabilities = {f"probability_{label}": predictions.values[:, place] for place, label in enumerate(classes)}
    return pd.DataFrame({"decision": [classes[label] for label in predictions.labels()], **probabilities})


def _write(table: Any, destination: Path) -> None:
    beside = destination.with_name(f".{destination.name}.{os.getpid()}.tmp")
    try:
        with beside.open("wb") as file:
            if destination.suffix == ".csv":
                table.to_csv(file, index=False)
            else:
                table.to_parquet(file, index=False)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(destination)
    except OSError as error:
        raise BadInput(f"--output {destination} cannot be written: {error.strerror or error}") from error
    finally:
        beside.unlink(missing_ok=True)
