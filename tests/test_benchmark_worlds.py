"""The benchmark of worlds: what it says of intervals is counted by hand."""

import numpy as np
import pytest

from benchmarks.worlds import told


def test_intervals_that_hold_the_mean_over_worlds_are_counted_and_measured_against_its_spread():
    value = np.array([0.2, 0.3, 0.4])
    score = [value, np.array([0.1, 0.2, 0.35]), np.array([0.3, 0.4, 0.45])]  # the third one lies above the mean
    lead = [value, value - 0.2, value + 0.2]
    rows = told("the losses", np.array([*score, *lead]).T)
    assert [row["of"] for row in rows] == ["score", "lead"]
    assert [row["mean"] for row in rows] == pytest.approx([0.3, 0.3])
    assert [row["held"] for row in rows] == pytest.approx([2 / 3, 1.0])
    assert rows[1]["half_width"] == pytest.approx(0.2 / (1.96 * 0.1))
