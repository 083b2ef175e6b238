"""Pictures in DICOM files: grey levels, frames, what headers say, and files that cannot be used."""

from __future__ import annotations

import sys
import warnings

import dicom_files
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from pipelines.data.examples import OnDemand
from pipelines.data.images import OwnImages
from pipelines.data.personal import without_personal
from pipelines.data.pictures import dicom, files
from pipelines.data.pictures.dicom_grey import windowed
from pipelines.data.pictures.wanted import Odd, Wanted
from pipelines.errors import BadInput
from pipelines.task import DataRequest

RAMP = np.arange(16).reshape(4, 4)


def own(name):
    """A file inside pydicom's wheel; nothing is downloaded."""
    return get_testdata_file(name, download=False)


def shown(path, size=4, channels=1, dimensions=2):
    dicom.require(path)
    return dicom.read(path, Wanted(size, channels, dimensions))


def load(folder, source=None, **flags):
    return (source or OwnImages(size=16)).load(DataRequest(str(folder), **flags))


def refusal(folder, source=None, **flags):
    with pytest.raises(BadInput) as caught:
        load(folder, source, **flags)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def grey(path, **settings):
    return shown(path, **settings).pixels[0, ..., 0]


def test_eight_bits_without_a_window_are_grey_levels_already(tmp_path):
    path = dicom_files.write(tmp_path / "a.dcm", (RAMP * 10).astype(np.uint8))
    assert grey(path).tolist() == (RAMP * 10).tolist()


def test_twelve_bits_by_the_window_of_the_header(tmp_path):
    path = dicom_files.write(
        tmp_path / "a.dcm", (RAMP * 100).astype(np.uint16), 12, WindowCenter=700.5, WindowWidth=801,
        RescaleSlope=1, RescaleIntercept=0,
    )  # fmt: skip
    wanted = np.clip((RAMP * 100 - 300) / 800, 0, 1) * 255
    np.testing.assert_allclose(grey(path), wanted, atol=0.51)
    assert "by the window in the header" in " ".join(shown(path).changes)


def test_sixteen_bits_signed_with_rescale_between_percentiles(tmp_path):
    pixels = (RAMP * 1000 - 5000).astype(np.int16)
    path = dicom_files.write(tmp_path / "a.dcm", pixels, 16, RescaleSlope=2, RescaleIntercept=-1024)
    found = shown(path)
    low, high = np.percentile(pixels.astype(float) * 2 - 1024, (0.5, 99.5))
    assert found.scale == pytest.approx((low, high))
    wanted = np.clip((pixels.astype(float) * 2 - 1024 - low) / (high - low), 0, 1) * 255
    np.testing.assert_allclose(found.pixels[0, ..., 0], wanted, atol=0.51)


def test_monochrome1_is_inverted_after_the_window(tmp_path):
    settings = {"WindowCenter": 7.5, "WindowWidth": 15}
    one = dicom_files.write(tmp_path / "1.dcm", RAMP.astype(np.uint8), photometric="MONOCHROME1", **settings)
    two = dicom_files.write(tmp_path / "2.dcm", RAMP.astype(np.uint8), **settings)
    assert grey(one).tolist() == (255 - grey(two)).tolist()
    assert len(np.unique(grey(two))) > 10


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_windows_are_those_of_pydicom(function):
    from pydicom.dataset import Dataset
    from pydicom.pixels import apply_windowing

    data = Dataset()
    data.PhotometricInterpretation, data.BitsStored, data.PixelRepresentation = "MONOCHROME2", 8, 0
    data.WindowCenter, data.WindowWidth, data.VOILUTFunction = 100.0, 64.0, function
    values = np.arange(256, dtype=np.uint8)
    np.testing.assert_allclose(windowed(values, 100, 64, function), apply_windowing(values, data), atol=0.51)


