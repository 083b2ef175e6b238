"""What the models give away of who they learned from, and what was promised."""

from __future__ import annotations

import math

from pipelines.evaluation.membership import worst
from pipelines.evaluation.privacy_price import reading
from pipelines.report.document import Estimate
from pipelines.report.page.context import Context, plot, plotted, value
from pipelines.report.page.parts import Block, Column, Facts, Prose, Row, Section, Table
from pipelines.report.readings import p_value
from pipelines.report.wording import in_full

MEASURES = {
    "auc": "AUC of the attack", "tpr_at_1_percent_fpr": "found at 1 % false", "lira_auc": "AUC of LiRA",
    "lira_tpr_at_1_percent_fpr": "found by LiRA at 1 % false",
}  # fmt: skip
EXPLAINED = (
    "AUC: chance that a row learned from has a smaller loss than another; 0.5 is guessing.",
    "found at 1 % false: share of the rows learned from that are told where one accusation in a hundred is false.",
    "The attack by loss is a floor: an attacker who trains models of their own (LiRA, protocol.shadows) finds more.",
)
PAID = "Paid: how much worse than without privacy on the same rows; p is corrected for the epsilons (Holm)."


def privacy(page: Context) -> Section | None:
    """Membership inference on every contender, and what private training spent."""
    cards = [card for card in page.report.contenders if card.membership]
    private = [card for card in page.report.contenders if "privacy" in card.settings]
    if not cards and not private:
        return None
    blocks: list[Block] = []
    for card in private:
        told = [(f"{card.name}, differentially private", card.settings["privacy"])]
        if covered := card.settings.get("privacy_does_not_cover"):
            told.append(("This does not cover", covered))
        blocks.append(Facts(tuple(told)))
    if cards:
        plots = plotted("AUC, 95 % interval", [card.membership["auc"] for card in cards], 0.5, "guessing", hold=True)
        names = [name for name in MEASURES if name in cards[0].membership]
        columns = (Column("contender", "name"), *plots, *(Column(MEASURES[name]) for name in names))
        rows = []
        for card in cards:
            drawn = [plot(card.membership["auc"], page.side(card.name))] if plots else []
            cells = [value(card.membership.get(name, Estimate(math.nan))) for name in names]
            rows.append(Row((card.name, *drawn, *cells), page.side(card.name)))
        blocks.append(Table("Membership inference, with 95 % intervals", columns, tuple(rows), EXPLAINED))
    blocks += _prices(page)
    lead = (
        "Can somebody who has the model, and a person's row, tell whether that person was among those it learned from?"
    )
    return Section("privacy", "Privacy", lead, blocks)


def _prices(page: Context) -> list[Block]:
    """What training privately costs each network, at each epsilon."""
    paid = page.report.privacy_price
    if not paid:
        return []
    rows = []
    for each in paid:
        card = page.report.scorecard(each.contender)
        attacked = worst(card.membership) if card.membership else Estimate(math.nan)
        cells = (value(card.scores[page.report.primary]), value(each.score, sign=True), p_value(each.p_value))
        rows.append(Row((f"{each.base}, epsilon {each.epsilon:g}", *cells, value(attacked))))
    score = in_full(page.report.primary)
    columns = (Column("trained privately", "name"), Column(score), Column("paid"), Column("p"), Column("attack, AUC"))
    told = Prose(tuple(f"{each.base} at {reading(each, page.report)}." for each in paid))
    caption = "What privacy costs, with 95 % intervals"
    return [Table(caption, columns, tuple(rows), (PAID,)), told, *page.figures("privacy")]
