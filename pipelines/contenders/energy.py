"""Energy that the machine used meanwhile: an estimate by codecarbon, where the extra `energy` is installed.

A processor that counts its energy (RAPL) is read; of any other its load times the power of its model, or one that is
assumed, stands for it, and the size of the memory for the memory's power. It is of the whole machine: what else ran is
in it. Nothing is sent or looked up anywhere, and no file is written.

Finding out what the machine is takes codecarbon some seconds. They pass in a thread beside the run, which waits for
nothing: where it was found out during a piece of work, what was measured from then on stands for the rest of it.
"""

from __future__ import annotations

import importlib.util
import logging
import math
import threading
import time
from contextlib import suppress
from importlib import metadata
from typing import Any

PACKAGE = "codecarbon"
SETTINGS: dict[str, Any] = {
    "country_iso_code": "USA",  # one has to be named; energy is the same in all
    "tracking_mode": "machine",  # of a process it misses children that began and ended in between
    "allow_multiple_runs": True,  # no lock in the folder for temporary files
    "save_to_file": False, "save_to_api": False, "save_to_logger": False, "save_to_prometheus": False,
    "save_to_logfire": False, "log_level": "critical",
}  # fmt: skip

_lock = threading.Lock()
_state: dict[str, Any] = {"asked": False, "tracker": None, "open": None}


class Energy:
    """Of the time since it was made. Only one is measured at a time: those within another one know nothing."""

    def __init__(self) -> None:
        self._begun, self._measured_from = time.perf_counter(), math.nan
        with _lock:
            self._mine = _state["open"] is None
            if self._mine:
                _state["open"] = self
                self.measure()

    def measure(self) -> None:
        """Measure from now on, if it is known how."""
        if _state["tracker"] is not None:
            with suppress(Exception):  # an estimate that is missing must not end a run
                _state["tracker"].start_task()
                self._measured_from = time.perf_counter()

    def ended(self) -> float:
        """Watt hours; NaN where they could not be estimated."""
        with _lock:
            if not self._mine:
                return math.nan
            _state["open"] = None
            if math.isnan(self._measured_from):
                return math.nan
            now, found = time.perf_counter(), None
            with suppress(Exception):
                found = _state["tracker"].stop_task()
        measured = now - self._measured_from
        if found is None or measured <= 0:
            return math.nan
        return 1000 * float(found.energy_consumed) * (now - self._begun) / measured


def begin() -> Energy:
    """Begin to measure."""
    return Energy()


def prepare() -> None:
    """Find out, beside what is done meanwhile, how this machine's energy can be estimated; once in a process."""
    with _lock:
        if _state["asked"] or importlib.util.find_spec(PACKAGE) is None:
            return
        _state["asked"] = True
    threading.Thread(target=_prepared, name="energy", daemon=True).start()


def method() -> str:
    """How energy is estimated, in words; empty where it is not."""
    tracker = _state["tracker"]
    if tracker is None:
        return ""
    modes = [str(getattr(part, "_mode", "")) for part in tracker._hardware]
    counted = any(mode not in ("", "cpu_load", "constant") for mode in modes)
    how = "the processor's own counter" if counted else "the processor's load and rated power"
    return f"{PACKAGE} {metadata.version(PACKAGE)}, by {how}"


def _prepared() -> None:
    logging.getLogger(PACKAGE).disabled = True  # it speaks before it knows its settings
    try:
        from codecarbon import OfflineEmissionsTracker

        tracker = OfflineEmissionsTracker(**SETTINGS)
        tracker.start_task()  # looks at the hardware
        if tracker.stop_task() is None:
            return
    except Exception:  # an estimate that is missing must not end a run
        return
    with _lock:
        _state["tracker"] = tracker
        if _state["open"] is not None:
            _state["open"].measure()
