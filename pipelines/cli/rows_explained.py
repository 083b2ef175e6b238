"""Rows of a file explained by a saved contender, in numbers and pictures."""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.cli.prediction import as_read, read_rows_to_predict
from pipelines.contenders import saved
from pipelines.contenders.saved import ASIDE, whole
from pipelines.data.examples import Examples
from pipelines.data.personal import masked_as
from pipelines.errors import BadInput
from pipelines.explanation.answer import Answer, answer_of
from pipelines.explanation.attributed import Held, attributed
from pipelines.explanation.attribution import attributions
from pipelines.explanation.opened import opened
from pipelines.explanation.usual import Typical, kept
from pipelines.report import figures_rows
from pipelines.tracking.registry import download_model

TABLE = "explained.csv"
PICTURE = re.compile(r"row-\d+\.png(\.tmp)?")
"""A picture of ours, or what a killed command left of one."""
HEADING = "row,name,answer,part,push"
"""What a table of ours begins with; the unit follows."""


@dataclass(frozen=True)
class Told:
    """Rows taken apart, as they are written.

    Args:
        unit: what pushes are counted in, and of which answer.
        said: (n,) what the model answers, in words.
        names: (n,) the file of each row, or its number.
        parts: the pushes, by part.
        maps: where answers to pictures, recordings and series come from.
        how: the way that was taken, in words.
    """

    unit: str
    said: list[str]
    names: list[str]
    parts: Mapping[str, Held]
    maps: Mapping[str, NDArray[np.float64]]
    how: str


def explain_file(where: str, source: Path, folder: Path, contender: str | None, most: int) -> tuple[str, ...]:
    """Write `explained.csv` and a picture of each row into a folder, and return notes for the user.

    Args:
        most: rows that are explained: the first ones.

    Raises:
        BadInput: the model, the rows or the place to write to.
    """
    _require_free(folder)
    with tempfile.TemporaryDirectory() as downloaded:
        place = download_model(where, Path(downloaded), contender)
        model, usual = saved.load(place), kept(place)
        examples, files, answered, notes = read_rows_to_predict(model, source)
    numbers = np.arange(len(examples)) if answered is None else answered[answered >= 0]
    rows = masked_as(examples, model.masked).take(numbers[:most])
    if not len(rows):
        raise BadInput(f"--input {source} has no row to explain")
    if len(numbers) > most:
        notes = (*notes, f"the first {most} of {len(numbers):,} rows are explained; --rows takes more")
    named = [str(each) for each in files.iloc[numbers[:most]]] if files is not None else []
    told = _taken_apart(model, usual, rows, named or [f"row {number + 1}" for number in range(len(rows))])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for before in folder.iterdir():  # pictures of rows that were explained here earlier
            if PICTURE.fullmatch(before.name):
                before.unlink()
        with whole(folder / TABLE) as file:
            file.write(_as_csv(told).encode())
        for name, figure in _figures(model, rows, told):
            with whole(folder / name) as file:
                figure.savefig(file, format="png")
    except OSError as error:
        raise BadInput(f"--output {folder} cannot be written: {error.strerror or error}") from error
    return (*notes, f"by {told.how}", f"{len(rows)} answers of {model.name} ({model.task}) explained in {folder}")


def _require_free(folder: Path) -> None:
    """Refuse a place where something would be lost.

    Raises:
        BadInput: it is a file, or a folder with other things than earlier explanations.
    """
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"--output {folder} is a file; name a folder")
    if not folder.is_dir():
        return
    try:
        beside = {each.name for each in folder.iterdir()} - {f"{TABLE}{ASIDE}"}  # a killed command leaves that
        if beside and not _of_ours(folder / TABLE):
            raise BadInput(f"--output {folder} holds other things; name a new folder, or one of earlier explanations")
    except OSError as error:
        raise BadInput(f"--output {folder} cannot be read: {error.strerror or error}") from error


def _of_ours(table: Path) -> bool:
    if not table.is_file():
        return False
    with table.open(encoding="utf-8", errors="replace") as file:
        return file.read(len(HEADING)) == HEADING


