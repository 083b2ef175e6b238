"""What a blend of all contenders gains over the best of them, as a sentence for a person."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from pipelines.cli.layout import interval, number, signed, spoken
from pipelines.evaluation.verdict import SIGNIFICANCE
from pipelines.report.document import Comparison, Report


def gains(console: Console, document: Report) -> None:
    """The blend's score, and its lead over the best network and the best baseline."""
    if not document.blend:
        return
    card = document.scorecard(document.blend[0].contender)
    score = card.scores[document.primary]
    leads = "; ".join(_lead(each) for each in document.blend)
    said = f"{number(score.value)} ({interval(score.low, score.high)}) {spoken(document.primary)}"
    console.print(f"{escape(card.name)} of all contenders: {said}; {escape(leads)}.")
    console.print("it takes no part in the verdict, and costs what its parts cost together", style="dim")
    console.print()


def _lead(each: Comparison) -> str:
    ends = interval(each.low, each.high, 4, signed)
    sure = "beyond chance" if each.p_value < SIGNIFICANCE else "which may be chance"
    return f"{signed(each.difference, 4)} ({ends}) over {each.baseline}, {sure}"
