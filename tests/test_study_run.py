"""A study inside this process: the same tested rows at every size, a run each that nobody takes for one on all rows."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from domains.finance.credit_default import TASK as CREDIT
from pipelines import study as module
from pipelines import study_journal
from pipelines.cli.history import limits_of, past_runs
from pipelines.data.amounts import Amount
from pipelines.errors import BadInput, TrainingFailed
from pipelines.evaluation import growth
from pipelines.evaluation.outcome import Outcome, Round
from pipelines.objectives.objective import Predictions
from pipelines.prepare import Silent, prepare
from pipelines.run import Part, run
from pipelines.study import study
from pipelines.task import Baseline, DataRequest
from pipelines.tracking import query
from pipelines.tracking.record import SHARE, Standing
from pipelines.tracking.store import VARIABLE, open_store
from pipelines.tracking.studies import studies
from pipelines.tracking.studies import study as recorded

FAST = ("recipe.epochs=2", "recipe.trials=1", "protocol.folds=2", "protocol.resamples=100")


def fussy(train, objective):
    """A baseline that refuses fewer than 100 rows."""
    from sklearn.dummy import DummyClassifier

    from pipelines.task import Candidate

    if len(train) < 100:
        raise ValueError("fussy wants 100 rows")
    return Candidate(DummyClassifier(strategy="prior"))


TASK = replace(
    CREDIT,
    baselines=(*(each for each in CREDIT.baselines if each.name in ("prior", "linear")), Baseline("fussy", fussy)),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    chance = np.random.default_rng(0)
    income = chance.normal(size=300)
    pd.DataFrame({
        "Income": income,
        "Job": chance.choice(["clerk", "nurse", None], 300),
        "Status": np.where(income + chance.normal(size=300) > 0, "good", "bad"),
    }).to_csv(folder / "own.csv", index=False)  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv(VARIABLE, raising=False)
        yield folder


@pytest.fixture(scope="module")
def asked(folder):
    return DataRequest(str(folder / "own.csv"), target="Status")


class Listening(Silent):
    def __init__(self):
        self.lines = []

    def say(self, line):
        self.lines.append(line)


@pytest.fixture(scope="module")
def plain(asked):
    """A run on all rows, recorded before the study."""
    return run(replace(TASK, baselines=TASK.baselines[:1]), asked, 3, FAST)


@pytest.fixture(scope="module")
def heard():
    return Listening()


@pytest.fixture(scope="module")
def found(plain, asked, heard):
    return study(TASK, asked, "100%,40%", 3, FAST, heard)


def test_each_size_learns_from_so_many_rows_and_is_tested_on_all(found):
    assert [(size.share, size.rows, size.splits["test"]) for size in found.sizes] == [(0.4, 60, 150), (1.0, 150, 150)]
    assert found.tested == 300
    tested = [query.report(size.mlflow_run_id).data for size in found.sizes]
    assert tested[0].sha256 == tested[1].sha256 == found.data.sha256
    assert "learned from 40 % of the rest" in tested[0].protocol
    assert "learned from" not in tested[1].protocol


def test_all_rows_are_what_a_plain_run_learns_from(found, plain):
    """The share of 100 % is the run that there always was: the same score of the same contender."""
    ours = found.sizes[1].learner("prior").scores
    assert {name: each.value for name, each in ours.items()} == {
        name: pytest.approx(each.value, nan_ok=True) for name, each in plain.scorecard("prior").scores.items()
    }


def test_a_contender_that_cannot_learn_from_so_few_rows_is_left_out_there(found, heard):
    assert found.sizes[0].left_out == {"fussy": "fussy wants 100 rows"}
    assert found.sizes[1].left_out == {}
    assert [each.name for each in found.sizes[0].contenders] == ["mlp", "prior", "linear"]
    assert [each.name for each in found.sizes[1].contenders] == ["mlp", "prior", "linear", "fussy"]
    assert "1/2 40%: fussy is left out: fussy wants 100 rows" in heard.lines
    assert {gain.contender for gain in found.gains} == {"mlp", "prior", "linear"}


def test_a_plain_run_does_not_go_on_without_a_contender(asked):
    with pytest.raises(ValueError, match="fussy wants"):
        run(TASK, asked, 3, (*FAST, "protocol.learn_from=0.4"))


def test_a_size_without_any_network_says_so(asked, monkeypatch):
    def fail(*given):
        raise TrainingFailed("the loss became nan")

    monkeypatch.setattr("pipelines.contenders.network.NetworkContender.fit", fail)
    with pytest.raises(TrainingFailed, match="no network could be trained: the loss became nan"):
        study(TASK, asked, "50%,100%", 9, FAST)


def test_notes_on_the_data_are_said_once(found, heard):
    positives = [line for line in heard.lines if "counts as positive" in line]
    assert len(positives) == 1
    assert any(line.startswith("2/2 100%: 150 rows: mlp ") for line in heard.lines)


def test_compare_and_check_still_find_the_run_on_all_rows(found, plain):
    """Its parts are newer, finished and of the same task, and must not be taken for it."""
    assert query.latest(TASK.name) == plain.mlflow_run_id
    assert plain.mlflow_run_id in set(query.runs(TASK.name).run_id)
    parts = {size.mlflow_run_id for size in found.sizes} | {found.mlflow_run_id}
    assert not parts & set(query.runs(TASK.name).run_id)
    assert not parts & {row["run_id"] for row in past_runs(TASK, 20)}
    assert not parts & set(query.contenders(TASK.name).run_id)
    assert limits_of(TASK, None)[0] == plain.mlflow_run_id


def test_a_part_can_be_asked_for_by_its_id(found):
    part = found.sizes[0]
    report = query.report(part.mlflow_run_id)
    assert report.left_out == part.left_out
    assert set(query.contenders(part.mlflow_run_id).contender) == {"mlp", "prior", "linear", "fussy"}
    store = open_store()
    child = query.contender_run(store, part.mlflow_run_id, "linear")
    assert child == part.learner("linear").mlflow_run_id
    with pytest.raises(BadInput, match="is a study"):
        query.report(found.mlflow_run_id)


def test_a_study_is_one_run_with_its_parts_inside(found):
    client = open_store().client
    parent = client.get_run(found.mlflow_run_id)
    assert (parent.info.status, parent.data.tags["kind"]) == ("FINISHED", "study")
    assert parent.data.tags["sentence"] == found.sentence
    for size in found.sizes:
        tags = client.get_run(size.mlflow_run_id).data.tags
        assert (tags["kind"], tags["mlflow.parentRunId"]) == ("share", found.mlflow_run_id)
    values = client.get_metric_history(found.mlflow_run_id, "mlp/auroc")
    assert [(each.step, each.value) for each in values] == [
        (size.rows, pytest.approx(size.value("mlp", "auroc"))) for size in found.sizes
    ]
    assert [each.step for each in client.get_metric_history(found.mlflow_run_id, "mlp/lead")] == [60, 150]
    assert "figures/learning_curve_rows.png" in {
        each.path for each in client.list_artifacts(found.mlflow_run_id, "figures")
    }


def test_studies_are_read_back(found):
    assert recorded(found.mlflow_run_id[:8]).to_json() == found.to_json()
    table = studies(TASK.name)
    row = table[table.run_id == found.mlflow_run_id].iloc[0]
    assert (row.status, row["rows"], row.sentence) == ("FINISHED", "40%,100%", found.sentence)
    with pytest.raises(BadInput, match="is no study"):
        recorded(found.sizes[0].mlflow_run_id)


def test_nothing_is_left_of_a_study_that_ended(found, folder):
    kept = list(folder.glob("mlruns/unfinished/*/rows-60"))
    assert not kept


@pytest.mark.parametrize(
    ("rows", "assignments", "said"),
    [
        ("10%,1000%", (), r"1000% is more than there is; 150 rows"),
        ("4%,100%", (), r"--rows 4%,100%: 4% leaves too few rows .* works here is .*% \(\d+ rows\)"),
        ("10%,100%", ("protocol.learn_from=0.5",), "--rows says which shares"),
        ("10%,100%", ("protocol.margin=0.01",), "a study asks who is better"),
    ],
)
def test_what_cannot_be_studied_is_said_before_anything_is_trained(asked, rows, assignments, said):
    before = len(studies())
    with pytest.raises(BadInput, match=said):
        study(TASK, asked, rows, 3, (*FAST, *assignments))
    assert len(studies()) == before


def test_a_part_keeps_what_every_training_said(asked, tmp_path):
    """A study compares means over trainings with their spread; the first training alone would be another question."""
    kept = {}
    part = Part(Standing(SHARE), tmp_path, kept.update)
    report = run(replace(TASK, baselines=TASK.baselines[:1]), asked, 3, (*FAST, "protocol.seeds=2"), part=part)
    assert {name: each.trainings for name, each in kept.items()} == {"mlp": 2, "prior": 2}
    study_journal.finish(tmp_path / "rows", report, kept)
    _, again = study_journal.finished(tmp_path / "rows")
    (test,) = growth.compared(
        ["mlp"], ["prior"], [again], CREDIT.objective.resolve(np.array(["a", "b"], object)), 100, 3
    )[0]
    assert test.difference == pytest.approx(report.comparisons[0].difference)
    assert test.training_sd == pytest.approx(report.comparisons[0].training_sd)


def test_mended_contenders_are_no_networks(asked, plain):
    """They are shown, and tested against nothing: who takes part in a study is who takes part in a verdict."""
    mlp, prior = plain.contenders
    mended = replace(mlp, name="mlp+reweighing", kind="mitigated")
    cards, sizes = (mlp, prior, mended), []
    for share, rows in ((0.5, 75), (1.0, 150)):
        data = replace(plain.data, splits={"train": rows - 20, "valid": 20, "test": 150})
        report = replace(plain, contenders=cards, data=data)
        outcomes = {card.name: outcome() for card in cards}
        sizes.append(module.Measured(Amount(f"{share:.0%}", share, rows), report, outcomes))
    found = module._read(TASK, prepare(TASK, asked, 3, FAST), 3, sizes, "", False)
    assert [reading.network for reading in found.readings] == ["mlp"]
    assert {(test.contender, test.baseline) for size in found.sizes for test in size.comparisons} == {("mlp", "prior")}
    assert found.names["mlp+reweighing"] == "mitigated"


def test_several_workers_are_refused(asked, monkeypatch):
    monkeypatch.setattr(module, "workers", lambda: 2)
    with pytest.raises(BadInput, match="a study trains in one process"):
        study(TASK, asked, "10%,100%", 3, FAST)


def outcome():
    return Outcome(
        np.array([0, 1, 1, 0]), Predictions(np.eye(2)[[0, 1, 1, 0]], np.array([0, 1, 0, 0])),
        (Round(0, 2, 9), Round(2, 4, 8)), np.array([3, 1, 0, 2]), np.array([1.0, 2.0, 1.0, 0.5]),
        np.array(["a", "b", "a", "c"], object),
    )  # fmt: skip


def test_a_size_that_is_done_comes_back_as_it_was(tmp_path, plain):
    report = replace(plain, contenders=plain.contenders[:1])
    assert study_journal.finished(tmp_path) is None
    study_journal.finish(tmp_path / "rows-4", report, {"mlp": outcome()})
    again, outcomes = study_journal.finished(tmp_path / "rows-4")
    assert again.to_json() == report.to_json()
    for name in ("target", "rows", "weight"):
        np.testing.assert_array_equal(getattr(outcomes["mlp"], name), getattr(outcome(), name))
    np.testing.assert_array_equal(outcomes["mlp"].clusters, outcome().clusters)
    np.testing.assert_array_equal(outcomes["mlp"].predictions.decisions, [0, 1, 0, 0])
    assert outcomes["mlp"].rounds == outcome().rounds
    objective = CREDIT.objective.resolve(np.array(["a", "b"], object))
    assert all(
        math.isclose(one, other) or math.isnan(one)
        for one, other in zip(
            outcomes["mlp"].scores(objective).values(), outcome().scores(objective).values(), strict=True
        )
    )


@pytest.mark.parametrize("file", ["report.json", "mlp.npz"])
def test_a_damaged_size_counts_as_not_done(tmp_path, plain, file):
    study_journal.finish(tmp_path, replace(plain, contenders=plain.contenders[:1]), {"mlp": outcome()})
    path = tmp_path / file
    path.write_bytes(path.read_bytes()[:-20])
    assert study_journal.finished(tmp_path) is None
