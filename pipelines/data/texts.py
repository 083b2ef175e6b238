"""Reading a user's own texts: a table with a column of text and a column of labels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipelines.data.cells import infer
from pipelines.data.examples import Examples, Kind
from pipelines.data.raw_table import RawTable
from pipelines.data.shards import own as shards
from pipelines.data.shards.decoders import Texts
from pipelines.data.shards.folder import is_prepared
from pipelines.data.tables import Roles, read_ids, read_table, read_target, read_time
from pipelines.data.wording import count, listed, shown
from pipelines.errors import BadInput
from pipelines.task import Beside, DataRequest, Dataset


@dataclass(frozen=True)
class OwnTexts:
    """A user's CSV, TSV or Parquet file as a source of texts: `--text NAME` and `--target NAME`."""

    def load(self, request: DataRequest) -> Dataset:
        """Read the texts into column `text`, character for character; an empty one stays, as an empty text.

        Without `--text` it is the column of words whose cells are longest on average. Sensitive columns stay among
        the columns, `--id` and `--time` go where splits look for them, and every other column is ignored with a note.
        A folder of TFDS shards holds one feature of text; more than fits in memory is read as it is needed.

        Raises:
            BadInput: the file is no such table, or a flag does not fit it.
        """
        if is_prepared(request.where):
            return shards.load(request, "text", lambda name, feature: Texts(name))
        table = read_table(request.where)
        if request.text is not None:
            table.require(request.text, "--text")
        roles = Roles.of(table, replace(request, exclude=()))
        for name in request.exclude:
            table.require(name, "--exclude")
        text = request.text if request.text is not None else _longest(table, roles, request.exclude)
        if text in (roles.target, roles.id, roles.time, *roles.sensitive, *request.exclude):
            raise BadInput(f"column {text!r} is given to --text and to another flag; it can have one role only")
        cells = table.columns[text]
        if not isinstance(cells, list):
            raise BadInput(f"{table.path}: column {text!r} (--text) holds numbers, not text; name the column of text")
        sensitive = {name: infer(table, name) for name in roles.sensitive}
        if "text" in sensitive:
            raise BadInput(
                f"{table.path}: the sensitive column 'text' needs another name; 'text' is what is learned from"
            )
        kinds: dict[str, Kind] = {"text": "text", **{name: column.kind for name, column in sensitive.items()}}
        examples = Examples(
            columns={
                "text": np.array(cells, dtype=object),
                **{name: column.values for name, column in sensitive.items()},
            },
            kinds=kinds,
            target=read_target(table, roles.target),
            ids=read_ids(table, roles.id),
            time=read_time(table, roles.time),
        )
        notes = [*table.notes, *(note for column in sensitive.values() for note in column.notes)]
        if request.text is None:
            notes.append(f"the text is column {shown(text)}, whose cells are longest; --text names another")
        if empty := sum(not cell.strip() for cell in cells):
            notes.append(f"{count(empty, 'text is', 'texts are')} empty; the rows were kept")
        ignored = [name for name in roles.inputs(table) if name != text and name not in roles.sensitive]
        if ignored:
            notes.append(f"{count(len(ignored), 'column')} besides the text ignored: {listed(ignored)}")
        beside = tuple(Beside("column", name, table.columns[name]) for name in ignored if name not in request.exclude)
        return Dataset(
            examples,
            str(table.path),
            False,
            roles.target,
            None,
            tuple(notes),
            request.positive,
            beside=beside,
            reading={"text": text},
        )


def _longest(table: RawTable, roles: Roles, exclude: tuple[str, ...]) -> str:
    away = {roles.target, roles.id, roles.time, *roles.sensitive, *exclude}
    lengths = {
        name: sum(map(len, cells))
        for name, cells in table.columns.items()
        if name not in away and isinstance(cells, list)
    }
    if not lengths:
        raise BadInput(
            f"{table.path} has no column of text besides the target; its columns are {listed(table.columns)}"
        )
    return max(lengths, key=lambda name: lengths[name])
