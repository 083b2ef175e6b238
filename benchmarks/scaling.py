"""Two processes of one thread each against one: `python -m benchmarks.scaling`.

The residual CNN of the training benchmark, resident, BatchNormalization synchronised, gradients summed over loopback.
Every process keeps to a core of its own. One and two take turns; the medians of the rounds count.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.summary import machine, median, write
from benchmarks.workloads import WORKLOADS

RESULTS = Path(__file__).parent / "results" / "scaling.json"
ROOT = Path(__file__).resolve().parents[1]
ONE_THREAD = {
    "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "1",
}  # fmt: skip
EPOCHS = 3
NAME, BATCHES = "resnet", (64, 128, 256)
"""A message costs the same for any batch, so that two are worth more where a step is longer."""


def main() -> None:
    """Measure in turns, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="turns of one and of two (default: 3)")
    parser.add_argument(
        "--apart", action="store_true", help="each process normalises by its own rows, to see what meeting costs; "
        "the numbers are then not those of one process, and nothing is written",
    )  # fmt: skip
    parser.add_argument("--train", type=int, metavar="BATCH", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.train:
        print(json.dumps(train(asked.train, asked.apart)))
        return
    found = [measure(batch, asked.rounds, asked.apart) for batch in BATCHES]
    if asked.apart:
        return
    write({"machine": machine(), "workload": NAME, "batches": found}, RESULTS)


def measure(batch: int, rounds: int, apart: bool) -> dict[str, Any]:
    """Milliseconds per update of one and of two, in turns, and how much faster two are."""
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(rounds):
        for count, each in seconds.items():
            each.append(together(count, batch, apart))
    one, two = (1000 * median(each) for each in seconds.values())
    print(f"batch {batch}: one process {one:.1f} ms a step, two {two:.1f}; speed of two over one: {one / two:.2f}")
    return {"batch": batch, "one_milliseconds": one, "two_milliseconds": two, "ratio": one / two}


def together(count: int, batch: int, apart: bool) -> float:
    """Seconds per update of so many processes that train one network."""
    held = [socket.socket() for _ in range(count)]
    for each in held:
        each.bind(("127.0.0.1", 0))
    addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in held]
    for each in held:
        each.close()
    cores = sorted(os.sched_getaffinity(0))
    running = []
    for index in range(count):
        task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        settings = {**os.environ, **ONE_THREAD, **({"TF_CONFIG": json.dumps(task)} if count > 1 else {})}
        core = cores[index % len(cores)]
        flags = ["--train", str(batch), *(["--apart"] * apart)]
        running.append(
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.scaling", *flags], cwd=ROOT, env=settings,
                stdout=subprocess.PIPE, text=True, preexec_fn=lambda core=core: os.sched_setaffinity(0, {core}),
            )
        )  # fmt: skip
    said = [each.communicate()[0] for each in running]
    if any(each.returncode for each in running):
        raise SystemExit("a process of the benchmark failed; what it wrote stands above")
    return max(float(json.loads(each.splitlines()[-1])) for each in said)


def train(batch: int, apart: bool) -> float:
    """Seconds per update after two epochs of warming up."""
    import tensorflow as tf

    from benchmarks.entrants import tapeline_epochs
    from pipelines.training.strategy import opened, replicas, synchronise

    tf.get_logger().setLevel("ERROR")
    (workload,) = (replace(each, batch=batch) for each in WORKLOADS if each.name == NAME)
    with opened().scope():
        epochs, _, _ = tapeline_epochs(workload, ready=synchronise if replicas() > 1 and not apart else None)
        epochs(2)
        start = time.perf_counter()
        epochs(EPOCHS)
        return (time.perf_counter() - start) / (EPOCHS * workload.steps)


if __name__ == "__main__":
    main()
