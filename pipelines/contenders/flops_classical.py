"""Floating-point operations of a classical model for one row, by formula; NaN where none is known.

A multiplication and an addition are one operation each, as in `flops`; a comparison in a tree is one, an exponential is
one. Looking up a category counts nothing. With f features, k outputs, m support vectors:

- linear model: 2 f k + k, of a sparse row only what is present in it (Hastie, Tibshirani and Friedman 2009, 4.1);
- tree: one comparison a level, on the mean path of rows (ibid. 9.2), and k additions of what its leaf says;
- machine with a Gaussian kernel: m (3 f + 1) for the squared distances and their exponentials, and 2 m for each of its
  functions (ibid. 12.3); Nystroem: the same with its landmarks, and 2 m^2 (Williams and Seeger 2001);
- nearest neighbours: 3 f for each distance to a row that was kept, and k additions of votes (ibid. 13.3);
- principal components: f to centre and 2 f for each (Hastie et al. 14.5).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pipelines.contenders.pictures import flat_pixels

COUNTED: Mapping[Any, int] = {None: 0, flat_pixels: 1}
"""Features whose operations are known, for each number that they give: those that are passed through; a quotient."""

LOOKED_UP = frozenset({
    "CountVectorizer", "DummyClassifier", "DummyRegressor", "OneHotEncoder", "OrdinalEncoder", "SimpleImputer", "str",
})  # fmt: skip
"""They look up or copy; a `str` is a `passthrough` of columns."""

OF_A_WORD = 4
"""TF-IDF: a logarithm, a weight, a square and a quotient for each word that is present."""


def flops(model: Any, rows: Any) -> float:
    """Operations of a fitted estimator, or pipeline, for one row.

    Args:
        rows: some rows, as the model takes them; where operations depend on the row, their mean counts.
    """
    if hasattr(model, "steps"):
        total = 0.0
        for _, step in model.steps[:-1]:
            total += flops(step, rows)
            rows = step.transform(rows)
        return total + flops(model.steps[-1][1], rows)
    kind = type(model).__name__
    if kind in LOOKED_UP:
        return 0.0
    for name, counted in BY_KIND.items():
        if kind.startswith(name):
            return float(counted(model, rows))
    return float(_linear(model, rows)) if hasattr(model, "coef_") else math.nan


def _linear(model: Any, rows: Any) -> float:
    outputs = np.size(model.intercept_)
    return outputs * (2 * _present(rows) + 1)


def _naive_bayes(model: Any, rows: Any) -> float:
    return len(model.classes_) * (2 * _present(rows) + 1)


def _present(rows: Any) -> float:
    """Numbers of a row that are not left out: all of them unless rows are sparse."""
    present: float = (rows.nnz if hasattr(rows, "nnz") else np.size(rows)) / rows.shape[0]
    return present


def _columns(model: Any, rows: Any) -> float:
    return sum(flops(part, rows[names]) for _, part, names in model.transformers_ if part != "drop" and len(names))


def _scaled(model: Any, rows: Any) -> float:
    return 2 * _present(rows)


def _features(model: Any, rows: Any) -> float:
    each = COUNTED.get(model.func, math.nan)
    return each * np.size(model.transform(rows[:1]))


def _words(model: Any, rows: Any) -> float:
    return OF_A_WORD * _present(model.transform(rows))


def _components(model: Any, rows: Any) -> Any:
    kept, features = model.components_.shape
    return features * (2 * kept + 1) + (kept if model.whiten else 0)


def _landmarks(model: Any, rows: Any) -> Any:
    kept, features = model.components_.shape
    return kept * (3 * features + 1) + 2 * kept**2


def _machine(model: Any, rows: Any) -> Any:
    if model.kernel != "rbf":
        return math.nan
    vectors, features = model.support_vectors_.shape
    return vectors * (3 * features + 1) + 2 * np.size(model.dual_coef_) + np.size(model.intercept_)


def _calibrated(model: Any, rows: Any) -> float:
    """Each of its models, and a sigmoid for each class: a product, a sum, an exponential and a quotient."""
    each = [flops(part.estimator, rows) + 4 * len(part.calibrators) for part in model.calibrated_classifiers_]
    return sum(each)


def _forest(model: Any, rows: Any) -> float:
    outputs = len(getattr(model, "classes_", (0,)))
    return _levels(model.estimators_, np.asarray(rows, np.float32)) + outputs * len(model.estimators_)


def _isolation(model: Any, rows: Any) -> float:
    given = np.asarray(rows, np.float32)
    paths = [_levels([tree], given[:, kept]) for tree, kept in zip(
        model.estimators_, model.estimators_features_, strict=True)]  # fmt: skip
    return sum(paths) + len(paths)


def _levels(trees: Any, rows: Any) -> float:
    """Comparisons of a row in all trees: nodes that it passes, without the leaves."""
    return sum(float(tree.tree_.decision_path(rows).nnz) / len(rows) - 1 for tree in trees)


def _boosting(model: Any, rows: Any) -> float:
    """Of its training rows, which the leaves have counted."""
    total = 0.0
    for tree in (each for stage in model._predictors for each in stage):
        leaves = tree.nodes[tree.nodes["is_leaf"].astype(bool)]
        total += float(np.average(leaves["depth"], weights=leaves["count"])) + 1
    return total


def _one_class(model: Any, rows: Any) -> float:
    return flops(model.detector_, rows) + 2


def _nearest(model: Any, rows: Any) -> float:
    kept, features = model.kept_.shape
    return float(kept * 3 * features + min(model.k, kept) * model.votes_.shape[1])


def _scorecard(model: Any, rows: Any) -> float:
    return 2 * np.size(model.coef_) + 1


BY_KIND: Mapping[str, Callable[[Any, Any], Any]] = {
    "CalibratedClassifierCV": _calibrated,
    "ColumnTransformer": _columns,
    "FunctionTransformer": _features,
    "HistGradientBoosting": _boosting,
    "IsolationForest": _isolation,
    "MultinomialNB": _naive_bayes,
    "Nearest": _nearest,
    "Nystroem": _landmarks,
    "OneClass": _one_class,
    "PCA": _components,
    "RandomForest": _forest,
    "SVC": _machine,
    "Scorecard": _scorecard,
    "StandardScaler": _scaled,
    "TfidfVectorizer": _words,
}
"""By the beginning of the class's name."""
