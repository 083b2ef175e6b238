"""The meter: CPU time of threads and children, memory at its peak, energy that waits for nothing."""

import math
import os
import subprocess
import sys
import threading
import time
import types
from collections import namedtuple
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest

from pipelines.contenders import energy, meter
from pipelines.contenders.meter import MB, Meter

BURN = 0.3
pcputimes = namedtuple("pcputimes", "user system children_user children_system iowait")
"""As psutil has it on Linux."""


def burn(seconds):
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass
    return time.thread_time()


def hold(megabytes):
    held = np.ones(megabytes * 125_000)  # 10^6 bytes each
    time.sleep(4 * meter.EVERY)
    return held[-1]


@pytest.fixture(scope="module")
def living():
    """A worker that lives on after its work, as those of a search do."""
    with ProcessPoolExecutor(1) as pool:
        pool.submit(burn, 0.0).result()
        yield pool


def test_waiting_is_no_work():
    with Meter() as measured:
        time.sleep(BURN)
    assert measured.seconds >= BURN
    assert measured.cpu_seconds < BURN / 2


def test_all_threads_count():
    with Meter() as measured:
        other = threading.Thread(target=burn, args=(BURN,))
        other.start()
        burn(BURN)
        other.join()
    assert 2 * BURN <= measured.cpu_seconds < 3 * BURN


def test_a_child_that_lives_on_counts_for_what_it_did_meanwhile(living):
    living.submit(burn, 2 * BURN).result()  # before
    with Meter() as measured:
        living.submit(burn, BURN).result()
    assert 0.9 * BURN <= measured.cpu_seconds < 1.9 * BURN


def test_a_child_that_came_and_went_counts():
    work = f"import time\nwhile time.process_time() < {2 * BURN}: pass"
    with Meter() as measured:
        subprocess.run([sys.executable, "-S", "-c", work], check=True)
    assert 2 * BURN <= measured.cpu_seconds < 4 * BURN


def test_the_peak_is_found_though_it_is_over_and_what_was_there_before_is_not_added():
    before = np.ones(40 * 125_000)
    with Meter() as measured:
        hold(80)
    cost = measured.cost()
    assert cost.memory_added_mb == pytest.approx(80, abs=8)
    assert cost.peak_memory_mb > cost.memory_added_mb + before.nbytes / MB


def test_the_system_remembers_a_peak_that_was_too_short_to_be_seen(monkeypatch):
    found = iter([100 * 10**6, 10**12])
    monkeypatch.setattr(meter, "_highest", lambda: next(found))
    with Meter() as measured:
        pass
    assert measured.peak == 10**12


def test_an_earlier_peak_is_not_this_ones(monkeypatch):
    monkeypatch.setattr(meter, "_highest", lambda: 10**12)
    with Meter() as measured:
        pass
    assert measured.peak < 10**11


def test_children_hold_memory_too(living):
    with Meter() as measured:
        living.submit(hold, 90).result()
    assert measured.added / MB > 60


def test_children_of_children_count_with_those_of_theirs_that_have_ended(monkeypatch):
    class Process:
        def __init__(self, seconds, *children):
            self.seconds, self.below = seconds, children

        def cpu_times(self):
            return pcputimes(*self.seconds, 1e6)

        def children(self, recursive):
            return [each for child in self.below for each in (child, *(child.children(True) if recursive else []))]

    grandchild, ended = Process((1, 2, 0, 0)), (4, 8, 16, 32)
    monkeypatch.setattr(psutil, "Process", lambda: Process((0, 0, 64, 128), Process(ended, grandchild)))
    monkeypatch.setattr(meter, "time", types.SimpleNamespace(process_time=lambda: 256.0))
    assert meter.cpu_seconds() == 1 + 2 + 4 + 8 + 16 + 32 + 64 + 128 + 256


def test_a_megabyte_is_a_million_bytes():
    with Meter() as measured:
        pass
    measured.peak, measured.added = 3_000_000, 2_000_000
    assert (measured.cost().peak_memory_mb, measured.cost().memory_added_mb) == (3.0, 2.0)


def test_linux_tells_the_highest_value(tmp_path, monkeypatch):
    status = tmp_path / "status"
    status.write_text("Name:\tpython\nVmHWM:\t    2048 kB\nVmRSS:\t 1024 kB\n")
    monkeypatch.setattr(meter, "STATUS", status)
    assert meter._highest() == 2048 * 1024
    monkeypatch.setattr(meter, "STATUS", tmp_path / "nowhere")
    assert meter._highest() == 0


