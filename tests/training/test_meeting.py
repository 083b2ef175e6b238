"""Workers meet before TensorFlow connects them: all or none, within a limit, and a signal is heard meanwhile."""

import ctypes
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipelines.errors import BadInput, WorkerLost
from pipelines.training import meeting
from pipelines.training.meeting import meet


@pytest.fixture
def addresses():
    held = [socket.socket() for _ in range(3)]
    for each in held:
        each.bind(("127.0.0.1", 0))
    found = [f"127.0.0.1:{each.getsockname()[1]}" for each in held]
    for each in held:
        each.close()
    return found


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(meeting, "SECONDS_TO_COME", 1.0)


def dialled(address):
    host, port = address.split(":")
    while True:
        try:
            return socket.create_connection((host, int(port)))
        except OSError:
            continue


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_all_go_on_when_all_are_there(order, addresses):
    with ThreadPoolExecutor(3) as pool:
        first, *others = (pool.submit(meet, addresses, index) for index in order[:2])
        assert not any(each.done() for each in (first, *others))
        last = pool.submit(meet, addresses, order[2])
        for each in (first, *others, last):
            each.result(timeout=200)
    for address in addresses:  # free again, for TensorFlow
        with socket.create_server(("", int(address.split(":")[1]))):
            pass


def test_a_worker_that_left_again_is_waited_for_and_strangers_are_not_counted(addresses):
    with ThreadPoolExecutor(3) as pool:
        chief = pool.submit(meet, addresses, 0)
        for said in (b"GET / HTTP/1.1\r\n", b"tapeline worker 7\n", b"tapeline worker 1\n"):
            with dialled(addresses[0]) as line:
                line.sendall(said)
        second = pool.submit(meet, addresses, 2)
        with pytest.raises(TimeoutError):
            chief.result(timeout=1.5)
        first = pool.submit(meet, addresses, 1)
        for each in (chief, first, second):
            each.result(timeout=200)


def test_who_does_not_come_is_named(addresses, impatient):
    with pytest.raises(WorkerLost, match=rf"worker 1 \({addresses[1]}\), 2 \({addresses[2]}\) did not come"):
        meet(addresses, 0)
    with pytest.raises(WorkerLost, match=f"the chief, worker 0 at {addresses[0]}.*refused"):
        meet(addresses, 1)


@pytest.mark.parametrize("index", [0, 1])
def test_a_port_that_is_taken_is_named(index, addresses):
    host, port = addresses[index].split(":")
    with socket.create_server((host, int(port))), pytest.raises(BadInput, match=f"port {port}.*already in use"):
        meet(addresses, index)


def test_a_port_that_cannot_be_is_named():
    with pytest.raises(BadInput, match="port 70000"):
        meet(["127.0.0.1:70000", "127.0.0.1:1"], 0)


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_heard_while_waiting(number, index, addresses):
    program = (
        "import sys; from pipelines.cli.stopping import heed_signals; heed_signals(print)\n"
        "from pipelines.training.meeting import meet; print('waiting', flush=True)\n"
        f"meet({addresses!r}, {index})"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    try:
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(number)
        _, said = process.communicate(timeout=200)
    finally:
        process.kill()
    assert "KeyboardInterrupt" in said


def test_a_signal_while_tensorflow_connects_is_heard_by_the_handler_that_was_there():
    heard = []
    usual = signal.signal(signal.SIGTERM, lambda *_: heard.append(1))
    try:
        taken = ctypes.CDLL(None).signal  # as TensorFlow takes it, behind Python's back
        assert meeting.connected(lambda: taken(signal.SIGTERM, signal.SIG_IGN) and "strategy") == "strategy"
        signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, usual)
    assert heard
    assert signal.alarm(0) == 0
