"""Do the figures of cost agree with the system's and with a count by hand? `python -m benchmarks.cost`.

Processes train one contender each under `/usr/bin/time -v`. What the system charged a process from the start of its
training until that was over and workers had ended is held against the CPU seconds that the contender's cost has. That
is read by `getrusage`, of which `time` prints the sum: importing TensorFlow and leaving it take longer than many a fit.
The largest resident memory is held against the peak; where a search runs in worker processes the system knows the
largest process only, so the sum of all, looked at from outside, stands beside it. Operations for a row are counted by
hand from the sizes of layers.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from benchmarks.summary import machine, median, write

RESULTS = Path(__file__).parent / "results" / "cost.json"
TIME = shutil.which("time") or "/usr/bin/time"
TASK, LOOK = "finance/credit-default", 0.02
CASES = {
    "mlp": ("mlp", ("recipe.epochs=200", "recipe.patience=200", "recipe.plan=resident")),
    "forest, its search in workers": ("forest", ("recipe.trials=20",)),
}
"""What is trained: contender and settings."""


class Outside(NamedTuple):
    """A process as the system saw it: user and system seconds, the largest process, and all together (10^6 bytes)."""

    cpu_seconds: float
    largest_mb: float
    together_mb: float


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost", description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="Processes of each kind; their medians count.")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.inside:
        print(json.dumps(inside(asked.inside)))
        return
    measured = {name: against_the_system(name, asked.repeats) for name in CASES}
    counted = by_hand()
    for name, each in measured.items():
        print(f"{name}: " + ", ".join(f"{key} {value:.4g}" for key, value in each.items()))
    for name, (ours, hand) in counted.items():
        print(f"{name}: {ours:,.0f} operations for a row, {hand:,.0f} by hand, ratio {ours / hand:.4f}")
    flops = {name: {"ours": ours, "by_hand": hand, "ratio": ours / hand} for name, (ours, hand) in counted.items()}
    write({"machine": machine(), "repeats": asked.repeats, "processes": measured, "flops_per_row": flops}, RESULTS)


def against_the_system(name: str, repeats: int) -> dict[str, float]:
    """Ours, the system's, and the ratio of the two; medians of several processes."""
    found = [watched(name) for _ in range(repeats)]

    def middle(value: Callable[[Outside, dict[str, float]], float]) -> float:
        return median(value(*each) for each in found)

    return {
        "cpu_seconds": middle(lambda _, cost: cost["cpu_seconds"]),
        "cpu_seconds_of_the_system": middle(lambda _, cost: cost["after"] - cost["before"]),
        "cpu_ratio": middle(lambda _, cost: cost["cpu_seconds"] / (cost["after"] - cost["before"])),
        "start_up": middle(lambda _, cost: cost["before"]),
        "end": middle(lambda seen, cost: seen.cpu_seconds - cost["after"]),
        "peak_mb": middle(lambda _, cost: cost["peak_memory_mb"]),
        "largest_process_mb": middle(lambda seen, _: seen.largest_mb),
        "all_processes_mb": middle(lambda seen, _: seen.together_mb),
        "ratio_to_largest": middle(lambda seen, cost: cost["peak_memory_mb"] / seen.largest_mb),
        "ratio_to_all": middle(lambda seen, cost: cost["peak_memory_mb"] / seen.together_mb),
    }


