"""People in the loop within a run: chosen on validation rows of each fold, for whatever decides between classes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from diabetes import TASK as DIABETES

from domains.finance.credit_default import TASK
from pipelines.compete import _tested, compete, judge
from pipelines.contenders.by_group import decided
from pipelines.contenders.contender import UNMEASURED, UNRECORDED, unwatched
from pipelines.contenders.detectors import isolation_forest
from pipelines.contenders.lineup import line_up
from pipelines.contenders.normal import NormalClassical
from pipelines.errors import BadInput
from pipelines.evaluation.guarantee import Guarantee
from pipelines.lending import acting_of
from pipelines.objectives.automation import NOTHING, confidence
from pipelines.objectives.objective import Predictions
from pipelines.oversight import automation_of, lead_of
from pipelines.prepare import prepare
from pipelines.task import Baseline, DataRequest, Recipe

FAST = ("recipe.trials=1", "protocol.folds=3", "protocol.resamples=100", "protocol.valid=0.4")
ROWS = 900


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Rows of which a score says much, of 150 customers and two sexes; one column has three classes."""
    path, chance = tmp_path_factory.mktemp("oversight") / "own.csv", np.random.default_rng(0)
    score = chance.normal(size=ROWS)
    pd.DataFrame({
        "Score": score, "Sex": chance.choice(["F", "M"], ROWS), "Customer": np.arange(ROWS) // 4,
        "Status": np.where(4 * score + chance.logistic(size=ROWS) > 0, "good", "bad"),
        "Grade": np.array(["a", "b", "c"])[np.digitize(score + 0.3 * chance.normal(size=ROWS), (-0.5, 0.5))],
    }).to_csv(path, index=False)  # fmt: skip
    return path


def prepared_for(path, *assignments, **request):
    asked = {"target": "Status", "positive": "good", "sensitive": ("Sex",), "exclude": ("Customer", "Grade"), **request}
    return prepare(TASK, DataRequest(str(path), **asked), 0, (*FAST, *assignments))


class Knowing:
    """Says the true probability, learns nothing."""

    name, kind = "knowing", "classical"
    cost, history, settings = UNMEASURED, UNRECORDED, {}

    def fit(self, train, valid, seed, watch=unwatched):
        return self

    def predict(self, examples):
        probability = 1 / (1 + np.exp(-4 * examples.columns["Score"]))
        return Predictions(np.stack([1 - probability, probability], 1))

    def flops(self, examples):
        return np.nan


class Ranking(Knowing):
    base = NormalClassical(Baseline("detector", isolation_forest, learns_from="normal"), None, Recipe())


def test_each_fold_has_the_cut_off_that_its_own_validation_rows_promise(path):
    prepared = prepared_for(path)
    trial = compete(Knowing(), prepared, 0)
    examples, objective = prepared.dataset.examples, prepared.objective
    for fold, done in zip(prepared.folds, trial.folds, strict=True):
        valid = examples.take(fold.valid)
        said = Knowing().predict(valid).decide(done.threshold)
        sure = np.where(said.decisions == 1, said.values[:, 1], said.values[:, 0])
        expected = Guarantee.of(said.decisions != objective.encode(valid.target), sure)
        assert done.automation.least[0.1] == (expected.least(0.1) or NOTHING)
        assert done.automation.rows == len(fold.valid)
        assert sorted(done.automation.least) == [0.01, 0.02, 0.05, 0.1]
    assert len({done.automation.least[0.1] for done in trial.folds}) > 1
    report = judge(trial, prepared, 0).oversight
    alone = [done.automation.automates(done.predictions) for done in trial.folds]
    assert report.shares == pytest.approx([flags.mean() for flags in alone])
    wrong = trial.outcome.predictions.labels() != trial.outcome.target
    assert report.acted.error.value == pytest.approx(wrong[np.concatenate(alone)].mean())
    assert {row.group for row in report.groups} == {"F", "M"}
    assert report.acted.share.value > 0.1


def test_tested_labels_move_no_cut_off(path):
    prepared = prepared_for(path, "protocol.kind=holdout")
    tested = prepared.folds[0].test
    target = prepared.dataset.examples.target.copy()
    target[tested] = np.where(target[tested] == "good", "bad", "good")
    turned = replace(prepared.dataset, examples=replace(prepared.dataset.examples, target=target))
    one, other = (
        compete(Knowing(), each, 0).folds[0].automation for each in (prepared, replace(prepared, dataset=turned))
    )
    assert one == other
    assert one.least[0.1] < NOTHING


