"""Net benefit by its definition, and the difference of two contenders as the paired bootstrap has it."""

from dataclasses import replace

import numpy as np
import pytest

from pipelines.evaluation.decisions import decision_curve
from pipelines.evaluation.net_benefit import break_even, net_benefit, versus

from .cases import BINARY, TERNARY, holdout, noisy_scores, two_class


@pytest.fixture
def pair():
    rng = np.random.default_rng(2)
    target, score = noisy_scores(rng, 300, 1.5)
    other = np.clip(score + rng.normal(scale=0.15, size=300), 0.01, 0.99)
    return {"mlp": holdout(target, two_class(score)), "linear": holdout(target, two_class(other))}


def test_it_is_the_height_of_the_decision_curve(pair):
    curve = decision_curve(pair["mlp"].target, pair["mlp"].predictions.values[:, 1], np.array([0.3]))
    assert net_benefit(pair["mlp"], 0.3).value == pytest.approx(curve.model[0])
    found = versus(pair, BINARY, "mlp", "linear", 0.3)
    assert found.of_network.value == pytest.approx(curve.model[0])
    assert found.of_everyone.value == pytest.approx(curve.everyone[0])
    assert found.difference.value == pytest.approx(found.of_network.value - found.of_baseline.value)
    assert (found.network, found.baseline, found.threshold) == ("mlp", "linear", 0.3)


@pytest.mark.parametrize("ids", [None, np.repeat(np.arange(60), 5)])
def test_the_interval_of_the_difference_is_that_of_the_paired_bootstrap(pair, ids):
    pair = {name: replace(each, ids=ids) for name, each in pair.items()}
    units = np.arange(300)[:, None] if ids is None else np.arange(300).reshape(60, 5)
    rng, drawn = np.random.default_rng(0), []
    for _ in range(2000):
        rows = units[rng.integers(0, len(units), len(units))].ravel()
        worth = []
        for each in pair.values():
            acted, positive = each.predictions.values[rows, 1] >= 0.3, each.target[rows] == 1
            worth.append(((acted & positive).sum() - 3 / 7 * (acted & ~positive).sum()) / len(rows))
        drawn.append(worth[0] - worth[1])
    found = versus(pair, BINARY, "mlp", "linear", 0.3).difference
    low, high = np.quantile(drawn, [0.025, 0.975])
    width = high - low
    assert (found.low, found.high) == (pytest.approx(low, abs=0.1 * width), pytest.approx(high, abs=0.1 * width))


def test_costs_say_from_which_probability_acting_pays(pair):
    costly = replace(BINARY, decide_by="cost:1:4")
    assert break_even(costly, 0.9) == pytest.approx(0.2)
    assert break_even(BINARY, 0.9) == 0.9
    assert versus(pair, costly, "mlp", "linear", 0.9).threshold == pytest.approx(0.2)


def test_nothing_is_said_without_a_threshold_or_of_several_classes(pair):
    assert all(versus(pair, BINARY, "mlp", "linear", at) is None for at in (0.0, 1.0, float("nan")))
    several = holdout(np.array([0, 1, 2]), replace(two_class([0.1, 0.2, 0.3]), values=np.eye(3)))
    assert versus({"a": several, "b": several}, TERNARY, "a", "b", 0.5) is None
