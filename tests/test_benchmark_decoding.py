"""The benchmark of decoding: the same rows from memory and from files, and a smoke run."""

import numpy as np
import pytest

from benchmarks import decoding
from pipelines.data.examples import OnDemand


def test_rows_in_memory_and_on_demand_are_the_same(tmp_path):
    decoding.write(tmp_path, 12)
    kept, on_demand = decoding.read(tmp_path, 1 << 40), decoding.read(tmp_path, 0)
    assert isinstance(on_demand.columns["image"], OnDemand)
    np.testing.assert_array_equal(on_demand.columns["image"][:], kept.columns["image"])
    assert kept.columns["image"].shape == (12, 28, 28, 1)


@pytest.mark.slow
def test_it_measures_both(tmp_path):
    decoding.write(tmp_path, 200)
    found = decoding.measure(tmp_path, epochs=1, turns=1, width=4)
    assert found.rows == 200
    assert min(found.from_memory, found.from_files, found.decoded) > 0
    assert "of it" in str(found)
