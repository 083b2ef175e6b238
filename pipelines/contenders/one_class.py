"""A detector of anomalies as a classifier of two classes."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import has_fit_parameter

from pipelines.objectives.errors import reference_of


class OneClass(ClassifierMixin, BaseEstimator):
    """What a detector is told as: error / (error + reference) for class 1, the error being its score negated.

    Args:
        detector: of scikit-learn's, whose `score_samples` are negative, and the lower the more anomalous a row is. Rows
            that it is fitted on are taken for normal, whatever their class.
    """

    def __init__(self, detector: Any) -> None:
        self.detector = detector

    def fit(self, x: Any, y: Any = None, sample_weight: NDArray[Any] | None = None) -> Self:
        """Fit the detector, and the reference on the errors of the same rows."""
        weighed = sample_weight is not None and has_fit_parameter(self.detector, "sample_weight")
        self.detector_ = clone(self.detector).fit(x, **({"sample_weight": sample_weight} if weighed else {}))
        own = getattr(self.detector_, "negative_outlier_factor_", None)  # of LOF, which left each row itself out
        self.reference_ = reference_of(-(self.detector_.score_samples(x) if own is None else own))
        self.classes_ = np.array([0, 1])
        return self

    def predict_proba(self, x: Any) -> NDArray[np.float64]:
        """(n, 2) what is left to 1, and error / (error + reference)."""
        error = -self.detector_.score_samples(x).astype(np.float64)
        share = error / (error + self.reference_)
        return np.column_stack([1 - share, share])

    def predict(self, x: Any) -> NDArray[np.int64]:
        """(n,) 1 where the error is above the reference."""
        return (self.predict_proba(x)[:, 1] > 0.5).astype(np.int64)
