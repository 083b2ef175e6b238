"""Maps of probabilities: found again where they are known, fitted as scikit-learn fits them, written and read."""

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import log_loss

from pipelines.objectives import calibration
from pipelines.objectives.calibration import Isotonic, Temperature, fitted, from_dict


def rows(n=4000, classes=2, temperature=1.0, seed=0):
    """Classes drawn from probabilities, and these made surer by a known temperature."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=2, size=(n, classes))
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    target = (true.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    said = np.exp(logits * temperature) / np.exp(logits * temperature).sum(axis=1, keepdims=True)
    return target, said, true


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_a_known_temperature_is_found_again(classes, temperature):
    target, said, true = rows(classes=classes, temperature=temperature)
    found = fitted("temperature", target, said)
    assert found.value == pytest.approx(temperature, rel=0.08)
    np.testing.assert_allclose(found(said), true, atol=0.05)
    assert (found(said).argmax(axis=1) == said.argmax(axis=1)).all()
    assert log_loss(target, found(said)) <= log_loss(target, said) + 1e-9


def test_isotonic_is_scikit_learns_and_rises():
    target, said, true = rows(temperature=3.0)
    fresh = rows(500, temperature=3.0, seed=1)[1]
    theirs = IsotonicRegression(out_of_bounds="clip").fit(said[:, 1], target).predict(fresh[:, 1])
    ours = fitted("isotonic", target, said)(fresh)
    np.testing.assert_allclose(ours[:, 1], theirs, atol=1e-9)
    np.testing.assert_allclose(ours[:, 0], 1 - theirs, atol=1e-9)
    assert (np.diff(ours[np.argsort(fresh[:, 1]), 1]) >= 0).all()
    assert np.abs(fitted("isotonic", target, said)(said) - true).mean() < np.abs(said - true).mean() / 2


def test_isotonic_of_several_classes_adds_up_and_helps():
    target, said, _ = rows(classes=3, temperature=3.0)
    fresh_target, fresh, _ = rows(classes=3, temperature=3.0, seed=1)
    mapped = fitted("isotonic", target, said)(fresh)
    np.testing.assert_allclose(mapped.sum(axis=1), 1)
    assert (mapped >= 0).all()
    before = ((fresh - np.eye(3)[fresh_target]) ** 2).sum(axis=1).mean()
    assert ((mapped - np.eye(3)[fresh_target]) ** 2).sum(axis=1).mean() < before


def test_rows_that_no_class_is_left_of_keep_what_was_said():
    mapped = Isotonic((((0.0, 0.5), (0.0, 0.0)), ((0.0, 1.0), (0.0, 0.0)), ((0.0, 1.0), (0.0, 1.0))))
    said = np.array([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])
    np.testing.assert_allclose(mapped(said), said)


@pytest.mark.parametrize("method", ["temperature", "isotonic"])
def test_weights_are_repeated_rows(method):
    target, said, _ = rows(300, temperature=2.0)
    weight = np.random.default_rng(2).integers(0, 4, len(target))
    weighted = fitted(method, target, said, weight)
    repeated = fitted(method, np.repeat(target, weight), np.repeat(said, weight, axis=0))
    np.testing.assert_allclose(weighted(said), repeated(said), atol=1e-3)


@pytest.mark.parametrize("method", ["temperature", "isotonic"])
def test_certain_and_wrong_rows_stay_finite(method):
    target, said = np.array([0, 1, 1, 0]), np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    mapped = fitted(method, target, said)(said)
    assert np.isfinite(mapped).all()
    np.testing.assert_allclose(mapped.sum(axis=1), 1)


@pytest.mark.parametrize(
    ("method", "target", "weight"),
    [("none", [0, 1, 1], None), ("temperature", [1, 1, 1], None), ("isotonic", [0, 1, 1], [0.0, 1.0, 1.0])],
)
def test_nothing_is_fitted_where_there_is_nothing_to_learn(method, target, weight):
    assert fitted(method, np.array(target), np.full((3, 2), 0.5), weight) is None


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("method", ["temperature", "isotonic"])
def test_what_is_written_is_read_again(method, classes):
    target, said, _ = rows(200, classes, 2.0)
    found = fitted(method, target, said)
    again = from_dict(found.to_dict())
    assert again == found
    np.testing.assert_array_equal(again(said), found(said))


@pytest.mark.parametrize(
    "told",
    [
        {}, {"method": "magic"}, {"method": "temperature"}, {"method": "temperature", "value": 0},
        {"method": "temperature", "value": "nan"}, {"method": "isotonic", "knots": []},
        {"method": "isotonic", "knots": [[[0.5, 0.1], [0, 1]]]}, {"method": "isotonic", "knots": [[[0.1], [0, 1]]]},
        {"method": "isotonic", "knots": [[[0.1], [2]]]},
    ],
)  # fmt: skip
def test_what_is_no_calibration_is_refused(told):
    with pytest.raises(ValueError, match="calibration"):
        from_dict(told)


def test_bounds_hold_the_temperatures_that_occur():
    assert calibration.COLDEST < 0 < calibration.HOTTEST
    assert Temperature(1.0)(np.array([[0.25, 0.75]])) == pytest.approx(np.array([[0.25, 0.75]]))
