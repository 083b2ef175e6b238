"""Ordinal logistic regression, and features that count spots."""

import numpy as np
import pytest
from scipy.special import expit

from pipelines.contenders import saved
from pipelines.contenders.classical import ClassicalContender, Judge
from pipelines.contenders.grades import OrdinalLogistic
from pipelines.contenders.spots import BASELINES, CONTRASTS, SCALES, spot_features
from pipelines.data.examples import Examples
from pipelines.objectives.ordinal import Ordinal
from pipelines.task import Recipe

OBJECTIVE = Ordinal(classes=("0", "1", "2", "3", "4"), refer_from=2)


def graded(n=600, seed=0):
    chance = np.random.default_rng(seed)
    x = chance.normal(size=(n, 3))
    score = 2 * x[:, 0] - x[:, 1] + chance.logistic(size=n)
    return x, np.searchsorted([-2.0, -0.5, 0.5, 2.0], score)


def test_each_grade_is_what_lies_between_two_questions():
    x, y = graded()
    model = OrdinalLogistic(C=1e4).fit(x, y)
    np.testing.assert_allclose(model.coef_, np.tile([2.0, -1.0, 0.0], (4, 1)), atol=0.5)
    np.testing.assert_allclose(model.intercept_, [2.0, 0.5, -0.5, -2.0], atol=0.4)
    found, above = model.predict_proba(x), expit(x @ model.coef_.T + model.intercept_)
    np.testing.assert_allclose(found[:, 3:].sum(axis=1), np.minimum.accumulate(above, axis=1)[:, 2])
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert (model.predict(x) == found.argmax(axis=1)).all()


def test_answers_that_contradict_each_other_give_no_negative_chance():
    model = OrdinalLogistic()
    model.classes_, model.intercept_ = np.array([0, 1, 2]), np.zeros(2)
    model.coef_ = np.array([[1.0], [-1.0]])
    found = model.predict_proba(np.array([[-2.0], [2.0]]))
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert found[0, 1] == 0


def test_weights_count_and_one_grade_alone_is_learned():
    x, y = graded(200)
    twice = OrdinalLogistic().fit(np.vstack([x, x[:50]]), np.concatenate([y, y[:50]]))
    weighed = OrdinalLogistic().fit(x, y, np.where(np.arange(200) < 50, 2.0, 1.0))
    np.testing.assert_allclose(twice.coef_, weighed.coef_, rtol=1e-3)
    assert OrdinalLogistic().fit(x, np.full(200, 3)).predict_proba(x[:2]).tolist() == [[1.0], [1.0]]


def pictures(n=40, seed=0, side=24):
    """Discs of even light with as many dark dots as the grade says, twice over."""
    chance = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] + 0.5
    target = np.arange(n) % 5
    image = np.zeros((n, side, side, 3))
    image[:, np.hypot(x - side / 2, y - side / 2) < side / 2 - 1] = (200, 120, 60)
    for number, grade in enumerate(target):
        for row, column in chance.permutation([(a, b) for a in (7, 11, 15) for b in (7, 11, 15)])[: 2 * grade]:
            image[number, row : row + 2, column : column + 2] *= 0.4
    return np.clip(image + chance.normal(0, 1, image.shape), 0, 255).astype(np.uint8), target


def test_spots_are_counted_dark_and_bright_and_in_each_quarter():
    image, target = pictures()
    found = spot_features(image).reshape(len(image), len(SCALES), 2, len(CONTRASTS), 3)
    dark = np.square(found[:, 0, 0, -1])
    np.testing.assert_allclose(dark[:, 0], 2 * target)
    np.testing.assert_allclose(np.corrcoef(dark[:, 1], target)[0, 1], 1, atol=0.02)
    assert (dark[target < 2, 2] == 0).all(), "fewer than four spots leave a quarter empty"
    assert (np.square(found[target == 0][:, :, 1, 1:, 0]) == 0).all(), "neither the rim nor even light is a spot"
    assert spot_features(image[..., :1]).shape == (40, 36)
    alone = np.vstack([spot_features(each[np.newaxis]) for each in image])
    np.testing.assert_allclose(alone, spot_features(image), atol=1e-6)


def test_spots_are_those_of_the_green_channel():
    image, _ = pictures(8)
    red = image.copy()
    red[..., 0] = np.where(image.max(axis=3) > 40, np.random.default_rng(0).integers(60, 256, image.shape[:3]), 0)
    red[..., 1] = image[..., 1]
    np.testing.assert_array_equal((red.max(axis=3) > 15), (image.max(axis=3) > 15))
    np.testing.assert_allclose(spot_features(red), spot_features(image), atol=1e-6)


def test_spots_of_a_larger_picture_take_as_much_of_it():
    image, _ = pictures(10)
    both = [spot_features(each) for each in (image, image.repeat(4, axis=1).repeat(4, axis=2))]
    small, large = (each.reshape(len(image), len(SCALES), 2, len(CONTRASTS), 3)[:, :, 0, :, 1] for each in both)
    np.testing.assert_allclose(large, small, atol=0.12)


@pytest.mark.parametrize("name", [each.name for each in BASELINES])
def test_baselines_say_the_same_when_they_are_loaded_again(name, tmp_path):
    image, target = pictures(60)
    keep = target != 3  # a grade that no training row has
    examples = Examples({"image": image}, target.astype(str).astype(object), {"image": "image"})
    baseline = next(each for each in BASELINES if each.name == name)
    fitted = ClassicalContender(baseline, OBJECTIVE, Recipe(trials=1)).fit(
        examples.take(np.flatnonzero(keep)), examples, 0
    )
    said = fitted.predict(examples)
    assert said.values.shape == (60, 5)
    assert (said.values[:, 3] == 0).all()
    saved.save(fitted, tmp_path, "medical_imaging/diabetic-retinopathy", name, OBJECTIVE, examples, float("nan"))
    again = saved.load(tmp_path).predict(examples)
    np.testing.assert_allclose(again.values, said.values, atol=1e-5)
    assert (again.labels() == said.labels()).all()
    if "spots" in name:
        assert OBJECTIVE.scores(target, said)["quadratic_kappa"] > 0.7


def test_a_search_is_judged_by_kappa_of_the_decided_grades():
    x, y = graded()
    model = OrdinalLogistic().fit(x, y)
    expected = OBJECTIVE.scores(y, OBJECTIVE.predict(model.predict_proba(x)))["quadratic_kappa"]
    assert Judge(OBJECTIVE)(model, x, y) == pytest.approx(expected)
    assert expected > 0.5
