"""Whether inputs that the network is not for can be told."""

from __future__ import annotations

from pipelines.report.page.context import Context, plot, plotted, value
from pipelines.report.page.parts import Block, Cell, Column, Prose, Row, Section, Table
from pipelines.report.readings_of_strangers import left_out, passing, usual

EXPLAINED = (
    "by distance: AUROC of telling them from tested rows by how far what the last layer reads lies from the training "
    "rows (Mahalanobis; Lee et al. 2018). 0.5 is guessing.",
    "by energy: the same by how little the network sees of any class (Liu et al. 2020); of two classes it says no more "
    "than how sure the answer is.",
)


def strangers(page: Context) -> Section | None:
    """A table a network: each kind of other pictures, how well it is told, and what share is flagged."""
    found = [(card, card.strangers) for card in page.report.contenders if card.strangers is not None]
    if not found:
        return None
    blocks: list[Block] = []
    for card, each in found:
        plots = plotted("by distance, 95 % interval", [kind.by_distance for kind in each.kinds], 0.5, "guessing")
        columns = (Column("pictures", "name"), Column("n"), Column("by distance"), *plots, Column("by energy"),
                   Column("flagged"))  # fmt: skip
        rows = []
        for kind in each.kinds:
            cells: list[Cell] = [f"{kind.kind}: {kind.words}", f"{kind.n:,}", value(kind.by_distance)]
            cells += [plot(kind.by_distance, page.side(card.name))] if plots else []
            rows.append(Row((*cells, value(kind.by_energy), value(kind.flagged))))
        said = [usual(card.name, each), passing(card.name, each)]
        caption = f"Other pictures told from those of {card.name}'s test, with 95 % intervals"
        notes = (*EXPLAINED, *([left_out(each)] if each.left_out else []))
        blocks += [Prose(tuple(said)), Table(caption, columns, tuple(rows), notes)]
    lead = (
        "A network answers whatever it is shown. The threshold is kept with the model: tapeline predict flags rows "
        "beyond it as unlike_training."
    )
    return Section("strangers", "Inputs unlike the training rows", lead, blocks)
