"""Mitigation in a whole run: contenders of their own, beside the verdict; recorded, resumed, predicted with."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest
from diabetes import TASK as DIABETES
from planted import planted

from domains.finance.credit_default import TASK
from pipelines.assist import require_possible
from pipelines.cli.prediction import predict_file
from pipelines.compete import compete
from pipelines.contenders.lineup import line_up
from pipelines.errors import BadInput
from pipelines.journal import open_journal
from pipelines.prepare import prepare
from pipelines.report import document
from pipelines.report.document import Report
from pipelines.run import run
from pipelines.task import DataRequest
from pipelines.tracking import query
from pipelines.tracking.store import VARIABLE, open_store

FAST = (
    "recipe.epochs=6", "recipe.width=8", "recipe.batch_size=32", "recipe.learning_rate=0.02", "recipe.trials=1",
    "protocol.folds=2", "protocol.resamples=100",
)  # fmt: skip
ALL = (*FAST, "protocol.mitigate=all", "recipe.gap_penalty=20")
NAMES = [
    "mlp", "linear", "prior", "mlp+reweighing", "mlp+penalty", "mlp+thresholds", "linear+reweighing",
    "linear+thresholds",
]  # fmt: skip
SMALL = replace(TASK, baselines=tuple(sorted((each for each in TASK.baselines[:2]), key=lambda each: each.name)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table with a planted bias and a number of few values that is sensitive too."""
    folder = tmp_path_factory.mktemp("mitigation")
    rows = planted(700, unknown=0.03)
    chance = np.random.default_rng(1)
    pd.DataFrame({
        **rows.columns, "group": rows.groups["group"], "floor": chance.integers(0, 3, 700),
        "age": chance.integers(18, 80, 700), "granted": rows.target,
    }).to_csv(folder / "own.csv", index=False)  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv(VARIABLE, raising=False)
        yield folder


def request(folder, *sensitive):
    return DataRequest(str(folder / "own.csv"), target="granted", positive="yes", sensitive=sensitive or ("group",))


@pytest.fixture(scope="module")
def report(folder):
    return run(SMALL, request(folder, "group", "age"), 0, ALL)


def gap(card, attribute="group"):
    return next(each.difference for each in card.gaps if (each.attribute, each.metric) == (attribute, "equalized_odds"))


def test_they_compete_beside_the_others_and_not_for_the_verdict(report):
    assert [card.name for card in report.contenders] == NAMES
    assert [card.kind for card in report.contenders] == ["network", "classical", "classical", *["mitigated"] * 5]
    assert {each.baseline for each in report.comparisons} == {"linear", "prior"}
    assert {report.verdict.winner, report.verdict.network, report.verdict.best_baseline} <= {"mlp", "linear"}
    assert all(card.bias and card.gaps and card.mlflow_run_id for card in report.contenders)
    assert [card.explanation is None for card in report.contenders] == [False] * 3 + [True] * 5


def test_the_gap_halves_and_the_report_says_what_it_cost(report):
    told = {each.contender: each for each in report.mitigations}
    assert list(told) == NAMES[3:]
    for name in NAMES[3:]:
        odds = next(each for each in told[name].gaps if each.name == "equalized_odds")
        before, after = report.scorecard(told[name].base), report.scorecard(name)
        assert (odds.before.value, odds.after.value) == (gap(before), gap(after))
        assert odds.change.value == pytest.approx(gap(after) - gap(before))
    assert gap(report.scorecard("linear")) > 0.25
    assert gap(report.scorecard("linear+reweighing")) < gap(report.scorecard("linear")) / 2
    assert next(each for each in told["linear+reweighing"].gaps if each.name == "equalized_odds").change.high < 0
    for name in ("mlp", "linear"):
        auroc, balanced, _ = told[f"{name}+thresholds"].scores
        assert (auroc.name, auroc.change.value, auroc.change.low) == ("auroc", 0, 0)
        assert balanced.change.value != 0
    assert (told["mlp+penalty"].base, told["mlp+penalty"].method, told["mlp+penalty"].attribute) == (
        "mlp", "penalty", "group",
    )  # fmt: skip


