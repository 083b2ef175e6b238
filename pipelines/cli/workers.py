"""Several processes for one run: which one this is, or all of them started here, to try distribution out."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import IO, Any, NamedTuple

from pipelines.cli.stopping import SIGNALS, held_back
from pipelines.errors import BadInput, Interrupted, TapelineError, WorkerLost

SECONDS_TO_END = 20.0
"""For the others to save and end after one worker ended badly; then they are killed."""
SECONDS_TO_SAVE = 120.0
"""For the chief to end after another worker was told to stop: to miss that one takes it up to a minute."""
SECONDS_ALIKE = 2.0
"""In which the chief ends for the reason for which a worker did, and says it itself; or the other way round."""
MOST_WORKERS = 64
PROGRAM = "from pipelines.cli.main import run; run()"
LAST_WORDS = 2000
"""Bytes of a failed worker's stderr that are looked at for its error."""


def take_part(workers: str, worker: int | None) -> None:
    """Tell TensorFlow which of the workers this process is (TF_CONFIG).

    Args:
        workers: `host:port,host:port,...`; the first is the chief.
    """
    addresses = workers.split(",")
    for address in addresses:
        if not re.fullmatch(r"[^\s:,]+:\d{1,5}|\[[\da-fA-F:]+\]:\d{1,5}", address):
            raise BadInput(f"--workers {workers}: {address!r} is not host:port; or give a number, to start them here")
    if len(set(addresses)) < max(2, len(addresses)):
        raise BadInput(f"--workers {workers}: name at least two workers, each with an address of its own")
    if worker is None or not 0 <= worker < len(addresses):
        raise BadInput(f"--worker says which of --workers this process is: a number from 0 to {len(addresses) - 1}")
    task = {"type": "worker", "index": worker}
    os.environ["TF_CONFIG"] = json.dumps({"cluster": {"worker": addresses}, "task": task})


def launch(count: int, arguments: Sequence[str]) -> int:
    """Run `tapeline ARGUMENTS` in so many processes on this machine; the exit code of the chief, whose output is shown.

    Each gets its share of the cores.

    Raises:
        WorkerLost: another worker than the chief ended badly; the rest was stopped.
        Interrupted: this process was told to stop, and all workers were, however each of them then ended.
    """
    if not 2 <= count <= MOST_WORKERS:
        raise BadInput(f"--workers {count}: start 2 to {MOST_WORKERS} processes, or name host:port,host:port,...")
    cluster = {"worker": [f"127.0.0.1:{port}" for port in _free_ports(count)]}
    threads = str(max(1, (os.cpu_count() or 1) // count))
    with ExitStack() as stack:
        said = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(count)]
        running: list[subprocess.Popen[bytes]] = []
        stack.callback(_end, running)
        told = stack.enter_context(_forwarding(running))
        for index in range(count):
            config = {"cluster": cluster, "task": {"type": "worker", "index": index}}
            settings = {"TF_CONFIG": json.dumps(config), "TF_NUM_INTRAOP_THREADS": threads}
            with held_back():  # a worker keeps waiting what comes before it hears
                running.append(_started(arguments, settings, None if index == 0 else said[index]))
            if told and told[-1].reached <= index:  # it came before this one was there
                running[index].send_signal(told[-1].number)
        try:
            code = _waited_for(running, said)
        except TapelineError:
            code = WorkerLost.exit_code
            if not told:
                raise
        if told and code:
            if code != Interrupted.exit_code:  # else the chief has said it
                raise Interrupted("interrupted")
            return Interrupted.exit_code
        return code


def _started(arguments: Sequence[str], settings: dict[str, str], said: IO[bytes] | None) -> subprocess.Popen[bytes]:
    """One worker. In a session of its own: Ctrl-C would reach it from the terminal and, forwarded, once more."""
    program = [sys.executable, "-c", PROGRAM, *arguments]
    out = None if said is None else subprocess.DEVNULL
    return subprocess.Popen(  # noqa: S603  our own command line
        program, env={**os.environ, **settings}, stdout=out, stderr=said, start_new_session=True
    )


def _waited_for(running: Sequence[subprocess.Popen[bytes]], said: Sequence[IO[bytes]]) -> int:
    """The chief's exit code, once all have ended, or once it failed and no other was killed at about that time."""
    until = math.inf
    while True:
        codes = [each.poll() for each in running]
        failed = [index for index, code in enumerate(codes) if index and code]
        killed = [index for index in failed if (codes[index] or 0) < 0]
        if killed and (codes[0] is None or codes[0] > 0):  # the chief, if it ended first, only missed that one
            return _mourned(killed[0], running, said[killed[0]])
        if codes[0] == WorkerLost.exit_code and until == math.inf:
            until = time.monotonic() + SECONDS_ALIKE
        waiting = codes[0] == WorkerLost.exit_code and None in codes and time.monotonic() < until
        if codes[0] is not None and not waiting and (codes[0] or None not in codes):
            return _said_by(running[0])
        if failed and codes[0] is None:
            return _mourned(failed[0], running, said[failed[0]])
        time.sleep(0.1)


def _said_by(chief: subprocess.Popen[bytes]) -> int:
    """The exit code of a chief that has ended.

    Raises:
        WorkerLost: it was killed, and could not say so.
    """
    if chief.returncode < 0:
        raise WorkerLost(
            f"worker 0, the chief, was killed by signal {-chief.returncode}; the same command goes on from the last "
            "checkpoint"
        )
    return chief.returncode


def _mourned(index: int, running: Sequence[subprocess.Popen[bytes]], said: IO[bytes]) -> int:
    code = running[index].returncode
    with suppress(subprocess.TimeoutExpired):  # the chief may have met the same, or have been told to stop too
        running[0].wait(SECONDS_TO_SAVE if code == Interrupted.exit_code else SECONDS_ALIKE)
        if code >= 0 or running[0].returncode == 0:
            return _said_by(running[0])
    how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    said.seek(max(0, said.seek(0, os.SEEK_END) - LAST_WORDS))
    lines = [line for line in said.read().decode(errors="replace").splitlines() if line.startswith("error")]
    why = f": {lines[-1].removeprefix('error').strip()}" if lines else ""
    if code == BadInput.exit_code:
        raise BadInput(f"worker {index}{why}")
    raise WorkerLost(f"worker {index} of {len(running)} {how}{why}; the same command goes on from the last checkpoint")


class _Told(NamedTuple):
    """A signal to stop, and how many workers there were to pass it on to."""

    number: int
    reached: int


@contextmanager
def _forwarding(running: Sequence[subprocess.Popen[bytes]]) -> Iterator[list[_Told]]:
    """Pass SIGINT and SIGTERM on to every worker meanwhile; gives those that came."""
    told: list[_Told] = []

    def forward(number: int, frame: Any) -> None:
        told.append(_Told(number, len(running)))
        for each in running:
            if each.poll() is None:
                each.send_signal(number)

    usual = {number: signal.signal(number, forward) for number in SIGNALS}
    try:
        yield told
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)


def _end(running: Sequence[subprocess.Popen[bytes]]) -> None:
    for each in running:
        if each.poll() is None:
            each.terminate()
    deadline = time.monotonic() + SECONDS_TO_END
    for each in running:
        try:
            each.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            each.kill()
            each.wait()


def _free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    try:
        for each in held:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in held]
    finally:
        for each in held:
            each.close()
