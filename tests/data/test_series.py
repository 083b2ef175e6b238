"""Folders of DICOM slices as volumes: in their order, through one window, whole or not at all."""

from __future__ import annotations

import os

import dicom_files
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import generate_uid

from pipelines.data.images import OwnImages
from pipelines.data.pictures import dicom, files, series
from pipelines.data.pictures.wanted import Odd, Wanted
from pipelines.errors import BadInput
from pipelines.task import DataRequest

UPRIGHT = [1, 0, 0, 0, 1, 0]
SOURCE = OwnImages(size=16, volumes=8)


@pytest.fixture(autouse=True)
def _able(tmp_path):
    dicom.require(tmp_path)


def slices(folder, planes, order=None, uid=None, step=2.5, orientation=UPRIGHT, **elements):
    """One file a slice, the lowest first, named in another order."""
    uid = uid or generate_uid()
    names = list(range(len(planes))) if order is None else order
    for place, plane in enumerate(planes):
        dicom_files.write(
            folder / f"{names[place]:03}.dcm", plane, SeriesInstanceUID=uid, InstanceNumber=names[place] + 1,
            ImagePositionPatient=[0, 0, -40 + step * place], ImageOrientationPatient=orientation, **elements,
        )  # fmt: skip
    return folder


def rising(n=8, side=8, first=10, step=20):
    return [np.full((side, side), first + step * place, np.uint8) for place in range(n)]


def read(folder, size=8):
    return series.read(folder, Wanted(size, 1, 3))


def test_slices_stand_by_where_they_lie_not_by_their_names(tmp_path):
    folder = slices(tmp_path / "scan", rising(), order=[5, 2, 7, 0, 3, 6, 1, 4])
    found = read(folder)
    assert found.pixels.shape == (1, 8, 8, 8, 1)
    assert series.UNEVEN not in found.changes, "steps are those between neighbours, not between names"
    assert found.pixels[0, :, 0, 0, 0].tolist() == [10, 30, 50, 70, 90, 110, 130, 150]
    np.testing.assert_array_equal(series.read_row(folder, Wanted(8, 1, 3), 0, found.scale), found.pixels[0])


def test_a_normal_that_points_down_turns_nothing_over(tmp_path):
    folder = slices(tmp_path / "scan", rising(), orientation=[1, 0, 0, 0, -1, 0])
    assert np.diff(read(folder).pixels[0, :, 0, 0, 0].astype(int)).min() > 0


def test_without_places_the_numbers_of_the_slices_count(tmp_path):
    uid = generate_uid()
    for place, plane in enumerate(rising()):
        path = tmp_path / "scan" / f"{9 - place}.dcm"
        dicom_files.write(path, plane, SeriesInstanceUID=uid, InstanceNumber=place)
    assert read(tmp_path / "scan").pixels[0, :, 0, 0, 0].tolist() == [10, 30, 50, 70, 90, 110, 130, 150]


def test_all_slices_are_seen_through_one_window(tmp_path):
    """Each slice has a window that would make it grey throughout; the one in the middle is that of all."""
    uid = generate_uid()
    for place in range(8):
        plane = np.full((8, 8), 100 * place, np.uint16)
        dicom_files.write(
            tmp_path / "scan" / f"{place}.dcm", plane, 12, SeriesInstanceUID=uid,
            ImagePositionPatient=[0, 0, place], ImageOrientationPatient=UPRIGHT, RescaleSlope=1, RescaleIntercept=-50,
            WindowCenter=100 * place - 50, WindowWidth=800,
        )  # fmt: skip
    levels = read(tmp_path / "scan").pixels[0, :, 0, 0, 0].astype(int)
    assert levels[4] == pytest.approx(128, abs=1)
    assert levels[6] - levels[4] == pytest.approx(200 * 255 / 800, abs=1)


def test_each_slice_is_rescaled_by_its_own_slope(tmp_path):
    """As of positron emission: the same stored numbers are twice as much in every other slice."""
    uid = generate_uid()
    for place in range(8):
        dicom_files.write(
            tmp_path / "scan" / f"{place}.dcm", np.full((8, 8), 1000, np.uint16), 12, SeriesInstanceUID=uid,
            ImagePositionPatient=[0, 0, place], ImageOrientationPatient=UPRIGHT, RescaleIntercept=0,
            RescaleSlope=1 + place % 2,
        )  # fmt: skip
    assert read(tmp_path / "scan").pixels[0, :, 0, 0, 0].tolist() == [0, 255] * 4


def _of_another(folder):
    data = dcmread(folder / "003.dcm")
    data.PatientID = "P2"
    data.save_as(folder / "003.dcm")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: slices(folder, rising(3), order=[20, 21, 22], step=40), "of several series"),
        (_of_another, "of several patients"),
        (lambda folder: (folder / "003.dcm").write_bytes(b""), "holds a slice that is empty; it is 003.dcm"),
        (
            lambda folder: (folder / "003.dcm").write_bytes((folder / "003.dcm").read_bytes()[:-30]),
            "damaged .*; it is 003.dcm",
        ),
        (lambda folder: (folder / "copy.dcm").write_bytes((folder / "003.dcm").read_bytes()), "one of them twice"),
        (lambda folder: [each.unlink() for each in sorted(folder.iterdir())[1:]], "a single slice"),
    ],
)
def test_a_series_that_is_not_whole_is_refused(tmp_path, spoil, words):
    folder = slices(tmp_path / "scan", rising())
    spoil(folder)
    with pytest.raises(Odd, match=words):
        read(folder)


def test_slices_of_several_sizes_are_refused(tmp_path):
    with pytest.raises(Odd, match="several sizes"):
        read(slices(tmp_path / "scan", [*rising(7), np.zeros((9, 9), np.uint8)]))


