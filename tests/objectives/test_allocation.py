"""The loss of an allocation against NumPy's path, and mean-variance against other solvers."""

import math

import numpy as np
import pytest

from pipelines.evaluation import portfolio
from pipelines.objectives import stored
from pipelines.objectives.allocation import Allocation
from pipelines.objectives.forecast import Forecast
from pipelines.objectives.mean_variance import covariances, mean_variance

ASSETS = ("A", "B", "C")


def window(steps=24, seed=0, batch=3):
    rng = np.random.default_rng(seed)
    logits, seen = rng.normal(size=(batch, steps, 3)), rng.normal(0, 0.02, (batch, steps, 3))
    return logits, seen, rng.normal(0, 0.02, (batch, 3))


def decided(logits):
    weights = np.exp(logits)
    return weights / weights.sum(axis=-1, keepdims=True)


def by_path(objective, logits, seen, target):
    """Minus the Sharpe ratio of the path that `portfolio.walk` finds, whose last decision is the row's."""
    first = (logits.shape[1] - 1) % objective.every
    found = []
    for wanted, days, last in zip(logits, seen, target, strict=True):
        after = np.vstack([days[1:], last])[first:]
        path = portfolio.walk(decided(wanted[first:]), after, objective.costs, objective.every)
        net = path.net.copy()
        net[0] += objective.costs  # what is held first was bought before the window
        found.append(-net.mean() / math.sqrt(net.var() + 1e-10) * math.sqrt(252))
    return np.array(found)


@pytest.mark.parametrize("every", [1, 5, 23])
def test_the_loss_is_minus_the_sharpe_ratio_of_the_path(every):
    objective = Allocation(costs=0.003, every=every, assets=ASSETS)
    logits, seen, target = window()
    outputs = np.concatenate([logits, seen], axis=-1)
    found = objective.loss(target, outputs)
    np.testing.assert_allclose(found, by_path(objective, logits, seen, target), rtol=1e-9)


def test_the_tape_differentiates_it_costs_included():
    import tensorflow as tf

    objective = Allocation(costs=0.01, every=5, assets=ASSETS)
    logits, seen, target = window(steps=11, batch=1)
    outputs = tf.Variable(np.concatenate([logits, seen], axis=-1))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(objective.loss(target, outputs))
    gradient = tape.gradient(loss, outputs).numpy()[0, :, :3]
    for step, asset in ((0, 0), (5, 2), (10, 1)):
        moved = np.zeros_like(logits)
        moved[0, step, asset] = 1e-6
        up, down = (by_path(objective, logits + sign * moved, seen, target)[0] for sign in (1, -1))
        assert gradient[step, asset] == pytest.approx((up - down) / 2e-6, rel=1e-4)
    assert not gradient[[1, 2, 3, 4, 6, 9]].any()  # nothing is carried out on these days


def test_weights_are_those_of_the_last_step_and_add_up_to_one():
    objective = Allocation(assets=ASSETS)
    logits, seen, _ = window()
    outputs = np.concatenate([logits, seen], axis=-1).astype(np.float32)
    said = objective.predict(np.asarray(objective.activate(outputs)))
    np.testing.assert_allclose(said.values, decided(logits[:, -1]), rtol=1e-5)
    np.testing.assert_allclose(said.values.sum(axis=1), 1, atol=1e-15)


def test_the_forecasts_loss_is_the_mean_squared_error_of_every_step():
    objective = Forecast(Allocation(assets=ASSETS)).fitted(
        np.random.default_rng(1).normal(0, (0.01, 0.02, 0.03), (500, 3))
    )
    said, seen, target = window()
    after = np.concatenate([seen[:, 1:], target[:, None]], axis=1)
    expected = np.square(said - after / np.array(objective.scale)).mean(axis=(1, 2))
    np.testing.assert_allclose(objective.loss(target, np.concatenate([said, seen], axis=-1)), expected, rtol=1e-9)
    outputs = np.concatenate([said, seen], axis=-1).astype(np.float32)
    np.testing.assert_allclose(objective.activate(outputs), said[:, -1] * objective.scale, rtol=1e-5)


def test_both_are_stored_beside_a_model_and_read_again():
    allocation = Allocation(costs=0.002, every=21, assets=ASSETS)
    forecast = Forecast(allocation, aversion=3.0, lookback=63, scale=(0.1, 0.2, 0.3))
    for each in (allocation, forecast):
        assert stored.from_dict(__import__("json").loads(__import__("json").dumps(stored.to_dict(each)))) == each


def history(n=6, days=90, assets=5, seed=2):
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(assets, assets))
    return (rng.normal(size=(n, days, assets)) @ mixed * 0.01).astype(np.float64)


def test_covariances_are_scikit_learns():
    from sklearn.covariance import ledoit_wolf

    found = covariances(history(), 63)
    for window, covariance in zip(history(), found, strict=True):
        np.testing.assert_allclose(covariance, ledoit_wolf(window[-63:])[0], rtol=1e-9)


@pytest.mark.parametrize("aversion", [1.0, 20.0, 1000.0])
def test_mean_variance_is_what_a_general_solver_finds(aversion):
    from scipy.optimize import minimize

    risk = covariances(history(), 90)
    expected = np.random.default_rng(3).normal(0, 0.001, (6, 5))
    found = mean_variance(expected, risk, aversion)
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)

    def loss(weights, row):
        return aversion / 2 * weights @ risk[row] @ weights - weights @ expected[row]

    for row in range(6):
        best = minimize(
            lambda weights, row=row: 1e4 * loss(weights, row), np.full(5, 0.2), bounds=[(0, 1)] * 5,
            constraints={"type": "eq", "fun": lambda weights: weights.sum() - 1}, options={"ftol": 1e-14},
        )  # fmt: skip
        assert loss(found[row], row) <= best.fun / 1e4 + 1e-9


def test_least_variance_is_skfolios():
    pytest.importorskip("skfolio", reason="skfolio is in the extra samples")
    from skfolio.moments import LedoitWolf
    from skfolio.optimization import MeanRisk
    from skfolio.prior import EmpiricalPrior

    window = history(n=1)
    ours = mean_variance(np.zeros((1, 5)), covariances(window, 90), 1.0)[0]
    prior = EmpiricalPrior(covariance_estimator=LedoitWolf())
    theirs = MeanRisk(prior_estimator=prior).fit(window[0]).weights_
    np.testing.assert_allclose(ours, theirs, atol=1e-4)