def test_padding_is_black_and_no_part_of_the_percentiles(tmp_path):
    pixels = (RAMP * 100).astype(np.int16)
    pixels[0] = -2000
    path = dicom_files.write(tmp_path / "a.dcm", pixels, 16, PixelPaddingValue=-2000, PixelRepresentation=1)
    found = shown(path)
    assert (found.pixels[0, 0] == 0).all()
    assert found.scale[0] > 0
    inverted = {"photometric": "MONOCHROME1", "PixelPaddingValue": -2000}
    path = dicom_files.write(tmp_path / "b.dcm", pixels, 16, **inverted)
    assert (grey(path)[0] == 0).all()
    assert grey(path)[1, 0] == 255


def test_a_look_up_table_comes_before_a_window(tmp_path):
    from pydicom.dataset import Dataset

    table = Dataset()
    table.LUTDescriptor, table.LUTData = [16, 0, 8], (255 - 10 * np.arange(16)).astype("<u2").tobytes()
    path = dicom_files.write(
        tmp_path / "a.dcm", RAMP.astype(np.uint8), VOILUTSequence=[table], WindowCenter=2, WindowWidth=2
    )
    np.testing.assert_array_equal(grey(path), 255 - 10 * RAMP)


def test_enhanced_files_keep_the_window_of_each_frame(tmp_path):
    from pydicom.dataset import Dataset

    def group(centre):
        voi, found = Dataset(), Dataset()
        voi.WindowCenter, voi.WindowWidth = centre, 15
        found.FrameVOILUTSequence = [voi]
        return found

    pixels = np.stack([RAMP, RAMP + 100]).astype(np.uint8)
    path = dicom_files.write(tmp_path / "a.dcm", pixels, PerFrameFunctionalGroupsSequence=[group(7.5), group(107.5)])
    found = shown(path)
    np.testing.assert_array_equal(found.pixels[0], found.pixels[1])
    np.testing.assert_array_equal(dicom.read_row(path, Wanted(4, 1), 1, found.scale), found.pixels[1])


def test_colours(tmp_path):
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 255
    path = dicom_files.write(tmp_path / "a.dcm", red, photometric="RGB")
    assert (grey(path) == 76).all()
    assert shown(path, channels=3).pixels[0].tolist() == red.tolist()


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("CT_small.dcm", 1), ("MR_small_RLE.dcm", 1), ("MR_small_bigendian.dcm", 1), ("JPEG2000.dcm", 1),
        ("image_dfl.dcm", 1), ("SC_rgb_rle.dcm", 3), ("SC_rgb_rle_16bit.dcm", 3), ("examples_palette.dcm", 3),
        ("SC_rgb_jpeg_lossy_gdcm.dcm", 3), ("SC_rgb_jpeg_gdcm.dcm", 3),
        ("JPEGLSNearLossless_16.dcm", 1), ("SC_ybr_full_422_uncompressed.dcm", 3), ("liver_1frame.dcm", 1),
    ],
)  # fmt: skip
def test_files_of_others_are_read(name, channels):
    pixels = shown(dicom_files.Path(own(name)), size=24, channels=0).pixels
    assert pixels.shape == (1, 24, 24, channels)
    assert pixels.max() > pixels.min()


def test_a_file_is_the_same_however_it_is_stored():
    one, *others = ("MR_small.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm",
                    "MR_small_jpeg_ls_lossless.dcm", "MR_small_jp2klossless.dcm")  # fmt: skip
    for other in others:
        np.testing.assert_array_equal(*(shown(dicom_files.Path(own(n)), size=64).pixels for n in (one, other)))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("MR_truncated.dcm", "damaged"), ("rtplan.dcm", "without pixels"), ("test-SR.dcm", "without pixels"),
        ("JPGExtended.dcm", "compressed in a way"), ("README.txt", "damaged DICOM file, or none"),
        ("rtstruct.dcm", "damaged DICOM file, or none"), ("no_meta.dcm", "damaged DICOM file, or none"),
    ],
)  # fmt: skip
def test_odd_files_of_others_are_told(name, reason):
    path = dicom_files.Path(own("CT_small.dcm")).parent / name
    with pytest.raises(Odd, match=reason):
        shown(path)


def by_class(folder, **elements):
    chance = np.random.default_rng(0)
    for row in range(20):
        label = row % 2
        path = folder / ("well", "ill")[label] / f"{row}.dcm"
        dicom_files.write(path, dicom_files.spotted(label, chance), PatientID=f"p{row // 2}", **elements)
    return folder


