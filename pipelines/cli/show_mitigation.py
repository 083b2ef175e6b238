"""Mitigation as a table for a person: before, after, and the accuracy paid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.cli import layout
from pipelines.cli.layout import number, signed, spoken
from pipelines.evaluation.mitigation import by_contender, named, of_decisions, reading
from pipelines.report.document import Change, Estimate, Mitigation, Report

GAP = "equalized_odds"

BY_THE_ATTRIBUTE = (
    "Thresholds of groups decide by {attribute} itself, which the law forbids in places (to lenders in the United "
    "States, for one), and everybody has to state it. They leave the ranking, and so the AUROC, as it is: {paid} shows "
    "what they cost."
)


def mitigations(console: Console, document: Report) -> None:
    """What each mitigated contender gained and what it cost, and the sentence that reads it."""
    told, rule = document.mitigations, document.decided_by
    if not told:
        return
    console.print(layout.widest(console, (partial(_table, told, rule, wide) for wide in (True, False))))
    console.print("95 % intervals; other gaps and accuracy are in the report (--json, `tapeline ui`)\n", style="dim")
    first = "in the first fold: " if "cross-validation" in document.data.protocol else ""
    for each in told:
        console.print(escape(reading(each, rule)))
        if note := document.scorecard(each.contender).settings.get("mitigation"):
            console.print(f"  {first}{escape(note)}", style="dim")
    if any(each.method == "thresholds" for each in told):
        paid = spoken(of_decisions(told[0], rule))
        console.print("\n" + escape(BY_THE_ATTRIBUTE.format(attribute=told[0].attribute, paid=paid)))
    console.print()


def _table(told: Sequence[Mitigation], rule: str, wide: bool) -> Table:
    """A row for each contender as it was, and under it what each method made of it.

    Where it is narrow, intervals are those of the changes, and a score's change stands under the score itself.
    """
    table = layout.table(f"mitigation for {told[0].attribute}: before, after, and the accuracy paid")
    layout.words(table, "contender")
    for name in (GAP, *_scores(told[0], rule)):
        heading = spoken(name) if wide else spoken(name).replace(" ", "\n")
        layout.numbers(table, *((heading, "change") if wide or name == GAP else (f"{heading},\nthen change",)))
    for base, methods in by_contender(tuple(told)).items():
        before = [None if each is None else each.before for each in _changes(methods[0], rule)]
        gap, *scores = (_cell(each, "wide" if wide else "bare") for each in before)
        table.add_row(base, gap, "", *(cell for score in scores for cell in ([score, ""] if wide else [score])))
        for each in methods:
            table.add_row(f" +{each.method}", *_cells(each, rule, wide))
    return table


def _cells(of: Mitigation, rule: str, wide: bool) -> list[str]:
    found = []
    for place, each in enumerate(_changes(of, rule)):
        after, change = (None, None) if each is None else (each.after, each.change)
        if wide or place == 0:
            found.append(_cell(after, "wide" if wide else "bare"))
        found.append(_cell(change, "wide" if wide else "narrow", signed))
    return found


def _changes(of: Mitigation, rule: str) -> list[Change | None]:
    return [named(of.gaps, GAP), *(named(of.scores, name) for name in _scores(of, rule))]


def _scores(of: Mitigation, rule: str) -> tuple[str, str]:
    """What the table shows of what was paid: the ranking, and the decisions."""
    return "auroc", of_decisions(of, rule)


def _cell(estimate: Estimate | None, how: str, spell: Callable[[float, int], str] = number) -> str:
    """A value with its interval beside it (`wide`), under it (`narrow`) or nowhere (`bare`)."""
    if estimate is None:
        return "-"
    if spell is signed and estimate.value == estimate.low == estimate.high == 0:
        return "the same"
    value, ends = spell(estimate.value, 3), layout.interval(estimate.low, estimate.high, 3, spell)
    if ends == "-" or how == "bare":
        return value
    return f"{value} ({ends})" if how == "wide" else f"{value}\n{ends}"
