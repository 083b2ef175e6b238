"""Cost: what several trainings cost together, and how much of a machine they used."""

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import jsonschema
import pytest
from costs import FIRST, MACHINE, SECOND, report

from pipelines.report import document
from pipelines.report.document import Cost, Report, together
from pipelines.report.figures_cost import score_against_cost


def test_what_is_spent_adds_up_and_what_is_held_does_not():
    both = together([FIRST, SECOND], FIRST)
    assert (both.train_seconds, both.cpu_seconds, both.energy_wh, both.train_flops) == (8.0, 12.0, 0.75, 8e9)
    assert (both.peak_memory_mb, both.memory_added_mb) == (500.0, 50.0)
    assert both.train_rows_per_second == (2 * 100 + 6 * 20) / 8
    assert (both.parameters, both.flops_per_row, both.latency_ms, both.latency_ms_95) == (17, 40.0, 1.5, 2.5)
    assert both.predict_rows_per_second == 900.0


def test_of_several_trainings_the_mean_is_told_and_their_speed_is_that_of_all():
    mean = together([FIRST, SECOND], FIRST, trainings=2)
    assert (mean.train_seconds, mean.cpu_seconds, mean.energy_wh, mean.train_flops) == (4.0, 6.0, 0.375, 4e9)
    assert mean.train_rows_per_second == (2 * 100 + 6 * 20) / 8
    assert mean.peak_memory_mb == 500.0


def test_a_part_that_is_not_known_makes_the_sum_unknown_but_for_rows_and_operations():
    after = Cost(2.0, cpu_seconds=1.0)
    both = together([FIRST, after], FIRST)
    assert math.isnan(both.energy_wh)
    assert both.train_rows_per_second == 2 * 100 / 4, "a part that no rows went through takes its time"
    assert both.train_flops == 6e9
    assert both.peak_memory_mb == 300.0
    assert math.isnan(together([after], after).train_rows_per_second)


def test_how_much_of_the_machine_was_used():
    assert FIRST.used(peak_gflops=30.0) == pytest.approx(0.1)
    assert math.isnan(Cost(2.0).used(30.0))
    assert math.isnan(replace(FIRST, train_seconds=0.0).used(30.0))


def test_it_survives_json_and_the_schema_knows_all_of_it():
    told = report(FIRST, Cost(1.0), machine=MACHINE, energy_by="codecarbon 3.3.2, by load")
    text = told.to_json()
    jsonschema.validate(json.loads(text), json.loads(Path(document.__file__).with_name("schema.json").read_text()))
    found = Report.from_dict(json.loads(text))
    assert (found.machine, found.energy_by) == (MACHINE, told.energy_by)
    assert found.scorecard("mlp").cost == FIRST
    assert math.isnan(found.scorecard("forest").cost.cpu_seconds)


def test_a_report_from_before_is_still_read():
    old = report(FIRST).to_dict()
    for name in ("machine", "energy_by"):
        del old[name]
    kept = ("train_seconds", "predict_rows_per_second", "peak_memory_mb", "parameters", "flops_per_row", "energy_wh")
    old["contenders"][0]["cost"] = {name: old["contenders"][0]["cost"][name] for name in kept}
    found = Report.from_dict(old)
    assert (found.machine, found.energy_by) == (None, "")
    assert {name for name, value in asdict(found.scorecard("mlp").cost).items() if value == value} == set(kept)


def test_the_figure_shows_those_that_were_measured():
    figure = score_against_cost(report(FIRST, Cost(1.0)))
    seconds, latency = figure.axes
    assert [line.get_xdata()[0] for line in seconds.lines if line.get_marker() == "o"] == [3.0]
    assert [line.get_xdata()[0] for line in latency.lines if line.get_marker() == "o"] == [1.5]
    assert seconds.get_xscale() == "log"
    assert score_against_cost(report(Cost(1.0))) is None
