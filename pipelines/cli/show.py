"""Reports as tables for a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.report.document import Estimate, GroupRow, LimitResult, Report, Scorecard

SCORES = ("auroc", "average_precision", "accuracy", "balanced_accuracy", "f1", "log_loss", "expected_calibration_error",
          "rmse", "mae", "r2")  # fmt: skip
MOST_SCORES = 4
SHORT = {"expected_calibration_error": "calibration error", "average_precision": "avg precision"}
GROUP_METRICS = ("selection_rate", "tpr", "fpr", "auroc", "accuracy", "rmse", "mae", "mean_error")


def report(console: Console, document: Report) -> None:
    """The whole answer: data, contenders, comparisons, bias of the network, limits, verdict."""
    data = document.data
    kind = "simulated" if data.simulated else "real"
    console.print(
        f"[bold]{document.task}[/bold] on {escape(data.source)} ({kind}, {data.rows} rows); {data.protocol}\n"
    )
    console.print(_contenders(document))
    console.print(_comparisons(document))
    card = document.scorecard(document.verdict.network)
    if card.bias:
        console.print(_bias(card))
        _gaps(console, card)
    limits(console, document.verdict.limits)
    console.print(f"[bold]{escape(document.verdict.sentence)}[/bold]")
    console.print(f"{document.seconds:.0f} s; MLflow run {document.mlflow_run_id}; `tapeline ui` opens it", style="dim")


def limits(console: Console, results: Sequence[LimitResult]) -> None:
    """One line per limit of the task."""
    for each in results:
        mark = "[green]holds[/green]" if each.passed else "[red]fails[/red]"
        console.print(f"limit {each.name}: {mark} (measured {each.value:.3g}, limit {each.limit:.3g})")
    if results:
        console.print()


def runs(console: Console, rows: Sequence[dict[str, Any]]) -> None:
    """Past runs of a task, the newest first."""
    table = Table(box=None, pad_edge=False)
    headings = ("run", "started", "status", "data", "answer", "winner", "network", "best baseline", "difference")
    for heading in headings:
        table.add_column(heading)
    for row in rows:
        table.add_row(*(escape(str(row[heading])) for heading in headings))
    console.print(table)


def _contenders(document: Report) -> Table:
    primary = document.primary
    present = [name for name in SCORES if name in document.contenders[0].scores]
    shown = [primary, *[name for name in present if name != primary]][:MOST_SCORES]
    table = Table(box=None, pad_edge=False)
    table.add_column("contender")
    for name in shown:
        table.add_column(SHORT.get(name, name.replace("_", " ")) + (" (95 % interval)" if name == primary else ""))
    table.add_column("train s", justify="right")
    table.add_column("rows/s", justify="right")
    for card in document.contenders:
        best = card.name == document.verdict.winner
        cells = [str(card.scores[primary]), *(_short(card.scores[name]) for name in shown[1:])]
        cost = (f"{card.cost.train_seconds:.1f}", f"{card.cost.predict_rows_per_second:,.0f}")
        table.add_row(card.name, *cells, *cost, style="bold" if best else "")
    return table


def _comparisons(document: Report) -> Table:
    table = Table(box=None, pad_edge=False, title=f"\npaired test on {document.primary}", title_justify="left")
    for heading in ("contender", "against", "difference", "95 % interval", "p (Holm)", "test"):
        table.add_column(heading)
    for each in document.comparisons:
        p_value = "< 0.001" if each.p_value < 0.001 else f"{each.p_value:.3f}"
        interval = f"{each.low:+.4f} to {each.high:+.4f}"
        table.add_row(each.contender, each.baseline, f"{each.difference:+.4f}", interval, p_value, each.test)
    return table


def _bias(card: Scorecard) -> Table:
    metrics = [name for name in GROUP_METRICS if name in card.bias[0].metrics]
    table = Table(box=None, pad_edge=False, title=f"\nhow {card.name} treats each group", title_justify="left")
    for heading in ("attribute", "group", "n", "positives", *metrics):
        table.add_column(heading.replace("_", " "), justify="right" if heading in ("n", "positives") else "left")
    for row in card.bias:
        table.add_row(*_group_cells(row, metrics))
    return table


def _group_cells(row: GroupRow, metrics: Sequence[str]) -> list[str]:
    return [escape(row.attribute), escape(row.group), str(row.n), str(row.n_positive),
            *(_with_interval(row.metrics[name]) for name in metrics)]  # fmt: skip


def _gaps(console: Console, card: Scorecard) -> None:
    for gap in card.gaps:
        if gap.difference == gap.difference:
            console.print(
                f"gap {escape(gap.attribute)} {gap.metric.replace('_', ' ')}: {gap.difference:.3f} "
                f"({gap.low:.3f} to {gap.high:.3f}), {escape(gap.groups[0])} against {escape(gap.groups[1])}"
            )
    console.print()


def _short(estimate: Estimate) -> str:
    return "undefined" if estimate.value != estimate.value else f"{estimate.value:.3f}"


def _with_interval(estimate: Estimate) -> str:
    if estimate.value != estimate.value:
        return "undefined"
    return f"{estimate.value:.2f} ({estimate.low:.2f}-{estimate.high:.2f})"