def test_a_folder_of_odd_files_goes_on_without_them(tmp_path):
    folder = by_class(tmp_path / "set")
    whole = (folder / "ill" / "1.dcm").read_bytes()
    (folder / "ill" / "cut.dcm").write_bytes(whole[:-100])
    (folder / "ill" / "empty.dcm").write_bytes(b"")
    (folder / "ill" / "report.dcm").write_bytes(dicom_files.Path(own("test-SR.dcm")).read_bytes())
    (folder / "well" / "picture.dcm").write_bytes(b"\x89PNG\r\n\x1a\n")
    dicom_files.write(folder / "ill" / "other.dcm", RAMP.astype(np.uint8), Modality="US")
    data = load(folder)
    assert len(data.examples) == 20
    told = "\n".join(data.told)
    for name, why in (
        ("cut.dcm", "cut short"), ("empty.dcm", "0 bytes"), ("report.dcm", "without pixels"),
        ("picture.dcm", "or none"), ("other.dcm", "another modality"),
    ):  # fmt: skip
        assert any(name in line and why in line for line in data.told), told
    note = next(note for note in data.notes if "skipped" in note)
    assert note.startswith("5 files skipped")
    assert not any(name in " ".join(data.notes) for name in ("cut.dcm", "report.dcm"))
    assert "--strict: " in refusal(folder, strict=True)
    for number in range(20):
        (folder / "ill" / f"more{number}.dcm").write_bytes(b"")
    assert "(and 23 more files of 45 cannot be used)" in refusal(folder)


def test_headers_say_label_patient_and_groups(tmp_path):
    data = load(dicom_files.hospital(tmp_path / "set"), target="BodyPartExamined")
    assert data.examples.target.tolist()[:4] == ["CHEST", "CHEST", "LUNG", "LUNG"]
    assert data.target == "BodyPartExamined"
    assert data.examples.ids.tolist()[:6] == ["1", "1", "2", "2", "3", "3"]
    assert data.examples.groups["PatientSex"].tolist()[:6] == ["F", "F", "F", "F", "M", "M"]
    assert set(data.examples.groups["PatientAge"]) == {"<35.8", "35.8-41.5", "41.5-47.2", ">=47.2"}
    assert list(data.examples.columns) == ["image"]
    assert data.examples.columns["image"].shape == (48, 16, 16, 1)


def test_a_file_that_lacks_what_is_asked_of_headers_is_skipped(tmp_path):
    folder = dicom_files.hospital(tmp_path / "set")
    dicom_files.write(folder / "nobody.dcm", RAMP.astype(np.uint8), PatientID="", BodyPartExamined="LUNG")
    dicom_files.write(folder / "nothing.dcm", RAMP.astype(np.uint8))
    data = load(folder, target="BodyPartExamined")
    assert len(data.examples) == 48
    assert data.examples.ids.tolist() == [str(number // 2 + 1) for number in range(48)]
    assert any("nobody.dcm has no PatientID" in line for line in data.told)
    assert any("nothing.dcm has no BodyPartExamined" in line for line in data.told)


def test_folders_say_the_class_and_headers_the_patient(tmp_path):
    data = load(by_class(tmp_path, Manufacturer="x"), sensitive=("Manufacturer",))
    assert data.examples.target.tolist() == ["ill"] * 10 + ["well"] * 10
    assert data.examples.ids.tolist() == [str(number + 1) for number in range(10)] * 2
    assert set(data.examples.groups["Manufacturer"]) == {"x"}


def test_a_labels_file_goes_before_headers(tmp_path):
    folder = dicom_files.hospital(tmp_path / "set", patients=4, each=1)
    rows = [f"{patient:03}/1,{'ab'[patient % 2]},{'xy'[patient // 2]},{20 + patient}" for patient in range(4)]
    (folder / "labels.csv").write_text("\n".join(["path,label,sex,age", *rows]))
    data = load(folder, sensitive=("Modality",))
    assert data.examples.target.tolist() == ["a", "b", "a", "b"]
    assert data.examples.ids.tolist() == ["1", "2", "3", "4"]
    assert sorted(data.examples.groups) == ["Modality", "age", "sex"]
    (folder / "labels.csv").write_text("\n".join(["path,label,patient", *(f"{p:03}/1,a,q{p // 2}" for p in range(4))]))
    assert load(folder).examples.ids.tolist() == ["q0", "q0", "q1", "q1"]
    assert "is not in" in refusal(folder, target="BodyPartExamined")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"sensitive": ("PatientName",)}, "tells who somebody is"),
        ({"sensitive": ("InstitutionName",)}, "tells who somebody is"),
        ({"target": "PatientID"}, "tells who somebody is"),
        ({"sensitive": ("PatientSexx",)}, "did you mean 'PatientSex'"),
        ({"target": "Laterality"}, "no header here says it"),
        ({"id": "Laterality"}, "no header here says it"),
        ({"time": "StudyDate"}, "labels.csv"),
        ({}, "lies in no class folder"),
    ],
)
def test_flags_that_headers_cannot_answer(tmp_path, flags, words):
    folder = tmp_path / "set"
    for row in range(3):
        dicom_files.write(folder / f"{row}.dcm", RAMP.astype(np.uint8), BodyPartExamined="CHEST")
    flags = {"target": "BodyPartExamined", **flags} if flags and "target" not in flags else flags
    assert words in refusal(folder, **flags)


