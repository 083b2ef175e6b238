"""What decisions do, as tables and a sentence for a person."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.cli import layout
from pipelines.cli.layout import number, spoken
from pipelines.cli.show_bias import with_interval
from pipelines.report.document import Estimate, Report, Scorecard
from pipelines.report.readings import AT_BREAK_EVEN, PER_1000, break_even, worth


def table(console: Console, document: Report) -> None:
    """What each contender's decisions do, where a run was asked to decide in a way of its own."""
    rule = document.decided_by
    cards = [card for card in document.contenders if card.decisions]
    if not rule or not cards:
        return
    shares = [name for name in cards[0].decisions if not name.endswith(PER_1000) and name != AT_BREAK_EVEN]
    short = [name for name in shares if name != "specificity"]
    title = f"decisions by {rule}, chosen on validation rows (95 % intervals)"
    wide_to_narrow = [
        partial(_decided, title, cards, *each) for each in ((shares, True), (shares, False), (short, False))
    ]
    console.print(layout.widest(console, wide_to_narrow))
    console.print()
    counts = [name for name in cards[0].decisions if name.endswith(PER_1000)]
    if counts:
        console.print(layout.widest(console, (partial(_counted, cards, counts, wide) for wide in (True, False))))
        console.print()
    for line in (break_even(document), worth(document.net_benefit)):
        if line:
            console.print(escape(line))
    console.print()


def _decided(title: str, cards: Sequence[Scorecard], names: Sequence[str], wide: bool) -> Table:
    """A row a contender; where it is narrow, intervals stand under their value."""
    found = layout.table(title)
    layout.words(found, "contender")
    layout.numbers(
        found, "threshold", *(spoken(name) if wide else spoken(name).replace(" ", "\n", 1) for name in names)
    )
    for card in cards:
        values = [with_interval(card.decisions[name], wide, column=_column(cards, name)) for name in names]
        at = "by group" if math.isnan(card.threshold) else number(card.threshold)
        found.add_row(escape(card.name), at, *values)
    return found


def _counted(cards: Sequence[Scorecard], names: Sequence[str], wide: bool) -> Table:
    found = layout.table("of 1000 decisions")
    layout.words(found, "contender")
    layout.numbers(found, *(spoken(name.removesuffix(PER_1000)) for name in names))
    for card in cards:
        cells = (with_interval(card.decisions[name], wide, column=_column(cards, name)) for name in names)
        found.add_row(escape(card.name), *cells)
    return found


def _column(cards: Sequence[Scorecard], name: str) -> list[Estimate]:
    return [card.decisions[name] for card in cards]
