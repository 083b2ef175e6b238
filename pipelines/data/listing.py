"""A `labels.csv` that says what the files of a folder are: label, person, and attributes such as sex."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.cells import Values, categories, infer, require_present
from pipelines.data.groups import label_groups
from pipelines.data.paths import LABELS, existing_file
from pipelines.data.personal import look, require_unseen
from pipelines.data.raw_table import RawTable
from pipelines.data.tables import read_ids, read_table, read_time
from pipelines.data.wording import count, listed, shown
from pipelines.errors import BadInput
from pipelines.task import Beside, DataRequest

PATHS = ("path", "file", "filename")
"""Names of the column that says where each file lies."""

MOST_GROUPS = 20
"""A further column of words becomes a group by itself if it has at most this many distinct values."""


@dataclass(frozen=True)
class Listing:
    """The files of a folder and what is known about each: n paths, and arrays of n values as in Examples."""

    files: list[Path]
    target: NDArray[Any]
    target_name: str
    groups: dict[str, NDArray[Any]] = field(default_factory=dict)
    ids: NDArray[Any] | None = None
    time: NDArray[Any] | None = None
    official: NDArray[Any] | None = None
    notes: tuple[str, ...] = ()
    ignored: tuple[Beside, ...] = ()
    """Columns that nobody looks at."""

    def beside(self, folder: Path) -> tuple[Beside, ...]:
        """What came with the files and nobody learns from: their names, and columns that were ignored."""
        names = [str(path.relative_to(folder)) for path in self.files]
        return (Beside("names of files", "", np.array(names, dtype=object)), *self.ignored)

    def take(self, places: NDArray[np.integer[Any]]) -> Listing:
        """The files with these places, in this order, each as often as it is named."""

        def pick(values: NDArray[Any] | None) -> NDArray[Any] | None:
            return None if values is None else values[places]

        return replace(
            self,
            files=[self.files[place] for place in places],
            target=self.target[places],
            groups={name: values[places] for name, values in self.groups.items()},
            ids=pick(self.ids),
            time=pick(self.time),
            official=pick(self.official),
        )


def read_listing(
    folder: Path,
    request: DataRequest,
    targets: tuple[str, ...],
    ids: tuple[str, ...],
    suffixes: tuple[str, ...],
    fits: Callable[[Path], bool] | None = None,
) -> Listing:
    """Read `labels.csv`: a column `path` (or `file`, relative to the folder), the label, and who it comes from.

    Every further column is an attribute that bias is measured over: numbers in bands, words of at most
    `MOST_GROUPS` values (more only if `--sensitive` names them). None of them is a model input.

    Args:
        folder: where `labels.csv` lies.
        request: `--target`, `--id`, `--time`, `--sensitive` and `--exclude` name its columns.
        targets: names of the label column that are tried where `--target` is not given.
        ids: names of the person column that are tried where `--id` is not given.
        suffixes: what the listed files may be, `.png` and so on.
        fits: tells files that may be listed from others; by their suffixes if it is left out.

    Raises:
        BadInput: a column or a listed file is missing, or lies outside the folder; the message names the line.
    """
    table = read_table(folder / LABELS)
    path = _column(table, None, PATHS, "path")
    target = _column(table, request.target, targets, "--target")
    person = request.id if request.id is not None else next((name for name in ids if name in table.columns), None)
    for flag, name in (("--id", person), ("--time", request.time)):
        if name is not None:
            table.require(name, flag)
    for flag, names in (("--sensitive", request.sensitive), ("--exclude", request.exclude)):
        for name in names:
            table.require(name, flag)
    labels = categories(table.text(target))
    require_present(table, target, labels, "the label")
    fits = fits or (lambda path: path.suffix.lower() in suffixes)
    files = [_listed_file(table, folder, row, cell, suffixes, fits) for row, cell in enumerate(table.text(path))]
    _require_once(table, path, files)
    away = {path, target, person, request.time, *request.exclude}
    groups, ignored, notes = _groups(table, [name for name in table.columns if name not in away], request.sensitive)
    return Listing(
        files,
        labels,
        target,
        groups=groups,
        ids=read_ids(table, person),
        time=read_time(table, request.time),
        notes=(*table.notes, *notes),
        ignored=tuple(Beside("column", name, table.columns[name]) for name in ignored),
    )


def _column(table: RawTable, asked: str | None, usual: tuple[str, ...], flag: str) -> str:
    if asked is not None:
        return table.require(asked, flag)
    for name in usual:
        if name in table.columns:
            return name
    raise BadInput(f"{table.path} has no column {listed(usual)} ({flag}); its columns are {listed(table.columns)}")


def _listed_file(
    table: RawTable, folder: Path, row: int, cell: str, suffixes: tuple[str, ...], fits: Callable[[Path], bool]
) -> Path:
    where = f"{table.path}: line {table.lines[row]}"
    if not cell:
        raise BadInput(f"{where} names no file")
    path, what = folder / cell, f"a file that ends in {' or '.join(suffixes)}"
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            raise BadInput(f"{where} names {cell!r}, which lies outside {folder}; paths are relative to that folder")
        if path.is_dir() and fits(path):
            return path
        if path.is_file() and not fits(path):
            raise BadInput(f"{where} names {cell!r}; expected {what}")
    except (OSError, RuntimeError) as error:  # a name that is too long, a link to itself, a folder that is locked
        why = getattr(error, "strerror", None) or "its links lead in a circle"
        raise BadInput(f"{where} names {shown(cell)}, which cannot be opened: {why}") from error
    try:
        return existing_file(path, what)
    except BadInput as error:
        raise BadInput(f"{where}: {error}") from error


def _require_once(table: RawTable, column: str, files: list[Path]) -> None:
    """No file is named twice, however it is written: lines could say different things of it, or part it from itself."""
    first: dict[Path, int] = {}
    for row, file in enumerate(files):
        if (before := first.setdefault(file.resolve(), row)) != row:
            raise BadInput(
                f"{table.path}: line {table.lines[row]} names {shown(table.text(column)[row])} again, which line "
                f"{table.lines[before]} names already; a file is one row"
            )


def _groups(
    table: RawTable, names: list[str], sensitive: tuple[str, ...]
) -> tuple[dict[str, NDArray[Any]], list[str], tuple[str, ...]]:
    """Groups by attribute; columns that nobody looks at; and a note on these."""
    groups: dict[str, NDArray[Any]] = {}
    ignored = []
    for name in names:
        column: Values = infer(table, name)
        if found := look(name, column.values):
            require_unseen(f"--sensitive {name!r}" if name in sensitive else "", found, "groups")
            ignored.append(name)
        elif column.kind == "number" or name in sensitive or len(np.unique(table.text(name))) <= MOST_GROUPS:
            groups[name] = label_groups(column.values)
        else:
            ignored.append(name)
    if not ignored:
        return groups, [], ()
    note = (
        f"{count(len(ignored), 'column')} of {LABELS} ignored, which have more than {MOST_GROUPS} values or hold "
        f"personal data: {listed(ignored)}"
    )
    return groups, ignored, (note,)
