"""Visits of a user's own from end to end: a table, pictures, a column that holds the answer, a split that leaks."""

import json

import numpy as np
import pandas as pd
from PIL import Image

from pipelines import catalogue
from pipelines.prepare import prepare
from pipelines.task import DataRequest

TASK = "medical_imaging/alzheimers"
FAST = [
    part
    for each in (
        "recipe.epochs=2", "recipe.trials=1", "recipe.width=16", "recipe.plan=resident", "protocol.kind=holdout",
        "protocol.repeats=1", "protocol.resamples=100",
    )
    for part in ("--set", each)
]  # fmt: skip
FLAGS = ("--data", "visits.csv", "--id", "subject", "--time", "visit", "--target", "demented")


def visits(people=40):
    chance = np.random.default_rng(0)
    who, visit = np.repeat(np.arange(people), 2), np.tile([1, 2], people)
    ill = (who % 2 == 1) & ((visit == 2) | (who % 4 == 1))
    volume = 0.75 - 0.02 * ill + chance.normal(0, 0.01, len(who))
    sex = np.array(["f", "m"])[chance.integers(0, 2, people)][who]
    return pd.DataFrame({
        "subject": [f"P-{each:03}" for each in who], "visit": visit, "volume": volume.round(4), "sex": sex,
        "years": chance.integers(60, 90, people)[who], "demented": np.where(ill, "yes", "no"),
    })  # fmt: skip


def test_a_table_runs_and_its_model_predicts(folder, tapeline):
    visits().to_csv("visits.csv", index=False)
    ended = tapeline("run", TASK, *FLAGS, *FAST, "--json")
    assert ended.code == 0, ended.err
    document = json.loads(ended.out)
    assert {each["name"] for each in document["contenders"]} == {"gru", "prior", "linear", "forest", "boosting"}
    assert "whole ids" in document["data"]["protocol"]
    assert all(check["passed"] for check in document["data"]["checks"])
    assert "P-001" not in ended.out
    visits().drop(columns="demented").to_csv("new.csv", index=False)
    for contender in ("gru", "forest"):
        files = ("--input", "new.csv", "--output", "told.csv")
        told = tapeline("predict", document["mlflow_run_id"], "--contender", contender, *files)
        assert told.code == 0, told.err
        assert len(pd.read_csv("told.csv")) == 80


def test_a_column_that_holds_the_diagnosis_is_caught(folder, tapeline):
    rows = visits()
    rows["group"] = np.where(rows["demented"] == "yes", "Demented", "Nondemented")
    rows.to_csv("visits.csv", index=False)
    ended = tapeline("run", TASK, *FLAGS, *FAST)
    assert ended.code == 2
    assert "column 'group' is the target 'demented', or the same in another code" in ended.err
    rows["cdr"] = np.where(rows["demented"] == "yes", np.where(rows["volume"] < 0.73, 1, 0.5), 0)
    rows.drop(columns="group").to_csv("visits.csv", index=False)
    checks = {each.name: each for each in prepared().checks}
    found = checks["no column alone tells the classes apart"]
    assert not found.passed
    assert found.detail.startswith("'cdr' alone has an AUROC of 1.000")


def test_a_split_that_tears_people_apart_is_told(folder):
    visits().to_csv("visits.csv", index=False)
    torn, whole = prepared("protocol.by=row"), prepared()
    passed = [{each.name: each for each in of.checks}["no id in two splits"].passed for of in (torn, whole)]
    assert passed == [False, True]
    told = ["40 ids in 80 rows): every score here is too good" in " ".join(of.dataset.notes) for of in (torn, whole)]
    assert told == [True, False]


def prepared(*assignments):
    request = DataRequest("visits.csv", target="demented", id="subject", time="visit")
    return prepare(catalogue.find(TASK), request, 0, assignments)


def test_slices_run_when_it_is_known_whose_they_are(folder, tapeline):
    chance = np.random.default_rng(1)
    for who in range(24):
        place = folder / "scans" / ("well", "ill")[who % 2]
        place.mkdir(parents=True, exist_ok=True)
        for cut in range(2):
            pixels = chance.integers(0, 120, (16, 16)) + 60 * (who % 2)
            Image.fromarray(pixels.astype(np.uint8)).save(place / f"{who}_{cut}.png")
    ended = tapeline("run", TASK, "--data", "scans", *FAST, "--json")
    assert ended.code == 2
    assert "does not say whose each picture is" in ended.err
    files = sorted((folder / "scans").rglob("*.png"))
    rows = [(str(path.relative_to(folder / "scans")), path.parent.name, path.stem.split("_")[0]) for path in files]
    pd.DataFrame(rows, columns=["path", "label", "subject"]).to_csv("scans/labels.csv", index=False)
    plain = ("--set", "protocol.robustness=no", "--set", "protocol.strange=none")
    ended = tapeline("run", TASK, "--data", "scans", *FAST, *plain, "--json")
    assert ended.code == 0, ended.err
    document = json.loads(ended.out)
    names = [each["name"] for each in document["contenders"]]
    assert names[0] == "small-resnet"
    assert {"prior", "area", "pixels"} <= set(names)
    assert not {"gru", "linear", "forest"} & set(names)
    assert document["data"]["splits"]["train"] < 48
