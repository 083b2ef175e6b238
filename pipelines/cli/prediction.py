"""Predicting the rows of a file with a saved contender."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pipelines import catalogue
from pipelines.contenders import saved
from pipelines.contenders.reading import TABULAR, columns_read
from pipelines.data.examples import Examples, Kind
from pipelines.data.groups import labels_again
from pipelines.data.own_either import TableOrPictures
from pipelines.data.personal import masked_as
from pipelines.data.tables import read_rows, read_table
from pipelines.data.unlabelled import Unlabelled
from pipelines.data.wording import listed
from pipelines.errors import BadInput
from pipelines.explanation import familiar
from pipelines.explanation.attribution import attributions
from pipelines.explanation.opened import opened
from pipelines.explanation.reasons import columns as reasons_of
from pipelines.objectives.automation import NOTHING
from pipelines.objectives.objective import Predictions
from pipelines.tracking.registry import download_model

REFER = "refer"
"""The decision on a row that goes to a person."""
UNLIKE = "unlike_training"
"""The column that says whether a row is unlike those that the model learned from."""
PERSON = "for_a_person"
"""The column that says whether a person has to decide a row."""


def predict_file(
    where: str, source: Path, destination: Path, contender: str | None, reasons: int = 0, oversight: bool = False
) -> tuple[str, ...]:
    """Write one row of predictions per row of `source`, in its order; returns notes for the user.

    Args:
        reasons: how many columns to name for each row that pushed it most towards the positive class.
        oversight: whether to say of each row if a person has to decide it.

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
        place = download_model(where, Path(folder), contender)
        model, known = saved.load(place), familiar.kept(place)
        _require_reasons(model, reasons)
        if oversight:
            _require_automation(model)
        examples, files, answered, notes = read_rows_to_predict(model, source)
        examples = masked_as(examples, model.masked)
        predictions = model.predict(examples)
        read = as_read(examples, model) if reasons else examples
        found = attributions(model.fitted, read, model.acting.usual) if reasons else None
    table = _table(model, predictions)
    if oversight:
        table[PERSON], note = _for_a_person(model, predictions)
        notes = (*notes, note)
    if found is not None:
        scale = model.acting.points
        told = reasons_of(read, model.acting.usual, found, reasons, None if scale is None else scale.factor)
        for name, values in told.items():
            table[name] = values
        adverse = getattr(model.objective, "classes", ("", "the positive class"))[1]
        notes = (*notes, f"reasons say what pushed a row towards {adverse}, by {found.how}")
    if known is not None:
        table[UNLIKE], warnings = _unlike(model, known, examples)
        notes = (*notes, *warnings)
    if files is not None:
        table.insert(0, files.name, files)
    if answered is not None:
        table = table.reindex(answered)  # a row that nothing answers is empty
    _write(table, destination)
    count = len(examples) if answered is None else int((answered >= 0).sum())
    return (*notes, f"{count} predictions of {model.name} ({model.task}) written to {destination}")


def _require_reasons(model: saved.Saved, reasons: int) -> None:
    """Refuse reasons where there are none to give.

    Raises:
        BadInput: the model reads no table, has not two classes, or was saved without what is usual.
    """
    if not reasons:
        return
    if others := sorted(set(columns_read(model.fitted, model.kinds).values()) - {"number", "category"}):
        raise BadInput(f"--reasons is for columns of numbers and categories; {model.name} reads {others[0]}")
    if len(getattr(model.objective, "classes", ())) != 2:
        raise BadInput(f"--reasons is for decisions between two classes, which {model.name} does not make")
    if not model.acting.usual:
        raise BadInput(f"--reasons: {model.name} was saved without what is usual; run {model.task} again")


def _require_automation(model: saved.Saved) -> None:
    """Refuse to say who needs a person where nothing was chosen to tell by.

    Raises:
        BadInput: the model decides no class, or was saved before there was such a choice.
    """
    if not getattr(model.objective, "classes", ()):
        raise BadInput(f"--oversight is for decisions between classes, which {model.name} does not make")
    if model.acting.automation is None:
        raise BadInput(f"--oversight: {model.name} was saved without what may be automated; run {model.task} again")


def _for_a_person(model: saved.Saved, predictions: Predictions) -> tuple[list[str], str]:
    """`yes` or `no` for each row, and what that rests on."""
    automation: Any = model.acting.automation
    sent = ~automation.automates(predictions)
    if model.acting.zone is not None:
        sent |= model.acting.zone.refers(predictions.values[:, 1])
    share = f"{100 * automation.at:g} %"
    told = f"a person decides {int(sent.sum())} of {len(sent)} rows"
    if automation.least[automation.at] == NOTHING:
        note = f"{told}: nothing may be automated by {model.name} with at most {share} wrong"
    else:
        note = f"{told}; of the others at most {share} are wrong, if they are like the rows it was chosen on"
    return ["yes" if each else "no" for each in sent], note


