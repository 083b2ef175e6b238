"""A user's own pictures: .npz and folders."""

from __future__ import annotations

import collections
import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipelines.data.examples import OnDemand
from pipelines.data.images import OwnImages
from pipelines.data.pictures import files
from pipelines.data.pictures.wanted import Wanted
from pipelines.errors import BadInput
from pipelines.task import DataRequest

SHARED = Path(__file__).resolve().parents[2] / "../shared/data"


def load(path: Path, source: OwnImages | None = None, **flags):
    return (source or OwnImages()).load(DataRequest(where=str(path), **flags))


def refusal(path: Path, **flags) -> str:
    with pytest.raises(BadInput) as caught:
        load(path, **flags)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def npz(tmp_path: Path, **arrays) -> Path:
    path = tmp_path / "set.npz"
    np.savez_compressed(path, **arrays)
    return path


def grey(rows: int, size: int = 8) -> np.ndarray:
    return np.arange(rows * size * size, dtype=np.uint8).reshape(rows, size, size)


def picture(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def test_npz_keeps_pixels_labels_and_official_split(tmp_path):
    path = npz(
        tmp_path,
        train_images=grey(3),
        train_labels=np.array([[0], [1], [0]], np.uint8),
        val_images=grey(1),
        val_labels=np.array([1]),
        test_images=grey(2),
        test_labels=np.array([[1], [0]]),
    )
    data = load(path)
    assert data.examples.columns["image"].shape == (6, 8, 8, 1)
    assert data.examples.columns["image"].dtype == np.uint8
    np.testing.assert_array_equal(data.examples.columns["image"][4:, ..., 0], grey(2))
    assert data.examples.target.tolist() == [0, 1, 0, 1, 1, 0]
    assert data.official.tolist() == ["train"] * 3 + ["valid"] + ["test"] * 2


def test_npz_with_training_rows_only_has_no_official_split(tmp_path):
    data = load(npz(tmp_path, train_images=grey(3), train_labels=np.array([0, 1, 0])))
    assert data.official is None
    assert len(data.examples) == 3


def test_npz_colours(tmp_path):
    red = np.zeros((1, 4, 4, 3), np.uint8)
    red[..., 0] = 255
    path = npz(tmp_path, train_images=red, train_labels=np.array([0]))
    assert load(path, OwnImages(channels=3)).examples.columns["image"].shape == (1, 4, 4, 3)
    assert load(path, OwnImages(channels=0)).examples.columns["image"].shape == (1, 4, 4, 3)
    assert load(path).examples.columns["image"].ravel().tolist() == [76] * 16  # 0.299 of 255
    assert "the pictures were turned into grey" in load(path).notes
    assert not any("turned into" in note for note in load(path, OwnImages(channels=0)).notes)


def test_npz_has_the_positive_label_that_was_asked_for(tmp_path):
    path = npz(tmp_path, train_images=grey(2), train_labels=np.array([0, 1]))
    assert load(path, positive="0").positive == "0"
    assert load(path).positive is None


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x": np.zeros(3)}, ["train_images", "'x'"]),
        ({"train_images": grey(2)}, ["no train_labels"]),
        ({"train_images": grey(2), "train_labels": np.zeros(3)}, ["3 labels for 2 pictures"]),
        ({"train_images": grey(2), "train_labels": np.zeros((2, 5))}, ["(2, 5)"]),
        ({"train_images": grey(2).astype(float), "train_labels": np.zeros(2)}, ["float64", "uint8"]),
        ({"train_images": np.zeros((2, 8), np.uint8), "train_labels": np.zeros(2)}, ["(2, 8)"]),
        ({"train_images": grey(2), "train_labels": np.array([0, np.nan])}, ["missing"]),
        ({"train_images": np.array([{}, {}], dtype=object), "train_labels": np.zeros(2)}, ["Python objects"]),
        ({"train_images": grey(2), "train_labels": np.array(["ill", " "])}, ["train_labels has no label in row 1"]),
        ({"train_images": grey(2), "train_labels": np.zeros(2, complex)}, ["complex128", "words"]),
        (
            {"train_images": grey(1), "train_labels": ["1"], "test_images": grey(1), "test_labels": [1]},
            ["numbers in some of train, test"],
        ),
    ],
)
def test_npz_of_another_layout(tmp_path, arrays, words):
    path = npz(tmp_path, **arrays)
    message = refusal(path)
    for word in (str(path), *words):
        assert word in message


