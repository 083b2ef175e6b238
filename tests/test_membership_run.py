"""Who was learned from: in whole runs, a model that knows its rows by heart tells, and its private twin does not."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from domains.finance.credit_default import TASK
from pipelines.cli import show, show_membership
from pipelines.report.document import Report
from pipelines.run import run
from pipelines.task import DataRequest, Limits
from pipelines.tracking.query import contenders

ROWS = 3000
HEART = ("recipe.epochs=60", "recipe.patience=60", "recipe.dropout=0", "recipe.weight_decay=0", "recipe.monitor=score")
PRIVATE = ("recipe.dp_epsilon=3", "recipe.epochs=10")


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Labels that nothing says anything about can only be learned by heart."""
    folder, random = tmp_path_factory.mktemp("membership"), np.random.default_rng(0)
    table = pd.DataFrame(random.normal(size=(ROWS, 12)), columns=[f"x{place}" for place in range(12)])
    table.assign(label=random.choice(["yes", "no"], ROWS)).to_csv(folder / "noise.csv", index=False)
    few = [each for each in TASK.baselines if each.name in ("prior", "forest")]
    task = replace(TASK, baselines=tuple(few), sensitive=(), limits=Limits(membership_at_most=0.55))
    shared = ("protocol.kind=holdout", "recipe.trials=1", "recipe.plan=resident", "protocol.resamples=100")
    request = DataRequest(str(folder / "noise.csv"), target="label")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield {name: run(task, request, 0, (*shared, *asked)) for name, asked in
               {"heart": HEART, "private": PRIVATE}.items()}  # fmt: skip


def test_a_network_that_knows_its_rows_by_heart_gives_them_away_and_its_private_twin_does_not(reports):
    heart, private = (reports[name].scorecard("mlp").membership for name in ("heart", "private"))
    assert heart["auc"].low > 0.6
    assert private["auc"].value < 0.55
    assert private["auc"].low < 0.5 < private["auc"].high or private["auc"].value < 0.52


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
