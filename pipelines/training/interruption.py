"""Being told to stop (Ctrl-C, or SIGTERM of a machine that is taken away) without losing work."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Deferred:
    """Signals that came while they were deferred."""

    def __init__(self) -> None:
        self.received: int | None = None

    def __bool__(self) -> bool:
        return self.received is not None


@contextmanager
def deferred() -> Iterator[Deferred]:
    """Hold back the first SIGINT or SIGTERM until the block ends, and then deliver it; a second one acts at once.

    The block looks at what it is given now and then, saves, and ends. It ends stopped even where its end is an error
    (another process, told to stop as well, was missed) or where the handler was just called and its exception lost.
    Outside the main thread, which alone gets signals, nothing is held back.
    """
    waiting = Deferred()
    if threading.current_thread() is not threading.main_thread():
        yield waiting
        return
    usual = {number: signal.getsignal(number) for number in SIGNALS}

    def hold(number: int, frame: Any) -> None:
        waiting.received = number
        _set(usual)

    _set(dict.fromkeys(SIGNALS, hold))
    try:
        yield waiting
    finally:
        _set(usual)
        if waiting.received is not None:
            signal.raise_signal(waiting.received)
            raise KeyboardInterrupt


def _set(handlers: dict[int, Any] | dict[signal.Signals, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)