def test_npz_with_what_is_no_array_or_more_than_there_is(tmp_path):
    path = tmp_path / "set.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("train_images.npy", "words")
    assert "'train_images' is no array" in refusal(path)
    header = io.BytesIO()
    huge = {"descr": "|u1", "fortran_order": False, "shape": (10**8, 10**8)}
    np.lib.format.write_array_header_1_0(header, huge)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("train_images.npy", header.getvalue())
    assert "larger than the memory" in refusal(path)


@pytest.mark.parametrize("flags", [{"target": "x"}, {"exclude": ("x",)}, {"text": "x"}])
def test_flags_that_nothing_heeds_are_refused(tmp_path, flags):
    assert "needs a folder" in refusal(npz(tmp_path, train_images=grey(1), train_labels=[1]), **flags)
    picture(tmp_path / "set" / "a" / "1.png", grey(1)[0])
    assert "needs a labels.csv" in refusal(tmp_path / "set", **flags)


def test_npz_cut_short_at_any_byte_or_none_at_all(tmp_path):
    path = npz(tmp_path, train_images=grey(3), train_labels=np.array([0, 1, 0]))
    whole = path.read_bytes()
    for length in range(0, len(whole), 23):
        path.write_bytes(whole[:length])
        assert "damaged" in refusal(path)
    for at in range(0, len(whole), 7):  # a flipped byte is refused or does not matter
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            assert len(load(path).examples) == 3
        except BadInput as error:
            assert str(path) in str(error)  # noqa: PT017


def test_flags_that_an_npz_cannot_hold(tmp_path):
    path = npz(tmp_path, train_images=grey(2), train_labels=np.array([0, 1]))
    assert "--sensitive" in refusal(path, sensitive=("sex",))
    assert "--id" in refusal(path, id="patient")


def test_folder_by_class(tmp_path):
    picture(tmp_path / "benign" / "a.png", np.full((32, 32), 7, np.uint8))
    picture(tmp_path / "malignant" / "b.JPG", np.full((64, 40, 3), 200, np.uint8))
    (tmp_path / "malignant" / "readme.txt").write_text("x")
    (tmp_path / ".DS_Store").write_text("x")
    data = load(tmp_path)
    assert data.examples.columns["image"].shape == (2, 32, 32, 1)
    assert (data.examples.columns["image"][0] == 7).all()
    assert data.examples.target.tolist() == ["benign", "malignant"]
    assert data.official is None
    told = " ".join(data.notes)
    for part in ("1 file that", "1 picture resized", "1 picture not square"):
        assert part in told
    assert load(tmp_path, OwnImages(channels=3)).examples.columns["image"].shape == (2, 32, 32, 3)
    assert load(tmp_path, OwnImages(channels=0, size=16)).examples.columns["image"].shape == (2, 16, 16, 3)


def test_folder_with_an_official_split(tmp_path):
    for split in ("train", "val", "test"):
        picture(tmp_path / split / "a" / "x.png", grey(1)[0])
    data = load(tmp_path)
    assert data.official.tolist() == ["test", "train", "valid"]
    assert data.examples.target.tolist() == ["a", "a", "a"]
    (tmp_path / "train" / "a" / "x.png").unlink()
    assert load(tmp_path).official is None, "there is nothing to learn from"


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    picture(tmp_path / "a" / "x.png", np.full((32, 32), 0x8000, np.uint16))
    assert (load(tmp_path).examples.columns["image"] == 0x80).all()