@pytest.mark.parametrize("photometric", ["PALETTE COLOR", "RGB"])
def test_slices_in_colour_are_refused(tmp_path, photometric):
    planes = [np.stack([each] * 3, axis=-1) if photometric == "RGB" else each for each in rising(4)]
    with pytest.raises(Odd, match="volumes are of grey slices"):
        read(slices(tmp_path / "scan", planes, photometric=photometric))


def test_a_slice_that_is_missing_is_told(tmp_path):
    folder = slices(tmp_path / "scan", rising())
    assert series.UNEVEN not in read(folder).changes
    (folder / "004.dcm").unlink()
    assert series.UNEVEN in read(folder).changes


def test_slices_that_are_inverted_are_told(tmp_path):
    found = read(slices(tmp_path / "scan", rising(), photometric="MONOCHROME1"))
    assert dicom.INVERTED in found.changes
    assert found.pixels[0, :, 0, 0, 0].tolist() == [255 - level for level in range(10, 151, 20)]
    assert dicom.INVERTED not in read(slices(tmp_path / "other", rising())).changes


def test_a_series_is_another_where_any_of_its_slices_is(tmp_path):
    folder = slices(tmp_path / "scan", rising())
    for each in sorted(folder.iterdir()):
        os.utime(each, ns=(10, 10))
    size, written = series.stamp(folder)
    for each in sorted(folder.iterdir()):
        each.write_bytes(each.read_bytes() + b"\0\0")
        os.utime(each, ns=(10, 10))
        assert series.stamp(folder) == ((size := size + 2), written)
        os.utime(each, ns=(10, (written := written + 1)))
        assert series.stamp(folder) == (size, written)


def test_two_slices_are_a_volume_and_one_is_none(tmp_path):
    two, one = slices(tmp_path / "two", rising(2)), slices(tmp_path / "one", rising(1))
    assert series.gathered(sorted([*two.iterdir(), *one.iterdir()])) == [one / "000.dcm", two]


def hospital(folder, patients=6):
    """A folder of slices for each patient, of which a list names all but the last."""
    rows = []
    for patient in range(patients):
        planes = [plane + 40 * np.uint8(patient % 2) for plane in rising(5, 8, 0, 20)]
        slices(folder / f"scan{patient}", planes, PatientID=f"P{patient}", PatientName=f"Plantagenet^{patient}")
        rows.append(f"scan{patient},{('well', 'ill')[patient % 2]},P{patient // 2}")
    (folder / "labels.csv").write_text("\n".join(["path,label,patient", *rows[:-1]]) + "\n")
    return folder


@pytest.mark.parametrize("kept", [True, False])
def test_a_list_that_names_folders_makes_each_a_row(tmp_path, kept, monkeypatch):
    if not kept:
        monkeypatch.setattr(files, "KEPT_BYTES", 0)
    data = SOURCE.load(DataRequest(str(hospital(tmp_path)), strict=True))
    assert data.examples.columns["image"].shape == (5, 8, 8, 8, 1)
    assert data.examples.ids.tolist() == ["P0", "P0", "P1", "P1", "P2"]
    assert data.examples.target.tolist() == ["well", "ill", "well", "ill", "well"]
    pixels = data.examples.columns["image"][np.arange(5)]
    assert (pixels[1].astype(int) - pixels[0]).min() == 40
    assert "5 pictures not named in labels.csv ignored" in data.notes, "those of the last folder"
    assert any(told.name == "PatientName" for told in data.beside)
    if not kept:
        dicom_files.write(tmp_path / "scan0" / "000.dcm", np.zeros((8, 8), np.uint8))
        with pytest.raises(BadInput, match="scan0 was changed since it was first read"):
            data.examples.columns["image"][np.arange(1)]


def test_a_list_that_names_files_makes_each_slice_a_row(tmp_path):
    folder = hospital(tmp_path)
    rows = [f"scan{patient}/{place:03}.dcm,{patient % 2},P{patient}" for patient in range(6) for place in range(5)]
    (folder / "labels.csv").write_text("\n".join(["path,label,patient", *rows]) + "\n")
    assert SOURCE.load(DataRequest(str(folder))).examples.columns["image"].shape == (30, 16, 16, 1)


def test_a_damaged_series_is_told_by_its_folder_and_left_out(tmp_path):
    folder = hospital(tmp_path)
    (folder / "scan1" / "002.dcm").write_bytes(b"")
    data = SOURCE.load(DataRequest(str(folder)))
    assert len(data.examples) == 4
    assert any("scan1 holds a slice that is empty; it is 002.dcm" in line for line in data.told)
    assert not any("002" in note for note in data.notes)
    with pytest.raises(BadInput, match=r"--strict: .*scan1 holds a slice that is empty"):
        SOURCE.load(DataRequest(str(folder), strict=True))


def test_where_pictures_are_learned_from_a_folder_in_the_list_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"scan0 is a folder, and pictures of two dimensions are learned from here"):
        OwnImages(size=16).load(DataRequest(str(hospital(tmp_path))))


def test_folders_of_slices_are_predicted_one_by_one(tmp_path):
    folder = hospital(tmp_path)
    rows = SOURCE.unlabelled(str(folder), {"image": (8, 8, 8, 1)})
    assert [name[-5:] for name in rows.files] == [f"scan{patient}" for patient in range(6)]
    learned = SOURCE.load(DataRequest(str(folder))).examples.columns["image"]
    np.testing.assert_array_equal(rows.columns["image"][:5], learned)
    alone = SOURCE.unlabelled(str(folder / "scan3"), {"image": (8, 8, 8, 1)})
    np.testing.assert_array_equal(alone.columns["image"][0], learned[3])
