"""Reports as tables for a person."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.cli import (
    layout,
    show_alerts,
    show_bias,
    show_blend,
    show_calibration,
    show_comparison,
    show_cost,
    show_decisions,
    show_explanation,
    show_lending,
    show_membership,
    show_mitigation,
    show_operating,
    show_oversight,
    show_private,
    show_robustness,
    show_strangers,
    show_tuning,
)  # fmt: skip
from pipelines.cli.layout import interval, number, signed, spoken
from pipelines.cli.show_bias import legend
from pipelines.report.document import LimitResult, Report
from pipelines.report.readings import few_folds, limit_named
from pipelines.task import Task

SCORES = ("quadratic_kappa", "referable_auroc", "auroc", "average_precision", "accuracy",
          "balanced_accuracy", "f1", "log_loss", "expected_calibration_error",
          "rmse", "mae", "r2",
          "annual_return", "volatility", "max_drawdown", "turnover", "tail_loss")  # fmt: skip
MOST_SCORES = 4
"""Beside each other; of a portfolio, whose scores all have a price in the others, all."""

BESIDE_SCORES = 4
"""Columns of that table that hold no score: the name, the interval, and two costs."""

UNCORRECTED = (
    "answers are corrected for the number of comparisons, intervals are not: a run may be inconclusive although 0 lies "
    "outside"
)


def report(console: Console, document: Report) -> None:
    """The whole answer: data, contenders, comparisons, bias of the network, limits, verdict."""
    data = document.data
    kind = "simulated data" if data.simulated else "real data"
    console.print(f"[bold]{document.task}[/bold] on {escape(data.source)}: {data.rows:,} rows of {kind}")
    console.print(f"{escape(data.protocol)}\n", style="dim")
    _contenders(console, document)
    show_calibration.table(console, document)
    show_decisions.table(console, document)
    show_operating.points(console, document)
    show_lending.tables(console, document)
    show_alerts.alerts(console, document)
    show_cost.costs(console, document)
    show_tuning.searches(console, document)
    show_explanation.explanations(console, document)
    show_robustness.worse_pictures(console, document)
    show_strangers.strangers(console, document)
    show_membership.attacks(console, document)
    _privacy(console, document)
    show_comparison.comparisons(console, document)
    _trainings(console, document)
    card = document.scorecard(document.verdict.network)
    show_oversight.automated(console, document)
    if card.bias:
        show_bias.groups(console, card)
        show_bias.gaps(console, card)
    show_mitigation.mitigations(console, document)
    show_private.prices(console, document)
    show_blend.gains(console, document)
    limits(console, document.verdict.limits, document.primary)
    console.print(f"[bold]{escape(document.verdict.sentence)}[/bold]")
    console.print(f"{document.seconds:.0f} s; MLflow run {document.mlflow_run_id}; `tapeline ui` opens it", style="dim")


def tasks(console: Console, declared: Sequence[Task]) -> None:
    """The tasks, what each one learns, and where its data comes from."""
    console.print(layout.widest(console, (partial(_tasks, declared, wide=True), partial(_tasks, declared, wide=False))))


def _tasks(declared: Sequence[Task], wide: bool) -> Table:
    table = layout.table()
    layout.words(table, "task")
    layout.words(table, *(["learns", "sample", "public"] if wide else ["learns, from"]), folds=True)
    for task in declared:
        samples = ["simulated" if task.sample_is_simulated else "real", *task.sources.samples]
        sets = {"sample": samples, "public": list(task.sources.public)}
        if wide:
            table.add_row(task.name, task.summary, *(", ".join(names) or "-" for names in sets.values()))
            continue
        where = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in sets.items() if names)
        table.add_row(task.name, f"{task.summary}\n[dim]{where}[/dim]")
    return table


def limits(console: Console, results: Sequence[LimitResult], primary: str) -> None:
    """Whether each limit of the task holds, and what was measured."""
    if not results:
        return
    table = layout.table("limits that the task sets its network")
    layout.words(table, "limit", folds=True)
    layout.numbers(table, "asked", "measured")
    layout.words(table, "")
    for each in results:
        mark = "[green]holds[/green]" if each.passed else "[red]fails[/red]"
        asked = "yes" if each.name == "beats_best_baseline" else number(each.limit)
        table.add_row(limit_named(each.name, primary), asked, number(each.value), mark)
    console.print(table)
    console.print()


def runs(console: Console, rows: Sequence[dict[str, Any]]) -> None:
    """Past runs of a task, the newest first."""
    console.print(layout.widest(console, (partial(_runs, rows, wide=True), partial(_runs, rows, wide=False))))
    if any(_seems_decided(row) for row in rows):
        console.print(UNCORRECTED, style="dim")
    for row in rows:
        if row["failure"]:
            console.print(f"{row['run_id'][:8]} {row['status']}: {escape(row['failure'])}", style="dim")


def _runs(rows: Sequence[dict[str, Any]], wide: bool) -> Table:
    scores, gap = list(dict.fromkeys(row["primary"] for row in rows if row["primary"])), " " if wide else "\n"
    table = layout.table(f"past runs, and their {spoken(scores[0])}" if len(scores) == 1 else "past runs")
    layout.words(table, *(["run", "started (UTC)", "data"] if wide else ["run"]), folds=True)
    layout.words(table, "better?" if wide else "network\nbetter?", "network", "best baseline")
    layout.words(table, "network's lead" + gap + "(95 % interval)")
    for row in rows:
        tuned = f" (tuned: {row['tuned']})" if row["tuned"] else ""
        data = "\n".join([f"{row['data_source'] or '-'}{tuned}", *filter(None, [", ".join(_told_apart(row, rows))])])
        run = [row["run_id"][:8], row["started"][:16].replace("T", " "), data]
        answer = row["answer"] or row["status"].lower()
        unit = f"{spoken(row['primary'])} " if len(scores) > 1 else ""
        cells = [*(run if wide else ["\n".join(run)]), answer, _scored(row, "network", "network_score", gap + unit),
                 _scored(row, "best_baseline", "baseline_score", gap + unit), _difference(row, gap)]  # fmt: skip
        table.add_row(*(escape(cell) for cell in cells))
    return table


def _told_apart(row: dict[str, Any], rows: Sequence[dict[str, Any]]) -> list[str]:
    """The seed and the settings of a run in which not all of these are alike."""
    said = [
        f"{name.removeprefix('protocol.')} {value}"
        for name, value in row["settings"].items()
        if value and any(other["settings"].get(name, value) != value for other in rows)
    ]
    seeds = {other["seed"] for other in rows if other["seed"] is not None}
    return [*([f"seed {row['seed']}"] if row["seed"] is not None and len(seeds) > 1 else []), *said]


def _seems_decided(row: dict[str, Any]) -> bool:
    """Whether an interval leaves out 0 although nothing is decided."""
    known = row["low"] is not None and row["high"] is not None
    return row["answer"] == "inconclusive" and known and (row["low"] > 0 or row["high"] < 0)


def _scored(row: dict[str, Any], name: str, score: str, gap: str) -> str:
    return "-" if row[score] is None else f"{row[name]}{gap}{number(row[score])}"


def _difference(row: dict[str, Any], gap: str) -> str:
    if row["difference"] is None:
        return "-"
    low, high = (float("nan") if row[end] is None else float(row[end]) for end in ("low", "high"))
    return f"{signed(row['difference'])}{gap}({interval(low, high, how=signed)})"


def _contenders(console: Console, document: Report) -> None:
    present = [name for name in SCORES if name in document.contenders[0].scores and name != document.primary]
    shown = [document.primary, *present][: None if document.primary == "sharpe" else MOST_SCORES]
    layouts = [partial(_scorecards, document, shown[:most]) for most in range(len(shown), 0, -1)]
    scores = layout.widest(console, layouts)
    console.print(scores)
    kept = shown[: len(scores.columns) - BESIDE_SCORES]
    if few := few_folds(document):
        console.print(few, style="dim")
    legend(console, kept if document.primary == "sharpe" else [document.primary])


def _privacy(console: Console, document: Report) -> None:
    """What each network that was trained privately has spent of its training rows' privacy."""
    private = [card for card in document.contenders if "privacy" in card.settings]
    for card in private:
        console.print(f"{escape(card.name)} was trained with differential privacy: {escape(card.settings['privacy'])}")
    for uncovered in dict.fromkeys(card.settings["privacy_does_not_cover"] for card in private):
        console.print(f"this does not cover {escape(uncovered)}\n", style="dim")


