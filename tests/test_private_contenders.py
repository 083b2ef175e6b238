"""Networks that compete in private once more: beside the verdict, with their price in the report; refused where they
cannot keep the promise."""

import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest
from planted import planted
from rich.console import Console

from domains.finance.credit_default import TASK
from pipelines import assist, tuning
from pipelines.cli import show, show_private
from pipelines.contenders.blend import blended
from pipelines.contenders.lineup import line_up
from pipelines.contenders.penalised import PenalisedNetwork
from pipelines.contenders.private import PrivateContender, epsilons, recipe_for, with_private
from pipelines.contenders.remembered import Remembered
from pipelines.contenders.tuned import Budget
from pipelines.data.splits import Fold
from pipelines.errors import BadInput
from pipelines.models import tabular
from pipelines.prepare import prepare
from pipelines.report import document, figures_private
from pipelines.report.document import Report
from pipelines.run import run
from pipelines.task import Architecture, DataRequest, Recipe
from pipelines.tracking import query
from pipelines.tracking.store import VARIABLE, open_store
from pipelines.training import loop

FAST = (
    "protocol.kind=holdout", "protocol.test=0.4", "protocol.resamples=100", "recipe.epochs=2", "recipe.width=8",
    "recipe.plan=resident", "recipe.trials=1",
)  # fmt: skip
ASKED = (*FAST, "protocol.private=2,8")
SMALL = replace(
    TASK,
    networks=TASK.networks[:1],
    baselines=tuple(each for each in TASK.baselines if each.name in ("prior", "linear")),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("private")
    rows = planted(500)
    table = {**rows.columns, "group": rows.groups["group"], "granted": rows.target}
    pd.DataFrame(table).to_csv(folder / "own.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv(VARIABLE, raising=False)
        yield folder


def request():
    return DataRequest("own.csv", target="granted", positive="yes", sensitive=("group",))


@pytest.fixture(scope="module")
def report(folder):
    return run(SMALL, request(), 0, ASKED)


@pytest.fixture(scope="module")
def prepared(folder):
    return prepare(SMALL, request(), 0, FAST)


def test_they_are_judged_like_all_others_and_never_enter_the_verdict(report):
    assert [(card.name, card.kind) for card in report.contenders] == [
        ("mlp", "network"), ("prior", "classical"), ("linear", "classical"), ("mlp-eps2", "private"),
        ("mlp-eps8", "private"),
    ]  # fmt: skip
    for card in report.contenders[-2:]:
        assert card.gaps
        assert card.calibration
        assert card.membership
        assert card.explanation is None  # its answers are explained of the network without privacy
        assert card.decisions
    assert {(each.contender, each.baseline) for each in report.comparisons} == {("mlp", "prior"), ("mlp", "linear")}
    assert {report.verdict.winner, report.verdict.network, report.verdict.best_baseline} <= {"mlp", "linear"}


def test_each_spends_at_most_what_was_asked_for(report):
    for epsilon in (2, 8):
        settings = report.scorecard(f"mlp-eps{epsilon}").settings
        assert 0.9 * epsilon < float(settings["privacy_epsilon"]) <= epsilon
        assert "validation rows" in settings["privacy_does_not_cover"]
    assert "privacy" not in report.scorecard("mlp").settings


def test_the_price_is_in_the_document_and_survives_json(report):
    assert [(each.contender, each.base, each.epsilon) for each in report.privacy_price] == [
        ("mlp-eps2", "mlp", 2.0), ("mlp-eps8", "mlp", 8.0),
    ]  # fmt: skip
    for each in report.privacy_price:
        plain, private = (report.scorecard(name).scores["auroc"].value for name in (each.base, each.contender))
        assert each.score.value == pytest.approx(plain - private)
    schema = json.loads(Path(document.__file__).with_name("schema.json").read_text(encoding="utf-8"))
    found = json.loads(report.to_json())
    jsonschema.validate(found, schema)
    assert repr(Report.from_dict(found).privacy_price) == repr(report.privacy_price)
    del found["privacy_price"]  # a report of before
    assert Report.from_dict(found).privacy_price == ()


def test_mlflow_has_their_own_recipe_the_price_and_the_figure(report):
    client = open_store().client
    parent = client.get_run(report.mlflow_run_id)
    price = report.privacy_price[0]
    assert parent.data.metrics["privacy/mlp-eps2/score"] == pytest.approx(price.score.value)
    assert parent.data.metrics["privacy/mlp-eps2/p_value"] == pytest.approx(price.p_value)
    odds = next(each for each in price.gaps if each.metric == "equalized_odds")
    assert parent.data.metrics["privacy/mlp-eps2/group/equalized_odds"] == pytest.approx(odds.change.value)
    child = client.get_run(report.scorecard("mlp-eps2").mlflow_run_id)
    assert child.data.tags["kind"] == "private"
    assert child.data.params["recipe/dp_epsilon"] == "2.0"
    plain = client.get_run(report.scorecard("mlp").mlflow_run_id)
    assert (child.data.params["recipe/monitor"], plain.data.params["recipe/monitor"]) == ("score", "loss")
    figures = [each.path for each in client.list_artifacts(report.mlflow_run_id, "figures")]
    assert "figures/privacy.png" in figures
    assert query.report(report.mlflow_run_id).privacy_price[1].contender == "mlp-eps8"


def test_the_terminal_has_a_row_an_epsilon_and_says_once_what_is_not_covered(report):
    for width in (88, 200):
        out = io.StringIO()
        show_private.prices(Console(file=out, width=width), report)
        text = out.getvalue()
        assert "…" not in text
        assert max(map(len, text.splitlines())) <= width
        said = " ".join(text.split())
        assert "what privacy costs mlp; gap: equalized odds by group, without privacy between" in said
        for each in report.privacy_price:
            assert f"mlp at epsilon {each.epsilon:g} costs" in said or "even gains" in said
            assert f"{each.score.value:+.3f}" in said
            assert f"{report.scorecard(each.contender).membership['auc'].value:.3f}" in said
    out = io.StringIO()
    show.report(Console(file=out, width=100), report)
    said = " ".join(out.getvalue().split())
    assert said.count("was trained with differential privacy") == 2
    assert said.count("this does not cover") == 1
    assert "how mlp-eps2 was trained" not in said
    silent = io.StringIO()
    show_private.prices(Console(file=silent), replace(report, privacy_price=()))
    assert silent.getvalue() == ""


def test_the_figure_has_every_epsilon_and_the_network_without_at_infinity(report):
    figure = figures_private.price(report)
    score, gap, attack = figure.axes
    names = ["mlp-eps2", "mlp-eps8", "mlp"]
    drawn = next(line for line in score.lines if line.get_label() == "mlp")
    assert list(drawn.get_xdata()) == [2, 8, 32]
    assert list(drawn.get_ydata()) == [report.scorecard(name).scores["auroc"].value for name in names]
    assert [label.get_text() for label in score.get_xticklabels()] == ["2", "8", "∞"]
    odds = [next(g.difference for g in report.scorecard(n).gaps if g.metric == "equalized_odds") for n in names]
    assert list(next(line for line in gap.lines if line.get_label() == "mlp").get_ydata()) == odds
    assert gap.get_ylabel() == "equalized odds gap by group"
    told = [report.scorecard(name).membership["auc"].value for name in names]
    assert list(next(line for line in attack.lines if line.get_label() == "mlp").get_ydata()) == told
    figure.canvas.draw()
    bare = replace(report, contenders=tuple(replace(card, gaps=(), membership={}) for card in report.contenders))
    assert len(figures_private.price(bare).axes) == 1


def test_their_recipe_is_one_for_noise(prepared):
    recipe = Recipe(
        epochs=30, batch_size=64, weight_decay=0.1, class_weights="balanced", restarts=3, members=2, accumulate=4,
        precision="float16", plan="resident+xla",
    )  # fmt: skip
    made = replace(recipe, **recipe_for(recipe, 3.0, 3000))  # which would refuse what cannot be private
    assert (made.dp_epsilon, made.batch_size, made.epochs, made.patience) == (3.0, 512, 30, 30)
    assert (made.monitor, made.weight_decay, made.dropout) == ("score", 0.0, recipe.dropout)
    assert recipe_for(recipe, 3.0, 40)["batch_size"] == 40
    assert recipe_for(replace(recipe, batch_size=128), 3.0, 100)["batch_size"] == 100


def test_epsilons_of_one_network_share_its_traces():
    recipe = Recipe()
    one, other = (replace(recipe, **recipe_for(recipe, epsilon, 600)) for epsilon in (1.0, 8.0))
    assert loop.traced(one) == loop.traced(other)
    plain = replace(one, dp_epsilon=0.0)
    assert loop.traced(plain) != loop.traced(one)


def test_only_single_networks_compete_once_more(prepared):
    members = replace(prepared.recipe, members=2)
    found = line_up(SMALL, prepared.objective, members)
    examples, folds = prepared.dataset.examples, prepared.folds
    competing = [each if isinstance(each, Remembered) else Remembered(each) for each in found]
    mended = PenalisedNetwork.like(competing[0], "group", ("a", "b"))
    made = with_private([*competing, mended], "3", examples, folds)
    assert [each.name for each in made] == ["mlp", "mlp-x2", "prior", "linear", "mlp+penalty", "mlp-eps3"]
    assert isinstance(made[-1], PrivateContender)
    assert made[-1].recipe.members == 1
    assert with_private(found, "", examples, folds) == found
    *_, blend = blended(made, prepared.objective)
    assert "mlp-eps3" not in [base.name for base in blend.bases]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,x", "'x' is no number; write epsilons with commas between, as in 1,3,8"),
        ("0", "above 0 and at most 20, less protects more; received 0"),
        ("8,21", "received 21"),
        ("nan", "received nan"),
        ("-1", "received -1"),
        ("1,3,1.0", "names an epsilon twice"),
    ],
)
def test_what_is_no_epsilon_is_refused_before_anything_is_read(text, expected):
    with pytest.raises(BadInput, match=f"--set protocol.private={text}.*{expected}"):
        prepare(SMALL, DataRequest("nowhere.csv"), 0, (f"protocol.private={text}",))


