"""People in the loop: what may be automated at a stated error, and what is left to persons."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.cli import layout
from pipelines.cli.layout import signed
from pipelines.cli.show_bias import MOST_GROUPS, with_interval
from pipelines.cli.show_lending import who_goes
from pipelines.report.document import Estimate, Report
from pipelines.report.oversight import Automated, DecidedClass, Oversight
from pipelines.report.readings_of_trust import few_validated, nothing_automated, percent

EXPLAINED = (
    "automated: share of the tested decisions that are as sure as validation rows ask, so that (95 %) no more of them "
    "are wrong than stated; sent: of 1000, those that a person makes; caught: share of the wrong decisions that are "
    "among these; left: wrong ones of 1000 that no person sees"
)
OF_CLASSES = (
    "lost: of the rows that truly are of this class, share decided otherwise without a person; intervals of classes "
    "and groups are of the cut-offs that were chosen"
)
HEADINGS = ("automated", "wrong of these", "sent of 1000", "caught", "left of 1000")


def automated(console: Console, document: Report) -> None:
    """Every contender at the stated error; of the network every stated error, each class, and who is sent to a person
    more often."""
    found = {card.name: card.oversight for card in document.contenders if card.oversight is not None}
    if not found:
        return
    at = percent(next(iter(found.values())).at)
    title = f"what may be automated with at most {at} wrong (95 % intervals)"
    rows = [(name, each.acted) for name, each in found.items()]
    console.print(_levels(console, title, "contender", rows))
    console.print(f"{EXPLAINED}\n", style="dim")
    network = document.verdict.network
    if (lead := document.oversight) is not None and any(each.share.value > 0 for _, each in rows):
        least, most = (signed(each) for each in (lead.difference.low, lead.difference.high))
        console.print(
            f"{lead.network} automates {signed(lead.difference.value)} of the decisions more than {lead.baseline}, the "
            f"best baseline ({least} to {most})"
        )
    if network in found:
        _of_network(console, network, found[network])


def _of_network(console: Console, name: str, found: Oversight) -> None:
    acted = found.acted
    if acted.share.value == 0:
        console.print(nothing_automated(name, found))
    elif none := sum(share == 0 for share in found.shares):
        console.print(
            f"after {none} of {name}'s {len(found.shares)} trainings nothing may be automated: {few_validated(found)}"
        )
    console.print()
    rows = [(percent(level.at), level) for level in found.levels]
    console.print(_levels(console, f"{name} at other stated errors", "stated", rows))
    console.print()
    if acted.share.value == 0:
        return
    layouts = (partial(_classes, name, found, wide) for wide in (True, False))
    console.print(layout.widest(console, layouts))
    console.print(f"{OF_CLASSES}\n", style="dim")
    if found.groups:
        who_goes(console, f"whom {name} sends to a person at {percent(found.at)}", "sent", found.groups, found.gaps)


def _levels(console: Console, title: str, first: str, rows: Sequence[tuple[str, Automated]]) -> Table:
    return layout.widest(console, (partial(_table, title, first, rows, wide) for wide in (True, False)))


def _table(title: str, first: str, rows: Sequence[tuple[str, Automated]], wide: bool) -> Table:
    table = layout.table(title)
    layout.words(table, first)
    layout.numbers(table, *(each if wide else each.replace(" of ", "\nof ") for each in HEADINGS))
    columns = list(zip(*(_values(level) for _, level in rows), strict=True))
    for place, (name, level) in enumerate(rows):
        share, error, caught = (_cell(column[place], wide, column) for column in columns)
        sent, left = _count(level.sent_per_1000, wide, 0), _count(level.left_per_1000, wide, 1)
        table.add_row(escape(name), share, error, sent, caught, left)
    return table


def _values(level: Automated) -> tuple[Estimate, ...]:
    return level.share, level.error, level.caught


def _count(value: Estimate, wide: bool, digits: int) -> str:
    """Of 1000 decisions, beside its interval or above it."""
    ends = "-" if value.low != value.low else f"{value.low:.{digits}f}-{value.high:.{digits}f}"
    return f"{value.value:.{digits}f} ({ends})" if wide else f"{value.value:.{digits}f}\n{ends}"


def _cell(value: Estimate, wide: bool, column: Sequence[Estimate]) -> str:
    """`-` where nothing is automated that could be wrong."""
    return "-" if value.value != value.value else with_interval(value, wide, column=column)


def _classes(name: str, found: Oversight, wide: bool) -> Table:
    """The classes that are decided most often; the report holds all."""
    shown: list[DecidedClass] = sorted(found.classes, key=lambda each: -each.n)[:MOST_GROUPS]
    table = layout.table(f"{name} by decision, at {percent(found.at)}")
    layout.words(table, "decided", folds=True)
    layout.numbers(table, "n", "automated", "wrong of these" if wide else "wrong\nof these", "lost")
    columns = [[getattr(each, part) for each in shown] for part in ("share", "error", "lost")]
    for row in shown:
        cells = zip((row.share, row.error, row.lost), columns, strict=True)
        table.add_row(escape(row.label), f"{row.n:,}", *(_cell(value, wide, column) for value, column in cells))
    return table
