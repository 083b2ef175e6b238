"""A set whose rows are visits of people: each with what was known of the ones before it, and rows to predict alike."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.cells import as_kind
from pipelines.data.examples import Examples, Kind
from pipelines.data.tables import read_ids, read_table, read_time
from pipelines.data.unlabelled import Unlabelled
from pipelines.data.visits import EARLIER, Visits
from pipelines.data.wording import count, listed
from pipelines.errors import BadInput
from pipelines.task import Dataset


def with_visits(dataset: Dataset, visits: Visits, numbers: Sequence[str], called: Mapping[str, str]) -> Dataset:
    """The set with columns of the past; split by person, whatever the moments are.

    Args:
        dataset: whose rows are the visits.
        numbers: the columns that are followed from visit to visit.
        called: `id` and `time` -> their columns, which rows to predict are read by; no `time` where each comes once.

    Raises:
        BadInput: the set has a column that is called as one of those that are made.
    """
    examples, steps = dataset.examples, visits.most()
    made, kinds = visits.inputs({name: np.asarray(examples.columns[name]) for name in numbers}, steps)
    if twice := sorted(set(made) & {*examples.columns, *examples.groups}):
        raise BadInput(f"{dataset.source} has a column {twice[0]!r}, which is what we call one that we make; rename it")
    examples = replace(
        examples, columns={**examples.columns, **made}, kinds={**examples.kinds, **kinds}, ids=visits.who, time=None
    )
    reading = {**called, "numbers": json.dumps(list(numbers)), "steps": str(steps)}
    return replace(dataset, examples=examples, reading=reading)


def to_predict(where: str, kinds: Mapping[str, Kind], reading: Mapping[str, str]) -> Unlabelled:
    """Visits to predict, in the order of the file; what was before them is taken from the same file.

    Args:
        kinds: the columns that the model takes.
        reading: as `with_visits` gave it.

    Raises:
        BadInput: a column is missing, a cell is of the wrong kind, or two rows are one visit; the message says which.
    """
    table = read_table(where)
    numbers: list[str] = json.loads(reading["numbers"])
    who, when = np.arange(len(table)).astype(str).astype(object), np.zeros(len(table))
    if "time" in reading:
        for part in ("id", "time"):
            table.require(reading[part], f"the {part} of the visits that the model was trained on")
        found: Any = (read_ids(table, reading["id"]), read_time(table, reading["time"]))
        who, when = found
    visits = Visits(who, when)
    require_apart(visits, str(table.path), [int(line) for line in table.lines], table.place)
    values = {name: as_kind(table, table.require(name, "which the model was trained on"), "number") for name in numbers}
    made, _ = visits.inputs(values, int(reading["steps"]))
    columns: dict[str, NDArray[Any]] = {}
    for name, kind in kinds.items():
        if name not in made:
            table.require(name, "which the model was trained on")
        columns[name] = made[name] if name in made else as_kind(table, name, kind)
    unused = [name for name in table.columns if name not in {*columns, *numbers, *reading.values()}]
    notes = [*table.notes, *([f"{count(len(unused), 'column')} not used: {listed(unused)}"] if unused else [])]
    if "time" in reading:
        first = count(int((made[EARLIER] == 0).sum()), "row has", "rows have")
        notes.append(f"{first} no earlier visit in the file; if there was one, add it, for the model looks at it")
    return Unlabelled(columns, (), tuple(notes))


def require_apart(visits: Visits, source: str, lines: Sequence[int], place: str) -> None:
    """No two visits of one person are of one moment: none would be the earlier one.

    Args:
        lines: where each row stands, counted in `place`.

    Raises:
        BadInput: two are; the message says which rows, and not whose.
    """
    if rows := visits.twice():
        first, second = (lines[row] for row in rows)
        raise BadInput(
            f"{source}: {place}s {first} and {second} are visits of one person at one moment, and nobody can say which "
            "was the earlier; keep one of them, or name a finer --time"
        )


def followed(visits: Visits, examples: Examples, apart: Sequence[str]) -> list[str]:
    """The number columns that change from visit to visit, but for those that are to be kept apart."""
    names = [name for name in examples.names("number") if name not in apart]
    return visits.changing({name: np.asarray(examples.columns[name]) for name in names})