def test_frames_are_rows_of_one_patient_or_one_volume(tmp_path):
    chance = np.random.default_rng(0)
    for patient in range(6):
        frames = np.stack([dicom_files.spotted(patient % 2, chance) for _ in range(5)])
        dicom_files.write(tmp_path / "ab"[patient % 2] / f"{patient}.dcm", frames, PatientID=f"p{patient}")
    data = load(tmp_path)
    assert data.examples.columns["image"].shape == (30, 16, 16, 1)
    assert data.examples.ids.tolist() == [str(number) for number in range(1, 7) for _ in range(5)]
    assert data.examples.target.tolist() == ["a"] * 15 + ["b"] * 15
    assert "6 volumes taken as 30 slices or frames, each a row of its own" in data.notes
    volumes = load(tmp_path, OwnImages(volumes=8)).examples
    assert volumes.columns["image"].shape == (6, 8, 8, 8, 1)
    assert volumes.kinds["image"] == "image"


def test_frames_of_nobody_are_refused(tmp_path):
    for row in range(4):
        pixels = np.zeros((3, 8, 8), np.uint8)
        dicom_files.write(tmp_path / "ab"[row % 2] / f"{row}.dcm", pixels, PatientID="")
    assert "whose each picture is" in refusal(tmp_path)


def test_damage_anywhere_is_told_and_ends_nothing(tmp_path):
    """Bytes of headers and pixels at random: each file is read, or skipped with words that quote nothing."""
    chance = np.random.default_rng(0)
    names = ("MR_small_RLE.dcm", "SC_rgb_rle_2frame.dcm", "liver_1frame.dcm")
    wholes = [dicom_files.Path(own(name)).read_bytes() for name in names]
    for number in range(90):
        damaged = bytearray(wholes[number % 3])
        for _ in range(4):
            damaged[chance.integers(128, 1500)] = chance.integers(0, 256)
        (tmp_path / f"{number}.dcm").write_bytes(damaged)
    dicom.require(tmp_path)
    found = files.read_all(sorted(tmp_path.glob("*.dcm")), Wanted(8, 1))
    assert len(found.known) + len(found.odd) == 90
    assert min(len(found.known), len(found.odd)) > 10
    assert len({reason for _, reason in found.odd}) < 10


