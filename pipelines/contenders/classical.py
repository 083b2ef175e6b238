"""Classical models as contenders: a scikit-learn pipeline, tuned by a small randomised search on training rows."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.contenders import flops_classical
from pipelines.contenders.contender import UNMEASURED, UNRECORDED, History, Watch, unwatched
from pipelines.contenders.meter import Meter
from pipelines.contenders.opinions import softened
from pipelines.contenders.search import FEW_ROWS, one_thread, picked, search, seeded, weights
from pipelines.contenders.skops_io import skops_io
from pipelines.contenders.suggestion import Space, axis_of
from pipelines.data.examples import Examples, OnDemand
from pipelines.errors import TrainingFailed
from pipelines.objectives.objective import Objective, Predictions
from pipelines.report.document import ContenderKind, Cost
from pipelines.report.tuning import Tried
from pipelines.task import Baseline, Candidate, Recipe
from pipelines.training.checkpoint import Checkpoints

INNER_FOLDS = 3
"""Folds, within the training rows, on which a setting is scored."""

COUNTED_ON = 64
"""Rows on which operations that depend on the row are counted."""

READ_BYTES, FEATURE_BYTES = 16 << 20, 2 << 20
"""Of a column, how much is read on demand at a time, and how much of that has its features taken at a time: computing
them may take 100 times that."""

SCORERS = {
    "auroc": "roc_auc", "average_precision": "average_precision", "accuracy": "accuracy",
    "rmse": "neg_root_mean_squared_error",
}  # fmt: skip
"""Our primary scores by scikit-learn's names."""


@dataclass(frozen=True)
class Judge:
    """A scorer, as scikit-learn's are, by the objective's own primary score."""

    objective: Objective

    def __call__(self, model: Any, x: Any, y: NDArray[Any]) -> float:
        """Greater is better."""
        primary = self.objective.primary
        value = self.objective.scores(y, answers(model, x, self.objective))[primary]
        return value if self.objective.greater_is_better(primary) else -value


@dataclass(frozen=True)
class ClassicalContender:
    """Tunes and trains `baseline` for `objective`; the search tries `recipe.trials` settings.

    Args:
        fixed: settings to train with, instead of a search.
    """

    baseline: Baseline
    objective: Objective
    recipe: Recipe
    kind: ContenderKind = "classical"
    fixed: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        return self.baseline.name

    def space(self, train: Examples, pinned: Collection[str] = ()) -> Space:
        """What its search may try, and what its estimator is set to without one."""
        candidate = self.baseline.build(train, self.objective)
        usual = candidate.estimator.get_params()
        axes = {name: axis_of(f"{self.name}'s {name}", each) for name, each in candidate.search.items()}
        return Space(axes, {name: usual[name] for name in axes})

    def having(self, settings: Mapping[str, Any]) -> ClassicalContender:
        """The same baseline with these settings, and without a search."""
        return replace(self, fixed=dict(settings))

    def fit(
        self,
        train: Examples,
        valid: Examples,
        seed: int,
        watch: Watch = unwatched,
        checkpoints: Checkpoints | None = None,
    ) -> FittedClassical:
        from threadpoolctl import threadpool_limits

        with Meter() as meter, warnings.catch_warnings(), threadpool_limits(1 if len(train) < FEW_ROWS else None):
            candidate = self.baseline.build(train, self.objective)
            y = self.objective.encode(train.target)
            warnings.simplefilter("ignore")  # what does not converge shows in its score
            steps, x = featured(candidate.estimator, inputs(train, self.baseline.column))
            settings = self._search(replace(candidate, estimator=steps), x, y, train, valid, seed, watch)
            estimator = seeded(candidate.estimator, seed).set_params(**candidate.final, **settings)
            try:
                x, y, weight = self._softened(x, y, train)
                steps.fit(x, y, **weights(steps, weight))  # the same objects as the estimator's own last steps
            except ValueError as error:
                raise TrainingFailed(f"{self.name} could not be trained: {error}") from error
        return FittedClassical(
            one_thread(estimator),
            self.objective,
            self.baseline.column,
            meter.cost(count_parameters(estimator), len(train)),
            settings={
                name: f"{value:.4g}" if isinstance(value, float) else str(value) for name, value in settings.items()
            },
        )

    def _softened(self, x: Any, y: NDArray[Any], train: Examples) -> tuple[Any, NDArray[Any], NDArray[Any] | None]:
        """What it is fitted on in the end: rows, classes and weights; with soft labels, if the recipe asks for them."""
        if self.recipe.soft_labels == "no" or train.opinion is None:
            return x, y, train.weight
        rows, classes, weight = softened(train.opinion, y, train.weight)
        return picked(x, rows), classes, weight

    def _search(
        self, candidate: Candidate, x: Any, y: NDArray[Any], train: Examples, valid: Examples, seed: int, watch: Watch
    ) -> dict[str, Any]:
        """The best settings over inner folds; ids stay together in these folds too."""
        if self.fixed is not None:
            return dict(self.fixed)
        if not candidate.search:
            watch(1, 1)
            return {}
        folds = self._inner_folds(y, train, seed)
        scorer = SCORERS.get(self.objective.primary) or Judge(self.objective)
        return search(candidate, x, y, train.weight, folds, scorer, self.recipe.trials, seed, watch)

    def _inner_folds(self, y: NDArray[Any], train: Examples, seed: int) -> list[Any]:
        from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold, TimeSeriesSplit

        if self.objective.kind == "allocation":  # what is earned on days that follow each other
            return list(TimeSeriesSplit(INNER_FOLDS).split(y))
        stratified = self.objective.kind == "classification"
        if train.time is not None and (forward := _forward(train.time, y if stratified else None)):
            return forward
        ids = None if train.ids is None else train.ids.astype(str)
        if ids is not None and len(np.unique(ids)) >= INNER_FOLDS:
            kind: Any = StratifiedGroupKFold if stratified else GroupKFold
        else:
            kind, ids = (StratifiedKFold if stratified and np.bincount(y).min() >= INNER_FOLDS else KFold), None
        folds = kind(INNER_FOLDS, shuffle=True, random_state=seed)
        return list(folds.split(np.zeros(len(y)), y, ids))


