"""Writing runs: one parent per pipeline run, one child per contender, each ended truthfully."""

from __future__ import annotations

import io
import json
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import Interrupted, TapelineError
from pipelines.report.document import Report, Scorecard
from pipelines.report.drawing import as_svg
from pipelines.report.study import Study
from pipelines.tracking import metrics
from pipelines.tracking.provenance import code_tags, devices, this_process
from pipelines.tracking.store import Store, first_line

if TYPE_CHECKING:
    from pipelines.contenders.contender import History
    from pipelines.data.examples import Examples
    from pipelines.objectives.objective import Predictions
    from pipelines.report.document import DataCard

PIPELINE, STUDY, SHARE = "pipeline", "study", "share"
"""The `kind` tag of a parent run; a child's is its contender's kind. The run of one size of a study is a SHARE, inside
the STUDY, so that nobody who asks for a task's runs takes it for one on all rows."""
REPORT, STUDIED, PAGE = "report.json", "study.json", "report.html"
FIGURES = "figures"
METRICS_AT_ONCE, PARAMS_AT_ONCE, TAGS_AT_ONCE = 1000, 100, 100
LONGEST_VALUE = 5000


@dataclass(frozen=True)
class Standing:
    """What a run is among the runs of its task.

    Args:
        kind: the tag that it is found by.
        within: id of the run that it stands in; empty for one that stands in none.
        name: the task's and the time where it is left out.
    """

    kind: str
    within: str = ""
    name: str = ""


