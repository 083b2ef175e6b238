"""What past runs say: the rows of `tapeline compare` and the limits of `tapeline check`."""

from __future__ import annotations

from typing import Any

from pipelines.errors import BadInput
from pipelines.evaluation import verdict
from pipelines.evaluation.scores import GREATER_IS_BETTER
from pipelines.report.document import LimitResult
from pipelines.task import Task
from pipelines.tracking import query


def past_runs(task: Task, limit: int) -> list[dict[str, Any]]:
    """One row per recorded run, the newest first, as plain values.

    Raises:
        BadInput: no run of this task is recorded here.
    """
    found = query.runs(task.name, limit)
    if found.empty:
        raise BadInput(f"no run of {task.name} is recorded here; record one with `tapeline run {task.name}`")
    return [_row(each) for each in found.to_dict("records")]


def _row(found: dict[str, Any]) -> dict[str, Any]:
    return {
        "run": str(found["run_id"])[:8],
        "started": f"{found['started']:%Y-%m-%d %H:%M}",
        "status": found["status"],
        "data": found["data_source"] or "-",
        "answer": found["answer"] or found["failure"] or "-",
        "winner": found["winner"] or "-",
        "network": _scored(found, "network", "network_score"),
        "best baseline": _scored(found, "best_baseline", "baseline_score"),
        "difference": _difference(found),
    }


def _scored(found: dict[str, Any], name: str, score: str) -> str:
    return f"{found[name]} {found[score]:.3f}" if found[score] == found[score] else "-"


def _difference(found: dict[str, Any]) -> str:
    if found["difference"] != found["difference"]:
        return "-"
    return f"{found['difference']:+.4f} ({found['low']:+.4f} to {found['high']:+.4f})"


def limits_of(task: Task, run_id: str | None) -> tuple[str, tuple[LimitResult, ...]]:
    """The run that was looked at, and the task's limits as they are declared now, measured in it.

    Raises:
        BadInput: there is no such run, or it is another task's.
    """
    found = run_id or query.latest(task.name)
    report = query.report(found)
    if report.task != task.name:
        raise BadInput(f"--run {run_id} is a run of {report.task}, not of {task.name}")
    networks, baselines = (
        [card.name for card in report.contenders if (card.kind == "classical") is classical]
        for classical in (False, True)
    )
    judged = verdict.judge(
        task.limits, networks, baselines, report.contenders, report.comparisons, report.primary,
        GREATER_IS_BETTER[report.primary], report.data.rows,
    )  # fmt: skip
    return report.mlflow_run_id, judged.limits