def test_labels_file_gives_ids_and_groups(tmp_path):
    for name in ("1.png", "2.png", "3.png", "left.png"):
        picture(tmp_path / "all" / name, grey(1)[0])
    (tmp_path / "labels.csv").write_text(
        "path,label,patient,sex,note\nall/1.png,benign,p1,f,x\nall/2.png,malignant,p2,m,y\nall/3.png,benign,p1,,z\n"
    )
    data = load(tmp_path)
    assert data.examples.target.tolist() == ["benign", "malignant", "benign"]
    assert data.examples.ids.tolist() == ["p1", "p2", "p1"]
    assert data.examples.groups["sex"].tolist() == ["f", "m", None]
    assert list(data.examples.columns) == ["image"]
    assert any("1 picture not named" in note for note in data.notes)


@pytest.mark.parametrize(
    ("listing", "words"),
    [
        ("path,label\nmissing.png,a\n", "line 2: there is no file"),
        (f"path,label\n{'x' * 300}.png,a\n", "line 2"),
        ("path,label\n1.png,a\n./1.png,b\n", "line 3 names './1.png' again, which line 2 names already"),
        ("path,label\nlink.png,a\n1.png,a\n", "line 3"),
        ("path,label\nloop.png,a\n", "line 2"),
        ("path,label\nempty,a\n", "line 2"),
        ("path,label\n../outside.png,a\n", "line 2"),
        ("path,label\n1.png,a\n1.png,\n", "line 3"),
        ("path,label\n1.gif,a\n", ".png"),
        ("path,kind\n1.png,a\n", "--target"),
        ("name,label\n1.png,a\n", "path"),
    ],
)
def test_labels_file_that_does_not_fit(tmp_path, listing, words):
    folder = tmp_path / "set"
    picture(folder / "1.png", grey(1)[0])
    picture(tmp_path / "outside.png", grey(1)[0])
    (folder / "empty").mkdir()
    (folder / "link.png").symlink_to(folder / "1.png")
    (folder / "loop.png").symlink_to(folder / "loop.png")
    (folder / "labels.csv").write_text(listing)
    assert words in refusal(folder)


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 50])
def test_a_damaged_picture_is_named(tmp_path, content):
    picture(tmp_path / "a" / "good.png", grey(1)[0])
    (tmp_path / "a" / "odd.png").write_bytes(content)
    assert "odd.png" in refusal(tmp_path)


