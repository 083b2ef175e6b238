"""The workers of a job meet before TensorFlow connects them: within a limit, and never deaf to a signal to stop.

TensorFlow waits an hour for a worker that does not come, holds Python's lock meanwhile, so that no signal is heard, and
shares a port that is taken with whoever has it. So whoever is here first waits in Python: the chief listens at its own
address, the others call it, and when all have called, it tells them to go on.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from pipelines.errors import BadInput, WorkerLost

SECONDS_TO_COME = 600.0
"""After which whoever waits for a worker that has not come gives up."""

SECONDS_TO_CONNECT = 120
"""For TensorFlow, once all are there. Then the system ends this process: Python could not."""

GREETING, GO = b"tapeline worker ", b"go\n"
GLANCE = 0.2
"""Seconds between two looks."""


def meet(addresses: Sequence[str], index: int) -> None:
    """Return once all workers have called this.

    Args:
        addresses: `host:port` of all workers, the chief's first.
        index: which of them this one is.

    Raises:
        BadInput: the port of this worker cannot be had.
        WorkerLost: not all came within `SECONDS_TO_COME`.
    """
    deadline = time.monotonic() + SECONDS_TO_COME
    with _listening(addresses[index]) as here:
        if index == 0:
            _gather(here, addresses, deadline)
    if index:
        _call(addresses[0], index, deadline)


def connected(opening: Callable[[], Any]) -> Any:
    """What `opening` gives: TensorFlow, connecting workers of which all were there a moment ago."""
    if threading.current_thread() is not threading.main_thread():
        return opening()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(SECONDS_TO_CONNECT)
    try:
        return opening()
    finally:
        signal.alarm(0)
        # TensorFlow takes SIGTERM for a notice that nobody reads here; the handler that was there takes it back.
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))


def _gather(here: socket.socket, addresses: Sequence[str], deadline: float) -> None:
    """The chief's part: wait until each of the others has called and is still there."""
    with ExitStack() as stack:
        called: dict[int, socket.socket] = {}
        while len(called) < len(addresses) - 1:
            if time.monotonic() > deadline:
                absent = [f"{number} ({each})" for number, each in enumerate(addresses) if number not in {0, *called}]
                raise WorkerLost(
                    f"worker {', '.join(absent)} did not come within {SECONDS_TO_COME / 60:.0f} minutes; start every "
                    "worker with the same command and the same --workers, each with its own --worker"
                )
            ready, _, _ = select.select([here, *called.values()], [], [], GLANCE)
            for number in [number for number, each in called.items() if each in ready]:
                called.pop(number).close()  # it says nothing more, so it is gone
            if here in ready:
                caller, _ = here.accept()
                stack.callback(caller.close)
                number = _greeted(caller)
                if 0 < number < len(addresses):
                    called[number] = caller
        for caller in called.values():
            with suppress(OSError):
                caller.sendall(GO)


def _greeted(caller: socket.socket) -> int:
    """Which worker calls; -1 where it is none."""
    caller.settimeout(GLANCE * 5)
    with suppress(OSError, ValueError):
        said = caller.recv(len(GREETING) + 5)
        if said.startswith(GREETING):
            return int(said.removeprefix(GREETING))
    return -1


def _call(chief: str, index: int, deadline: float) -> None:
    """The part of the others: call the chief until it answers, and wait until it says that all are there."""
    host, _, port = chief.rpartition(":")
    why = ""
    while time.monotonic() < deadline:
        try:
            with socket.create_connection((host.strip("[]"), int(port)), GLANCE * 10) as line:
                line.sendall(GREETING + f"{index}\n".encode())
                if _told_to_go(line, deadline):
                    return
        except (OSError, OverflowError) as error:
            why = f" ({getattr(error, 'strerror', None) or error})"
        time.sleep(GLANCE)
    raise WorkerLost(
        f"the chief, worker 0 at {chief}, or another worker did not come within {SECONDS_TO_COME / 60:.0f} minutes{why}"
        "; start every worker with the same command and the same --workers, each with its own --worker"
    )


def _told_to_go(line: socket.socket, deadline: float) -> bool:
    """Whether the chief says that all are there; False where it is gone."""
    while time.monotonic() < deadline:
        ready, _, _ = select.select([line], [], [], GLANCE)
        if ready:
            return line.recv(len(GO)) == GO
    return False


@contextmanager
def _listening(address: str) -> Iterator[socket.socket]:
    """A socket at the port of an address, on all networks, as TensorFlow will listen there.

    Raises:
        BadInput: it cannot be had.
    """
    port = int(address.rpartition(":")[2])
    both = socket.has_dualstack_ipv6()
    try:
        here = socket.create_server(("", port), family=socket.AF_INET6 if both else socket.AF_INET, dualstack_ipv6=both)
    except (OSError, OverflowError) as error:
        number = getattr(error, "errno", None)
        why = os.strerror(number).lower() if number else str(error)
        raise BadInput(f"port {port}, of this worker's address {address}, cannot be had: {why}") from error
    with here:
        yield here
