"""Classical models as contenders: a scikit-learn pipeline, tuned by a small randomised search on training rows."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.contenders.contender import UNMEASURED, UNRECORDED, History, Watch, unwatched
from pipelines.contenders.search import FEW_ROWS, one_thread, search, seeded, weights
from pipelines.data.examples import Examples
from pipelines.errors import TrainingFailed
from pipelines.objectives.objective import Objective, Predictions
from pipelines.report.document import ContenderKind, Cost
from pipelines.task import Baseline, Candidate, Recipe
from pipelines.training.checkpoint import Checkpoints

INNER_FOLDS = 3
"""Folds, within the training rows, on which a setting is scored."""

SCORERS = {"auroc": "roc_auc", "accuracy": "accuracy", "rmse": "neg_root_mean_squared_error"}
"""Our primary scores by scikit-learn's names."""


@dataclass(frozen=True)
class ClassicalContender:
    """Tunes and trains `baseline` for `objective`; the search tries `recipe.trials` settings."""

    baseline: Baseline
    objective: Objective
    recipe: Recipe
    kind: ContenderKind = "classical"

    @property
    def name(self) -> str:
        return self.baseline.name

    def fit(
        self,
        train: Examples,
        valid: Examples,
        seed: int,
        watch: Watch = unwatched,
        checkpoints: Checkpoints | None = None,
    ) -> FittedClassical:
        from threadpoolctl import threadpool_limits

        started = time.perf_counter()
        candidate = self.baseline.build(train, self.objective)
        x, y = inputs(train, self.baseline.column), self.objective.encode(train.target)
        with warnings.catch_warnings(), threadpool_limits(1 if len(y) < FEW_ROWS else None):
            warnings.simplefilter("ignore")  # what does not converge shows in its score
            settings = self._search(candidate, x, y, train, seed, watch)
            estimator = seeded(candidate.estimator, seed).set_params(**candidate.final, **settings)
            try:
                estimator.fit(x, y, **weights(estimator, train.weight))
            except ValueError as error:
                raise TrainingFailed(f"{self.name} could not be trained: {error}") from error
        return FittedClassical(
            one_thread(estimator),
            self.objective,
            self.baseline.column,
            Cost(time.perf_counter() - started, parameters=count_parameters(estimator)),
            settings={
                name: f"{value:.4g}" if isinstance(value, float) else str(value) for name, value in settings.items()
            },
        )

    def _search(
        self, candidate: Candidate, x: Any, y: NDArray[Any], train: Examples, seed: int, watch: Watch
    ) -> dict[str, Any]:
        """The best settings over inner folds; ids stay together in these folds too."""
        if not candidate.search:
            watch(1, 1)
            return {}
        folds, scorer = self._inner_folds(y, train, seed), SCORERS[self.objective.primary]
        return search(candidate, x, y, train.weight, folds, scorer, self.recipe.trials, seed, watch)

    def _inner_folds(self, y: NDArray[Any], train: Examples, seed: int) -> list[Any]:
        from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

        stratified = self.objective.kind == "classification"
        ids = None if train.ids is None else train.ids.astype(str)
        if ids is not None and len(np.unique(ids)) >= INNER_FOLDS:
            kind: Any = StratifiedGroupKFold if stratified else GroupKFold
        else:
            kind, ids = (StratifiedKFold if stratified and np.bincount(y).min() >= INNER_FOLDS else KFold), None
        folds = kind(INNER_FOLDS, shuffle=True, random_state=seed)
        return list(folds.split(np.zeros(len(y)), y, ids))


@dataclass(frozen=True)
class FittedClassical:
    """A trained scikit-learn pipeline that takes raw rows."""

    estimator: Any
    objective: Objective
    column: str | None
    cost: Cost = UNMEASURED
    history: History = UNRECORDED
    settings: Mapping[str, str] = field(default_factory=dict)

    def predict(self, examples: Examples) -> Predictions:
        x = inputs(examples, self.column)
        if self.objective.kind != "classification":
            return self.objective.predict(self.estimator.predict(x))
        found = self.estimator.predict_proba(x)
        # A class that was absent from the training rows has no column; its probability is 0.
        values = np.zeros((len(examples), max(2, self.objective.outputs)))
        values[:, self.estimator.classes_.astype(int)] = found
        return self.objective.predict(values)

    def save(self, folder: Path) -> Path:
        import skops.io

        path = folder / "model.skops"
        skops.io.dump(self.estimator, path)
        return path


def inputs(examples: Examples, column: str | None) -> Any:
    """What a pipeline reads: the table as a DataFrame, or one column as an array."""
    return examples.frame() if column is None else np.asarray(examples.columns[column])


def count_parameters(estimator: Any) -> int:
    """Numbers that the fitted model holds: coefficients, or nodes of trees; 0 where it keeps none of these."""
    last = estimator[-1] if hasattr(estimator, "steps") else estimator
    if hasattr(last, "coef_"):
        return int(np.size(last.coef_) + np.size(last.intercept_))
    if hasattr(last, "estimators_"):
        return int(sum(tree.tree_.node_count for tree in np.ravel(last.estimators_)))
    if hasattr(last, "_predictors"):
        return int(sum(len(tree.nodes) for stage in last._predictors for tree in stage))
    return int(np.size(last.support_vectors_)) if hasattr(last, "support_vectors_") else 0
