"""What worse pictures cost each contender."""

from __future__ import annotations

from pipelines.report.page.context import Context, value
from pipelines.report.page.parts import Block, Cell, Column, Prose, Row, Section, Table
from pipelines.report.readings_of_robustness import amount, falling_behind, losing, way
from pipelines.report.wording import in_full, together

EXPLAINED = (
    "After Hendrycks and Dietterich (2019). Nobody was trained or tuned on pictures made worse; thresholds and "
    "calibration are those of pictures as they are.",
)


def robustness(page: Context) -> Section | None:
    """The score of the network and the best baseline by corruption and severity, and where the network falls behind."""
    card, baseline = page.network, page.baseline
    found = card.robustness
    if found is None:
        return None
    lead = "What is left of the score where pictures are noisy, blurred, faint or strongly compressed."
    if not found.worsened:
        return Section("robustness", "Worse pictures", lead, [Prose((f"Not measured: {found.why_not}.",), "note")])
    told = [each for each in (card, baseline) if each.robustness and each.robustness.worsened]
    score = in_full(found.score)
    said = [losing(each.name, each.robustness) for each in told if each.robustness is not None]
    said += [each for each in (falling_behind(card.name, baseline.name, page.report.robustness),) if each]
    columns = (
        Column("pictures", "name"), Column("how much", "words"),
        *(column for each in told for column in (Column(f"{each.name}: {score}"), Column(f"{each.name} loses"))),
    )  # fmt: skip
    rows = [Row(("as they are", "", *(cell for each in told for cell in _clean(each))))]
    for place, each in enumerate(found.worsened):
        cells: list[Cell] = [way(each.corruption, each.severity), amount(each)]
        for other in told:
            assert other.robustness is not None  # noqa: S101  filtered above
            worse = other.robustness.worsened[place]
            cells += [value(worse.score), value(worse.lost, sign=True)]
        rows.append(Row(tuple(cells)))
    counts = together([f"{each.robustness.rows:,} of {each.name}" for each in told if each.robustness is not None])
    caption = f"{score} of tested pictures made worse ({counts}, of the first fold), with 95 % intervals"
    blocks: list[Block] = [Prose(tuple(said)), Table(caption, columns, tuple(rows), EXPLAINED)]
    seconds = sum(each.robustness.seconds for each in page.report.contenders if each.robustness is not None)
    blocks += [*page.figures("robustness"), Prose((f"This took {seconds:.0f} seconds for all contenders.",), "note")]
    return Section("robustness", "Worse pictures", lead, blocks)


def _clean(card: object) -> tuple[Cell, Cell]:
    found = getattr(card, "robustness", None)
    assert found is not None  # noqa: S101  filtered by whoever calls
    return value(found.clean), ""
