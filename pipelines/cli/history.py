"""What past runs say: the rows of `tapeline compare` and the limits of `tapeline check`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pipelines.errors import BadInput
from pipelines.evaluation import verdict
from pipelines.evaluation.scores import GREATER_IS_BETTER
from pipelines.report.document import LimitResult, sides
from pipelines.task import Task
from pipelines.tracking import query

COLUMNS = (
    "run_id", "started", "status", "data_source", "data_sha256", "rows", "seconds", "primary", "answer", "passed",
    "winner", "network", "network_score", "best_baseline", "baseline_score", "difference", "low", "high", "p_value",
    "tuned", "failure", "seed", "settings",
)  # fmt: skip


def past_runs(task: Task, limit: int) -> list[dict[str, Any]]:
    """One row per recorded run, the newest first, as plain values; None for a number that a run never reached.

    Raises:
        BadInput: no run of this task is recorded here.
    """
    found = query.runs(task.name, limit)
    if found.empty:
        raise BadInput(f"no run of {task.name} is recorded here; record one with `tapeline run {task.name}`")
    rows = [{name: _plain(row[name]) for name in COLUMNS} for row in found.to_dict("records")]
    return [{**row, "seed": int(row["seed"]) if row["seed"] else None} for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return None if value != value else value


def limits_of(task: Task, run_id: str | None) -> tuple[str, str, tuple[LimitResult, ...]]:
    """The run that was looked at, its deciding score, and the task's limits as they are declared now, measured in it.

    Raises:
        BadInput: there is no such run, or it is another task's.
    """
    found = run_id or query.latest(task.name)
    report = query.report(found)
    if report.task != task.name:
        raise BadInput(f"--run {run_id} is a run of {report.task}, not of {task.name}")
    networks, baselines = sides(report.contenders)
    judged = verdict.judge(
        task.on(report.data.columns).limits, networks, baselines, report.contenders, report.comparisons, report.primary,
        GREATER_IS_BETTER[report.primary], report.data.rows,
    )  # fmt: skip
    return report.mlflow_run_id, report.primary, judged.limits