def _forward(time: NDArray[Any], classes: NDArray[Any] | None) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Inner folds that learn from what came before, as the test will; none where a class is missing in one of them.

    Rows of one moment may stand on both sides of a border.
    """
    from sklearn.model_selection import TimeSeriesSplit

    order = np.argsort(time, kind="stable")
    if len(order) <= INNER_FOLDS:
        return []
    folds = [(order[rest], order[part]) for rest, part in TimeSeriesSplit(INNER_FOLDS).split(order)]
    if classes is not None:
        known = len(np.unique(classes))
        if any(len(np.unique(classes[part])) < known for fold in folds for part in fold):
            return []
    return folds


@dataclass(frozen=True)
class FittedClassical:
    """A trained scikit-learn pipeline that takes raw rows."""

    estimator: Any
    objective: Objective
    column: str | None
    cost: Cost = UNMEASURED
    history: History = UNRECORDED
    settings: Mapping[str, str] = field(default_factory=dict)
    tried: tuple[Tried, ...] = ()

    def predict(self, examples: Examples) -> Predictions:
        return answers(*featured(self.estimator, inputs(examples, self.column)), self.objective)

    def flops(self, examples: Examples) -> float:
        """Operations of predicting one row, by formula, the mean of some rows."""
        some = inputs(examples.take(np.arange(min(len(examples), COUNTED_ON))), self.column)
        return flops_classical.flops(self.estimator, some[:] if isinstance(some, OnDemand) else some)

    def save(self, folder: Path) -> Path:
        path = folder / "model.skops"
        skops_io().dump(self.estimator, path)
        return path


def answers(model: Any, x: Any, objective: Objective) -> Predictions:
    """What a fitted estimator says of some rows."""
    if objective.kind != "classification":
        return objective.predict(model.predict(x))
    found, known = model.predict_proba(x), getattr(objective, "classes", ())
    # A class that was absent from the training rows has no column; its probability is 0.
    values = np.zeros((len(found), max(2, len(known))))
    values[:, model.classes_.astype(int)] = found
    return objective.predict(values)


def inputs(examples: Examples, column: str | None) -> Any:
    """What a pipeline reads: the table as a DataFrame, or one column, as an array unless it is read on demand."""
    if column is None:
        return examples.frame()
    values = examples.columns[column]
    return values if isinstance(values, OnDemand) else np.asarray(values)


def featured(estimator: Any, values: Any) -> tuple[Any, Any]:
    """What is left to do of a pipeline, and on what.

    Features that need no fitting are taken block by block, once, so that of a column on demand only they have to fit
    in memory. A text on demand is gone through by the vectoriser itself. Any other model gets all rows at once.

    Returns:
        The pipeline's steps after the features, which stay its own; or all of it.
    """
    from sklearn.dummy import DummyClassifier, DummyRegressor
    from sklearn.preprocessing import FunctionTransformer

    if hasattr(estimator, "steps") and isinstance(estimator[0], FunctionTransformer):
        return estimator[1:], np.concatenate([estimator[0].transform(block) for block in _blocks(values)])
    if not isinstance(values, OnDemand) or isinstance(estimator, DummyClassifier | DummyRegressor):
        return estimator, values
    return estimator, values if values.dtype == object else values[:]


def _blocks(values: Any) -> Iterator[Any]:
    if isinstance(values, OnDemand):
        for read in values.blocks(READ_BYTES):
            yield from _blocks(read)
        return
    size = max(1, FEATURE_BYTES // max(1, values[:1].nbytes))
    yield from (values[start : start + size] for start in range(0, len(values), size))


def count_parameters(estimator: Any) -> int:
    """Numbers that the fitted model holds: coefficients, or nodes of trees; 0 where it keeps none of these."""
    last = estimator[-1] if hasattr(estimator, "steps") else estimator
    last = getattr(last, "detector_", last)
    if hasattr(last, "calibrated_classifiers_"):
        return sum(count_parameters(part.estimator) for part in last.calibrated_classifiers_)
    if hasattr(last, "coef_"):
        return int(np.size(last.coef_) + np.size(last.intercept_))
    if hasattr(last, "estimators_"):
        return int(sum(tree.tree_.node_count for tree in np.ravel(last.estimators_)))
    if hasattr(last, "_predictors"):
        return int(sum(len(tree.nodes) for stage in last._predictors for tree in stage))
    if hasattr(last, "negative_outlier_factor_"):
        return int(np.size(last._fit_X))  # it keeps its rows
    if hasattr(last, "kept_"):
        return int(np.size(last.kept_))
    return int(np.size(last.support_vectors_)) if hasattr(last, "support_vectors_") else 0
