"""A signal to stop is never lost, wherever it arrives."""

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import signal, time
from pipelines.cli.stopping import heed_signals

class Droppable:
    def __del__(self):
        signal.raise_signal(signal.{name})

heed_signals(print)
{before}
for _ in range(200):
    time.sleep(0.05)
print("went on")
"""


def ran(program):
    """In a process that hears Ctrl-C even where a shell told this one to ignore it."""
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=200,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize(
    "before", ["Droppable()", "signal.raise_signal(signal.SIGINT)"], ids=["in a destructor", "in the open"]
)
def test_a_signal_stops_the_process(name, before):
    ended = ran(PROGRAM.format(name=name, before=before))
    assert ended.returncode in (-signal.SIGINT, 1)
    assert "KeyboardInterrupt" in ended.stderr
    assert ended.stdout == ""


def test_other_exceptions_of_destructors_are_said():
    program = PROGRAM.format(
        name="SIGINT", before="Droppable.__del__ = lambda self: 1 / 0; Droppable(); raise SystemExit"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=200)
    assert "ZeroDivisionError" in ended.stdout
