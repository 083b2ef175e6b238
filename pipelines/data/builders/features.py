"""The TFDS features that sample sets share."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow_datasets as tfds


def number(*shape: int) -> Any:
    """A float64, NaN where missing. Stored as its bytes: TFDS would store a float as 32 bits and so change it."""
    return tfds.features.Tensor(shape=shape, dtype=np.float64, encoding=tfds.features.Encoding.BYTES)


def category() -> Any:
    """A word, the empty one where missing."""
    return tfds.features.Text()
