"""Progress of a run on stderr: bars on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from pipelines.contenders.contender import Watch
from pipelines.data.schema import ColumnSummary

MOST_COLUMNS = 40
"""Columns of a user's own table that are shown; the rest is counted."""


class Terminal:
    """Draws a bar per stage on stderr where that is a terminal; lines to read are printed everywhere unless quiet."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.console = Console(stderr=True, emoji=False, highlight=False, soft_wrap=not sys.stderr.isatty())
        self._show: Callable[[str], None] = _nowhere

    @contextmanager
    def stage(self, name: str) -> Iterator[Watch]:
        """A bar with the stage's name, which stays when it is done."""
        columns = (
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description:<28}"),
            BarColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[status]}"),
        )
        hidden = self.quiet or not self.console.is_terminal
        with Progress(*columns, console=self.console, disable=hidden) as bars:
            bar = bars.add_task(name, total=None, status="")
            self._show = lambda words: bars.update(bar, status=escape(words))

            def watch(done: int, total: int) -> None:
                bars.update(bar, completed=done, total=total)

            yield watch
            self._show = _nowhere
            bars.update(bar, completed=1, total=1, status="")

    def say(self, line: str) -> None:
        """One line on stderr."""
        if not self.quiet:
            self.console.print(f"[dim]note[/dim] {escape(line)}")

    def status(self, words: str) -> None:
        """A few words beside the bar."""
        self._show(words)

    def columns(self, summaries: Sequence[ColumnSummary]) -> None:
        """The columns that were found, their kinds and what they hold."""
        if self.quiet:
            return
        apart = [each for each in summaries if each.kind == "group"]
        self._summarise("columns that models see", [each for each in summaries if each.kind != "group"])
        if apart:
            self._summarise("columns set aside to judge bias by, which no model sees", apart)

    def _summarise(self, title: str, summaries: Sequence[ColumnSummary]) -> None:
        table = Table(box=None, pad_edge=False, title=title, title_justify="left")
        for heading in ("column", "kind", "missing", "distinct", "holds"):
            table.add_column(heading, justify="right" if heading in ("missing", "distinct") else "left")
        for each in summaries[:MOST_COLUMNS]:
            distinct = "-" if each.distinct < 0 else f"{each.distinct:,}"
            table.add_row(escape(each.name), each.kind, f"{each.missing:,}", distinct, escape(each.holds))
        self.console.print(table)
        if len(summaries) > MOST_COLUMNS:
            self.console.print(f"and {len(summaries) - MOST_COLUMNS} more columns")


def _nowhere(words: str) -> None:
    """Between two stages nothing is shown."""
