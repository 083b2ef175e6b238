"""Where the true probabilities are known: the promise is kept, and measured shares hold the true ones."""

import numpy as np
import pytest

from benchmarks.oversight import WORLDS, Tried, World, told, tried

REPEATS = 200
ROOM = 2.5
"""Standard errors of a simulated share."""


def enough(share):
    return share - ROOM * (share * (1 - share) / REPEATS) ** 0.5


@pytest.mark.parametrize(
    "world", [WORLDS["600 rows"], WORLDS["600 rows, probabilities far off"], WORLDS["1000 rows of 250 patients"]]
)
def test_what_is_automated_errs_as_seldom_as_promised(world):
    found = told([tried(world, seed, tested=600, population=20_000) for seed in range(REPEATS)])
    assert found["promise_kept"] >= enough(0.95)
    assert found["area_interval_holds"] >= enough(0.93)
    assert found["automated"] > 0.05
    assert found["automated"] < found["oracle"]
    if world.cluster == 1:
        assert found["share_interval_holds"] >= enough(0.93)


def test_more_rows_promise_more():
    few, many = (told([tried(World(rows), seed, 500, 20_000) for seed in range(10)]) for rows in (400, 4000))
    assert few["automated"] < many["automated"] < many["oracle"]
    assert many["automated"] > 0.9 * many["oracle"]


def test_a_promise_that_is_broken_is_counted():
    one = Tried(0.5, 0.5, 0.04, 0.6, True, True, True)
    broken = Tried(0.5, 0.5, 0.051, 0.6, True, False, True)
    none = Tried(0.0, 0.0, float("nan"), 0.6, False, False, True)
    found = told([one, broken, none, none])
    assert found["promise_kept"] == 0.75
    assert found["nothing_automated"] == 0.5
    assert found["true_error"] == pytest.approx(0.0455)
    assert (found["share_interval_holds"], found["error_interval_holds"]) == (1.0, 0.5)
    assert np.isnan(told([none])["true_error"])
