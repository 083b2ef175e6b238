"""Mitigation as a table for a person: before, after, and the accuracy paid."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.cli import layout
from pipelines.cli.layout import number, signed, spoken
from pipelines.evaluation.mitigation import by_contender, named, reading
from pipelines.report.document import Change, Estimate, Mitigation, Report

GAP, SCORES = "equalized_odds", ("auroc", "balanced_accuracy")

BY_THE_ATTRIBUTE = (
    "Thresholds of groups decide by {attribute} itself, which the law forbids in places (for credit in the United "
    "States and the European Union, for one); who is applied to has to say it. They leave the ranking, and so the "
    "AUROC, as it is: balanced accuracy shows what they cost."
)


def mitigations(console: Console, document: Report) -> None:
    """What each mitigated contender gained and what it cost, and the sentence that reads it."""
    told = document.mitigations
    if not told:
        return
    console.print(layout.widest(console, (partial(_table, told, wide) for wide in (True, False))))
    console.print("95 % intervals; other gaps and accuracy are in the report (--json, `tapeline ui`)\n", style="dim")
    for each in told:
        console.print(escape(reading(each)))
        if note := document.scorecard(each.contender).settings.get("mitigation"):
            console.print(f"  {escape(note)}", style="dim")
    if any(each.method == "thresholds" for each in told):
        console.print("\n" + escape(BY_THE_ATTRIBUTE.format(attribute=told[0].attribute)))
    console.print()


def _table(told: Sequence[Mitigation], wide: bool) -> Table:
    """A row for each contender as it was, and under it what each method made of it."""
    table = layout.table(f"mitigation for {told[0].attribute}: before, after, and the accuracy paid")
    layout.words(table, "contender")
    for name in (GAP, *SCORES):
        layout.numbers(table, spoken(name) if wide else spoken(name).replace(" ", "\n"), "change")
    for base, methods in by_contender(tuple(told)).items():
        table.add_row(base, *(cell for change in _changes(methods[0]) for cell in (_before(change, wide), "")))
        for each in methods:
            cells = (cell for change in _changes(each) for cell in _after(change, wide))
            table.add_row(f" +{each.method}", *cells)
    return table


def _changes(of: Mitigation) -> list[Change | None]:
    return [named(of.gaps, GAP), *(named(of.scores, name) for name in SCORES)]


def _before(change: Change | None, wide: bool) -> str:
    return "-" if change is None else _cell(change.before, wide, False)


def _after(change: Change | None, wide: bool) -> tuple[str, str]:
    return ("-", "-") if change is None else (_cell(change.after, wide, False), _cell(change.change, wide, True))


def _cell(estimate: Estimate, wide: bool, with_sign: bool) -> str:
    how = signed if with_sign else number
    ends = layout.interval(estimate.low, estimate.high, 3, how)
    value = how(estimate.value, 3)
    return value if ends == "-" else f"{value} ({ends})" if wide else f"{value}\n{ends.replace(' to ', ' ')}"
