"""Augmentation: what is changed and what is not, by how much, by which chance; and views of a network."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipelines.models.augmentation import DRAWN, Augmentation, changed, views
from pipelines.models.changes import CHEST, EYE, OUTLINE, TISSUE, Changes

STILL = Changes(turned=0.0, shifted=0.0, scaled=0.0, lit=0.0)
SIDE = 9


def pictures(n=64, seed=0, side=SIDE):
    return np.random.default_rng(seed).uniform(-1, 1, (n, side, side, 2)).astype(np.float32)


def drawn(**numbers):
    """(1, DRAWN) of nothing but these."""
    names = ("turned", "scaled", "down", "right", "mirrored", "upended", "brighter", "contrast")
    return np.array([[numbers.get(name, 0.0) for name in names]], np.float32)


def moved(x, changes, **numbers):
    return np.asarray(changed(x, changes, 1.0, np.repeat(drawn(**numbers), len(x), axis=0)))


@pytest.mark.parametrize("changes", [CHEST, TISSUE, OUTLINE, EYE, STILL])
def test_nothing_is_changed_but_in_training(changes):
    x = pictures()
    np.testing.assert_array_equal(Augmentation.of(changes, 1.0)(x, training=False), x)
    np.testing.assert_array_equal(Augmentation.of(changes, 1.0)(x), x)


def test_what_may_not_change_stays_as_it_is_whatever_is_drawn():
    x = pictures()
    np.testing.assert_allclose(Augmentation.of(STILL, 1.0)(x, training=True), x, atol=1e-6)


def test_mirrors_are_exact_and_fall_on_half_of_the_pictures():
    x = pictures(400)
    for changes, axis in ((Changes(True, False, 0, 0, 0, 0), 2), (Changes(False, True, 0, 0, 0, 0), 1)):
        out = np.asarray(Augmentation.of(changes, 1.0)(x, training=True))
        same = np.isclose(out, x, atol=1e-5).all(axis=(1, 2, 3))
        other = np.isclose(out, np.flip(x, axis), atol=1e-5).all(axis=(1, 2, 3))
        assert (same | other).all()
        assert 140 < same.sum() < 260


def test_both_mirrors_fall_independently():
    x = pictures(400)
    out = np.asarray(Augmentation.of(Changes(True, True, 0, 0, 0, 0), 1.0)(x, training=True))
    ways = [x, x[:, ::-1], x[:, :, ::-1], x[:, ::-1, ::-1]]
    found = np.array([np.isclose(out, way, atol=1e-5).all(axis=(1, 2, 3)) for way in ways])
    assert found.sum(axis=0).tolist() == [1] * 400
    assert (found.sum(axis=1) > 60).all()


def test_the_heart_of_a_chest_stays_on_its_side():
    x = np.full((300, 28, 28, 1), -1.0, np.float32)
    x[:, 12:16, 20:24] = 1.0
    out = np.asarray(Augmentation.of(CHEST, 1.0)(x, training=True))
    assert (out[:, :, 14:].sum(axis=(1, 2, 3)) > out[:, :, :14].sum(axis=(1, 2, 3))).all()


@pytest.mark.parametrize(("name", "axis"), [("down", 1), ("right", 2)])
@pytest.mark.parametrize("way", [-1, 1])
def test_a_shift_is_by_its_share_of_the_side_and_repeats_the_edge(name, axis, way):
    x = np.concatenate([pictures(3), pictures(3, 1)[:, :, 1:]], axis=2)
    out = moved(x, Changes(turned=0, scaled=0, lit=0, shifted=0.25), **{name: way})
    steps = x.shape[axis] - 1  # 8 between 9 pixels, 16 between 17
    where = np.clip(np.arange(steps + 1) + way * steps // 4, 0, steps)
    np.testing.assert_allclose(out, np.take(x, where, axis), atol=1e-5)


def test_a_turn_is_by_its_degrees_around_the_middle():
    x = pictures(3)
    out = moved(x, Changes(turned=90, scaled=0, lit=0, shifted=0), turned=1.0)
    np.testing.assert_allclose(out, np.rot90(x, 1, axes=(1, 2)), atol=1e-4)
    half = moved(x, Changes(turned=90, scaled=0, lit=0, shifted=0), turned=-0.5)
    assert abs(np.asarray(half) - x).max() > 0.1


@pytest.mark.parametrize(("way", "size"), [(1, 8), (-1, 24)])
def test_scaling_keeps_the_middle_and_changes_the_size(way, size):
    x = np.full((1, 33, 33, 1), -1.0, np.float32)
    x[:, 8:25, 8:25] = 1.0  # 16 steps wide
    bright = np.asarray(moved(x, Changes(turned=0, lit=0, shifted=0, scaled=0.5), scaled=way))[0, :, :, 0] > 0
    rows = np.nonzero(bright.any(axis=1))[0]
    assert rows.min() + rows.max() == 32
    expected = 16 / (1 + 0.5 * way)
    assert abs((rows.max() - rows.min()) - expected) <= 2, size


def test_light_and_contrast_change_by_their_shares_and_stay_in_range():
    x, only = pictures(50) * 0.5, Changes(turned=0, shifted=0, scaled=0, lit=0.2)
    np.testing.assert_allclose(moved(x, only, brighter=1.0), x + 0.2, atol=1e-6)
    middle = x.mean(axis=(1, 2, 3), keepdims=True)
    np.testing.assert_allclose(moved(x, only, contrast=-1.0), (x - middle) * 0.8 + middle, atol=1e-6)
    out = np.asarray(Augmentation.of(only, 20.0)(x, training=True))
    assert out.min() >= -1
    assert out.max() <= 1


def test_strength_multiplies_everything_but_mirrors():
    x, changes = pictures(20), Changes(mirrored=True)
    numbers = np.random.default_rng(1).uniform(-1, 1, (20, DRAWN)).astype(np.float32)
    twice = changed(x, Changes(True, False, 20.0, 0.2, 0.2, 0.2), 0.5, numbers)
    np.testing.assert_allclose(changed(x, changes, 1.0, numbers), twice, atol=1e-5)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_each_picture_has_its_own_change_and_each_call_another(policy):
    keras.utils.set_random_seed(3)
    x, layer = np.repeat(pictures(1), 6, axis=0), Augmentation.of(CHEST, 1.0)
    layer.dtype_policy = policy
    call = tf.function(lambda x: layer(x, training=True))
    first, second = (np.asarray(tf.cast(call(tf.constant(x)), tf.float32)) for _ in range(2))
    assert all(np.abs(first[row] - first[0]).max() > 0.05 for row in range(1, 6))
    assert np.abs(first - second).max() > 0.05
    keras.utils.set_random_seed(3)
    again = Augmentation.of(CHEST, 1.0)
    again.dtype_policy = policy
    np.testing.assert_allclose(tf.cast(again(tf.constant(x), training=True), tf.float32), first, atol=0.01)


def test_slices_of_a_volume_change_alike():
    slices = pictures(5, side=7)
    volume = np.stack([slices, slices[:, ::-1]], axis=1)
    numbers = np.random.default_rng(0).uniform(-1, 1, (5, DRAWN)).astype(np.float32)
    out = np.asarray(changed(volume, TISSUE, 1.0, numbers))
    flat = np.asarray(changed(slices, Changes(True, True, 180.0, lit=0.0), 1.0, numbers))
    still = np.asarray(changed(volume, Changes(True, True, 180.0, lit=0.0), 1.0, numbers))
    assert out.shape == volume.shape
    np.testing.assert_allclose(still[:, 0], flat, atol=1e-5)
    assert np.abs(still[:, 0] - still[:, 1]).max() > 0.1


def test_views_differ_from_the_picture_and_from_each_other_and_are_the_same_each_time():
    x = pictures(4)
    looks = [np.asarray(look(x)) for look in views(CHEST, 5)]
    for place, one in enumerate(looks):
        assert np.abs(one - x).max() > 0.05
        assert all(np.abs(one - other).max() > 0.01 for other in looks[:place])
    for one, other in zip(looks, views(CHEST, 5), strict=True):
        np.testing.assert_array_equal(one, other(x))
    np.testing.assert_allclose(np.asarray(views(CHEST, 1)[0](x[2:3])), looks[0][2:3], atol=1e-6)


def test_layers_are_saved_and_read_in_safe_mode(tmp_path):
    inputs, x = keras.Input((SIDE, SIDE, 2)), pictures(4)
    outputs = views(EYE, 2)[1](Augmentation.of(EYE, 0.7)(inputs))
    model = keras.Model(inputs, outputs)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(again(x), model(x))
    assert again.get_layer("augmentation").strength == 0.7
    assert again.get_layer("augmentation").most == EYE
