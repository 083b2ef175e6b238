"""A scorecard: what lenders decided by before networks, and many still do. Bins, their weights of evidence, points.

Reference: Siddiqi (2006), Credit Risk Scorecards; Thomas, Edelman and Crook (2002), Credit Scoring and Its
Applications.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from pipelines.contenders.binning import Binned, category_bins, number_bins
from pipelines.points import Points
from pipelines.report.lending import PointsRow

Floats = NDArray[np.float64]


class Scorecard(ClassifierMixin, BaseEstimator):
    """Logistic regression on the weights of evidence of binned columns.

    A column whose coefficient would turn its own evidence round, more good rows in a bin lowering its points, is left
    out (coefficient 0), and the rest is fitted again; so the score is monotone in each number, in the direction that
    its bins have.

    Args:
        numbers, categories: the columns of the table to read.
        directions: column -> 1 where more of it may only raise the risk, -1 where it may only lower it; the rows choose
            for the others.
        bins: quantile bins to begin with.
        least: share of the rows that a bin holds at least.
        C: inverse strength of the L2 penalty.

    Attributes:
        coef_: (1, columns) in the order of `numbers`, then `categories`.
        binned_: the bins of each, as plain arrays, which can be saved without code.
    """

    def __init__(
        self,
        numbers: tuple[str, ...] = (),
        categories: tuple[str, ...] = (),
        directions: Mapping[str, int] | None = None,
        bins: int = 20,
        least: float = 0.05,
        C: float = 1.0,  # noqa: N803  scikit-learn's name for it
    ) -> None:
        self.numbers = numbers
        self.categories = categories
        self.directions = directions
        self.bins = bins
        self.least = least
        self.C = C

    def fit(self, table: Any, y: NDArray[Any], sample_weight: Floats | None = None) -> Scorecard:
        """Bin each column and weigh the bins.

        Args:
            table: DataFrame with the columns.
            y: (n,) 1 for the bad outcome, 0 for the good one.
            sample_weight: (n,) >= 0; None for 1s.

        Raises:
            ValueError: `y` does not hold both outcomes.
        """
        y = np.asarray(y)
        self.classes_ = np.unique(y)
        weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, np.float64)
        bad, directions = y == self.classes_[-1], self.directions or {}
        if len(self.classes_) != 2 or not (weight[bad].any() and weight[~bad].any()):
            raise ValueError("a scorecard needs rows of both outcomes")
        found = [
            number_bins(table[name], bad, weight, self.bins, self.least, directions.get(name, 0))
            for name in self.numbers
        ]
        found += [category_bins(table[name].to_list(), bad, weight, self.least) for name in self.categories]
        self.binned_ = [
            {"edges": each.edges, "levels": list(each.levels), "good": each.good, "bad": each.bad, "woe": each.woe}
            for each in found
        ]
        self._weigh(self.evidence(table), y, weight)
        return self

    def predict_proba(self, table: Any) -> Floats:
        """(n, 2) probabilities of the good and the bad outcome."""
        from scipy.special import expit

        bad = expit(self.log_odds(table))
        return np.column_stack([1 - bad, bad])

    def predict(self, table: Any) -> NDArray[Any]:
        """(n,) the more probable outcome."""
        return np.asarray(self.classes_[self.predict_proba(table).argmax(axis=1)])

    def log_odds(self, table: Any) -> Floats:
        """(n,) of the bad outcome."""
        return np.asarray(self.evidence(table) @ self.coef_[0] + self.intercept_[0])

    def points(self, table: Any, scale: Points) -> Floats:
        """(n, columns) points that each row has for each column; they add up to the score.

        What does not depend on the row is shared out evenly among the columns that count.
        """
        counted = self.coef_[0] != 0
        share = np.where(counted, scale.at(self.intercept_[0]) / max(1, counted.sum()), 0.0)
        return np.asarray(share - scale.factor * self.evidence(table) * self.coef_[0])

    def card(self, scale: Points) -> tuple[PointsRow, ...]:
        """The scorecard as people read it: the points of each bin of each column that counts."""
        rows = []
        counted = self.coef_[0] != 0
        share = scale.at(self.intercept_[0]) / max(1, counted.sum())
        for name, each, weight in zip(self._names, self._bins, self.coef_[0], strict=True):
            total = each.good + each.bad
            for place, label in enumerate(each.names()):
                inner = place < len(each.woe) - 2
                if weight != 0 and (inner or total[place] > 0):
                    risk = float(each.bad[place] / total[place]) if total[place] > 0 else float("nan")
                    woe = float(each.woe[place])
                    points = float(share - scale.factor * weight * woe)
                    rows.append(PointsRow(name, label, float(total[place]), risk, woe, points))
        return tuple(rows)

    @property
    def _names(self) -> list[str]:
        return [*self.numbers, *self.categories]

    @property
    def _bins(self) -> list[Binned]:
        kept: list[dict[str, Any]] = self.binned_
        return [Binned(**{**each, "levels": tuple(each["levels"])}) for each in kept]

    def evidence(self, table: Any) -> Floats:
        """(n, columns) weight of evidence of each value."""
        found = []
        for name, each in zip(self._names, self._bins, strict=True):
            values = table[name] if each.edges is not None else table[name].to_list()
            found.append(each.woe[each.place(values)])
        return np.column_stack(found) if found else np.zeros((len(table), 0))

    def _weigh(self, evidence: Floats, y: NDArray[Any], weight: Floats) -> None:
        """Coefficients, none of which may be above 0: evidence of the good outcome never raises the risk."""
        from sklearn.linear_model import LogisticRegression

        kept = np.ptp(evidence, axis=0) > 0
        self.coef_, self.intercept_ = np.zeros((1, evidence.shape[1])), np.zeros(1)
        while kept.any():
            model = LogisticRegression(C=self.C, max_iter=500).fit(evidence[:, kept], y, sample_weight=weight)
            if (model.coef_ < 0).all():
                self.coef_[0, kept], self.intercept_ = model.coef_[0], model.intercept_
                return
            kept[np.flatnonzero(kept)[model.coef_[0] >= 0]] = False
        bad = float(weight[y == self.classes_[-1]].sum())
        self.intercept_ = np.array([np.log(bad / (weight.sum() - bad))])
