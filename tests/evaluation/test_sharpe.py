"""The Ledoit-Wolf test: its parts against plain formulas, and that it errs as often as it says."""

import math

import numpy as np
import pytest

from pipelines.evaluation import sharpe
from pipelines.evaluation.comparison import compare
from pipelines.evaluation.outcome import Outcome, Round
from pipelines.evaluation.portfolio import sharpe as ratio
from pipelines.objectives.allocation import Allocation
from pipelines.objectives.objective import Predictions


def returns(n=500, seed=0, correlation=0.6):
    rng = np.random.default_rng(seed)
    normal = rng.multivariate_normal([0, 0], [[1, correlation], [correlation, 1]], n)
    return 0.01 * (0.05 + normal / np.sqrt(rng.chisquare(5, (n, 1)) / 5))


def test_the_difference_is_that_of_the_two_ratios_and_the_gradient_is_its_own():
    ours, theirs = returns().T
    found = sharpe.ledoit_wolf(ours, theirs, 5)
    biased = math.sqrt(499 / 500)  # the ratio's deviation counts n - 1, the moments n
    assert found.difference == pytest.approx((ratio(ours) - ratio(theirs)) / biased)
    mean = np.array([0.001, 0.0005, 0.0002, 0.0003])
    for place, step in enumerate(1e-6 * np.eye(4)):
        slope = (sharpe._difference(mean + step) - sharpe._difference(mean - step)) / 2e-6
        assert sharpe._gradient(mean)[place] == pytest.approx(slope, rel=1e-4)


def test_the_error_of_normal_returns_is_the_one_of_jobson_korkie_and_memmel():
    """Memmel (2003): of independent normal returns the variance of the difference has a closed form."""
    rng = np.random.default_rng(1)
    n, rho = 200_000, 0.5
    series = rng.multivariate_normal([0.1, 0.05], [[1, rho], [rho, 1]], n)
    first, second = 0.1, 0.05
    variance = 2 - 2 * rho + 0.5 * (first**2 + second**2 - 2 * first * second * rho**2)
    found = sharpe.ledoit_wolf(series[:, 0], series[:, 1], 5, resamples=100)
    assert found.error / math.sqrt(252) == pytest.approx(math.sqrt(variance / n), rel=0.02)


def test_the_long_run_variance_of_a_series_that_remembers_is_known():
    rng, memory = np.random.default_rng(2), 0.5
    noise = rng.normal(size=100_000)
    series = np.empty_like(noise)
    series[0] = noise[0]
    for place in range(1, len(noise)):
        series[place] = memory * series[place - 1] + noise[place]
    assert sharpe.long_run_variance(series - series.mean()) == pytest.approx(1 / (1 - memory) ** 2, rel=0.08)
    assert sharpe.long_run_variance(noise - noise.mean()) == pytest.approx(1, rel=0.03)


def test_studentised_resamples_spread_as_a_student_does_however_large_the_ratios_are():
    rng = np.random.default_rng(9)
    series = rng.normal(size=(800, 2)) + np.array([1.0, 0.2])
    drawn = sharpe.ledoit_wolf(*series.T, 8, 500).drawn
    assert drawn.std() == pytest.approx(1, abs=0.15)
    assert abs(drawn.mean()) < 0.2


def test_it_rejects_equal_ratios_about_as_often_as_it_says_and_finds_a_difference():
    """150 series of 300 heavy-tailed days; `benchmarks.sharpe` measures more."""
    found = [sharpe.ledoit_wolf(*returns(300, seed).T, 7, 200, seed) for seed in range(150)]
    assert sum(each.p_value < 0.05 for each in found) <= 17  # of 150 at 5 %: more has a chance of 0.1 %
    agree = [(each.low > 0 or each.high < 0) == (each.p_value < 0.05) for each in found]
    assert sum(agree) >= 147  # the interval and the p-value are of one distribution
    ahead = returns(2000, 7) + np.array([0.001, 0.0])
    assert sharpe.ledoit_wolf(*ahead.T, 7).p_value < 0.01


def test_equal_series_and_series_that_rest_are_not_different():
    ours = returns()[:, 0]
    assert sharpe.ledoit_wolf(ours, ours, 5)[:5] == (0.0, 0.0, 0.0, 0.0, 1.0)
    assert sharpe.ledoit_wolf(ours, np.zeros(500), 5).p_value == 1
    assert math.isnan(sharpe.ledoit_wolf(ours, np.zeros(500), 5).difference)


def test_portfolios_of_a_walk_forward_are_compared_by_it():
    """Interval, p-value, margin and the towards-the-contender sign, as every comparison has them."""
    rng = np.random.default_rng(5)
    n = 600
    moved = rng.normal([0.002, 0.0], 0.01, (n, 2))
    rounds = (Round(0, 300, 900), Round(300, n, 1200))
    sides = {
        name: Outcome(moved, Predictions(np.tile(weights, (n, 1))), rounds, np.arange(n), time=np.arange(float(n)))
        for name, weights in {"net": [1.0, 0.0], "base": [0.0, 1.0], "twin": [1.0, 0.0]}.items()
    }
    objective = Allocation(costs=0.0, every=5)
    ahead, same = compare("net", ("base", "twin"), sides, objective, "sharpe", margin=0.1)
    assert ahead.test == "Ledoit-Wolf"
    assert ahead.difference == pytest.approx(ratio(moved[:, 0]) - ratio(moved[:, 1]), rel=1e-2)
    assert ahead.low < ahead.difference < ahead.high
    assert (ahead.low > 0) == (ahead.p_value < 0.05)
    assert ahead.p_non_inferior < 0.05
    assert (same.difference, same.p_value) == (0, 1)
    (behind,) = compare("base", ("net",), sides, objective, "sharpe", margin=12.0)
    assert behind.difference == pytest.approx(-ahead.difference)
    assert -12 < behind.difference < -1
    assert behind.p_non_inferior < 0.05  # worse, but not by as much as that


@pytest.mark.parametrize("memory", [0.3, 0.8, -0.5])
def test_lags_are_weighed_by_parzens_kernel_as_far_as_andrews_says(memory):
    noise, n = np.random.default_rng(6).normal(size=3000), 3000
    series = np.empty(n)
    series[0] = noise[0]
    for place in range(1, n):
        series[place] = memory * series[place - 1] + noise[place]
    rho = (series[:-1] @ series[1:]) / (series[:-1] @ series[:-1])
    bandwidth = 2.6614 * (4 * rho**2 / (1 - rho) ** 4 * n) ** (1 / 5)
    wanted = series @ series / n
    for lag in range(1, int(np.ceil(bandwidth))):
        x = lag / bandwidth
        weight = 1 - 6 * x**2 * (1 - x) if x <= 0.5 else 2 * (1 - x) ** 3
        wanted += 2 * weight * (series[lag:] @ series[:-lag]) / n
    assert sharpe.long_run_variance(series) == pytest.approx(wanted * n / (n - 4))
