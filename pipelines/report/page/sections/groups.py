"""Whom the network treats worse, whether that is more than chance, and what was done against it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipelines.evaluation.bias import SMALLEST_GROUP
from pipelines.evaluation.mitigation import named, of_decisions, reading
from pipelines.report.document import Estimate, Gap, GroupRow
from pipelines.report.page.context import Context, plot, plotted, value
from pipelines.report.page.parts import MOST_ROWS, Block, Cell, Column, Prose, Row, Section, Table
from pipelines.report.readings import gap_digits, gap_is_real, gap_named, gap_sized, likeliest_chance
from pipelines.report.wording import explained, in_full

METRICS = ("selection_rate", "tpr", "fpr", "ppv", "auroc", "quadratic_kappa", "accuracy", "rmse", "mae", "mean_error")
DRAWN = ("tpr", "quadratic_kappa", "accuracy", "mae", "rmse", "selection_rate")
"""Of these the first that groups have is drawn beside the numbers."""
FEW = f"under {SMALLEST_GROUP} rows"
IN_NO_GAP = f"What rests on under {SMALLEST_GROUP} rows (a TPR: on under {SMALLEST_GROUP} positives) is in no gap."
NO_ROWS = {"tpr": "no positives", "fpr": "no negatives", "ppv": "nobody decided positive"}
"""Why a rate of a group is not known."""
REAL = "real: beyond chance (p below 0.05), corrected for all pairs of groups and all gaps of the contender."


def groups(page: Context) -> Section | None:
    """The network by group, attribute by attribute, and the gaps between groups."""
    card = page.network
    if not card.bias:
        return None
    single = [row for row in card.bias if not row.intersection]
    blocks: list[Block] = [
        _table(attribute, [row for row in single if row.attribute == attribute])
        for attribute in dict.fromkeys(row.attribute for row in single)
    ]
    blocks += _gaps(card.gaps)
    drawn = [name for name in page.pictures.named("bias_") if name.removeprefix("bias_") in METRICS]
    blocks += page.figures("gaps", *drawn)
    real = sum(gap_is_real(gap) for gap in card.gaps if gap.difference == gap.difference and not gap.intersection)
    lead = f"{card.name} by group. " + (
        f"{real} gap{'s' if real > 1 else ''} between two groups {'are' if real > 1 else 'is'} more than chance."
        if real
        else "No gap between two groups is more than chance; that does not show that there is none."
    )
    return Section("groups", "Whom it treats worse", lead, blocks)


def mitigation(page: Context) -> Section | None:
    """What was done against gaps, what it gained and what it cost."""
    told, rule = page.report.mitigations, page.report.decided_by
    if not told:
        return None
    paid = of_decisions(told[0], rule)
    names = ("equalized_odds", "auroc", paid)
    columns = [Column("method", "name")]
    for name in names:
        columns += [Column(in_full(name)), Column("change")]
    rows = []
    for each in told:
        changes = [named((*each.gaps, *each.scores), name) for name in names]
        cells: list[Cell] = [each.contender]
        for change in changes:
            cells += ["-", "-"] if change is None else [value(change.after), value(change.change, 3, sign=True)]
        rows.append(Row(tuple(cells), note=f"{each.method} for {each.attribute}, on {each.base}"))
    blocks: list[Block] = [Prose(tuple(reading(each, rule) for each in told))]
    blocks.append(
        Table("After mitigation, and the change from before, with 95 % intervals", tuple(columns), tuple(rows))
    )
    blocks += page.figures(*page.pictures.named("mitigation_"))
    lead = "Contenders that were trained or decided differently, so that groups are treated more alike."
    return Section("mitigation", "What was done against gaps", lead, blocks)


def _table(attribute: str, rows: Sequence[GroupRow]) -> Table:
    """One attribute's groups in their order; of very many, the largest stand first."""
    size = sorted((row.n for row in rows), reverse=True)[: MOST_ROWS + 1][-1]
    largest = sorted(rows, key=lambda row: row.n < size)
    metrics = [name for name in METRICS if name in rows[0].metrics]
    shown = next((name for name in DRAWN if name in metrics), "")
    plots = plotted(f"{in_full(shown)}, 95 % interval", [row.metrics[shown] for row in rows]) if shown else ()
    positives = "tpr" in metrics
    counts = ("n", "positive") if positives else ("n",)
    columns = (Column("group", "name"), *map(Column, counts), *plots, *(Column(in_full(name)) for name in metrics))
    told = []
    for row in largest:
        cells: list[Cell] = [row.group, f"{row.n:,}", *([f"{row.n_positive:,}"] if positives else [])]
        cells += [plot(row.metrics[shown])] if plots else []
        told.append(Row((*cells, *(value(row.metrics[name], 2, note=_why(row, name)) for name in metrics))))
    few = IN_NO_GAP if any(row.small for row in rows) else ""
    notes = [text for text in (explained(metrics), few) if text]
    return Table(f"Groups by {attribute}", columns, tuple(told), tuple(notes))


def _why(row: GroupRow, metric: str) -> str:
    if row.metrics[metric].value != row.metrics[metric].value:
        return NO_ROWS.get(metric, "too few rows")
    return FEW if metric in row.small else ""


def _gaps(found: Iterable[Gap]) -> list[Block]:
    """The gaps of single attributes in the report's order, then those of two, the least likely to be chance first."""
    known = [gap for gap in found if gap.difference == gap.difference]
    single = [gap for gap in known if not gap.intersection]
    crossed = sorted((gap for gap in known if gap.intersection), key=likeliest_chance)
    titled = [("Largest gap between two groups", single), ("Gaps of two attributes together", crossed)]
    return [_gap_table(title, gaps) for title, gaps in titled if gaps]


def _gap_table(title: str, gaps: Sequence[Gap]) -> Table:
    differences = [Estimate(gap.difference, gap.low, gap.high) for gap in gaps]
    plots = plotted("difference, 95 % interval", differences, 0.0, "no gap", hold=True)
    columns = (Column("gap", "name"), Column("size"), *plots, Column("real?", "words"), Column("between", "words"))
    rows = []
    for gap, difference in zip(gaps, differences, strict=True):
        real = gap_is_real(gap)
        cells: list[Cell] = [f"{gap.attribute}: {gap_named(gap.metric)}", value(gap_sized(gap), gap_digits(gap))]
        cells += [plot(difference, "network" if real else "other")] if plots else []
        pairs = zip(gap.groups, gap.n, strict=True)
        between = " and ".join(f"{group} ({n:,})" if n else group for group, n in pairs)
        rows.append(Row((*cells, "yes" if real else "not clear", between)))
    notes = (REAL, "In brackets: the rows that a gap rests on in each group. A ratio is drawn as 1 minus it.")
    return Table(title, columns, tuple(rows), notes)
