"""A task for tables that reads pictures too: who competes, by which recipe, what is learned, predicted and refused."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pipelines import catalogue
from pipelines.prepare import prepare
from pipelines.task import DataRequest

TASK = catalogue.find("medical_imaging/breast-cancer")
FAST = [
    part
    for each in (
        "recipe.epochs=2", "recipe.trials=1", "recipe.width=4", "recipe.plan=resident", "protocol.resamples=100",
        "protocol.robustness=no", "protocol.strange=none",
    )
    for part in ("--set", each)
]  # fmt: skip


@pytest.fixture
def breasts(folder):
    """An `.npz` of BreastMNIST's layout: grey, three parts; a dark spot where the label is 0 (malignant)."""
    chance, arrays = np.random.default_rng(0), {}
    for part, rows in (("train", 60), ("val", 20), ("test", 40)):
        labels = np.arange(rows) % 2
        pictures = chance.integers(90, 200, (rows, 28, 28)).astype(np.uint8)
        pictures[labels == 0, 8:18, 8:18] //= 3
        arrays |= {f"{part}_images": pictures, f"{part}_labels": labels[:, np.newaxis].astype(np.uint8)}
    np.savez(folder / "breastmnist.npz", **arrays)
    return "breastmnist.npz"


def test_pictures_run_and_their_model_predicts(breasts, folder, tapeline):
    ended = tapeline("run", TASK.name, "--data", breasts, "--positive", "0", *FAST, "--json")
    assert ended.code == 0, ended.err
    document = json.loads(ended.out)
    names = [each["name"] for each in document["contenders"]]
    assert names == ["resnet-14", "prior", "area", "shape", "pixels", "linear-pixels", "nearest", "hog", "texture"]
    assert document["data"]["splits"]["test"] == 40
    assert document["verdict"]["limits"] == [], "the limit is of the sample, which is a table"
    scores = {each["name"]: each["scores"]["auroc"]["value"] for each in document["contenders"]}
    assert scores["pixels"] > 0.9
    ended = tapeline("check", TASK.name, "--run", document["mlflow_run_id"])
    assert ended.code == 0, ended.err
    assert "declares no limit for such data" in " ".join(ended.out.split())
    Image.fromarray(np.load(breasts)["test_images"][0]).save(folder / "new.png")
    ended = tapeline(
        "predict", document["mlflow_run_id"], "--contender", "pixels", "--input", "new.png", "--output", "a.csv"
    )
    assert ended.code == 0, ended.err
    assert pd.read_csv(folder / "a.csv")["decision"].astype(str).tolist() == ["0"]


def test_tables_run_as_before_and_their_model_predicts(folder, tapeline):
    chance = np.random.default_rng(0)
    rows = pd.DataFrame({"size": chance.normal(size=80), "texture": chance.normal(size=80)})
    rows["diagnosis"] = np.where(rows["size"] + chance.normal(0, 0.3, 80) > 0, "M", "B")
    rows.to_csv("cells.csv", index=False)
    flags = ("--data", "cells.csv", "--target", "diagnosis", "--positive", "M")
    ended = tapeline("run", TASK.name, *flags, *FAST, "--set", "protocol.kind=holdout", "--json")
    assert ended.code == 0, ended.err
    document = json.loads(ended.out)
    assert [each["name"] for each in document["contenders"]] == ["mlp", "prior", "linear", "forest", "boosting"]
    assert document["verdict"]["limits"], "the task's own"
    ended = tapeline("predict", document["mlflow_run_id"], "--input", "cells.csv", "--output", "told.csv")
    assert ended.code == 0, ended.err
    assert len(pd.read_csv("told.csv")) == 80


def test_the_recipe_and_the_protocol_are_those_for_pictures(breasts):
    of_pictures = prepare(TASK, DataRequest(breasts, positive="0"), 0, ["recipe.dropout=0.1"])
    assert (of_pictures.recipe.width, of_pictures.recipe.augment, of_pictures.recipe.dropout) == (16, 1.0, 0.1)
    assert of_pictures.protocol.kind == "holdout", "the official test rows"
    table = prepare(TASK, DataRequest(), 0)
    assert (table.recipe.width, table.recipe.augment, table.protocol.repeats) == (64, 0.0, 3)
    told = [note for each in (of_pictures, table) for note in each.dataset.notes]
    assert not [note for note in told if "is left out" in note], "each kind of data has its own networks"
    assert TASK.on(["image"]).card != TASK.on(["mean radius"]).card == TASK.card


@pytest.mark.parametrize(
    ("data", "setting", "words"),
    [
        ("sample", "recipe.augment=0.5", "none of mlp heeds it"),
        ("sample", "protocol.networks=resnet-18", "resnet-18 learns from image, which these data have not"),
        ("breastmnist.npz", "protocol.networks=mlp", "mlp does not learn from image"),
    ],
)
def test_what_does_not_suit_the_data_is_refused(breasts, tapeline, data, setting, words):
    ended = tapeline("run", TASK.name, "--data", data, "--set", setting)
    assert ended.code == 2
    assert words in " ".join(ended.err.split())
