"""The classical portfolios: rules that look back on returns, and a linear forecast with mean-variance on top."""

from __future__ import annotations

from pipelines.data.examples import Examples
from pipelines.objectives.objective import Objective
from pipelines.task import Baseline, Candidate

LOOKBACKS = [63, 126, 252]
"""Trading days: a quarter, half a year, a year."""


def equal_weights(train: Examples, objective: Objective) -> Candidate:
    """The same of every asset: what any portfolio has to beat."""
    from pipelines.contenders.allocators import EqualWeights

    return Candidate(EqualWeights())


def inverse_volatility(train: Examples, objective: Objective) -> Candidate:
    """The less of an asset the more it moves; how far to look back is tuned."""
    from pipelines.contenders.allocators import InverseVolatility

    return Candidate(InverseVolatility(), {"lookback": LOOKBACKS})


def minimum_variance(train: Examples, objective: Objective) -> Candidate:
    """The least variance, by a shrunk covariance; how far to look back is tuned."""
    from pipelines.contenders.allocators import MinimumVariance

    return Candidate(MinimumVariance(), {"lookback": LOOKBACKS})


def momentum(train: Examples, objective: Objective) -> Candidate:
    """What gained most; how far to look back, what to skip and how many to hold are tuned."""
    from pipelines.contenders.allocators import Momentum

    return Candidate(Momentum(), {"lookback": LOOKBACKS, "skip": [0, 21], "share": [0.25, 0.5]})


def ridge_forecast(train: Examples, objective: Objective) -> Candidate:
    """A linear forecast of the next day with mean-variance on top; penalty and aversion to risk are tuned."""
    from scipy.stats import loguniform

    from pipelines.contenders.allocators import RidgeForecast

    return Candidate(RidgeForecast(), {"alpha": loguniform(1e-4, 1), "aversion": loguniform(1, 1000)})


BASELINES = (
    Baseline("equal-weights", equal_weights, column="returns"),
    Baseline("inverse-volatility", inverse_volatility, column="returns"),
    Baseline("minimum-variance", minimum_variance, column="returns"),
    Baseline("momentum", momentum, column="returns"),
    Baseline("ridge-forecast", ridge_forecast, column="returns"),
)