def test_the_document_survives_json_and_follows_its_schema(report):
    schema = json.loads(Path(document.__file__).with_name("schema.json").read_text(encoding="utf-8"))
    found = json.loads(report.to_json())
    jsonschema.validate(found, schema)
    assert repr(Report.from_dict(found)) == repr(report)
    del found["mitigations"]  # a report of before
    assert Report.from_dict(found).mitigations == ()


def test_mlflow_has_their_runs_changes_and_figure(report):
    client = open_store().client
    parent = client.get_run(report.mlflow_run_id)
    change = next(each for each in report.mitigations if each.contender == "mlp+thresholds").gaps[0]
    name = f"mitigation/mlp/thresholds/group/{change.name}"
    assert parent.data.metrics[name] == pytest.approx(change.change.value)
    assert parent.data.metrics[f"{name}.low"] == pytest.approx(change.change.low)
    child = client.get_run(report.scorecard("mlp+penalty").mlflow_run_id)
    assert child.data.tags["kind"] == "mitigated"
    assert child.data.params["mitigation/of"] == "mlp"
    assert "figures/mitigation_group.png" in [
        each.path for each in client.list_artifacts(report.mlflow_run_id, "figures")
    ]
    assert query.report(report.mlflow_run_id).mitigations[0].contender == "mlp+reweighing"


def test_no_decision_looks_at_test_rows(folder):
    """Other labels and groups on the test rows leave every decision as it is, but for who is in which group."""
    prepared = prepare(SMALL, request(folder), 0, (*FAST, "protocol.mitigate=reweighing,thresholds"))
    fold = prepared.folds[0]
    prepared = replace(prepared, folds=(fold,))
    examples = prepared.dataset.examples
    target, group = examples.target.copy(), examples.groups["group"].copy()
    target[fold.test] = np.where(target[fold.test] == "yes", "no", "yes")
    changed = replace(prepared, dataset=replace(prepared.dataset, examples=replace(examples, target=target)))
    group[fold.test[::2]] = None
    moved = replace(prepared, dataset=replace(prepared.dataset, examples=replace(examples, groups={"group": group})))
    for name in ("linear+reweighing", "linear+thresholds"):
        trials = [compete(contender(each, name), each, 0) for each in (prepared, changed, moved)]
        decided = [trial.outcome.predictions.labels() for trial in trials]
        np.testing.assert_array_equal(decided[0], decided[1])
        np.testing.assert_array_equal(decided[0][1::2], decided[2][1::2])
        assert trials[0].folds[0].by_group == trials[1].folds[0].by_group == trials[2].folds[0].by_group
    assert trials[0].folds[0].by_group is not None


def contender(prepared, name):
    lined = line_up(SMALL, prepared.objective, prepared.recipe, prepared.mitigation)
    return next(each for each in lined if each.name == name)


def test_a_fold_that_is_done_is_found_again_with_its_thresholds(folder, tmp_path):
    prepared = prepare(SMALL, request(folder), 0, (*FAST, "protocol.mitigate=thresholds"))
    journal = open_journal(tmp_path, {"command": 1}, {"code": "1"}, False)
    first = compete(contender(prepared, "linear+thresholds"), prepared, 0, journal=journal, task=TASK.name)
    again = contender(prepared, "linear+thresholds")
    second = compete(again, prepared, 0, journal=journal, task=TASK.name)
    assert not again.base._fitted
    assert [fold.by_group for fold in second.folds] == [fold.by_group for fold in first.folds]
    np.testing.assert_array_equal(second.outcome.predictions.labels(), first.outcome.predictions.labels())
    journal.release()


