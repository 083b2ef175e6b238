"""Alerts as a table and a sentence for a person."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.cli import layout
from pipelines.cli.layout import interval, number, signed
from pipelines.cli.show_bias import with_interval
from pipelines.report.alerts import AlertReport
from pipelines.report.document import Estimate, Report

HEADINGS = {
    "precision": "precision",
    "recall": "recall",
    "card_recall": "cards found",
    "amount_recall": "money found",
    "saved_per_day": "saved a day",
    "card_hours_to_detection": "hours to card",
    "terminal_hours_to_detection": "hours to terminal",
}
"""What the table shows, and how it is called; what else there is, the report has."""

HOURS = ("card_hours_to_detection", "terminal_hours_to_detection")


def alerts(console: Console, document: Report) -> None:
    """What each contender's alerts find and what they are worth, where the task has alerts."""
    told = document.alerts
    if told is None:
        return
    shown = [name for name in HEADINGS if name in told.difference]
    short = [name for name in shown if name not in HOURS]
    layouts = ((shown, True), (shown, False), (short, False))
    console.print(layout.widest(console, (partial(_table, told, *each) for each in layouts)))
    console.print(
        "saved: money of frauds that were found, less what looking into all alerts costs; cards found: of those with a "
        "fraud in the test; hours: from the first fraud to the first alert to one, of those found",
        style="dim",
    )
    console.print(escape(reading(told)) + "\n")


def reading(told: AlertReport) -> str:
    """The network's lead over the best baseline in money and in frauds found."""
    saved, recall = told.difference["saved_per_day"], told.difference["recall"]
    clear = "" if saved.low > 0 or saved.high < 0 else ", which may be chance"
    return (
        f"{told.network} saves {_more(saved)} a day than {told.baseline} (difference "
        f"{interval(saved.low, saved.high, 2, signed)}){clear}; it finds {_more(recall)} of the frauds "
        f"({interval(recall.low, recall.high, 2, signed)})."
    )


def _more(difference: Estimate) -> str:
    return f"{number(abs(difference.value), 2)} {'less' if difference.value < 0 else 'more'}"


def _table(told: AlertReport, names: Sequence[str], wide: bool) -> Table:
    budget = f"{100 * told.budget:g} % of a day's rows" if told.budget < 1 else f"{told.budget:g} a day"
    found = layout.table(
        f"alerts: {budget}, {told.alerts:,} in {told.days} days with {told.frauds:,} frauds; each costs {told.cost:g} "
        "(95 % intervals)"
    )
    layout.words(found, "contender")
    layout.numbers(found, *(HEADINGS[name] if wide else HEADINGS[name].replace(" ", "\n", 1) for name in names))
    for contender, measures in told.contenders.items():
        found.add_row(escape(contender), *(with_interval(measures[name], wide) for name in names))
    return found
