"""Paths of portfolios against a day by day count, their scores against plain formulas, and their resamples."""

import math

import numpy as np
import pytest

from pipelines.evaluation import portfolio
from pipelines.evaluation.outcome import Outcome, Round
from pipelines.evaluation.replicates import replicate, resample_counts
from pipelines.objectives.allocation import Allocation
from pipelines.objectives.classification import Classification
from pipelines.objectives.objective import Predictions


def market(n=97, assets=4, seed=0):
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.ones(assets), n)
    return weights, rng.standard_t(4, (n, assets)) * 0.02


def by_hand(weights, returns, costs, every):
    """In money: buy, pay, hold; the costs of a day are a share of the wealth at the close before it."""
    held, net, traded = np.zeros(returns.shape[1]), [], []
    for day, moved in enumerate(returns):
        wanted = weights[day] if day % every == 0 else held
        traded.append(np.abs(wanted - held).sum() if day % every == 0 else 0.0)
        worth = wanted * (1 + moved)
        net.append(worth.sum() - 1 - costs * traded[-1])
        held = worth / worth.sum()
    return np.array(net), np.array(traded)


@pytest.mark.parametrize("every", [1, 5, 21, 200])
def test_a_path_is_what_a_count_day_by_day_gives(every):
    weights, returns = market()
    path = portfolio.walk(weights, returns, 0.001, every)
    net, traded = by_hand(weights, returns, 0.001, every)
    np.testing.assert_allclose(path.net, net, atol=1e-14)
    np.testing.assert_allclose(path.traded, traded, atol=1e-14)


def test_the_first_day_pays_for_entering_and_holding_still_costs_nothing():
    returns = np.tile([0.01, 0.01], (3, 1))
    path = portfolio.walk(np.full((3, 2), 0.5), returns, 0.001, 1)
    np.testing.assert_allclose(path.net, [0.009, 0.01, 0.01])
    np.testing.assert_allclose(path.traded, [1, 0, 0], atol=1e-15)


def test_a_hand_counted_table_of_scores():
    """Two days up, two down: 1.1 * 1.1 * 0.8 * 0.9, the peak after the second day."""
    net = np.array([0.1, 0.1, -0.2, -0.1])
    found = portfolio.scores(portfolio.Path(net, np.array([1.0, 0, 0.5, 0])))
    assert found["max_drawdown"] == pytest.approx(1 - 0.72)
    assert found["annual_return"] == pytest.approx((1.21 * 0.72) ** (252 / 4) - 1)
    assert found["volatility"] == pytest.approx(net.std(ddof=1) * math.sqrt(252))
    assert found["sharpe"] == pytest.approx(net.mean() / net.std(ddof=1) * math.sqrt(252))
    assert found["turnover"] == pytest.approx(1.5 / 4 * 252)
    assert found["tail_loss"] == pytest.approx(0.2)  # 0.2 days of 4, all of it on the worst


def test_a_loss_from_the_start_is_a_drawdown_and_the_tail_is_the_mean_of_the_worst_days():
    net = np.array([-0.1, 0.02, 0.01, *np.linspace(-0.05, 0.05, 97)])
    found = portfolio.scores(portfolio.Path(net, np.zeros(100)))
    wealth = np.concatenate([[1], np.cumprod(1 + net)])
    deepest = max(1 - wealth[j] / wealth[: j + 1].max() for j in range(101))
    assert found["max_drawdown"] == pytest.approx(deepest)
    assert found["tail_loss"] == pytest.approx(-np.sort(net)[:5].mean())


def test_undefined_is_not_zero():
    one = portfolio.scores(portfolio.Path(np.array([0.01]), np.array([1.0])))
    assert math.isnan(one["sharpe"])
    assert math.isnan(one["max_drawdown"])
    still = portfolio.scores(portfolio.Path(np.zeros(10), np.zeros(10)))
    assert math.isnan(still["sharpe"])
    assert still["volatility"] == 0


def test_resamples_are_the_scores_of_days_that_stand_as_often_as_they_were_drawn():
    weights, returns = market(60)
    objective, said = Allocation(every=5), Predictions(weights)
    days = np.arange(60)
    drawn = replicate(returns, said, objective, clusters=days, resamples=40, seed=3, length=6.0)
    path = objective.path(returns, said)
    counts = resample_counts(60, 40, 3, 0, 6.0)
    for resample in (0, 17, 39):
        rows = np.repeat(days, counts[resample])
        expected = portfolio.scores(portfolio.Path(path.net[rows], path.traded[rows]))
        for name, value in expected.items():
            assert drawn[name][resample] == pytest.approx(value), name


def test_the_stretches_of_a_walk_are_one_path_of_which_only_the_first_day_enters():
    weights, returns = market(40)
    objective = Allocation(costs=0.01, every=5)
    time = np.arange(40.0)
    outcome = Outcome(
        returns, Predictions(weights), (Round(0, 15, 100), Round(15, 40, 115)), np.arange(40), time=time
    )  # fmt: skip
    assert not outcome.apart
    whole = portfolio.scores(portfolio.walk(weights, returns, 0.01, 5))
    assert outcome.scores(objective) == pytest.approx(whole)
    entered = [each["turnover"] * n / 252 for each, n in zip(outcome.fold_scores(objective), (15, 25), strict=True)]
    assert sum(entered) == pytest.approx(whole["turnover"] * 40 / 252 + 2 - portfolio_traded(weights, returns))


def portfolio_traded(weights, returns):
    """What entering traded on the first day, and on the first day of the second stretch what following on traded."""
    path = portfolio.walk(weights, returns, 0.01, 5)
    return path.traded[0] + path.traded[15]


def test_stretches_of_a_walk_are_ranked_each_by_itself_and_resampled_as_one_series():
    """Constant guesses of several models rank nothing: their AUROC is .5, whatever shares they have seen."""
    rng = np.random.default_rng(4)
    n, rounds = 400, (Round(0, 150, 500), Round(150, 400, 650))
    target = np.concatenate([rng.random(150) < 0.3, rng.random(250) < 0.7]).astype(int)
    chance = np.where(np.arange(n) < 150, 0.7, 0.3)  # each stretch's model has seen the other share
    objective = Classification().resolve(target)

    def outcome(positive):
        said = Predictions(np.column_stack([1 - positive, positive]))
        return Outcome(target, said, rounds, np.arange(n), time=np.arange(float(n)))

    assert outcome(chance).scores(objective)["auroc"] == 0.5
    informed = outcome(np.clip(0.5 + 0.2 * (target - 0.5) + rng.normal(0, 0.2, n), 0.01, 0.99))
    first, second = informed.fold_scores(objective)
    for name, value in informed.scores(objective).items():
        assert value == pytest.approx((150 * first[name] + 250 * second[name]) / 400), name
    counts = resample_counts(n, 20, 3, 0, 5.0)
    drawn = informed.replicates(objective, 20, 3, 5.0)["auroc"]
    for resample in (0, 11):
        parts = []
        for each in (np.arange(150), np.arange(150, n)):
            rows = np.repeat(each, counts[resample][each])
            found = objective.scores(target[rows], informed.predictions.take(rows))
            parts.append((len(rows), found["auroc"]))
        assert drawn[resample] == pytest.approx(sum(m * value for m, value in parts) / n)
