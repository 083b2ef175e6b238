"""The classical portfolios: what each rule holds, what they earned from 2000 to 2022, and that their tuning works."""

import numpy as np
import pandas as pd
import pytest

from pipelines.contenders import allocations, allocators
from pipelines.contenders.classical import ClassicalContender
from pipelines.contenders.contender import History
from pipelines.contenders.forecasting import AVERSIONS, ForecastContender
from pipelines.contenders.network import NetworkContender
from pipelines.data.examples import Examples
from pipelines.data.price_windows import SampleWindows, windows
from pipelines.data.sample_set import SampleSet
from pipelines.objectives.allocation import Allocation
from pipelines.objectives.forecast import Forecast
from pipelines.objectives.mean_variance import covariances, mean_variance
from pipelines.objectives.objective import Predictions
from pipelines.report.document import Cost
from pipelines.task import DataRequest, Network, Recipe


@pytest.fixture(scope="module")
def since_2000():
    """(windows, returns) of the days from 2000 to 2022."""
    examples = SampleWindows(SampleSet("pipelines.data.builders.stock_prices.StockPrices")).load(DataRequest()).examples
    rows = np.flatnonzero(examples.time >= pd.Timestamp("2000-01-01", tz="UTC").timestamp())
    chosen = examples.take(rows)
    return chosen.columns["returns"], chosen.target


def test_rules_hold_what_they_say():
    rng = np.random.default_rng(0)
    x = rng.normal(0, [0.01, 0.02, 0.03, 0.04], (7, 130, 4)).astype(np.float32)
    np.testing.assert_array_equal(allocators.EqualWeights().predict(x), np.full((7, 4), 0.25))
    inverse = 1 / x[3, -63:].astype(float).std(axis=0)
    np.testing.assert_allclose(
        allocators.InverseVolatility(63).predict(x)[3], inverse / inverse.sum(), rtol=1e-6
    )  # fmt: skip
    gained = np.prod(1 + x[5, -100:-21].astype(float), axis=0)
    held = allocators.Momentum(100, 21, 0.5).predict(x)[5]
    assert set(np.flatnonzero(held)) == set(np.argsort(-gained)[:2])
    assert set(held[held > 0]) == {0.5}
    assert allocators.MinimumVariance(126).predict(x)[:, 0].min() > 0.3  # the quietest asset


@pytest.mark.parametrize(
    ("rule", "known"),
    [
        (allocators.EqualWeights(), 0.719),
        (allocators.InverseVolatility(63), 0.694),
        (allocators.MinimumVariance(126), 0.707),
        (allocators.Momentum(252, 0, 0.25), 0.753),
    ],
    ids=["equal-weights", "inverse-volatility", "minimum-variance", "momentum"],
)
def test_the_known_sharpe_ratios_of_2000_to_2022_come_out(since_2000, rule, known):
    """At 10 basis points; they differ by how often one rebalances and how far one looks back."""
    x, returns = since_2000
    objective = Allocation(costs=0.001, every=5)
    assert len(returns) == 5785
    assert objective.scores(returns, objective.predict(rule.predict(x)))["sharpe"] == pytest.approx(known, abs=0.01)


def test_ridge_learns_what_follows_from_the_past():
    """Returns that continue: yesterday's winner wins again."""
    rng = np.random.default_rng(1)
    returns = rng.normal(0, 0.01, (700, 3))
    for day in range(1, 700):
        returns[day] += 0.5 * returns[day - 1]
    x = windows(returns, 130)[:-1]
    y = returns[130:]
    ridge = allocators.RidgeForecast(alpha=1e-3, aversion=3.0, lookback=63).fit(x[:400], y[:400])
    objective = Allocation(costs=0.0, every=1)
    ours, equal = (objective.predict(each) for each in (ridge.predict(x[400:]), np.ones((len(y) - 400, 3))))
    assert objective.scores(y[400:], ours)["sharpe"] > objective.scores(y[400:], equal)["sharpe"] + 2


