"""What the answers of contenders hang on, side by side, and what pushes those of networks."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.cli import layout
from pipelines.cli.layout import interval, number, signed, spoken
from pipelines.report.document import Report
from pipelines.report.explanation import Explanation, most_important
from pipelines.report.readings_of_trust import randomised

MOST_PARTS = 8
"""Named in the terminal; the report has more."""

LEAST = 0.05
"""Corrected p-value from which on a loss may be chance."""

Named = Sequence[tuple[str, Explanation]]


def explanations(console: Console, document: Report) -> None:
    """Which parts of a row contenders hang on, and which push networks, with what speaks against trusting that."""
    found = [(card.name, card.explanation) for card in document.contenders if card.explanation is not None]
    asked = [(name, each) for name, each in found if each.importances]
    if parts := most_important(asked, document.verdict.network, MOST_PARTS):
        _importances(console, asked, parts)
    elif why_not := next((each.why_not for _, each in found if each.why_not), ""):
        console.print(f"no part of a row was exchanged with another row's: {why_not}\n", style="dim")
    for name, each in found:
        if each.attributions:
            _attributions(console, name, each)


def _importances(console: Console, asked: Named, parts: Sequence[str]) -> None:
    score, rows = asked[0][1].score, max(each.rows for _, each in asked)
    moved = [(name, each) for name, each in asked if any(importance.p_value < LEAST for importance in each.importances)]
    table = layout.table(f"what do answers hang on? ({spoken(score)} lost without a part)")
    layout.words(table, "part", folds=True)
    layout.numbers(table, *(name for name, _ in moved))
    for part in parts:
        table.add_row(escape(part), *(_lost(each, part) for _, each in moved))
    console.print(table)
    hanging = len(asked) - len(moved)
    console.print(
        f"without: each tested row ({rows:,} of them) has the part of another one, drawn by chance; *: may be chance, "
        "corrected for all parts; what two parts tell together neither seems to matter for"
        + (f"; {hanging} contender{'s hang' if hanging > 1 else ' hangs'} on no part" if hanging else ""),
        style="dim",
    )
    console.print()


def _lost(found: Explanation, part: str) -> str:
    for importance in found.importances:
        if importance.part == part:
            return number(importance.lost.value) + ("" if importance.p_value < LEAST else "*")
    return "-"


def _attributions(console: Console, name: str, found: Explanation) -> None:
    table = layout.table(f"what pushes {name}'s answers? (integrated gradients, {found.unit})")
    layout.words(table, "part", folds=True)
    layout.numbers(table, "by how much", "95 % interval", "on the whole", "in rows")
    _fill(table, found)
    console.print(table)
    console.print(
        f"of {escape(found.answer)}, against a usual row, the mean of {found.attributed_rows:,} tested rows; on the "
        f"whole: "
        f"with its sign, where the part is; parts add up to each answer within {100 * found.completeness_error:.1g} %",
        style="dim",
    )
    if found.randomisation.value == found.randomisation.value:
        console.print(randomised(found), style="dim" if found.sane else "")
    console.print()


def _fill(table: Table, found: Explanation) -> None:
    for push in found.attributions[:MOST_PARTS]:
        size = push.size
        cells = (number(size.value), interval(size.low, size.high), signed(push.mean), f"{push.n:,}")
        table.add_row(escape(push.part), *cells)
