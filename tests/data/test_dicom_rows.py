"""What belongs to a frame or a file of DICOM stays with it: slopes, windows, patients, groups."""

from __future__ import annotations

import dicom_files
import numpy as np
import pytest

from pipelines.data.images import OwnImages
from pipelines.data.pictures import dicom, files
from pipelines.data.pictures.wanted import Wanted
from pipelines.task import DataRequest

RAMP = np.arange(16).reshape(4, 4)
SMALL = Wanted(4, 1)


@pytest.fixture(autouse=True)
def _able(tmp_path):
    dicom.require(tmp_path)


def test_enhanced_files_keep_the_slope_of_each_frame(tmp_path):
    from pydicom.dataset import Dataset

    def group(slope, intercept):
        values, found = Dataset(), Dataset()
        values.RescaleSlope, values.RescaleIntercept = slope, intercept
        found.PixelValueTransformationSequence = [values]
        return found

    groups = [group(1, 0), group(4, -100)]
    path = dicom_files.write(
        tmp_path / "a.dcm", np.stack([RAMP, RAMP]).astype(np.uint8), PerFrameFunctionalGroupsSequence=groups,
        WindowCenter=-30, WindowWidth=140,
    )  # fmt: skip
    found = dicom.read(path, SMALL)
    for frame, values in enumerate((RAMP, RAMP * 4 - 100)):
        wanted = np.clip((values + 99.5 + 0.5) / 139, 0, 1) * 255
        np.testing.assert_allclose(found.pixels[frame, ..., 0], wanted, atol=0.51)
        again = dicom.read_row(path, SMALL, frame, found.scale)
        np.testing.assert_array_equal(again, found.pixels[frame], f"frame {frame}, decoded anew")


def test_a_frame_without_a_window_has_the_first_ones_at_every_reading(tmp_path):
    from pydicom.dataset import Dataset

    voi, first = Dataset(), Dataset()
    voi.WindowCenter, voi.WindowWidth = 7.5, 30
    first.FrameVOILUTSequence = [voi]
    pixels = np.stack([RAMP, RAMP]).astype(np.uint8)
    path = dicom_files.write(tmp_path / "a.dcm", pixels, PerFrameFunctionalGroupsSequence=[first, Dataset()])
    found = dicom.read(path, SMALL)
    np.testing.assert_array_equal(found.pixels[0], found.pixels[1])
    np.testing.assert_array_equal(dicom.read_row(path, SMALL, 1, found.scale), found.pixels[1])


def test_a_frame_of_nothing_but_padding_is_black_at_every_reading(tmp_path):
    pixels = np.stack([RAMP, np.full((4, 4), 99)]).astype(np.uint16)
    path = dicom_files.write(tmp_path / "a.dcm", pixels, 12, "MONOCHROME1", PixelPaddingValue=99)
    found = dicom.read(path, SMALL)
    assert (found.pixels[1] == 0).all()
    np.testing.assert_array_equal(dicom.read_row(path, SMALL, 1, found.scale), found.pixels[1])


def test_where_the_first_frame_has_no_window_no_frame_is_seen_through_one(tmp_path):
    from pydicom.dataset import Dataset

    voi, second = Dataset(), Dataset()
    voi.WindowCenter, voi.WindowWidth = 7.5, 30
    second.FrameVOILUTSequence = [voi]
    pixels = np.stack([RAMP, RAMP * 100]).astype(np.uint16)
    path = dicom_files.write(tmp_path / "a.dcm", pixels, 12, PerFrameFunctionalGroupsSequence=[Dataset(), second])
    found = dicom.read(path, SMALL)
    assert found.scale is not None
    for frame in range(2):
        np.testing.assert_array_equal(dicom.read_row(path, SMALL, frame, found.scale), found.pixels[frame])


def test_eight_bits_with_a_sign_are_no_grey_levels_yet(tmp_path):
    path = dicom_files.write(tmp_path / "a.dcm", (RAMP * 10 - 75).astype(np.int8))
    assert (dicom.read(path, SMALL).pixels > 0).sum() == 15, "those below 0 are not all black"


@pytest.mark.parametrize("kept", [True, False])
def test_what_is_left_out_shifts_nothing(tmp_path, kept, monkeypatch):
    if not kept:
        monkeypatch.setattr(files, "KEPT_BYTES", 0)
    folder = tmp_path / "set"
    for number in range(30):
        level = np.full((16, 16) if number < 29 else (2, 16, 16), 8 * number, np.uint8)
        about = {"Modality": "US"} if number == 3 else {"PatientID": ""} if number == 5 else {}
        about = {"PatientID": f"{number:03}", "PatientSex": "FM"[number % 2], **about}
        dicom_files.write(folder / "ab"[number > 14] / f"{number:03}.dcm", level, **about)
    found = OwnImages(size=16).load(DataRequest(str(folder))).examples
    there = [number for number in [*range(30), 29] if number not in (3, 5)]
    assert found.columns["image"][np.arange(29)][:, 0, 0, 0].tolist() == [8 * number for number in there]
    assert found.ids.tolist() == [str(number + (number < 5)) for number in there], "numbered as they stand there"
    assert found.groups["PatientSex"].tolist() == ["FM"[number % 2] for number in there]
    assert found.target.tolist() == ["ab"[number > 14] for number in there]
