"""Groups and the gaps between them as tables for a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.cli import layout
from pipelines.cli.layout import interval, number, spoken
from pipelines.evaluation.bias import SMALLEST_GROUP
from pipelines.report.document import Estimate, Gap, GroupRow, Scorecard
from pipelines.report.readings import gap_digits, gap_is_real, gap_named, gap_sized, likeliest_chance

GROUP_METRICS = ("selection_rate", "tpr", "fpr", "auroc", "quadratic_kappa", "accuracy", "rmse", "mae", "mean_error")
MOST_GROUPS = 12
"""Groups of one attribute that are shown, the largest ones; the report holds all."""
WORST_CROSSED = 3
"""Gaps between groups of two attributes that are shown, those least likely to be chance; the report holds all."""
MARK = "*"
"""Stands behind what rests on too few rows to be in a gap."""

OF_THESE = (
    "intervals of groups and gaps are of the trainings that were made, taken together; unlike those of scores they do "
    "not hold what other trainings would differ by"
)
"""Said where there were several trainings, which the reader might think were in them."""


def groups(console: Console, card: Scorecard) -> None:
    """How a contender treats each group of each attribute; those of two attributes are in the report."""
    single = [row for row in card.bias if not row.intersection]
    metrics = [name for name in GROUP_METRICS if name in single[0].metrics]
    rows, left_out = _largest(single)
    console.print(layout.widest(console, (partial(_groups, card.name, rows, metrics, wide) for wide in (True, False))))
    if left_out:
        console.print(f"{left_out} smaller groups are in the report (--json, `tapeline ui`)", style="dim")
    if any(_is_marked(row, name) for row in rows for name in metrics):
        few = f"{MARK} rests on fewer than {SMALLEST_GROUP} rows (a TPR: on fewer positives), and is in no gap"
        console.print(few, style="dim")
    legend(console, metrics)


def _largest(rows: Sequence[GroupRow]) -> tuple[list[GroupRow], int]:
    """The largest groups of each attribute in their order, and how many were left out."""
    kept: list[GroupRow] = []
    for attribute in dict.fromkeys(row.attribute for row in rows):
        members = [row for row in rows if row.attribute == attribute]
        largest = sorted(range(len(members)), key=lambda place: -members[place].n)[:MOST_GROUPS]
        kept += [members[place] for place in sorted(largest)]
    return kept, len(rows) - len(kept)


def _groups(name: str, rows: Sequence[GroupRow], metrics: Sequence[str], wide: bool) -> Table:
    """A row a group; where it is narrow, intervals stand under their value and an attribute above its groups."""
    table = layout.table(f"how {name} treats each group, with 95 % intervals")
    layout.words(table, *(["attribute"] if wide else []), "group", folds=True)
    positives = "tpr" in metrics
    headings = [spoken(metric) if wide else spoken(metric).replace(" ", "\n") for metric in metrics]
    layout.numbers(table, "n", *(["positive"] if positives else []), *headings)
    before = None
    for row in rows:
        attribute = escape(row.attribute) if row.attribute != before else ""
        if attribute and not wide:
            table.add_row(f"[bold]{attribute}[/bold]")
        counts = [f"{row.n:,}", *([f"{row.n_positive:,}"] if positives else [])]
        values = [
            with_interval(row.metrics[metric], wide, _is_marked(row, metric), [each.metrics[metric] for each in rows])
            for metric in metrics
        ]
        table.add_row(*([attribute] if wide else []), escape(row.group), *counts, *values)
        before = row.attribute
    return table


def gaps(console: Console, card: Scorecard) -> None:
    """How far apart its groups are: of each attribute, and the worst of two attributes together."""
    measured = [gap for gap in card.gaps if gap.difference == gap.difference]
    single, crossed = ([gap for gap in measured if gap.intersection == two] for two in (False, True))
    if single:
        _gaps(console, "largest gap between two groups, and whether it is more than chance", single)
    if crossed:
        worst = sorted(crossed, key=likeliest_chance)[:WORST_CROSSED]
        _gaps(console, "groups of two attributes together: the gaps least likely to be chance", worst)
        if left := len(crossed) - len(worst):
            console.print(f"{left} more, and the groups, are in the report (--json, `tapeline ui`)", style="dim")
    if any(gap.p_value == gap.p_value for gap in measured):
        line = "real: beyond chance (p below 0.05), corrected for all pairs of groups and all gaps of the contender"
        console.print(f"{line}; n: the rows that a gap rests on in each group", style="dim")
        if card.training_sd == card.training_sd:
            console.print(OF_THESE, style="dim")
    console.print()


def _gaps(console: Console, title: str, found: Sequence[Gap]) -> None:
    console.print(layout.widest(console, (partial(_gap_table, title, found, wide) for wide in (True, False))))


def _gap_table(title: str, found: Sequence[Gap], wide: bool) -> Table:
    """A row a gap; where it is narrow, an attribute stands above its gaps."""
    table = layout.table(title)
    layout.words(table, *(["attribute"] if wide else []), "gap")
    layout.numbers(table, "size", "95 % interval")
    layout.words(table, "real?")
    layout.words(table, "between (n)", folds=True)
    before = None
    for gap in found:
        attribute = escape(gap.attribute) if gap.attribute != before else ""
        if attribute and not wide:
            table.add_row(f"[bold]{attribute}[/bold]")
        size, digits = gap_sized(gap), gap_digits(gap)
        real = "yes" if gap_is_real(gap) else "not clear"
        between = " and ".join(
            f"{escape(group)} ({n:,})" if n else escape(group) for group, n in zip(gap.groups, gap.n, strict=True)
        )
        measured = (
            gap_named(gap.metric),
            number(size.value, digits),
            interval(size.low, size.high, digits),
            real,
            between,
        )
        table.add_row(*([attribute] if wide else []), *measured)
        before = gap.attribute
    return table


def _is_marked(row: GroupRow, metric: str) -> bool:
    """Whether a value is shown that rests on too few rows."""
    return metric in row.small and row.metrics[metric].value == row.metrics[metric].value


def with_interval(estimate: Estimate, wide: bool, small: bool = False, column: Iterable[Estimate] = ()) -> str:
    """A value beside its interval, or above it where it is narrow; marked where it rests on few rows.

    Ends of shares have a dash between them, those of other numbers a word, for they may be long or below 0.

    Args:
        column: all that stands in the same column, which has one form.
    """
    value = number(estimate.value, 2)
    if small:
        value += MARK
    if estimate.low != estimate.low or estimate.high != estimate.high:
        return value
    shares = all(not each.low < 0 and not each.high > 1 for each in (estimate, *column))
    ends = number(estimate.low, 2) + ("-" if shares else " to ") + number(estimate.high, 2)
    return f"{value} ({ends})" if wide else f"{value}\n{ends}"


def legend(console: Console, metrics: Sequence[str]) -> None:
    """What the metrics mean, in one line."""
    if line := layout.explained(metrics):
        console.print(line, style="dim")
    console.print()
