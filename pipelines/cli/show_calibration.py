"""Whether probabilities come true, as a table and a sentence for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.cli import layout
from pipelines.cli.layout import interval, number, signed
from pipelines.evaluation.calibration import sentence
from pipelines.report.document import Estimate, Report, Scorecard

HEADINGS: Mapping[str, str] = {
    "debiased_calibration_error": "calibration error",
    "observed_minus_predicted": "observed - predicted",
    "slope": "slope",
    "brier": "Brier",
    "reliability": "reliability",
    "resolution": "resolution",
}
FIRST = ("debiased_calibration_error", "slope")
"""What stays where names are long and the terminal narrow; the report holds all."""
BARE = ("reliability", "resolution")
"""Shown without their intervals, which the report holds, and as 0 where taking out chance left less."""
EXPLAINED = (
    "calibration error: mean distance of probabilities from what happens, without what chance adds; "
    "slope: below 1 overconfident, above 1 underconfident"
)
PARTS = "; reliability (less is better) and resolution (more is better) are parts of the Brier score"

RANK_ONLY = "their answers rank rows and are no probabilities (--set protocol.calibrate=isotonic makes them some)"


def table(console: Console, document: Report) -> None:
    """How well each contender but the prior is calibrated, and what that says of the network."""
    cards = [card for card in document.contenders if card.calibration and card.name != "prior"]
    if not cards:
        return
    names = [name for name in HEADINGS if name in cards[0].calibration]
    short = [name for name in names if name not in BARE]
    shortest = [name for name in short if name in FIRST]
    forms = ((names, True), (names, False), (short, False), (shortest, False))
    measures = layout.widest(console, [partial(_measures, cards, *each) for each in forms])
    console.print(measures)
    shown = len(measures.columns) > len(short) + 1
    console.print(EXPLAINED + (PARTS if shown and "reliability" in names else ""), style="dim")
    if rank := [card.name for card in document.contenders if not card.calibration and card.name != "prior"]:
        console.print(escape(f"not here: {', '.join(rank)}; {RANK_ONLY}"), style="dim")
    network = next((card for card in cards if card.name == document.verdict.network), None)
    if network is not None:
        console.print(escape(sentence(network.name, network.calibration)))
        if network.uncalibrated:
            console.print(escape(f"before calibration: {sentence(network.name, network.uncalibrated)}"), style="dim")
    console.print()


def _measures(cards: Sequence[Scorecard], names: Sequence[str], wide: bool) -> Table:
    """A row a contender; where it is narrow, intervals stand under their value."""
    found = layout.table("do probabilities come true? (95 % intervals)")
    layout.words(found, "contender")
    layout.numbers(found, *(HEADINGS[name] if wide else HEADINGS[name].replace(" ", "\n", 1) for name in names))
    for card in cards:
        found.add_row(escape(card.name), *(_cell(name, card.calibration[name], wide) for name in names))
    return found


def _cell(name: str, estimate: Estimate, wide: bool) -> str:
    how = signed if name == "observed_minus_predicted" else number
    if name in BARE:
        return number(max(estimate.value, 0.0))
    value = how(estimate.value, 3)
    if estimate.low != estimate.low:
        return value
    ends = interval(estimate.low, estimate.high, 3, how)
    return f"{value} ({ends})" if wide else f"{value}\n{ends}"
