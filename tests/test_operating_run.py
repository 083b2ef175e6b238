"""Operating points within a run: chosen on validation rows of each fold, and asked for as a setting."""

import numpy as np
import pandas as pd
import pytest
from test_oversight_run import FAST, ROWS, Knowing

from domains.finance.credit_default import TASK
from pipelines.compete import compete, judge
from pipelines.errors import BadInput
from pipelines.journal import open_journal
from pipelines.objectives.operating import Target, chosen
from pipelines.operating import leads
from pipelines.prepare import prepare
from pipelines.task import DataRequest

ASKED = ("protocol.operate_at=specificity:0.9,sensitivity:0.95", "protocol.prevalence=0.02")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path, chance = tmp_path_factory.mktemp("operating") / "own.csv", np.random.default_rng(0)
    score = chance.normal(size=ROWS)
    pd.DataFrame({
        "Score": score, "Customer": np.arange(ROWS) // 4,
        "Status": np.where(4 * score + chance.logistic(size=ROWS) > 0, "good", "bad"),
        "Grade": np.array(["a", "b", "c"])[np.digitize(score, (-0.5, 0.5))],
    }).to_csv(path, index=False)  # fmt: skip
    return path


def prepared_for(path, *assignments, target="Status", other="Grade"):
    positive = "good" if target == "Status" else None
    request = DataRequest(str(path), target=target, positive=positive, id="Customer", exclude=(other,))
    return prepare(TASK, request, 0, (*FAST, *assignments))


def test_each_fold_operates_where_its_own_validation_rows_say(path, tmp_path):
    prepared = prepared_for(path, *ASKED)
    journal = open_journal(tmp_path / "journal", {"task": "t"}, {}, False)
    trial = compete(Knowing(), prepared, 0)
    examples, objective = prepared.dataset.examples, prepared.objective
    for fold, done in zip(prepared.folds, trial.folds, strict=True):
        valid = examples.take(fold.valid)
        said = Knowing().predict(valid).values[:, 1]
        ids = np.unique(valid.ids.astype(str), return_inverse=True)[1]
        expected = [
            chosen(Target.parse(text), objective.encode(valid.target), said, None, ids)
            for text in ("specificity:0.9", "sensitivity:0.95")
        ]
        assert list(done.operating) == expected
    card = judge(trial, prepared, 0)
    point = card.operating[0]
    assert point.thresholds == tuple(done.operating[0].threshold for done in trial.folds)
    assert (point.prevalence, point.stated, point.why_not) == (0.02, True, "")
    assert point.precision.value < 0.3  # few are positive where it is told for, though half of these rows are
    assert point.specificity.low < 0.9 < point.specificity.high
    entry = journal.entry("knowing", 0)
    entry.finish(None, trial.folds[0], None)
    assert entry.finished().operating == trial.folds[0].operating
    journal.release()


def test_the_lead_is_nothing_where_both_say_the_same(path):
    prepared = prepared_for(path, *ASKED)
    outcome = compete(Knowing(), prepared, 0).outcome
    first, second = leads({"a": outcome, "b": outcome}, "a", "b", prepared, 0)
    assert (first.score, first.difference, first.p_value) == ("sensitivity_at_90_percent_specificity", 0.0, 1.0)
    assert second.score == "specificity_at_95_percent_sensitivity"


def test_nothing_is_told_where_nothing_was_asked(path):
    prepared = prepared_for(path)
    trial = compete(Knowing(), prepared, 0)
    assert judge(trial, prepared, 0).operating == ()
    assert leads({"a": trial.outcome}, "a", "a", prepared, 0) == ()


@pytest.mark.parametrize(
    ("assignments", "said"),
    [
        (("protocol.operate_at=specificity:90",), "write sensitivity:S or specificity:S"),
        (("protocol.operate_at=specificity:0.9,specificity:0.90",), "asks for the same twice"),
        (("protocol.prevalence=0.1",), "does nothing without operating points"),
        (("protocol.operate_at=specificity:0.9", "protocol.prevalence=1.5"), "is a share of positives"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(path, assignments, said):
    with pytest.raises(BadInput, match=said):
        prepared_for(path, *assignments)


def test_points_are_for_two_classes(path):
    with pytest.raises(BadInput, match=r"operate_at=specificity:0\.9 is for two classes"):
        prepared_for(path, "protocol.operate_at=specificity:0.9", target="Grade", other="Status")
