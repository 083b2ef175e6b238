"""Text tables (CSV, TSV, gzipped or not) -> RawTable. No row is dropped, shifted or filled up: a row that does not fit
the header is an error with its line number. Python's `csv` reads it, because pandas shifts or pads ragged rows."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from pipelines.data.raw_table import Cells, RawTable, check_header
from pipelines.data.wording import count, listed
from pipelines.errors import BadInput

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
SAMPLED = 50
"""Rows that are looked at to find the delimiter."""

Row = tuple[int, Cells]
"""The line where a row begins, and its cells."""


def read_delimited(path: Path, data: bytes) -> RawTable:
    """Read a text table whose first line that is not blank is the header.

    The delimiter is the first of comma, semicolon and tab (tab first in a `.tsv`) that divides the header and the
    next rows into the same number of cells, two or more; a table without any has one column. Quotes are doubled
    inside quotes (RFC 4180) and may span lines. Blank lines are skipped and counted in the notes; nothing else is.
    White space around column names is not part of them.

    Args:
        path: for messages; a suffix `.tsv` prefers tabs.
        data: the file's bytes, gzipped or not; UTF-8, with or without byte order mark.

    Raises:
        BadInput: it is no such table; the message names the line.
    """
    text = _decode(path, _decompress(path, data))
    if not text.strip():
        raise BadInput(f"{path} is empty; a table needs a header line and rows")
    _refuse_other_formats(path, text)
    stream = io.StringIO(text, newline="")
    delimiter, also = _delimiter(stream, order=sorted(DELIMITERS, key=lambda d: d != "\t" or ".tsv" not in path.name))
    header_line, header, lines, columns, blank = _columns(path, stream, delimiter)
    check_header(path, header, f"line {header_line}")
    notes = [f"{count(blank, 'blank line was', 'blank lines were')} skipped"] if blank else []
    if delimiter != ",":
        notes.append(f"cells are separated by {DELIMITERS[delimiter]}s")
    if also:
        notes.append(f"{DELIMITERS[delimiter]}s were taken as separators, though {DELIMITERS[also]}s would fit too")
    return RawTable(path, dict(zip(header, columns, strict=True)), lines, notes=tuple(notes))


def _decompress(path: Path, data: bytes) -> bytes:
    if not data.startswith(b"\x1f\x8b"):
        if path.name.lower().endswith(".gz") and data:
            raise BadInput(f"{path} is not a gzip file, though its name ends in .gz; rename it or compress it again")
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(f"{path} is a damaged gzip file ({error}); copy or compress it again") from error


def _decode(path: Path, data: bytes) -> str:
    if data.startswith(b"PK\x03\x04"):
        raise BadInput(f"{path} is a zip or Excel file, not a text table; save the sheet as CSV (UTF-8)")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadInput(f"{path} is encoded as UTF-16; save it as UTF-8 (`iconv -f UTF-16 -t UTF-8`)")
    if (position := data.find(b"\0")) >= 0:
        line = data.count(b"\n", 0, position) + 1
        raise BadInput(f"{path} is a binary file, or damaged: line {line} holds a NUL byte; expected CSV or Parquet")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput(
            f"{path}: line {line} is not UTF-8 (byte 0x{data[error.start]:02x}); if it is a table from Windows, "
            f"convert it with `iconv -f WINDOWS-1252 -t UTF-8`, or save it as CSV (UTF-8)"
        ) from error


def _refuse_other_formats(path: Path, text: str) -> None:
    start = text.lstrip()[:200].lower()
    if start.startswith(("<!doctype", "<html", "<?xml", "<svg")):
        raise BadInput(f"{path} is an HTML or XML page, not a table; download the data file itself (CSV or Parquet)")
    if start.startswith(("{", "[")):
        first_line = text.lstrip().partition("\n")[0]
        if _is_json(first_line) or _is_json(text):
            raise BadInput(
                f"{path} is JSON, not a table; save it as CSV or Parquet (`pandas.read_json(...).to_csv(...)`)"
            )


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _delimiter(stream: io.StringIO, order: Sequence[str]) -> tuple[str, str]:
    """The delimiter, and another one that would fit as well (empty if none)."""
    widths = {delimiter: _sample_widths(stream, delimiter) for delimiter in order}
    fits = [mark for mark, seen in widths.items() if seen and seen[0] > 1 and len(set(seen)) == 1]
    if fits:
        return fits[0], next(iter(fits[1:]), "")
    return max(order, key=lambda mark: widths[mark][0] if widths[mark] else 0), ""


def _sample_widths(stream: io.StringIO, delimiter: str) -> list[int]:
    widths: list[int] = []
    try:
        widths.extend(len(cells) for _, cells in islice(filter(_is_row, _rows(stream, delimiter)), SAMPLED + 1))
    except BadInput:
        widths.append(0)  # it does not fit; the reading proper names the line
    return widths


def _columns(path: Path, stream: io.StringIO, delimiter: str) -> tuple[int, list[str], list[int], list[Cells], int]:
    blank = 0
    header: list[str] = []
    header_line = 0
    lines: list[int] = []
    kept: list[Cells] = []
    for line, cells in _rows(stream, delimiter, f"{path}: "):
        if not cells:
            blank += 1
        elif not header:
            header_line, header = line, [cell.strip() for cell in cells]
        elif len(cells) != len(header):
            raise BadInput(_ragged(path, stream, delimiter, line, len(cells), len(header), header_line))
        else:
            lines.append(line)
            kept.append(cells)
    columns = [list(column) for column in zip(*kept, strict=True)] if kept else [[] for _ in header]
    return header_line, header, lines, columns, blank


def _rows(stream: io.StringIO, delimiter: str, where: str = "") -> Iterator[Row]:
    """Every row from the start of the stream; no cells where a line holds nothing but white space.

    A line of delimiters is a row whose values are all missing, and so is a quoted space in a table of one column.
    """
    stream.seek(0)
    last = ""

    def watched() -> Iterator[str]:
        nonlocal last
        for text_line in stream:
            last = text_line
            yield text_line

    reader = csv.reader(watched(), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise BadInput(where + _explain(str(error), line)) from error
        yield line, cells if len(cells) > 1 or last.strip() else []


def _is_row(row: Row) -> bool:
    return bool(row[1])


def _explain(error: str, line: int) -> str:
    if "unexpected end of data" in error:
        return f'the row in line {line} opens a quote (") that is never closed; close it, or double it if it is meant'
    if "field larger" in error:
        return (
            f"the row in line {line} has a cell of more than {csv.field_size_limit():,} characters; is a quote missing?"
        )
    return f'the row in line {line} has text after a closing quote; write a quote inside a quoted cell twice ("")'


def _ragged(path: Path, stream: io.StringIO, delimiter: str, line: int, cells: int, header: int, at: int) -> str:
    widths = _sample_widths(stream, delimiter)
    if sum(width == header for width in widths[1:]) < (len(widths) - 1) / 2:
        return (
            f"{path} is not a table: its header (line {at}) has {count(header, 'cell')} but line {line} has {cells}; "
            f"expected CSV with one header line, separated by {listed(DELIMITERS.values())}, or Parquet"
        )
    return (
        f"{path}: line {line} has {count(cells, 'cell')} but the header in line {at} has {header}; "
        f"give every row {count(header, 'cell')}, and put a cell that holds the separator in quotes"
    )