def test_epsilons_are_kept_in_their_order():
    assert epsilons(" 8, 0.5 ,1") == (8.0, 0.5, 1.0)
    assert epsilons("") == ()


BESIDE = {
    ("recipe.dp_epsilon=3", "recipe.batch_size=64"): "against a network without, and recipe.dp_epsilon",
    ("protocol.seeds=2",): "would spend what protocol.private allows one; leave it at 1",
}


@pytest.mark.parametrize("others", BESIDE)
def test_what_does_not_go_with_it_is_refused(others, folder):
    with pytest.raises(BadInput, match=BESIDE[others]):
        prepare(SMALL, request(), 0, (*ASKED, *others))


def test_tuning_workers_and_the_same_weights_every_time_are_refused(prepared, monkeypatch):
    private = replace(prepared, protocol=replace(prepared.protocol, private="1,3"))
    with pytest.raises(BadInput, match=r"leave out --deterministic, or protocol\.private$"):
        assist.require_possible(private, deterministic=True)
    assist.require_possible(private, deterministic=False)
    with pytest.raises(BadInput, match=r"protocol\.private=1,3: private networks are not tuned"):
        tuning.tuned([], private, Budget(trials=2), ())
    monkeypatch.setattr(assist, "workers", lambda: 2)
    with pytest.raises(BadInput, match=r"leave out --workers, or protocol\.private$"):
        assist.require_possible(private, deterministic=False)


