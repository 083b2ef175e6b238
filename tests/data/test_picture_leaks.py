"""Leaks that only pictures have, planted one by one, and pictures in which there is none."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipelines.data.checks import split_checks
from pipelines.data.examples import Examples, OnDemand
from pipelines.data.images import OwnImages
from pipelines.data.leaks import burnt_in, near_duplicates
from pipelines.data.leaks.pooled import pooled
from pipelines.data.pictures import files
from pipelines.data.splits import split
from pipelines.task import DataRequest, Protocol

SHARED = Path(__file__).resolve().parents[2] / "../shared/data/medmnist/pneumoniamnist.npz"
SIDE = 28
PARTS = {"train": np.arange(60), "valid": np.arange(60, 90), "test": np.arange(90, 120)}


def organs(n=120, seed=0, own=25):
    """(n, 28, 28) pictures of one organ: what all have in common, and so much that is each one's own."""
    chance = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    common = 140 - 90 * (np.hypot(np.abs(x) - 0.45, y) < 0.4)
    coarse = chance.normal(size=(n, 7, 7)).repeat(4, axis=1).repeat(4, axis=2)
    return np.clip(common + own * coarse + chance.normal(0, 4, (n, SIDE, SIDE)), 0, 255).astype(np.uint8)


def examples(pictures, target=None, ids=None):
    target = np.arange(len(pictures)) % 2 if target is None else target
    return Examples(columns={"image": pictures.reshape(*pictures.shape, 1)}, target=target, ids=ids)


def told(rows, parts=PARTS):
    return {check.name: check for check in split_checks(rows, *parts.values())}


def packed(picture, quality):
    held = io.BytesIO()
    Image.fromarray(picture).save(held, "jpeg", quality=quality)
    return np.asarray(Image.open(held))


