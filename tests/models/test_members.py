"""Dense layers of several members, against one member after the other; saved and read in safe mode."""

import keras
import numpy as np
import pytest

from pipelines.models.members import MemberDense, SharedDense


def filled(layer, shape, seed=0):
    """The layer, built for this input and with every weight random."""
    layer.build(shape)
    chance = np.random.default_rng(seed)
    layer.set_weights([chance.normal(size=each.shape) for each in layer.get_weights()])
    return layer


@pytest.mark.parametrize("shape", [(None, 4), (None, 3, 4)])
def test_members_share_a_kernel_between_their_own_scales(shape):
    layer = filled(SharedDense(5, 3, activation="relu"), shape)
    x = np.random.default_rng(1).normal(size=(7, *shape[1:])).astype(np.float32)
    kernel, before, after, bias = (np.asarray(each) for each in (layer.kernel, layer.before, layer.after, layer.bias))
    found = np.asarray(layer(x))
    assert found.shape == (7, 3, 5) == (7, *layer.compute_output_shape(shape)[1:])
    for one in range(3):
        own = x if x.ndim == 2 else x[:, one]
        expected = np.maximum(((own * before[one]) @ kernel) * after[one] + bias[one], 0)
        np.testing.assert_allclose(found[:, one], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("units", [1, 2])
def test_each_member_has_a_kernel_of_its_own(units):
    layer = filled(MemberDense(units), (None, 3, 4))
    x = np.random.default_rng(1).normal(size=(7, 3, 4)).astype(np.float32)
    kernel, bias = np.asarray(layer.kernel), np.asarray(layer.bias)
    found = np.asarray(layer(x))
    for one in range(3):
        np.testing.assert_allclose(found[:, one], x[:, one] @ kernel[one] + bias[one], rtol=1e-4, atol=1e-5)


def test_members_start_apart_by_signs_alone():
    layer = SharedDense(5, 8, signs=True)
    layer.build((None, 40))
    assert set(np.unique(layer.before)) == {-1.0, 1.0}
    assert len({tuple(row) for row in np.asarray(layer.before)}) == 8
    kernel = np.asarray(layer.kernel)
    assert np.abs(kernel).max() <= 40**-0.5
    assert kernel.std() == pytest.approx(40**-0.5 / 3**0.5, rel=0.2)
    alike = SharedDense(5, 8)
    alike.build((None, 40))
    assert (np.asarray(alike.before) == 1).all()


def test_saved_and_read_in_safe_mode(tmp_path):
    inputs = keras.Input((6,))
    hidden = SharedDense(5, 3, signs=True, activation="relu")(inputs)
    model = keras.Model(inputs, MemberDense(2)(SharedDense(4, 3)(hidden)))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    x = np.random.default_rng(0).normal(size=(9, 6))
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
