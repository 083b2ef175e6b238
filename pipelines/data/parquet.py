"""Parquet -> RawTable: numbers, dates and truth values by the file's own types; text like the cells of a CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.raw_table import Cells, RawTable, check_header
from pipelines.data.wording import shown
from pipelines.errors import BadInput

MAGIC = b"PAR1"


def read_parquet(path: Path) -> RawTable:
    """Read a Parquet file.

    Integers, floats and decimals become float64; dates and timestamps become seconds since 1970 (UTC where no zone
    is given); truth values become the text `True` and `False`, as in a CSV; text is treated like the cells of a
    CSV, missing markers included. A column of lists, structures or bytes is left out with a note.

    Raises:
        BadInput: the file is damaged, or its columns have no or equal names.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with path.open("rb") as file:
            table = pq.ParquetFile(file).read()
    except (OSError, pa.ArrowException, ValueError) as error:
        reason = str(error).partition("\n")[0][:120]
        raise BadInput(f"{path} is a damaged Parquet file ({reason}); write it again") from error
    names = [name.strip() for name in table.column_names]
    check_header(path, names, "its schema")
    columns: dict[str, Cells | NDArray[np.float64]] = {}
    by_the_clock: dict[str, NDArray[np.float64]] = {}
    notes = []
    for name, column in zip(names, table.columns, strict=True):
        if name.startswith("__index_level_"):
            notes.append(f"the row index that pandas stored ({name}) is left out")
            continue
        cells, note = _cells(column)
        if cells is None:
            notes.append(f"column {shown(name)} is left out: {note}")
            continue
        columns[name] = cells
        if (local := _by_the_clock(column)) is not None:
            by_the_clock[name] = local
        if note:
            notes.append(f"column {shown(name)} {note}")
    return RawTable(
        path, columns, range(1, table.num_rows + 1), place="row", notes=tuple(notes), by_the_clock=by_the_clock
    )


def _cells(column: Any) -> tuple[Cells | NDArray[np.float64] | None, str]:
    """The cells, or None with the reason why not; else a note or nothing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = pa.chunked_array([chunk.dictionary_decode() for chunk in column.chunks], type=kind.value_type)
        kind = kind.value_type
    if pa.types.is_null(kind):
        return [""] * len(column), ""
    if pa.types.is_boolean(kind):
        return ["" if value is None else str(value) for value in column.to_pylist()], ""
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return ["" if value is None else value for value in column.to_pylist()], ""
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        moments = pc.cast(column, pa.timestamp(_unit(kind)))
        ticks = _floats(pc.cast(moments, pa.int64()))
        return ticks / _PER_SECOND[_unit(kind)], "holds dates; they were read as seconds since 1970-01-01 (UTC)"
    if pa.types.is_integer(kind) and _exceeds_float(column):
        return ["" if value is None else str(value) for value in column.to_pylist()], ""
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _floats(column), ""
    return None, f"its type is {str(kind)[:40]}, which is neither a number, nor text, nor a date"


def _by_the_clock(column: Any) -> NDArray[np.float64] | None:
    """Seconds by the clock of the column's time zone, where it has one that is known here."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_timestamp(column.type) or column.type.tz is None:
        return None
    try:
        local = pc.local_timestamp(column)
    except pa.ArrowException:
        return None
    return _floats(pc.cast(local, pa.int64())) / _PER_SECOND[_unit(column.type)]


_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def _unit(kind: Any) -> str:
    import pyarrow as pa

    if pa.types.is_timestamp(kind):
        return str(kind.unit)
    return "s" if pa.types.is_date32(kind) else "ms"


def _exceeds_float(column: Any) -> bool:
    """Whether a whole number is too long for a float to hold exactly, as some identifiers are."""
    import pyarrow.compute as pc

    ends = pc.min_max(column).as_py()
    return any(end is not None and abs(end) > 2**53 for end in ends.values())


def _floats(column: Any) -> NDArray[np.float64]:
    import pyarrow as pa
    import pyarrow.compute as pc

    values = pc.cast(column, pa.float64(), safe=False).to_numpy()
    return np.array(values, dtype=np.float64)  # a copy: Arrow's memory is read-only
