"""Cells of text -> values: what is missing, what is a number, what is a date, and what is a word too many."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.examples import Kind
from pipelines.data.raw_table import RawTable
from pipelines.data.wording import count, listed, numbered, shown
from pipelines.errors import BadInput

MISSING = frozenset({"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?"})
"""Cells that mean that a value is missing, once surrounding white space is gone. Case counts: `na` is a value."""

NUMERIC_SHARE = 0.9
"""From this share of numbers on, a word in a column is taken for a mistake."""

CODES = 20
"""A column of at most this many distinct values may mix numbers and words on purpose (0, 1, 2, 3+)."""

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_PHONE = re.compile(r"\+[1-9]\d{7,14}", re.ASCII)
"""Of a column in which every cell is written so, no cell is a number to reckon with."""

_INFINITE = re.compile(r"[+-]?(?:inf(?:inity)?|∞)", re.IGNORECASE)
_DATE = re.compile(
    r"\d{4}[-/]\d{2}[-/]\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:?\d{2})?)?", re.ASCII
)
_DECIMAL_COMMA = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+),\d+", re.ASCII)
_FIGURES = r"\d[\d.,' ]*"
_WITH_UNIT = re.compile(
    rf"[€$£¥]\s?[+\-\u2212]?{_FIGURES}|[+\-\u2212]?{_FIGURES}\s?(%|[€$£¥]|°?[A-Za-zµ]{{1,4}})"
    r"|\u2212\d[\d.]*|\d{1,3}(,\d{3})+(\.\d+)?"
)
_DOTTED_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(.*)", re.ASCII)
_OTHER_DATE = re.compile(r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}", re.ASCII)


@dataclass(frozen=True)
class Values:
    """A column's values: (n,) float64 with NaN where missing, or (n,) object str with None where missing."""

    kind: Kind
    values: NDArray[Any]
    notes: tuple[str, ...] = ()


def number(cell: str) -> float | None:
    """The number in a cell with a decimal point, `-1.5e3`; NaN where missing, None for a word.

    `1,000` and `1_000` are words: whether the comma groups or divides cannot be known.
    """
    if cell in MISSING:
        return math.nan
    if _NUMBER.fullmatch(cell):
        return float(cell)
    if _INFINITE.fullmatch(cell):
        return -math.inf if cell.startswith("-") else math.inf
    return None


def moment(cell: str) -> float | None:
    """Seconds since 1970-01-01 of an ISO 8601 date or time (`2024-01-31`, `2024-01-31T12:00Z`), or of one with dots
    (`31.01.2024`, always day first), UTC unless it says otherwise; NaN where missing, None for anything else."""
    if cell in MISSING:
        return math.nan
    if dotted := _DOTTED_DATE.fullmatch(cell):
        day, month, year, rest = dotted.groups()
        cell = f"{year}-{month:0>2}-{day:0>2}{rest}"
    if not _DATE.fullmatch(cell):
        return None
    try:
        when = datetime.fromisoformat(cell.replace("/", "-"))
    except ValueError:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def infer(table: RawTable, name: str) -> Values:
    """The values of an input column, as what its cells are: numbers, ISO dates (as numbers) or categories.

    Raises:
        BadInput: a value is infinite, or a column of numbers has a few words in it; the message names line and column.
    """
    cells = table.columns[name]
    if not isinstance(cells, list):
        return Values("number", finite(table, name, cells))
    text = table.text(name)
    meaning = {cell: number(cell) for cell in set(text)}
    words = {cell for cell, value in meaning.items() if value is None}
    written = meaning.keys() - MISSING
    if not words and not (written and all(map(_PHONE.fullmatch, written))):
        return Values("number", finite(table, name, _mapped(text, meaning)))
    if words and len(words) == len(meaning) - len(meaning.keys() & MISSING):
        moments = {cell: moment(cell) for cell in meaning}
        if None not in moments.values():
            note = f"column {shown(name)} holds dates; they were read as seconds since 1970-01-01 (UTC)"
            return Values("number", _mapped(text, moments), (note,))
    mixed = _mixed(table, name, text, meaning, words) if words else ()
    return Values("category", categories(text), mixed)


def as_kind(table: RawTable, name: str, kind: Kind) -> NDArray[Any]:
    """The values of a column as the kind that a model was trained on.

    Raises:
        BadInput: a number is expected and a cell holds none, or is infinite; the message names line and column.
    """
    if kind == "text":
        cells = table.columns[name]
        return np.array(cells if isinstance(cells, list) else table.text(name), dtype=object)
    if kind == "category":
        return categories(table.text(name))
    raw = table.columns[name]
    if not isinstance(raw, list):
        return finite(table, name, raw)
    text = table.text(name)
    meaning = {cell: number(cell) for cell in set(text)}
    if None in meaning.values():
        moments = {cell: moment(cell) for cell in meaning}
        if None not in moments.values():
            return _mapped(text, moments)
        row = next(row for row, cell in enumerate(text) if meaning[cell] is None)
        raise BadInput(
            f"{table.path}: {table.place} {table.lines[row]}, column {name!r} holds {shown(text[row])}, but the model "
            f"was trained on numbers there; write a number with a decimal point, or leave it empty if it is missing"
        )
    return finite(table, name, _mapped(text, meaning))


