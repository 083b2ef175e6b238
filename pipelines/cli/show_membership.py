"""What each contender gives away of who it learned from."""

from __future__ import annotations

from rich.console import Console

from pipelines.cli import layout
from pipelines.cli.layout import interval, number
from pipelines.report.document import Estimate, Report

RATE = "tpr_at_1_percent_fpr"
EXPLAINED = (
    "AUC: chance that a row learned from has a smaller loss than another, 0.5 is guessing; found at 1 % false: share "
    "of the rows learned from that are told, where one accusation in a hundred is false; both of the saved model"
)
WARNING = 0.6
"""Low end of an AUC from which it is said in words."""


def attacks(console: Console, document: Report) -> None:
    """The attack by loss on every contender, where it was measured."""
    cards = [card for card in document.contenders if card.membership]
    if not cards:
        return
    table = layout.table("can an outsider tell who was learned from? (membership inference)")
    layout.words(table, "contender")
    layout.numbers(table, "AUC", "95 % interval", "found at 1 % false", "95 % interval")
    for card in cards:
        cells = [card.membership["auc"], card.membership[RATE]]
        table.add_row(card.name, *(part for each in cells for part in (number(each.value), interval(*_ends(each)))))
    console.print(table)
    console.print(EXPLAINED, style="dim")
    if gives := [card.name for card in cards if card.membership["auc"].low > WARNING]:
        console.print(
            f"{', '.join(gives)}: who has the model, and a person's row, can tell far better than by guessing whether "
            "that person was in the training data"
        )
    console.print()


def _ends(estimate: Estimate) -> tuple[float, float]:
    return estimate.low, estimate.high