def _unlike(model: saved.Saved, known: familiar.Familiar, examples: Examples) -> tuple[list[str], tuple[str, ...]]:
    """`yes` or `no` for each row, and a warning where more are than of rows like those that it was validated on.

    Raises:
        BadInput: what was kept is of another model.
    """
    network = opened(model.fitted)
    found = None if network is None else familiar.seen(network, examples)
    if found is None or found.features.shape[1] != known.means.shape[1]:
        raise BadInput(f"{familiar.FILE} is not of {model.name}; run {model.task} again")
    beyond = known.unlike(found.features)
    note = (
        f"{int(beyond.sum())} of {len(beyond)} rows are unlike those that {model.name} learned from ({UNLIKE}): do not "
        f"trust its answers to them; of rows like those it was validated on {100 * familiar.FLAGGED:g} % are so too"
    )
    return ["yes" if each else "no" for each in beyond], (note,) if beyond.any() else ()


def as_read(examples: Examples, model: saved.Saved) -> Examples:
    """The rows with the columns alone that the model looks at."""
    kinds = columns_read(model.fitted, model.kinds)
    return replace(examples, columns={name: examples.columns[name] for name in kinds}, kinds=kinds)


def read_rows_to_predict(model: saved.Saved, source: Path) -> tuple[Examples, Any, Any, tuple[str, ...]]:
    """The rows; the file of each, or another name, as a Series, where each has its own; which of them answers each row
    of the file, where some are left out; and notes."""
    import pandas as pd

    own: Any = catalogue.find(model.task).sources.own if model.task in catalogue.names() else None
    read = bool(model.reading) and hasattr(own, "to_predict")
    made = read or (hasattr(own, "unlabelled") and not isinstance(own, TableOrPictures))
    if set(model.kinds.values()) <= TABULAR and not made:
        examples, notes = _read_table(model, source)
        return examples, None, None, tuple(notes)
    if model.by_group is not None:
        raise BadInput(
            f"{model.name} decides by {model.by_group.attribute}, which these rows do not say; name another --contender"
        )
    assets = getattr(model.objective, "assets", ())
    rows: Unlabelled
    if read:
        rows = own.to_predict(str(source), model.kinds, model.reading)
    else:
        rows = own.unlabelled(str(source), model.shapes, *([assets] if assets else []))
    length = len(next(iter(rows.columns.values())))
    examples = Examples(columns=rows.columns, target=np.full(length, np.nan), kinds=model.kinds)
    files = pd.Series(rows.files, name=rows.called, dtype=object) if rows.files else None
    return examples, files, rows.answered, rows.notes


def _read_table(model: saved.Saved, source: Path) -> tuple[Examples, tuple[str, ...]]:
    """The columns that the model takes, and the group of each row where it decides by that."""
    by = model.by_group
    if by is None:
        return read_rows(source, model.kinds, model.reading)
    if by.attribute not in (there := read_table(source).columns):
        raise BadInput(
            f"--input {source} has no column {by.attribute!r}, which {model.name} decides by; add it (an empty cell is "
            f"an unknown group), or name another --contender. Its columns are {listed(there, 50)}"
        )
    kind: Kind = "number" if by.number else "category"
    kinds: dict[str, Kind] = {**model.kinds, by.attribute: model.kinds.get(by.attribute, kind)}
    examples, notes = read_rows(source, kinds, model.reading)
    values = np.asarray(examples.columns[by.attribute])
    groups = labels_again(values, by.bands) if by.number else values
    for row, group in enumerate(groups, start=1):
        if group is not None and group not in by.seen:
            raise BadInput(
                f"--input {source}, row {row}: {model.name} decides by {by.attribute}, of which it has never seen "
                f"{group!r}; its groups are {listed(by.seen, 50)}, and an empty cell is an unknown one"
            )
    if single := sum(group not in by.groups for group in groups):
        note = f"{single} of {len(groups)} rows are decided at the one threshold: {by.attribute} unknown, or too rare"
        notes = (*notes, note)
    columns = {name: examples.columns[name] for name in model.kinds}
    return replace(examples, columns=columns, kinds=model.kinds, groups={by.attribute: groups}), notes


def _table(model: saved.Saved, predictions: Predictions) -> Any:
    import pandas as pd

    classes, assets = (getattr(model.objective, each, ()) for each in ("classes", "assets"))
    if assets:
        return pd.DataFrame(predictions.values, columns=list(assets))
    if not classes:
        return pd.DataFrame({"prediction": predictions.values})
    probabilities = {f"probability_{label}": predictions.values[:, place] for place, label in enumerate(classes)}
    decisions = [classes[label] for label in predictions.labels()]
    acting = model.acting
    if acting.zone is not None:
        away = acting.zone.refers(predictions.values[:, 1])
        decisions = [REFER if sent else decision for sent, decision in zip(away, decisions, strict=True)]
    table = pd.DataFrame({"decision": decisions, **probabilities})
    if acting.points is not None:
        table["points"] = acting.points.of(predictions.values[:, 1]).round(2)
    return table


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
