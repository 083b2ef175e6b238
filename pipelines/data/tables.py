"""Reading a user's own table (CSV, TSV or Parquet): every row and every value is kept, or an error names it.

Missing: an empty cell, `NA`, `N/A`, `NaN`, `nan`, `null`, `NULL`, `None`, `?` (cells.MISSING). A column is a number
where every value that is not missing is one, with a decimal point; thousands separators are not guessed. ISO dates
become seconds since 1970. Anything else is a category, truth values (`True`, `False`) too. White space around a
value is not part of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.cells import Values, as_kind, categories, infer, missing, moment, number, require_present
from pipelines.data.delimited import read_delimited
from pipelines.data.examples import Examples, Kind
from pipelines.data.parquet import MAGIC, read_parquet
from pipelines.data.paths import existing_file, read_bytes
from pipelines.data.raw_table import RawTable
from pipelines.data.shards import own as shards
from pipelines.data.shards.folder import is_prepared
from pipelines.data.wording import count, did_you_mean, listed, shown
from pipelines.errors import BadInput
from pipelines.task import Beside, DataRequest, Dataset

UNIQUE_SHARE = 0.9
"""From this share of distinct words on, a column names rows instead of describing them, and is left out."""

UNIQUE_ROWS = 20
"""Fewer values than this are too few to tell a name from a category."""


@dataclass(frozen=True)
class Roles:
    """Which column plays which part, as the flags say: each is in the table, and none plays two."""

    target: str
    id: str | None
    time: str | None
    sensitive: tuple[str, ...]
    exclude: tuple[str, ...]

    @classmethod
    def of(cls, table: RawTable, request: DataRequest, sought: str = "to predict") -> Roles:
        """The roles that a request gives.

        Args:
            sought: what the target is, in words that go on after "the column".

        Raises:
            BadInput: a flag names no column, `--target` is missing, or a column has two roles.
        """
        if request.target is None:
            raise BadInput(
                f"--target is missing: name the column of {table.path} {sought}; "
                f"its columns are {listed(table.columns, 50)}"
            )
        flags = [("--target", request.target)]
        flags += [("--id", request.id)] if request.id is not None else []
        flags += [("--time", request.time)] if request.time is not None else []
        flags += [("--sensitive", name) for name in dict.fromkeys(request.sensitive)]
        flags += [("--exclude", name) for name in dict.fromkeys(request.exclude)]
        taken: dict[str, str] = {}
        for flag, name in flags:
            table.require(name, flag)
            if name in taken:
                raise BadInput(f"column {name!r} is given to both {taken[name]} and {flag}; it can have one role only")
            taken[name] = flag
        sensitive, exclude = tuple(dict.fromkeys(request.sensitive)), tuple(dict.fromkeys(request.exclude))
        return cls(request.target, request.id, request.time, sensitive, exclude)

    def inputs(self, table: RawTable) -> list[str]:
        """The columns without a role, and the sensitive ones, in the file's order."""
        away = {self.target, self.id, self.time, *self.exclude}
        return [name for name in table.columns if name not in away]


@dataclass(frozen=True)
class OwnTable:
    """A user's CSV, TSV or Parquet file as a source of table rows.

    Args:
        sought: what its target is, for who did not name it.
    """

    sought: str = "to predict"

    def load(self, request: DataRequest) -> Dataset:
        """Read the table that `request.where` names.

        `target` stays as it was read: numbers as float64, else labels as object str. Sensitive columns stay among
        the columns (`groups.set_aside` takes them out); `--id`, `--time` and `--exclude` leave the inputs. A column
        of words of which nearly all differ (names, identifiers, free text) is left out with a note, unless it is
        sensitive. A folder of TFDS shards is such a table too: its features that are single values.

        Raises:
            BadInput: the file is no such table, or a flag does not fit it; the message names line and column.
        """
        if is_prepared(request.where):
            return shards.load(request, None, None)
        if request.text is not None:
            raise BadInput("--text is for tasks that learn from text; this one learns from the columns of a table")
        table = read_table(request.where)
        if len(table.columns) == 1:
            raise BadInput(
                f"{table.path} has one column only ({listed(table.columns)}); a table to learn from has the target and "
                f"at least one more column, separated by commas, semicolons or tabs"
            )
        roles = Roles.of(table, request, self.sought)
        read = {name: infer(table, name) for name in roles.inputs(table)}
        notes = [*table.notes, *(note for values in read.values() for note in values.notes)]
        beside: list[Beside] = []
        for name in [name for name in read if name not in roles.sensitive]:
            if note := names_rows(name, read[name]):
                notes.append(note)
                if read[name].kind == "category":
                    beside.append(Beside("column", name, read.pop(name).values))
        if not read:
            raise BadInput(f"{table.path} has no usable column besides the target; " + ("; ".join(notes) or "add one"))
        examples = Examples(
            columns={name: values.values for name, values in read.items()},
            kinds={name: values.kind for name, values in read.items()},
            target=read_target(table, roles.target),
            ids=read_ids(table, roles.id),
            time=read_time(table, roles.time),
        )
        return Dataset(
            examples, str(table.path), False, roles.target, None, tuple(notes), request.positive, beside=tuple(beside)
        )


