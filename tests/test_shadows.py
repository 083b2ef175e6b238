"""Shadow models in a run: they tell more than losses do, are trained once, and are refused where they tell nothing."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from domains.finance.credit_default import TASK
from pipelines import assist, catalogue, shadows
from pipelines.cli import show_membership
from pipelines.compete import compete
from pipelines.contenders.lineup import line_up
from pipelines.errors import BadInput, Interrupted, TrainingFailed
from pipelines.evaluation import membership, verdict
from pipelines.journal import Entry, open_journal
from pipelines.prepare import Silent, prepare
from pipelines.report import document
from pipelines.report.document import Estimate, Report
from pipelines.run import run
from pipelines.task import Baseline, Candidate, DataRequest, Limits, Protocol
from pipelines.tracking.query import contenders
from pipelines.tracking.store import VARIABLE

LIRA = {f"{attack}_{measure}" for attack in ("lira", "lira_offline") for measure in ("auc", "tpr_at_1_percent_fpr")}
FAST = (
    "protocol.kind=holdout", "protocol.test=0.4", "protocol.resamples=100", "recipe.plan=resident", "recipe.epochs=4",
    "recipe.width=16",
)  # fmt: skip
SHADOWS = (*FAST, "protocol.shadows=8")
FEW = (*FAST, "protocol.shadows=4")


def build_forest(train, objective):
    from sklearn.ensemble import RandomForestClassifier

    return Candidate(RandomForestClassifier(40, min_samples_leaf=3), {"min_samples_leaf": [2, 3]})


PRIOR = next(each for each in TASK.baselines if each.name == "prior")
NOISE = replace(
    TASK,
    baselines=(PRIOR, Baseline("forest", build_forest)),
    sensitive=(),
    limits=Limits(membership_at_most=0.55),
    protocol=replace(TASK.protocol, points=""),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Labels that nothing says anything about can only be learned by heart; two rows are of each person."""
    folder = tmp_path_factory.mktemp("shadows")
    random, n = np.random.default_rng(0), 1000
    table = pd.DataFrame(random.normal(size=(n, 10)), columns=[f"x{place}" for place in range(10)])
    table = table.assign(label=random.choice(["yes", "no"], n))
    table.to_csv(folder / "noise.csv", index=False)
    table.assign(who=[f"p{place // 2}" for place in range(n)]).to_csv(folder / "people.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv(VARIABLE, raising=False)
        yield folder


def request(name="noise.csv", **also):
    return DataRequest(name, target="label", **also)


@pytest.fixture(scope="module")
def report(folder):
    """Of a run that was stopped while the forest's second shadow was trained, and gone on with."""
    written, usual = [], Entry.keep

    def keep(entry, name, values):
        if len(written) == 9:
            raise KeyboardInterrupt
        written.append((entry.folder.name, name))
        usual(entry, name, values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Entry, "keep", keep)
        with pytest.raises(Interrupted):
            run(NOISE, request(), 0, FEW)
        first, written[:] = list(written), []
        found = run(NOISE, request(), 0, FEW)
    assert first == [(f"{name}-1", f"shadow-{n}") for name, n in (
        *(("mlp", n) for n in (1, 2, 3, 4)), *(("prior", n) for n in (1, 2, 3, 4)), ("forest", 1)
    )]  # fmt: skip
    assert written == [("forest-1", f"shadow-{n}") for n in (2, 3, 4)]
    return found


def test_shadows_tell_more_than_losses_of_what_was_learned_by_heart(report):
    assert all(set(card.membership) == {"auc", "tpr_at_1_percent_fpr", *LIRA} for card in report.contenders)
    forest = report.scorecard("forest").membership
    assert forest["lira_auc"].value > forest["auc"].high - 0.005 > 0.6
    assert forest["lira_tpr_at_1_percent_fpr"].value > forest["tpr_at_1_percent_fpr"].value
    for name in ("prior", "mlp"):  # so few epochs learn nothing by heart
        found = report.scorecard(name).membership["lira_auc"]
        assert found.low - 0.02 < 0.5 < found.high + 0.02


def test_the_limit_is_held_against_the_attack_that_tells_most(report):
    (limit,) = report.verdict.limits
    assert limit.value == membership.worst(report.scorecard("mlp").membership).value
    card = replace(report.scorecard("mlp"), membership={"auc": Estimate(0.52), "lira_offline_auc": Estimate(0.57)})
    held = verdict._check(NOISE.limits, card, "no", None, "auroc", True)
    assert [(each.name, each.value, each.passed) for each in held] == [("membership_at_most", 0.57, False)]


def test_they_are_in_the_document_in_mlflow_and_on_the_terminal(report, capsys):
    schema = json.loads(Path(document.__file__).with_name("schema.json").read_text(encoding="utf-8"))
    found = json.loads(report.to_json())
    jsonschema.validate(found, schema)
    assert Report.from_dict(found).scorecard("mlp").membership == report.scorecard("mlp").membership
    assert Report.from_dict(found).shadows == 4
    del found["shadows"]  # a report of before
    assert Report.from_dict(found).shadows == 0
    recorded = contenders(report.mlflow_run_id).set_index("contender")
    for name in ("lira_auc", "lira_offline_tpr_at_1_percent_fpr"):
        assert recorded[f"membership_{name}"]["forest"] == pytest.approx(
            report.scorecard("forest").membership[name].value
        )  # fmt: skip
    for width in (88, 200):
        show_membership.attacks(Console(width=width), report)
        text = capsys.readouterr().out
        assert "…" not in text
        assert max(map(len, text.splitlines())) <= width
        said = " ".join(text.split())
        assert "LiRA AUC" in said
        assert "4 shadow models" in said
        for card in report.contenders:
            more = max(card.membership[name].value for name in ("lira_auc", "lira_offline_auc"))
            assert f"{more:.3f}" in said
        assert "forest: who has the model, and a person's row, can tell far better than by guessing" in said
    without = replace(report, contenders=tuple(replace(card, membership={
        name: each for name, each in card.membership.items() if name not in LIRA
    }) for card in report.contenders))  # fmt: skip
    show_membership.attacks(Console(width=88), without)
    said = capsys.readouterr().out
    assert "LiRA" not in said
    assert "shadow" not in said


@dataclass
class Recorder:
    """A contender that notes what it is trained on, and dies at a chosen training."""

    base: object
    dies_at: int = 0
    how: type = KeyboardInterrupt
    made: list = field(default_factory=list)
    kind: str = "classical"
    name: str = "forest"

    def fit(self, train, valid, seed, watch=None, checkpoints=None):
        if len(self.made) + 1 == self.dies_at:
            raise self.how("it ended here")
        self.made.append((train, valid, seed, checkpoints))
        return self.base.fit(train, valid, seed)


@pytest.fixture(scope="module")
def prepared(folder):
    return prepare(NOISE, request(), 0, SHADOWS)


def forest_of(prepared):
    found = line_up(NOISE, prepared.objective, prepared.recipe)
    return next(each for each in found if each.name == "forest").having({"min_samples_leaf": 2})


def attacked(prepared, contender, place, fresh=False):
    journal = open_journal(place, {"task": "t"}, {"data": "d"}, fresh)
    journal.begin("r", {"task": "t"})
    try:
        trial = compete(contender, prepared, 0, journal=journal, task="t")
        return shadows.attacked(trial, prepared, 0, Silent(), journal).folds[0].membership, journal
    finally:
        journal.release()


def test_shadows_that_were_done_when_a_run_was_killed_are_not_trained_again(prepared, tmp_path):
    whole, _ = attacked(prepared, Recorder(forest_of(prepared)), tmp_path / "whole")
    dead = Recorder(forest_of(prepared), dies_at=5)  # the model itself and three shadows were done
    with pytest.raises(KeyboardInterrupt):
        attacked(prepared, dead, tmp_path / "killed")
    (folder,) = (tmp_path / "killed").glob("*/forest-1")
    assert sorted(path.name for path in folder.glob("shadow-*")) == [f"shadow-{n}.npy" for n in (1, 2, 3)]
    (folder / "shadow-2.npy").write_bytes((folder / "shadow-2.npy").read_bytes()[:-9])  # the disk was full
    again = Recorder(forest_of(prepared))
    found, _ = attacked(prepared, again, tmp_path / "killed")
    assert found == whole
    assert len(again.made) == 6, "the damaged one, and the five that were missing"


def test_shadows_learn_from_halves_of_both_kinds_of_rows_and_never_from_validation_rows(prepared, tmp_path):
    recorder = Recorder(forest_of(prepared))
    attacked(prepared, recorder, tmp_path)
    fold, examples = prepared.folds[0], prepared.dataset.examples
    (trained, _, own, _), *made = recorder.made
    key = {value: row for row, value in enumerate(examples.columns["x0"])}
    rows = [{key[value] for value in train.columns["x0"]} for train, *_ in made]
    pool = {*fold.train.tolist(), *fold.test.tolist()}
    assert len(trained) == len(fold.train)
    assert len(made) == 8
    for one, other in zip(rows[::2], rows[1::2], strict=True):
        assert one | other == pool
        assert not one & other
    valid = examples.columns["x0"][fold.valid]
    assert all(np.array_equal(each.columns["x0"], valid) for _, each, *_ in made)
    seeds = [seed for _, _, seed, _ in made]
    assert len({own, *seeds}) == 9


def test_a_shadow_that_cannot_be_trained_says_which(prepared, tmp_path):
    with pytest.raises(TrainingFailed, match="shadow-2 of forest, which learns from half of the rows: it ended here"):
        attacked(prepared, Recorder(forest_of(prepared), 3, TrainingFailed), tmp_path)


def test_nobody_is_on_both_sides_where_a_person_has_several_rows(folder):
    prepared = prepare(NOISE, request("people.csv", id="who"), 0, SHADOWS)
    rows = shadows.Rows.of(prepared, 0)
    ids = prepared.dataset.examples.ids
    for inside in rows.inside:
        assert not set(ids[rows.learned[inside]]) & set(ids[rows.learned[~inside]])
    assert set(rows.asked[: rows.members]) == set(prepared.folds[0].train)
    np.testing.assert_array_equal(
        rows.inside_asked, [np.isin(rows.asked, rows.learned[inside]) for inside in rows.inside]
    )  # fmt: skip


def test_rows_of_one_person_are_one_unit_of_what_shadows_tell(folder, monkeypatch):
    prepared, given = prepare(NOISE, request("people.csv", id="who"), 0, FEW), []
    monkeypatch.setattr(shadows.lira, "measured", lambda *told: given.append(told) or {})
    prior = next(each for each in line_up(NOISE, prepared.objective, prepared.recipe) if each.name == "prior")
    shadows.attacked(compete(prior, prepared, 0), prepared, 0, Silent(), None)
    ((*_, ids),) = given
    np.testing.assert_array_equal(ids, prepared.dataset.examples.ids[shadows.Rows.of(prepared, 0).asked])


def test_without_being_asked_there_are_none(prepared, tmp_path):
    without = replace(prepared, protocol=replace(prepared.protocol, shadows=0))
    recorder = Recorder(forest_of(without))
    found, _ = attacked(without, recorder, tmp_path)
    assert set(found) == {"auc", "tpr_at_1_percent_fpr"}
    assert len(recorder.made) == 1
    for kind in ("mitigated", "blend"):
        trial = SimpleNamespace(contender=SimpleNamespace(kind=kind), folds=[SimpleNamespace(membership={"auc": 1})])
        assert shadows.attacked(trial, prepared, 0, Silent(), None) is trial


REFUSED = {
    "rows in time": (TASK, {"protocol": {"by": "time"}}, "rows are split by time, and later rows differ"),
    "a portfolio": (TASK, {"objective": SimpleNamespace(kind="allocation")}, "say of classes or of numbers"),
    "normal rows": (catalogue.find("finance/anomaly"), {}, "autoencoder learns from normal rows alone"),
    "too few for a private batch": (
        TASK, {"recipe": {"dp_epsilon": 3.0, "batch_size": 500}}, r"recipe\.batch_size=500 of 4[0-9]{2} training rows"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_where_they_would_tell_nothing_they_are_refused(case, prepared):
    task, changes, expected = REFUSED[case]
    changed = {
        name: replace(getattr(prepared, name), **change) if isinstance(change, dict) else change
        for name, change in changes.items()
    }
    with pytest.raises(BadInput, match=expected):
        shadows.require_possible(task, replace(prepared, **changed))


def test_they_are_trained_in_one_process_alone(prepared, monkeypatch):
    shadows.require_possible(NOISE, prepared)
    assist.require_possible(prepared, deterministic=True)
    monkeypatch.setattr(assist, "workers", lambda: 2)
    with pytest.raises(BadInput, match=r"leave out --workers, or protocol\.shadows"):
        assist.require_possible(prepared, deterministic=True)


@pytest.mark.parametrize("number", [1, 2, 5, 66, -4])
def test_an_impossible_number_is_refused(number):
    with pytest.raises(ValueError, match=f"an even number from 4 to 64, .*; received {number}"):
        Protocol(shadows=number)
