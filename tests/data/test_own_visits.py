"""A user's own visits: a table, whose rows never lose their person, and pictures, of which it must be known whose."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pipelines import catalogue
from pipelines.data.visits import HISTORY
from pipelines.errors import BadInput
from pipelines.prepare import load
from pipelines.task import DataRequest

TASK = catalogue.find("medical_imaging/alzheimers")
OWN = TASK.sources.own
FLAGS = {"id": "patient", "time": "day", "target": "ill"}


def table(people=12, visits=3):
    chance = np.random.default_rng(0)
    rows = [
        {
            "patient": f"p{who:02}", "day": f"20{10 + visit}-03-0{1 + who % 9}", "hippocampus": 3.5 - 0.1 * visit,
            "age": 60.0 + who + visit, "sex": "fm"[who % 2], "school": 10.0 + who % 4, "ill": "ny"[who % 3 == 0],
        }
        for who in range(people)
        for visit in range(visits)
    ]  # fmt: skip
    frame = pd.DataFrame(rows)
    frame["hippocampus"] += chance.normal(0, 0.01, len(frame)).round(4)
    return frame


@pytest.fixture
def written(tmp_path):
    def write(frame, name="visits.csv"):
        frame.to_csv(tmp_path / name, index=False)
        return str(tmp_path / name)

    return write


def read(where, **flags):
    return load(TASK, DataRequest(where, **{**FLAGS, **flags}))


def test_a_table_of_visits_gets_its_past(written):
    dataset = read(written(table().sample(frac=1, random_state=1)))
    examples = dataset.examples
    assert len(examples) == 36
    assert examples.time is None, "rows are split by person, not by time"
    assert len(set(examples.ids)) == 12
    assert json.loads(dataset.reading["numbers"]) == ["hippocampus", "age"]
    assert examples.columns[HISTORY].shape == (36, 3, 3)
    first = examples.columns["earlier_visits"] == 0
    assert first.sum() == 12
    assert (examples.columns["hippocampus_since_last_visit"][first] == 0).all()
    assert (examples.columns["hippocampus_since_last_visit"][~first] < 0).all()
    assert {*examples.groups} == {"sex", "age"}


def test_who_is_set_aside_is_not_followed_either(written):
    examples = read(written(table().rename(columns={"age": "years"})), sensitive=("years",)).examples
    assert not [name for name in examples.columns if "years" in name]
    assert examples.columns[HISTORY].shape[2] == 2


def test_personal_numbers_are_not_followed(written):
    frame = table()
    frame["phone"] = [4915112345600 + 7 * row for row in range(len(frame))]
    examples = read(written(frame)).examples
    assert not [name for name in examples.columns if "phone" in name]
    assert examples.columns[HISTORY].shape[2] == 3


def test_each_person_once_needs_no_time(written):
    dataset = read(written(table(people=30, visits=1).drop(columns="day")), time=None)
    assert dataset.examples.columns[HISTORY].shape == (30, 1, 1)


@pytest.mark.parametrize(
    ("change", "flags", "message"),
    [
        (None, {"id": None}, "--id is missing: name the column .* whose each visit is"),
        (None, {"time": None}, "--time is missing: .* several visits of one person"),
        (lambda rows: rows.assign(day="2011-01-01"), {}, "lines 2 and 3 are visits of one person at one moment"),
        (lambda rows: rows.rename(columns={"school": "earlier_visits"}), {}, "'earlier_visits'.*rename it"),
        (lambda rows: rows.assign(day="later"), {}, "line 2, column 'day' .*--time"),
        (lambda rows: rows.assign(patient=[None, *rows["patient"][1:]]), {}, "--id"),
    ],
)
def test_what_cannot_be_is_refused(written, change, flags, message):
    with pytest.raises(BadInput, match=message) as caught:
        read(written(table() if change is None else change(table())), **flags)
    assert "p00" not in str(caught.value)


def test_rows_to_predict_are_read_as_those_that_were_learned_from(written):
    dataset = read(written(table()))
    kinds = dataset.examples.kinds
    shuffled = table().drop(columns="ill").sample(frac=1, random_state=3)
    rows = OWN.to_predict(written(shuffled.assign(more=1), "new.csv"), kinds, dataset.reading)
    assert set(rows.columns) == set(kinds)
    for name in kinds:
        np.testing.assert_array_equal(rows.columns[name], dataset.examples.columns[name][shuffled.index])
    assert "12 rows have no earlier visit" in " ".join(rows.notes)
    once = OWN.to_predict(written(shuffled.drop_duplicates("patient"), "new.csv"), kinds, dataset.reading)
    assert once.columns[HISTORY].shape == (12, 3, 3), "as long as those that were learned from"
    with pytest.raises(BadInput, match="are visits of one person at one moment"):
        OWN.to_predict(written(shuffled.assign(day="2011-01-01"), "new.csv"), kinds, dataset.reading)
    with pytest.raises(BadInput, match="no column 'patient'"):
        OWN.to_predict(written(shuffled.drop(columns="patient"), "new.csv"), kinds, dataset.reading)
    with pytest.raises(BadInput, match="no column 'school'"):
        OWN.to_predict(written(shuffled.drop(columns="school"), "new.csv"), kinds, dataset.reading)


def slices(folder, labels=True):
    chance = np.random.default_rng(1)
    rows = []
    for who in range(12):
        for cut in range(2):
            place = folder / ("well", "ill")[who % 2] / f"{who}_{cut}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            pixels = chance.integers(0, 120, (20, 20)) + 100 * (who % 2)
            Image.fromarray(pixels.astype(np.uint8)).save(place)
            rows.append((str(place.relative_to(folder)), ("well", "ill")[who % 2], f"s{who}", "fm"[who // 2 % 2]))
    if labels:
        pd.DataFrame(rows, columns=["path", "label", "patient", "sex"]).to_csv(folder / "labels.csv", index=False)
    return str(folder)


def test_slices_with_a_subject_are_read(tmp_path):
    examples = load(TASK, DataRequest(slices(tmp_path / "slices"))).examples
    assert examples.columns["image"].shape == (24, 64, 64, 1)
    assert len(set(examples.ids)) == 12
    assert set(examples.groups["sex"]) == {"f", "m"}


def test_volumes_are_one_row_each(tmp_path):
    nibabel = pytest.importorskip("nibabel")
    for who in range(4):
        place = tmp_path / ("well", "ill")[who % 2] / f"sub-{who}_T1w.nii.gz"
        place.parent.mkdir(exist_ok=True)
        values = np.random.default_rng(who).normal(size=(9, 8, 7)).astype(np.float32)
        nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), place)
    examples = load(TASK, DataRequest(str(tmp_path))).examples
    assert examples.columns["image"].shape == (4, 32, 32, 32, 1)
    assert sorted(examples.ids) == ["sub-0", "sub-1", "sub-2", "sub-3"]


def test_no_subject_no_run(tmp_path):
    with pytest.raises(BadInput, match=r"does not say whose each picture is.*labels.csv"):
        load(TASK, DataRequest(slices(tmp_path / "slices", labels=False)))
    np.savez(tmp_path / "brains.npz", train_images=np.zeros((30, 8, 8), np.uint8), train_labels=np.arange(30) % 2)
    with pytest.raises(BadInput, match=r"brains.npz does not say whose each picture is.*labels.csv"):
        load(TASK, DataRequest(str(tmp_path / "brains.npz")))


def test_contenders_are_those_of_the_kind_of_data():
    def names(columns):
        task = TASK.competing("", columns)
        return [each.name for each in (*task.networks, *task.baselines)]

    assert names(["age", HISTORY]) == ["gru", "prior", "linear", "forest", "boosting"]
    of_pictures = names(["image"])
    assert of_pictures[0] == "small-resnet"
    assert "pixels" in of_pictures
    assert "prior" in of_pictures
    assert not {"gru", "linear", "forest"} & set(of_pictures)
