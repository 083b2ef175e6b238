"""What gradient health costs, in percent of the step time: `python -m benchmarks.health`.

Loops over the same network, half of which measure, take turns in one process on one core, in an order drawn anew each
round. A round is short, and its clock is the processor time of the process, so that others on the machine disturb it
little. Two loops that are alike still differ by some percent, by where their memory happens to lie; that is why there
are several of each kind, and the overhead is the mean of the medians of one kind over that of the other, with a
standard error from how far loops of one kind lie apart. One step in 32 is measured, as in training.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks.summary import machine, write
from benchmarks.workloads import LEARNING_RATE, WORKLOADS, Workload

RESULTS = Path(__file__).parent / "results" / "health.json"
CASES = (("mlp", True), ("mlp", False), ("resnet", False), ("lstm", True))
"""Workload, and whether XLA compiles it: the plans that training takes for them, and the MLP without XLA."""
ROUNDS, ROUND_SECONDS, ALIKE = 60, 0.05, 3
"""Turns of each loop, about how long one takes, and how many loops there are of each kind."""
MOST_SECONDS = 300.0
"""For all turns of one workload; a slow one gets fewer."""

Loop = Callable[[int], float]
"""Steps -> seconds of processor time that they took."""


def main() -> None:
    """Measure, print a table, write the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.health", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"turns of each loop (default: {ROUNDS})")
    parser.add_argument("--only", choices=sorted({name for name, _ in CASES}), help="one workload; writes nothing")
    asked = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    workloads = {workload.name: workload for workload in WORKLOADS}
    chosen = [(name, xla) for name, xla in CASES if asked.only in (None, name)]
    found = [measure(workloads[name], xla, asked.rounds) for name, xla in chosen]
    if not asked.only:
        clock = "processor time of one process on one core"
        write({"machine": machine(), "clock": clock, "loops_of_each_kind": ALIKE, "workloads": found}, RESULTS)


def measure(workload: Workload, xla: bool, rounds: int) -> dict[str, Any]:
    """Step time in milliseconds, and the overhead with its standard error in percent of it."""
    kinds = np.arange(2 * ALIKE) % 2
    loops = [loop(workload, xla, measured=bool(kind)) for kind in kinds]
    fastest = min(each(32) for each in (*loops, *loops)) / 32
    steps = 32 * max(1, min(workload.steps // 32, round(ROUND_SECONDS / (32 * fastest))))
    rounds = max(5, min(rounds, int(MOST_SECONDS / (len(loops) * steps * fastest))))
    rng = np.random.default_rng(0)
    seconds = np.zeros((rounds, len(loops)))
    for turn in range(rounds):
        for place in rng.permutation(len(loops)):
            seconds[turn, place] = loops[place](steps) / steps
    plain, watched = (np.median(seconds[:, kinds == kind], axis=0) for kind in (0, 1))
    found = {
        "name": workload.name,
        "xla": xla,
        "rounds": rounds,
        "step_milliseconds": 1000 * float(plain.mean()),
        "overhead_percent": 100 * float(watched.mean() / plain.mean() - 1),
        "standard_error": 100 * float(np.sqrt((plain.var(ddof=1) + watched.var(ddof=1)) / ALIKE) / plain.mean()),
    }
    print(
        f"{workload.title + (', XLA' if xla else ''):40} {found['step_milliseconds']:8.3f} ms/step   "
        f"health {found['overhead_percent']:+6.2f} % (standard error {found['standard_error']:.2f})",
        flush=True,
    )
    return found


def loop(workload: Workload, xla: bool, measured: bool) -> Loop:
    """The training core on resident rows, compiled and warm."""
    import tensorflow as tf

    from pipelines.task import Recipe
    from pipelines.training.feed import Rows, feed_of
    from pipelines.training.health import Health
    from pipelines.training.loop import Loop as Core
    from pipelines.training.plan import Plan
    from pipelines.training.step import Supervised

    x, y = workload.data()
    objective, network = workload.objective, workload.network()
    recipe = Recipe(batch_size=workload.batch, optimiser="adam", learning_rate=LEARNING_RATE, schedule="constant")
    step = Supervised(network, objective.loss, recipe, Health(network) if measured else None)
    core = Core(step, network, objective.loss, recipe, Plan(resident=True, xla=xla))
    rows = Rows(x, objective.learnable(y), np.ones(len(y), np.float32))
    arguments = next(iter(feed_of(core, rows, seed=0).calls(0, 0))).arguments
    clock = tf.constant(0.0), tf.constant(1e6), tf.constant(1.0)

    def train(steps: int) -> float:
        start = process_time()
        float(core.train(*arguments, tf.constant(0), tf.constant(steps), clock)["loss"])
        return process_time() - start

    train(32)
    return train


if __name__ == "__main__":
    main()
