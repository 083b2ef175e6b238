"""Rules for portfolios as scikit-learn estimators: `predict` takes windows of daily returns and gives weights.

Windows are (n, days, assets), the last day being the one at whose close the weights are decided; weights are (n,
assets), none negative, adding up to 1. This module imports scikit-learn: `allocations` makes them.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge

from pipelines.objectives.mean_variance import covariances, mean_variance

Floats = NDArray[np.float64]

HORIZONS, VOLATILITY = (1, 5, 21, 63, 126), 63
"""Trading days, as those of the recurrent networks."""


class _Rule(BaseEstimator):
    """Fits nothing: what it does with a window is all there is."""

    def fit(self, x: Any, y: Any = None) -> Self:
        """Remember how many assets there are, which scikit-learn wants of what is fitted."""
        self.n_features_in_ = x.shape[2]
        return self


class EqualWeights(_Rule):
    """The same of every asset (DeMiguel, Garlappi and Uppal 2009, The Review of Financial Studies 22(5))."""

    def predict(self, x: Any) -> Floats:
        """(n, assets) weights."""
        return np.full((len(x), x.shape[2]), 1 / x.shape[2])


class InverseVolatility(_Rule):
    """The less of an asset the more it moved in the last `lookback` days."""

    def __init__(self, lookback: int = 63) -> None:
        self.lookback = lookback

    def predict(self, x: Any) -> Floats:
        """(n, assets) weights."""
        spread = np.asarray(x[:, -self.lookback :], np.float64).std(axis=1)
        inverse = 1 / np.maximum(spread, 1e-4)
        return np.asarray(inverse / inverse.sum(axis=1, keepdims=True))


class MinimumVariance(_Rule):
    """The least variance by the shrunk covariance of the last `lookback` days."""

    def __init__(self, lookback: int = 126) -> None:
        self.lookback = lookback

    def predict(self, x: Any) -> Floats:
        """(n, assets) weights."""
        return mean_variance(np.zeros((len(x), x.shape[2])), covariances(x, self.lookback), 1.0)


class Momentum(_Rule):
    """Equal weights of the assets that gained most over `lookback` days, the last `skip` of them left out.

    Args:
        share: of the assets that are held, at least one.

    Reference: Jegadeesh and Titman (1993), The Journal of Finance 48(1).
    """

    def __init__(self, lookback: int = 252, skip: int = 0, share: float = 0.25) -> None:
        self.lookback, self.skip, self.share = lookback, skip, share

    def predict(self, x: Any) -> Floats:
        """(n, assets) weights; of equal gains the first assets are held."""
        window = np.asarray(x[:, -self.lookback : x.shape[1] - self.skip], np.float64)
        gained = np.log1p(np.maximum(window, -1 + 1e-12)).sum(axis=1)
        held = max(1, round(self.share * x.shape[2]))
        place = np.argsort(np.argsort(-gained, axis=1, kind="stable"), axis=1)
        return np.where(place < held, 1 / held, 0.0)


class RidgeForecast(BaseEstimator):
    """A ridge regression of the next day's return on trailing returns, one for all assets; mean-variance on top.

    Both are in units of an asset's own volatility, so that one regression serves all.

    Args:
        alpha: penalty a row.
        aversion: to risk, of the mean-variance portfolio.
        lookback: days that the covariance is estimated from.
    """

    def __init__(self, alpha: float = 1.0, aversion: float = 10.0, lookback: int = 126) -> None:
        self.alpha, self.aversion, self.lookback = alpha, aversion, lookback

    def fit(self, x: Any, y: Any) -> Self:
        """Learn from (n, days, assets) windows and the (n, assets) returns of the day after each."""
        features, spread = _trailing(x)
        self.regression_ = Ridge(alpha=self.alpha * y.size)
        self.regression_.fit(features.reshape(-1, features.shape[2]), (y / spread).ravel())
        return self

    def predict(self, x: Any) -> Floats:
        """(n, assets) weights."""
        features, spread = _trailing(x)
        expected = self.regression_.predict(features.reshape(-1, features.shape[2])).reshape(spread.shape) * spread
        return mean_variance(expected, covariances(x, self.lookback), self.aversion)


def _trailing(x: Any) -> tuple[Floats, Floats]:
    """(n, assets, horizons) log returns in standard deviations, and (n, assets) volatility a day."""
    logs = np.log1p(np.maximum(np.asarray(x[:, -max(HORIZONS) :], np.float64), -1 + 1e-12))
    spread = np.sqrt(np.square(logs[:, -VOLATILITY:]).mean(axis=1)) + 1e-4
    gained = [logs[:, -days:].sum(axis=1) / (spread * np.sqrt(days)) for days in HORIZONS]
    return np.clip(np.stack(gained, axis=-1), -5, 5), spread
