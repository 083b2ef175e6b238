"""What worse pictures cost, in a few lines."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from pipelines.cli import layout
from pipelines.cli.layout import number, spoken
from pipelines.report.document import Report
from pipelines.report.readings_of_robustness import NAMES, falling_behind, losing


def worse_pictures(console: Console, document: Report) -> None:
    """The score of each contender on the strongest of each corruption, and where the network falls behind."""
    found = [(card.name, card.robustness) for card in document.contenders if card.robustness is not None]
    told = [(name, each) for name, each in found if each.worsened]
    if not told:
        if why_not := next((each.why_not for _, each in found if each.why_not), ""):
            console.print(f"no picture was made worse: {why_not}\n", style="dim")
        return
    strongest = {each.corruption: each.severity for each in told[0][1].worsened}
    table = layout.table(f"{spoken(told[0][1].score)} where pictures are at their worst")
    layout.words(table, "contender")
    layout.numbers(table, "as is", *(NAMES.get(each, each) for each in strongest))
    for name, each in told:
        worst = [one.score for one in each.worsened if strongest.get(one.corruption) == one.severity]
        table.add_row(escape(name), *(number(score.value) for score in (each.clean, *worst)))
    console.print(table)
    rows = max(each.rows for _, each in told)
    console.print(
        f"the same {rows:,} tested pictures for all, of the first fold; the report has all severities", style="dim"
    )
    network, baseline = document.verdict.network, document.verdict.best_baseline
    for name, each in told:
        if name == network:
            console.print(escape(losing(name, each)))
    if said := falling_behind(network, baseline, document.robustness):
        console.print(escape(said))
    console.print()
