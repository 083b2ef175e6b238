"""The classical models for tables, each a scikit-learn pipeline that takes raw rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipelines.data.examples import Examples
from pipelines.objectives.objective import Objective
from pipelines.task import Baseline, Candidate

RARE = 5
"""A category seen in fewer training rows shares one column with the other rare and the unseen ones."""


def prior(train: Examples, objective: Objective) -> Candidate:
    """Predicts the share of each class, or the mean: what any model has to beat."""
    from sklearn.dummy import DummyClassifier, DummyRegressor

    return Candidate(DummyClassifier(strategy="prior") if _classifies(objective) else DummyRegressor())


def linear(train: Examples, objective: Objective) -> Candidate:
    """Logistic or ridge regression on standardised numbers (missing: median and a flag) and one-hot categories."""
    from scipy.stats import loguniform
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline

    if _classifies(objective):
        pipeline = make_pipeline(prepared_columns(train, scale=True), LogisticRegression(max_iter=500))
        return Candidate(pipeline, {"logisticregression__C": loguniform(1e-3, 1e2)})
    return Candidate(
        make_pipeline(prepared_columns(train, scale=True), Ridge()), {"ridge__alpha": loguniform(1e-2, 1e3)}
    )


def forest(train: Examples, objective: Objective) -> Candidate:
    """Random forest of 200 trees (Breiman 2001); leaf size and features per split are tuned, with 60 trees a trial."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
    from sklearn.pipeline import make_pipeline

    kind: Any = RandomForestClassifier if _classifies(objective) else RandomForestRegressor
    name = kind.__name__.lower()
    search = {f"{name}__min_samples_leaf": [2, 4, 8, 16], f"{name}__max_features": [0.15, 0.3, 0.5, "sqrt"]}
    pipeline = make_pipeline(prepared_columns(train, scale=False), kind(n_estimators=60, n_jobs=-1))
    return Candidate(pipeline, search, final={f"{name}__n_estimators": 200})


def boosting(train: Examples, objective: Objective) -> Candidate:
    """Histogram gradient boosting; missing values and categories are native. Rate, leaves and penalty are tuned."""
    from scipy.stats import loguniform
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.pipeline import make_pipeline

    kind: Any = HistGradientBoostingClassifier if _classifies(objective) else HistGradientBoostingRegressor
    name = kind.__name__.lower()
    # Its binning fails on a column without any value.
    numbers = [name for name in train.names("number") if not np.isnan(train.columns[name]).all()]
    categories = train.names("category")
    native = kind(categorical_features=list(range(len(numbers), len(numbers) + len(categories))), early_stopping=False)
    search = {
        f"{name}__learning_rate": loguniform(0.02, 0.2),
        f"{name}__max_iter": [50, 100, 200],
        f"{name}__max_leaf_nodes": [4, 8, 16, 31],
        f"{name}__min_samples_leaf": [10, 20, 40],
        f"{name}__l2_regularization": loguniform(1e-3, 10),
    }
    return Candidate(make_pipeline(_ordinal(numbers, categories), native), search)


BASELINES = (
    Baseline("prior", prior),
    Baseline("linear", linear),
    Baseline("forest", forest),
    Baseline("boosting", boosting),
)


def _classifies(objective: Objective) -> bool:
    return objective.kind == "classification"


def prepared_columns(train: Examples, scale: bool) -> Any:
    """Numbers imputed with the median and flagged where missing, categories one-hot; fitted inside the pipeline."""
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    numbers = make_pipeline(imputer, StandardScaler()) if scale else imputer
    categories = OneHotEncoder(min_frequency=RARE, handle_unknown="infrequent_if_exist", sparse_output=False)
    return make_column_transformer(
        (numbers, train.names("number")), (categories, train.names("category")), verbose_feature_names_out=False
    )


def _ordinal(numbers: list[str], categories: list[str]) -> Any:
    """Numbers as they are, categories as codes; a category never seen, or missing, is a missing value."""
    from sklearn.compose import make_column_transformer
    from sklearn.preprocessing import OrdinalEncoder

    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=float("nan"),
        encoded_missing_value=float("nan"),
        max_categories=200,  # boosting takes 255 at most; the rarest share a code
    )
    return make_column_transformer(("passthrough", numbers), (codes, categories), verbose_feature_names_out=False)
