"""What this machine can do: a large product of matrices, and main memory, measured once and remembered in the cache.

Reference: McCalpin (1995), "Memory bandwidth and machine balance in current high performance computers", for the triad.
"""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from pipelines.report.machine import Machine, machine
from pipelines.training import remembered
from pipelines.training.strategy import cores, devices

KEPT = "hardware"
MEASURED = ("matmul_gflops", "memory_gb_per_second")
SECONDS = 0.5
"""For each of the two."""

FIRST_SIDE, LAST_SIDE = 512, 16384
"""Of the square matrices: the side is doubled until one product takes `LONG_ENOUGH`."""

LONG_ENOUGH = 0.02
"""Seconds beside which what a call costs is nothing."""

TRIAD_BYTES = 96 << 20
"""Of each of the three arrays: more than the caches of most machines hold; fewer where memory is short."""

SHARE = 0.05
"""Of the free memory that each array may take."""


def hardware(fresh: bool = False) -> Machine:
    """What is known of this machine; measured in less than two seconds where nothing is.

    Args:
        fresh: measure once more. The better of both counts: whatever else runs only slows down.
    """
    key = remembered.key_of(KEPT, {"cores": str(cores())})
    known = _recalled(key)
    if known is not None and not fresh:
        return known
    found = measured()
    if known is not None:
        product, memory = (max(getattr(known, each), getattr(found, each)) for each in MEASURED)
        found = replace(found, matmul_gflops=product, memory_gb_per_second=memory)
    with suppress(OSError):
        remembered.write(remembered.folder(KEPT) / f"{key}.json", asdict(found))
    return found


def measured() -> Machine:
    """What this machine does now: whatever else runs on it makes it look slower."""
    import psutil

    memory = psutil.virtual_memory()
    return Machine(
        processor=remembered.processor(),
        cores=cores(),
        memory_gb=memory.total / 1e9,
        accelerators=tuple(each for each in devices() if not each.startswith("CPU")),
        matmul_gflops=matrix_product() / 1e9,
        memory_gb_per_second=triad(min(TRIAD_BYTES, int(SHARE * memory.available))) / 1e9,
        measured_on=datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
    )


def matrix_product() -> float:
    """Operations a second of a float32 product of square matrices, 2 n^3 each, on TensorFlow's first device."""
    import tensorflow as tf

    over, best, side = time.perf_counter() + SECONDS, 0.0, FIRST_SIDE
    product = tf.function(tf.matmul, autograph=False)
    while True:
        values = tf.random.stateless_uniform((side, side), (0, side))
        multiply = partial(_waited_for, product, values)
        multiply()  # traced, and kernels chosen
        seconds = _quickest(multiply, over)
        best = max(best, 2 * side**3 / seconds)
        if seconds >= LONG_ENOUGH or side >= LAST_SIDE or time.perf_counter() > over:
            return best
        side *= 2


def triad(size: int = TRIAD_BYTES) -> float:
    """Bytes a second of a = b + s c: by NumPy in two passes, which move five numbers for each of the three.

    Args:
        size: bytes of each array.
    """
    threads = cores()
    a, b, c = (np.ones(max(threads, size // 8)) for _ in range(3))
    bounds = np.linspace(0, len(a), threads + 1).astype(int)
    parts = [slice(*pair) for pair in pairwise(bounds)]

    def one(part: slice) -> None:
        np.multiply(c[part], 3.0, out=a[part])
        np.add(a[part], b[part], out=a[part])

    with ThreadPoolExecutor(threads) as pool:
        seconds = _quickest(lambda: list(pool.map(one, parts)), time.perf_counter() + SECONDS)
    return 5 * a.nbytes / seconds


def _quickest(work: Callable[[], Any], over: float) -> float:
    """Seconds of the quickest of at least two goes, until `over`: whatever disturbs only slows down."""
    seconds: list[float] = []
    while len(seconds) < 2 or (time.perf_counter() < over and len(seconds) < 10):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return min(seconds)


def _waited_for(product: Callable[[Any, Any], Any], values: Any) -> None:
    """Reading one number waits for the device."""
    float(product(values, values)[0, 0])


def _recalled(key: str) -> Machine | None:
    try:
        told = json.loads((remembered.folder(KEPT) / f"{key}.json").read_text(encoding="utf-8"))
        found = machine(told)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return found if found is not None and found.matmul_gflops > 0 and found.memory_gb_per_second > 0 else None
