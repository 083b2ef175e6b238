"""Integrated gradients: what each number of a row adds to the answer, on the straight way from a usual row to it.

Reference: Sundararajan, Taly and Yan (2017), "Axiomatic attribution for deep networks", ICML, arXiv 1703.01365.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.explanation.opened import MOST_AT_ONCE, Floats, Opened
from pipelines.training.plan import rows_within

Numbers = NDArray[np.float64]

STEPS, MOST_STEPS, MOST_OF_A_TABLE = 16, 4096, 32_768
"""Points at which the gradient is taken: on a stretch of the way, at first all of it; and on all stretches of a row,
more where they cost little."""

PIECES, SHORTEST = 4, 4.0**-7
"""That a stretch is divided into where its parts do not add up; shorter ones are within the rounding of float32."""

COMPLETE = 0.01
"""How far parts may add up to something else, as a share of the difference (or of `SMALL`, where that is smaller)."""

SMALL = 0.1
"""A difference, in the answer's unit, below which its hundredth would be asking for rounding errors to vanish."""

LEAST_SHARE = 1 / 32
"""Of what a row's parts may miss, that any stretch may, however short: kinks end up in the shortest."""

BYTES_AT_ONCE = 8 << 20
"""Of points on the way, whose gradients are taken together."""


@dataclass(frozen=True)
class Integrated:
    """Attributions of several rows.

    Args:
        parts: (n, ...) what each number adds.
        difference: (n,) between the answers to a row and to the usual one.
    """

    parts: Numbers
    difference: Numbers

    def incomplete(self, total: Numbers) -> Numbers:
        """(n,) the share of each difference by which (n,) sums of parts miss it."""
        return np.asarray(np.abs(total - self.difference) / np.maximum(np.abs(self.difference), SMALL))


class Way(NamedTuple):
    """From the usual row, at 0, to each row, at 1; `chosen` is the output that is explained."""

    network: Opened
    there: Floats
    here: Floats
    chosen: NDArray[np.int32]

    def at(self, rows: NDArray[np.int64], shares: Numbers) -> Floats:
        """(k, p, ...) p points of each of k ways; shares (k, p)."""
        first, last = self.there[rows][:, np.newaxis], self.here[rows][:, np.newaxis]
        along = shares.reshape(*shares.shape, *[1] * (first.ndim - 2)).astype(np.float32)
        return np.asarray(first + along * (last - first))


class Stretches(NamedTuple):
    """Some of k ways: (k,) whose, where each begins, how long it is, and by how much the answer changes on it."""

    row: NDArray[np.int64]
    start: Numbers
    length: Numbers
    change: Numbers

    def take(self, which: NDArray[np.bool_] | slice) -> Stretches:
        return Stretches(self.row[which], self.start[which], self.length[which], self.change[which])


def integrated(network: Opened, here: Floats, there: Floats, most: int = MOST_STEPS) -> Integrated:
    """Parts of the difference between the answers to two rows.

    What parts must add up to is known of every stretch of the way. So a stretch on which they do not is divided, and
    points are spent where the answer turns, not all along.

    Args:
        here: (n, ...) rows as `Opened.numbers` gives them.
        there: (n, ...) usual rows, or (1, ...) the same for all.
        most: points that are spent on a row.
    """
    there, chosen = np.asarray(np.broadcast_to(there, here.shape)), network.chosen(here)
    way = Way(network, there, here, chosen)
    difference = network.values(here, chosen) - network.values(there, chosen)
    found = Integrated(np.zeros(here.shape), difference)
    allowed, spent = COMPLETE * np.maximum(np.abs(difference), SMALL), np.zeros(len(here))
    rows = np.arange(len(here))
    waiting = Stretches(rows, np.zeros(len(here)), np.ones(len(here)), difference)
    while len(waiting.row):
        several = np.bincount(waiting.row, minlength=len(here))
        spent += several * STEPS
        more = ((spent + several * PIECES * STEPS)[waiting.row] <= most) & (waiting.length > SHORTEST)
        # Half of what may be missed is for the length of the way, which leaves the other half to short stretches.
        bound = allowed[waiting.row] * np.where(waiting.length < 1, np.maximum(waiting.length, LEAST_SHARE) / 2, 1.0)
        divided = []
        for block, parts in _mean_gradients(way, waiting):
            some = waiting.take(block)
            parts *= (here[some.row] - there[some.row]) * some.length.reshape(-1, *[1] * (here.ndim - 1))
            missed = np.abs(parts.reshape(len(parts), -1).sum(axis=1) - some.change)
            again = more[block] & (missed > bound[block])
            np.add.at(found.parts, some.row[~again], parts[~again])
            divided.append(_divided(way, some.take(again)))
        waiting = Stretches(*map(np.concatenate, zip(*divided, strict=True)))
    return found


def _mean_gradients(way: Way, stretches: Stretches) -> Iterator[tuple[slice, Numbers]]:
    """Some stretches at a time, and (k, ...) the mean gradient on each: by Gauss and Legendre, exact where smooth."""
    places, weights = np.polynomial.legendre.leggauss(STEPS)
    row_bytes = 4 * int(np.prod(way.here.shape[1:]))
    together = rows_within(MOST_AT_ONCE, row_bytes, BYTES_AT_ONCE)
    size = max(1, together // STEPS)
    for start in range(0, len(stretches.row), size):
        block = slice(start, start + size)
        some = stretches.take(block)
        total = np.zeros((len(some.row), *way.here.shape[1:]))
        for part in np.array_split(np.arange(STEPS), max(1, len(some.row) * STEPS // max(1, together))):
            shares = some.start[:, np.newaxis] + some.length[:, np.newaxis] * (places[part] + 1) / 2
            points = way.at(some.row, shares)
            flat, which = points.reshape(-1, *points.shape[2:]), np.repeat(way.chosen[some.row], len(part))
            gradient = np.asarray(way.network.slope(flat, which), np.float64).reshape(points.shape)
            total += np.einsum("kp...,p->k...", gradient, weights[part] / 2)
        yield block, total


def _divided(way: Way, stretches: Stretches) -> Stretches:
    """Each in `PIECES` alike."""
    if not len(stretches.row):
        return stretches
    inner = np.arange(1, PIECES) / PIECES
    shares = stretches.start[:, np.newaxis] + stretches.length[:, np.newaxis] * np.array([0.0, *inner, 1.0])
    points = way.at(stretches.row, shares)
    which = np.repeat(way.chosen[stretches.row], shares.shape[1])
    values = way.network.values(points.reshape(-1, *points.shape[2:]), which).reshape(shares.shape)
    return Stretches(
        np.repeat(stretches.row, PIECES),
        shares[:, :-1].ravel(),
        np.repeat(stretches.length / PIECES, PIECES),
        np.diff(values, axis=1).ravel(),
    )
