"""Cost: what a contender cost to train, and costs to use."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """What a contender cost to train and costs to use; NaN where not measured.

    `train_seconds` is that of one training on each fold, the mean where there were several.
    """

    train_seconds: float
    predict_rows_per_second: float = math.nan
    peak_memory_mb: float = math.nan
    parameters: int = 0
    flops_per_row: float = math.nan
    energy_wh: float = math.nan
