"""People in the loop on the terminal, in MLflow, and in `tapeline predict --oversight`."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from pipelines.cli import show_oversight
from pipelines.cli.prediction import _for_a_person, _require_automation
from pipelines.contenders import saved
from pipelines.contenders.acting import Acting
from pipelines.errors import BadInput
from pipelines.objectives.automation import NOTHING, Automation
from pipelines.objectives.classification import Classification
from pipelines.objectives.objective import Predictions
from pipelines.objectives.referral import Zone
from pipelines.objectives.regression import Regression
from pipelines.report import figures_oversight
from pipelines.report.document import Estimate, Report
from pipelines.tracking import metrics, query
from pipelines.tracking.registry import download_model

from .tables import loans


@pytest.fixture
def report(recorded):
    return Report.from_dict(recorded.document)


@pytest.fixture
def model(recorded, folder, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{recorded.folder / 'mlruns' / 'mlflow.db'}")
    return recorded.document["mlflow_run_id"]


def shown(report, width=100):
    console = Console(width=width, record=True, force_terminal=False)
    with console.capture() as captured:
        show_oversight.automated(console, report)
    return captured.get()


def of_network(report, **changes):
    name = report.verdict.network
    cards = [
        replace(card, oversight=replace(card.oversight, **changes)) if card.name == name else card
        for card in report.contenders
    ]
    return replace(report, contenders=tuple(cards))


def test_a_new_row_says_whether_a_person_has_to_decide_it(model, tapeline, folder):
    loans(80, seed=3).to_csv("new.csv", index=False)
    kept = download_model(model, Path.cwd() / "kept", "linear")
    told = json.loads((kept / saved.DESCRIPTION).read_text())
    assert told["acting"]["automation"]["at"] == 0.4
    told["acting"] |= {"zone": None, "automation": {"at": 0.4, "least": [[0.4, 0.6]], "rows": 15, "around": None}}
    (kept / saved.DESCRIPTION).write_text(json.dumps(told))
    where = ("predict", kept, "--input", "new.csv", "--output")
    plain, ended = tapeline(*where, "plain.csv"), tapeline(*where, "out.csv", "--oversight")
    assert (plain.code, ended.code) == (0, 0), ended.err
    written = pd.read_csv("out.csv")
    pd.testing.assert_frame_equal(written.drop(columns="for_a_person"), pd.read_csv("plain.csv"))
    sure = np.where(written.decision == "yes", written.probability_yes, written.probability_no)
    assert list(written.for_a_person) == list(np.where(sure < 0.6, "yes", "no"))
    sent = int((sure < 0.6).sum())
    assert 0 < sent < 80
    assert f"a person decides {sent} of 80 rows; of the others at most 40 % are wrong" in " ".join(ended.err.split())


def test_who_is_referred_goes_to_a_person_too_and_nothing_automated_is_said():
    objective = Classification(positive="b", classes=("a", "b"))
    said = Predictions(np.array([[0.9, 0.1], [0.6, 0.4], [0.1, 0.9]]))

    def model(automation, zone=None):
        return saved.Saved("t", "mlp", None, objective, {}, 0.5, acting=Acting(zone=zone, automation=automation))

    found = Automation(0.05, {0.05: 0.5}, 100)
    assert _for_a_person(model(found), said)[0] == ["no", "no", "no"]
    assert _for_a_person(model(found, Zone(0.3, 0.5)), said)[0] == ["no", "yes", "no"]
    sent, note = _for_a_person(model(Automation(0.05, {0.05: NOTHING}, 100)), said)
    assert sent == ["yes"] * 3
    assert note == "a person decides 3 of 3 rows: nothing may be automated by mlp with at most 5 % wrong"


def test_a_model_without_it_is_refused():
    objective = Classification(positive="b", classes=("a", "b"))
    with pytest.raises(BadInput, match="--oversight: mlp was saved without what may be automated; run t again"):
        _require_automation(saved.Saved("t", "mlp", None, objective, {}, 0.5, acting=Acting.from_dict(None)))
    with pytest.raises(BadInput, match="--oversight is for decisions between classes, which mlp does not make"):
        _require_automation(saved.Saved("t", "mlp", None, Regression(), {}, 0.5))
    old = {"points": None, "zone": None, "usual": {}}
    assert Acting.from_dict(old).automation is None
    kept = Acting(automation=Automation(0.05, {0.05: 0.5}, 100))
    assert repr(Acting.from_dict(json.loads(json.dumps(kept.to_dict())))) == repr(kept)


@pytest.mark.parametrize("width", [80, 100, 160])
def test_every_contender_is_in_the_table_and_nothing_is_cut(report, width):
    text = shown(report, width)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert "…" not in text
    assert "what may be automated with at most 40 % wrong" in text
    for card in report.contenders:
        row = next(line for line in text.splitlines() if line.startswith(f"{card.name} "))
        assert f" {card.oversight.acted.share.value:.2f} " in row
        assert f" {card.oversight.acted.sent_per_1000.value:.0f} " in row
    lead = report.oversight
    assert (
        f"{lead.network} automates {lead.difference.value:+.3f} of the decisions more than {lead.baseline}"
        in " ".join(text.split())
    )


def test_of_the_network_the_stated_errors_classes_and_groups_are_told(report):
    network = report.scorecard(report.verdict.network).oversight
    some = replace(network.acted, share=Estimate(0.4, 0.3, 0.5), error=Estimate(0.025, 0.01, 0.05))
    levels = tuple(some if each.at == network.at else each for each in network.levels)
    text = shown(of_network(report, levels=levels, shares=(0.8, 0.0)))
    assert [line.split()[0] for line in text.splitlines() if " % " in line[:6]] == ["1", "2", "5", "10", "40"]
    said = " ".join(text.split())
    assert "after 1 of mlp's 2 trainings nothing may be automated" in said
    assert "by decision, at 40 %" in said
    assert "whom mlp sends to a person at 40 %" in said
    assert "sex:" in said
    assert "is sent more often than another" in said or "more often than" in said


def test_nothing_automated_is_said_with_the_reason(report):
    network = report.scorecard(report.verdict.network).oversight
    none = replace(network.acted, at=0.05, share=Estimate(0.0, 0.0, 0.1), error=Estimate(float("nan")))
    surest = Estimate(0.125, 0.08, 0.182)
    curve = tuple(replace(each, error=surest) for each in network.curve)
    changes = {"at": 0.05, "levels": (none,), "shares": (0.0,), "curve": curve}
    text = " ".join(shown(of_network(report, **changes, rows=400)).split())
    assert "nothing may be automated by mlp at 5 %: of the surest 10 % of its tested decisions 12.5 % are wrong" in text
    assert "(8.0 to 18.2)" in text
    assert "by decision" not in text
    assert "validation rows" not in text[text.index("nothing may be") :]
    few = " ".join(shown(of_network(report, **changes, rows=24)).split())
    assert "validation rows worth 24 cannot promise 5 %, which takes 59 without an error" in few
    right = tuple(replace(each, error=Estimate(0.02 if each.coverage <= 0.3 else 0.2, 0, 1)) for each in curve)
    more = " ".join(shown(of_network(report, **{**changes, "curve": right}, rows=400)).split())
    assert "(worth 400) promise less than there is, for of the surest 30 % of the tested decisions" in more


def test_reports_from_before_say_nothing(report):
    cards = tuple(replace(card, oversight=None) for card in report.contenders)
    assert shown(replace(report, contenders=cards, oversight=None)) == ""
    assert figures_oversight.risk_coverage(replace(report, contenders=cards)) is None


def test_mlflow_has_it_and_the_query_a_column(report, model):
    card = report.scorecard("linear")
    acted = card.oversight.acted
    found = metrics.of_scorecard(card)
    assert found["oversight/share"] == found["oversight/40 percent/share"] == acted.share.value
    assert found["oversight/share.high"] == acted.share.high
    assert found["oversight/sent_per_1000"] == acted.sent_per_1000.value
    assert found["oversight/10 percent/share"] == card.oversight.levels[3].share.value
    assert found["oversight/aurc"] == card.oversight.areas["aurc"].value
    assert found["oversight/gap/sex"] == next(gap.difference for gap in card.oversight.gaps if gap.attribute == "sex")
    assert metrics.of_report(report)["oversight/lead"] == report.oversight.difference.value
    table = query.contenders(model).set_index("contender")
    assert table.oversight_share["linear"] == pytest.approx(acted.share.value)
    assert table.oversight_share_low["linear"] == pytest.approx(acted.share.low)
    assert not [name for name in table.columns if "/" in name and not name.startswith("best_epoch")]


def test_the_figure_has_both_curves_their_points_and_the_stated_error(report):
    axes = figures_oversight.risk_coverage(report).axes[0]
    labels = axes.get_legend_handles_labels()[1]
    assert labels[0].startswith(report.verdict.network)
    assert labels[1].startswith(report.verdict.best_baseline)
    assert labels[-1] == "stated: 40 % wrong"
    network = report.scorecard(report.verdict.network).oversight
    line = axes.get_lines()[0]
    np.testing.assert_allclose(line.get_ydata(), [each.error.value for each in network.curve])
    points = [each for each in axes.get_lines() if each.get_marker() == "o"]
    assert points
    assert {round(float(each.get_ydata()[0]), 6) for each in points} <= {
        round(card.oversight.acted.error.value, 6) for card in report.contenders
    }
