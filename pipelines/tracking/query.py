"""Reading runs back: what notebooks, `tapeline compare` and `tapeline check` use. Nothing here writes to a store."""

from __future__ import annotations

import json
import math
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import BadInput
from pipelines.report.document import Report
from pipelines.tracking import metrics
from pipelines.tracking.provenance import has_ended
from pipelines.tracking.record import PIPELINE, REPORT, SHARE, STUDY
from pipelines.tracking.store import Store, existing_store

if TYPE_CHECKING:
    import pandas as pd

    from pipelines.contenders.contender import History

PARENT = "mlflow.parentRunId"
AT_ONCE = 1000
RUN_TAGS = (
    "primary",
    "network",
    "best_baseline",
    "winner",
    "answer",
    "passed",
    "data_source",
    "data_sha256",
    "tuned",
    "failure",
)
RUN_COLUMNS = (
    "run_id", "task", "started", "status", "seconds", "primary", "network", "network_score", "best_baseline",
    "baseline_score", "difference", "low", "high", "p_value", "winner", "answer", "passed", "rows", "data_source",
    "data_sha256", "code_version", "tuned", "failure", "seed", "settings",
)  # fmt: skip
MEASURED = re.compile(r"^(membership|oversight)/(?!.*/)")
"""How metrics begin that are columns of a contender, beside its scores."""
CONTENDER_COLUMNS = ("run_id", "contender_run_id", "task", "started", "contender", "kind", "status", "failure")


def runs(task: str | None = None, limit: int = 20) -> pd.DataFrame:
    """One row per pipeline run, newest first; empty where nothing was recorded.

    `network_score` and `baseline_score` are the primary score of the network and of the best baseline; `difference`,
    `low`, `high` and `p_value` compare them. What a run never reached is NaN or an empty text.
    `settings` maps each `protocol.KEY` to its value as text.
    """
    import pandas as pd

    with _reading() as store:
        found = [] if store is None else _search(store, task, f"tags.kind = '{PIPELINE}'", limit)
    return pd.DataFrame([_run_row(run) for run in found], columns=list(RUN_COLUMNS))


