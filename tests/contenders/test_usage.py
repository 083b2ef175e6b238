"""The time of a single row: raw tested rows, one by one, after a warm-up, within a budget; on a clock of the test's."""

import types

import numpy as np
import pytest

from pipelines.contenders import usage
from pipelines.data.examples import Examples
from pipelines.report.document import Cost

N = 500
ROWS = Examples({"x": np.arange(float(N))}, np.zeros(N), {"x": "number"})


class Slow:
    """Takes as long as it is told to for each row, and much longer the first time."""

    def __init__(self, seconds, now):
        self.seconds, self.now, self.asked, self.counted_on = seconds, now, [], []

    def predict(self, examples):
        assert len(examples) == 1
        self.now[0] += 100.0 if not self.asked else self.seconds(len(self.asked))
        self.asked.append(float(examples.columns["x"][0]))

    def flops(self, examples):
        self.counted_on = examples.columns["x"].tolist()
        return 12.0


@pytest.fixture
def now(monkeypatch):
    now = [3.0]
    monkeypatch.setattr(usage, "BUDGET", 0.5)
    monkeypatch.setattr(usage, "time", types.SimpleNamespace(perf_counter=lambda: now[0]))
    return now


def test_the_median_and_the_95th_percentile_without_the_first_call(now):
    model = Slow(lambda place: 0.001 if place % 10 else 0.004, now)
    cost = usage.measured(Cost(7.0, parameters=3), model, ROWS, np.arange(N))
    assert (cost.latency_ms, cost.latency_ms_95) == (pytest.approx(1.0), pytest.approx(4.0))
    assert (cost.train_seconds, cost.parameters, cost.flops_per_row) == (7.0, 3, 12.0)
    assert len(model.asked) == usage.MOST_ROWS + usage.WARM_UP
    asked = model.asked[usage.WARM_UP :]
    assert (asked[0], asked[-1], len(set(asked))) == (0, N - 1, usage.MOST_ROWS), "spread over all rows"


def test_rows_are_tested_ones_spread_over_all_of_them(now):
    model, tested = Slow(lambda place: 1e-4, now), np.arange(300, 500)
    usage.measured(Cost(1.0), model, ROWS, tested)
    assert set(model.asked) == set(map(float, tested)) == set(model.counted_on)
    few = Slow(lambda place: 1e-4, now)
    usage.measured(Cost(1.0), few, ROWS, np.arange(5))
    assert few.asked[usage.WARM_UP :] == [0, 1, 2, 3, 4]


def test_a_slow_model_is_not_asked_for_longer_than_it_takes_to_know(now):
    slow = Slow(lambda place: 1.0, now)
    assert usage.measured(Cost(1.0), slow, ROWS, np.arange(N)).latency_ms == pytest.approx(1000)
    assert len(slow.asked) == usage.FEWEST_ROWS + usage.WARM_UP
    middling = Slow(lambda place: 0.01, now)
    usage.measured(Cost(1.0), middling, ROWS, np.arange(N))
    assert len(middling.asked) == pytest.approx(usage.BUDGET / 0.01 + usage.WARM_UP, abs=2)
