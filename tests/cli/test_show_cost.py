"""The table of cost, and the hardware page: every number can be read, and an estimate is called one."""

import io
import json
import math

import pytest
from costs import FIRST, MACHINE, SECOND, report
from rich.console import Console
from typer.testing import CliRunner

from pipelines.cli.main import app
from pipelines.cli.show_cost import costs, page, short
from pipelines.report.cost import Cost

HEAVY = Cost(2345.6, 98765.4, 12345.6, 12345678, 2.5e9, 1.2345, 9876.5, 12345.6, 123.45, 234.56, 2345.6, 3.6e14)


def shown(document, width):
    out = io.StringIO()
    costs(Console(file=out, width=width), document)
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 100, 200])
def test_every_number_can_be_read(width):
    text = shown(report(HEAVY, FIRST, machine=MACHINE, energy_by="codecarbon 3.3.2, by load"), width)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    words = text.split()
    assert ("98,765" in words) == (width > 80), "the first table has it too"
    for said in (
        "9,876.5",
        "12,346",
        "123.45",
        "(234.56)",
        "(2,346)",
        "12,345,678",
        "2.5",
        "1,234.5",
        "250.0",
    ):
        assert said in words


def test_energy_is_an_estimate_and_has_no_column_where_there_is_none():
    told = shown(report(FIRST, SECOND, energy_by="codecarbon 3.3.2, by load"), 200)
    assert "energy mWh" in told
    assert "an estimate of the whole machine" in " ".join(told.split())
    assert "codecarbon 3.3.2, by load" in told
    none = shown(report(Cost(1.0, cpu_seconds=2.0)), 200)
    assert "energy" not in none
    assert "mWh" not in none


def test_what_a_network_used_of_the_machine_is_said_of_networks_alone():
    words = " ".join(shown(report(FIRST, SECOND, machine=MACHINE), 200).split())
    assert (
        "mlp trained at 3 GFLOP/s, 6.000 % of the product of matrices that was measured here (50.00 GFLOP/s)" in words
    )
    assert "forest trained at" not in words
    assert "trained at" not in shown(report(FIRST), 200)


def test_a_report_from_before_shows_nothing():
    assert shown(report(Cost(1.0, 5.0), Cost(2.0)), 100) == ""


def test_numbers_in_short():
    assert [short(each) for each in (0.0, 999.0, 1234.0, 2.5e6, 3e9, 4.56e13)] == [
        "0 ", "999 ", "1.23 k", "2.5 M", "3 G", "45.6 T",
    ]  # fmt: skip
    assert short(math.nan) == "-"


def test_the_hardware_page(monkeypatch):
    monkeypatch.setattr("pipelines.cli.quiet.import_tensorflow", lambda debug: None)
    asked = []
    monkeypatch.setattr("pipelines.hardware.hardware", lambda fresh: asked.append(fresh) or MACHINE)
    told = CliRunner().invoke(app, ["hardware", "--json", "-q"])
    assert json.loads(told.stdout)["matmul_gflops"] == 50.0
    page_ = CliRunner().invoke(app, ["hardware", "--fresh", "-q"]).stdout
    assert "AMD EPYC, 2 cores for this process" in page_
    assert "50.00 GFLOP/s (float32, TensorFlow)" in page_
    assert "18.00 GB/s (STREAM triad, NumPy)" in page_
    assert asked == [False, True]


def test_accelerators_are_named():
    out = io.StringIO()
    page(Console(file=out, width=100), MACHINE)
    assert "none" in out.getvalue()
