"""Features of pictures: scikit-image's numbers, all pictures of a block at once, and of volumes too."""

import numpy as np
import pytest
from skimage import feature

from pipelines.contenders import picture_gradients, picture_texture
from pipelines.contenders.picture_gradients import cell_side, n_features, oriented_gradients
from pipelines.contenders.picture_planes import averaged, grey, plane_shapes, planes
from pipelines.contenders.pictures import described, flat_pixels, shape_features, total_brightness

SIDES = [(28, 28), (32, 32), (45, 60), (64, 64)]


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


@pytest.mark.parametrize("sides", SIDES)
def test_gradients_are_scikit_images(sides):
    pictures, cell = noise(3, *sides, 1), cell_side(sides)
    wanted = [  # of whole numbers, for rounding would put diagonal edges into one bin or the other by chance
        feature.hog(
            each[..., 0].astype(float), orientations=8, pixels_per_cell=(cell, cell), cells_per_block=(2, 2),
            block_norm="L2-Hys",
        )
        for each in pictures
    ]  # fmt: skip
    np.testing.assert_allclose(oriented_gradients(pictures), wanted, atol=1e-5)


def test_edges_along_rows_columns_and_diagonals_lie_in_one_bin():
    ramp = np.add.outer(np.arange(32.0), np.arange(32.0))
    for picture, way in ((ramp, 2), (ramp.T[::-1], 6), (np.tile(np.arange(32.0), (32, 1)), 0)):
        cells = picture_gradients._histograms(np.float32(picture[None] / 64), 4)[0, 2:6, 2:6]
        assert cells.argmax(axis=-1).tolist() == [[way] * 4] * 4
        assert np.delete(cells, way, axis=-1).max() == 0


def test_cells_suit_the_picture_and_features_are_counted_before_they_are_taken():
    assert [cell_side((side, side)) for side in (28, 32, 64, 224)] == [4, 4, 8, 28]
    for shape in ((2, 28, 28, 1), (2, 30, 47, 3), (2, 224, 224, 3), (2, 5, 3, 1), (2, 1, 1, 1), (2, 9, 20, 33, 1)):
        for coarse in (1, 2, 50):
            found = oriented_gradients(noise(*shape), coarse)
            assert found.shape == (2, n_features(shape, coarse)), (shape, coarse)
            assert np.isfinite(found).all()


