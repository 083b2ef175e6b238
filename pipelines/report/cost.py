"""Cost: what a contender cost to train, and costs to use."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Cost:
    """What a contender cost to train and costs to use; NaN where not measured.

    What was spent on training is that of one training on each fold, the mean where there were several trainings.

    Args:
        train_seconds: from raw rows to a model, with all that had to be traced, compiled and searched on the way.
        predict_rows_per_second: of many rows at once.
        peak_memory_mb: most that the process and its children held in physical memory at one moment of the training,
            in 10^6 bytes. Memory that processes share is counted in each.
        parameters: numbers that the model holds.
        flops_per_row: floating-point operations of predicting one raw row; a product and a sum are one each.
        energy_wh: an estimate of what the machine used while it trained, with all that ran beside.
        cpu_seconds: of all threads, in the process and in its children, while it trained; of a network that several
            workers trained, the chief's.
        train_rows_per_second: training rows, of a network those of every epoch, over the seconds of training.
        latency_ms, latency_ms_95: of predicting a single raw row: median and 95th percentile.
        memory_added_mb: how far the peak was above what was held just before.
        train_flops: an estimate of the floating-point operations of a network's updates.
    """

    train_seconds: float
    predict_rows_per_second: float = math.nan
    peak_memory_mb: float = math.nan
    parameters: int = 0
    flops_per_row: float = math.nan
    energy_wh: float = math.nan
    cpu_seconds: float = math.nan
    train_rows_per_second: float = math.nan
    latency_ms: float = math.nan
    latency_ms_95: float = math.nan
    memory_added_mb: float = math.nan
    train_flops: float = math.nan

    def used(self, peak_gflops: float) -> float:
        """The share of a machine's peak, in 10^9 operations a second, that training came to; NaN where not known."""
        return self.train_flops / self.train_seconds / (1e9 * peak_gflops) if self.train_seconds > 0 else math.nan


def together(spent: Sequence[Cost], kept: Cost, trainings: int = 1) -> Cost:
    """`kept`, with what all of these trainings cost in place of its own.

    Args:
        trainings: of how many the mean counts.
    """
    seconds = sum(each.train_seconds for each in spent)
    rows = _known(each.train_rows_per_second * each.train_seconds for each in spent)
    return replace(
        kept,
        train_seconds=seconds / trainings,
        cpu_seconds=sum(each.cpu_seconds for each in spent) / trainings,
        energy_wh=sum(each.energy_wh for each in spent) / trainings,
        train_flops=_known(each.train_flops for each in spent) / trainings,
        train_rows_per_second=rows / seconds if seconds > 0 else math.nan,
        peak_memory_mb=_largest(each.peak_memory_mb for each in spent),
        memory_added_mb=_largest(each.memory_added_mb for each in spent),
    )


def _known(values: Iterable[float]) -> float:
    """Their sum without those that are not known: a part that no rows went through adds none."""
    found = [value for value in values if not math.isnan(value)]
    return sum(found) if found else math.nan


def _largest(values: Iterable[float]) -> float:
    return max((value for value in values if not math.isnan(value)), default=math.nan)