def watched(name: str) -> tuple[Outside, dict[str, float]]:
    """A process of its own under `time -v`, and what it printed."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder, "time")
        program = [sys.executable, "-m", "benchmarks.cost", "--inside", name]
        quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        started = subprocess.Popen(
            [TIME, "-v", "-o", str(told), *program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=quiet
        )
        together = 0.0
        while started.poll() is None:
            together = max(together, held_below(started.pid))
            time.sleep(LOOK)
        printed = started.stdout.read() if started.stdout else b"{}"
        said = told.read_text()

    def of(pattern: str) -> float:
        return float(re.search(rf"{pattern}[^:]*: ([\d.]+)", said)[1])  # type: ignore[index]

    seconds = of("User time") + of("System time")
    outside = Outside(seconds, of("Maximum resident set size") * 1024 / 1e6, together / 1e6)
    return outside, json.loads(printed.splitlines()[-1])


def held_below(number: int) -> float:
    """Bytes of the process that `time` started and of its children."""
    total = 0.0
    with suppress(psutil.Error):
        for each in psutil.Process(number).children(recursive=True):
            with suppress(psutil.Error):
                total += each.memory_info().rss
    return total


def inside(name: str) -> dict[str, float]:
    """What the process does: everything that a training needs, and the training; its cost, and what the system had
    charged `before` it and `after` it, in seconds."""
    from pipelines import catalogue
    from pipelines.contenders.lineup import line_up
    from pipelines.prepare import prepare
    from pipelines.task import DataRequest

    contender, settings = CASES[name]
    task = catalogue.find(TASK)
    prepared = prepare(task, DataRequest(), 0, settings)
    (chosen,) = (each for each in line_up(task, prepared.objective, prepared.recipe) if each.name == contender)
    import keras  # noqa: F401
    import sklearn.ensemble  # noqa: F401
    from joblib.externals.loky import get_reusable_executor

    fold = prepared.folds[0]
    rows = [prepared.dataset.examples.take(part) for part in (fold.train, fold.valid)]
    before = charged()
    cost = chosen.fit(rows[0], rows[1], 0).cost
    if contender == "forest":
        get_reusable_executor().shutdown(wait=True)  # a worker is charged to its parent once it has ended
    return {**asdict(cost), "before": before, "after": charged()}


def charged() -> float:
    """User and system seconds of this process and of its children that have ended."""
    used = [resource.getrusage(each) for each in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def by_hand() -> dict[str, tuple[float, float]]:
    """(ours, by hand) of one row for networks whose layers are written out: products, biases and activations."""
    import keras

    from pipelines.contenders.flops import of_model

    layers = keras.layers
    return {name: (of_model(model), hand) for name, (model, hand) in networks(keras, layers).items()}


def networks(keras: Any, layers: Any) -> dict[str, tuple[Any, float]]:
    """Small networks, and the operations of each, counted from its sizes."""
    from pipelines.models.members import MemberDense, SharedDense

    def dense(inputs: int, outputs: int, activation: int = 1) -> int:
        return outputs * (2 * inputs + 1 + activation)

    def convolution(places: int, window: int, channels: int, outputs: int) -> int:
        return places * outputs * (2 * window * channels + 2)  # and a bias, and an activation

    row = keras.Input((30,))
    hidden = layers.Dense(128, activation="relu")(layers.Dense(128, activation="relu")(row))
    mlp = keras.Model(row, layers.Dense(2)(hidden))

    picture = keras.Input((28, 28, 1))
    hidden = layers.MaxPooling2D(2)(layers.Conv2D(8, 3, activation="relu")(picture))
    hidden = layers.Flatten()(layers.SeparableConv2D(16, 3, activation="relu")(hidden))
    convolutional = keras.Model(picture, layers.Dense(2)(hidden))
    separable = 11 * 11 * (2 * 9 * 8) + convolution(11 * 11, 1, 8, 16)
    pooled = 13 * 13 * 8 * 4

    words = keras.Input((96,), dtype="int64")
    lstm = keras.Model(words, layers.Dense(2)(layers.LSTM(32)(layers.Embedding(100, 16)(words))))
    # Four gates of a product with the input, one with the state, their sum, a bias and an activation; then a tanh,
    # three products and a sum for each unit.
    lstm_step = 4 * 32 * (2 * (16 + 32) + 3) + 5 * 32

    events = keras.Input((20, 6))
    gru = keras.Model(events, layers.Dense(2)(layers.GRU(32)(events)))
    gru_step = 3 * 32 * (2 * (6 + 32) + 4) + 5 * 32  # two biases; a reset, a difference, two products and a sum

    tokens = keras.Input((20, 64))
    attention = keras.Model(tokens, layers.MultiHeadAttention(8, 8)(tokens, tokens))
    projections, looks = 4 * 20 * 64 * (2 * 64 + 1), 2 * 8 * 20 * 20 * 2 * 8
    softmax = 3 * 8 * 20 * 20

    row = keras.Input((30,))
    hidden = SharedDense(128, 32, signs=True, activation="relu")(row)
    tabm = keras.Model(row, MemberDense(2)(SharedDense(128, 32, activation="relu")(hidden)))
    member = sum(inputs + outputs * (2 * inputs + 3) for inputs, outputs in ((30, 128), (128, 128)))
    return {
        "MLP 30-128-128-2": (mlp, dense(30, 128) + dense(128, 128) + dense(128, 2, 0)),
        "convolutions": (convolutional, convolution(26 * 26, 9, 1, 8) + pooled + separable + dense(11 * 11 * 16, 2, 0)),
        "LSTM, 96 words": (lstm, 96 * lstm_step + dense(32, 2, 0)),
        "GRU, 20 events": (gru, 20 * gru_step + dense(32, 2, 0)),
        "attention, 20 tokens": (attention, projections + looks + softmax),
        "TabM, 32 members": (tabm, 32 * (member + dense(128, 2, 0))),
    }


if __name__ == "__main__":
    main()