def contenders(which: str | Sequence[str], limit: int = 20) -> pd.DataFrame:
    """One row per contender, in the order in which they ran.

    Every score has three columns, `auroc`, `auroc_low` and `auroc_high`; costs are `train_seconds` and so on,
    `membership_auc` is of who was learned from, `membership_lira_auc` of who was by shadow models, `oversight_share`
    what of its decisions needs no person.

    Args:
        which: a task's name, or one or several ids of pipeline runs (or their beginnings).
        limit: of a task, how many of its newest runs.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    with _reading() as store:
        if store is not None:
            if isinstance(which, str) and "/" in which:
                parents = _search(store, which, f"tags.kind = '{PIPELINE}'", limit)
            else:
                ids = [which] if isinstance(which, str) else which
                parents = [_pipeline_run(store, run_id) for run_id in ids]
            rows = [_contender_row(parent, child) for parent in parents for child in _children(store, parent)]
    names = [*CONTENDER_COLUMNS, *dict.fromkeys(name for row in rows for name in row if name not in CONTENDER_COLUMNS)]
    return pd.DataFrame(rows, columns=names)


def report(run_id: str) -> Report:
    """The report document of a pipeline run.

    Raises:
        BadInput: no such run, or it left no report (it failed), or one of another version.
    """
    with _reading() as store:
        run = _pipeline_run(_required(store), run_id)
        return _report(_required(store), run)


def latest(task: str) -> str:
    """The id of the task's newest finished run.

    Raises:
        BadInput: there is none; the message says what to type.
    """
    with _reading() as store:
        finished = f"tags.kind = '{PIPELINE}' and attributes.status = 'FINISHED'"
        found = [] if store is None else _search(store, task, finished, 1)
    if not found:
        raise BadInput(f"no finished run of {task} is recorded; record one with `tapeline run {task}`")
    return str(found[0].info.run_id)


def histories(run_id: str) -> pd.DataFrame:
    """Metrics per epoch of a run's contenders: columns `contender`, `fold` (empty without folds), `metric`, `epoch`,
    `value`."""
    import pandas as pd

    rows: list[tuple[str, str, str, int, float]] = []
    with _reading() as store:
        parent = _pipeline_run(_required(store), run_id)
        for child in _children(_required(store), parent):
            for name, fold, metric in metrics.history_names(child.data.metrics):
                values = _required(store).client.get_metric_history(child.info.run_id, name)
                rows += [(child.info.run_name, fold, metric, value.step, value.value) for value in values]
    table = pd.DataFrame(rows, columns=["contender", "fold", "metric", "epoch", "value"])
    return table.sort_values(["contender", "fold", "metric", "epoch"], ignore_index=True)


def trainings(run_id: str) -> dict[str, History]:
    """The same as Histories by contender and fold, with their best epochs: what `figures.learning_curves` takes.

    An epoch whose value was not finite is NaN; of single layers (`health/`) the value before stands there.
    """
    from pipelines.contenders.contender import History

    best = contenders(run_id).set_index("contender")
    found = {}
    for (contender, fold), rows in histories(run_id).groupby(["contender", "fold"], sort=False):
        table = rows.pivot(index="epoch", columns="metric", values="value").reindex(range(1, rows.epoch.max() + 1))
        layers = [metric for metric in table if metric.startswith(metrics.LAYERS)]  # logged where they changed
        table[layers] = table[layers].ffill()
        column = metrics.metric_name("best_epoch", *([fold] if fold else []))
        found[f"{contender} {fold}".strip()] = History(
            {metric: tuple(values) for metric, values in table.items()}, int(best.at[contender, column]) - 1
        )
    return found


def bias(run_id: str) -> pd.DataFrame:
    """The bias table of a run: one row per contender, attribute, group and metric, with n, positives and interval."""
    import pandas as pd

    rows = [
        (card.name, row.attribute, row.group, row.n, row.n_positive, metric, found.value, found.low, found.high)
        for card in report(run_id).contenders
        for row in card.bias
        for metric, found in row.metrics.items()
    ]
    names = ["contender", "attribute", "group", "n", "n_positive", "metric", "value", "low", "high"]
    return pd.DataFrame(rows, columns=names)


def contender_run(store: Store, run_id: str, contender: str | None = None) -> str:
    """The id of a contender's run, from its own id or from its pipeline run's (None: the winner's).

    Raises:
        BadInput: no such run or contender.
    """
    run = resolve(store, run_id)
    if _is_contender(run):
        return str(run.info.run_id)
    wanted = contender or run.data.tags.get("winner", "")
    children = {child.info.run_name: child for child in _children(store, run)}
    if wanted not in children:
        asked = f"no contender {wanted!r}" if wanted else "no winner"
        raise BadInput(f"run {run.info.run_id} has {asked}; it has {', '.join(children) or 'no contender'}")
    return str(children[wanted].info.run_id)


def resolve(store: Store, run_id: str) -> Any:
    """The run (of a pipeline or of a contender) whose id is or begins with this.

    Raises:
        BadInput: no run does, or several do.
    """
    if not re.fullmatch(r"[0-9a-f]{4,32}", run_id):
        raise BadInput(f"{run_id!r} is no run id; give at least the first 4 of its digits, as `tapeline compare` shows")
    found = _search(store, None, f"attributes.run_id LIKE '{run_id}%'", 4)
    if not found:
        raise BadInput(f"no run {run_id} in {store.uri}; `tapeline compare TASK` shows the runs of a task")
    if len(found) > 1:
        shown = ", ".join(str(run.info.run_id) for run in found[:3])
        raise BadInput(f"run id {run_id} is ambiguous: {shown}{', ...' if len(found) > 3 else ''}; give more of it")
    return found[0]


@contextmanager
def _reading() -> Iterator[Store | None]:
    store = existing_store()
    if store is None:
        yield None
    else:
        with store.explained():
            yield store


def _required(store: Store | None) -> Store:
    if store is None:
        raise BadInput("no run is recorded here; record one with `tapeline run TASK`, or set MLFLOW_TRACKING_URI")
    return store


def _search(store: Store, task: str | None, condition: str, limit: int) -> list[Any]:
    if task is None:
        experiments = [str(each.experiment_id) for each in _pages(store.client.search_experiments)]
    else:
        found = store.find_experiment(task)
        experiments = [] if found is None else [found]
    if not experiments:
        return []

    def page(page_token: str | None) -> Any:
        size = min(limit, AT_ONCE)
        return store.client.search_runs(
            experiments, condition, max_results=size, order_by=["attributes.start_time DESC"], page_token=page_token
        )

    return list(_pages(page, limit))


def _pages(ask: Callable[..., Any], limit: float = math.inf) -> Iterator[Any]:
    given, token = 0, None
    while True:
        page = ask(page_token=token)
        for entry in page:
            if given >= limit:
                return
            given += 1
            yield entry
        token = page.token
        if not token:
            return


def _pipeline_run(store: Store, run_id: str) -> Any:
    run = resolve(store, run_id)
    parent = run.data.tags.get(PARENT)
    if run.data.tags.get("kind") == STUDY:
        raise BadInput(
            f"run {run.info.run_id} is a study; give the run of one of its sizes, as `tapeline ui` shows them"
        )
    if _is_contender(run):
        raise BadInput(f"run {run.info.run_id} is the contender {run.info.run_name!r} of run {parent}; give that one")
    return run


def _is_contender(run: Any) -> bool:
    """Whether a run is one contender's, and not that of a whole pipeline, which may stand in a study."""
    return PARENT in run.data.tags and run.data.tags.get("kind") != SHARE


def _children(store: Store, parent: Any) -> list[Any]:
    condition = f"tags.`{PARENT}` = '{parent.info.run_id}'"
    found = store.client.search_runs(
        [parent.info.experiment_id], condition, max_results=AT_ONCE, order_by=["attributes.start_time ASC"]
    )
    return list(found)


def _report(store: Store, run: Any) -> Report:
    run_id = run.info.run_id
    if not any(file.path == REPORT for file in store.client.list_artifacts(run_id)):
        why = run.data.tags.get("failure") or "its artifacts are not where they were recorded"
        raise BadInput(f"run {run_id} ({run.info.status}) has no report: {why}")
    with tempfile.TemporaryDirectory() as folder:
        path = store.client.download_artifacts(run_id, REPORT, folder)
        try:
            return Report.from_dict(json.loads(Path(path).read_text(encoding="utf-8")))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadInput(f"the report of run {run_id} cannot be read: {error}") from error


def _started(run: Any) -> Any:
    import pandas as pd

    return pd.Timestamp(run.info.start_time, unit="ms", tz="UTC")


def _status(run: Any) -> str:
    """As MLflow has it, but KILLED for a run whose process is gone without having said so."""
    status, process = str(run.info.status), run.data.tags.get("process", "")
    return "KILLED" if status == "RUNNING" and process and has_ended(process) else status


def _run_row(run: Any) -> dict[str, Any]:
    tags, measured, params = run.data.tags, run.data.metrics, run.data.params
    primary = tags.get("primary", "")
    return {
        "run_id": run.info.run_id,
        "task": tags.get("task", ""),
        "started": _started(run),
        "status": _status(run),
        **{name: measured.get(name, math.nan) for name in ("seconds", "difference", "p_value", "rows")},
        "low": measured.get("difference.low", math.nan),
        "high": measured.get("difference.high", math.nan),
        "network_score": measured.get(metrics.metric_name("network", primary), math.nan),
        "baseline_score": measured.get(metrics.metric_name("baseline", primary), math.nan),
        **{name: tags.get(name, "") for name in (*RUN_TAGS, "code_version")},
        "seed": params.get("seed", ""),
        "settings": {
            name.replace("/", ".", 1): value for name, value in sorted(params.items()) if name.startswith("protocol/")
        },
    }


def _contender_row(parent: Any, child: Any) -> dict[str, Any]:
    scores = {
        MEASURED.sub(r"\1_", name.removeprefix("cost/")).replace(".", "_"): value
        for name, value in sorted(child.data.metrics.items())
        if "/" not in name or name.startswith(("cost/", "best_epoch/")) or MEASURED.match(name)
    }
    return {
        "run_id": parent.info.run_id,
        "contender_run_id": child.info.run_id,
        "task": child.data.tags.get("task", ""),
        "started": _started(child),
        "contender": child.info.run_name,
        "kind": child.data.tags.get("kind", ""),
        "status": _status(child),
        "failure": child.data.tags.get("failure", ""),
        **scores,
    }
