"""Who was learned from: in whole runs, a model that knows its rows by heart tells, and its private twin does not."""

from dataclasses import replace

import pytest
from rich.console import Console

from benchmarks.membership import attacked
from pipelines import catalogue
from pipelines.cli import show, show_membership
from pipelines.compete import _membership
from pipelines.contenders.lineup import line_up
from pipelines.prepare import prepare
from pipelines.report.document import Report
from pipelines.task import DataRequest
from pipelines.tracking.query import contenders


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Labels that nothing says anything about can only be learned by heart."""
    folder = tmp_path_factory.mktemp("membership")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield {"heart": attacked(folder), "private": attacked(folder, epsilon=3)}


def test_a_network_that_knows_its_rows_by_heart_gives_them_away_and_its_private_twin_does_not(reports):
    heart, private = (reports[name].scorecard("mlp").membership for name in ("heart", "private"))
    assert heart["auc"].low > 0.6
    assert private["auc"].value < 0.55


def test_classical_models_are_attacked_too(reports):
    cards = reports["heart"]
    forest = cards.scorecard("forest").membership
    assert forest["auc"].low > 0.9, "leaves of a few rows hold the very rows"
    assert forest["tpr_at_1_percent_fpr"].low > 0.05
    assert cards.scorecard("prior").membership["auc"].value == pytest.approx(0.5, abs=0.03)


def test_it_is_a_limit_in_the_report_in_mlflow_and_on_the_terminal(reports, capsys):
    heart = reports["heart"]
    held = {name: each.verdict.limits for name, each in reports.items()}
    assert [(each.name, each.passed) for each in held["heart"]] == [("membership_at_most", False)]
    assert [(each.name, each.passed) for each in held["private"]] == [("membership_at_most", True)]
    assert Report.from_dict(heart.to_dict()).scorecard("mlp").membership == heart.scorecard("mlp").membership
    recorded = contenders(heart.mlflow_run_id).set_index("contender")["membership_auc"]
    assert recorded["mlp"] == pytest.approx(heart.scorecard("mlp").membership["auc"].value)
    show_membership.attacks(Console(width=100), heart)
    said = " ".join(capsys.readouterr().out.split())
    assert "mlp, forest: who has the model, and a person's row, can tell far better than by guessing" in said
    assert show.limit_in_words(held["heart"][0], "auroc").startswith("AUC of telling who was learned from at most 0.55")


def test_rows_in_time_and_those_that_learn_from_normal_rows_are_not_attacked():
    """Nothing is predicted where nothing could be told: there is no model here to predict with."""
    anomaly = catalogue.find("finance/anomaly")
    prepared = prepare(anomaly, DataRequest(), 0)
    found = {
        each.name: _membership(each, None, prepared, prepared.folds[0], 0)
        for each in line_up(anomaly, prepared.objective, prepared.recipe)
        if each.name != "prior"
    }
    assert found == {name: {} for name in ("autoencoder", "deep-svdd", "isolation-forest", "lof")}
    prior = next(each for each in line_up(anomaly, prepared.objective, prepared.recipe) if each.name == "prior")
    with pytest.raises(AttributeError):
        _membership(prior, None, prepared, prepared.folds[0], 0)
    later = replace(prepared, protocol=replace(prepared.protocol, by="time"))
    assert _membership(prior, None, later, prepared.folds[0], 0) == {}