def read_rows(
    path: str | Path, columns: Mapping[str, Kind], called: Mapping[str, str] | None = None
) -> tuple[Examples, tuple[str, ...]]:
    """Rows to predict: the columns that a model was trained on, in its kinds; a target is not needed.

    Args:
        path: a CSV, TSV or Parquet file.
        columns: name -> kind, as in the examples that the model was trained on.
        called: name -> what the user calls that column, where it is something else; either is read.

    Returns:
        Examples with these columns, in this order, and a target of NaN; and notes, for example on ignored columns.

    Raises:
        BadInput: a column is missing or a cell is of the wrong kind; the message names it.
    """
    table = read_table(path)
    names = {name: (called or {}).get(name, name) for name in columns}
    names |= {name: name for name, there in names.items() if there not in table.columns and name in table.columns}
    for name, kind in columns.items():
        if kind not in ("number", "category", "text"):
            raise BadInput(f"the model reads column {name!r} as {kind}, which a table such as {table.path} cannot hold")
        if (there := names[name]) not in table.columns:
            hint = did_you_mean(there, table.columns) or "."
            raise BadInput(
                f"{table.path} has no column {there!r}, which the model was trained on{hint} "
                f"Its columns are {listed(table.columns, 50)}"
            )
    extra = [name for name in table.columns if name not in names.values()]
    ignored = f"{count(len(extra), 'column')} that the model does not use: {listed(extra)}"
    values = {name: as_kind(table, names[name], kind) for name, kind in columns.items()}
    examples = Examples(columns=values, kinds=dict(columns), target=np.full(len(table), np.nan))
    return examples, (*table.notes, *((ignored,) if extra else ()))


def read_table(where: str | Path) -> RawTable:
    """The cells of a CSV, TSV (gzipped or not) or Parquet file; which of them is told from the content.

    Raises:
        BadInput: it is missing, unreadable, or no table.
    """
    path = existing_file(where)
    data = read_bytes(path)
    if data.startswith(MAGIC):
        return read_parquet(path)
    if path.suffix.lower() in (".parquet", ".pq"):
        raise BadInput(f"{path} is not a Parquet file, though its name says so; write it again, or name it .csv")
    return read_delimited(path, data)


def read_target(table: RawTable, name: str) -> NDArray[Any]:
    """(n,) float64 where every value is a number, else object str; none missing.

    Raises:
        BadInput: a value is missing or infinite; the message names the lines.
    """
    values = table.columns[name]
    if isinstance(values, list):
        text = table.text(name)
        meaning = {cell: number(cell) for cell in set(text)}
        if None in meaning.values():
            labels = categories(text)
            require_present(table, name, labels, "--target")
            return labels
        values = np.array([meaning[cell] for cell in text], dtype=np.float64)
    require_present(table, name, values, "--target")
    if lines := table.at(np.isinf(values)):
        raise BadInput(f"{table.path}: {table.place} {lines[0]}, the target {name!r} is infinite; write a number")
    return values


def read_ids(table: RawTable, name: str | None) -> NDArray[Any] | None:
    """(n,) object str: who or what each row is about.

    Raises:
        BadInput: one is missing, so that nobody can say which rows belong together.
    """
    if name is None:
        return None
    ids = categories(table.text(name))
    require_present(table, name, ids, "--id")
    return ids


def read_time(table: RawTable, name: str | None) -> NDArray[np.float64] | None:
    """(n,) float64 that sorts: numbers as they are, ISO dates as seconds since 1970.

    Raises:
        BadInput: a value is missing, or neither a number nor an ISO date.
    """
    if name is None:
        return None
    values = table.columns[name]
    if isinstance(values, list):
        text = table.text(name)
        read = {cell: number(cell) for cell in set(text)}
        if None in read.values():
            read = {cell: moment(cell) for cell in read}
        if None in read.values():
            row = next(row for row, cell in enumerate(text) if read[cell] is None)
            raise BadInput(
                f"{table.path}: {table.place} {table.lines[row]}, column {name!r} (--time) holds {shown(text[row])}; "
                f"every row needs a number, or every row a date such as 2024-01-31 or 2024-01-31T12:00"
            )
        values = np.array([read[cell] for cell in text], dtype=np.float64)
    require_present(table, name, values, "--time")
    if lines := table.at(np.isinf(values)):
        raise BadInput(f"{table.path}: {table.place} {lines[0]}, column {name!r} (--time) is infinite; write a number")
    return values


def names_rows(name: str, column: Values) -> str:
    """A note where a column seems to name rows: words that nearly all differ, or a running number."""
    values = column.values[~missing(column.values)]
    if len(values) < UNIQUE_ROWS:
        return ""
    if column.kind == "category":
        distinct = len(set(values))
        if distinct < UNIQUE_SHARE * len(values):
            return ""
        return (
            f"column {shown(name)} is left out: {distinct:,} of its {len(values):,} values differ, as in names, "
            f"identifiers or free text; to use it, give it to --id if it says whom a row is about, or write it as "
            f"fewer categories"
        )
    steps = np.diff(values)
    if len(values) == len(column.values) and (np.all(steps == 1) or np.all(steps == -1)):
        return f"column {shown(name)} counts the rows; if it means nothing more, leave it out with --exclude {name!r}"
    return ""
