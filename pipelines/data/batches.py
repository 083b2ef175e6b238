"""Batches of one static shape: (rows, weights, order) for a loop in the graph.

A ragged last batch would cost a second trace, so the tail is filled with real rows of weight 0. Zeros instead of
real rows would enter the statistics of BatchNormalization.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Epoch:
    """The order of one epoch: (steps, batch) row numbers and (steps, batch) float32, 1 for a row and 0 for filling."""

    rows: NDArray[np.int32]
    mask: NDArray[np.float32]


def steps_per_epoch(n: int, batch_size: int) -> int:
    """Batches that hold n rows, the last one filled up."""
    return -(-n // batch_size)


def shuffled(n: int, batch_size: int, seed: int, epoch: int) -> Epoch:
    """The order of rows in this epoch: a function of (seed, epoch) alone, so a resumed run sees the very same rows."""
    return _filled(np.random.default_rng([seed, epoch]).permutation(n), batch_size)


def in_order(n: int, batch_size: int) -> Epoch:
    """Rows 0 to n-1, for evaluation."""
    return _filled(np.arange(n), batch_size)


def _filled(order: NDArray[np.int64], batch_size: int) -> Epoch:
    n, steps = len(order), steps_per_epoch(len(order), batch_size)
    rows = np.resize(order, steps * batch_size)  # np.resize repeats from the start
    mask = np.arange(steps * batch_size) < n
    return Epoch(rows.astype(np.int32).reshape(steps, batch_size), mask.astype(np.float32).reshape(steps, batch_size))


def widened(order: Epoch, parts: int) -> Epoch:
    """The order with each batch filled up, by rows of weight 0, until it can be divided into equal parts."""
    missing = -order.rows.shape[1] % parts
    if not missing:
        return order
    rows = np.concatenate([order.rows, np.repeat(order.rows[:, :1], missing, axis=1)], axis=1)
    return Epoch(rows, np.pad(order.mask, ((0, 0), (0, missing))))


def padded_rows(values: NDArray[Any], rows: int) -> NDArray[Any]:
    """The array with its first row repeated up to `rows` rows."""
    return np.concatenate([values, np.repeat(values[:1], max(0, rows - len(values)), axis=0)])
