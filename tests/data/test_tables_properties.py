"""Property tests of the table reader: no crash, no traceback, no row lost, no value changed."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.data.cells import MISSING
from pipelines.data.tables import OwnTable, read_rows, read_table
from pipelines.errors import BadInput
from pipelines.task import DataRequest

quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
odd = st.sampled_from(
    ['"', '""', "a,b", "a;b", "x\ty", "two\nlines", "\r\n", " ", "'", "0", "-1.5e3", "inf", "NA", "?"]
)
cell = text | odd | st.integers().map(str) | st.floats(allow_nan=False).map(repr)
name = text.map(str.strip).filter(bool)


@st.composite
def tables(draw, cells=cell) -> tuple[list[str], list[list[str]]]:
    names = draw(st.lists(name, min_size=1, max_size=5, unique=True))
    # A first name that looks like another format is refused on purpose; that has tests of its own.
    names[0] = names[0] if names[0][0] not in "<{[" else "a" + names[0]
    if len(set(names)) < len(names):
        names = [f"{name}{position}" for position, name in enumerate(names)]
    row = st.lists(cells, min_size=len(names), max_size=len(names))
    return names, draw(st.lists(row, min_size=1, max_size=30))


def csv_bytes(names: list[str], rows: list[list[str]], delimiter: str = ",", end: str = "\r\n") -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator=end)
    writer.writerow(names)
    writer.writerows(rows)
    return stream.getvalue().encode()


def in_file(data: bytes, suffix: str, act):
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"table{suffix}"
        path.write_bytes(data)
        return act(path)


def one_clear_line(act) -> None:
    message = "it worked"
    try:
        act()
    except BadInput as error:
        message = str(error)
    assert message
    assert len(message.splitlines()) == 1


@quick
@given(
    data=st.binary(max_size=300) | text.map(str.encode) | st.text(',;\t"\n\r ab1.?\ufeff', max_size=80).map(str.encode)
)
def test_any_bytes_give_a_table_or_one_clear_line(data):
    for suffix in (".csv", ".tsv", ".parquet", ".csv.gz"):
        in_file(data, suffix, lambda path: one_clear_line(lambda: read_table(path)))


@quick
@given(data=st.text(',;\t"\n\r ab1', max_size=80))
def test_a_line_is_read_or_refused_never_lost(data):
    """Whatever was read holds every character of the file but delimiters, quotes and line ends."""

    def check(path: Path) -> None:
        try:
            table = read_table(path)
        except BadInput:
            return
        rows = "".join("".join(cells) for cells in table.columns.values()) + "".join(table.columns)
        for character in "ab1":
            assert rows.count(character) == data.count(character)

    in_file(data.encode(), ".csv", check)


@quick
@given(table=tables(), delimiter=st.sampled_from(",;\t"), end=st.sampled_from(["\r\n", "\n"]))
def test_csv_round_trip(table, delimiter, end):
    names, rows = table

    def check(path: Path) -> None:
        read = read_table(path)
        assert list(read.columns) == names
        assert [list(row) for row in zip(*read.columns.values(), strict=True)] == rows

    in_file(csv_bytes(names, rows, delimiter, end), ".csv", check)


@quick
@given(table=tables())
def test_parquet_round_trip(table):
    names, rows = table
    columns = [pa.array(list(column), pa.string()) for column in zip(*rows, strict=True)]
    stream = io.BytesIO()
    pq.write_table(pa.table(columns, names=names), stream)

    def check(path: Path) -> None:
        read = read_table(path)
        assert [list(row) for row in zip(*read.columns.values(), strict=True)] == rows

    in_file(stream.getvalue(), ".parquet", check)


@quick
@given(table=tables(), suffix=st.sampled_from([".csv", ".parquet"]))
def test_loading_keeps_every_row_and_value(table, suffix):
    names, rows = table
    if suffix == ".csv":
        data = csv_bytes(names, rows)
    else:
        stream = io.BytesIO()
        columns = [pa.array(list(column), pa.string()) for column in zip(*rows, strict=True)]
        pq.write_table(pa.table(columns, names=names), stream)
        data = stream.getvalue()

    def check(path: Path) -> None:
        one_clear_line(lambda: check_loaded(path))

    def check_loaded(path: Path) -> None:
        examples = OwnTable().load(DataRequest(where=str(path), target=names[-1])).examples
        assert len(examples) == len(rows)
        for at, column in enumerate(names[:-1]):
            if column in examples.columns:
                for row, value in zip(rows, examples.columns[column], strict=True):
                    assert same(row[at].strip(), value, examples.kinds[column])
        for row, value in zip(rows, examples.target, strict=True):
            assert same(row[-1].strip(), value, "number" if examples.target.dtype != object else "category")

    in_file(data, suffix, check)


def same(written: str, value: object, kind: str) -> bool:
    if written in MISSING:
        return value is None or math.isnan(value)
    if kind == "category":
        return value == written
    if "-" in written[1:] and "e" not in written.lower():  # an ISO date became seconds
        return math.isfinite(value)
    return value == float(written)


numbers = st.floats(-1e30, 1e30, width=64)


@quick
@given(columns=st.lists(st.lists(numbers | st.none(), min_size=3, max_size=3), min_size=2, max_size=4))
def test_numbers_arrive_bit_for_bit(columns):
    names = [f"x{at}" for at in range(len(columns))]
    rows = [["" if value is None else repr(value) for value in row] for row in zip(*columns, strict=True)]

    def check(path: Path) -> None:
        examples, _ = read_rows(path, dict.fromkeys(names, "number"))
        for name_, column in zip(names, columns, strict=True):
            expected = np.array([np.nan if value is None else value for value in column])
            np.testing.assert_array_equal(examples.columns[name_], expected)

    in_file(csv_bytes(names, rows), ".csv", check)


@quick
@given(table=tables(), kinds=st.lists(st.sampled_from(["number", "category", "text"]), min_size=5, max_size=5))
def test_rows_to_predict_are_all_there_or_refused(table, kinds):
    names, rows = table

    def check(path: Path) -> None:
        def read() -> None:
            examples, _ = read_rows(path, dict(zip(names, kinds, strict=False)))
            assert len(examples) == len(rows)

        one_clear_line(read)

    in_file(csv_bytes(names, rows), ".csv", check)
