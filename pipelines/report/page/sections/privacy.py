"""What the models give away of who they learned from, and what was promised."""

from __future__ import annotations

from pipelines.report.page.context import Context, plot, plotted, value
from pipelines.report.page.parts import Block, Column, Facts, Row, Section, Table

MEASURES = {"auc": "AUC of the attack", "tpr_at_1_percent_fpr": "found at 1 % false"}
EXPLAINED = (
    "AUC: chance that a row learned from has a smaller loss than another; 0.5 is guessing.",
    "found at 1 % false: share of the rows learned from that are told where one accusation in a hundred is false.",
    "This is a floor: an attacker who trains models of their own finds more.",
)


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
            cells = [value(card.membership[name]) for name in names]
            rows.append(Row((card.name, *drawn, *cells), page.side(card.name)))
        blocks.append(Table("Membership inference, with 95 % intervals", columns, tuple(rows), EXPLAINED))
    lead = (
        "Can somebody who has the model, and a person's row, tell whether that person was among those it learned from?"
    )
    return Section("privacy", "Privacy", lead, blocks)
