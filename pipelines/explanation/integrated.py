"""Integrated gradients: what each number of a row adds to the answer, on the straight way from a usual row to it.

Reference: Sundararajan, Taly and Yan (2017), "Axiomatic attribution for deep networks", ICML, arXiv 1703.01365.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipelines.explanation.opened import MOST_AT_ONCE, Floats, Opened
from pipelines.training.plan import rows_within

STEPS, MOST_STEPS = 16, 16_384
"""Points of the way at which the gradient is taken: at first, and for rows that need more."""

COMPLETE = 0.01
"""How far parts may add up to something else, as a share of the difference (or of `SMALL`, where that is smaller)."""

SMALL = 0.1
"""A difference, in the answer's unit, below which its hundredth would be asking for rounding errors to vanish."""

BYTES_AT_ONCE = 8 << 20
"""Of points on the way, whose gradients are taken together."""


@dataclass(frozen=True)
class Integrated:
    """Attributions of several rows.

    Args:
        parts: (n, ...) what each number adds.
        difference: (n,) between the answers to a row and to the usual one.
    """

    parts: NDArray[np.float64]
    difference: NDArray[np.float64]

    def incomplete(self, total: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,) the share of each difference by which (n,) sums of parts miss it."""
        return np.asarray(np.abs(total - self.difference) / np.maximum(np.abs(self.difference), SMALL))


def integrated(network: Opened, here: Floats, there: Floats, most: int = MOST_STEPS) -> Integrated:
    """Parts of the difference between the answers to two rows.

    The number of points is raised, four times a turn, for rows whose parts do not add up to the difference.

    Args:
        here: (n, ...) rows as `Opened.numbers` gives them.
        there: (n, ...) usual rows, or (1, ...) the same for all.
        most: points that are spent on a row.
    """
    there, chosen = np.broadcast_to(there, here.shape), network.chosen(here)
    difference = network.values(here, chosen) - network.values(np.asarray(there), chosen)
    found = Integrated(np.zeros(here.shape), difference)
    rows, steps = np.arange(len(here)), STEPS
    while len(rows) and steps <= most:
        slopes = _mean_gradients(network, here[rows], there[rows], chosen[rows], steps)
        found.parts[rows] = slopes * (here[rows] - there[rows])
        incomplete = found.incomplete(found.parts.reshape(len(here), -1).sum(axis=1))[rows]
        rows, steps = rows[incomplete > COMPLETE], steps * 4
    return found


def _mean_gradients(
    network: Opened, here: Floats, there: Floats, chosen: NDArray[np.int32], steps: int
) -> NDArray[np.float64]:
    """(n, ...) mean gradient on the way from `there` to `here`, over so many points."""
    shares, weights = _quadrature(steps)
    row_bytes = 4 * int(np.prod(here.shape[1:]))
    together = rows_within(MOST_AT_ONCE, row_bytes, BYTES_AT_ONCE)
    size = max(1, together // steps)
    found = []
    for start in range(0, len(here), size):
        first, last, which = (each[start : start + size] for each in (there, here, chosen))
        total = np.zeros(first.shape)
        for part in np.array_split(np.arange(steps), max(1, len(first) * steps // max(1, together))):
            way = shares[part].reshape(-1, *[1] * first.ndim).astype(np.float32)
            points = first[np.newaxis] + way * (last - first)[np.newaxis]
            flat = points.reshape(-1, *first.shape[1:])
            gradient = np.asarray(network.slope(flat, np.tile(which, len(part))), np.float64)
            total += np.tensordot(weights[part], gradient.reshape(points.shape), axes=1)
        found.append(total)
    return np.concatenate(found)


@lru_cache
def _quadrature(points: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where on the way from 0 to 1 a mean is taken, and by which weights: `STEPS` points of Gauss and Legendre, exact
    of smooth slopes, on each of several stretches, so that a kink spoils one of them only."""
    stretches = points // STEPS
    places, weights = np.polynomial.legendre.leggauss(STEPS)
    starts = np.arange(stretches)[:, np.newaxis]
    return ((starts + (places + 1) / 2) / stretches).ravel(), np.tile(weights / 2, stretches) / stretches
