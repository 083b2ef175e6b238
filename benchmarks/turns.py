"""Entrants take turns, each in a process of its own, so that none pays for another's memory, threads or traces.

While one trains, the others sleep on a pipe. A process's peak memory and its time to the first update are so its own.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import resource
import sys
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection

from benchmarks.entrants import Entrant
from benchmarks.workloads import Workload
from pipelines.cli.quiet import import_tensorflow


@dataclass(frozen=True)
class Ready:
    """What the warm-up found.

    Args:
        step_seconds: per update, in the second epoch.
        first_seconds: to the end of the first update: building, tracing and compiling, without importing libraries.
        plan, xla: how the entrant executes, in words, and whether XLA compiles it.
    """

    step_seconds: float
    first_seconds: float
    plan: str
    xla: bool


class EntrantError(RuntimeError):
    """An entrant's process ended before its time; its own words are on stderr."""


class Seat:
    """One entrant of one workload, in its own process."""

    def __init__(self, workload: Workload, entrant: Entrant) -> None:
        self.workload, self.entrant = workload, entrant
        spawn = multiprocessing.get_context("spawn")
        self._ours, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_serve, args=(theirs, workload, entrant), daemon=True)
        self._process.start()
        theirs.close()

    def warm_up(self, limit: float) -> Ready | None:
        """Train two epochs; None, and the process is ended, where that takes more than `limit` seconds."""
        if not self._ours.poll(limit):
            self._process.terminate()
            self._process.join()
            return None
        ready: Ready = self._heard()
        return ready

    def round(self, epochs: int) -> float:
        """Seconds per update over this many epochs."""
        self._ours.send(epochs)
        seconds: float = self._heard()
        return seconds / (epochs * self.workload.steps)

    def stop(self) -> float:
        """End the process; gives its peak memory in MB."""
        self._ours.send(0)
        peak: float = self._heard()
        self._process.join()
        return peak

    def _heard(self):  # type: ignore[no-untyped-def] # noqa: ANN202 - what was asked for
        try:
            return self._ours.recv()
        except EOFError:
            raise EntrantError(f"{self.entrant.name} failed on {self.workload.title}") from None


def _serve(connection: Connection, workload: Workload, entrant: Entrant) -> None:
    """In the process of a seat: warm up, then train as many epochs as each message says, until it says 0."""
    os.environ.update(entrant.environment)
    if entrant.library == "keras":
        import_tensorflow(debug=False)
    importlib.import_module(entrant.library)
    started = time.perf_counter()
    trainer = entrant.build(workload)
    trainer.train(1)
    first = time.perf_counter() - started
    started = time.perf_counter()
    trainer.train(1)
    step = (time.perf_counter() - started) / workload.steps
    connection.send(Ready(step, max(0.0, first - (workload.steps - 1) * step), trainer.plan, trainer.xla))
    while epochs := connection.recv():
        started = time.perf_counter()
        trainer.train(epochs)
        connection.send(time.perf_counter() - started)
    connection.send(peak_memory_mb())


def peak_memory_mb() -> float:
    """The most memory that this process has held: the resident set's high-water mark."""
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux kibibytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