def test_rows_of_one_customer_are_validated_as_one_customers(path):
    prepared = prepared_for(path, id="Customer", exclude=("Grade",))
    done, fold = compete(Knowing(), prepared, 0).folds[0], prepared.folds[0]
    valid = prepared.dataset.examples.take(fold.valid)
    said = Knowing().predict(valid).decide(done.threshold)
    wrong = said.decisions != prepared.objective.encode(valid.target)
    sure = said.values[np.arange(len(valid)), said.decisions]
    customers = np.unique(valid.ids.astype(str), return_inverse=True)[1]
    expected = Guarantee.of(wrong, sure, clusters=customers)
    assert expected.rows < len(valid)
    assert done.automation.rows == int(expected.rows)
    assert done.automation.least[0.1] == (expected.least(0.1) or NOTHING)


def test_the_stated_error_is_the_one_that_is_asked_for(path):
    prepared = prepared_for(path, "protocol.automate_at=0.03")
    trial = compete(Knowing(), prepared, 0)
    report = judge(trial, prepared, 0).oversight
    assert report.at == trial.folds[0].automation.at == 0.03
    assert [each.at for each in report.levels] == [0.01, 0.02, 0.03, 0.05, 0.1]
    assert acting_of(trial.folds[0], prepared).automation == trial.folds[0].automation


def test_ranks_are_sure_by_their_distance_until_they_are_calibrated(path):
    ranked = compete(Ranking(), prepared_for(path), 0).folds[0]
    assert ranked.automation.around == ranked.threshold
    assert np.isnan(compete(Ranking(), prepared_for(path, "protocol.calibrate=isotonic"), 0).folds[0].automation.around)
    assert np.isnan(compete(Knowing(), prepared_for(path), 0).folds[0].automation.around)


def test_of_several_classes_each_is_told(path):
    prepared = prepared_for(path, target="Grade", positive=None, exclude=("Customer", "Status"))
    linear = next(each for each in line_up(TASK, prepared.objective, prepared.recipe) if each.name == "linear")
    trial = compete(linear, prepared, 0)
    report = judge(trial, prepared, 0).oversight
    assert [each.label for each in report.classes] == ["a", "b", "c"]
    assert sum(each.n for each in report.classes) == ROWS
    assert report.levels[-1].share.value > 0.2


def test_groups_decided_at_thresholds_of_their_own_are_validated_so(path):
    prepared = prepared_for(path, "protocol.mitigate=thresholds", "protocol.kind=holdout")
    contenders = line_up(TASK, prepared.objective, prepared.recipe, prepared.mitigation)
    made = next(each for each in contenders if each.kind == "mitigated" and "linear" in each.name)
    fold, parts = prepared.folds[0], prepared.dataset.examples
    model, done = _tested(made, prepared, fold, 0, unwatched, None)
    valid = parts.take(fold.valid)
    said = decided(model.predict(valid), done.by_group, valid, valid.kinds)
    expected = Guarantee.of(said.labels() != prepared.objective.encode(valid.target), confidence(said))
    assert done.automation.least[0.1] == (expected.least(0.1) or NOTHING)


def test_numbers_have_no_word_on_how_sure_they_are():
    prepared = prepare(DIABETES, DataRequest(), 0, ["protocol.folds=2", "recipe.trials=1"])
    linear = next(each for each in line_up(DIABETES, prepared.objective, prepared.recipe) if each.name == "linear")
    trial = compete(linear, prepared, 0)
    assert trial.folds[0].automation is None
    assert judge(trial, prepared, 0).oversight is None
    outcomes, chosen = {"linear": trial.outcome}, {"linear": [each.automation for each in trial.folds]}
    assert lead_of(outcomes, chosen, "linear", "linear") is None
    with pytest.raises(BadInput, match=r"protocol\.automate_at=0\.1 is for classes"):
        prepare(DIABETES, DataRequest(), 0, ["protocol.automate_at=0.1"])


def test_the_lead_is_over_the_same_rows_each_at_its_own_cut_off(path):
    prepared = prepared_for(path, "protocol.automate_at=0.1")
    trial = compete(Knowing(), prepared, 0)
    sure = [each.automation for each in trial.folds]
    never = [replace(each, least=dict.fromkeys(each.least, NOTHING)) for each in sure]
    outcomes = {"mlp": trial.outcome, "prior": trial.outcome}
    found = lead_of(outcomes, {"mlp": sure, "prior": never}, "mlp", "prior")
    assert (found.network, found.baseline, found.at) == ("mlp", "prior", 0.1)
    assert found.difference.value == pytest.approx(judge(trial, prepared, 0).oversight.acted.share.value)
    assert lead_of(outcomes, {"mlp": never, "prior": sure}, "mlp", "prior").difference.value < 0


def test_nothing_is_chosen_without_validation_rows_that_count(path):
    prepared = prepared_for(path)
    trial = compete(Knowing(), prepared, 0)
    empty = replace(trial.outcome, weight=np.zeros(len(trial.outcome)))
    found = automation_of(empty, prepared.objective, 0.05)
    assert set(found.least.values()) == {NOTHING}
    assert found.rows == 0
