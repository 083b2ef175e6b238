"""What a run leaves in MLflow of itself and of each contender: parameters, scores, histories, figures, models."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines import cases, lending, strangers, tuning
from pipelines.compete import Trial
from pipelines.contenders import saved
from pipelines.contenders.contender import Contender
from pipelines.contenders.private import PrivateContender
from pipelines.contenders.remembered import itself
from pipelines.contenders.tuned import TunedContender
from pipelines.explanation import explain
from pipelines.prepare import Prepared
from pipelines.report import figures
from pipelines.report.document import BESIDE, Scorecard
from pipelines.report.health import gradient_health
from pipelines.report.lending import as_csv
from pipelines.task import Task
from pipelines.tracking.record import RunHandle
from pipelines.tracking.searches import log_searches


def record(child: RunHandle, trial: Trial, card: Scorecard, task: Task, prepared: Prepared) -> None:
    """What is measured of one contender, its history and figures, and its model."""
    several = prepared.protocol.seeds
    for number, done in enumerate(trial.folds):
        if done.history.metrics:
            child.history(done.history, prefix=_prefix(*divmod(number, several), prepared))
    child.scores(card)
    histories = {f"fold {place + 1}": done.history for place, done in enumerate(trial.folds[::several])}
    primary = prepared.objective.primary
    if searches := tuning.searches_of(trial, prepared.objective):
        log_searches(child, searches, primary, prepared.objective.greater_is_better(primary))
    if trial.folds[0].history.metrics:
        child.figure("learning_curves", figures.learning_curves(histories))
        gradients = gradient_health(trial.folds[0].history.metrics, card.name)
        if gradients is not None:
            child.figure("gradient_health", gradients)
    if card.kind not in BESIDE and (pictured := cases.figure_of(trial, prepared, card.name)) is not None:
        child.figure("cases", pictured)
    if card.points:
        child.text("scorecard.csv", as_csv(card.points))
    first = prepared.dataset.examples.take(prepared.folds[0].test[:8])
    with tempfile.TemporaryDirectory() as folder:
        model = trial.model
        acting = lending.acting_of(trial.folds[0], prepared, trial.only_ranks)
        read = (prepared.dataset.reading, prepared.dataset.masked)
        by = (trial.folds[0].calibration, trial.folds[0].by_group, acting, *read)
        saved.save(model, Path(folder), task.name, card.name, prepared.objective, first, trial.threshold, *by)
        explain.keep_usual(model, prepared.dataset.examples.take(prepared.folds[0].train), Path(folder))
        strangers.keep(trial.contender, model, prepared, Path(folder))
        child.model(Path(folder), first, model.predict(first), getattr(model, "column", None))


def _prefix(fold: int, training: int, prepared: Prepared) -> str:
    """What tells one training's history from the others'; nothing where there is one."""
    folds = [f"fold-{fold + 1}"] if len(prepared.folds) > 1 else []
    return "-".join([*folds, *([f"training-{training + 1}"] if prepared.protocol.seeds > 1 else [])])


def parameters(prepared: Prepared, seed: int, deterministic: bool) -> Mapping[str, Any]:
    """Of a whole run."""
    protocol = {f"protocol/{name}": value for name, value in vars(prepared.protocol).items()}
    return {"seed": seed, "deterministic": deterministic, "data": prepared.dataset.source, **protocol}


def settings_of(contender: Contender, prepared: Prepared) -> Mapping[str, Any]:
    """Of one contender, by what kind of contender it is."""
    contender = itself(contender)
    if isinstance(contender, TunedContender):
        recipe = {} if contender.kind == "classical" else vars(prepared.recipe)
        told = {f"recipe/{name}": value for name, value in recipe.items() if name != "trials"}
        return {"tuning/budget": str(contender.budget), **told}
    if contender.kind == "classical":
        return {"recipe/trials": prepared.recipe.trials}
    if contender.kind == "blend":
        return {}
    if contender.kind == "mitigated":
        made: Any = contender
        return {"mitigation/of": made.base.name, "mitigation/method": made.method, "mitigation/for": made.attribute}
    own = contender.recipe if isinstance(contender, PrivateContender) else prepared.recipe
    return {f"recipe/{name}": value for name, value in vars(own).items() if name != "trials"}