def normalised(train, objective, recipe):
    """An MLP whose core normalises over the batch, whatever the recipe says."""
    import keras

    made = tabular.mlp(train, objective, recipe)
    core = keras.Sequential([keras.Input(made.core.input_shape[1:]), keras.layers.BatchNormalization(name="mixes"),
                             keras.layers.Dense(objective.outputs)])  # fmt: skip
    return Architecture(made.encode, core)


def test_a_network_that_mixes_rows_is_refused_before_anything_is_trained(prepared, folder):
    (network,) = SMALL.networks
    task = replace(SMALL, networks=(replace(network, build=normalised),))
    before = sorted(Path("mlruns").rglob("*")) if Path("mlruns").exists() else []
    with pytest.raises(BadInput, match=r"protocol\.private=2,8: mlp cannot be trained privately: the layer 'mixes'"):
        run(task, request(), 0, ASKED)
    assert (sorted(Path("mlruns").rglob("*")) if Path("mlruns").exists() else []) == before


def test_a_missing_extra_is_told_before_anything_is_trained(prepared, monkeypatch):
    contenders, examples = line_up(SMALL, prepared.objective, prepared.recipe), prepared.dataset.examples
    with_private(contenders, "3", examples, prepared.folds)
    monkeypatch.setitem(sys.modules, "dp_accounting", None)
    tiny = Fold(np.arange(77), np.arange(77, 100), np.arange(100, 150))
    with pytest.raises(BadInput, match=r"cannot be trained privately: .*pip install 'tapeline\[privacy\]'"):
        with_private(contenders, "2.71828", examples, (tiny,))
