"""Blocks of rows in time: their length is what the published rule gives, and neighbours are drawn together."""

import numpy as np
import pytest
from scipy.signal import lfilter

from pipelines.evaluation.blocks import automatic_length, in_order, stationary_counts
from pipelines.evaluation.comparison import compare
from pipelines.evaluation.outcome import Outcome, Round
from pipelines.evaluation.replicates import replicate
from pipelines.objectives.objective import Predictions

from .cases import NUMBER, holdout


def remembering(rho, n, seed=0):
    noise = np.random.default_rng(seed).normal(size=n + 500)
    return lfilter([1.0], [1.0, -rho], noise)[500:]


@pytest.mark.parametrize("rho", [0.3, 0.5, 0.8])
def test_the_automatic_length_is_that_of_the_closed_form_of_an_autoregression(rho):
    """Of AR(1) G / g(0) is 2 rho / (1 - rho^2), and the best length the cube root of its square times n."""
    n = 20_000
    found = np.mean([automatic_length(remembering(rho, n, seed)) for seed in range(3)])
    assert found == pytest.approx(np.cbrt((2 * rho / (1 - rho**2)) ** 2 * n), rel=0.15)


def test_of_independent_values_blocks_stay_short():
    assert np.mean([automatic_length(remembering(0.0, 1000, seed)) for seed in range(20)]) < 2.5
    assert automatic_length(np.zeros(50)) == automatic_length(np.arange(3.0)) == 1.0
    assert 1 <= automatic_length(np.cumsum(np.ones(100))) <= 30


def test_a_resample_is_made_of_runs_of_neighbours():
    units, length = 400, 8.0
    counts = stationary_counts(np.random.default_rng(0), units, 300, length)
    assert (counts.sum(axis=1) == units).all()
    np.testing.assert_allclose(counts.mean(axis=0), 1.0, atol=0.4)
    alike = np.corrcoef(counts[:, :-1].ravel(), counts[:, 1:].ravel())[0, 1]
    # A neighbour is drawn along with chance 1 - 1/length.
    assert alike == pytest.approx(1 - 1 / length, abs=0.03)
    single = stationary_counts(np.random.default_rng(0), units, 300, 1.0)
    assert abs(np.corrcoef(single[:, :-1].ravel(), single[:, 1:].ravel())[0, 1]) < 0.02


def test_the_spread_of_a_mean_in_time_is_that_of_the_series_not_of_its_values():
    """The variance of the mean of AR(1) is (1 + rho) / (1 - rho) that of independent values."""
    rho, n = 0.7, 3000
    target = np.zeros(n)
    found = []
    for seed in range(6):
        predictions = Predictions(10 + remembering(rho, n, seed))
        drawn = replicate(target, predictions, NUMBER, None, np.arange(n), 300, 0, 60.0)["mae"]
        found.append(drawn.var())
    of_one = 1 / (1 - rho**2) / n
    assert np.mean(found) == pytest.approx(of_one * (1 + rho) / (1 - rho), rel=0.25)


def test_rows_of_one_moment_are_one_unit():
    time = np.array(["2024-02", "2024-01", "2024-02", "2024-03"], dtype=object)
    assert in_order(time, None, np.arange(4)).tolist() == [1, 0, 1, 2]
    each_once = np.array(["a", "b", "c", "d"], dtype=object)
    assert in_order(time, each_once, np.arange(4)).tolist() == [1, 0, 1, 2]
    copies = np.concatenate([time, time]), np.concatenate([each_once, each_once]), np.tile(np.arange(4), 2)
    assert in_order(*copies).tolist() == [1, 0, 1, 2] * 2


def test_rows_of_one_id_are_one_unit_at_its_first_moment():
    ids = np.array(["late", "early", "late", "early", "middle"], dtype=object)
    assert in_order(np.array([2, 0, 3, 9, 1]), ids, np.arange(5)).tolist() == [2, 0, 2, 0, 1]


def in_time(values, block=0, **columns):
    n = len(values)
    return Outcome(
        np.zeros(n), Predictions(values), (Round(0, n, n),), np.arange(n), time=np.arange(n), block=block, **columns
    )


def test_an_outcome_in_time_is_cut_into_stretches_of_its_own_length():
    outcome = in_time(remembering(0.9, 600))
    assert outcome.length > 5
    assert outcome.units == int(np.ceil(600 / np.ceil(outcome.length)))
    assert (np.diff(outcome.clusters) >= 0).all()
    assert in_time(np.cumsum(remembering(0.9, 60))).units == 4, "however long it remembers"
    assert in_time(remembering(0.9, 600), block=7).length == 7
    assert in_time(remembering(0.9, 600), block=7).clusters.tolist() == (np.arange(600) // 7).tolist()
    assert holdout(np.zeros(600), Predictions(remembering(0.9, 600))).length == 1


def test_two_sides_in_time_are_tested_alike_whichever_comes_first():
    """One side's errors remember, the other's do not; the blocks, and the stretches that count, are of the pair."""
    target, when = np.random.default_rng(1).normal(size=400), np.arange(400)
    errors = {
        "long": remembering(0.9, 400) / 2, "white": np.random.default_rng(2).normal(size=400) * 1.3,
        "other": np.random.default_rng(3).normal(size=400),
    }  # fmt: skip
    outcomes = {name: holdout(target, Predictions(target + each), time=when) for name, each in errors.items()}
    (one,) = compare("long", ["white"], outcomes, NUMBER, "rmse", 400)
    (other,) = compare("white", ["long"], outcomes, NUMBER, "rmse", 400)
    assert one.units == other.units < 100
    assert one.p_value == pytest.approx(other.p_value)
    assert one.effect_size == pytest.approx(-other.effect_size)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
    (alone,) = compare("white", ["other"], outcomes, NUMBER, "rmse", 400)
    assert alone.units > 3 * one.units
    together = compare("white", ["other", "long"], outcomes, NUMBER, "rmse", 400)
    assert {test.units for test in together} == {one.units}, "the longer blocks, for both"


def test_what_is_no_number_has_a_length_that_grows_with_the_test():
    said = np.array(["a", "b"] * 500, dtype=object)
    outcome = Outcome(said, Predictions(said), (Round(0, 1000, 5),), np.arange(1000), time=np.arange(1000))
    assert outcome.losses is None
    assert outcome.length == pytest.approx(10)


def test_heavy_rows_decide_on_the_length():
    """Rows without weight have no say, however alike neighbours are among them."""
    values = np.concatenate([remembering(0.0, 500), 5 * remembering(0.95, 500)])
    weight = np.repeat([1.0, 0.0], 500)
    assert in_time(values, weight=weight).length < in_time(values).length / 2
