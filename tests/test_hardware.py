"""What a machine can do: measured once, remembered, and never made worse by a second look."""

import json
import types
from dataclasses import asdict, replace

import numpy as np
import pytest

from pipelines import hardware
from pipelines.report.machine import Machine

SOME = Machine("AMD EPYC", 2, 25.3, ("GPU:0 H100",), 50.0, 18.0, "2026-11-28")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "tapeline" / "hardware"


def measuring(monkeypatch, *found):
    left = list(found)
    monkeypatch.setattr(hardware, "measured", lambda: left.pop(0))
    return left


def test_it_is_measured_once_and_remembered(cache, monkeypatch):
    left = measuring(monkeypatch, SOME, replace(SOME, cores=64))
    assert hardware.hardware() == hardware.hardware() == SOME
    assert len(left) == 1
    (kept,) = cache.iterdir()
    assert json.loads(kept.read_text()) == {**asdict(SOME), "accelerators": ["GPU:0 H100"]}


def test_another_look_keeps_the_better_of_both_figures(cache, monkeypatch):
    slower = replace(SOME, matmul_gflops=20.0, memory_gb_per_second=30.0, measured_on="2026-11-29")
    measuring(monkeypatch, SOME, slower)
    hardware.hardware()
    again = hardware.hardware(fresh=True)
    assert (again.matmul_gflops, again.memory_gb_per_second, again.measured_on) == (50.0, 30.0, "2026-11-29")
    assert hardware.hardware() == again


@pytest.mark.parametrize("damage", ["", "{}", "[]", json.dumps({**asdict(SOME), "matmul_gflops": 0})])
def test_a_damaged_file_only_costs_measuring_again(cache, monkeypatch, damage):
    measuring(monkeypatch, SOME, SOME)
    hardware.hardware()
    (kept,) = cache.iterdir()
    kept.write_text(damage)
    assert hardware.hardware() == SOME
    assert json.loads(kept.read_text())["matmul_gflops"] == 50.0


def test_a_disk_that_takes_nothing_is_no_trouble(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    measuring(monkeypatch, SOME)
    assert hardware.hardware() == SOME


def test_other_hardware_is_another_key(cache, monkeypatch):
    measuring(monkeypatch, SOME, replace(SOME, cores=64))
    hardware.hardware()
    monkeypatch.setattr(hardware, "cores", lambda: 64)
    assert hardware.hardware().cores == 64


def test_a_triad_moves_five_numbers_for_each_of_three(monkeypatch):
    monkeypatch.setattr(hardware, "_quickest", lambda work, over: (work() and 0.5) or 0.5)
    assert hardware.triad(8000) == 5 * 8000 / 0.5


def test_all_of_the_arrays_is_gone_through(monkeypatch):
    seen = []
    monkeypatch.setattr(hardware, "cores", lambda: 3)
    monkeypatch.setattr(np, "add", lambda a, b, out: seen.append((len(a), float(a[0] + b[0]))))
    monkeypatch.setattr(hardware, "_quickest", lambda work, over: (work() and 1.0) or 1.0)
    hardware.triad(800)
    assert sum(length for length, _ in seen) == 100
    assert {value for _, value in seen} == {4.0}, "b + 3 c"


def test_a_product_is_two_operations_for_each_of_its_terms_and_grows_until_it_is_long_enough(monkeypatch):
    sides, quick = [], {512: 0.001, 1024: 0.004, 2048: 0.04}
    monkeypatch.setattr(hardware, "_waited_for", lambda product, values: sides.append(values.shape[0]))
    monkeypatch.setattr(hardware, "_quickest", lambda work, over: quick[sides[-1]])
    monkeypatch.setattr(hardware, "time", types.SimpleNamespace(perf_counter=lambda: 0.0))
    assert hardware.matrix_product() == 2 * 1024**3 / 0.004
    assert sides == [512, 1024, 2048]


def test_the_quickest_counts(monkeypatch):
    now, seconds = [0.0], iter([3.0, 1.0, 2.0, 9.0])
    monkeypatch.setattr(hardware, "time", types.SimpleNamespace(perf_counter=lambda: now[0]))

    def work():
        now[0] += next(seconds)

    assert hardware._quickest(work, over=5.0) == 1.0
    assert now[0] == 6.0


def test_this_machine_is_measured():
    found = hardware.measured()
    assert found.cores >= 1
    assert found.processor
    assert 0.5 < found.memory_gb < 1e5
    assert 0.1 < found.matmul_gflops < 1e7
    assert 0.1 < found.memory_gb_per_second < 1e5


@pytest.mark.parametrize(("available", "size"), [(50_000_000, 2_500_000), (64 << 30, 96 << 20)])
def test_memory_is_counted_in_thousand_millions_and_little_of_it_is_taken(available, size, monkeypatch):
    monkeypatch.setattr("psutil.virtual_memory", lambda: types.SimpleNamespace(total=16e9, available=available))
    monkeypatch.setattr(hardware, "matrix_product", lambda: 5e10)
    monkeypatch.setattr(hardware, "triad", lambda size: size * 1e9)
    found = hardware.measured()
    assert (found.memory_gb, found.matmul_gflops, found.memory_gb_per_second) == (16.0, 50.0, size)
