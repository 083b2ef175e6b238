"""What the user is told about their data, without having asked, and when nothing is said."""

from dataclasses import replace

import numpy as np
import pytest

from pipelines.data.assumed import assumed
from pipelines.data.examples import Examples
from pipelines.data.splits import Fold
from pipelines.task import Dataset


def told(columns=None, target=("no", "yes"), n=60, ids=None, positive="yes"):
    classes = sorted(set(target))
    labels = np.resize(np.array(target, object), n)
    codes = np.array([classes.index(label) for label in labels])
    columns = {"x": np.arange(float(n))} if columns is None else columns
    dataset = Dataset(
        Examples(columns=columns, target=labels, ids=ids), "a test", False, target="label", positive=positive
    )
    whole = Fold(np.arange(0, n - 20), np.arange(n - 20, n - 10), np.arange(n - 10, n))
    return list(assumed(dataset, codes, classes, [whole]))


def test_nothing_is_said_where_all_was_said():
    assert told() == []


def test_which_class_counts_as_positive():
    assert told(positive=None) == ["'yes' counts as positive (30 of 60 rows); --positive changes it"]


def test_classes_that_differ_in_case_or_spaces():
    (note,) = told(target=("No", "no", "yes "))
    assert note.startswith("the target's values 'No', 'no' count as different classes")


def test_a_target_with_very_many_classes():
    (note,) = told(target=[f"name{i}" for i in range(30)])
    assert "'label' has 30 classes" in note
    assert told(target=[f"name{i}" for i in range(20)]) == []


@pytest.mark.parametrize(
    "name", ["patient_id", "CustomerID", "subject", "mrn", "Speaker Name", "patientid", "PATIENTID", "customer no."]
)
def test_a_column_that_says_whom_a_row_is_about(name):
    owner = np.array([f"p{i // 3}" for i in range(60)], object)
    (note,) = told(columns={name: owner})
    assert f"column {name!r} has 20 values in 60 rows" in note
    assert f"--id {name!r}" in note
    assert told(columns={name: owner}, ids=owner) == []


def test_the_more_rows_a_person_has_the_more_it_matters():
    owner = np.array([f"p{i % 3}" for i in range(60)], object)
    (note,) = told(columns={"patient": owner})
    assert "has 3 values in 60 rows" in note


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("paid", np.repeat(np.arange(20.0), 3)),  # no word of its own
        ("customer_type", np.resize(np.array(["a", "b"], object), 60)),  # 30 rows each: a kind of customer
        ("user_age", np.arange(60.0)),  # every row its own
    ],
)
def test_a_column_that_does_not(name, values):
    assert told(columns={name: values}) == []


def test_rows_that_no_part_holds():
    """Others of their id are why; what a purge or a later stretch of a walk leaves out is in the protocol's words."""
    examples = Examples(columns={"x": np.arange(30.0)}, target=np.arange(30.0), ids=np.arange(30).astype(str))
    dataset = Dataset(examples, "a test", False, target="y")
    fold = Fold(np.arange(10), np.arange(10, 15), np.arange(15, 25))
    (note,) = assumed(dataset, np.arange(30.0), (), [fold])
    assert note.startswith("5 rows are in no part of the split")
    without = Dataset(replace(examples, ids=None), "a test", False, target="y")
    assert list(assumed(without, np.arange(30.0), (), [fold])) == []
