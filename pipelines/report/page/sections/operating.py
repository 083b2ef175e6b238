"""What decisions do where a stated share of the positive or of the negative rows is decided rightly."""

from __future__ import annotations

from pipelines.report.document import Scorecard
from pipelines.report.operating import OperatingPoint
from pipelines.report.page.context import Context, value
from pipelines.report.page.parts import UNKNOWN, Block, Cell, Column, Prose, Row, Section, Table
from pipelines.report.readings_of_operating import asked, at_target, lead, missed_target, of_cases, threshold

EXPLAINED = (
    "Thresholds were chosen on validation rows and then held against tested rows, so tested rows need not keep the "
    "target exactly; these intervals are of the thresholds that were chosen.",
    "on the curve: where the target holds exactly on the ROC curve of the tested rows. Nobody knows that place "
    "beforehand; it compares how contenders rank, not what a threshold will do.",
)


def operating(page: Context) -> Section | None:
    """A table for each point with every contender, and what it means for a thousand cases."""
    cards = [card for card in page.report.contenders if card.operating]
    if not cards:
        return None
    blocks: list[Block] = []
    if page.network.operating:
        blocks.append(Prose(tuple(of_cases(page.network.name, point) for point in page.network.operating)))
    if page.report.operating:
        blocks.append(Prose(tuple(_sentence(lead(test)) for test in page.report.operating)))
    for place, point in enumerate(cards[0].operating):
        blocks.append(_table(page, [(card, card.operating[place]) for card in cards], point))
    blocks.append(Prose(EXPLAINED, "note"))
    blocks += page.figures("predictive_values")
    lead_ = "What decisions do at the points where a test is usually quoted."
    return Section("operating", "Operating points", lead_, blocks)


def _table(page: Context, found: list[tuple[Scorecard, OperatingPoint]], point: OperatingPoint) -> Table:
    columns = (
        Column("contender", "name"), Column("threshold"), Column("sensitivity"), Column("specificity"),
        Column("alarms right (PPV)"), Column("all-clears right (NPV)"), Column(f"{point.other} on the curve"),
    )  # fmt: skip
    rows, notes = [], list[str]()
    for card, each in found:
        cells: list[Cell] = [card.name, threshold(each) if not each.why_not else UNKNOWN]
        measured = (each.sensitivity, each.specificity, each.precision, each.right_negatives, each.on_curve)
        cells += [value(part) for part in measured]
        note = each.why_not or missed_target(each)
        notes += [f"{card.name}: {note}."] if note else []
        rows.append(Row(tuple(cells), page.side(card.name)))
    told = [each for _, each in found if not each.why_not]
    where = ""
    if told:
        whose = "stated" if told[0].stated else "that of the tested rows"
        where = f"; PPV and NPV at a prevalence of {100 * told[0].prevalence:.3g} %, {whose}"
    caption = f"{_sentence(at_target(point))}: where {asked(point)}{where}, with 95 % intervals"
    return Table(caption, columns, tuple(rows), tuple(dict.fromkeys(notes)))


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"
