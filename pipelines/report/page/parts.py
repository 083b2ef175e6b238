"""What a section of the page is made of. Text is text: the template escapes it, whoever wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from pipelines.report.page.pictures import Drawing
from pipelines.report.page.scales import Scale
from pipelines.report.wording import number, signed

UNKNOWN = "not known"
"""What stands for NaN."""
MOST_ROWS = 14
"""Rows of a table that are open; the others unfold."""


@dataclass(frozen=True)
class Value:
    """A number to read, its interval under it, and what is to be known about it."""

    text: str
    ends: str = ""
    note: str = ""


@dataclass(frozen=True)
class Plot:
    """A point with its interval on the scale of its column, which is for the eye alone: numbers stand beside it."""

    value: float
    low: float
    high: float
    side: Literal["network", "baseline", "other"] = "other"


Cell = str | Value | Plot


@dataclass(frozen=True)
class Column:
    """A column of a table: a heading, how its cells are set, and of plots the scale."""

    heading: str
    kind: Literal["name", "number", "words", "plot"] = "number"
    scale: Scale | None = None


@dataclass(frozen=True)
class Row:
    """A row of a table; `side` colours it, and a row with one cell is a heading over those that follow."""

    cells: tuple[Cell, ...]
    side: Literal["network", "baseline", "other"] = "other"
    note: str = ""


@dataclass(frozen=True)
class Table:
    """A table with a caption; of very many rows all but the first unfold."""

    block: ClassVar[str] = "table"
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    most: int = MOST_ROWS

    @property
    def open(self) -> tuple[Row, ...]:
        """Rows that are seen at once; one more than allowed is not worth unfolding."""
        return self.rows if len(self.rows) <= self.most + 1 else self.rows[: self.most]

    @property
    def folded(self) -> tuple[Row, ...]:
        """The other rows."""
        return self.rows[len(self.open) :]


@dataclass(frozen=True)
class Prose:
    """Paragraphs. `tone`: plain, or `warning` for what must not be missed, or `note` for what explains."""

    block: ClassVar[str] = "prose"
    lines: tuple[str, ...]
    tone: Literal["plain", "warning", "note"] = "plain"


@dataclass(frozen=True)
class Listing:
    """A list with a heading of its own."""

    block: ClassVar[str] = "listing"
    heading: str
    items: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """Terms and what they are here."""

    block: ClassVar[str] = "facts"
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Command:
    """Something to type."""

    block: ClassVar[str] = "command"
    heading: str
    text: str


@dataclass(frozen=True)
class Picture:
    """A figure: its drawing, a caption, and in words what it shows."""

    block: ClassVar[str] = "picture"
    drawing: Drawing
    caption: str
    description: str


Block = Table | Prose | Listing | Facts | Command | Picture


@dataclass(frozen=True)
class Section:
    """A section: the page's contents link to it by its id."""

    id: str
    title: str
    lead: str
    blocks: Sequence[Block] = field(default_factory=tuple)


def whole(value: float) -> str:
    """A number without decimals."""
    return UNKNOWN if value != value else f"{value:,.0f}"


def shown(value: float, digits: int = 3, sign: bool = False) -> str:
    """A number to read; `not known` where it is not."""
    return UNKNOWN if value != value else (signed if sign else number)(value, digits)