def categories(text: list[str]) -> NDArray[Any]:
    """(n,) object str, None where missing."""
    values = np.empty(len(text), dtype=object)
    values[:] = [None if cell in MISSING else cell for cell in text]
    return values


LARGEST = 1e30
"""No measurement is larger, and the squares of larger numbers overflow in float32 and in a standard deviation."""


def finite(table: RawTable, name: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values, if none is infinite or so large that no model could compute with it.

    Raises:
        BadInput: one is; the message names its line and column.
    """
    lines = table.at(np.abs(values) > LARGEST)
    if lines:
        raise BadInput(
            f"{table.path}: {table.place} {lines[0]}, column {name!r} is infinite or beyond {LARGEST:g}"
            f"{f' (and {len(lines) - 1} more)' if len(lines) > 1 else ''}; "
            f"write a number, leave it empty if it is missing, or leave the column out with --exclude {name!r}"
        )
    return values


def missing(values: NDArray[Any]) -> NDArray[np.bool_]:
    """(n,) whether each value is missing: NaN, or None."""
    if values.dtype.kind == "f":
        return np.asarray(np.isnan(values), dtype=np.bool_)
    if values.dtype != object:
        return np.zeros(len(values), dtype=np.bool_)
    return np.fromiter((value is None or value != value for value in values), dtype=np.bool_, count=len(values))


def require_present(table: RawTable, name: str, values: NDArray[Any], flag: str) -> None:
    """Refuse a column with missing values where each row needs one.

    Raises:
        BadInput: some are missing; the message says how many, and the first lines.
    """
    lines = table.at(missing(values))
    if lines:
        where = f"{table.place}{'s' if len(lines) > 1 else ''} {numbered(lines)}"
        raise BadInput(
            f"{table.path}: column {name!r} ({flag}) is missing in {count(len(lines), 'row')} ({where}); fill "
            f"{'it' if len(lines) == 1 else 'them'} in, or remove {'that row' if len(lines) == 1 else 'those rows'}"
        )


def _mapped(text: list[str], meaning: dict[str, float | None]) -> NDArray[np.float64]:
    return np.array([meaning[cell] for cell in text], dtype=np.float64)


def _mixed(
    table: RawTable, name: str, text: list[str], meaning: dict[str, float | None], words: set[str]
) -> tuple[str, ...]:
    """Notes on a column of words; an error where nearly all of its values are numbers."""
    counts = Counter(cell for cell in text if cell not in MISSING)
    n_words = sum(counts[word] for word in words)
    present = counts.total()
    if present - n_words >= NUMERIC_SHARE * present:
        rarest = min(counts[word] for word in words)
        if len(counts) <= CODES and rarest >= max(5, 0.01 * present):
            return (f"column {shown(name)} mixes numbers with {listed(sorted(words), 5)}; it was read as categories",)
        row = next(row for row, cell in enumerate(text) if cell in words)
        more = f" (and {n_words - 1} more such cells)" if n_words > 1 else ""
        raise BadInput(
            f"{table.path}: {table.place} {table.lines[row]}, column {name!r} holds {shown(text[row])}{more} in a "
            f"column of numbers; write a number with a decimal point, leave it empty if it is missing, or leave the "
            f"column out with --exclude {name!r}"
        )
    if _share(_DECIMAL_COMMA, counts) >= NUMERIC_SHARE:
        row = next(row for row, cell in enumerate(text) if _DECIMAL_COMMA.fullmatch(cell))
        raise BadInput(
            f"{table.path}: {table.place} {table.lines[row]}, column {name!r} holds {shown(text[row])}, a number with "
            f"a decimal comma; write 1234.5 and not 1.234,5, or leave the column out with --exclude {name!r}"
        )
    if _share(_OTHER_DATE, counts) >= NUMERIC_SHARE:
        return (f"column {shown(name)} looks like dates but was read as words; write them as 2024-01-31",)
    if _share(_WITH_UNIT, counts) >= NUMERIC_SHARE:
        example = shown(next(cell for cell in text if _WITH_UNIT.fullmatch(cell)))
        return (
            f"column {shown(name)} looks like numbers with a unit or sign ({example}) but was read as words; "
            "write plain numbers such as 57.3 or -512",
        )
    return ()


def _share(pattern: re.Pattern[str], counts: Counter[str]) -> float:
    """How many of the cells that are not empty look like the pattern."""
    return sum(number for word, number in counts.items() if pattern.fullmatch(word)) / max(1, counts.total())
