"""Rows weighted so that each class weighs alike in training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def balanced(y: NDArray[np.integer], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Row weights under which every class that is there has the same total, and all rows the total they had.

    Within a class rows keep their proportions. For training rows only: a loss on validation rows that is weighted so
    would no longer be the loss of the rows one will meet.

    Args:
        y: (n,) class indices from 0.
        weight: (n,) of the rows before, not negative.

    Returns:
        (n,) float32.

    Reference: King and Zeng (2001), Political Analysis 9(2); scikit-learn's `class_weight="balanced"`.
    """
    totals = np.bincount(y, weights=weight.astype(np.float64))
    shares = np.divide(totals.sum() / np.count_nonzero(totals), totals, out=np.zeros_like(totals), where=totals > 0)
    found: NDArray[np.float32] = (weight * shares[y]).astype(np.float32)
    return found
