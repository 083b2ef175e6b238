"""Predicting the rows of a file with a saved contender."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from pipelines import catalogue
from pipelines.contenders import saved
from pipelines.data.examples import Examples
from pipelines.data.tables import read_rows
from pipelines.data.unlabelled import Unlabelled
from pipelines.errors import BadInput
from pipelines.objectives.objective import Predictions
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
        examples, files, notes = _read(model, source)
        predictions = model.predict(examples)
    table = _table(model, predictions)
    if files:
        table.insert(0, "file", files)
    _write(table, destination)
    return (*notes, f"{len(examples)} predictions of {model.name} ({model.task}) written to {destination}")


def _read(model: saved.Saved, source: Path) -> tuple[Examples, tuple[str, ...], tuple[str, ...]]:
    """The rows; the file of each, where each has its own; and notes."""
    if set(model.kinds.values()) <= TABULAR:
        examples, notes = read_rows(source, model.kinds)
        return examples, (), tuple(notes)
    own: Any = catalogue.find(model.task).sources.own
    rows: Unlabelled = own.unlabelled(str(source), model.shapes)
    length = len(next(iter(rows.columns.values())))
    examples = Examples(columns=rows.columns, target=np.full(length, np.nan), kinds=model.kinds)
    return examples, rows.files, rows.notes


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
