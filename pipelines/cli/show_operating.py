"""What decisions do at the points that a run was asked for, side by side."""

from __future__ import annotations

from functools import partial

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.cli import layout
from pipelines.cli.show_bias import with_interval
from pipelines.report.document import Estimate, Report
from pipelines.report.operating import OperatingPoint
from pipelines.report.readings_of_operating import at_target, lead, missed_target, of_cases

EXPLAINED = (
    "thresholds were chosen on validation rows for the target, then held against tested rows; curve: the other side "
    "where the target holds exactly on the ROC curve of the tested rows, which nobody knows beforehand"
)


def points(console: Console, document: Report) -> None:
    """The network and the best baseline at each point, and what the network does to a thousand cases."""
    names = dict.fromkeys((document.verdict.network, document.verdict.best_baseline))
    found = [(card.name, point) for card in document.contenders if card.name in names for point in card.operating]
    if not found:
        return
    order = list(dict.fromkeys(point.target for _, point in found))
    found = sorted(found, key=lambda each: order.index(each[1].target))
    forms = ((True, 5), (False, 5), (False, 4), (False, 2))
    console.print(layout.widest(console, (partial(_table, found, *form) for form in forms)))
    console.print(EXPLAINED, style="dim")
    for name, point in found:
        if name == document.verdict.network:
            console.print(escape(of_cases(name, point)))
            if missed := missed_target(point):
                console.print(escape(f"{name} {at_target(point)}: {missed}"))
    for test in document.operating:
        console.print(escape(lead(test)))
    console.print()


PARTS = ("sensitivity", "specificity", "precision", "right_negatives", "on_curve")
HEADINGS = ("sensitivity", "specificity", "PPV", "NPV", "curve")


def _table(found: list[tuple[str, OperatingPoint]], wide: bool, most: int) -> Table:
    """A line for each target and under it one a contender; where it is narrow, without what the curve says."""
    table = layout.table("operating points (95 % intervals)")
    layout.words(table, "contender")
    layout.numbers(table, *HEADINGS[:most])
    before = ""
    for name, point in found:
        if point.target != before:
            table.add_row(at_target(point))
        columns = ([getattr(each, part) for _, each in found] for part in PARTS[:most])
        cells = [_cell(getattr(point, part), wide, column) for part, column in zip(PARTS, columns, strict=False)]
        table.add_row(f"  {escape(name)}", *cells)
        before = point.target
    return table


def _cell(value: Estimate, wide: bool, column: list[Estimate]) -> str:
    return "-" if value.value != value.value else with_interval(value, wide, column=column)
