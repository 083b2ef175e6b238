"""Reading runs back, as notebooks and `tapeline compare` do."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.contenders.contender import History
from pipelines.errors import BadInput, TrainingFailed
from pipelines.tracking import query
from pipelines.tracking.record import pipeline_run

from .conftest import SHA, TASK


@pytest.fixture
def recorded(store, report, history):
    """The id of one finished run with two contenders, of which the first has folds."""
    with pipeline_run(store, TASK) as parent:
        for card in report.contenders:
            with parent.child(card.name, card.kind) as child:
                child.scores(card)
                if card.kind == "network":
                    child.history(history, "fold-1")
                    child.history(History({"loss": (5.0,)}), "fold-2")
        parent.dataset(report.data)
        parent.report(replace(report, mlflow_run_id=parent.run_id))
    return parent.run_id


def test_one_row_per_pipeline_run_newest_first(store, recorded):
    with pytest.raises(TrainingFailed), pipeline_run(store, TASK) as failed:
        raise TrainingFailed("the loss became nan")
    with pipeline_run(store, "nlp/sentiment") as other:
        pass
    table = query.runs()
    assert list(table.run_id) == [other.run_id, failed.run_id, recorded]
    assert list(query.runs(TASK).run_id) == [failed.run_id, recorded]
    assert list(query.runs(TASK, limit=1).run_id) == [failed.run_id]
    good, bad = table.iloc[2], table.iloc[1]
    assert (good.status, good.winner, good.answer, good.passed, good.primary) == (
        "FINISHED",
        "mlp",
        "yes",
        "true",
        "auroc",
    )
    assert (good.network, good.best_baseline, good.data_sha256) == ("mlp", "prior", SHA)
    assert (good.network_score, good.baseline_score, good.difference) == (0.8, 0.5, 0.3)
    assert (good.low, good.high, good.p_value, good.seconds, good["rows"]) == (0.25, 0.35, 0.001, 12.5, 100)
    assert (bad.status, bad.failure, bad.winner) == ("FAILED", "the loss became nan", "")
    assert math.isnan(bad.difference)


def test_one_row_per_contender_with_intervals(recorded):
    for which in (TASK, recorded, [recorded[:8]]):
        table = query.contenders(which)
        assert list(table.contender) == ["mlp", "prior"]
        assert list(table.kind) == ["network", "classical"]
        assert set(table.run_id) == {recorded}
        mlp = table.iloc[0]
        assert (mlp.auroc, mlp.auroc_low, mlp.auroc_high, mlp.train_seconds, mlp.threshold) == (
            0.8,
            0.75,
            0.85,
            1.5,
            0.4,
        )
    assert math.isnan(table.iloc[1].threshold)
    assert table.iloc[0]["best_epoch/fold-1"] == 3


def test_the_report_comes_back_as_it_was(recorded, report):
    found = query.report(recorded)
    assert repr(found) == repr(replace(report, mlflow_run_id=recorded))
    assert math.isnan(found.contenders[0].scores["f1"].value)


def test_histories_are_long_tables_by_fold(recorded):
    table = query.histories(recorded)
    rows = [tuple(row) for row in table.itertuples(index=False)]
    assert rows == [
        ("mlp", "fold-1", "loss", 1, 3.0),
        ("mlp", "fold-1", "loss", 2, 2.0),
        ("mlp", "fold-1", "loss", 3, 1.0),
        ("mlp", "fold-1", "valid_loss", 1, 3.0),
        ("mlp", "fold-1", "valid_loss", 3, 2.0),
        ("mlp", "fold-2", "loss", 1, 5.0),
    ]


def test_trainings_are_histories_again(recorded, history):
    found = query.trainings(recorded)
    assert list(found) == ["mlp fold-1", "mlp fold-2"]
    assert repr(found["mlp fold-1"]) == repr(history)  # the epoch whose loss was NaN is NaN again
    assert found["mlp fold-2"] == History({"loss": (5.0,)}, 0)


def test_the_bias_table_keeps_the_groups_own_names_and_undefined_rates(recorded):
    table = query.bias(recorded)
    young = table[(table.group == "<25") & (table.metric == "tpr")].iloc[0]
    assert (young.contender, young.n, young.n_positive, young.value, young.low, young.high) == (
        "mlp",
        30,
        9,
        0.6,
        0.4,
        0.8,
    )
    assert "[yes]=1" in set(table.group)
    assert math.isnan(table[table.metric == "fpr"].iloc[0].value)


def test_the_latest_run_is_the_newest_that_finished(store, recorded):
    with pytest.raises(TrainingFailed), pipeline_run(store, TASK):
        raise TrainingFailed("no luck")
    assert query.latest(TASK) == recorded
    with pytest.raises(BadInput, match="`tapeline run nlp/sentiment`"):
        query.latest("nlp/sentiment")


def test_an_empty_folder_reads_as_empty(folder):
    assert query.runs().empty
    assert "winner" in query.runs().columns
    assert query.contenders(TASK).empty
    with pytest.raises(BadInput, match="tapeline run finance/credit-default"):
        query.latest(TASK)
    for read in (query.report, query.histories, query.bias):
        with pytest.raises(BadInput, match="no run is recorded here"):
            read("abcdef")
    assert list(folder.iterdir()) == []


def test_a_beginning_of_a_run_id_is_enough_unless_it_is_ambiguous(store, recorded, monkeypatch):
    assert query.report(recorded[:4]).mlflow_run_id == recorded
    with pytest.raises(BadInput, match="is no run id"):
        query.report("' OR 1=1")
    with pytest.raises(BadInput, match="is no run id"):
        query.report(recorded[:3])
    unknown = ("0" if recorded[0] != "0" else "1") * 8
    with pytest.raises(BadInput, match=f"no run {unknown}"):
        query.report(unknown)
    both = [store.client.get_run(recorded)] * 2
    monkeypatch.setattr(query, "_search", lambda *asked: both)
    with pytest.raises(BadInput, match="is ambiguous"):
        query.report(recorded[:4])


def test_a_contenders_id_is_answered_with_its_runs(recorded):
    child = query.contenders(recorded).contender_run_id[0]
    with pytest.raises(BadInput, match=f"is the contender 'mlp' of run {recorded}"):
        query.report(child)


def test_a_run_without_a_report_says_why(store):
    with pytest.raises(TrainingFailed), pipeline_run(store, TASK) as failed:
        raise TrainingFailed("the loss became nan")
    with pytest.raises(BadInput, match="has no report: the loss became nan"):
        query.report(failed.run_id)


@pytest.mark.parametrize("content", ["{", '{"schema": 99}', '{"schema": 1}', "[]"])
def test_a_broken_report_is_bad_input(store, folder, content):
    with pipeline_run(store, TASK) as parent:
        parent._artifact("report.json", content.encode())
    with pytest.raises(BadInput, match=f"the report of run {parent.run_id} cannot be read"):
        query.report(parent.run_id)


def test_the_artifact_is_the_document_itself(store, recorded, report, folder):
    path = store.client.download_artifacts(recorded, "report.json", str(folder))
    assert json.loads(Path(path).read_text(encoding="utf-8")) == replace(report, mlflow_run_id=recorded).to_dict()
