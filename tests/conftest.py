"""What all tests share."""

import os
import tempfile

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Two processes of tests share two cores: threads beyond one each wait for each other. What a
# person runs is tried with all threads once: `cli.conftest.recorded` takes these out again.
for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(name, "1")
# What a test measures is its own: neither read from a person's cache nor left there.
os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="tapeline-cache-")

from haste import hasten  # noqa: E402  after the threads are set


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    """Runs within this process time fewer single rows, and take fewer answers apart, than a person's do."""
    hasten(monkeypatch.setattr)
