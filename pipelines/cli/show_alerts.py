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
from pipelines.data.wording import count
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

_HOURS = "hours: from the first fraud to the end of the first day with an alert to one, of those found"

EXPLAINED = {
    "saved_per_day": "saved: money of frauds that were found, less what looking into all alerts costs",
    "card_recall": "cards found: of those with a fraud in the test",
    "card_hours_to_detection": _HOURS,
    "terminal_hours_to_detection": _HOURS,
}
"""What their headings do not say of themselves."""

AS_ASKED = 0.05
"""A share of rows that differs from the budget by more of it than this is not what was asked for."""

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
    console.print(escape(reading(told)) + "\n")


def reading(told: AlertReport) -> str:
    """The network's lead over the best baseline in money and in frauds found."""
    saved, recall = told.difference["saved_per_day"], told.difference["recall"]
    return (
        f"{told.network} saves {_more(saved)} a day than {told.baseline}{_sure(told, saved)}; {_finds(told, recall)}."
    )


def _sure(told: AlertReport, saved: Estimate) -> str:
    """How sure a difference is, where there is an interval."""
    if saved.low != saved.low or saved.high != saved.high:
        few = "one day shows no spread" if told.days == 1 else f"{told.days} days show too little spread"
        return f" ({few}, so whether this is chance cannot be said)"
    clear = "" if saved.low > 0 or saved.high < 0 else ", which may be chance"
    return f" (difference {interval(saved.low, saved.high, 2, signed)}){clear}"


def _finds(told: AlertReport, recall: Estimate) -> str:
    if not told.frauds:
        return "the test holds no fraud that could be found"
    known = recall.low == recall.low and recall.high == recall.high
    return f"it finds {_more(recall)} of the frauds" + (
        f" ({interval(recall.low, recall.high, 2, signed)})" if known else ""
    )


def _more(difference: Estimate) -> str:
    return f"{number(abs(difference.value), 2)} {'less' if difference.value < 0 else 'more'}"


def _budget(told: AlertReport) -> str:
    """What was asked for, and what it came to on days of few rows, each of which has one alert at least."""
    if told.budget >= 1:
        return f"{told.budget:g} a day"
    asked, share = f"{100 * told.budget:g} % of a day's rows", told.alerts / max(1, told.rows)
    if not told.rows or abs(share - told.budget) <= AS_ASKED * told.budget:
        return asked
    return f"{asked}, rounded and at least one, which is {100 * share:.2g} % here"


def _table(told: AlertReport, names: Sequence[str], wide: bool) -> Table:
    intervals = "" if told.days == 1 else " (95 % intervals)"
    found = layout.table(
        f"alerts: {_budget(told)}, {told.alerts:,} in {count(told.days, 'day')} with {count(told.frauds, 'fraud')}; "
        f"each costs {told.cost:g}{intervals}"
    )
    layout.words(found, "contender")
    layout.numbers(found, *(HEADINGS[name] if wide else HEADINGS[name].replace(" ", "\n", 1) for name in names))
    for contender, measures in told.contenders.items():
        found.add_row(escape(contender), *(with_interval(measures[name], wide) for name in names))
    return found
