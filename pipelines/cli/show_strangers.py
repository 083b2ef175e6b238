"""Whether inputs that a network is not for can be told, in a few lines."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from pipelines.cli import layout
from pipelines.cli.layout import interval, number
from pipelines.report.document import Report
from pipelines.report.readings_of_strangers import left_out, passing, usual


def strangers(console: Console, document: Report) -> None:
    """A table a network: other pictures, how well they are told from tested ones, and what share is flagged."""
    for card in document.contenders:
        found = card.strangers
        if found is None:
            continue
        table = layout.table(f"can {escape(card.name)} tell what it is not for?")
        layout.words(table, "pictures")
        layout.numbers(table, "n", "by distance", "95 % interval", "by energy", "flagged")
        for each in found.kinds:
            ends = interval(each.by_distance.low, each.by_distance.high)
            cells = (f"{each.n}", number(each.by_distance.value), ends, number(each.by_energy.value))
            table.add_row(each.kind, *cells, f"{100 * each.flagged.value:.0f} %")
        console.print(table)
        console.print("AUROC of telling them from tested pictures, by features or by energy", style="dim")
        for line in (usual(card.name, found), passing(card.name, found), left_out(found)):
            if line:
                console.print(escape(line))
        console.print()
