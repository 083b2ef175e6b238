"""The simulated eyes: the same each time, both of a patient alike, and lesions as their grade has them."""

from collections import Counter

import numpy as np
import pytest

from pipelines.data.builders import simulated_fundus
from pipelines.data.builders.fundus import CAMERAS, MACULA, PIXELS, Eye, draw
from pipelines.data.builders.simulated_fundus import AGES, GRADES, SimulatedFundus, eyes
from pipelines.data.sample_set import SampleSet
from pipelines.task import DataRequest


def drawn(grade, n=12, camera="tabletop", drusen=0, right=True):
    """(n, 48, 48, 3) in [0, 1]."""
    return (
        np.array([draw(Eye(right, grade, drusen, 0.3, camera), np.random.default_rng([1, i])) for i in range(n)]) / 255
    )


def spots(pictures, sign):
    """How much darker (-1) or brighter (1) than their surroundings places in the middle of the field are."""
    from scipy.ndimage import gaussian_filter

    green = pictures[..., 1]
    found = sign * (gaussian_filter(green, (0, 0.6, 0.6)) - gaussian_filter(green, (0, 3, 3)))[:, 12:36, 12:34]
    return np.clip(found - 0.03, 0, None).sum(axis=(1, 2)).mean()


def test_the_seed_decides_every_pixel():
    eye = Eye(True, 4, 3, 0.5, "handheld")
    first, again, other = (draw(eye, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (first.shape, first.dtype) == ((PIXELS, PIXELS, 3), np.uint8)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_a_left_eye_is_a_mirrored_right_one():
    right, left = (draw(Eye(side, 2, 0, 0.2, "tabletop"), np.random.default_rng(3)) for side in (True, False))
    np.testing.assert_array_equal(left, right[:, ::-1])
    halves = drawn(0)[..., 0].reshape(12, PIXELS, 2, PIXELS // 2).max(axis=(1, 3))
    assert (halves[:, 1] > halves[:, 0]).all(), "the optic disc of a right eye is on the right"


def test_there_is_blood_from_grade_1_on_and_more_of_it_up_to_3():
    dark = [spots(drawn(grade), -1) for grade in range(5)]
    assert dark[0] < dark[1] < dark[2] < dark[3]
    assert dark[4] > dark[1]
    bright = [spots(drawn(grade), 1) for grade in range(3)]
    assert bright[2] > 2 * bright[0], "exudates begin with grade 2"
    assert spots(drawn(0, drusen=9), 1) > bright[0], "drusen look like them"


def test_a_handheld_camera_is_darker_blurs_and_adds_noise():
    sharp, blurred = drawn(2), drawn(2, camera="handheld")
    assert blurred.mean() < 0.9 * sharp.mean()
    assert spots(blurred, -1) < 0.6 * spots(sharp, -1)
    assert CAMERAS["handheld"].noise > CAMERAS["tabletop"].noise
    row, column = (int((each + 1) * PIXELS / 2) for each in MACULA[::-1])
    middle = sharp[:, row - 2 : row + 3, column - 2 : column + 3, 1].mean()
    assert middle < sharp[:, 14:34, 14:34, 1].mean(), "the macula is darker than what is around it"


def test_eyes_of_a_patient_are_alike_and_groups_have_nothing_to_do_with_grades():
    pairs = [list(eyes(patient)) for patient in range(800)]
    own = np.array([[eye.grade for eye, _ in pair] for pair in pairs])
    noted = np.array([[int(row["grade"]) for _, row in pair] for pair in pairs])
    assert np.abs(own[:, 0] - own[:, 1]).max() == 1
    assert (own[:, 0] == own[:, 1]).mean() == pytest.approx(0.7, abs=0.05)
    assert np.abs(own - noted).max() == 1
    assert (own != noted).mean() == pytest.approx(0.1, abs=0.02)
    np.testing.assert_allclose(np.bincount(own[:, 0]) / 800, GRADES, atol=0.04)
    for name in ("camera", "age"):
        group = np.array([pair[0][1][name] for pair in pairs])
        assert all(pair[0][1][name] == pair[1][1][name] for pair in pairs)
        means = [own[group == each].mean() for each in np.unique(group)]
        assert np.ptp(means) < 0.35
    ages = np.array([row["age"] for pair in pairs for _, row in pair])
    drusen = np.array([eye.drusen for pair in pairs for eye, _ in pair])
    assert [drusen[ages == each].mean() for each in AGES] == pytest.approx(list(AGES.values()), rel=0.25)


def test_the_sample_holds_the_drawn_eyes_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(simulated_fundus, "PATIENTS", 6)
    found = SampleSet("pipelines.data.builders.simulated_fundus.SimulatedFundus").load(DataRequest())
    assert found.simulated
    assert "SIMULATED" in SimulatedFundus.__doc__
    assert "drawn by a program" in found.notes[0]
    examples = found.examples
    assert (examples.columns["image"].shape, examples.kinds) == ((12, 48, 48, 3), {"image": "image"})
    assert set(examples.groups) == {"camera", "age"}
    assert Counter(Counter(examples.ids).values()) == {2: 6}
    expected = {row["patient"]: [] for patient in range(6) for _, row in eyes(patient)}
    for patient in range(6):
        for place, (eye, row) in enumerate(eyes(patient)):
            picture = draw(eye, np.random.default_rng([simulated_fundus.SEED, patient, place]))
            expected[row["patient"]].append((row["grade"], picture.tobytes()))
    for patient, known in expected.items():
        rows = examples.ids == patient
        pictures = [each.tobytes() for each in examples.columns["image"][rows]]
        assert sorted(zip(examples.target[rows], pictures, strict=True)) == sorted(known)