def _scorecards(document: Report, shown: Sequence[str]) -> Table:
    primary = document.primary
    table = layout.table()
    layout.words(table, "contender")
    layout.numbers(table, spoken(primary), "95 % interval", *(spoken(name) for name in shown[1:]), "train s", "rows/s")
    for card in document.contenders:
        first = card.scores[primary]
        cells = (
            number(first.value),
            interval(first.low, first.high),
            *(number(card.scores[n].value) for n in shown[1:]),
        )
        cost = (f"{card.cost.train_seconds:,.1f}", f"{card.cost.predict_rows_per_second:,.0f}")
        table.add_row(card.name, *cells, *cost, style="bold" if card.name == document.verdict.winner else "")
    return table


def _trainings(console: Console, document: Report) -> None:
    """How each network was trained: the plan, what happened on the way, and what its gradients did."""
    for card in document.contenders:
        if card.kind not in ("classical", "mitigated", "private") and card.settings:
            said = [
                f"{escape(name)}: {escape(value)}" for name, value in card.settings.items() if "privacy" not in name
            ]
            console.print(f"how {card.name} was trained  " + ". ".join(said), style="dim")
            console.print()


def limit_in_words(each: LimitResult, primary: str) -> str:
    """A limit and what was measured, on one line."""
    asked = "" if each.name == "beats_best_baseline" else f" {number(each.limit)}"
    return f"{limit_named(each.name, primary)}{asked} (measured {number(each.value)})"
