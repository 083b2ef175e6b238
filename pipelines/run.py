"""One run, read top to bottom: load > check > split > fit contenders > predict > evaluate > compare > record."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pipelines import settings
from pipelines.contenders import saved
from pipelines.contenders.contender import Contender, Fitted, Watch, unwatched
from pipelines.contenders.lineup import line_up
from pipelines.data.assumed import assumed
from pipelines.data.checks import require_learnable, run_checks, split_checks
from pipelines.data.groups import set_aside
from pipelines.data.schema import ColumnSummary, describe
from pipelines.data.splits import Fold, split
from pipelines.errors import BadInput
from pipelines.evaluation import bias, comparison, intervals, thresholds, verdict
from pipelines.evaluation.outcome import FoldResult, Outcome
from pipelines.objectives.objective import Objective, Predictions
from pipelines.report import figures, plots
from pipelines.report.document import Check, Comparison, Cost, DataCard, Report, Scorecard
from pipelines.task import DataRequest, Dataset, Recipe, Sensitive, Task
from pipelines.task import Protocol as Splitting
from pipelines.tracking.provenance import versions
from pipelines.tracking.record import RunHandle, pipeline_run
from pipelines.tracking.store import open_store

MANY_ROWS = 20_000
"""From this many rows of a user's own, one holdout is precise enough and cross-validation only costs time."""


MANY_IDS, MOST_FOLDS = 20, 6
"""With fewer patients or speakers than this a holdout would judge by two or three of them: all are tested, in folds."""


class Progress(Protocol):
    """Who is told how far a run is. `pipelines.cli` draws bars; `Silent` says nothing."""

    def stage(self, name: str) -> AbstractContextManager[Watch]:
        """A piece of work with a name; the Watch is called as it goes on."""
        ...

    def say(self, line: str) -> None:
        """One line that a user should read."""
        ...

    def columns(self, summaries: Sequence[ColumnSummary]) -> None:
        """The schema that was found in a user's own data."""
        ...


class Silent:
    """A Progress that shows nothing."""

    def stage(self, name: str) -> AbstractContextManager[Watch]:
        return nullcontext(unwatched)

    def say(self, line: str) -> None:
        return None

    def columns(self, summaries: Sequence[ColumnSummary]) -> None:
        return None


@dataclass(frozen=True)
class Prepared:
    """Data that was read, checked and divided, with the objective resolved for it."""

    dataset: Dataset
    objective: Objective
    folds: tuple[Fold, ...]
    recipe: Recipe
    protocol: Splitting
    checks: tuple[Check, ...]

    def card(self) -> DataCard:
        """What the report says of the data."""
        examples = self.dataset.examples
        return DataCard(
            source=self.dataset.source,
            simulated=self.dataset.simulated,
            rows=len(examples),
            sha256=examples.sha256(),
            splits=self.folds[0].counts(),
            checks=self.checks,
            protocol=_described(self.protocol, self.folds, self.dataset),
            target=self.dataset.target,
            columns=dict(examples.kinds),
            notes=self.dataset.notes,
        )


@dataclass(frozen=True)
class Trial:
    """One contender after all its folds: its pooled outcome, and the first fold's model, which is the one saved."""

    contender: Contender
    outcome: Outcome
    fitted: tuple[Fitted, ...]
    threshold: float
    cost: Cost


def run(
    task: Task,
    request: DataRequest = DataRequest(),  # noqa: B008  frozen
    seed: int = 0,
    assignments: Sequence[str] = (),
    progress: Progress | None = None,
) -> Report:
    """Answer the task's question on this data, record everything in MLflow, and return the report.

    Args:
        assignments: `recipe.KEY=VALUE` and `protocol.KEY=VALUE` changes to what the task declares.

    Raises:
        BadInput: the data, a flag or a setting cannot work; nothing was recorded.
        TrainingFailed: a contender could not be trained; the MLflow run is marked FAILED.
    """
    started, progress = time.perf_counter(), progress or Silent()
    prepared = prepare(task, request, seed, assignments, progress)
    store, card = open_store(), prepared.card()
    with pipeline_run(store, task.name, params=_parameters(prepared, seed)) as parent:
        parent.dataset(card)
        contenders = line_up(task, prepared.objective, prepared.recipe)
        trials, cards = [], []
        for contender in contenders:
            with parent.child(contender.name, contender.kind, _settings_of(contender, prepared)) as child:
                with progress.stage(contender.name) as watch:
                    trial = compete(contender, prepared, seed, watch)
                scorecard = judge(trial, prepared, seed, child.run_id)
                _record(child, trial, scorecard, task, prepared)
            trials.append(trial)
            cards.append(scorecard)
        with progress.stage("compare and record"):
            report = _report(task, prepared, card, trials, cards, seed, parent.run_id, started)
            for name, figure in plots.of_run(report, {t.contender.name: t.outcome for t in trials}, prepared.objective):
                parent.figure(name, figure)
            report = replace(report, seconds=time.perf_counter() - started)
            parent.report(report)
    return report