CHANGES = {
    "equal": lambda picture: picture,
    "packed": lambda picture: packed(picture, 50),
    "brighter": lambda picture: np.clip(picture * 1.15 + 8, 0, 255).astype(np.uint8),
    "smaller": lambda picture: np.asarray(Image.fromarray(picture).resize((21, 21)).resize((SIDE, SIDE))),
    "noisier": lambda picture: np.clip(picture + np.random.default_rng(1).normal(0, 6, picture.shape), 0, 255).astype(
        np.uint8
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_picture_again_in_another_split_is_found(change):
    pictures = organs()
    for earlier, later in ((3, 95), (17, 101), (70, 110)):
        pictures[later] = CHANGES[change](pictures[earlier])
    check = told(examples(pictures))[near_duplicates.NAME]
    assert not check.passed
    assert check.detail.startswith("2 pictures in train and test, 1 picture in valid and test: the same again")


def test_pictures_of_one_organ_are_not_taken_for_each_other():
    for share in (25, 5):
        check = told(examples(organs(own=share)))[near_duplicates.NAME]
        assert (check.passed, check.detail) == (True, "none found")


def test_a_picture_again_in_its_own_split_is_no_leak():
    pictures = organs()
    pictures[5] = pictures[4]
    assert told(examples(pictures))[near_duplicates.NAME].passed


def test_outlines_are_left_out():
    discs = np.hypot(*np.mgrid[-14:14, -14:14])[np.newaxis] < np.resize([3, 4, 5], 120)[:, None, None]
    outlines = (discs * 255).astype(np.uint8)
    assert "outlines, which look alike" in told(examples(outlines))[near_duplicates.NAME].detail
    mixed = organs()
    mixed[:20], mixed[100:] = outlines[:20], outlines[100:]
    check = told(examples(mixed))[near_duplicates.NAME]
    assert (check.passed, "not looked for in 40 outlines" in check.detail) == (True, True)


def test_of_many_pictures_as_many_as_can_be_are_looked_at(monkeypatch):
    monkeypatch.setattr(near_duplicates, "MOST_ROWS", 60)
    pictures = organs()
    pictures[90:] = pictures[:30]
    check = told(examples(pictures))[near_duplicates.NAME]
    assert not check.passed
    assert "among 60 pictures of 120" in check.detail


def test_volumes_are_compared_too():
    chance = np.random.default_rng(0)
    volumes = chance.integers(0, 255, (120, 10, 10, 10)).astype(np.uint8)
    assert told(examples(volumes))[near_duplicates.NAME].passed
    volumes[100] = np.clip(volumes[10] * 0.9 + 5, 0, 255)
    assert told(examples(volumes))[near_duplicates.NAME].detail.startswith("1 picture in train and test")


def test_pictures_on_demand_are_looked_at_without_keeping_them(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "KEPT_BYTES", 0)
    pictures = organs()
    pictures[100] = packed(pictures[10], 60)
    for row, picture in enumerate(pictures):
        (tmp_path / "ab"[row // 60]).mkdir(exist_ok=True)
        Image.fromarray(picture).save(tmp_path / "ab"[row // 60] / f"{row:03}.png")
    held = OwnImages(size=SIDE).load(DataRequest(str(tmp_path))).examples
    assert isinstance(held.columns["image"], OnDemand)
    assert told(held)[near_duplicates.NAME].detail.startswith("1 picture in train and test")


def test_a_patient_in_two_official_splits_is_found(tmp_path):
    for row, picture in enumerate(organs(40)):
        split = ("train", "test")[row >= 30]
        place = tmp_path / split / "ab"[row % 2] / f"sub-{row // 2 if row != 35 else 3}" / f"{row}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(place)
    data = OwnImages(size=SIDE).load(DataRequest(str(tmp_path)))
    (fold,) = split_by(data)
    checks = told(data.examples, {"train": fold.train, "valid": fold.valid, "test": fold.test})
    check = checks["no id in two splits"]
    assert (check.passed, check.detail) == (False, "1 id in train and test")


def split_by(data):
    codes = np.unique(data.examples.target.astype(str), return_inverse=True)[1]
    return split(data.examples, codes, Protocol(by="id"), 0, data.official)


def marked(place, shape=(3, 3), rows=300, jitter=0, share=1.0):
    """Pictures of which those of class 1 have a white square somewhere near a place."""
    chance = np.random.default_rng(2)
    pictures, target = organs(rows, seed=3), chance.integers(0, 2, rows)
    for row in np.flatnonzero(target):
        if chance.random() < share:
            top, left = np.array(place) + chance.integers(0, jitter + 1, 2)
            pictures[row, top : top + shape[0], left : left + shape[1]] = 255
    return examples(pictures, target)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ((1, 1), "the upper left corner"), ((0, 24), "the upper right corner"), ((24, 1), "the lower left corner"),
        ((24, 24), "the lower right corner"), ((0, 9), "the upper edge, left of the middle"),
        ((15, 25), "the right edge, below the middle"),
    ],
)  # fmt: skip
def test_a_label_in_a_corner_is_found_and_its_place_named(place, words):
    (check,) = burnt_in.burnt_in(marked(place), np.arange(300))
    assert not check.passed
    assert check.detail.startswith(f"{words} alone ranks held-out training rows nearly perfectly (AUROC 1.000")


def test_a_label_that_is_not_always_at_the_same_place_or_there():
    (check,) = burnt_in.burnt_in(marked((1, 1), jitter=2, share=0.98), np.arange(300))
    assert not check.passed
    assert "upper left corner" in check.detail


def test_a_mark_in_any_slice_of_a_volume_is_found():
    chance = np.random.default_rng(4)
    target = chance.integers(0, 2, 200)
    volumes = chance.integers(0, 40, (200, 10, 16, 16)) + chance.integers(0, 90, (200, 1, 1, 1))
    for row in np.flatnonzero(target):
        volumes[row, chance.integers(10), :4, 12:] = 255
    (check,) = burnt_in.burnt_in(examples(volumes.astype(np.uint8), target), np.arange(200))
    assert not check.passed
    assert check.detail.startswith("the upper right corner")


def test_one_marked_class_of_several():
    rows = marked((1, 1))
    target = np.where(rows.target == 1, "c", np.resize(["a", "b"], 300)).astype(object)
    (check,) = burnt_in.burnt_in(Examples(columns=rows.columns, target=target), np.arange(300))
    assert not check.passed


def test_what_the_organ_itself_shows_is_no_mark():
    clean = organs(300)
    target = np.random.default_rng(0).integers(0, 2, 300)
    assert burnt_in.burnt_in(examples(clean, target), np.arange(300))[0].passed, "labels that mean nothing"
    inside = clean.copy()
    inside[target == 1, 12:16, 12:16] = 255
    assert burnt_in.burnt_in(examples(inside, target), np.arange(300))[0].passed
    everywhere = (clean // 2 + 100 * target[:, None, None].astype(np.uint8)).astype(np.uint8)
    assert burnt_in.burnt_in(examples(everywhere, target), np.arange(300))[0].passed, "texture is all over the picture"


@pytest.mark.parametrize(("border", "inside", "passed"), [(0.99, 0.9, False), (0.99, 0.97, True), (0.98, 0.5, True)])
def test_a_border_that_ranks_little_better_than_the_inside_is_no_mark(monkeypatch, border, inside, passed):
    monkeypatch.setattr(burnt_in, "rankings", lambda *given: {(0, 0): border, (1, 2): inside, (2, 2): 0.5})
    assert burnt_in.burnt_in(marked((1, 1)), np.arange(300))[0].passed is passed


def test_only_training_rows_are_looked_at():
    rows = marked((1, 1))
    train = np.flatnonzero(rows.target == 0)[:100]
    assert burnt_in.burnt_in(rows, train) == []
    assert "too few" in burnt_in.burnt_in(rows, np.arange(40))[0].detail
    assert burnt_in.burnt_in(examples(organs(), np.random.default_rng(0).normal(size=120)), np.arange(120)) == []


def test_rows_of_one_patient_are_in_one_half():
    """Otherwise a patient's own corner would tell the label that all of their pictures have."""
    chance = np.random.default_rng(0)
    patients = np.repeat(np.arange(30), 10)
    pictures, target = organs(300), chance.integers(0, 2, 30)[patients]
    corners = chance.integers(0, 255, (30, 7, 7))
    pictures[:, :7, :7] = corners[patients]
    known = examples(pictures, target, ids=patients.astype(str).astype(object))
    assert burnt_in.burnt_in(known, np.arange(300))[0].passed
    assert not burnt_in.burnt_in(examples(pictures, target), np.arange(300))[0].passed


def test_means_of_boxes():
    picture = np.arange(5 * 7, dtype=np.float32).reshape(1, 5, 7)
    wanted = [[picture[0, a:b, c:d].mean() for c, d in ((0, 3), (3, 7))] for a, b in ((0, 2), (2, 5))]
    np.testing.assert_allclose(pooled(picture, 2)[0], wanted, rtol=1e-6)


def test_pneumonia_has_eight_pictures_twice_and_no_label_in_a_corner():
    if not SHARED.exists():
        pytest.skip("shared/data/medmnist/pneumoniamnist.npz is absent")
    data = OwnImages().load(DataRequest(str(SHARED)))
    parts = [np.flatnonzero(data.official == part) for part in ("train", "valid", "test")]
    checks = {check.name: check for check in split_checks(data.examples, *parts)}
    assert checks[near_duplicates.NAME].detail.startswith("8 pictures in train and valid:")
    assert checks[burnt_in.NAME].passed
