"""What each contender gives away of who it learned from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from rich.console import Console
from rich.table import Table

from pipelines.cli import layout
from pipelines.cli.layout import interval, number
from pipelines.evaluation import membership
from pipelines.report.document import Estimate, Report, Scorecard

AUC, RATE = "auc", "tpr_at_1_percent_fpr"
LIRA = ("lira_", "lira_offline_")
UNKNOWN = Estimate(math.nan)
EXPLAINED = (
    "AUC: chance that a row learned from has a smaller loss than another, 0.5 is guessing; found at 1 % false: share "
    "of the rows learned from that are told, where one accusation in a hundred is false; both of the saved model"
)
BY_SHADOWS = (
    "LiRA: the same told by {shadows} shadow models of the same kind, each of which learned from half of the rows; an "
    "attacker who has such rows can train them; online or offline, whichever tells more (the report has both)"
)
WARNING = 0.6
"""Low end of an AUC from which it is said in words."""


def attacks(console: Console, document: Report) -> None:
    """The attacks on every contender, where they were measured: by loss, and by shadow models where there were some."""
    cards = [card for card in document.contenders if card.membership]
    if not cards:
        return
    shadows = any(LIRA[0] + AUC in card.membership for card in cards)
    console.print(layout.widest(console, (partial(_table, cards, shadows, wide) for wide in (True, False))))
    console.print(EXPLAINED, style="dim")
    if shadows:
        console.print(BY_SHADOWS.format(shadows=document.shadows), style="dim")
    if gives := [card.name for card in cards if membership.worst(card.membership).low > WARNING]:
        console.print(
            f"{', '.join(gives)}: who has the model, and a person's row, can tell far better than by guessing whether "
            "that person was in the training data"
        )
    console.print()


def _table(cards: Sequence[Scorecard], shadows: bool, wide: bool) -> Table:
    """A row a contender; with two attacks on a narrow terminal, intervals stand under their values."""
    table = layout.table("can an outsider tell who was learned from? (membership inference)")
    layout.words(table, "contender")
    beside = wide or not shadows
    for said in ("", "LiRA ") if shadows else ("",):
        for name in (f"{said}AUC", f"{said}found at 1 % false"):
            layout.numbers(table, *((name, "95 % interval") if beside else (name.replace("found at", "found at\n"),)))
    for card in cards:
        attacks = ("", _stronger(card)) if shadows else ("",)
        cells = [card.membership.get(attack + name, UNKNOWN) for attack in attacks for name in (AUC, RATE)]
        table.add_row(card.name, *(part for each in cells for part in _cells(each, beside)))
    return table


def _stronger(card: Scorecard) -> str:
    """Which of the two kinds of LiRA tells more."""
    return max(LIRA, key=lambda attack: card.membership.get(attack + AUC, UNKNOWN).value)


def _cells(of: Estimate, beside: bool) -> list[str]:
    if of is UNKNOWN:
        return ["-", ""] if beside else ["-"]
    value, ends = number(of.value), interval(of.low, of.high)
    return [value, ends] if beside else [f"{value}\n{ends}"]
