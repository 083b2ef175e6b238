"""The benchmarks of portfolios: shuffled days are the same days, and simulated pairs have one Sharpe ratio."""

import numpy as np
import pytest

from benchmarks.portfolio import ShuffledDays
from benchmarks.sharpe import DAILY, measured, series
from domains.finance.portfolio import TASK
from pipelines.task import DataRequest


def test_shuffled_days_are_the_same_days_in_another_order():
    sample = TASK.sources.sample
    plain = sample.load(DataRequest())
    mixed = ShuffledDays(sample.prices, sample.days, 0).load(DataRequest())
    assert mixed.simulated
    np.testing.assert_array_equal(plain.examples.time, mixed.examples.time)

    def days(of):
        """Every day's returns: the first window and what followed it."""
        return np.vstack([of.examples.columns["returns"][0], of.examples.target])

    ours, theirs = days(plain), days(mixed)
    assert np.abs(ours - theirs).max() > 0.05
    order, other = (np.lexsort(np.round(each, 5).T) for each in (ours, theirs))
    np.testing.assert_allclose(ours[order], theirs[other], atol=1e-5)


@pytest.mark.parametrize("kind", ["normal", "heavy-tailed", "garch", "ar"])
def test_simulated_series_have_the_same_sharpe_ratio(kind):
    found = series(kind, 60_000, np.random.default_rng(0))
    ratios = found.mean(axis=0) / found.std(axis=0)
    np.testing.assert_allclose(ratios, DAILY, atol=0.02)
    assert 0 <= measured(kind, 60, 5)["rejected"] <= 0.6
