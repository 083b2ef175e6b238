"""What a piece of work takes: seconds, CPU seconds, memory and energy of this process and of those it starts."""

from __future__ import annotations

import math
import re
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from pipelines.contenders import energy
from pipelines.report.document import Cost

EVERY = 0.02
"""Seconds between two looks at memory."""

CHILDREN_EVERY = 25
"""Looks between two searches for children, which read what all processes of the machine are: 2 ms for a hundred."""

STATUS = Path("/proc/self/status")
MB = 1e6


class Meter:
    """Measures what happens within its `with`.

    CPU time is that of all threads of the process and of its children, also of those that live on: joblib keeps the
    workers of a search for the next one, and the system counts a child's time for its parent only when it has ended.

    Memory is looked at every `EVERY` seconds by a thread of its own. Of this process Linux knows the highest value that
    there ever was (`VmHWM`, what `/usr/bin/time` reports); where it rose meanwhile, that counts too, so that no short
    peak is missed. It is not reset: who watches the process from outside would lose it.
    """

    def __enter__(self) -> Self:
        self._energy = energy.begin()
        self._memory = Memory()
        self._cpu, self._started = cpu_seconds(), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._started
        self.cpu_seconds = cpu_seconds() - self._cpu
        self.peak, self.added = self._memory.ended()
        self.energy_wh = self._energy.ended()

    def cost(self, parameters: int = 0, rows: float = math.nan, flops: float = math.nan) -> Cost:
        """As the cost of a training.

        Args:
            rows: that were learned from, each as often as it was.
            flops: of all updates.
        """
        return Cost(
            self.seconds,
            peak_memory_mb=self.peak / MB,
            parameters=parameters,
            energy_wh=self.energy_wh,
            cpu_seconds=self.cpu_seconds,
            train_rows_per_second=rows / max(self.seconds, 1e-9),
            memory_added_mb=self.added / MB,
            train_flops=flops,
        )


class Memory:
    """The most that this process and its children held at one moment, in bytes, since it was made."""

    def __init__(self) -> None:
        import psutil

        self._process = psutil.Process()
        self._children: list[Any] = []
        self._before = self.most = self._held(look_for_children=True)
        self._highest = _highest()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)
        self._thread.start()

    def ended(self) -> tuple[int, int]:
        """(most held, how far that is above what was held in the beginning)."""
        self._over.set()
        self._thread.join()
        self.most = max(self.most, self._held(look_for_children=True))
        highest = _highest()
        if highest > self._highest:
            self.most = max(self.most, highest)
        return self.most, self.most - self._before

    def _watch(self) -> None:
        looks = 0
        while not self._over.wait(EVERY):
            looks += 1
            self.most = max(self.most, self._held(look_for_children=looks % CHILDREN_EVERY == 0))

    def _held(self, look_for_children: bool) -> int:
        import psutil

        if look_for_children:
            self._children = self._process.children(recursive=True)
        total = int(self._process.memory_info().rss)
        for child in self._children:
            with suppress(psutil.Error):  # it has ended
                total += int(child.memory_info().rss)
        return total


def cpu_seconds() -> float:
    """Of this process, of its children that live, with all of theirs, and of those that have ended; user and system."""
    import psutil

    process = psutil.Process()
    ended = process.cpu_times()
    total = float(time.process_time() + ended.children_user + ended.children_system)
    for child in process.children(recursive=True):
        with suppress(psutil.Error):  # it has just ended, and is counted by its parent
            total += sum(child.cpu_times()[:4])
    return total


def _highest() -> int:
    """Most bytes that this process ever held; 0 where the system does not say."""
    try:
        found = re.search(r"^VmHWM:\s+(\d+) kB$", STATUS.read_text(encoding="ascii"), re.MULTILINE)
    except OSError:
        return 0
    return 1024 * int(found[1]) if found else 0
