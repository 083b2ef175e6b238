"""Groups and the gaps between them as tables for a person."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.cli import layout
from pipelines.cli.layout import interval, number, spoken
from pipelines.report.document import Estimate, Gap, GroupRow, Scorecard

GROUP_METRICS = ("selection_rate", "tpr", "fpr", "auroc", "accuracy", "rmse", "mae", "mean_error")
MOST_GROUPS = 12
"""Groups of one attribute that are shown, the largest ones; the report holds all."""


def groups(console: Console, card: Scorecard) -> None:
    """How a contender treats each group."""
    metrics = [name for name in GROUP_METRICS if name in card.bias[0].metrics]
    rows, left_out = _largest(card.bias)
    console.print(layout.widest(console, (partial(_groups, card.name, rows, metrics, wide) for wide in (True, False))))
    if left_out:
        console.print(f"{left_out} smaller groups are in the report (--json, `tapeline ui`)", style="dim")
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
        values = [with_interval(row.metrics[metric], wide) for metric in metrics]
        table.add_row(*([attribute] if wide else []), escape(row.group), *counts, *values)
        before = row.attribute
    return table


def gaps(console: Console, card: Scorecard) -> None:
    """How far apart its groups are."""
    measured = [gap for gap in card.gaps if gap.difference == gap.difference]
    if not measured:
        return
    table = layout.table("largest gap between two groups, and whether it is more than chance")
    layout.words(table, "attribute", "gap")
    layout.numbers(table, "size", "95 % interval")
    layout.words(table, "real?")
    layout.words(table, "between", folds=True)
    for gap in measured:
        size, low, high = _size(gap)
        name = gap.metric.replace("_", " ") + (" ratio" if gap.metric == "disparate_impact" else "")
        real = "yes" if gap.low > 0 else "not clear"
        between = f"{gap.groups[0]} and {gap.groups[1]}"
        table.add_row(escape(gap.attribute), name, number(size), interval(low, high), real, escape(between))
    console.print(table)
    console.print()


def _size(gap: Gap) -> tuple[float, float, float]:
    """Its size as people quote it: of disparate impact the ratio, of anything else the difference."""
    if gap.metric == "disparate_impact":
        return 1 - gap.difference, 1 - gap.high, 1 - gap.low
    return gap.difference, gap.low, gap.high


def with_interval(estimate: Estimate, wide: bool) -> str:
    """A value beside its interval, or above it where it is narrow."""
    value = number(estimate.value, 2)
    if estimate.low != estimate.low or estimate.high != estimate.high:
        return value
    ends = number(estimate.low, 2) + (" to " if estimate.low < 0 else "-") + number(estimate.high, 2)
    return f"{value} ({ends})" if wide else f"{value}\n{ends}"


def legend(console: Console, metrics: Sequence[str]) -> None:
    """What the metrics mean, in one line."""
    if line := layout.explained(metrics):
        console.print(line, style="dim")
    console.print()
