"""Alerts as a table and a sentence for a person."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.cli import layout
from pipelines.cli.show_bias import with_interval
from pipelines.data.wording import count
from pipelines.report import readings
from pipelines.report.alerts import AlertReport
from pipelines.report.document import Report

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

_HOURS = "hours: from the first fraud to the end of the first day with an alert to one, of those found"

EXPLAINED = {
    "saved_per_day": "saved: money of frauds that were found, less what looking into all alerts costs",
    "card_recall": "cards found: of those with a fraud in the test",
    "card_hours_to_detection": _HOURS,
    "terminal_hours_to_detection": _HOURS,
}
"""What their headings do not say of themselves."""

HOURS = ("card_hours_to_detection", "terminal_hours_to_detection")


def alerts(console: Console, document: Report) -> None:
    """What each contender's alerts find and what they are worth, where the task has alerts."""
    told = document.alerts
    if told is None:
        return
    shown = [name for name in HEADINGS if name in told.difference]
    short = [name for name in shown if name not in HOURS]
    layouts = ((shown, True), (shown, False), (short, False))
    found = layout.widest(console, (partial(_table, told, *each) for each in layouts))
    console.print(found)
    there = shown if len(found.columns) == 1 + len(shown) else short
    legend = dict.fromkeys(said for name, said in EXPLAINED.items() if name in there)
    console.print("; ".join(legend), style="dim")
    console.print(escape(readings.alerts(told)) + "\n")


def _table(told: AlertReport, names: Sequence[str], wide: bool) -> Table:
    intervals = "" if told.days == 1 else " (95 % intervals)"
    found = layout.table(
        f"alerts: {readings.alert_budget(told)}, {told.alerts:,} in {count(told.days, 'day')} with "
        f"{count(told.frauds, 'fraud')}; each costs {told.cost:g}{intervals}"
    )
    layout.words(found, "contender")
    layout.numbers(found, *(HEADINGS[name] if wide else HEADINGS[name].replace(" ", "\n", 1) for name in names))
    for contender, measures in told.contenders.items():
        found.add_row(escape(contender), *(with_interval(measures[name], wide) for name in names))
    return found
