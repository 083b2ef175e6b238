"""Which decisions need no person, which cases go to one, and what is left to decide."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from pipelines.report.document import Estimate
from pipelines.report.lending import Referral, ReferralGap, ReferredGroup
from pipelines.report.oversight import Automated, Oversight
from pipelines.report.page.context import Context, plot, plotted, value
from pipelines.report.page.parts import Block, Cell, Column, Prose, Row, Section, Table
from pipelines.report.readings import referred_more
from pipelines.report.readings_of_trust import nothing_automated, percent

Side = Literal["network", "baseline", "other"]

SCORES = {
    "right": "right", "right_positive": "right positive", "right_negative": "right negative",
    "balanced_accuracy": "balanced accuracy", "right_of_all": "right of all", "cost_per_1000": "cost per 1000",
    "cost_change_per_1000": "change of cost",
}  # fmt: skip
EXPLAINED = (
    "right: share decided rightly, of all that is not referred, and of what is decided positive or negative.",
    "right of all: as if nobody were referred.",
)


AUTOMATED = (
    "Automated: as sure as validation rows ask, so that (in 95 of 100 cases) no larger share of them is wrong than "
    "stated.",
    "Sent: of 1000 decisions, those that a person makes. Caught: share of the wrong decisions that are among these. "
    "Left: wrong ones of 1000 that no person sees.",
)


def automation(page: Context) -> Section | None:
    """What may be automated at the stated error, by contender, by stated error and by group."""
    found = {card.name: card.oversight for card in page.report.contenders if card.oversight is not None}
    if not found:
        return None
    at = percent(next(iter(found.values())).at)
    rows = [(name, each.acted, page.side(name)) for name, each in found.items()]
    blocks: list[Block] = [
        _levels(f"What may be automated with at most {at} wrong, with 95 % intervals", "contender", rows)
    ]
    if (lead := page.report.oversight) is not None and any(each.share.value > 0 for _, each, _ in rows):
        more = value(lead.difference, sign=True)
        said = f"{lead.network} automates {more.text} of the decisions more than {lead.baseline} ({more.ends})."
        blocks.append(Prose((said,)))
    if page.network.oversight is not None:
        blocks += _of_network(page, page.network.oversight)
    lead_ = "Which decisions are sure enough to be made without a person, and how much work remains."
    return Section("automation", "People in the loop", lead_, [*blocks, *page.figures("risk_coverage")])


def _of_network(page: Context, found: Oversight) -> list[Block]:
    name, blocks = page.network.name, list[Block]()
    if found.acted.share.value == 0:
        blocks.append(Prose((f"{nothing_automated(name, found)}.",), "warning"))
    levels: list[tuple[str, Automated, Side]] = [(percent(each.at), each, "other") for each in found.levels]
    blocks.append(_levels(f"{name} at other stated errors", "stated", levels))
    if found.groups:
        caption = f"Whom {name} sends to a person at {percent(found.at)}"
        blocks += _who_goes(caption, "sent", found.groups, found.gaps)
    return blocks


def _levels(caption: str, first: str, levels: Sequence[tuple[str, Automated, Side]]) -> Table:
    plots = plotted("automated, 95 % interval", [each.share for _, each, _ in levels])
    columns = (Column(first, "name"), Column("automated"), *plots, Column("wrong of these"), Column("sent of 1000"),
               Column("caught"), Column("left of 1000"))  # fmt: skip
    rows = []
    for name, each, side in levels:
        cells: list[Cell] = [name, value(each.share), *([plot(each.share, side)] if plots else [])]
        cells += [value(part) for part in (each.error, each.sent_per_1000, each.caught, each.left_per_1000)]
        rows.append(Row(tuple(cells), side))
    return Table(caption, columns, tuple(rows), AUTOMATED if first == "contender" else ())


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
        told: Referral = page.network.referral
        blocks += _who_goes(f"Who goes to a person, of {page.network.name}'s cases", "referred", told.groups, told.gaps)
    lead = f"Uncertain cases go to a person ({rule}); both thresholds were chosen on validation rows."
    return Section("oversight", "Cases for a person", lead, blocks)


def _who_goes(caption: str, verb: str, groups: Sequence[ReferredGroup], gaps: Sequence[ReferralGap]) -> list[Block]:
    """How often each group goes to a person, and which goes more often."""
    plots = plotted(f"{verb}, 95 % interval", [row.referred for row in groups])
    columns = (Column("group", "name"), Column("n"), Column(verb), *plots, Column("right"))
    rows = []
    for row in groups:
        cells: list[Cell] = [f"{row.attribute}: {row.group}", f"{row.n:,}", value(row.referred)]
        rows.append(Row((*cells, *([plot(row.referred)] if plots else []), value(row.right))))
    return [Table(caption, columns, tuple(rows)), Prose(tuple(referred_more(gap, verb) for gap in gaps))]
