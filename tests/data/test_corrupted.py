"""Pictures made worse: each as it says, worse with every severity, and the same again."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from pipelines.data.pictures import corrupted as module
from pipelines.data.pictures.corrupted import SEVERITIES, corrupted, possible


@pytest.fixture(scope="module", params=[(28, 28, 1), (24, 40, 3)])
def pictures(request):
    """Smooth blobs in front of a dark ground, so that there is something to lose."""
    shape = request.param
    drawn = gaussian_filter(np.random.default_rng(0).normal(size=(30, *shape)), (0, 2, 2, 0))
    return np.clip(128 + 400 * drawn, 30, 220).astype(np.uint8)


@pytest.mark.parametrize("corruption", SEVERITIES)
def test_each_severity_takes_pictures_further_away(pictures, corruption):
    before = pictures.copy()
    made = [corrupted(pictures, corruption, amount) for amount in SEVERITIES[corruption]]
    apart = [np.sqrt(np.square(each.astype(float) - pictures).mean(axis=(1, 2, 3))) for each in made]
    assert all(each.shape == pictures.shape and each.dtype == np.uint8 for each in made)
    assert (apart[0] > 0.1).all()
    assert (apart[1] > apart[0]).all()
    assert (apart[2] > apart[1]).all()
    np.testing.assert_array_equal(pictures, before)
    np.testing.assert_array_equal(made[1], corrupted(pictures, corruption, SEVERITIES[corruption][1]))


def test_noise_has_the_deviation_that_it_says_and_another_seed_another_pattern(pictures):
    grey = np.full((50, 32, 32, 1), 128, np.uint8)
    assert corrupted(grey, "noise", 0.08).std() == pytest.approx(0.08 * 255, rel=0.02)
    assert (corrupted(grey, "noise", 0.08) != corrupted(grey, "noise", 0.08, seed=1)).mean() > 0.9


def test_blur_is_as_wide_as_the_picture_is_large():
    for side in (32, 128):
        point = np.zeros((1, side, side, 1), np.uint8)
        middle = side // 2
        point[0, middle - side // 16 : middle + side // 16, :, 0] = 255  # a bar, of which only the edges can move
        blurred = corrupted(point, "blur", 0.06)[0, :, middle, 0].astype(float)
        across = np.arange(side) - (middle - 0.5)
        spread = np.sqrt((blurred * across**2).sum() / blurred.sum())
        assert spread / side == pytest.approx(np.hypot(0.06, 1 / 8 / np.sqrt(12)), rel=0.05)


def test_blur_is_as_wide_down_as_across_and_mixes_no_colours():
    point = np.zeros((2, 33, 33, 3), np.uint8)
    point[1, 15:18, 15:18, 1] = 255
    blurred = corrupted(point, "blur", 0.03)
    assert blurred[0].max() == 0, "of another picture"
    assert blurred[1, ..., [0, 2]].max() == 0, "of another colour"
    assert blurred[1, 13, 16, 1] > 0
    np.testing.assert_array_equal(blurred[1, ..., 1], blurred[1, ..., 1].T)


def test_noise_ends_at_black_and_white_and_differs_between_blocks(monkeypatch):
    white = np.full((4, 16, 16, 1), 255, np.uint8)
    noisy = corrupted(white, "noise", 0.08)
    assert noisy.min() > 255 * (1 - 0.08 * 6), "nothing wraps around"
    assert (noisy == 255).mean() > 0.4
    monkeypatch.setattr(module, "AT_ONCE", 2 * 16 * 16)
    first, second = np.split(corrupted(white // 2, "noise", 0.08), 2)
    assert (first != second).mean() > 0.9


def test_contrast_is_taken_towards_the_mean_of_each_picture(pictures):
    faint = corrupted(pictures, "contrast", 0.35).astype(float)
    means = pictures.mean(axis=(1, 2, 3), keepdims=True)
    np.testing.assert_allclose(faint - means, 0.35 * (pictures - means), atol=0.51)


def test_jpeg_is_a_real_encoding(pictures):
    written = io.BytesIO()
    first = pictures[0]
    Image.fromarray(first[..., 0] if first.shape[2] == 1 else first).save(written, format="JPEG", quality=15)
    assert len(written.getvalue()) < first.size + 700
    expected = np.asarray(Image.open(written)).reshape(first.shape)
    np.testing.assert_array_equal(corrupted(pictures, "jpeg", 15)[0], expected)


@pytest.mark.parametrize(
    ("shape", "dtype", "can"),
    [
        ((2, 8, 8, 1), np.uint8, True), ((2, 8, 8, 3), np.uint8, True), ((2, 8, 8, 4), np.uint8, False),
        ((2, 8, 8, 8, 1), np.uint8, False), ((2, 8, 8, 1), np.float32, False), ((2, 8), np.uint8, False),
    ],
)  # fmt: skip
def test_volumes_and_numbers_are_no_pictures_of_bytes(shape, dtype, can):
    assert possible(np.zeros(shape, dtype)) is can
