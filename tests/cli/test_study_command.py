"""`tapeline study`: one document, one figure, tables that fit, and one clear line for what cannot be.

That it goes on after it was killed is in `tests/test_killed_study.py`.
"""

import io
import json
import math
from dataclasses import replace

import pytest
from rich.console import Console

from pipelines.cli import show_study
from pipelines.report.document import Comparison, DataCard, Estimate
from pipelines.report.study import Gain, Learner, Reading, Size, Study

from .conftest import FAST, TASK
from .tables import loans

OWN = ("--data", "loans.csv", "--target", "defaulted", "--exclude", "name")


def size(rows, scores):
    cards = tuple(
        Learner(
            name,
            "network" if name == "mlp" else "classical",
            {"auroc": Estimate(value, value - 0.02, value + 0.02)},
            1.0,
        )
        for name, value in scores.items()
    )
    lead = scores["mlp"] - scores["linear"]
    tests = (Comparison("mlp", "linear", "auroc", lead, lead - 0.01, lead + 0.01, 0.2, "DeLong"),)
    left_out = {} if "forest" in scores else {"forest": "too few rows"}
    return Size(rows / 3000, rows, {"train": rows - 100, "valid": 100, "test": 500}, cards, tests, left_out, 3.0)


@pytest.fixture
def document():
    sizes = (
        size(300, {"mlp": 0.7123, "linear": 0.75}),
        size(3000, {"mlp": 0.8234, "linear": 0.8, "forest": 0.81}),
    )
    reading = Reading(
        "mlp", 3000, None, Estimate(1234.0, math.nan, 2000.0), (300, 3000), "mlp overtakes linear at about 1,234."
    )
    gains = (Gain("mlp", 300, 3000, Estimate(0.0334, 0.01, 0.05)),)
    data = DataCard("loans.csv", False, 3500, "0f" * 32, {"train": 2900, "valid": 100, "test": 500})
    return Study(TASK, 0, 12.0, data, "auroc", True, 500, sizes, gains, (reading,), "a" * 32)


@pytest.fixture
def answered(document, monkeypatch):
    """The command, answered at once by this document; what it was asked for."""
    asked = []

    def study(task, request, rows, seed, assignments, progress, deterministic, fresh):
        asked.append((task.name, request.where, rows, seed, assignments, deterministic, fresh))
        return document

    monkeypatch.setattr("pipelines.study.study", study)
    return asked


def test_json_is_one_document_and_the_figure_is_written(tapeline, folder, answered, document):
    flags = ("--rows", "10%,100%", "--seed", "7", "--set", "recipe.epochs=2", "--deterministic", "--fresh")
    ended = tapeline("study", TASK, *flags, "--figure", "curve.png", "--json")
    assert ended.code == 0, ended.err
    assert Study.from_dict(json.loads(ended.out)).to_json() == document.to_json()
    assert (folder / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert "the learning curve is in curve.png" in ended.err
    assert answered == [(TASK, "sample", "10%,100%", 7, ("recipe.epochs=2",), True, True)]


def test_usual_amounts_and_quiet(tapeline, folder, answered):
    ended = tapeline("study", TASK, "--quiet")
    assert (ended.code, ended.err) == (0, "")
    assert "overtakes" in ended.out
    assert answered[0][2] == "5%,10%,30%,100%"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--rows", "0.1,0.3"), "write for example 10%,30%,100%"),
        (("--rows", "50%"), "two amounts or more"),
        (("--rows", "10%,10%"), "the same amount"),
        (("--rows", "10%,101%"), "101% is more than there is; 60 rows (100%)"),
        (("--rows", "2%,100%"), "the smallest amount that works here is"),
        (("--workers", "2"), "No such option: --workers"),
        (("--figure", "curve.txt"), "name a file that ends in .png, .svg or .pdf"),
        (("--figure", "no/curve.png"), "there is no folder no"),
        (("--set", "protocol.learn_from=0.5"), "--rows says which shares"),
    ],
)
def test_bad_usage_is_one_line(tapeline, folder, arguments, said):
    loans(120).to_csv(folder / "loans.csv", index=False)
    ended = tapeline("study", TASK, *OWN, *FAST, *arguments)
    assert (ended.code, ended.out) == (2, "")
    errors = [line for line in ended.err.splitlines() if line.startswith("error")]
    assert len(errors) == 1
    assert said in errors[0]
    assert not (folder / "mlruns").exists()


def test_mended_contenders_are_counted_and_leave_room_for_the_others(document):
    mended = Learner("linear+reweighing", "mitigated", {"auroc": Estimate(0.7)}, 1.0)
    sizes = tuple(replace(size, contenders=(*size.contenders, mended)) for size in document.sizes)
    console = Console(width=80, record=True, file=io.StringIO())
    show_study.study(console, replace(document, sizes=sizes))
    shown = console.export_text()
    assert "linear+" not in shown
    assert "mended contenders, 1 of them, are in the report of each size" in shown


@pytest.mark.parametrize("width", [80, 140])
def test_a_study_is_shown_in_tables_that_fit(document, width):
    console = Console(width=width, record=True, file=io.StringIO())
    show_study.study(console, document)
    shown = console.export_text()
    assert max(map(len, shown.splitlines())) <= width
    assert "mlp overtakes linear at about 1,234." in shown
    rows = {line.split()[0]: line for line in shown.splitlines() if line.strip()[:1].isdigit()}
    assert {"300", "3,000"} <= set(rows)
    for each in document.sizes:
        assert f"{each.value('mlp', 'auroc'):.3f}" in shown
        assert f"{each.comparisons[0].difference:+.4f}" in shown
    assert "+0.0334" in shown
    assert "forest is left out at 300 rows: too few rows" in shown
