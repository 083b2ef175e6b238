"""Which cases go to a person, and what is left to decide."""

from __future__ import annotations

import math

from pipelines.report.document import Estimate
from pipelines.report.lending import Referral
from pipelines.report.page.context import Context, plot, plotted, value
from pipelines.report.page.parts import Block, Cell, Column, Prose, Row, Section, Table
from pipelines.report.readings import referred_more

SCORES = {
    "right": "right", "right_positive": "right positive", "right_negative": "right negative",
    "balanced_accuracy": "balanced accuracy", "right_of_all": "right of all", "cost_per_1000": "cost per 1000",
    "cost_change_per_1000": "change of cost",
}  # fmt: skip
EXPLAINED = (
    "right: share decided rightly, of all that is not referred, and of what is decided positive or negative.",
    "right of all: as if nobody were referred.",
)


def referral(page: Context) -> Section | None:
    """Cases between two thresholds, which a person decides."""
    found = {card.name: card.referral for card in page.report.contenders if card.referral is not None}
    if not found:
        return None
    rule = next(iter(found.values())).rule
    names = [name for name in SCORES if any(name in each.scores for each in found.values())]
    plots = plotted("referred, 95 % interval", [each.referred for each in found.values()])
    columns = (Column("contender", "name"), Column("referred"), *plots, *(Column(SCORES[name]) for name in names))
    rows = []
    for name, each in found.items():
        cells: list[Cell] = [name, value(each.referred), *([plot(each.referred, page.side(name))] if plots else [])]
        cells += [value(each.scores.get(score, Estimate(math.nan))) for score in names]
        rows.append(Row(tuple(cells), page.side(name)))
    blocks: list[Block] = [Table("What is left to decide, with 95 % intervals", columns, tuple(rows), EXPLAINED)]
    if page.network.referral is not None and page.network.referral.groups:
        blocks += _groups(page, page.network.referral)
    lead = f"Uncertain cases go to a person ({rule}); both thresholds were chosen on validation rows."
    return Section("oversight", "Cases for a person", lead, blocks)


def _groups(page: Context, told: Referral) -> list[Block]:
    plots = plotted("referred, 95 % interval", [row.referred for row in told.groups])
    columns = (Column("group", "name"), Column("n"), Column("referred"), *plots, Column("right"))
    rows = []
    for row in told.groups:
        cells: list[Cell] = [f"{row.attribute}: {row.group}", f"{row.n:,}", value(row.referred)]
        rows.append(Row((*cells, *([plot(row.referred)] if plots else []), value(row.right))))
    title = f"Who goes to a person, of {page.network.name}'s cases"
    return [Table(title, columns, tuple(rows)), Prose(tuple(referred_more(gap) for gap in told.gaps))]
