"""One replica, two replicas and two processes give the same weights: with a ragged tail, L2, clipping, row weights and
synchronised BatchNormalization, resident and streamed, each traced once."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PROGRAM = Path(__file__).with_name("replicas.py")
ROOT = PROGRAM.parents[2]


def started(how, output, **environment):
    return subprocess.Popen(
        [sys.executable, PROGRAM, how, output], env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def ended(*processes):
    for process in processes:
        _, err = process.communicate(timeout=300)
        assert process.returncode == 0, err[-2000:]


def free_ports(count):
    held = [socket.socket() for _ in range(count)]
    for each in held:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    output = tmp_path_factory.mktemp("one") / "one.npz"
    ended(started("one", output))
    return np.load(output)


def same(found, one, replicas, processes):
    assert int(found["replicas"]) == replicas
    # Streamed rows: a process reads its own part of every batch, and no other's.
    assert int(found["read"]) * processes == int(one["read"]) > 0
    for name in one.files:
        if name.endswith("traces"):
            assert int(found[name]) == 1
        elif name not in ("replicas", "read"):
            np.testing.assert_allclose(found[name], one[name], atol=1e-5, err_msg=name)


def test_two_replicas_equal_one(one, tmp_path):
    ended(started("two", tmp_path / "two.npz"))
    same(np.load(tmp_path / "two.npz"), one, 2, processes=1)


def test_two_processes_equal_one(one, tmp_path):
    cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(2)]}
    workers = [
        started(
            "worker",
            tmp_path / f"{index}.npz",
            TF_CONFIG=json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}}),
        )
        for index in range(2)
    ]
    try:
        ended(*workers)
    finally:
        for worker in workers:
            worker.kill()
    for index in range(2):
        same(np.load(tmp_path / f"{index}.npz"), one, 2, processes=2)
