"""One run inside this process: how the protocol fits the data, what models may see, what is recorded."""

import errno
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from diabetes import TASK as DIABETES

from domains.finance.credit_default import TASK
from pipelines.compete import compete, judge
from pipelines.contenders.contender import UNMEASURED, UNRECORDED, unwatched
from pipelines.contenders.detectors import isolation_forest
from pipelines.contenders.normal import NormalClassical
from pipelines.data.examples import Examples
from pipelines.errors import BadInput, TrainingFailed
from pipelines.evaluation import thresholds
from pipelines.lending import acting_of
from pipelines.objectives import calibration
from pipelines.objectives.objective import Predictions
from pipelines.prepare import Silent, _fitting, prepare
from pipelines.report.document import Report
from pipelines.run import _identity, run
from pipelines.task import Baseline, DataRequest, Dataset, Protocol, Recipe
from pipelines.tracking import query
from pipelines.tracking.store import VARIABLE, open_store

FAST = ("recipe.epochs=2", "recipe.trials=1", "protocol.folds=2", "protocol.resamples=100")
FOLDS = Protocol(kind="cross-validation", folds=3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Rows of a user's own, with the sensitive columns that the task declares among them."""
    folder = tmp_path_factory.mktemp("run")
    chance = np.random.default_rng(0)
    income = chance.normal(size=150)
    pd.DataFrame({
        "Age": chance.integers(18, 80, 150),
        "Marital": chance.choice(["single", "married"], 150),
        "Income": income,
        "Job": chance.choice(["clerk", "nurse", None], 150),
        "Status": np.where(income + chance.normal(size=150) > 0, "good", "bad"),
    }).to_csv(folder / "own.csv", index=False)  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv(VARIABLE, raising=False)
        yield folder


@pytest.fixture
def request_(folder):
    return DataRequest(str(folder / "own.csv"), target="Status")


@pytest.fixture(scope="module")
def report(folder):
    small = replace(TASK, baselines=tuple(each for each in TASK.baselines if each.name in ("prior", "linear")))
    return run(small, DataRequest(str(folder / "own.csv"), target="Status"), 3, FAST)


def dataset(rows=30, ids=None, official=None):
    examples = Examples({"x": np.arange(rows, dtype=float)}, np.arange(rows) % 2, ids=ids)
    return Dataset(examples, "made up", True, "y", official=official)


def test_independent_rows_keep_the_protocol_of_the_task():
    assert _fitting(FOLDS, dataset(), DataRequest("d.csv")) == FOLDS


def test_ids_are_never_divided():
    assert _fitting(FOLDS, dataset(ids=np.arange(30) // 3), DataRequest("d.csv")).by == "id"


def test_official_test_rows_are_the_test_rows_unless_there_are_none():
    parts = np.array(["train"] * 20 + ["test"] * 10)
    assert _fitting(FOLDS, dataset(official=parts), DataRequest("public")).kind == "holdout"
    untested = np.array(["train"] * 20 + ["valid"] * 10)
    assert _fitting(FOLDS, dataset(official=untested), DataRequest("public")).kind == "cross-validation"


def test_a_moment_means_that_the_future_is_the_test():
    rows = dataset(ids=np.arange(30))
    moments = replace(rows, examples=replace(rows.examples, time=np.arange(30.0)))
    found = _fitting(FOLDS, moments, DataRequest("d.csv", time="day"))
    assert (found.kind, found.by) == ("holdout", "time")
    # A source that orders visits by their moments, and gives the rows none, leaves people apart.
    assert _fitting(FOLDS, rows, DataRequest("d.csv", time="day")).by == "id"


def test_a_task_that_divides_by_time_does_so_without_a_flag_and_without_a_delay_that_is_too_long():
    protocol = Protocol(by="time", delay=2.0)
    rows = dataset(30)
    days, hours = (replace(rows, examples=replace(rows.examples, time=np.arange(30) / each)) for each in (1, 24))
    assert _fitting(protocol, days, DataRequest("d.csv")) == protocol
    assert _fitting(protocol, hours, DataRequest("d.csv")) == replace(protocol, delay=0.0)


def test_many_rows_of_a_users_own_are_held_out_once(monkeypatch):
    monkeypatch.setattr("pipelines.prepare.MANY_ROWS", 30)
    assert _fitting(FOLDS, dataset(30), DataRequest("d.csv")).kind == "holdout"
    assert _fitting(FOLDS, dataset(29), DataRequest("d.csv")).kind == "cross-validation"
    assert _fitting(FOLDS, dataset(30), DataRequest("sample")).kind == "cross-validation"


def test_declared_sensitive_columns_are_groups_and_no_inputs(request_):
    prepared = prepare(TASK, request_, 0, FAST)
    assert set(prepared.dataset.examples.columns) == {"Income", "Job"}
    assert set(prepared.dataset.examples.groups) == {"Age", "Marital"}
    assert set(prepared.dataset.examples.groups["Age"]) <= {"<25", "25-35", "35-50", ">=50"}


def test_the_positive_class_can_be_chosen(request_):
    assert prepare(TASK, request_, 0, FAST).objective.classes == ("good", "bad")
    assert prepare(TASK, replace(request_, positive="good"), 0, FAST).objective.classes == ("bad", "good")


def test_every_row_is_tested_once_and_the_protocol_is_told(request_):
    prepared = prepare(TASK, request_, 0, FAST)
    tested = np.concatenate([fold.test for fold in prepared.folds])
    assert sorted(tested) == list(range(150))
    assert prepared.card().protocol == "2-fold cross-validation, rows held out"


def test_a_failed_check_is_told_in_words(request_, folder):
    rows = pd.read_csv(folder / "own.csv")
    pd.concat([rows, rows.head(2)]).to_csv(folder / "twice.csv", index=False)
    said = []

    class Listening(Silent):
        def say(self, line):
            said.append(line)

    prepare(TASK, replace(request_, where=str(folder / "twice.csv")), 0, FAST, Listening())
    assert 'the check "no duplicate rows" failed: 2 rows repeat an earlier one' in said


class Oracle:
    """Knows the target; its probabilities are low, and lower still for rows that it did not validate on."""

    name, kind = "oracle", "classical"
    cost, history, settings = UNMEASURED, UNRECORDED, {}

    def fit(self, train, valid, seed, watch=unwatched):
        self.valid = set(valid.columns["Income"])
        return self

    def flops(self, examples):
        return 0.0

    def predict(self, examples):
        positive = np.where(examples.target == "good", 0.3, 0.1)
        known = np.isin(examples.columns["Income"], list(self.valid))
        probability = np.where(known, positive, positive / 4)
        return Predictions(np.stack([1 - probability, probability], 1))


def test_decisions_are_taken_at_the_threshold_that_the_validation_rows_ask_for(request_):
    """Validation rows are cut at 0.2; the tested rows' own best cut, 0.05, is not looked for."""
    prepared = prepare(TASK, replace(request_, positive="good"), 0, FAST)
    trial = compete(Oracle(), prepared, 0)
    assert trial.threshold == pytest.approx(0.2)
    assert not trial.outcome.predictions.labels().any()


def test_validation_rows_count_by_their_weight(request_, monkeypatch):
    """For the threshold and for the calibration alike."""
    prepared = prepare(TASK, replace(request_, positive="good"), 0, [*FAST, "protocol.calibrate=temperature"])
    examples = prepared.dataset.examples
    weight = np.random.default_rng(0).uniform(0.5, 2, len(examples))
    weighted = replace(prepared, dataset=replace(prepared.dataset, examples=replace(examples, weight=weight)))
    seen = []
    for module, name in ((calibration, "fitted"), (thresholds, "choose")):
        real = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given, real=real: seen.append(given[3]) or real(*given))
    compete(Oracle(), weighted, 0)
    first, second = (weight[fold.valid] for fold in weighted.folds)
    for found, expected in zip(seen, (first, first, second, second), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_the_report_has_the_score_of_each_fold(request_):
    prepared = prepare(TASK, replace(request_, positive="good"), 0, FAST)
    trial = compete(Oracle(), prepared, 0)
    card = judge(trial, prepared, 0)
    primary = prepared.objective.primary
    assert card.by_fold == tuple(each[primary] for each in trial.outcome.fold_scores(prepared.objective))
    assert len(card.by_fold) == len(prepared.folds) == 2
    assert np.mean(card.by_fold) == pytest.approx(card.scores[primary].value)


def test_what_happened_in_any_fold_is_in_the_report(request_):
    prepared = prepare(TASK, replace(request_, positive="good"), 0, FAST)
    trial = compete(Oracle(), prepared, 0)
    first, second = trial.folds
    folds = (replace(first, settings={"plan": "a"}), replace(second, settings={"plan": "b", "notes": "rolled back"}))
    assert judge(replace(trial, folds=folds), prepared, 0).settings == {"plan": "a", "notes": "fold 2: rolled back"}


def test_a_run_may_ask_for_a_way_to_decide_of_its_own(request_):
    """Misses are so dear, or alerts so few, that everybody, or nobody, is decided positive."""
    asked = replace(request_, positive="good")
    trials = {
        rule: compete(Oracle(), prepare(TASK, asked, 0, [*FAST, f"protocol.decide_by={rule}"]), 0)
        for rule in ("cost:1:1000", "sensitivity:0.5", "alerts:0.0001")
    }
    assert trials["cost:1:1000"].threshold == trials["sensitivity:0.5"].threshold == pytest.approx(0.2)
    assert trials["alerts:0.0001"].threshold > 0.3


class Overconfident(Oracle):
    """Ranks as it should, and says far too much: right in 3 rows of 4 where it is all but certain."""

    def predict(self, examples):
        positive = examples.target == "good"
        wrong = np.arange(len(examples)) % 4 == 3
        probability = np.where(positive ^ wrong, 0.999, 0.001)
        return Predictions(np.stack([1 - probability, probability], 1))


@pytest.mark.parametrize("method", ["temperature", "isotonic"])
def test_probabilities_are_corrected_by_what_validation_rows_show(request_, method):
    asked = replace(request_, positive="good")
    plain, mapped = (
        compete(Overconfident(), prepare(TASK, asked, 0, [*FAST, f"protocol.calibrate={each}"]), 0)
        for each in ("none", method)
    )
    assert plain.folds[0].calibration is None
    assert method in mapped.folds[0].settings["calibration"]
    objective = prepare(TASK, asked, 0, FAST).objective
    before, after = (each.outcome.scores(objective)["expected_calibration_error"] for each in (plain, mapped))
    assert after < before / 2
    assert plain.outcome.uncalibrated is None
    np.testing.assert_array_equal(mapped.outcome.uncalibrated, plain.outcome.predictions.values)
    card = judge(mapped, prepare(TASK, asked, 0, FAST), 0)
    assert card.uncalibrated["slope"].value < 0.5 < card.calibration["slope"].value
    assert card.scores["expected_calibration_error"].low == min(
        card.calibration["debiased_calibration_error"].low, after
    )
    np.testing.assert_array_equal(mapped.outcome.predictions.labels(), plain.outcome.predictions.labels())
    levels = np.unique(mapped.folds[0].predictions.values[:, 1])
    assert mapped.threshold == pytest.approx(levels.mean())  # half way between what the map makes of both answers
    assert method == "temperature" or abs(levels.mean() - 0.5) > 1e-3


class Ranks(Oracle):
    base = NormalClassical(Baseline("detector", isolation_forest, learns_from="normal"), None, Recipe())


def test_ranks_are_not_asked_whether_they_come_true_and_have_no_points(request_):
    asked = replace(request_, positive="good")
    prepared = prepare(TASK, asked, 0, [*FAST, "protocol.points=20:600:50"])
    trial = compete(Ranks(), prepared, 0)
    assert judge(trial, prepared, 0).calibration == {}
    assert acting_of(trial.folds[0], prepared, trial.only_ranks).points is None
    certain = compete(Oracle(), prepared, 0)
    assert acting_of(certain.folds[0], prepared, certain.only_ranks).points is not None
    prepared = prepare(TASK, asked, 0, [*FAST, "protocol.calibrate=isotonic"])
    card = judge(compete(Ranks(), prepared, 0), prepared, 0)
    assert "slope" in card.calibration
    assert card.uncalibrated == {}


def test_numbers_are_not_calibrated(request_):
    with pytest.raises(BadInput, match=r"protocol\.calibrate=isotonic is for classes"):
        prepare(DIABETES, DataRequest(), 0, ["protocol.calibrate=isotonic"])


@pytest.mark.parametrize(
    ("rule", "target", "said"),
    [("cost:1", "Status", "write one of"), ("cost:1:5", "Age", "has not two")],
)
def test_a_way_to_decide_that_cannot_be_is_refused(request_, rule, target, said):
    with pytest.raises(BadInput, match=said) as refused:
        prepare(TASK, replace(request_, target=target), 0, [*FAST, f"protocol.decide_by={rule}"])
    assert f"protocol.decide_by={rule}" in str(refused.value)


def test_the_same_seed_gives_the_same_classical_predictions(request_):
    from pipelines.contenders.lineup import line_up

    found = []
    for _ in range(2):
        prepared = prepare(TASK, request_, 5, FAST)
        linear = next(c for c in line_up(TASK, prepared.objective, Recipe(trials=1)) if c.name == "linear")
        found.append(compete(linear, prepared, 5).outcome.predictions.values)
    assert np.array_equal(*found)


def test_a_report_says_all_and_survives_being_written(report):
    assert Report.from_dict(report.to_dict()).to_json() == report.to_json()
    assert [card.name for card in report.contenders] == ["mlp", "prior", "linear"]
    assert {row.attribute for card in report.contenders for row in card.bias} == {"Age", "Marital", "Age x Marital"}
    assert [each.baseline for each in report.comparisons] == ["prior", "linear"]
    assert all(card.decisions["sensitivity"].low <= card.decisions["sensitivity"].high for card in report.contenders)
    assert all(card.calibration["brier"].low <= card.calibration["brier"].high for card in report.contenders)
    assert (report.net_benefit.network, report.net_benefit.baseline) == ("mlp", report.verdict.best_baseline)


def test_the_parent_run_holds_the_report_the_figures_and_what_made_it(report):
    client = open_store().client
    parent = client.get_run(report.mlflow_run_id)
    assert parent.info.status == "FINISHED"
    assert parent.data.params["seed"] == "3"
    for tag in ("data_sha256", "devices", "code_version", "tensorflow", "keras", "scikit-learn", "winner", "verdict"):
        assert parent.data.tags[tag]
    assert parent.data.tags["data_sha256"] == report.data.sha256
    assert query.report(report.mlflow_run_id).to_json() == report.to_json()
    drawn = {each.path.removeprefix("figures/") for each in client.list_artifacts(report.mlflow_run_id, "figures")}
    assert drawn >= {
        "scores.png",
        "roc.png",
        "precision_recall.png",
        "calibration.png",
        "decision_curve.png",
        "bias_tpr.png",
        "bias_fpr.png",
        "bias_ppv.png",
        "risk_coverage.png",
        "gaps.png",
    }


def test_each_child_holds_its_scores_and_a_model_with_a_signature(report):
    client = open_store().client
    for card in report.contenders:
        child = client.get_run(card.mlflow_run_id)
        assert child.data.tags["mlflow.parentRunId"] == report.mlflow_run_id
        assert (child.info.run_name, child.info.status) == (card.name, "FINISHED")
        assert child.data.metrics["auroc"] == pytest.approx(card.scores["auroc"].value)
        (output,) = child.outputs.model_outputs
        from mlflow.models import Model

        signature = Model.load(
            client.get_logged_model(output.model_id).artifact_location.removeprefix("file://")
        ).signature
        assert set(signature.inputs.input_names()) == {"Income", "Job"}
        assert len(signature.outputs.inputs) == 1
    network = client.get_run(report.contenders[0].mlflow_run_id)
    (loss,) = (name for name in network.data.metrics if name.endswith("fold-1/loss"))
    assert [each.step for each in client.get_metric_history(network.info.run_id, loss)] == [1, 2]


def test_a_failure_leaves_no_run_open(request_, monkeypatch):
    def fail(*given):
        raise RuntimeError("lost")

    said = []
    progress = Silent()
    monkeypatch.setattr(progress, "say", said.append, raising=False)
    monkeypatch.setattr("pipelines.run.compete", fail)
    monkeypatch.setattr("pipelines.run.open_journal", lambda *given: None)
    with pytest.raises(RuntimeError, match="lost"):
        run(TASK, request_, 0, FAST, progress)
    assert any("it cannot be gone on with" in line for line in said)
    newest = query.runs(TASK.name).iloc[0]
    assert (newest["status"], newest["failure"].split()[0]) == ("FAILED", "RuntimeError")
    assert "RUNNING" not in set(query.runs(TASK.name)["status"])


def test_a_full_disk_is_said_in_words(request_, monkeypatch):
    def full(*given):
        raise OSError(errno.ENOSPC, "No space left on device", "some/file")

    monkeypatch.setattr("pipelines.run.compete", full)
    progress, said = Silent(), []
    monkeypatch.setattr(progress, "say", said.append, raising=False)
    with pytest.raises(TrainingFailed, match=r"the disk is full \(some/file\); make room.*goes on from here"):
        run(TASK, request_, 0, FAST, progress)
    monkeypatch.setattr("pipelines.run.sources", lambda: "edited")
    with pytest.raises(TrainingFailed):
        run(TASK, request_, 0, FAST, progress)
    assert said[-1] == "what this command had done is not gone on with: it was of other code"


def test_unfinished_work_counts_only_for_the_same_recipe_and_code(request_, monkeypatch):
    def identity(recipe=TASK.recipe):
        prepared = prepare(replace(TASK, recipe=recipe), request_, 0, FAST)
        return _identity(prepared, prepared.card())

    first = identity()
    assert identity() == first
    assert identity(replace(TASK.recipe, l2=0.5)) != first
    monkeypatch.setattr("pipelines.run.sources", lambda: "edited")
    assert identity() != first