@pytest.mark.parametrize("sides", SIDES)
def test_co_occurrence_is_scikit_images(sides):
    pictures = noise(3, *sides, 1)
    pictures[0] //= 7
    steps = np.minimum(pictures[..., 0] / 255 * 8, 7).astype(np.uint8)
    angles = [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
    wanted = []
    for each in steps:
        matrix = feature.graycomatrix(each, [max(1, min(sides) // 28)], angles, 8, symmetric=True, normed=True)
        names = ("contrast", "dissimilarity", "homogeneity", "energy", "correlation")
        found = np.stack([feature.graycoprops(matrix, name)[0] for name in names], axis=1)
        wanted.append([*found.mean(axis=0), *np.ptp(found, axis=0)])
    np.testing.assert_allclose(picture_texture.co_occurrence(grey(pictures)), wanted, atol=1e-5)


@pytest.mark.parametrize("sides", SIDES)
def test_binary_patterns_are_scikit_images(sides):
    pictures = noise(3, *sides, 1)
    codes = [feature.local_binary_pattern(each[..., 0], 8, 1, "uniform").astype(int).ravel() for each in pictures]
    wanted = [np.bincount(each, minlength=10) / len(each) for each in codes]
    np.testing.assert_allclose(picture_texture.binary_patterns(grey(pictures)), wanted, atol=1e-12)


def test_even_brightness_has_no_pattern():
    inside = picture_texture.binary_patterns(np.full((1, 40, 40), 0.7, np.float32))[0]
    assert inside[8] == pytest.approx(38 * 38 / 1600)  # all eight neighbours are as bright, but at the edge


@pytest.mark.parametrize("shape", [(4, 28, 28, 1), (4, 224, 130, 3), (4, 2, 2, 1), (4, 1, 1, 1), (4, 6, 12, 12, 1)])
def test_described_pictures_are_finite_numbers_whatever_their_size(shape):
    for pictures in (noise(*shape), np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8)):
        with np.errstate(all="raise", under="ignore"):
            found = described(pictures)
        assert np.isfinite(found).all()


def test_each_colour_has_its_mean_and_deviation():
    picture = np.zeros((2, 8, 8, 3), np.uint8)
    picture[0, ..., 0], picture[1, :4, :, 2] = 255, 255
    found = picture_texture.texture_features(picture)
    np.testing.assert_allclose(found[:, -6:], [[1, 0, 0, 0, 0, 0], [0, 0, 0.5, 0, 0, 0.5]])
    assert picture_texture.texture_features(picture[..., :1]).shape[1] == found.shape[1] - 6


def test_a_block_of_pictures_has_the_features_of_each():
    pictures = noise(5, 30, 34, 3)
    for features in (described, oriented_gradients, total_brightness, flat_pixels):
        whole, single = features(pictures), np.concatenate([features(pictures[row : row + 1]) for row in range(5)])
        np.testing.assert_allclose(whole, single, rtol=1e-5, atol=1e-6)


def test_a_volume_is_seen_in_three_planes_through_its_middle():
    volumes = noise(2, 6, 10, 8, 1)
    down, along, across = planes(volumes)
    np.testing.assert_allclose(down, volumes[:, 3, ..., 0] / 255, rtol=1e-6)
    np.testing.assert_allclose(along, volumes[:, :, 5, :, 0] / 255, rtol=1e-6)
    np.testing.assert_allclose(across, volumes[:, :, :, 4, 0] / 255, rtol=1e-6)
    assert plane_shapes(volumes.shape) == ((10, 8), (6, 8), (6, 10))


def test_large_pictures_are_averaged_to_64_pixels_at_least():
    pictures = noise(1, 224, 260, 1)
    assert [each.shape[1:] for each in planes(pictures)] == [(74, 86)] == list(plane_shapes(pictures.shape))
    assert planes(pictures)[0][0, 0, 1] == pytest.approx(pictures[0, :3, 3:6, 0].mean() / 255, rel=1e-5)
    assert planes(noise(1, 127, 127, 1))[0].shape == (1, 127, 127)


def test_cubes_of_a_volume_are_averaged():
    volumes = noise(1, 5, 6, 7, 2)
    found = averaged(volumes, 2)
    assert found.shape == (1, 2, 3, 3, 2)
    assert found[0, 1, 0, 2, 1] == pytest.approx(volumes[0, 2:4, :2, 4:6, 1].mean())


def test_the_shape_of_a_block_is_that_of_a_block():
    box = np.zeros((2, 16, 20, 24, 1), np.uint8)
    box[0, 4:8, 2:14, 10:12] = 255  # 4 x 12 x 2
    volume, _, _, *rest = shape_features(box)[0]
    assert volume == pytest.approx(96)
    assert rest[:3] == pytest.approx([5.5, 7.5, 10.5])
    assert rest[3:6] == pytest.approx([((side**2 - 1) / 12) ** 0.5 for side in (12, 4, 2)])
    assert rest[6] == pytest.approx((3 / 143) ** 0.5)
    assert rest[7:10] == [4, 12, 2]
    np.testing.assert_array_equal(total_brightness(box)[0], [96, 96**0.5])
    picture = np.zeros((1, 20, 20, 1), np.uint8)
    picture[0, 4:8, 2:14] = 255
    flat = shape_features(picture)[0]
    assert flat[[0, 3, 4]].tolist() == pytest.approx([48, 5.5, 7.5])
    assert flat[5:8] == pytest.approx([(143 / 12) ** 0.5, (15 / 12) ** 0.5, (15 / 143) ** 0.5])
    assert flat[8:10].tolist() == [4, 12]
    assert (len(flat), len(shape_features(box)[0])) == (13, 16)


@pytest.mark.parametrize("axes", [2, 3])
def test_compactness_is_that_of_a_form_of_any_size(axes):
    """Its border to the power of the axes over its content to one power less."""
    blocks = np.zeros((3, *[32] * axes, 1), np.uint8)
    for row, side in enumerate((6, 12, 12)):
        blocks[row, *[slice(8, 8 + side)] * axes] = 255
    blocks[2, *[slice(11, 17)] * axes] = 0  # a hole in it
    small, large, rugged = shape_features(blocks)[:, 2]
    assert small == pytest.approx(large, rel=0.25)
    assert rugged > 1.5 * large
