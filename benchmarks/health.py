"""What gradient health costs, in percent of a training's time: `python -m benchmarks.health`.

One training goes on and on, in turns with and without health: two trainings would differ by some percent, by where
their memory happens to lie. The medians of the rounds count. One update in so many is measured
(`fit.MEASURE_EVERY`), in a graph of its own, as in every run; tracing it once is told apart, in seconds.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.entrants import tapeline_epochs
from benchmarks.summary import machine, median, write
from benchmarks.workloads import WORKLOADS, Workload
from pipelines.training.fit import MEASURE_EVERY

RESULTS = Path(__file__).parent / "results" / "health.json"
NAMES = ("mlp", "resnet", "lstm")
ROUNDS, ROUND_SECONDS = 11, 2.0


def main() -> None:
    """Measure, print a table, write the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.health", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"turns of each training (default: {ROUNDS})")
    parser.add_argument("--only", choices=NAMES, help="one workload; writes nothing")
    asked = parser.parse_args()
    workloads = {workload.name: workload for workload in WORKLOADS}
    found = [measure(workloads[name], asked.rounds) for name in NAMES if asked.only in (None, name)]
    if not asked.only:
        write({"machine": machine(), "workloads": found}, RESULTS)


def measure(workload: Workload, rounds: int) -> dict[str, Any]:
    """Milliseconds per update with and without, the overhead in percent, and what the first epoch took longer."""
    train, _, _ = tapeline_epochs(workload)
    first = {watched: seconds(partial(train, watched=watched), 1) for watched in (False, True)}
    epoch = min(seconds(train, 1) for _ in range(4))
    tracing = first[True] - epoch
    # Long enough that each turn has its share of measured updates.
    epochs = max(1, round(ROUND_SECONDS / epoch), -(-4 * MEASURE_EVERY[False] // workload.steps))
    turns: dict[bool, list[float]] = {True: [], False: []}
    for number in range(rounds):
        for watched in (True, False) if number % 2 else (False, True):
            turns[watched].append(seconds(partial(train, watched=watched), epochs) / (epochs * workload.steps))
    watched, plain = median(turns[True]), median(turns[False])
    found = {
        "name": workload.title,
        "rounds": rounds,
        "epochs_a_round": epochs,
        "milliseconds_per_step": 1000 * plain,
        "overhead_percent": 100 * (watched / plain - 1),
        "first_epoch_seconds_more": tracing,
    }
    step, more, first = list(found.values())[3:]
    print(
        f"{workload.title:32} {step:8.3f} ms a step  health {more:+.2f} %  tracing it {first:.1f} s, once", flush=True
    )
    return found


def seconds(train: Callable[[int], None], epochs: int) -> float:
    """That so many epochs take."""
    start = time.perf_counter()
    train(epochs)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