def test_rows_a_second_are_over_all_seconds(monkeypatch):
    times = iter([10.0, 14.0])
    monkeypatch.setattr(
        meter, "time", types.SimpleNamespace(perf_counter=lambda: next(times), process_time=lambda: 1.0)
    )
    with Meter() as measured:
        pass
    cost = measured.cost(parameters=7, rows=100.0, flops=1e9)
    assert (cost.train_seconds, cost.train_rows_per_second, cost.parameters, cost.train_flops) == (4.0, 25.0, 7, 1e9)
    assert math.isnan(measured.cost().train_rows_per_second)


class Tracker:
    """Of codecarbon's shape: a constant power of 3600 W, on a clock of its own."""

    def __init__(self, clock):
        self.clock, self.begun, self._hardware = clock, None, [types.SimpleNamespace(_mode="cpu_load")]

    def start_task(self):
        assert self.begun is None, "one task at a time"
        self.begun = self.clock[0]

    def stop_task(self):
        used, self.begun = (self.clock[0] - self.begun) / 1000, None
        return types.SimpleNamespace(energy_consumed=used)


@pytest.fixture
def clock(monkeypatch):
    now = [50.0]
    monkeypatch.setattr(energy, "time", types.SimpleNamespace(perf_counter=lambda: now[0]))
    monkeypatch.setattr(energy, "_state", {"asked": False, "tracker": Tracker(now), "open": None})
    return now


def test_energy_is_power_times_time(clock):
    found = energy.begin()
    clock[0] += 7
    assert found.ended() == pytest.approx(7)
    again = energy.begin()
    clock[0] += 2
    assert again.ended() == pytest.approx(2)


def test_within_another_measurement_nothing_is_known_and_the_outer_one_has_all(clock):
    outer = energy.begin()
    clock[0] += 1
    inner = energy.begin()
    clock[0] += 1
    assert math.isnan(inner.ended())
    clock[0] += 1
    assert outer.ended() == pytest.approx(3)


def test_what_was_measured_late_stands_for_the_whole_and_nobody_waits(clock, monkeypatch):
    tracker, energy._state["tracker"] = energy._state["tracker"], None
    early = energy.begin()
    clock[0] += 5
    assert math.isnan(early.ended()), "not known in time"
    late = energy.begin()
    clock[0] += 6
    module = types.ModuleType("codecarbon")
    module.OfflineEmissionsTracker = lambda **settings: tracker
    monkeypatch.setitem(sys.modules, "codecarbon", module)
    energy._prepared()
    clock[0] += 2
    assert late.ended() == pytest.approx(8)
    assert energy._state["open"] is None


def test_a_tracker_that_fails_leaves_energy_unknown(clock, monkeypatch):
    energy._state["tracker"] = None
    module = types.ModuleType("codecarbon")
    module.OfflineEmissionsTracker = lambda **settings: 1 / 0
    monkeypatch.setitem(sys.modules, "codecarbon", module)
    energy._prepared()
    assert energy.method() == ""
    assert math.isnan(energy.begin().ended())


def test_without_the_extra_nothing_is_begun(clock, monkeypatch):
    energy._state["tracker"] = None
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    energy.prepare()
    assert not energy._state["asked"]


@pytest.mark.parametrize(("mode", "said"), [("cpu_load", "load and rated power"), ("intel_rapl", "own counter")])
def test_it_says_how_energy_is_estimated(clock, monkeypatch, mode, said):
    monkeypatch.setattr(energy.metadata, "version", lambda name: "3.3.2")
    energy._state["tracker"]._hardware[0]._mode = mode
    assert said in energy.method()


def test_codecarbon_itself_sends_nothing_writes_nothing_and_is_silent(tmp_path):
    pytest.importorskip("codecarbon")
    program = """
import os, socket, sys
def refused(*given, **named):
    print("tried the network", given)
    raise OSError
socket.socket.connect = socket.getaddrinfo = refused
from pipelines.contenders import energy
energy._prepared()
found = energy.begin()
sum(range(10**6))
used = found.ended()
assert used > 0, used
assert "codecarbon" in energy.method()
assert os.listdir() == [], os.listdir()
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
