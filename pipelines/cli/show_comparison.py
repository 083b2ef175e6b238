"""Comparisons as a table for a person: by how much, how surely, and what it would take to know."""

from __future__ import annotations

from functools import partial

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.cli import layout
from pipelines.cli.layout import interval, number, signed, spoken
from pipelines.evaluation.verdict import SIGNIFICANCE
from pipelines.report.document import Report
from pipelines.report.readings import is_better, more_rows, p_value

LEGEND = (
    "effect: the lead over the standard deviation of what one row (or id, or stretch of time) adds to it; 0.2 is "
    "small, 0.5 medium, 0.8 large (Cohen)"
)
MORE = "more rows: how many would decide with 80 % power if the lead stays as it is"
NO_USE = "; no use: trainings differ by so much that no number of rows would"


def comparisons(console: Console, document: Report) -> None:
    """Each network's lead over each baseline."""
    if not document.comparisons:
        return
    console.print(layout.widest(console, (partial(_comparisons, document, wide) for wide in (True, False))))
    undecided = any(each.rows_to_decide > 0 for each in document.comparisons)
    more = f"; {MORE}" if undecided else ""
    if any(each.rows_to_decide == float("inf") for each in document.comparisons):
        more += NO_USE
    if (networks := len({each.contender for each in document.comparisons})) > 1:
        more += (
            f"; better?: whether p is below {SIGNIFICANCE / networks:.3g}, for the best of {networks} is asked about"
        )
    console.print(LEGEND + more, style="dim")
    console.print()
    if spreads := _spreads(document):
        table = layout.table(f"what {spoken(document.primary)} varies by (standard deviation)")
        layout.words(table, "of", folds=True)
        layout.numbers(table, "one training\nto another", "one test to another,\nwith many trainings")
        for name, training, test in spreads:
            table.add_row(escape(name), number(training, 4), number(test, 4))
        console.print(table)
        console.print()


def _comparisons(document: Report, wide: bool) -> Table:
    """A row a pair; where it is narrow, intervals stand under the lead and headings take two lines."""
    tests = ", ".join(dict.fromkeys(each.test for each in document.comparisons))
    networks = list(dict.fromkeys(each.contender for each in document.comparisons))
    several, margin = len(networks) > 1, any(each.margin for each in document.comparisons)
    gap = " " if wide else "\n"
    table = layout.table(f"lead of {layout.together(networks)} in {spoken(document.primary)} ({tests} test)")
    layout.words(table, *(["of"] if several and wide else []), "over")
    layout.numbers(table, *(["lead", "95 % interval"] if wide else ["lead\n95 % interval"]))
    layout.numbers(table, f"p{gap}(Holm)", "effect", f"more{gap}rows", *([f"p{gap}(margin)"] if margin else []))
    layout.words(table, "better?")
    for each in document.comparisons:
        lead, ends = signed(each.difference, 4), interval(each.low, each.high, 4, signed)
        names = [each.contender, each.baseline] if wide else [f"{each.contender}\nover {each.baseline}"]
        table.add_row(
            *(names if several else [each.baseline]),
            *([lead, ends] if wide else [f"{lead}\n{ends}"]),
            p_value(each.p_value),
            signed(each.effect_size, 2) if each.effect_size == each.effect_size else "-",
            more_rows(each.rows_to_decide),
            *([p_value(each.p_non_inferior)] if margin else []),
            is_better(each),
        )
    return table


def _spreads(document: Report) -> list[tuple[str, float, float]]:
    """(whose, between trainings, between tests) of contenders and of the comparison that decides."""
    found = [(card.name, card.training_sd, card.test_sd) for card in document.contenders]
    pair = (document.verdict.network, document.verdict.best_baseline)
    found += [
        (" over ".join(pair), each.training_sd, each.test_sd)
        for each in document.comparisons
        if (each.contender, each.baseline) == pair
    ]
    return [each for each in found if each[1] == each[1]]
