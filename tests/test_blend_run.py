"""A blend in a whole run: told beside the verdict, recorded, predicted with; refused where it cannot be."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from diabetes import TASK as DIABETES
from rich.console import Console

from domains.finance.credit_default import TASK
from pipelines.cli import show_blend
from pipelines.contenders import saved
from pipelines.contenders.tuned import Budget
from pipelines.errors import BadInput
from pipelines.report import document
from pipelines.report.document import Report, sides
from pipelines.run import run
from pipelines.study import study
from pipelines.task import DataRequest
from pipelines.tracking.registry import download_model
from pipelines.tracking.store import VARIABLE

FAST = ("recipe.epochs=3", "recipe.width=8", "recipe.batch_size=64", "recipe.trials=1", "protocol.folds=2",
        "protocol.resamples=100", "recipe.learning_rate=0.01", "recipe.plan=resident")  # fmt: skip
SMALL = replace(TASK, baselines=tuple(each for each in TASK.baselines if each.name in ("prior", "linear")))
"""The network and two baselines."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("blend")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv(VARIABLE, raising=False)
        yield folder


@pytest.fixture(scope="module")
def report(folder):
    return run(SMALL, DataRequest(), 0, (*FAST, "protocol.blend=yes"))


def test_it_is_beside_the_verdict(report):
    assert [(each.name, each.kind) for each in report.contenders][-1] == ("blend", "blend")
    assert sides(report.contenders) == (["mlp"], ["prior", "linear"])
    assert report.verdict.winner in ("mlp", "linear")
    assert {(each.contender, each.baseline) for each in report.comparisons} == {("mlp", "prior"), ("mlp", "linear")}
    gains = {(each.contender, each.baseline): each.difference for each in report.blend}
    assert list(gains) == [("blend", "mlp"), ("blend", "linear")]
    score = {card.name: card.scores["auroc"].value for card in report.contenders}
    for (_, other), gain in gains.items():
        assert gain == pytest.approx(score["blend"] - score[other])
    assert "linear" in report.scorecard("blend").settings["weights"]


def test_the_document_holds_it_and_reads_it_again(report):
    told = report.to_dict()
    schema = json.loads(Path(document.__file__).with_name("schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(json.loads(report.to_json()), schema)
    assert Report.from_dict(told).to_dict() == told
    assert Report.from_dict({name: value for name, value in told.items() if name != "blend"}).blend == ()


def test_the_terminal_says_what_it_gains(report):
    console = Console(width=200)
    with console.capture() as captured:
        show_blend.gains(console, report)
    said = " ".join(captured.get().split())
    for each in report.blend:
        assert f"{each.difference:+.4f}" in said
        assert f"over {each.baseline}, " in said
    assert f"{report.scorecard('blend').scores['auroc'].value:.3f}" in said


def test_the_blend_is_a_model_that_predicts(report, tmp_path):
    child = report.scorecard("blend").mlflow_run_id
    loaded = saved.load(download_model(child, tmp_path))
    assert {part.name for part in loaded.fitted.parts} <= {"mlp", "linear"}
    assert loaded.threshold == report.scorecard("blend").threshold


def test_of_numbers():
    task = replace(DIABETES, baselines=tuple(each for each in DIABETES.baselines if each.name in ("prior", "linear")))
    report = run(task, DataRequest(), 0, (*FAST, "protocol.blend=yes"))
    (over_network, over_baseline) = report.blend
    assert over_network.score == over_baseline.score == "rmse"
    value = {card.name: card.scores["rmse"].value for card in report.contenders}
    assert over_baseline.difference == pytest.approx(value[report.verdict.best_baseline] - value["blend"])


def test_a_study_refuses_it():
    with pytest.raises(BadInput, match="single contenders"):
        study(SMALL, DataRequest(), "50%,100%", 0, (*FAST, "protocol.blend=yes"))


def test_tuned_contenders_are_blended():
    settings = (*(each for each in FAST if "trials" not in each), "protocol.blend=yes")
    report = run(SMALL, DataRequest(), 0, settings, budget=Budget(1))
    assert report.scorecard("blend").settings["weights"]
    assert report.tuning is not None
    assert {each.contender for each in report.tuning.searches} == {"mlp", "prior", "linear"}
