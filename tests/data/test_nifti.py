"""NIfTI volumes: as cubes, and as slices of a subject who stays in one split."""

from __future__ import annotations

import sys

import nibabel
import numpy as np
import pytest

from pipelines.data.images import OwnImages
from pipelines.data.pictures import files
from pipelines.errors import BadInput
from pipelines.task import DataRequest

CUBE = OwnImages(volumes=8)


def volume(path, values, affine=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4) if affine is None else affine), path)
    return path


def head(seed=0, shape=(10, 12, 9)):
    """A ball of values that grow upwards, in air."""
    x, y, z = np.mgrid[tuple(slice(-1, 1, side * 1j) for side in shape)]
    noise = np.random.default_rng(seed).normal(size=shape)
    return np.where(x**2 + y**2 + z**2 < 0.7, 500 + 300 * z + 10 * noise, 0).astype(np.float32)


def subjects(folder, sessions=1, name="sub-{:02}_ses-{}_T1w.nii.gz"):
    for subject in range(6):
        for session in range(sessions):
            place = folder / ("well", "ill")[subject % 2] / name.format(subject, session)
            volume(place, head(subject) * (1 + subject % 2))
    return folder


def load(folder, source=CUBE, **flags):
    return source.load(DataRequest(str(folder), **flags))


def test_a_volume_becomes_a_cube(tmp_path):
    data = load(subjects(tmp_path))
    pixels = data.examples.columns["image"]
    assert pixels.shape == (6, 8, 8, 8, 1)
    assert pixels.dtype == np.uint8
    planes = pixels[0, ..., 0].astype(float)
    assert planes[6, 4, 4] > planes[1, 4, 4], "slices go from the feet to the head, where the values are higher"
    assert (planes[:, 0, 0] == 0).all()
    assert data.examples.ids.tolist() == ["sub-01", "sub-03", "sub-05", "sub-00", "sub-02", "sub-04"]


def test_a_volume_is_turned_the_same_however_it_is_stored(tmp_path):
    values, affine = head(), np.diag([-1.0, 1, -1, 1])
    one = volume(tmp_path / "a" / "1.nii", values)
    other = volume(tmp_path / "b" / "2.nii", values[::-1, :, ::-1], affine)
    rows = CUBE.unlabelled(str(tmp_path), {"image": (8, 8, 8, 1)})
    assert rows.files == (str(one), str(other))
    np.testing.assert_array_equal(*rows.columns["image"])


@pytest.mark.parametrize("kept", [True, False])
def test_slices_carry_the_subject(tmp_path, kept, monkeypatch):
    whole = load(subjects(tmp_path, sessions=2), OwnImages(size=16)).examples.columns["image"]
    if not kept:
        monkeypatch.setattr(files, "KEPT_BYTES", 0)
    data = load(tmp_path, OwnImages(size=16))
    rows, ids = len(data.examples), data.examples.ids
    assert data.examples.columns["image"].shape == (rows, 16, 16, 1)
    assert rows == 12 * 7, "the ball fills 7 of the 9 slices"
    assert set(ids) == {f"sub-{number:02}" for number in range(6)}
    np.testing.assert_array_equal(data.examples.columns["image"][np.arange(0, rows, 5)], whole[::5])
    for subject in set(ids):
        assert len(set(data.examples.target[ids == subject])) == 1


def test_slices_of_nobody_are_refused(tmp_path):
    subjects(tmp_path, name="scan{}_{}.nii")
    with pytest.raises(BadInput, match=r"does not say whose each picture is, and .* gives 7 slices"):
        load(tmp_path, OwnImages(size=16))
    assert load(tmp_path).examples.ids is None, "a volume is one row, so its slices cannot be divided"
    with pytest.raises(BadInput, match="learns from people"):
        load(tmp_path, OwnImages(volumes=8, ids_required=True))
    rows = [f"{('well', 'ill')[number % 2]}/scan{number}_0.nii,{number % 2},p{number // 2}" for number in range(6)]
    (tmp_path / "labels.csv").write_text("\n".join(["path,label,patient", *rows]))
    assert load(tmp_path, OwnImages(size=16)).examples.ids.tolist()[:15] == ["p0"] * 14 + ["p1"]


def test_odd_volumes_are_skipped(tmp_path):
    subjects(tmp_path)
    whole = (tmp_path / "ill" / "sub-01_ses-0_T1w.nii.gz").read_bytes()
    (tmp_path / "ill" / "sub-08.nii.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "ill" / "sub-09.nii").write_bytes(b"")
    volume(tmp_path / "ill" / "sub-10.nii", np.zeros((4, 4, 4, 3), np.float32))
    volume(tmp_path / "ill" / "sub-11.nii", np.zeros((4, 4, 4), np.complex64))
    told = load(tmp_path).told
    for name, why in (("sub-08", "cut short"), ("sub-09", "0 bytes"), ("sub-10", "one volume"), ("sub-11", "complex")):
        assert any(name in line and why in line for line in told)


def test_values_that_are_not_finite_are_black(tmp_path):
    values = head()
    values[5, 6, 4] = np.nan
    volume(tmp_path / "1.nii", values)
    pixels = CUBE.unlabelled(str(tmp_path), {"image": (10, 10, 10, 1)}).columns["image"]
    assert pixels[0, 4, 4, 5, 0] < 80 < pixels[0, 4, 4, 3, 0] < 200 < pixels[0, 8, 5, 5, 0]


def test_a_picture_is_no_volume(tmp_path):
    from PIL import Image

    subjects(tmp_path)
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "ill" / "sub-01_photo.png")
    data = load(tmp_path)
    assert any("sub-01_photo.png is a picture of two dimensions, where volumes" in line for line in data.told)
    assert len(data.examples) == 6


def test_an_npz_of_volumes(tmp_path):
    pictures = np.arange(2 * 3 * 4 * 5, dtype=np.uint8).reshape(2, 3, 4, 5)
    np.savez(tmp_path / "set.npz", train_images=pictures, train_labels=np.array([0, 1]))
    data = load(tmp_path / "set.npz")
    np.testing.assert_array_equal(data.examples.columns["image"][..., 0], pictures)
    with pytest.raises(BadInput, match=r"\(2, 3, 4, 5\).*these are volumes"):
        load(tmp_path / "set.npz", OwnImages())
    colours = np.repeat(pictures[..., np.newaxis], 3, axis=-1)
    np.savez(tmp_path / "set.npz", train_images=colours, train_labels=np.array([0, 1]))
    np.testing.assert_array_equal(load(tmp_path / "set.npz").examples.columns["image"][..., 0], pictures)


def test_without_nibabel_one_line_says_what_to_install(tmp_path, monkeypatch):
    subjects(tmp_path)
    monkeypatch.setitem(sys.modules, "nibabel", None)
    with pytest.raises(BadInput, match=r"pip install 'tapeline\[medical\]'"):
        load(tmp_path)