def prepare(
    task: Task, request: DataRequest, seed: int, assignments: Sequence[str] = (), progress: Progress | None = None
) -> Prepared:
    """Read, check and divide the data.

    Raises:
        BadInput: what is wrong with the data, a flag or a setting, and what would be right.
    """
    progress = progress or Silent()
    settings.apply(assignments, task.recipe, task.protocol)  # a wrong key is told before anything is read
    with progress.stage("read and check the data"):
        dataset = load(task, request)
        require_learnable(dataset)
        objective = task.objective.resolve(dataset.examples.target, positive=dataset.positive)
        recipe, protocol = settings.apply(assignments, task.recipe, _fitting(task.protocol, dataset, request))
        codes = objective.encode(dataset.examples.target)
        classes: Sequence[str] = getattr(objective, "classes", ())
        folds = split(dataset.examples, codes if classes else None, protocol, seed, dataset.official)
        dataset = replace(dataset, notes=(*dataset.notes, *assumed(dataset, codes, classes, folds)))
        first = folds[0]
        checks = (*run_checks(dataset), *split_checks(dataset.examples, first.train, first.valid, first.test))
    if request.where != "sample":
        progress.columns(describe(dataset.examples))
    for note in dataset.notes:
        progress.say(note)
    for check in checks:
        if not check.passed:
            progress.say(f'the check "{check.name}" failed: {check.detail}')
    return Prepared(dataset, objective, folds, recipe, protocol, checks)


def load(task: Task, request: DataRequest) -> Dataset:
    """The rows that the request names, with sensitive attributes set aside from what models see."""
    where, _, name = request.where.partition(":")
    declared = list(task.sensitive)
    if request.where == "sample":
        dataset = task.sources.sample.load(request)
    elif where == "public":
        if not task.sources.public:
            raise BadInput(f"--data {request.where}: {task.name} has no public set; use --data sample or a path")
        name = name or next(iter(task.sources.public))
        if name not in task.sources.public:
            known = ", ".join(f"public:{each}" for each in task.sources.public)
            raise BadInput(f"--data {request.where}: there is no such public set; {task.name} has {known}")
        dataset = task.sources.public[name].load(request)
    else:
        dataset = task.sources.own.load(request)
    if request.where != "sample":
        # An attribute that the task declares is left out of the inputs wherever a column of that name turns up.
        declared = [each for each in task.sensitive if each.column in dataset.examples.columns]
    named = {each.column for each in declared}
    asked = [Sensitive(column) for column in request.sensitive if column not in named]
    return set_aside(dataset, [*declared, *asked])


def compete(contender: Contender, prepared: Prepared, seed: int, watch: Watch = unwatched) -> Trial:
    """Train on each fold, choose the threshold on its validation rows, predict its test rows."""
    examples, objective = prepared.dataset.examples, prepared.objective
    tests, fitted, cut, seconds, rows = [], [], [], 0.0, 0
    for number, fold in enumerate(prepared.folds):
        train, valid, test = (examples.take(part) for part in (fold.train, fold.valid, fold.test))
        model = contender.fit(train, valid, seed + number, _part_of(watch, number, len(prepared.folds)))
        threshold = _threshold(model, valid, objective)
        started = time.perf_counter()
        predictions = model.predict(test)
        seconds, rows = seconds + time.perf_counter() - started, rows + len(test)
        tests.append(FoldResult(test, _decided(predictions, threshold), fold.test, len(fold.train)))
        fitted.append(model)
        cut.append(threshold)
    cost = replace(
        fitted[0].cost,
        train_seconds=sum(model.cost.train_seconds for model in fitted),
        predict_rows_per_second=rows / max(seconds, 1e-9),
    )
    return Trial(contender, Outcome.pooled(objective, tests), tuple(fitted), cut[0], cost)


def judge(trial: Trial, prepared: Prepared, seed: int, mlflow_run_id: str = "") -> Scorecard:
    """Scores with intervals, and bias by group."""
    outcome, objective = trial.outcome, prepared.objective
    table = bias.group_table(outcome, objective)
    return Scorecard(
        name=trial.contender.name,
        kind=trial.contender.kind,
        scores=intervals.estimates(outcome, objective, prepared.protocol.resamples, seed),
        cost=trial.cost,
        threshold=trial.threshold,
        bias=table,
        gaps=bias.gaps(table),
        mlflow_run_id=mlflow_run_id,
        settings=dict(trial.fitted[0].settings),
    )


