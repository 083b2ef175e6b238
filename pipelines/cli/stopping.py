"""Ctrl-C and SIGTERM end the command, wherever in it they arrive."""

from __future__ import annotations

import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

SECONDS_TO_TIDY = 5
"""For so long after a signal to stop, further ones are not heard."""
SECONDS_TO_REPEAT = 0.05
"""After which a signal is given again whose exception was lost."""


SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def held_back() -> Iterator[None]:
    """Let signals to stop wait; a process that is started meanwhile keeps them waiting until it heeds them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Stop:
    """What a signal to stop does: raise KeyboardInterrupt, once.

    A second signal is not heard while the run is being marked as stopped, unless that takes long. Not an exception of
    ours, because TensorFlow turns any `Exception` that passes through a call of a graph into a TypeError.
    """

    def __init__(self) -> None:
        self._heard = -math.inf

    def __call__(self, number: int, frame: Any) -> None:
        if time.monotonic() - self._heard > SECONDS_TO_TIDY:
            self._heard = time.monotonic()
            raise KeyboardInterrupt

    def again(self) -> None:
        """Raise it once more, shortly: where it was raised it could not pass."""
        self._heard = -math.inf
        with suppress(RuntimeError):  # Python is ending anyway
            threading.Timer(SECONDS_TO_REPEAT, os.kill, (os.getpid(), signal.SIGTERM)).start()


def heed_signals(say: Callable[[Any], None]) -> None:
    """Let SIGINT and SIGTERM stop this process, even where they interrupt what cannot raise.

    Python drops exceptions of destructors and of libraries' callbacks, and with them a stop that arrived in one.

    Args:
        say: called with what Python drops besides, as `sys.unraisablehook` is.
    """
    stop = Stop()

    def dropped(what: Any) -> None:
        if issubclass(what.exc_type, KeyboardInterrupt):
            stop.again()
        else:
            say(what)

    sys.unraisablehook = dropped
    signal.signal(signal.SIGTERM, stop)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # ignored, where a shell started us in the background
        signal.signal(signal.SIGINT, stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # what came while nobody heeded them arrives now