def test_the_saved_one_needs_the_group_to_predict(report, folder):
    table = pd.read_csv(folder / "own.csv").head(40).drop(columns="granted")
    where, place, out, notes = (report.mlflow_run_id, folder / "new.csv", folder / "out.csv", [])

    def predicted(rows):
        rows.to_csv(place, index=False)
        notes.append(predict_file(where, place, out, "linear+thresholds"))
        return pd.read_csv(out)["decision"].tolist()

    decisions = predicted(table)
    assert predicted(table.iloc[::-1]) == decisions[::-1]
    known = len(table) - table["group"].isna().sum()
    assert any(f"{40 - known} of 40 rows are decided at the one threshold" in line for line in notes[0]) == (known < 40)
    assert len(predicted(table.assign(group=None))) == 40
    assert "40 of 40 rows are decided at the one threshold: group unknown, or too rare" in notes[-1]
    assert predicted(table.assign(group="a")) != predicted(table.assign(group="b"))
    with pytest.raises(BadInput, match=r"no column 'group', which linear\+thresholds decides by"):
        predicted(table.drop(columns="group"))
    with pytest.raises(BadInput, match=r"row 3: .*never seen 'c'; its groups are 'a', 'b'"):
        predicted(table.assign(group=["a", "b", "c", *["a"] * 37]))


def test_ages_are_cut_into_the_bands_that_the_model_knows(folder):
    found = run(
        replace(SMALL, baselines=SMALL.baselines[:1]), request(folder, "age"), 0,
        (*FAST, "protocol.mitigate=thresholds", "protocol.kind=holdout"),
    )  # fmt: skip
    table = pd.read_csv(folder / "own.csv").head(30).drop(columns="granted")
    table.to_csv(folder / "ages.csv", index=False)
    predict_file(found.mlflow_run_id, folder / "ages.csv", folder / "aged.csv", "linear+thresholds")
    assert len(pd.read_csv(folder / "aged.csv")) == 30
    assert "decided by age" in found.scorecard("linear+thresholds").settings["mitigation"]


@pytest.mark.parametrize(
    ("assignments", "message"),
    [
        (("protocol.mitigate=wishing",), "no method 'wishing'; write all, or some of reweighing, penalty, thresholds"),
        (("protocol.mitigate=all", "protocol.mitigate_for=sex"), "no such sensitive attribute; there is group and age"),
        (
            ("protocol.mitigate=all", "protocol.decide_by=alerts:0.1"),
            "decisions are made by alerts:0.1 here; leave thres",
        ),
        (("protocol.mitigate_for=group",), "does nothing without protocol.mitigate"),
        (("recipe.gap_penalty=3",), "does nothing without protocol.mitigate=penalty"),
        (("recipe.gap_penalty=-3",), "must not be negative"),
        (("protocol.mitigate=penalty", "recipe.accumulate=2"), "set recipe.accumulate=1"),
        (("protocol.mitigate=all", "recipe.dp_epsilon=8"), "which recipe.dp_epsilon and recipe.dp_noise cannot bound"),
    ],
)
def test_what_cannot_be_mitigated_is_refused(assignments, message, folder):
    with pytest.raises(BadInput, match=message):
        prepare(SMALL, request(folder, "group", "age"), 0, assignments)


def test_mitigation_needs_groups_and_two_classes(folder):
    own = DataRequest(str(folder / "own.csv"), target="granted", exclude=("group",))
    with pytest.raises(BadInput, match="needs a sensitive attribute, and there is none"):
        prepare(replace(SMALL, sensitive=()), own, 0, ("protocol.mitigate=all",))
    with pytest.raises(BadInput, match="between two classes, and this target has not two"):
        prepare(DIABETES, DataRequest(), 0, ("protocol.mitigate=all",))


def test_several_workers_cannot_mitigate(folder, monkeypatch):
    prepared = prepare(SMALL, request(folder), 0, (*FAST, "protocol.mitigate=thresholds"))
    require_possible(prepared, False)
    monkeypatch.setattr("pipelines.assist.workers", lambda: 2)
    with pytest.raises(BadInput, match=r"leave out --workers, or protocol\.mitigate"):
        require_possible(prepared, False)


def test_the_gap_before_is_that_of_the_bias_table(report):
    card = report.scorecard("mlp")
    assert gap(card) == next(each.difference for each in card.gaps if each.metric == "equalized_odds")
