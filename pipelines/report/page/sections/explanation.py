"""What answers hang on, and what pushes the network's, with what can be said against that."""

from __future__ import annotations

from pipelines.report.document import Scorecard
from pipelines.report.explanation import Explanation, most_important
from pipelines.report.page.context import Context, plot, plotted, value
from pipelines.report.page.parts import Block, Cell, Column, Prose, Row, Section, Table, Value, shown
from pipelines.report.readings import p_value
from pipelines.report.readings_of_trust import randomised
from pipelines.report.wording import in_full

MOST_PARTS = 30
LEAST = 0.05
"""Corrected p-value from which on a loss may be chance."""
WITHOUT = (
    "Every tested row gets the part of another one, drawn by chance. What two parts tell together, neither seems to "
    "matter for. p is corrected for all parts (Holm).",
    "A part that matters to a model need not be a cause of anything.",
)
PUSHES = (
    "On the whole: the mean with its sign, over the rows that have the part. The answer is compared with that to a "
    "usual row.",
)


def explanation(page: Context) -> Section | None:
    """Permutation importance of the network and the best baseline; integrated gradients and Grad-CAM of networks."""
    sides = dict.fromkeys((page.report.verdict.network, page.report.verdict.best_baseline))
    cards = [page.report.scorecard(name) for name in sides if name]
    asked = [(card.name, card.explanation) for card in cards if card.explanation and card.explanation.importances]
    told = [card for card in page.report.contenders if card.explanation is not None and card.explanation.attributions]
    if not asked and not told:
        return None
    blocks: list[Block] = [*(_importances(page, asked) if asked else _why_not(cards))]
    for card in told:
        blocks += _attributions(page, card)
    lead = "Which parts of a row the answers hang on. It says how the model decides, not how the world works."
    return Section("explanation", "What answers hang on", lead, blocks)


def _importances(page: Context, asked: list[tuple[str, Explanation]]) -> list[Block]:
    parts = most_important(asked, page.report.verdict.network, MOST_PARTS)
    found = {name: {importance.part: importance for importance in each.importances} for name, each in asked}
    score, (first, *_) = in_full(asked[0][1].score), asked[0]
    plots = plotted(f"{first}, 95 % interval", [each.lost for each in found[first].values()], 0.0, "nothing lost")
    columns = [Column("part", "name")]
    for name, _ in asked:
        columns += [Column(f"{name} loses"), *(plots if name == first else ()), Column("p")]
    rows = []
    for part in parts:
        cells: list[Cell] = [part]
        for name, _ in asked:
            importance = found[name].get(part)
            cells.append(Value("-") if importance is None else value(importance.lost, sign=True))
            if name == first and plots:
                cells.append(Value("-") if importance is None else plot(importance.lost, page.side(name)))
            cells.append("-" if importance is None else p_value(importance.p_value))
        rows.append(Row(tuple(cells)))
    caption = f"{score} lost without a part, on {asked[0][1].rows:,} tested rows, with 95 % intervals"
    return [Table(caption, tuple(columns), tuple(rows), WITHOUT), *page.figures("explanation")]


def _why_not(cards: list[Scorecard]) -> list[Block]:
    why = next((card.explanation.why_not for card in cards if card.explanation and card.explanation.why_not), "")
    return [Prose((f"Parts were not exchanged between rows: {why}.",), "note")] if why else []


def _attributions(page: Context, card: Scorecard) -> list[Block]:
    """What pushes one network, and whether that can be trusted."""
    found = card.explanation
    assert found is not None  # noqa: S101  asked for by whoever calls
    columns = (Column("part", "name"), Column("by how much"), Column("on the whole"), Column("in rows"))
    rows = tuple(
        Row((push.part, value(push.size), shown(push.mean, sign=True), f"{push.n:,}"))
        for push in found.attributions[:MOST_PARTS]
    )
    caption = (
        f"What pushes {card.name}'s answers ({found.answer}, {found.unit}; integrated gradients, mean of "
        f"{found.attributed_rows:,} rows)"
    )
    told = [f"Parts add up to each answer within {100 * found.completeness_error:.1g} %."]
    tested = found.randomisation.value == found.randomisation.value  # of a single part there is no order
    if tested:
        said = randomised(found)
        told.append(f"{said[0].upper()}{said[1:]}.")
    return [
        Table(caption, columns, rows, PUSHES),
        Prose(tuple(told), "warning" if tested and not found.sane else "note"),
        *page.figures(f"attributions_{card.name}", f"maps_{card.name}"),
    ]
