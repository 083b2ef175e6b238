"""The fast bootstrap gives what calling every score on every resample would give."""

import numpy as np
import pytest

from pipelines.evaluation.replicates import replicate, resample_counts
from pipelines.objectives.objective import Predictions

from .cases import BINARY, NUMBER, TERNARY, Counted, Slow, two_class

N = 60


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def cases(rng, kind):
    if kind == "binary":
        return BINARY, rng.integers(0, 2, N), two_class(rng.random(N)).decide(0.3)
    if kind == "binary with ties":
        return BINARY, rng.integers(0, 2, N), two_class(rng.random(N).round(1))
    if kind == "binary, a rare class":
        return BINARY, (np.arange(N) == 0).astype(int), two_class(rng.random(N))
    if kind == "multiclass":
        return TERNARY, rng.integers(0, 3, N), Predictions(rng.dirichlet(np.ones(3), N))
    if kind == "multiclass, a rare class":
        return TERNARY, np.where(np.arange(N) == 0, 2, rng.integers(0, 2, N)), Predictions(rng.dirichlet(np.ones(3), N))
    return NUMBER, rng.normal(1e4, 1, N), Predictions(rng.normal(1e4, 1, N))


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "kind",
    ["binary", "binary with ties", "binary, a rare class", "multiclass", "multiclass, a rare class", "regression"],
)
def test_fast_path_equals_slow_path_on_the_same_resamples(rng, kind, weighted, clustered):
    objective, target, predictions = cases(rng, kind)
    weight = rng.integers(0, 5, N) / 4 if weighted else None
    clusters = rng.integers(0, 12, N) if clustered else None
    fast = replicate(target, predictions, objective, weight, clusters, resamples=120, seed=5)
    slow = replicate(target, predictions, Slow(objective), weight, clusters, resamples=120, seed=5)
    assert fast.keys() == slow.keys()
    for name in fast:
        np.testing.assert_allclose(fast[name], slow[name], rtol=1e-7, atol=1e-10, err_msg=name)


def test_a_resample_without_weight_is_undefined_not_an_error():
    weight = np.zeros(5)
    weight[0] = 1.0
    drawn = replicate(np.array([0, 1, 0, 1, 1]), two_class(np.linspace(0.1, 0.9, 5)), BINARY, weight, resamples=200)
    assert np.isnan(drawn["accuracy"]).any()
    assert np.isfinite(drawn["accuracy"]).any()
    assert np.isnan(drawn["auroc"]).all()


def test_no_row_and_one_row():
    empty = replicate(np.zeros(0, int), two_class(np.zeros(0)), BINARY, resamples=100)
    assert np.isnan(empty["accuracy"]).all()
    single = replicate(np.ones(1, int), two_class([0.7]), BINARY, resamples=100)
    assert (single["accuracy"] == 1).all()
    assert np.isnan(single["auroc"]).all()


def test_resamples_draw_as_many_units_as_there_are_and_each_equally_often():
    counts = np.concatenate([resample_counts(50, 2500, 1, block) for block in range(2)])
    assert (counts.sum(axis=1) == 50).all()
    error = np.sqrt((1 - 1 / 50) / len(counts))
    assert np.abs(counts.mean(axis=0) - 1).max() < 5 * error
    assert not (counts[0] == counts[1]).all()
    assert not (counts[0] == counts[len(counts) // 2]).all()  # the blocks are not copies of one another


def test_resamples_are_as_many_as_asked_for():
    for units in (3, 1000, 200_000):
        target = np.arange(units) % 2
        drawn = replicate(target, Predictions(target.astype(float)), NUMBER, resamples=101)
        assert len(drawn["mae"]) == 101


def test_same_seed_gives_both_contenders_the_same_resamples(rng):
    target = rng.normal(size=N)
    first = replicate(target, Predictions(target + 1), NUMBER, weight=np.ones(N), resamples=100, seed=2)
    again = replicate(target, Predictions(target + 3), NUMBER, resamples=100, seed=2)
    other = replicate(target, Predictions(target + 3), NUMBER, resamples=100, seed=4)
    spread = again["r2"] - 1 + 9 * (1 - first["r2"])  # r2 = 1 - error^2 / variance of the resample
    np.testing.assert_allclose(spread, 0, atol=1e-9)
    assert not np.isclose(again["r2"], other["r2"]).any()


def test_an_unknown_objective_takes_the_slow_path():
    target = np.array(["one", "two", "three"], dtype=object)
    said = np.array(["one", "too", "three"], dtype=object)
    drawn = replicate(target, Predictions(said), Counted(), resamples=300)
    assert drawn["exact"].mean() == pytest.approx(2 / 3, abs=5 * np.sqrt(2 / 9 / 3 / 300))


def test_an_objective_with_scores_of_its_own_is_asked_for_them():
    class Costly:
        kind, primary = "classification", "cost"

        def scores(self, target, predictions, weight=None):
            return {"cost": float(len(target))}

    drawn = replicate(np.array([0, 1, 1]), two_class([0.1, 0.5, 0.6]), Costly(), resamples=10)
    assert (drawn["cost"] == 3).all()
