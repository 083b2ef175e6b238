"""Checkpoints: whole or not there, the newest whole one is found; a training that was stopped goes on bit for bit."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.kill import Deaths
from pipelines.training.checkpoint import ARRAYS, MANIFEST, PREFIX, UNFINISHED, Checkpoints, Saved, collected, numbered


def saved(value, size=10):
    return Saved({"a": np.full(size, value, np.float32), "b/0": np.array(value)}, {"epoch": value, "text": "é"})


def filled(folder, values=(1, 2, 3), **settings):
    checkpoints = Checkpoints(folder / "here", every=0, **settings)
    for value in values:
        checkpoints.save(saved(value), wait=True)
    return checkpoints


def test_what_is_saved_comes_back(tmp_path):
    found = filled(tmp_path).newest()
    assert found.notes == {"epoch": 3, "text": "é"}
    assert set(found.arrays) == {"a", "b/0"}
    np.testing.assert_array_equal(found.arrays["a"], np.full(10, 3, np.float32))
    assert found.arrays["a"].dtype == np.float32
    assert found.arrays["b/0"].shape == ()


def test_nobody_else_may_look_into_them(tmp_path):
    filled(tmp_path)
    assert (tmp_path / "here").stat().st_mode & 0o777 == 0o700


def test_old_ones_are_removed_and_numbers_go_on(tmp_path):
    filled(tmp_path, kept=2)
    assert sorted(path.name for path in (tmp_path / "here").iterdir()) == [f"{PREFIX}00000002", f"{PREFIX}00000003"]
    filled(tmp_path, values=[9])
    assert sorted(path.name for path in (tmp_path / "here").iterdir()) == [f"{PREFIX}00000003", f"{PREFIX}00000004"]


def test_nothing_is_found_where_nothing_was_saved(tmp_path):
    assert Checkpoints(tmp_path / "nowhere").newest() is None


def damaged(path, how):
    if how == "truncated":
        os.truncate(path / ARRAYS, (path / ARRAYS).stat().st_size // 2)
    elif how == "flipped":
        content = bytearray((path / ARRAYS).read_bytes())
        content[len(content) // 2] ^= 1
        (path / ARRAYS).write_bytes(content)
    elif how == "no arrays":
        (path / ARRAYS).unlink()
    elif how == "no manifest":
        (path / MANIFEST).unlink()
    elif how == "half a manifest":
        os.truncate(path / MANIFEST, 20)
    else:
        manifest = json.loads((path / MANIFEST).read_text())
        manifest["notes"]["epoch"] = 77
        (path / MANIFEST).write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    "how", ["truncated", "flipped", "no arrays", "no manifest", "half a manifest", "another epoch in its notes"]
)
def test_a_damaged_newest_is_passed_over(how, tmp_path):
    checkpoints = filled(tmp_path)
    damaged(tmp_path / "here" / f"{PREFIX}00000003", how)
    assert checkpoints.newest().notes["epoch"] == 2
    damaged(tmp_path / "here" / f"{PREFIX}00000002", how)
    assert checkpoints.newest() is None


def test_what_a_killed_writer_left_is_ignored_and_swept(tmp_path):
    left = tmp_path / "here" / f"{UNFINISHED}{PREFIX}00000009"
    left.mkdir(parents=True)
    (left / ARRAYS).write_bytes(b"half")
    assert Checkpoints(tmp_path / "here").newest() is None
    assert filled(tmp_path, values=[1]).newest().notes["epoch"] == 1
    assert not left.exists()


def test_a_copy_that_somebody_made_beside_them_stops_nothing(tmp_path):
    checkpoints = filled(tmp_path, values=[1])
    shutil.copytree(tmp_path / "here" / f"{PREFIX}00000001", tmp_path / "here" / f"{PREFIX}00000001 (copy)")
    checkpoints.save(saved(2), wait=True)
    assert checkpoints.newest().notes["epoch"] == 2


def test_a_full_disk_keeps_the_one_before_and_says_so(tmp_path):
    """A limit on the size of a file stands in for a full disk."""
    checkpoints = filled(tmp_path, values=[1])
    kept = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, kept[1]))
    try:
        checkpoints.save(saved(2, size=10_000), wait=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, kept)
    assert "no checkpoint could be written" in checkpoints.trouble
    assert checkpoints.newest().notes["epoch"] == 1
    assert [path.name for path in (tmp_path / "here").iterdir()] == [f"{PREFIX}00000001"]
    checkpoints.save(saved(3), wait=True)
    assert checkpoints.trouble == ""
    assert checkpoints.newest().notes["epoch"] == 3


def test_arrays_keep_their_order_beyond_ten():
    values = [np.array(number) for number in range(12)]
    assert [int(each) for each in collected("state", dict(numbered("state", values)))] == list(range(12))


def test_a_training_killed_at_random_moments_ends_with_the_very_same_weights(tmp_path):
    """Some of the kills of `python -m benchmarks.kill`, by SIGKILL and by SIGTERM."""
    code = (
        "import sys; from pathlib import Path; from benchmarks.kill import *;"
        f"print(die_and_go_on(Path(sys.argv[1]), kills=6, number={int(signal.SIGKILL)}, seed=1));"
        f"print(die_and_go_on(Path(sys.argv[1]), kills=3, number={int(signal.SIGTERM)}, seed=2))"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines() == [str(Deaths(6, 0, True)), str(Deaths(3, 0, True))]
