"""How long an update takes, found with few of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from pipelines.training.feed import Call
from pipelines.training.loop import Loop

CALLS = 3
"""Of which the quickest counts: whatever disturbs only slows down."""


def seconds_per_step(loops: Sequence[Loop], call: Call, at_least: float) -> list[float]:
    """Of each traced and compiled loop, on the first batches of a call; in turns, so that others disturb all alike.

    The loops have to be restarted afterwards.

    Args:
        at_least: seconds that a timed call of the quickest loop takes, unless all its steps take less. What a call
            costs beside its steps must be as small a part as it is in training: compiled loops copy all weights.
    """
    most, steps = call.stop - call.start, 1
    for loop in loops:
        _seconds(loop, call, steps)  # traces and compiles
    while True:
        turns = [[_seconds(loop, call, steps) for loop in loops] for _ in range(CALLS)]
        quickest = [min(each) for each in zip(*turns, strict=True)]
        if min(quickest) >= at_least or steps == most:
            return [seconds / steps for seconds in quickest]
        steps = min(most, max(2 * steps, int(steps * at_least / max(*quickest, 1e-6))))


def _seconds(loop: Loop, call: Call, steps: int) -> float:
    import tensorflow as tf

    start = call.start - call.origin
    clock: tuple[Any, ...] = tuple(tf.constant(value) for value in (0.0, 1e6, loop.recipe.learning_rate))
    begun = time.perf_counter()
    float(loop.train(*call.arguments, tf.constant(start), tf.constant(start + steps), clock)["loss"])
    return time.perf_counter() - begun
