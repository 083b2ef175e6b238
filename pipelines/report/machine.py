"""Machine: what a run ran on, and what that can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.report.estimate import known


@dataclass(frozen=True)
class Machine:
    """The hardware as this process may use it.

    Args:
        processor: its model, as the system names it.
        cores: that the process may run on.
        memory_gb: physical memory, in 10^9 bytes.
        accelerators: GPUs and TPUs, as TensorFlow names them.
        matmul_gflops: 10^9 floating-point operations a second of a large float32 product of matrices, by TensorFlow on
            the device that networks are trained on; the quickest of several.
        memory_gb_per_second: 10^9 bytes a second that a STREAM triad moves to and from main memory, with a thread on
            each core; the quickest of several.
        measured_on: the day, as ISO 8601 writes it.
    """

    processor: str
    cores: int
    memory_gb: float
    accelerators: tuple[str, ...]
    matmul_gflops: float
    memory_gb_per_second: float
    measured_on: str


def machine(told: Mapping[str, Any] | None) -> Machine | None:
    """A Machine from plain JSON."""
    return None if told is None else Machine(**{**known(told), "accelerators": tuple(told["accelerators"])})
