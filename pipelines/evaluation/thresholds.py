"""Thresholds: from which probability on a row is decided positive. Chosen on validation rows, never on test rows."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Criterion = Literal["balanced_accuracy", "f1", "accuracy"]

UNDECIDED = 0.5
"""The threshold where the rows cannot choose one."""


def choose(target: NDArray[Any], probability: NDArray[Any], by: Criterion = "balanced_accuracy") -> float:
    """The threshold that maximises a score of the decisions `probability >= threshold`.

    Every different division of the rows is tried: cuts lie half way between neighbouring probabilities, at 0
    (all positive) and above the highest (none positive). Among equally good cuts the one nearest to 0.5 is taken,
    the lower of two that are as near. By balanced accuracy this is Youden's (1950) index.

    Args:
        target: (n,) int, 1 for the positive class.
        probability: (n,) of the positive class, in [0, 1].
        by: the score.

    Returns:
        The threshold; 0.5 where only one class is present.
    """
    positive = np.asarray(target) == 1
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if positives == 0 or negatives == 0:
        return UNDECIDED
    values, level = np.unique(np.asarray(probability, np.float64), return_inverse=True)
    # hit[i] and false[i]: rows decided positive, rightly and wrongly, when the i lowest values are below the cut.
    hit = positives - np.concatenate([[0], np.cumsum(np.bincount(level, positive, len(values)))])
    false = negatives - np.concatenate([[0], np.cumsum(np.bincount(level, ~positive, len(values)))])
    reached = {
        "balanced_accuracy": (hit / positives + (negatives - false) / negatives) / 2,
        "f1": 2 * hit / (positives + hit + false),
        "accuracy": (hit + negatives - false) / len(positive),
    }[by]
    cuts = _cuts(values)
    best = cuts[reached >= reached.max() - 1e-12]
    return float(best[np.argmin(np.abs(best - UNDECIDED))])


def _cuts(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(m + 1,) one cut below each of the m rising values, and one above them all."""
    between = values[:-1] + np.diff(values) / 2
    between = np.where(between > values[:-1], between, values[1:])  # neighbouring floats have no middle
    top = values[-1] + (1 - values[-1]) / 2 if values[-1] < 1 else values[-1]
    above = top if top > values[-1] else np.nextafter(values[-1], np.inf)
    return np.concatenate([[min(0.0, values[0])], between, [above]])
