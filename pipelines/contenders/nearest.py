"""The nearest of the training rows vote: scikit-learn's such classifier takes no weights of rows."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

MOST_KEPT = 20_000
"""Training rows that are kept, evenly chosen: the time of an answer grows with them."""

DISTANCES = 2 << 20
"""Worked out at a time."""


class Nearest(ClassifierMixin, BaseEstimator):
    """Shares of the classes among the `k` training rows at the least Euclidean distance, by the rows' weights.

    One vote more is divided as the classes are among all training rows, so that no share is 0: with few neighbours
    that says more than nothing of how sure an answer is.

    Args:
        k: neighbours that vote; all rows where there are fewer.

    Attributes:
        kept_: (m, features) float32, the rows that may be neighbours.
        votes_: (m, classes) weight of each for its class, 1 on average.

    Reference: Cover and Hart (1967), "Nearest neighbor pattern classification", IEEE Transactions on Information
    Theory 13(1).
    """

    def __init__(self, k: int = 15) -> None:
        self.k = k

    def fit(self, x: Any, y: NDArray[Any], sample_weight: NDArray[Any] | None = None) -> Self:
        """Keep the rows; those of weight 0 are left out."""
        weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, np.float64)
        counted = np.flatnonzero(weight)
        if len(counted) > MOST_KEPT:
            counted = counted[np.linspace(0, len(counted) - 1, MOST_KEPT).astype(np.int64)]
        self.classes_, codes = np.unique(y[counted], return_inverse=True)
        self.kept_ = np.asarray(x, np.float32)[counted]
        own = weight[counted] / weight[counted].mean()
        self.votes_ = np.eye(len(self.classes_))[codes] * own[:, None]
        return self

    def predict_proba(self, x: Any) -> NDArray[np.float64]:
        """(n, classes) shares."""
        rows = np.asarray(x, np.float32)
        size = max(1, DISTANCES // len(self.kept_))
        votes = [self._votes(rows[start : start + size]) for start in range(0, len(rows), size)]
        found = np.concatenate(votes) if votes else np.zeros((0, len(self.classes_)))
        found = found + self.votes_.mean(axis=0)
        shares: NDArray[np.float64] = found / found.sum(axis=1, keepdims=True)
        return shares

    def predict(self, x: Any) -> NDArray[Any]:
        """(n,) the class of the largest share."""
        decided: NDArray[Any] = self.classes_[self.predict_proba(x).argmax(axis=1)]
        return decided

    def _votes(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        if self.k >= len(self.kept_):
            return np.tile(self.votes_.sum(axis=0), (len(rows), 1))
        distances = (self.kept_**2).sum(axis=1) - 2 * rows @ self.kept_.T
        nearest = np.argpartition(distances, self.k - 1, axis=1)[:, : self.k]
        found: NDArray[np.float64] = self.votes_[nearest].sum(axis=1)
        return found