def _taken_apart(model: saved.Saved, usual: Typical | None, rows: Examples, names: list[str]) -> Told:
    """The rows' pushes.

    Raises:
        BadInput: this model's answers cannot be taken apart.
    """
    network, said = opened(model.fitted), _said(model, rows)
    if network is not None and network.shape != "table":
        if usual is None:
            raise BadInput(f"{model.name} was saved without what is usual; run {model.task} again")
        apart = attributed(network, usual, rows, getattr(model.objective, "assets", ()), fewest=1)
        return Told(_pushed(network.answer), said, names, apart.parts, apart.maps, _complete(apart.incomplete))
    if not model.acting.usual:
        raise BadInput(
            f"{model.name} is no single network and reads no table: only its predictions are known; name a network "
            "with --contender"
        )
    read = as_read(rows, model)
    if network is not None:
        apart = attributed(network, model.acting.usual, read)
        return Told(_pushed(network.answer), said, names, apart.parts, apart.maps, _complete(apart.incomplete))
    if len(getattr(model.objective, "classes", ())) != 2:
        raise BadInput(
            f"{model.name} is no single network and decides not between two classes; name another --contender"
        )
    found = attributions(model.fitted, read, model.acting.usual)
    parts = {name: (each, np.arange(len(rows))) for name, each in found.pushes.items()}
    return Told(_pushed(answer_of(model.objective)), said, names, parts, {}, found.how)


def _pushed(answer: Answer) -> str:
    """What parts push, for without it nobody knows what a negative push speaks against."""
    return f"{answer.words} ({answer.unit})"


def _complete(incomplete: NDArray[np.float64]) -> str:
    return f"integrated gradients from a usual row; parts add up to each answer within {100 * incomplete.max():.1g} %"


def _said(model: saved.Saved, rows: Examples) -> list[str]:
    """What the model answers each row, in words."""
    predictions = model.predict(rows)
    classes, assets = (getattr(model.objective, each, ()) for each in ("classes", "assets"))
    if assets:
        first = predictions.values.argmax(axis=1)
        return [
            f"most in {assets[place]} ({row[place]:.0%})" for place, row in zip(first, predictions.values, strict=True)
        ]
    if not classes:
        return [f"{value:.4g}" for value in predictions.values]
    labels = predictions.labels()
    return [f"{classes[label]} ({row[label]:.2f})" for label, row in zip(labels, predictions.values, strict=True)]


def _as_csv(told: Told) -> str:
    """One line a row and part, the strongest push of each row first."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(f"{HEADING} on {told.unit}".split(",", 4))
    for row, (name, said) in enumerate(zip(told.names, told.said, strict=True)):
        for part, push in pushes_of(told.parts, row):
            writer.writerow([row + 1, name, said, part, f"{push + 0.0:.6g}"])  # no -0
    return written.getvalue()


def pushes_of(parts: Mapping[str, Held], row: int) -> list[tuple[str, float]]:
    """(part, push) of one row, the strongest first."""
    found = [
        (part, float(values[np.flatnonzero(rows == row)[0]]))
        for part, (values, rows) in parts.items()
        if (rows == row).any()
    ]
    return sorted(found, key=lambda each: -abs(each[1]))


def _figures(model: saved.Saved, rows: Examples, told: Told) -> Iterator[tuple[str, Any]]:
    """(file name, figure) of each row."""
    kinds = {name: model.kinds[name] for name in rows.columns if name in model.kinds}
    pictures = [name for name, kind in kinds.items() if kind == "image"]
    for row, (name, said) in enumerate(zip(told.names, told.said, strict=True)):
        file, title = f"row-{row + 1}.png", f"{Path(name).name}: {said}"
        maps = {way: each[row] for way, each in told.maps.items()}
        if pictures and maps:
            yield file, figures_rows.picture(title, np.asarray(rows.columns[pictures[0]][row]), maps)
        elif maps:
            yield file, figures_rows.grid(title, maps["integrated gradients"], told.unit)
        else:
            yield file, figures_rows.attributions(title, pushes_of(told.parts, row), told.unit)