def _report(
    task: Task,
    prepared: Prepared,
    data: DataCard,
    trials: Sequence[Trial],
    cards: Sequence[Scorecard],
    seed: int,
    mlflow_run_id: str,
    started: float,
) -> Report:
    objective, outcomes = prepared.objective, {trial.contender.name: trial.outcome for trial in trials}
    networks, baselines = (
        [trial.contender.name for trial in trials if (trial.contender.kind == "classical") is classical]
        for classical in (False, True)
    )
    tested: list[Comparison] = []
    for network in networks:
        tested += comparison.compare(
            network, baselines, outcomes, objective, objective.primary, prepared.protocol.resamples, seed
        )
    answer = verdict.judge(
        task.limits,
        networks,
        baselines,
        cards,
        tested,
        objective.primary,
        objective.greater_is_better(objective.primary),
        trials[0].outcome.distinct_rows,
    )
    return Report(
        task=task.name,
        seed=seed,
        seconds=time.perf_counter() - started,
        data=data,
        contenders=tuple(cards),
        comparisons=tuple(tested),
        verdict=answer,
        primary=objective.primary,
        mlflow_run_id=mlflow_run_id,
        versions=versions(),
    )


def _record(child: RunHandle, trial: Trial, card: Scorecard, task: Task, prepared: Prepared) -> None:
    for number, model in enumerate(trial.fitted):
        if model.history.metrics:
            child.history(model.history, prefix=f"fold-{number + 1}" if len(trial.fitted) > 1 else "")
    child.scores(card)
    histories = {f"fold {number + 1}": model.history for number, model in enumerate(trial.fitted)}
    if trial.fitted[0].history.metrics:
        child.figure("learning_curves", figures.learning_curves(histories))
    first = prepared.dataset.examples.take(prepared.folds[0].test[:8])
    with tempfile.TemporaryDirectory() as folder:
        model = trial.fitted[0]
        saved.save(model, Path(folder), task.name, card.name, prepared.objective, first, trial.threshold)
        child.model(Path(folder), first, model.predict(first), getattr(model, "column", None))


def _threshold(model: Fitted, valid: Any, objective: Objective) -> float:
    """The decision threshold that validation rows ask for; NaN where there is none to choose."""
    by = getattr(objective, "decide_by", None)
    if by is None or not getattr(objective, "binary", False):
        return float("nan")
    return thresholds.choose(objective.encode(valid.target), model.predict(valid).values[:, 1], by)


def _decided(predictions: Predictions, threshold: float) -> Predictions:
    return predictions if threshold != threshold else predictions.decide(threshold)


def _fitting(protocol: Splitting, dataset: Dataset, request: DataRequest) -> Splitting:
    """The task's protocol, adapted to what this data has: moments, ids, its own test rows, many rows, few ids."""
    ids, official = dataset.examples.ids, dataset.official
    if request.time is not None:
        return replace(protocol, kind="holdout", by="time")
    by: Any = "id" if ids is not None else "row"
    if official is not None and (official == "test").any():
        return replace(protocol, by=by, kind="holdout")
    distinct = MANY_IDS if ids is None else len(np.unique(ids.astype(np.str_)))
    if distinct < MANY_IDS:
        return replace(protocol, by=by, kind="cross-validation", folds=max(2, min(distinct, MOST_FOLDS)))
    many = request.where != "sample" and len(dataset.examples) >= MANY_ROWS
    return replace(protocol, by=by, kind="holdout" if many else protocol.kind)


def _described(protocol: Splitting, folds: Sequence[Fold], dataset: Dataset) -> str:
    unit = {"row": "rows", "id": "whole ids", "time": "the last rows in time"}[protocol.by]
    if len(folds) > 1:
        repeats = f" x {protocol.repeats} repeats" if protocol.repeats > 1 else ""
        return f"{protocol.folds}-fold cross-validation{repeats}, {unit} held out"
    official = dataset.official is not None and protocol.by != "time" and (dataset.official == "test").any()
    return f"holdout of {len(folds[0].test)} rows ({'the official test rows' if official else unit})"


def _part_of(watch: Watch, number: int, parts: int) -> Watch:
    return lambda done, total: watch(number * total + done, parts * total)


def _parameters(prepared: Prepared, seed: int) -> Mapping[str, Any]:
    protocol = {f"protocol/{name}": value for name, value in vars(prepared.protocol).items()}
    return {"seed": seed, "data": prepared.dataset.source, **protocol}


def _settings_of(contender: Contender, prepared: Prepared) -> Mapping[str, Any]:
    if contender.kind == "classical":
        return {"recipe/trials": prepared.recipe.trials}
    return {f"recipe/{name}": value for name, value in vars(prepared.recipe).items() if name != "trials"}