def test_a_picture_cut_short_is_named(tmp_path):
    picture(tmp_path / "a" / "cut.jpg", np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    path = tmp_path / "a" / "cut.jpg"
    path.write_bytes(path.read_bytes()[:-400])
    assert "cut.jpg" in refusal(tmp_path)


def test_folders_of_another_layout(tmp_path):
    assert "holds no .png" in refusal(tmp_path)
    picture(tmp_path / "loose.png", grey(1)[0])
    assert "loose.png" in refusal(tmp_path)
    assert "not an .npz" in refusal(tmp_path / "loose.png")
    assert "no file" in refusal(tmp_path / "nothing.npz")
    assert "labels.csv" in refusal(tmp_path, target="sex")


def test_pneumonia_keeps_the_official_split():
    path = SHARED / "medmnist/pneumoniamnist.npz"
    if not path.exists():
        pytest.skip("shared/data/medmnist/pneumoniamnist.npz is absent")
    data = load(path)
    assert collections.Counter(data.official.tolist()) == {"train": 3882, "valid": 524, "test": 624}
    assert data.examples.columns["image"].shape == (5030, 28, 28, 1)
    assert set(data.examples.target) == {0.0, 1.0}


def test_a_large_folder_is_decoded_when_it_is_needed(tmp_path, monkeypatch):
    chance = np.random.default_rng(0)
    for row in range(7):
        shape = (12, 12, 3) if row == 5 else (12, 12)
        picture(tmp_path / "ab"[row % 2] / f"{row}.png", chance.integers(0, 255, shape, np.uint8))
    kept = load(tmp_path, OwnImages(size=8, channels=0)).examples
    assert isinstance(kept.columns["image"], np.ndarray)
    monkeypatch.setattr(files, "KEPT_BYTES", 0)
    data = load(tmp_path, OwnImages(size=8, channels=0))
    column = data.examples.columns["image"]
    assert isinstance(column, OnDemand)
    assert column.shape == kept.columns["image"].shape == (7, 8, 8, 3)
    np.testing.assert_array_equal(column[:], kept.columns["image"])
    np.testing.assert_array_equal(column.only(np.array([6, 0]))[1], kept.columns["image"][0])
    assert any("decoded whenever they are needed" in note for note in data.notes)
    (tmp_path / "a" / "0.png").unlink()
    with pytest.raises(BadInput, match=r"0\.png cannot be read any more"):
        column[:]


def test_a_few_damaged_pictures_are_skipped_and_counted(tmp_path):
    for row in range(5):
        picture(tmp_path / "ab"[row % 2] / f"{row}.png", grey(1)[0])
    (tmp_path / "a" / "odd.png").write_bytes(b"")
    data = load(tmp_path)
    assert data.examples.target.tolist() == ["a", "a", "a", "b", "b"]
    assert any(str(tmp_path / "a" / "odd.png") in line for line in data.told)
    note = next(note for note in data.notes if "skipped" in note)
    assert note.startswith("1 file skipped that could not be used: 1 is a damaged picture")
    assert "--strict" in refusal(tmp_path, strict=True)


def test_pictures_of_nobody_are_refused_where_people_are_learned_from(tmp_path):
    for row in range(4):
        picture(tmp_path / "ab"[row % 2] / f"sub-{row // 2}" / f"{row}.png", grey(1)[0])
    source = OwnImages(ids_required=True)
    assert load(tmp_path, source).examples.ids.tolist() == ["sub-0", "sub-1", "sub-0", "sub-1"]
    picture(tmp_path / "a" / "nobody.png", grey(1)[0])
    with pytest.raises(BadInput, match="does not say whose each picture is"):
        load(tmp_path, source)


@pytest.mark.parametrize("kept", [True, False])
def test_pictures_that_lie_on_their_side_are_turned(tmp_path, kept, monkeypatch):
    if not kept:
        monkeypatch.setattr(files, "KEPT_BYTES", 0)
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: to be turned right by 90 degrees
    upright = np.zeros((8, 8), np.uint8)
    upright[:4] = 200
    for row, suffix in enumerate(("png", "jpg")):
        (tmp_path / "ab"[row]).mkdir()
        Image.fromarray(np.rot90(upright)).save(tmp_path / "ab"[row] / f"1.{suffix}", exif=exif)
    found = load(tmp_path, OwnImages(size=8)).examples.columns["image"][:]
    np.testing.assert_allclose(found[..., 0], np.stack([upright, upright]), atol=6)


@pytest.mark.parametrize(
    ("name", "reader"), [("1.png", "PIL.Image.open"), ("1.dcm", "pydicom.dcmread"), ("1.nii", "nibabel.load")]
)
def test_a_file_that_may_not_be_read_is_not_called_damaged(tmp_path, name, reader, monkeypatch):
    def locked(*_, **__):
        raise PermissionError(13, "Permission denied")

    (tmp_path / name).write_bytes(b"something")
    monkeypatch.setattr(reader, locked)
    odd = files.read_all([tmp_path / name], Wanted(8, 1)).odd
    assert odd == ((tmp_path / name, "cannot be read: Permission denied"),)


def test_a_folder_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    """Without it a class, or a patient, would be missing and nobody would know."""
    for kind in "abc":
        picture(tmp_path / kind / "1.png", grey(1)[0])
    listed = os.scandir

    def locked(where):
        if str(where).endswith("c"):
            raise PermissionError(13, "Permission denied", str(where))
        return listed(where)

    monkeypatch.setattr(os, "scandir", locked)
    assert refusal(tmp_path).startswith(f"{tmp_path / 'c'} cannot be read: you have no permission")
