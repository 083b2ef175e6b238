"""The sessions of OASIS: the published counts, and that nothing in them was written down because of the diagnosis."""

import collections

import numpy as np
import pytest

from pipelines import catalogue
from pipelines.data.builders.wheels import brain_frame
from pipelines.data.leaks.telling import auroc_of, telling
from pipelines.data.visits import HISTORY
from pipelines.prepare import load
from pipelines.task import DataRequest

TASK = catalogue.find("medical_imaging/alzheimers")


@pytest.fixture(scope="module")
def sample():
    return load(TASK, DataRequest())


@pytest.fixture(scope="module")
def with_mmse():
    return load(TASK, DataRequest("sample:with-mmse"))


@pytest.fixture(scope="module")
def published():
    return brain_frame("oasis_001.csv").sort_values(["Subject.ID", "MR.Delay"])


def test_rows_are_373_sessions_of_150_people(sample):
    examples = sample.examples
    assert collections.Counter(examples.target) == {"no": 206, "yes": 167}
    assert (sample.target, sample.positive, sample.simulated) == ("demented", "yes", False)
    assert len(set(examples.ids)) == 150
    assert collections.Counter(collections.Counter(examples.ids).values()) == {2: 94, 3: 43, 4: 9, 5: 4}
    assert collections.Counter(examples.columns["sex"]) == {"female": 213, "male": 160}
    assert examples.columns["nwbv"].mean() == pytest.approx(0.7296, abs=1e-4)
    assert not any(np.isnan(examples.columns[name]).any() for name in examples.names("number"))


def test_a_row_is_a_session_and_its_own_diagnosis(sample, published):
    examples = sample.examples
    assert examples.ids.tolist() == published["Subject.ID"].tolist()
    assert (examples.target == "yes").tolist() == (published["CDR"] > 0).tolist()
    assert examples.columns["since_first_visit"].tolist() == published["MR.Delay"].tolist()
    changes = {tuple(examples.target[examples.ids == who]) for who in set(examples.ids)}
    assert ("no", "no", "yes") in changes, "a diagnosis is of its session, not of the person"


def test_groups_are_measured_and_kept(sample):
    assert set(sample.examples.groups) == {"sex", "age", "education"}
    assert set(sample.examples.groups["age"]) == {"<70", "70-80", ">=80"}
    assert {"sex", "age", "education"} <= set(sample.examples.columns)


def test_the_mental_state_is_a_set_of_its_own(sample, with_mmse):
    assert not [name for name in sample.examples.columns if "mmse" in name]
    assert [name for name in with_mmse.examples.columns if "mmse" in name] == [
        "mmse", "mmse_since_last_visit", "mmse_since_first_visit",
    ]  # fmt: skip
    assert int(np.isnan(with_mmse.examples.columns["mmse"]).sum()) == 2
    assert with_mmse.examples.columns[HISTORY].shape == (373, 5, 4)
    assert sample.examples.columns[HISTORY].shape == (373, 5, 3)


def test_no_column_is_made_of_the_diagnosis(with_mmse, published):
    """Every column, and every step of the history, is one of those that are known without it, or made of them."""
    examples = with_mmse.examples
    told = {"Age": "age", "EDUC": "education", "eTIV": "etiv", "nWBV": "nwbv", "MMSE": "mmse"}
    made = {"earlier_visits", "since_last_visit", "since_first_visit"}
    made |= {f"{name}_since_{when}_visit" for name in ("etiv", "nwbv", "mmse") for when in ("last", "first")}
    assert set(examples.columns) == {*told.values(), *made, "sex", HISTORY}
    for name, here in told.items():
        np.testing.assert_array_equal(examples.columns[here], published[name].to_numpy(float))
    whole = examples.columns[HISTORY][:, -1]
    np.testing.assert_allclose(whole[:, 1:], published[["nWBV", "eTIV", "MMSE"]], rtol=1e-6)


def test_what_was_left_out_would_have_told(with_mmse, published):
    codes = (published["CDR"] > 0).to_numpy().astype(int)
    assert telling(with_mmse.examples)[0].passed
    assert auroc_of(published["CDR"].to_numpy(float), codes) == 1.0
    assert auroc_of(published["Group"].to_numpy(object), codes) == pytest.approx(0.9885, abs=1e-4)
    unknown = published["SES"].isna()
    assert codes[unknown].all()
    assert unknown.sum() == 19
