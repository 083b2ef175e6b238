"""Classical models that learn what normal rows of a table are like, each a pipeline that takes raw rows."""

from __future__ import annotations

from pipelines.contenders.tables import prepared_columns, prior
from pipelines.data.examples import Examples
from pipelines.objectives.objective import Objective
from pipelines.task import Baseline, Candidate


def isolation_forest(train: Examples, objective: Objective) -> Candidate:
    """How few random cuts isolate a row, over 200 trees (Liu, Ting and Zhou 2008); rows and columns of a tree are
    tuned."""
    from sklearn.ensemble import IsolationForest
    from sklearn.pipeline import Pipeline

    from pipelines.contenders.one_class import OneClass

    forest = OneClass(IsolationForest(n_estimators=200, n_jobs=-1))
    few = min(256, len(train))
    search = {
        "forest__detector__max_samples": sorted({few, min(1024, len(train)), min(4096, len(train))}),
        "forest__detector__max_features": [0.5, 0.75, 1.0],
    }
    return Candidate(Pipeline([("columns", prepared_columns(train, scale=False)), ("forest", forest)]), search)


def local_outlier_factor(train: Examples, objective: Objective) -> Candidate:
    """How much sparser a row lies than its nearest neighbours do (Breunig et al. 2000); their number is tuned."""
    from sklearn.neighbors import LocalOutlierFactor
    from sklearn.pipeline import Pipeline

    from pipelines.contenders.one_class import OneClass

    most = max(1, len(train) - 1)
    factor = OneClass(LocalOutlierFactor(min(20, most), novelty=True, n_jobs=-1))
    search = {"lof__detector__n_neighbors": sorted({min(each, most) for each in (5, 10, 20, 40, 80)})}
    return Candidate(Pipeline([("columns", prepared_columns(train, scale=True)), ("lof", factor)]), search)


DETECTORS = (
    Baseline("isolation-forest", isolation_forest, learns_from="normal"),
    Baseline("lof", local_outlier_factor, learns_from="normal"),
)

BASELINES = (Baseline("prior", prior), *DETECTORS)
