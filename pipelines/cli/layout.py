"""Tables that fit the terminal: numbers aligned and never cut; where it is narrow, cells take two lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rich.console import Console
from rich.table import Table

from pipelines.report.wording import EXPLAINED as EXPLAINED
from pipelines.report.wording import SPOKEN as SPOKEN
from pipelines.report.wording import explained as explained
from pipelines.report.wording import interval as interval
from pipelines.report.wording import number as number
from pipelines.report.wording import signed as signed
from pipelines.report.wording import spoken as spoken
from pipelines.report.wording import together as together


def table(title: str = "") -> Table:
    """A table without lines, as all of ours are."""
    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), title=title or None, title_justify="left")


def numbers(of: Table, *headings: str) -> None:
    """Columns whose cells are aligned to the right and stay whole."""
    for heading in headings:
        of.add_column(heading, justify="right", no_wrap=True)


def words(of: Table, *headings: str, folds: bool = False) -> None:
    """Columns of words, which stay whole unless they may fold where the terminal is narrow."""
    for heading in headings:
        of.add_column(heading, no_wrap=not folds, overflow="fold")


def widest(console: Console, layouts: Iterable[Callable[[], Table]]) -> Table:
    """The first of these layouts, from wide to narrow, that fits the terminal; the last where none does."""
    unlimited = console.options.update(width=10_000)
    built = table()
    for layout in layouts:
        built = layout()
        if console.measure(built, options=unlimited).maximum <= console.width:
            break
    return built