@dataclass(frozen=True)
class RunHandle:
    """An open run. Everything is written at once and in batches; nothing waits for the end."""

    store: Store
    experiment: str
    run_id: str
    tags: Mapping[str, str]
    open_children: list[str] = field(default_factory=list)
    earlier: Mapping[str, Any] = field(default_factory=dict)
    """Name -> child that was there before this run was gone on with."""
    done: bool = False
    """Whether all was recorded before the run was gone on with."""

    @contextmanager
    def child(self, name: str, kind: str, params: Mapping[str, Any] | None = None) -> Iterator[RunHandle]:
        """A run inside this one, for one contender; ended like `pipeline_run`."""
        tags = {**self.tags, "kind": kind, "mlflow.parentRunId": self.run_id}
        if (before := self.earlier.get(name)) is not None:
            run_id, done = str(before.info.run_id), before.info.status == "FINISHED"
            _reopen(self.store, before, tags)
        else:
            run_id, done = _create(self.store, self.experiment, name, tags), False
        handle = RunHandle(self.store, self.experiment, run_id, tags, done=done)
        self.open_children.append(run_id)
        try:
            with _ended(handle):
                handle.params(params or {})
                yield handle
        finally:
            self.open_children.remove(run_id)

    def params(self, params: Mapping[str, Any]) -> None:
        """What was set, once each; a long value is cut."""
        from mlflow.entities import Param

        entries = [
            Param(metrics.metric_name(*name.split("/")), str(value)[:LONGEST_VALUE]) for name, value in params.items()
        ]
        for batch in _batches(entries, PARAMS_AT_ONCE):
            self.store.client.log_batch(self.run_id, params=batch)

    def tag(self, **tags: str) -> None:
        """Short texts that a run is found by."""
        from mlflow.entities import RunTag

        entries = [RunTag(name, str(value)[:LONGEST_VALUE]) for name, value in tags.items()]
        for batch in _batches(entries, TAGS_AT_ONCE):
            self.store.client.log_batch(self.run_id, tags=batch)

    def metrics(self, values: Mapping[str, float]) -> None:
        """Numbers by name; those that are not finite are left out."""
        self._log((name, value, 0) for name, value in metrics.finite(values).items())

    def history(self, history: History, prefix: str = "") -> None:
        """A training's metrics per epoch (the first is 1) and its best epoch; `prefix` names the fold.

        What is measured of each layer only now and then, and stands in the history until the next time, is logged once.
        """
        series = {metrics.history_name(name, prefix): values for name, values in history.metrics.items()}
        sparse = {metrics.history_name(name, prefix) for name in history.metrics if name.startswith(metrics.LAYERS)}
        self._log(
            (name, value, epoch)
            for name, values in series.items()
            for epoch, value in enumerate(values, start=1)
            if metrics.finite({name: value}) and not (name in sparse and epoch > 1 and value == values[epoch - 2])
        )
        if series:
            self.metrics({metrics.metric_name("best_epoch", *([prefix] if prefix else [])): history.best_epoch + 1})

    def scores(self, card: Scorecard) -> None:
        """All that a contender achieved, down to its cost and its bias; its settings as parameters."""
        self.metrics(metrics.of_scorecard(card))
        self.params({f"chosen/{name}": value for name, value in card.settings.items()})

    def dataset(self, card: DataCard) -> None:
        """Which data the run used, as MLflow's dataset input and as tags."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        columns = [{"name": name, "type": _column_type(kind), "required": True} for name, kind in card.columns.items()]
        dataset = Dataset(
            name=(card.source or "data")[:500],
            digest=card.sha256[:36],
            source_type="code",
            source=json.dumps({"tags": {"source": card.source}}),
            schema=json.dumps({"mlflow_colspec": columns}) if columns else None,
            profile=json.dumps({"num_rows": card.rows, "splits": dict(card.splits), "simulated": card.simulated}),
        )
        context = InputTag("mlflow.data.context", "train, valid, test")
        self.store.client.log_inputs(self.run_id, [DatasetInput(dataset, [context])])
        self.tag(data_sha256=card.sha256, data_source=card.source, data_simulated=str(card.simulated).lower())

    def model(self, folder: Path, inputs: Examples, outputs: Predictions, column: str | None = None) -> None:
        """A saved contender, with its signature; see `pipelines.tracking.models.log_model`."""
        from pipelines.tracking.models import log_model

        log_model(self, folder, inputs, outputs, column)

    def figure(self, name: str, figure: Any) -> None:
        """A matplotlib Figure: `figures/NAME.png` to look at in MLflow, `figures/NAME.svg` for the page."""
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png")
        self._artifact(f"{name}.png", drawn.getvalue(), FIGURES)
        self._artifact(f"{name}.svg", as_svg(figure), FIGURES)

    def report(self, report: Report) -> None:
        """The report document as `report.json`, and its verdict as tags and metrics."""
        self._artifact(REPORT, report.to_json(indent=1).encode())
        verdict = report.verdict
        self.tag(
            winner=verdict.winner,
            answer=verdict.network_beats_best_baseline,
            network=verdict.network,
            best_baseline=verdict.best_baseline,
            primary=report.primary,
            passed=str(verdict.passed).lower(),
            verdict=verdict.sentence,
        )
        self.metrics(metrics.of_report(report))

    def text(self, name: str, content: str) -> None:
        """A text file of this name."""
        self._artifact(name, content.encode())

    def series(self, values: Iterable[tuple[str, float, int]]) -> None:
        """(name, value, step) of numbers that have a value at several steps."""
        self._log(value for value in values if metrics.finite({value[0]: value[1]}))

    def study(self, study: Study) -> None:
        """The study document as `study.json`, what it says as a tag, and scores and leads by rows learned from."""
        self._artifact(STUDIED, study.to_json(indent=1).encode())
        self.tag(primary=study.primary, sentence=study.sentence)
        self._log(metrics.of_study(study))

    def _log(self, values: Iterable[tuple[str, float, int]]) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        entries = [Metric(name, float(value), now, step) for name, value, step in values]
        for batch in _batches(entries, METRICS_AT_ONCE):
            self.store.client.log_batch(self.run_id, metrics=batch)

    def _artifact(self, name: str, content: bytes, folder: str | None = None) -> None:
        with tempfile.TemporaryDirectory() as temporary:
            path = Path(temporary) / name
            path.write_bytes(content)
            self.store.client.log_artifact(self.run_id, str(path), folder)


@contextmanager
def pipeline_run(
    store: Store,
    task: str,
    tags: Mapping[str, str] | None = None,
    params: Mapping[str, Any] | None = None,
    going_on_with: str = "",
    standing: Standing | None = None,
) -> Iterator[RunHandle]:
    """A run of a whole pipeline, in the experiment named like the task.

    Args:
        going_on_with: id of the run to reopen, which ended early; a new one is made where it is gone.
        standing: where it is not a run of its own.

    It ends FINISHED; FAILED with the tag `failure` when an exception passes through; KILLED when it was interrupted.
    Children still open then end the same way. Runs whose process died without a word are ended first.

    Raises:
        BadInput: MLflow failed; and whatever the block raises.
    """
    from pipelines.tracking.stale import close_stale

    with store.explained():
        experiment = store.experiment(task)
        close_stale(store, experiment)
        shared = {"task": task, **code_tags(), "process": this_process(), **(tags or {})}
        standing = standing or Standing(PIPELINE)
        name = standing.name or f"{task.rpartition('/')[2]} {time.strftime('%Y-%m-%d %H:%M:%S')}"
        run, children = _earlier(store, experiment, going_on_with)
        if run is not None:
            _reopen(store, run, shared)
        own = {"kind": standing.kind, **({"mlflow.parentRunId": standing.within} if standing.within else {})}
        run_id = going_on_with if run is not None else _create(store, experiment, name, {**shared, **own})
        handle = RunHandle(store, experiment, run_id, shared, earlier=children)
        with _ended(handle):
            handle.params(params or {})
            yield handle


def _earlier(store: Store, experiment: str, run_id: str) -> tuple[Any, dict[str, Any]]:
    """The run of this id and its children by name; None and nothing where it is gone."""
    from mlflow.exceptions import MlflowException

    if not run_id:
        return None, {}
    try:
        run = store.client.get_run(run_id)
    except MlflowException:
        return None, {}
    if run.info.experiment_id != experiment or run.info.lifecycle_stage != "active":
        return None, {}
    children = store.client.search_runs([experiment], f"tags.mlflow.parentRunId = '{run_id}'", max_results=1000)
    return run, {child.info.run_name: child for child in children}


def _reopen(store: Store, run: Any, tags: Mapping[str, str]) -> None:
    """Go on with a run that ended early, as this process's own."""
    client, run_id = store.client, str(run.info.run_id)
    client.update_run(run_id, status="RUNNING")
    for name, value in tags.items():
        client.set_tag(run_id, name, str(value)[:LONGEST_VALUE])
    if "failure" in run.data.tags:
        client.delete_tag(run_id, "failure")
    client.set_tag(run_id, "resumed", str(int(run.data.tags.get("resumed", 0)) + 1))


