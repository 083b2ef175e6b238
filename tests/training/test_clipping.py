"""Each bound of the gradient against its formula."""

import numpy as np
import pytest
import tensorflow as tf

from pipelines.task import Recipe
from pipelines.training.clipping import adaptively, clipped


def gradients():
    rng = np.random.default_rng(0)
    return [rng.normal(size=shape).astype(np.float32) for shape in ((3, 4), (4,), (2, 2, 3, 5), ())]


def bounded(recipe, given=None, weights=None):
    given = gradients() if given is None else given
    found = clipped([tf.constant(each) for each in given], weights or given, recipe)
    return [each.numpy() for each in found]


def test_without_a_bound_the_gradients_are_the_same_tensors():
    given = [tf.constant(each) for each in gradients()]
    assert all(one is other for one, other in zip(clipped(given, given, Recipe()), given, strict=True))


@pytest.mark.parametrize("most", [0.5, 100.0])
def test_by_norm(most):
    given = gradients()
    norm = np.sqrt(sum((each**2).sum() for each in given))
    for ours, each in zip(bounded(Recipe(clip_norm=most)), given, strict=True):
        np.testing.assert_allclose(ours, each * min(1, most / norm), rtol=1e-5)


def test_by_value():
    for ours, each in zip(bounded(Recipe(clip_value=0.3)), gradients(), strict=True):
        np.testing.assert_allclose(ours, np.clip(each, -0.3, 0.3))


@pytest.mark.parametrize("shape", [(3, 4), (2, 2, 3, 5), (4, 2, 3)])
def test_adaptively_unit_by_unit(shape):
    rng = np.random.default_rng(1)
    weights = rng.normal(size=shape).astype(np.float32)
    gradient = (rng.normal(size=shape) * np.geomspace(1e-3, 10, shape[-1])).astype(np.float32)
    expected = gradient.copy()
    for unit in range(shape[-1]):
        largest = 0.1 * np.linalg.norm(weights[..., unit])
        norm = np.linalg.norm(gradient[..., unit])
        if norm > largest:
            expected[..., unit] *= largest / norm
    found = adaptively(tf.constant(gradient), tf.constant(weights), 0.1).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    changed = (found != gradient).reshape(-1, shape[-1]).any(axis=0)
    assert 0 < changed.sum() < shape[-1]


def test_adaptively_takes_a_vector_as_one_unit_and_lets_zeros_grow():
    gradient = np.array([3.0, 4.0], np.float32)
    found = adaptively(tf.constant(gradient), tf.zeros(2), 0.01).numpy()
    np.testing.assert_allclose(found, gradient * 0.01 * 1e-3 / 5, rtol=1e-5)
    assert adaptively(tf.constant(2.0), tf.constant(-5.0), 0.1).numpy() == pytest.approx(0.5)
    np.testing.assert_array_equal(adaptively(tf.zeros((2, 2)), tf.zeros((2, 2)), 0.01), np.zeros((2, 2)))


def test_adaptively_by_the_recipe():
    given, weights = gradients(), [np.full_like(each, 0.1) for each in gradients()]
    for ours, each, weight in zip(bounded(Recipe(clip_adaptive=0.2), given, weights), given, weights, strict=True):
        np.testing.assert_allclose(ours, adaptively(tf.constant(each), tf.constant(weight), 0.2))
