"""The benchmarks' arithmetic on numbers counted by hand, networks that are the same to every peer, and a smoke run."""

import math
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import training
from benchmarks.entrants import fit_settings
from benchmarks.figure import draw, relative_speeds
from benchmarks.summary import RATIOS, Measured, document, geometric_means, median, ratios, table_of_ratios, write
from benchmarks.turns import Ready
from benchmarks.workloads import WORKLOADS

ROOT = Path(__file__).resolve().parents[1]
TIMES = {"fit, defaults": 8.0, "fit, jit_compile": 4.0, "Tapeline": 2.0, "PyTorch": 3.0, "ideal step": 1.0}


def measured(times=TIMES):
    ready = {name: Ready(value, 1.0, "resident", False) for name, value in times.items()}
    seconds = {name: [value, 100.0, value / 2] for name, value in times.items()}
    return Measured("table", seconds, ready, dict.fromkeys(times, 500.0), ["a note"])


def test_ratios_are_of_speed():
    assert ratios(TIMES) == {
        "tapeline_over_default_fit": 4.0,
        "tapeline_over_best_fit": 2.0,
        "share_of_ideal": 0.5,
        "tapeline_over_pytorch": 1.5,
    }


def test_without_pytorch_its_ratio_is_null_and_left_out_of_the_mean():
    without = ratios({name: value for name, value in TIMES.items() if name != "PyTorch"})
    assert without["tapeline_over_pytorch"] is None
    means = geometric_means([without, {**ratios(TIMES), "share_of_ideal": 0.98}])
    assert means["tapeline_over_pytorch"] == pytest.approx(1.5)
    assert means["share_of_ideal"] == pytest.approx(0.7)
    assert geometric_means([without])["tapeline_over_pytorch"] is None


def test_the_median_round_counts():
    assert median([3.0, 1.0, 100.0]) == 3.0
    assert median([1.0, 2.0, 4.0, 100.0]) == 3.0
    assert measured().medians == TIMES


def test_the_document_has_the_agreed_form(tmp_path):
    path = tmp_path / "training.json"
    write(document([measured()], []), path)
    assert [each.name for each in tmp_path.iterdir()] == ["training.json"]
    import json

    kept = json.loads(path.read_text())
    assert isinstance(kept["machine"], str)
    assert {"name", *RATIOS} <= set(kept["workloads"][0])
    assert kept["workloads"][0]["milliseconds_per_step"]["Tapeline"] == 2000.0
    assert table_of_ratios(kept).row_count == 2


def test_the_figure_shows_speeds_relative_to_the_default_fit(tmp_path):
    kept = document([measured(), measured({name: value for name, value in TIMES.items() if name != "PyTorch"})], [])
    assert relative_speeds(kept["workloads"][0]) == {
        "best fit": 2.0,
        "PyTorch": 8 / 3,
        "Tapeline": 4.0,
        "ideal step": 8.0,
    }
    assert "PyTorch" not in relative_speeds(kept["workloads"][1])
    draw(kept, tmp_path / "figure.png")
    from PIL import Image

    assert Image.open(tmp_path / "figure.png").size == (900, 450)


class Seated:
    """A seat without a process."""

    def __init__(self, entrant):
        self.entrant, self.stopped = entrant, False

    def stop(self):
        self.stopped = True


def test_a_setting_of_fit_that_is_far_slower_is_dropped_and_named_but_never_the_defaults():
    seats = [Seated(entrant) for entrant in fit_settings(WORKLOADS[0])]
    names = [seat.entrant.name for seat in seats]
    times = dict(zip(names, (50.0, 10.0, 29.0, 31.0, 300.0, 12.0), strict=True))
    notes = []
    kept = training._without_far_slower(seats, {name: Ready(times[name], 0, "", False) for name in names}, notes)
    assert [seat.entrant.name for seat in kept] == [names[0], names[1], names[2], names[5]]
    assert [seat.stopped for seat in seats] == [False, False, False, True, True, False]
    assert len(notes) == 2
    assert names[4] in notes[1]
    assert "30.0 times" in notes[1]


def test_fit_is_tried_with_its_defaults_first_and_every_combination_once():
    names = [entrant.name for entrant in fit_settings(WORKLOADS[0])]
    assert names[0] == "fit, defaults"
    assert len(set(names)) == len(names) == 6
    assert "fit, steps_per_execution=469, jit_compile" in names


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_pytorch_trains_the_same_layers(workload):
    pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'tapeline[bench]'")
    from benchmarks import torch_networks

    network = workload.network()
    ours = sum(math.prod(variable.shape) for variable in network.trainable_variables)
    theirs = sum(parameter.numel() for parameter in getattr(torch_networks, workload.name)().parameters())
    second_bias = 2 * 4 * 32 if workload.name == "lstm" else 0  # PyTorch's LSTM has two biases that are added up
    assert theirs == ours + second_bias
    assert network.input_shape == (None, *workload.shape)


def test_a_quick_run_measures_everyone_and_writes_nothing():
    results = ROOT / "benchmarks" / "results"
    before = {path: path.stat().st_mtime_ns for path in results.iterdir()}
    command = [sys.executable, "-m", "benchmarks", "training", "--quick", "--only", "mlp"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lines = [line.split() for line in printed.splitlines()]
    speed = {line[0]: float(line[1]) for line in lines if line and line[0] == "Tapeline"}
    assert speed["Tapeline"] > 0
    for name in ("fit, defaults", "ideal step", "geometric mean", "PyTorch"):
        assert name in printed
    assert {path: path.stat().st_mtime_ns for path in results.iterdir()} == before


def test_an_unknown_workload_is_refused_with_the_names_that_exist():
    command = [sys.executable, "-m", "benchmarks", "--only", "bert"]
    failed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert failed.returncode == 2
    assert "'bert'" in failed.stderr
    assert "transformer" in failed.stderr
