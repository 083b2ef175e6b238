"""A real MLflow store per test, and results small enough to compute here."""

import math
import shutil

import numpy as np
import pytest

from pipelines.contenders.contender import History
from pipelines.data.examples import Examples
from pipelines.report.document import (
    Comparison,
    Cost,
    DataCard,
    Estimate,
    Gap,
    GroupRow,
    Report,
    Scorecard,
    Verdict,
)
from pipelines.tracking.store import VARIABLE, open_store

TASK = "finance/credit-default"
SHA = "0123456789abcdef" * 4


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    """A fresh database, made once: creating one takes seconds and every test wants its own."""
    folder = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv(VARIABLE, raising=False)
        open_store()
    return folder / "mlruns" / "mlflow.db"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty current folder in which nothing was recorded yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)
    return tmp_path


@pytest.fixture
def store(folder, empty_database):
    (folder / "mlruns").mkdir()
    shutil.copy(empty_database, folder / "mlruns" / "mlflow.db")
    return open_store()


@pytest.fixture
def card():
    """The scorecard of a network with awkward group names and undefined numbers."""
    return Scorecard(
        "mlp",
        "network",
        {"auroc": Estimate(0.8, 0.75, 0.85), "f1": Estimate(math.nan)},
        Cost(1.5, predict_rows_per_second=1000.0, parameters=17),
        threshold=0.4,
        bias=(
            GroupRow("age", "<25", 30, 9, {"tpr": Estimate(0.6, 0.4, 0.8)}),
            GroupRow("age", ">=25", 70, 20, {"tpr": Estimate(0.8, 0.7, 0.9), "fpr": Estimate(math.nan)}),
            GroupRow("married, or not?", "[yes]=1", 50, 10, {"tpr": Estimate(0.7, 0.6, 0.8)}),
        ),
        gaps=(Gap("age", "tpr", 0.2, 0.75, -0.1, 0.4, ("<25", ">=25"), (9, 20), 0.3),),
        settings={"plan": "resident"},
    )


@pytest.fixture
def report(card):
    prior = Scorecard("prior", "classical", {"auroc": Estimate(0.5, 0.5, 0.5)}, Cost(0.1))
    data = DataCard(
        "sample: modeldata/credit_data", False, 100, SHA, {"train": 60, "valid": 20, "test": 20},
        columns={"age": "number", "job": "category"},
    )  # fmt: skip
    test = Comparison("mlp", "prior", "auroc", 0.3, 0.25, 0.35, 0.001, "DeLong")
    verdict = Verdict("mlp", "yes", (), True, "mlp", "prior", "The network wins.")
    return Report(TASK, 0, 12.5, data, (card, prior), (test,), verdict, "auroc")


@pytest.fixture
def history():
    return History({"loss": (3.0, 2.0, 1.0), "valid_loss": (3.0, math.nan, 2.0)}, best_epoch=2)


@pytest.fixture
def examples():
    """Forty rows of which a straight line tells the classes apart."""
    age = np.linspace(-1, 1, 40)
    job = np.array(["clerk", "baker"] * 20, object)
    return Examples({"age": age, "job": job}, (age > 0).astype(int))
