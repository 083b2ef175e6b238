"""Training speed on a table: the core's plans beside Keras `fit`, interleaved, medians of several rounds.

Writes `benchmarks/results/training.json`. The workload is simulated: 30 000 rows of 30 numbers, an MLP of two layers of
128 units, batches of 64; only the time per step is looked at, not what is learned.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pipelines.training.plan import Plan

Rows32 = NDArray[np.float32]
Labels = NDArray[np.int32]

ROWS, FEATURES, WIDTH, BATCH, ROUNDS = 30_000, 30, 128, 64, 5
RESULTS = Path(__file__).parent / "results" / "training.json"


def main() -> None:
    """Measure, print a table, write the results."""
    from pipelines.training.plan import Plan

    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, FEATURES)).astype(np.float32)
    y = (x[:, 0] + rng.normal(size=ROWS) > 0).astype(np.int32)
    entrants: dict[str, Callable[[], float]] = {
        "fit, defaults": keras_fit(x, y),
        "fit, steps_per_execution=50": keras_fit(x, y, steps_per_execution=50),
        "fit, jit_compile": keras_fit(x, y, jit_compile=True),
        "core, resident": core(x, y, Plan(True, False)),
        "core, resident, XLA": core(x, y, Plan(True, True)),
        "core, streamed": core(x, y, Plan(False, False, 32)),
    }
    seconds: dict[str, list[float]] = {name: [] for name in entrants}
    for name, epoch in entrants.items():
        epoch()  # traces, compiles
        print(f"ready: {name}", flush=True)
    for _ in range(ROUNDS):
        for name, epoch in entrants.items():
            seconds[name].append(epoch())
    steps = -(-ROWS // BATCH)
    medians = {name: statistics.median(values) / steps * 1000 for name, values in seconds.items()}
    slowest = medians["fit, defaults"]
    for name, value in medians.items():
        print(f"{name:30} {value:8.3f} ms/step   {slowest / value:5.2f} x fit with defaults")
    best_fit = min(value for name, value in medians.items() if name.startswith("fit"))
    best_core = min(value for name, value in medians.items() if name.startswith("core"))
    document = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "workloads": [
            {
                "name": "tabular MLP 30000x30",
                "milliseconds_per_step": medians,
                "tapeline_over_default_fit": slowest / best_core,
                "tapeline_over_best_fit": best_fit / best_core,
            }
        ],
    }
    RESULTS.parent.mkdir(exist_ok=True)
    beside = RESULTS.with_suffix(".tmp")
    beside.write_text(json.dumps(document, indent=1) + "\n")
    beside.replace(RESULTS)


def model() -> Any:
    """The MLP, outputs as logits."""
    import keras

    layers = keras.layers
    return keras.Sequential(
        [keras.Input((FEATURES,)), layers.Dense(WIDTH, "relu"), layers.Dense(WIDTH, "relu"), layers.Dense(1)]
    )


def keras_fit(x: Rows32, y: Labels, **settings: Any) -> Callable[[], float]:
    """One epoch of Keras `fit`, as a function that gives its seconds."""
    import keras

    network = model()
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    network.compile(keras.optimizers.AdamW(1e-3), loss, metrics=["accuracy"], **{"jit_compile": False, **settings})

    def epoch() -> float:
        started = time.perf_counter()
        network.fit(x, y, batch_size=BATCH, verbose=0)
        return time.perf_counter() - started

    return epoch


def core(x: Rows32, y: Labels, plan: Plan) -> Callable[[], float]:
    """One epoch of the training core by the given plan, as a function that gives its seconds."""
    from pipelines.objectives.classification import Classification
    from pipelines.task import Recipe
    from pipelines.training.fit import Rows, training_pass
    from pipelines.training.loop import Loop
    from pipelines.training.step import Supervised

    recipe, network = Recipe(batch_size=BATCH), model()
    objective = Classification(classes=("0", "1"))
    loop = Loop(Supervised(network, objective.loss, recipe), network, objective.loss, recipe, plan)
    weight = np.ones(len(y), np.float32)
    rows = Rows(x, y, weight) if plan.resident else Rows(lambda picked: x[picked], y, weight)
    run = training_pass(loop, rows, seed=0)

    def epoch() -> float:
        started = time.perf_counter()
        run(0)
        return time.perf_counter() - started

    return epoch


if __name__ == "__main__":
    main()
