"""Grades of a user's own pictures from end to end: RetinaMNIST's layout, and a folder with a CSV."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

TASK = "medical_imaging/diabetic-retinopathy"
FAST = [
    part
    for each in ("recipe.epochs=2", "recipe.trials=1", "recipe.plan=resident",
                 "protocol.resamples=100", "protocol.robustness=no", "protocol.strange=none")
    for part in ("--set", each)
]  # fmt: skip


def eyes(grades, side=28, seed=0):
    """(n, side, side, 3) the higher the grade, the darker."""
    chance = np.random.default_rng(seed)
    level = 220 - 40 * np.asarray(grades)[:, None, None, None] + chance.normal(0, 12, (len(grades), side, side, 3))
    return np.clip(level, 0, 255).astype(np.uint8)


@pytest.fixture
def retina(folder):
    """RetinaMNIST's layout; its validation rows lack a grade."""
    parts = {"train": np.arange(80) % 5, "val": np.arange(24) % 4, "test": np.arange(40) % 5}
    arrays = {f"{part}_images": eyes(grades, seed=len(part)) for part, grades in parts.items()}
    arrays |= {f"{part}_labels": grades.astype(np.uint8)[:, np.newaxis] for part, grades in parts.items()}
    np.savez(folder / "retina.npz", **arrays)
    return folder


def test_an_npz_of_grades_is_judged_by_kappa_and_predicted(retina, tapeline):
    flags = ("--set", "protocol.blend=yes", "--set", "protocol.calibrate=temperature", "--set", "recipe.width=4")
    ended = tapeline("run", TASK, "--data", "retina.npz", *FAST, *flags, "--json")
    assert ended.code == 0, ended.err
    document = json.loads(ended.out)
    cards = {each["name"]: each for each in document["contenders"]}
    assert document["data"]["splits"] == {"train": 80, "valid": 24, "test": 40}
    assert (document["primary"], document["comparisons"][0]["score"]) == ("quadratic_kappa", "quadratic_kappa")
    assert set(cards) >= {"small-resnet", "prior", "ordinal-pixels", "ordinal-spots", "blend"}
    kappa = cards["ordinal-pixels"]["scores"]["quadratic_kappa"]
    assert kappa["low"] <= kappa["value"] <= kappa["high"]
    assert kappa["value"] > 0.8
    assert cards["prior"]["scores"]["quadratic_kappa"]["value"] == 0
    assert len(cards["ordinal-pixels"]["settings"]["cuts"].split(", ")) == 4
    ended = tapeline("predict", document["mlflow_run_id"], "--input", "retina.npz", "--output", "out.csv",
                     "--contender", "ordinal-pixels")  # fmt: skip
    assert ended.code == 0, ended.err
    table = pd.read_csv("out.csv")
    cuts = [float(each) for each in cards["ordinal-pixels"]["settings"]["cuts"].split(", ")]
    expected = table[[f"probability_{grade}" for grade in range(5)]].to_numpy() @ np.arange(5)
    clear = np.abs(expected[:, None] - cuts).min(axis=1) > 0.01
    assert (table["decision"].to_numpy() == np.searchsorted(cuts, expected))[clear].all()
    for contender in ("small-resnet", "blend"):
        ended = tapeline("predict", document["mlflow_run_id"], "--input", "retina.npz", "--output", "out.csv",
                         "--contender", contender)  # fmt: skip
        assert ended.code == 0, ended.err
        assert set(pd.read_csv("out.csv")["decision"]) <= set(range(5))
    ended = tapeline("report", document["mlflow_run_id"], "--output", "page.html")
    assert ended.code == 0, ended.err
    page = (retina / "page.html").read_text()
    assert "Grades decided on against true grades" in page
    assert "quadratic kappa" in page


def test_a_folder_with_a_csv_of_grades_by_patient_and_site(folder, tapeline):
    grades = np.repeat(np.arange(60) % 5, 2)
    names = np.array(["No_DR", "Mild", "Moderate", "Severe", "Proliferate_DR"])
    rows = []
    (folder / "eyes").mkdir()
    for number, (grade, picture) in enumerate(zip(grades, eyes(grades), strict=True)):
        Image.fromarray(picture).save(folder / "eyes" / f"{number}.png")
        site = "clinic" if number // 2 % 2 else "bus"
        rows.append({"path": f"{number}.png", "label": names[grade], "patient": f"p{number // 2}", "site": site})
    pd.DataFrame(rows).to_csv(folder / "eyes" / "labels.csv", index=False)
    ended = tapeline("run", TASK, "--data", "eyes", "--sensitive", "site", *FAST, "--set", "protocol.kind=holdout",
                     "--json")  # fmt: skip
    assert ended.code == 0, ended.err
    document = json.loads(ended.out)
    checks = {each["name"]: each["passed"] for each in document["data"]["checks"]}
    assert checks["no id in two splits"]
    card = next(each for each in document["contenders"] if each["name"] == "ordinal-pixels")
    assert card["scores"]["quadratic_kappa"]["value"] > 0.8
    assert {row["group"] for row in card["bias"]} == {"clinic", "bus"}
    assert {gap["metric"] for gap in card["gaps"]} >= {"quadratic_kappa", "mae", "mean_error"}
    ended = tapeline("explain", document["mlflow_run_id"], "--input", "eyes", "--output", "why", "--rows", "2",
                     "--contender", "small-resnet")  # fmt: skip
    assert ended.code == 0, ended.err
    told = pd.read_csv("why/explained.csv")
    assert "the expected grade" in told.columns[-1]
    assert set(told["answer"].str.split(" ").str[0]) <= set(names)


def test_labels_without_an_order_are_refused_in_one_line(folder, tapeline):
    labels = np.array(["a", "b", "c"])[np.arange(30) % 3]
    np.savez("odd.npz", train_images=eyes(np.arange(30) % 3), train_labels=labels)
    ended = tapeline("run", TASK, "--data", "odd.npz", "--json")
    assert ended.code == 2
    assert "have no order that is known here" in ended.err.replace("\n", " ")
    assert "Traceback" not in ended.err
