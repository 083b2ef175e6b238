"""Networks that give errors: their losses against NumPy, the fixed centre of deep SVDD, and what they encode."""

import keras
import numpy as np
import pytest
from scipy.stats import ortho_group

from pipelines.data.examples import Examples
from pipelines.models.anomaly import NEAR_ZERO, autoencoder, deep_svdd, encoder
from pipelines.models.error_layers import MeanSquaredDifference, SquaredDistance, StandardNumbers
from pipelines.models.inputs import as_tensors
from pipelines.objectives.classification import Classification
from pipelines.objectives.errors import RowErrors
from pipelines.task import Recipe

RECIPE = Recipe(width=8)
TWO = Classification(classes=("0", "1"))


def table(n=200, seed=0):
    random = np.random.default_rng(seed)
    with_gaps = random.normal(50, 10, n)
    with_gaps[::9] = np.nan
    return Examples(
        columns={
            "a": random.normal(3, 2, n), "gaps": with_gaps, "same": np.full(n, 7.0),
            "town": np.array(["Ulm", "Köln", None], object)[random.integers(0, 3, n)],
        },
        target=np.zeros(n),
    )  # fmt: skip


def encoded(encode, examples):
    return np.asarray(encode(as_tensors({name: examples.columns[name] for name in encode.input}, examples.kinds)))


def test_numbers_are_standardised_and_far_ones_stay_apart():
    numbers = np.array([[1.0, np.nan], [3.0, 4.0], [5.0, 4.0], [1e9, 4.0]])
    layer = StandardNumbers.fitted(numbers[:3])
    expected = np.arcsinh((numbers[:, 0] - 3) / np.std([1, 3, 5]))
    out = np.asarray(layer(numbers))
    np.testing.assert_allclose(out[:, 0], expected, rtol=1e-6)
    np.testing.assert_array_equal(out[:, 1:], [[0, 0, 1], [0, 0, 0], [0, 0, 0], [0, 0, 0]])
    assert out[3, 0] > out[2, 0] + 10


def test_no_feature_of_training_rows_is_a_constant_other_than_zero():
    """A constant would act as a bias, by which deep SVDD could map every row to its centre."""
    examples = table()
    features = encoded(encoder(examples), examples)
    assert features.shape == (200, 3 + 3 + 4)  # numbers, their flags, two towns, missing and never seen
    constant = np.ptp(features, axis=0) < 1e-6
    assert constant.sum() == 4
    np.testing.assert_allclose(features[:, constant], 0, atol=1e-6)
    np.testing.assert_allclose(features[:, 6:].mean(axis=0), 0, atol=1e-6)
    unseen = table()
    unseen.columns["town"][:] = "Bonn"
    assert (encoded(encoder(examples), unseen)[:, 6:].max(axis=1) > 0.9).all()


def test_the_reconstruction_loss_is_the_mean_squared_difference():
    examples = table()
    built = autoencoder(examples, TWO, RECIPE)
    x = encoded(built.encode, examples)
    made = np.asarray(keras.Model(built.core.input, built.core.get_layer("reconstruction").output)(x))
    loss = np.asarray(RowErrors(TWO).loss(None, built.core(x)))
    np.testing.assert_allclose(loss, np.mean((x - made) ** 2, axis=1), rtol=1e-5)
    assert built.core.get_layer("code").units == 4


def test_with_dropout_what_was_there_is_asked_back():
    """In training inputs are dropped; the error is still against the whole row."""
    examples = table()
    built = autoencoder(examples, TWO, Recipe(width=8, dropout=0.9))
    x = encoded(built.encode, examples)
    errors = np.asarray(built.core(x, training=True))[:, 0]
    assert (errors > 0.3 * np.mean(x**2, axis=1)).mean() > 0.5
    layer = MeanSquaredDifference()
    np.testing.assert_allclose(np.asarray(layer([x, np.zeros_like(x)]))[:, 0], np.mean(x**2, axis=1), rtol=1e-5)


def test_the_deep_svdd_loss_is_the_squared_distance_from_the_mean_of_the_first_outputs():
    examples = table()
    keras.utils.set_random_seed(1)
    built = deep_svdd(examples, TWO, Recipe(width=64))
    x = encoded(built.encode, examples)
    mapped = np.asarray(keras.Model(built.core.input, built.core.get_layer("mapped").output)(x))
    mean = mapped.mean(axis=0, dtype=np.float64)
    centre = np.asarray(built.core.get_layer("distance").centre)
    far = np.abs(mean) >= NEAR_ZERO
    assert 0 < far.sum() < len(mean)
    np.testing.assert_allclose(centre[far], mean[far], rtol=1e-4)
    np.testing.assert_allclose(centre[~far], np.where(mean[~far] < 0, -NEAR_ZERO, NEAR_ZERO), rtol=1e-6)
    loss = np.asarray(RowErrors(TWO).loss(None, built.core(x)))
    np.testing.assert_allclose(loss, ((mapped - centre) ** 2).sum(axis=1), rtol=1e-4)


def test_deep_svdd_has_no_bias_and_no_bounded_unit_and_its_centre_is_not_trained():
    core = deep_svdd(table(), TWO, RECIPE).core
    assert {each.name for each in core.trainable_variables} == {"kernel"}
    assert [each.name for each in core.non_trainable_variables if each.name == "centre"] == ["centre"]
    bounded = ("sigmoid", "tanh", "softsign", "hard_tanh")
    names = [getattr(getattr(layer, "activation", None), "__name__", "") for layer in core.layers]
    assert not set(names) & set(bounded)
    assert np.abs(np.asarray(core(np.zeros((1, core.input_shape[-1])))))[0, 0] > 0  # 0 is not the centre


def test_weights_drawn_anew_get_a_centre_of_their_own():
    examples = table()
    built = deep_svdd(examples, TWO, RECIPE)
    before = np.asarray(built.core.get_layer("distance").centre)
    built.core.set_weights(keras.models.clone_model(built.core).get_weights())
    built.begin(built.core)
    after = np.asarray(built.core.get_layer("distance").centre)
    assert (np.abs(after) >= NEAR_ZERO * 0.999).all()
    assert np.abs(after - before).max() > 0.01


@pytest.mark.parametrize("size", [2, 5])
def test_a_distance_does_not_depend_on_how_the_axes_lie(size):
    layer = SquaredDistance()
    x = np.random.default_rng(0).normal(size=(6, size)).astype(np.float32)
    layer.build(x.shape)
    turned = (x @ ortho_group.rvs(size, random_state=0)).astype(np.float32)
    np.testing.assert_allclose(layer(x), layer(turned), rtol=1e-4)