def test_a_large_folder_is_decoded_when_it_is_needed(tmp_path, monkeypatch):
    chance = np.random.default_rng(0)
    for patient in range(6):
        frames = np.stack([dicom_files.spotted(patient % 2, chance, most=4095) for _ in range(1 + patient % 2)])
        dicom_files.write(tmp_path / "ab"[patient % 2] / f"{patient}.dcm", frames, 12, PatientID=f"p{patient}")
    kept = load(tmp_path).examples
    monkeypatch.setattr(files, "KEPT_BYTES", 0)
    asked = load(tmp_path).examples
    column = asked.columns["image"]
    assert isinstance(column, OnDemand)
    assert (column.shape, column.dtype) == (kept.columns["image"].shape, np.uint8)
    np.testing.assert_array_equal(column[:], kept.columns["image"])
    order = np.array([8, 0, 3, 3])
    np.testing.assert_array_equal(column.only(order)[1:], kept.columns["image"][order[1:]])
    np.testing.assert_array_equal(column[4], kept.columns["image"][4])
    assert len(set(column.hashes())) == 9
    assert column.only(order).hashes().tolist() == column.hashes()[order].tolist()
    twice = column.only(order).only(np.array([3, 1]))
    np.testing.assert_array_equal(twice[:], kept.columns["image"][[3, 0]])
    (tmp_path / "a" / "0.dcm").write_bytes(b"changed")
    with pytest.raises(BadInput, match=r"0\.dcm was changed since it was first read"):
        column[:]


def test_without_pydicom_one_line_says_what_to_install(tmp_path, monkeypatch):
    folder = by_class(tmp_path)
    monkeypatch.setitem(sys.modules, "pydicom", None)
    assert "pip install 'tapeline[medical]'" in refusal(folder)
    with pytest.raises(BadInput, match=r"tapeline\[medical\]"):
        OwnImages().unlabelled(str(folder), {"image": (16, 16, 1)})


def test_names_in_headers_are_told_without_showing_one_and_refused_by_strict(tmp_path):
    names = {"PatientName": "Planted^Ottilie", "InstitutionName": "St Planted"}
    folder = by_class(tmp_path, PatientBirthDate="19700203", **names)
    request = DataRequest(str(folder))
    data = without_personal(OwnImages(size=16).load(request), request)
    assert "header 'PatientName': names of people in 20 of 20, which no model sees and nothing records" in data.personal
    assert any("'PatientBirthDate': dates of birth" in line for line in data.personal)
    assert "Planted" not in str((data.notes, data.told, data.personal, data.examples.ids, data.examples.groups))
    strict = DataRequest(str(folder), strict=True)
    with pytest.raises(BadInput, match="--strict: there is personal data in header 'PatientName'"):
        without_personal(OwnImages(size=16).load(strict), strict)


def test_what_pydicom_finds_odd_in_a_header_is_not_printed(tmp_path, recwarn):
    folder = by_class(tmp_path, SpecificCharacterSet="Plantagenet", PatientName="")
    warnings.simplefilter("always")
    recwarn.clear()
    assert dcmread(folder / "ill" / "1.dcm").PatientName == ""
    assert any("Plantagenet" in str(each.message) for each in recwarn), "it would be"
    recwarn.clear()
    assert len(load(folder).examples) == 20
    assert not [str(each.message) for each in recwarn]


@pytest.mark.parametrize("name", ["", "Anonymous", "p0"])
def test_names_that_were_taken_out_are_none(tmp_path, name):
    path = dicom_files.write(tmp_path / "a.dcm", RAMP.astype(np.uint8), PatientID="p0", PatientName=name)
    assert "PatientName" not in shown(path).header
    assert dcmread(path).PatientName == name


def test_rows_to_predict(tmp_path):
    folder = by_class(tmp_path / "set")
    (folder / "odd.dcm").write_bytes(b"")
    frames = np.stack([RAMP, RAMP]).astype(np.uint8)
    dicom_files.write(tmp_path / "set" / "z.dcm", frames)
    rows = OwnImages().unlabelled(str(folder), {"image": (16, 16, 1)})
    assert rows.columns["image"].shape == (22, 16, 16, 1)
    assert rows.files[-2:] == (f"{folder / 'z.dcm'} 1", f"{folder / 'z.dcm'} 2")
    assert any("odd.dcm is empty" in note for note in rows.notes)
    alone = OwnImages().unlabelled(str(folder / "ill" / "1.dcm"), {"image": (16, 16, 3)})
    assert alone.columns["image"].shape == (1, 16, 16, 3)
