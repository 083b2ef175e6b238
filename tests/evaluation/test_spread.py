"""Spread: the part of trainings and the part of rows are those that were put in."""

import math

import numpy as np
import pytest
from scipy import stats

from pipelines.evaluation import spread


def worlds(rng, trainings, luck, of_rows, of_both, resamples=4000):
    """Values of each training and their resamples, all normal, as a bootstrap of endlessly many rows would give."""
    values = rng.normal(scale=luck, size=trainings) + rng.normal(scale=of_rows)
    values = values + rng.normal(scale=of_both, size=trainings)
    drawn = rng.normal(scale=of_rows, size=resamples) + rng.normal(scale=of_both, size=(trainings, resamples))
    return values, list(values[:, None] + drawn)


@pytest.mark.parametrize(("luck", "of_rows", "of_both"), [(0.3, 1.0, 0.0), (0.0, 1.0, 0.8), (1.0, 0.4, 0.5)])
def test_both_parts_and_what_they_share_are_told_apart(luck, of_rows, of_both):
    rng = np.random.default_rng(0)
    found = [spread.of_resamples(*worlds(rng, 4, luck, of_rows, of_both, 300), units=10**6) for _ in range(400)]
    between = np.mean([each.training_sd**2 for each in found])
    assert between == pytest.approx(luck**2 + of_both**2, rel=0.12, abs=1e-3)
    assert np.mean([each.test_sd**2 for each in found]) == pytest.approx(of_rows**2, rel=0.1, abs=0.02)
    variance = np.mean([each.error**2 for each in found])
    assert variance == pytest.approx(of_rows**2 + (luck**2 + of_both**2) / 4, rel=0.08, abs=0.02)
    assert np.mean([each.fixed for each in found]) == pytest.approx(luck**2 / 4, rel=0.2, abs=0.07)


def test_one_training_has_the_spread_of_the_resamples():
    drawn = np.random.default_rng(1).normal(size=5000)
    found = spread.of_resamples([0.0], [drawn], 11)
    assert found.error == pytest.approx(drawn.std(ddof=1) * math.sqrt(11 / 10))
    assert (found.freedom, found.fixed) == (10, 0)
    assert math.isnan(found.training_sd)
    assert math.isnan(found.test_sd)


def test_degrees_of_freedom_lie_between_those_of_the_parts():
    """Cochran's: the critical value is the mean of both parts' critical values, weighted by their variances."""
    rng = np.random.default_rng(2)
    values, drawn = worlds(rng, 3, 1.0, 0.5, 0.0)
    found = spread.of_resamples(values, drawn, 200)
    share = found.training_sd**2 / 3 / found.error**2
    expected = share * stats.t.ppf(0.975, 2) + (1 - share) * stats.t.ppf(0.975, 199)
    assert stats.t.ppf(0.975, found.freedom) == pytest.approx(expected, rel=1e-6)
    assert 2 < found.freedom < 199


def test_resamples_without_the_score_are_left_out_and_too_few_say_nothing():
    drawn = np.random.default_rng(3).normal(size=(2, 1000))
    drawn[0, :300] = np.nan
    assert spread.of_resamples([0.0, 0.1], list(drawn), 50).error > 0
    drawn[1, 300:600] = np.nan
    assert math.isnan(spread.of_resamples([0.0, 0.1], list(drawn), 50).error)
    assert math.isnan(spread.of_resamples([0.0], [drawn[0]], 1).error)


def test_of_folds_the_trainings_part_is_that_within_folds():
    by_fold = [[0.1, 0.3], [0.5, 0.5], [0.2, 0.6], [math.nan, 0.1]]
    found = spread.of_folds(by_fold, error=0.2)
    between = np.mean([np.var(each, ddof=1) for each in by_fold[:3]]) / 3
    assert found.training_sd == pytest.approx(math.sqrt(between))
    assert found.test_sd == pytest.approx(math.sqrt(0.2**2 - between / 2))
    assert found.fixed == pytest.approx(between / 2)
    assert found.of_rows == pytest.approx(0.2**2 - between / 2)
    assert spread.of_folds(by_fold, 0.2, by_rows=1.0).fixed == 0
    alone = spread.of_folds([[0.1], [0.2]], 0.2)
    assert math.isnan(alone.training_sd)
    assert alone.freedom == 1