def test_settings_are_tuned_on_days_that_follow_each_other():
    """A rule that only works with one lookback is found, by the Sharpe ratio after costs of the training days."""
    rng = np.random.default_rng(2)
    returns = rng.normal(0, 0.01, (900, 4))
    returns[300:] += 0.01 * (returns[48:648] > 0)  # what was good a year ago is good today
    examples = Examples(
        {"returns": windows(returns, 252)[:-1]}, returns[252:], {"returns": "series"}, time=np.arange(648.0)
    )
    momentum = next(each for each in allocations.BASELINES if each.name == "momentum")
    contender = ClassicalContender(momentum, Allocation(every=1, assets=tuple("abcd")), Recipe(trials=12))
    folds = contender._inner_folds(examples.target, examples, 0)
    assert all(rest.max() < held.min() for rest, held in folds)
    fitted = contender.fit(examples, examples, 0)
    assert set(fitted.settings) == {"lookback", "skip", "share"}
    merits = {}
    for lookback in (63, 126, 252):
        model = allocators.Momentum(lookback, 0, 0.25)
        merits[lookback] = np.mean([
            contender.objective.scores(examples.target[held], contender.objective.predict(
                model.predict(examples.columns["returns"][held])))["sharpe"] for _, held in folds
        ])  # fmt: skip
    best = max(merits.values())
    chosen = allocators.Momentum(
        int(fitted.settings["lookback"]), int(fitted.settings["skip"]), float(fitted.settings["share"])
    )
    found = np.mean([
        contender.objective.scores(examples.target[held], contender.objective.predict(
            chosen.predict(examples.columns["returns"][held])))["sharpe"] for _, held in folds
    ])  # fmt: skip
    assert found >= best - 1e-9


def test_a_forecast_is_in_units_of_returns_again_when_risk_is_weighed_against_it():
    """Of two assets with the same forecast in standard deviations, the wilder one is expected to gain more."""
    rng = np.random.default_rng(3)
    x = (rng.normal(0.002, 0.01, (60, 130, 2)) * [1.0, 4.0]).astype(np.float32)
    ridge = allocators.RidgeForecast(alpha=1e-3, aversion=5.0, lookback=63).fit(x, x[:, -1])
    features, spread = allocators._trailing(x)
    said = ridge.regression_.predict(features.reshape(-1, features.shape[2])).reshape(60, 2)
    wanted = mean_variance(said * spread, covariances(x, 63), 5.0)
    np.testing.assert_allclose(ridge.predict(x), wanted)
    assert not np.allclose(wanted, mean_variance(said, covariances(x, 63), 5.0), atol=0.05)


class Told:
    """A trained forecaster that says what it was given, in place of one that would have to be trained."""

    def __init__(self, expected, objective):
        self.expected, self.objective = expected, objective
        self.model, self.kinds, self.cost, self.history, self.settings = None, {}, Cost(1.0), History({}, 0), {}

    def predict(self, examples):
        return Predictions(self.expected)


def test_the_aversion_to_risk_is_the_one_that_earns_most_on_validation_rows(monkeypatch):
    rng = np.random.default_rng(4)
    returns = rng.normal([0.0002, 0.001, 0.0005], [0.004, 0.03, 0.01], (500, 3))
    valid = Examples(
        {"returns": windows(returns, 130)[:-1]}, returns[130:], {"returns": "series"}, time=np.arange(370.0)
    )
    expected = np.tile(returns.mean(axis=0), (370, 1)) + rng.normal(0, 0.0005, (370, 3))
    objective = Forecast(Allocation(costs=0.001, every=5), lookback=63)
    monkeypatch.setattr(NetworkContender, "fit", lambda self, *_: Told(expected, objective))
    contender = ForecastContender(Network("net", None), objective, Recipe())
    chosen = contender.fit(valid, valid, 0).objective.aversion
    judge, risk = objective.allocation, covariances(valid.columns["returns"], 63)
    earned = {
        each: judge.scores(valid.target, judge.predict(mean_variance(expected, risk, each)))["sharpe"]
        for each in AVERSIONS
    }
    assert chosen == max(earned, key=earned.get)
    assert max(earned.values()) > min(earned.values()) + 0.05
