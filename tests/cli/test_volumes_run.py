"""Volumes from end to end: NIfTI files of people, and an `.npz` of MedMNIST's 3-D layout."""

import json

import nibabel
import numpy as np
import pandas as pd

FAST = [
    part
    for each in (
        "recipe.epochs=2", "recipe.trials=1", "recipe.width=4", "recipe.plan=resident", "protocol.resamples=100",
        "protocol.kind=holdout", "protocol.robustness=no", "protocol.strange=none",
    )
    for part in ("--set", each)
]  # fmt: skip


def head(chance, ill):
    """(20, 24, 18) a ball of tissue; of the ill a dark hole is in its middle."""
    x, y, z = np.mgrid[tuple(slice(-1, 1, side * 1j) for side in (20, 24, 18))]
    radius = x**2 + y**2 + z**2
    inner = 300 + 30 * chance.normal(size=radius.shape)
    return (np.where(radius < 0.7, inner, 0) * np.where(ill & (radius < 0.15), 0.2, 1)).astype(np.float32)


def test_nifti_volumes_of_people(folder, tapeline):
    chance, rows = np.random.default_rng(0), []
    for who in range(30):
        name = f"scans/P-{who // 2:03}_{who % 2}.nii.gz"
        path = folder / "brains" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        ill = who // 2 % 2
        nibabel.save(nibabel.Nifti1Image(head(chance, bool(ill)), np.eye(4)), path)
        rows.append(
            {"path": name, "label": ("well", "ill")[ill], "subject": f"P-{who // 2:03}", "sex": "fm"[who // 4 % 2]}
        )
    pd.DataFrame(rows).to_csv(folder / "brains" / "labels.csv", index=False)
    flags = ("--data", "brains", "--positive", "ill")
    ended = tapeline("run", "medical_imaging/alzheimers", *flags, *FAST, "--json")
    assert ended.code == 0, ended.err
    document = json.loads(ended.out)
    assert document["data"]["rows"] == 30
    assert "whole ids" in document["data"]["protocol"]
    scores = {each["name"]: each["scores"]["auroc"]["value"] for each in document["contenders"]}
    assert scores["linear-pixels"] > 0.9
    assert "small-resnet" in scores
    assert "P-001" not in ended.out
    told = tapeline("predict", document["mlflow_run_id"], "--input", "brains", "--output", "told.csv")
    assert told.code == 0, told.err
    assert len(pd.read_csv("told.csv")) == 30


def test_an_npz_of_volumes(folder, tapeline):
    chance, arrays = np.random.default_rng(0), {}
    for part, rows in (("train", 40), ("val", 12), ("test", 24)):
        labels = np.arange(rows) % 2
        volumes = chance.integers(0, 120, (rows, 16, 16, 16)).astype(np.uint8)
        volumes[labels == 1, 5:11, 5:11, 5:11] += 90
        arrays |= {f"{part}_images": volumes, f"{part}_labels": labels[:, np.newaxis]}
    np.savez(folder / "nodulemnist3d.npz", **arrays)
    flags = ("--data", "nodulemnist3d.npz", "--positive", "1")
    ended = tapeline("run", "medical_imaging/lung-nodule", *flags, *FAST, "--json")
    assert ended.code == 0, ended.err
    document = json.loads(ended.out)
    assert document["data"]["splits"]["test"] == 24
    assert max(each["scores"]["auroc"]["value"] for each in document["contenders"]) > 0.9
    told = tapeline("predict", document["mlflow_run_id"], "--input", "nodulemnist3d.npz", "--output", "told.csv")
    assert told.code == 0, told.err
    assert len(pd.read_csv("told.csv")) == 76
