"""What a model costs to use, one row at a time."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipelines.contenders.contender import Fitted
from pipelines.data.examples import Examples
from pipelines.report.document import Cost

MOST_ROWS, FEWEST_ROWS = 200, 20
"""Timed one by one: enough for a median; the 95th percentile of fewer than twenty would be the slowest."""

BUDGET = 0.5
"""Seconds after which `FEWEST_ROWS` have to do."""

WARM_UP = 3
"""Rows before: the first traces a network, and allocates."""


def measured(cost: Cost, fitted: Fitted, examples: Examples, tested: NDArray[np.int64]) -> Cost:
    """`cost` with what using the model costs: the time that a single row takes, and its operations.

    Each row is given alone and raw, as it is when somebody waits for the answer; taking it out of the table is not
    timed.

    Args:
        tested: rows to time, of which the model knows nothing.
    """
    chosen = tested[np.linspace(0, len(tested) - 1, min(len(tested), MOST_ROWS)).astype(int)]
    alone = [examples.take(chosen[place : place + 1]) for place in range(len(chosen))]
    for row in alone[:WARM_UP]:
        fitted.predict(row)
    seconds: list[float] = []
    over = time.perf_counter() + BUDGET
    for row in alone:
        begun = time.perf_counter()
        fitted.predict(row)
        ended = time.perf_counter()
        seconds.append(ended - begun)
        if ended > over and len(seconds) >= FEWEST_ROWS:
            break
    middle, slow = 1000 * np.quantile(seconds, (0.5, 0.95))
    flops = fitted.flops(examples.take(chosen))
    return replace(cost, latency_ms=float(middle), latency_ms_95=float(slow), flops_per_row=flops)
