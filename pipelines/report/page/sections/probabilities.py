"""Whether probabilities come true, and what decisions by them do."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pipelines.evaluation.calibration import sentence
from pipelines.report.page.context import Context, plot, plotted, value
from pipelines.report.page.parts import Block, Column, Prose, Row, Section, Table, shown
from pipelines.report.readings import AT_BREAK_EVEN, PER_1000, break_even, worth
from pipelines.report.wording import in_full

MEASURES: Mapping[str, str] = {
    "debiased_calibration_error": "calibration error",
    "observed_minus_predicted": "observed minus predicted",
    "slope": "slope",
    "brier": "Brier score",
}
SIGNED = ("observed_minus_predicted",)
EXPLAINED = (
    "calibration error: mean distance of probabilities from what happens, without what chance adds.",
    "slope: below 1 overconfident, above 1 underconfident.",
)


def calibration(page: Context) -> Section | None:
    """How well each contender's probabilities come true."""
    cards = [card for card in page.report.contenders if card.calibration and card.name != "prior"]
    if not cards:
        return None
    names = [name for name in MEASURES if name in cards[0].calibration]
    slopes = [card.calibration["slope"] for card in cards] if "slope" in names else []
    plots = plotted("slope, 95 % interval", slopes, 1.0, "as it should be", hold=True)
    columns = (Column("contender", "name"), *(Column(MEASURES[name]) for name in names), *plots)
    rows = []
    for card in cards:
        cells = [value(card.calibration[name], 3, name in SIGNED) for name in names]
        drawn = [plot(card.calibration["slope"], page.side(card.name))] if plots else []
        rows.append(Row((card.name, *cells, *drawn), page.side(card.name)))
    said = []
    if page.network.calibration:
        said.append(sentence(page.network.name, page.network.calibration))
    if page.network.uncalibrated:
        said.append(f"Before calibration: {sentence(page.network.name, page.network.uncalibrated)}")
    blocks: list[Block] = [Prose(tuple(said))] if said else []
    blocks.append(Table("Calibration, with 95 % intervals", columns, tuple(rows), EXPLAINED))
    blocks += page.figures("calibration")
    lead = "Of all rows that are given 30 %, three in ten should turn out positive."
    return Section("calibration", "Do probabilities come true?", lead, blocks)


def decisions(page: Context) -> Section | None:
    """What decisions at the thresholds do, and whether acting on the network is worth it."""
    report = page.report
    cards = [card for card in report.contenders if card.decisions]
    blocks: list[Block] = []
    if said := tuple(
        f"{text[0].upper()}{text[1:]}" for text in (break_even(report), worth(report.net_benefit)) if text
    ):
        blocks.append(Prose(said))
    if cards:
        names = [name for name in cards[0].decisions if name != AT_BREAK_EVEN]
        headings = (
            f"{in_full(name.removesuffix(PER_1000))}{' per 1000' if PER_1000 in name else ''}" for name in names
        )
        columns = (Column("contender", "name"), Column("threshold"), *(Column(each) for each in headings))
        rows = tuple(
            Row(
                (
                    card.name,
                    "by group" if math.isnan(card.threshold) else shown(card.threshold),
                    *(value(card.decisions[name]) for name in names),
                ),
                page.side(card.name),
            )
            for card in cards
        )
        blocks.append(Table("What decisions do to the tested rows, with 95 % intervals", columns, rows))
    blocks += page.figures("decision_curve")
    rule = report.decided_by or "the task's own rule"
    lead = f"Thresholds were chosen on validation rows by {rule}, then held against tested rows."
    return Section("decisions", "Decisions and what they are worth", lead, blocks) if blocks else None
