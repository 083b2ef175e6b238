"""Each notebook runs from top to bottom without a cell that raises, and is stored without outputs."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from pipelines.contenders.contender import History
from pipelines.report.document import Comparison, Cost, DataCard, Estimate, GroupRow, Report, Scorecard, Verdict
from pipelines.tracking.record import pipeline_run
from pipelines.tracking.store import VARIABLE, open_store

nbclient = pytest.importorskip("nbclient", reason="the extra `notebooks` is not installed")
nbformat = pytest.importorskip("nbformat")

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb"))
TASK = "finance/credit-default"


def execute(name, folder, monkeypatch):
    """A notebook's cells after a run in this folder; nbclient raises when a cell does."""
    monkeypatch.chdir(folder)
    monkeypatch.delenv(VARIABLE, raising=False)
    notebook = nbformat.read(FOLDER / name, as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(folder)}})
    return client.execute().cells


def outputs(cells, kind):
    found = [output for cell in cells if cell.cell_type == "code" for output in cell.outputs]
    if kind == "text":
        return "".join(output.get("text", "") for output in found)
    return [output.data[kind] for output in found if kind in output.get("data", {})]


def measured(rng, target, strength):
    """A contender's Scorecard computed from scores that it gives to these rows."""
    score = target * strength + rng.normal(size=len(target))

    def auroc(rows):
        positive, negative = score[rows][target[rows] == 1], score[rows][target[rows] == 0]
        return float((positive[:, None] > negative).mean()) if len(positive) and len(negative) else math.nan

    samples = [auroc(rng.integers(0, len(target), len(target))) for _ in range(100)]
    low, high = np.nanpercentile(samples, [2.5, 97.5])
    return score, Estimate(auroc(np.arange(len(target))), float(low), float(high))


def record_one_run():
    """A small run of two contenders over 120 rows, recorded the way that `pipelines.run` does."""
    rng = np.random.default_rng(0)
    target, sex = rng.integers(0, 2, 120), np.array(["F", "M"] * 60)
    cards, histories = [], {"mlp": History({"loss": (0.7, 0.5, 0.4), "valid_loss": (0.7, 0.6, 0.65)}, 1)}
    for name, kind, strength in (("mlp", "network", 2.0), ("logistic", "classical", 1.0)):
        score, estimate = measured(rng, target, strength)
        rows = [
            GroupRow("sex", group, 60, int(target[sex == group].sum()), {
                "selection_rate": Estimate(float((score[sex == group] > 1).mean()), 0.1, 0.9),
                "tpr": Estimate(float((score[(sex == group) & (target == 1)] > 1).mean()), 0.1, 0.9),
            })
            for group in ("F", "M")
        ]  # fmt: skip
        rows.append(GroupRow("age", "<25", 0, 0, {"tpr": Estimate(math.nan)}))
        cards.append(Scorecard(name, kind, {"auroc": estimate}, Cost(0.5), bias=tuple(rows)))
    data = DataCard("sample", False, 120, "a" * 64, {"train": 70, "valid": 20, "test": 30})
    difference = cards[0].scores["auroc"].value - cards[1].scores["auroc"].value
    comparison = Comparison("mlp", "logistic", "auroc", difference, difference - 0.1, difference + 0.1, 0.01, "DeLong")
    verdict = Verdict("mlp", "yes", network="mlp", best_baseline="logistic", sentence="The network is better.")
    with pipeline_run(open_store(), TASK) as parent:
        for card in cards:
            with parent.child(card.name, card.kind) as child:
                child.history(histories.get(card.name, History()))
                child.scores(card)
        parent.report(Report(TASK, 0, 1.0, data, tuple(cards), (comparison,), verdict, "auroc", parent.run_id))
    return parent.run_id


def test_compare_runs_shows_the_newest_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)
    run_id = record_one_run()
    cells = execute("compare_runs.ipynb", tmp_path, monkeypatch)
    assert "The network is better." in outputs(cells, "text")
    tables = "".join(outputs(cells, "text/html"))
    assert run_id in tables
    assert "selection_rate" in tables
    assert "logistic" in tables
    assert len(outputs(cells, "image/png")) == 4  # contenders, two bias metrics, learning curves


def test_compare_runs_says_what_to_run_when_nothing_is_recorded(tmp_path, monkeypatch):
    cells = execute("compare_runs.ipynb", tmp_path, monkeypatch)
    assert f"tapeline run {TASK}" in outputs(cells, "text")
    assert outputs(cells, "image/png") == []
    assert not (tmp_path / "mlruns").exists()


def test_compare_runs_starts_with_its_task():
    notebook = nbformat.read(FOLDER / "compare_runs.ipynb", as_version=4)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert first.source == f'TASK = "{TASK}"'


def test_backpropagation_by_hand_equals_the_tape_and_every_claim_is_measured(tmp_path, monkeypatch):
    """Its cells assert what its text says, so here is left what a reader sees, and that nothing is written."""
    cells = execute("backpropagation.ipynb", tmp_path, monkeypatch)
    text = outputs(cells, "text")
    apart = re.findall(r"by hand equals the tape to (\S+)|the weights differ by (\S+);", text)
    assert [float(tape or weights) < 1e-10 for tape, weights in apart] == [True, True]
    tables = outputs(cells, "text/html")
    for measured in (
        "tape and differences",
        "sigmoid, residual",
        "clipped to 1",
        "16 starts",
        "early stopping",
        "logistic",
    ):
        assert sum(measured in table for table in tables) == 1, measured
    assert len(outputs(cells, "image/png")) == 7
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_stored_without_outputs(name):
    notebook = nbformat.read(FOLDER / name, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
