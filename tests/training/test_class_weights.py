"""Balanced row weights against a count by hand and scikit-learn."""

import numpy as np
from sklearn.utils.class_weight import compute_sample_weight

from pipelines.training.class_weights import balanced


def test_equals_scikit_learn_where_rows_weigh_alike():
    y = np.array([0, 0, 0, 1, 2, 2])
    found = balanced(y, np.ones(6, np.float32))
    np.testing.assert_allclose(found, compute_sample_weight("balanced", y), rtol=1e-6)
    assert found.dtype == np.float32


def test_classes_weigh_alike_and_rows_keep_their_proportion():
    y, weight = np.array([0, 0, 0, 1, 1]), np.array([1, 2, 0, 6, 3], np.float32)
    np.testing.assert_allclose(balanced(y, weight), [2, 4, 0, 4, 2])


def test_a_class_without_weight_takes_no_share():
    y, weight = np.array([0, 1, 1, 3]), np.array([1, 1, 1, 0], np.float32)
    np.testing.assert_allclose(balanced(y, weight), [1.5, 0.75, 0.75, 0])