def status_of(error: BaseException) -> str:
    """How MLflow calls a run that ended by this exception."""
    return "KILLED" if isinstance(error, Interrupted) or not isinstance(error, Exception) else "FAILED"


def reason_of(error: BaseException) -> str:
    """One line on why a run ended, without what an unforeseen exception may quote from the data.

    Our own errors are written for a reader; of any other only its type and the line of ours that it passed last.
    """
    if isinstance(error, TapelineError):
        return first_line(error)
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    frames = [
        f"{frame.f_globals.get('__name__', '?')} line {line}"
        for frame, line in traceback.walk_tb(error.__traceback__)
        if str(frame.f_globals.get("__name__")).partition(".")[0] in ("pipelines", "domains")
    ]
    return f"{type(error).__name__}" + (f" in {frames[-1]}" if frames else "")


@contextmanager
def _ended(handle: RunHandle) -> Iterator[None]:
    client = handle.store.client
    try:
        yield
    except BaseException as error:
        with suppress(Exception):  # the store may be what failed; the first error is the one to report
            for run_id in (*handle.open_children, handle.run_id):
                client.set_tag(run_id, "failure", reason_of(error))
                client.set_terminated(run_id, status_of(error))
        raise
    if "devices" not in handle.tags:
        handle.tag(devices=devices())
    client.set_terminated(handle.run_id, "FINISHED")


def _create(store: Store, experiment: str, name: str, tags: Mapping[str, str]) -> str:
    source = {"mlflow.source.name": Path(sys.argv[0] or "python").name, "mlflow.source.type": "LOCAL"}
    cut = {key: str(value)[:LONGEST_VALUE] for key, value in {**source, **tags}.items()}
    return str(store.client.create_run(experiment, run_name=name, tags=cut).info.run_id)


def _batches(entries: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(entries), size):
        yield entries[start : start + size]


def _column_type(kind: str) -> str:
    return {"number": "double", "category": "string", "text": "string"}.get(kind, "object")
