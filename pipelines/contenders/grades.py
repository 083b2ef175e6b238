"""A classical model of grades: logistic regressions of "above this grade", one for each grade but the highest."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression


class OrdinalLogistic(ClassifierMixin, BaseEstimator):
    """The chance of each grade is what lies between its two neighbouring questions.

    Questions are asked apart, so their answers may contradict each other; a chance of being above a grade is then taken
    for no larger than that of being above the grade before.

    Args:
        C: inverse of the penalty, of all questions alike.

    Reference: Frank and Hall (2001), "A simple approach to ordinal classification", ECML.
    """

    def __init__(self, C: float = 1.0) -> None:  # noqa: N803  as scikit-learn calls it
        self.C = C

    def fit(self, x: Any, y: NDArray[Any], sample_weight: NDArray[Any] | None = None) -> Self:
        """Fit the questions.

        Args:
            x: (n, f) numbers.
            y: (n,) int grades.
            sample_weight: (n,) or None for 1s.
        """
        self.classes_ = np.unique(y)
        asked = [
            LogisticRegression(C=self.C, max_iter=500).fit(x, y > border, sample_weight)
            for border in self.classes_[:-1]
        ]
        self.coef_ = np.array([each.coef_[0] for each in asked]).reshape(len(asked), np.shape(x)[1])
        self.intercept_ = np.array([each.intercept_[0] for each in asked])
        return self

    def predict_proba(self, x: Any) -> NDArray[np.float64]:
        """(n, k) probability of each grade that was met."""
        n = np.shape(x)[0]
        above = expit(x @ self.coef_.T + self.intercept_)
        edges = np.hstack([np.ones((n, 1)), np.minimum.accumulate(above, axis=1), np.zeros((n, 1))])
        return np.asarray(-np.diff(edges, axis=1))

    def predict(self, x: Any) -> NDArray[Any]:
        """(n,) the most probable grade."""
        return np.asarray(self.classes_[self.predict_proba(x).argmax(axis=1)])
