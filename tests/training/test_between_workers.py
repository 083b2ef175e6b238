"""What workers tell each other arrives as it was said, and a worker that is gone is missed in words."""

import numpy as np
import pytest
import tensorflow as tf

from pipelines.errors import WorkerLost
from pipelines.training import workers
from pipelines.training.checkpoint import Saved
from pipelines.training.strategy import _moments_over_replicas


@pytest.fixture
def two(monkeypatch):
    """Two workers, of which this is the chief, and the other adds nothing."""
    monkeypatch.setattr(workers, "workers", lambda: 2)
    monkeypatch.setattr(workers, "chief", lambda: True)
    monkeypatch.setattr(workers, "_summed", lambda values: values)


@pytest.mark.parametrize("payload", [None, b"", b"a", b"abcd", b"abcde\0", bytes(range(256))])
def test_bytes_arrive_whole(payload, two):
    assert workers.from_chief(payload) == payload


def test_a_checkpoint_arrives_whole(two):
    saved = Saved({"state/0": np.arange(3.0), "best": np.array(-np.inf)}, {"epoch": 2, "notes": ["rolled back"]})
    found = workers.saved_by_chief(saved)
    assert found.notes == saved.notes
    np.testing.assert_array_equal(found.arrays["state/0"], saved.arrays["state/0"])
    assert workers.saved_by_chief(None) is None


def fails(error):
    with workers.missed():
        raise error


def test_who_is_gone_is_missed_only_where_there_are_others(two, monkeypatch):
    gone = tf.errors.UnavailableError(None, None, "connection refused")
    with pytest.raises(WorkerLost, match="a worker of this job is gone"):
        fails(gone)
    with pytest.raises(ValueError, match="something else"):
        fails(ValueError("something else"))
    monkeypatch.setattr(workers, "workers", lambda: 1)
    with pytest.raises(tf.errors.UnavailableError):
        fails(gone)


def test_a_variance_of_large_equal_values_is_not_negative():
    values = tf.random.stateless_uniform((64, 1000), (1, 2), 1000.0, 1000.001)
    _, variance = _moments_over_replicas(values, None, [0])
    assert float(tf.reduce_min(variance)) >= 0
