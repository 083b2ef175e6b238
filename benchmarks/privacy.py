"""`python -m benchmarks.privacy`: the cost of an update of DP-SGD against the plain one: MLP, CNN and LSTM.

Both train the same network, without XLA, from rows that stay in memory: the plain step on shuffled batches, the private
one on Poisson-sampled batches of the same expected size. BatchNormalization, which a private network may not have, is
GroupNormalization in both. Turns are interleaved; each figure is the median over rounds. Writes
`benchmarks/results/privacy.json`. Ratios count; seconds depend on the machine and who shares it.
"""

from __future__ import annotations

import argparse
import logging
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from rich.console import Console
from rich.table import Table

from benchmarks.summary import machine, median, write
from benchmarks.workloads import WORKLOADS, Workload

RESULTS = Path(__file__).parent / "results" / "privacy.json"
STEPS = {"mlp": 100, "resnet": 6, "lstm": 6}
"""Workload -> updates in one turn."""

BATCHES = {"mlp": (64, 256), "resnet": (64,), "lstm": (64,)}
ROUNDS = 7


def main() -> None:
    """Measure, print a table, write the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.privacy", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"turns of each step (default: {ROUNDS})")
    rounds = max(1, parser.parse_args().rounds)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it tells of every convolution taken row by row
    measured = [
        measure(workload, batch, rounds)
        for workload in WORKLOADS
        if workload.name in STEPS
        for batch in BATCHES[workload.name]
    ]
    Console().print(table_of(measured))
    write({"machine": machine(), "rounds": rounds, "workloads": measured}, RESULTS)


def measure(workload: Workload, batch: int, rounds: int) -> dict[str, Any]:
    """Milliseconds per update of the plain and the private step, and how many times the plain one fits in the other."""
    from pipelines.data.batches import shuffled
    from pipelines.task import Recipe
    from pipelines.training.privacy import Private, capacity, poisson
    from pipelines.training.step import Supervised

    recipe, loss, steps = Recipe(optimiser="adam", batch_size=batch), workload.objective.loss, STEPS[workload.name]
    plain = Supervised(as_if_private(workload.network), loss, recipe)
    private = Private(as_if_private(workload.network), loss, recipe, clip=1.0, noise_multiplier=1.0, seed=0)
    turns = {
        "plain": turn(workload, plain, lambda number: shuffled(workload.rows, batch, 0, number), steps),
        "private": turn(workload, private, lambda number: poisson(workload.rows, batch, 0, number, steps), steps),
    }
    seconds: dict[str, list[float]] = {name: [] for name in turns}
    for number in range(rounds + 1):
        for name, run in turns.items():
            seconds[name].append(run(number))
    found = {name: 1000 * median(values[1:]) for name, values in seconds.items()}  # the first turn traces
    return {
        "name": workload.title,
        "batch": batch,
        "places": capacity(batch),
        "parameters": plain.core.count_params(),
        "plain_ms": found["plain"],
        "private_ms": found["private"],
        "private_over_plain": found["private"] / found["plain"],
    }


def as_if_private(network: Callable[[], Any]) -> Any:
    """The network with new weights, as a private recipe builds it."""
    from pipelines.task import Recipe

    with mock.patch("benchmarks.workloads.Recipe", partial(Recipe, dp_noise=1.0)):
        return network()


def turn(workload: Workload, step: Any, order_of: Callable[[int], Any], steps: int) -> Callable[[int], float]:
    """Number of a turn -> seconds per update, over `steps` updates in one call."""
    import tensorflow as tf

    from pipelines.training.step import Batch, Clock

    data = tuple(tf.constant(values) for values in workload.data())

    @tf.function
    def updates(rows: Any, mask: Any) -> Any:
        total = tf.constant(0.0)
        for number in tf.range(steps):
            x, y = (tf.gather(values, rows[number]) for values in data)
            weight = mask[number]
            moment = Clock(tf.cast(number, tf.float32), tf.constant(1e-3))
            total += step(Batch(x, y, weight, tf.reduce_sum(weight)), moment)["loss"]
        return total

    def run(number: int) -> float:
        order = order_of(number)
        rows, mask = tf.constant(order.rows[:steps]), tf.constant(order.mask[:steps])
        started = time.perf_counter()
        float(updates(rows, mask))
        return (time.perf_counter() - started) / steps

    return run


def table_of(measured: list[dict[str, Any]]) -> Table:
    """Workload, batch, and the cost of an update."""
    table = Table("", "expected batch", "plain, ms", "private, ms", "private / plain", title="An update of DP-SGD")
    for each in measured:
        times = f"{each['plain_ms']:.2f}", f"{each['private_ms']:.2f}", f"{each['private_over_plain']:.1f}"
        table.add_row(each["name"], str(each["batch"]), *times)
    return table


if __name__ == "__main__":
    main()
