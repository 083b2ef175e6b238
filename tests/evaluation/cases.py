"""Made data whose truth is known, shared by the tests of this folder."""

import numpy as np

from pipelines.evaluation.outcome import Outcome, Round
from pipelines.objectives.classification import Classification
from pipelines.objectives.objective import Predictions
from pipelines.objectives.regression import Regression

BINARY = Classification(classes=("no", "yes"))
TERNARY = Classification(classes=("a", "b", "c"))
NUMBER = Regression()


class Counted:
    """An objective that evaluation knows nothing about: share of exact hits."""

    kind = "transcription"
    primary = "exact"

    def scores(self, target, predictions, weight=None):
        weights = np.ones(len(target)) if weight is None else weight
        hits = np.array([said == true for said, true in zip(predictions.values, target, strict=True)], float)
        return {"exact": float(hits @ weights / weights.sum()) if weights.sum() > 0 else float("nan")}

    def greater_is_better(self, score):
        return True


class Slow:
    """The same objective under a kind that has no fast path."""

    def __init__(self, objective):
        self.objective = objective
        self.kind = "unknown"
        self.primary = objective.primary

    def scores(self, target, predictions, weight=None):
        return self.objective.scores(target, predictions, weight)


def two_class(probability):
    probability = np.asarray(probability, float)
    return Predictions(np.column_stack([1 - probability, probability]))


def holdout(target, predictions, **columns):
    n = len(target)
    return Outcome(np.asarray(target), predictions, (Round(0, n, 4 * n),), np.arange(n), **columns)


def noisy_scores(rng, n, separation=1.0, prevalence=0.4):
    target = (rng.random(n) < prevalence).astype(int)
    return target, 1 / (1 + np.exp(-(rng.normal(size=n) + separation * target)))
