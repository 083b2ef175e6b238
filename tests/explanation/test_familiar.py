"""Features of training rows, and how far others lie from them."""

import keras
import numpy as np
import pytest
from small_networks import trained
from test_cam import network

from pipelines.data.examples import Examples
from pipelines.errors import BadInput
from pipelines.explanation import familiar
from pipelines.explanation.familiar import FILE, Familiar, keep, kept, seen
from pipelines.explanation.opened import opened


def drawn(rng, n, spread=1.0):
    """Two classes in five correlated features."""
    classes = rng.integers(0, 2, n)
    mixed = np.tril(np.full((5, 5), 0.7)) + np.eye(5)
    return spread * rng.normal(size=(n, 5)) @ mixed + 4 * classes[:, None], classes


def test_distances_of_rows_like_those_of_training_are_those_of_a_normal_distribution():
    rng = np.random.default_rng(0)
    found = Familiar.of(*drawn(rng, 4000))
    assert np.square(found.distance(drawn(rng, 4000)[0])).mean() == pytest.approx(5, rel=0.12)
    assert found.means.shape == (2, 5)
    far = found.distance(drawn(rng, 1000, spread=4.0)[0])
    assert (far > np.quantile(found.distance(drawn(rng, 1000)[0]), 0.95)).mean() > 0.7


def test_the_distance_is_to_the_nearest_class():
    found = Familiar(np.array([[0.0, 0.0], [10.0, 0.0]], np.float32), np.diag([1.0, 2.0]).astype(np.float32), 2.5)
    features = np.array([[0.0, 1.0], [9.0, 0.0], [5.0, 0.0]])
    np.testing.assert_allclose(found.distance(features), [2.0, 1.0, 5.0])
    assert found.unlike(features).tolist() == [False, False, True]


def test_a_feature_that_never_moved_does_not_break_it():
    features, classes = drawn(np.random.default_rng(1), 200)
    features[:, 2] = 0
    assert np.isfinite(Familiar.of(features, classes).distance(features)).all()


def test_features_are_what_the_last_layer_reads_and_energy_comes_from_its_logits():
    opened_ = network((2.0, -3.0))
    pictures = np.random.default_rng(0).integers(0, 256, (7, 6, 6, 1)).astype(np.uint8)
    found = seen(opened_, Examples({"image": pictures}, np.zeros(7), {"image": "image"}))
    here = pictures[..., 0] / 255
    expected = np.stack([here.mean(axis=(1, 2)), np.maximum(0.5 - here, 0).mean(axis=(1, 2))], axis=1)
    np.testing.assert_allclose(found.features, expected, rtol=1e-4)
    logit = expected @ [2.0, -3.0] + 0.1
    np.testing.assert_allclose(found.energy, -np.log(np.exp(logit / 2) + np.exp(-logit / 2)), rtol=1e-4)


def test_of_members_the_energy_is_the_mean():
    logits = np.array([[[1.0, 2.0, 0.0], [0.0, 0.0, 3.0]]])
    expected = -(np.log(np.exp(logits).sum(axis=2))).mean()
    assert familiar._energy(logits)[0] == pytest.approx(expected)


def test_where_the_last_layer_reads_no_features_nothing_is_told():
    fitted, examples = trained("two, members")
    found = opened(fitted)
    last = found.core.layers[-1]
    assert (seen(found, examples) is None) == (not isinstance(last, keras.layers.Dense))


def test_what_is_kept_is_read_back_and_what_is_damaged_is_refused(tmp_path):
    found = Familiar(np.eye(3, dtype=np.float32)[:2], np.eye(3, dtype=np.float32), 1.5)
    assert kept(tmp_path) is None
    keep(found, tmp_path)
    again = kept(tmp_path)
    np.testing.assert_array_equal(again.means, found.means)
    assert again.threshold == 1.5
    content = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(content[: len(content) // 2])
    with pytest.raises(BadInput, match="was not written by Tapeline, or is damaged"):
        kept(tmp_path)
    for wrong in (
        {"means": found.means, "whiten": np.eye(2), "threshold": 1.0},
        {"means": found.means, "whiten": np.full((3, 3), np.nan), "threshold": 1.0},
        {"means": found.means, "whiten": found.whiten, "threshold": np.nan},
        {"means": np.array([[object()] * 3], object), "whiten": found.whiten, "threshold": 1.0},
    ):
        np.savez(tmp_path / FILE, allow_pickle=True, **wrong)
        with pytest.raises(BadInput, match=r"familiar\.npz"):
            kept(tmp_path)
