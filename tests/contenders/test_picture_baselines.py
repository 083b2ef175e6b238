"""The classical models for pictures: each learns, from volumes and with weights too, and is the same once saved."""

from dataclasses import replace

import numpy as np
import pytest
from contender_cases import labels, pictures

from pipelines.contenders import pictures as declared
from pipelines.contenders import saved
from pipelines.contenders.classical import ClassicalContender, count_parameters, featured, inputs
from pipelines.contenders.flops_classical import flops
from pipelines.contenders.picture_gradients import n_features
from pipelines.contenders.pictures import BASELINES
from pipelines.data.examples import Examples, OnDemand
from pipelines.objectives.classification import Classification
from pipelines.task import Recipe

RECIPE = Recipe(trials=2)
NAMED = {each.name: each for each in BASELINES}


@pytest.fixture(autouse=True)
def _few_trees(monkeypatch):
    monkeypatch.setattr(declared, "TREES_TRIED", 5)
    monkeypatch.setattr(declared, "TREES", 10)


def volumes(classes=2, n=60):
    rng = np.random.default_rng(0)
    signal = rng.uniform(1.5, 4.5, n)
    z, y, x = np.mgrid[:6, :12, :12]
    balls = np.sqrt((2 * z - 6) ** 2 + (y - 6) ** 2 + (x - 6) ** 2)[None] < signal[:, None, None, None]
    grey = (balls * 200 + rng.integers(0, 40, balls.shape)).astype(np.uint8)
    return Examples({"image": grey[..., None]}, labels(n, classes, signal))


def fitted(name, examples):
    objective = Classification().resolve(examples.target)
    return ClassicalContender(NAMED[name], objective, RECIPE).fit(examples, examples, 1), objective


@pytest.mark.parametrize("name", [name for name in NAMED if name != "prior"])
@pytest.mark.parametrize("made", [volumes, pictures])
def test_each_tells_small_from_large_and_is_the_same_once_saved(name, made, tmp_path):
    train, test = made().take(np.arange(45)), made().take(np.arange(45, 60))
    model, objective = fitted(name, train)
    said = model.predict(test)
    assert objective.scores(objective.encode(test.target), said)["auroc"] > 0.85
    assert count_parameters(model.estimator) > 0
    saved.save(model, tmp_path, "medical_imaging/lung-nodule", name, objective, train, 0.5)
    np.testing.assert_allclose(saved.load(tmp_path).predict(test).values, said.values, atol=1e-5)


@pytest.mark.parametrize("name", NAMED)
def test_a_row_of_no_weight_teaches_nothing(name):
    """Rows whose labels are wrong weigh nothing, so that what is learned is right; of three classes."""
    examples = pictures(classes=3, n=90)
    wrong = np.arange(90) % 3 == 0
    order = {"low": "top", "mid": "low", "top": "mid"}
    target = np.where(wrong, [order[each] for each in examples.target], examples.target)
    model, objective = fitted(name, replace(examples, target=target, weight=np.where(wrong, 0.0, 1.0)))
    right = (model.predict(examples).labels() == objective.encode(examples.target)).mean()
    assert name == "prior" or right > 0.6, right


class Unread(OnDemand):
    """Pictures of which nothing is read."""

    def __init__(self, shape):
        self.shape, self.dtype = shape, np.dtype(np.uint8)

    def __getitem__(self, index):
        raise AssertionError("pictures were read before they were needed")

    def only(self, rows):
        return Unread((len(rows), *self.shape[1:]))

    def hashes(self):
        return np.arange(len(self), dtype=np.uint64)


@pytest.mark.parametrize("shape", [(300, 64, 64, 1), (300, 16, 32, 32, 1)])
def test_features_of_pictures_on_demand_stay_within_their_bytes(shape, monkeypatch):
    """No more than so many bytes for all rows; in memory four times as many, of gradients."""
    for most in (300 * 3000, 300 * 300):
        monkeypatch.setattr(declared, "PIXEL_BYTES", most)
        examples = Examples({"image": Unread(shape)}, np.arange(300) % 2, {"image": "image"})
        objective = Classification().resolve(examples.target)
        few = np.zeros((2, *shape[1:]), np.uint8)
        for name in ("hog", "pixels", "linear-pixels", "nearest"):
            estimator = NAMED[name].build(examples, objective).estimator
            _, features = featured(estimator, few)
            assert features.dtype == np.float32
            assert 0 < features.shape[1] * 4 * 300 <= most, name
        memory = replace(examples, columns={"image": np.zeros(shape, np.uint8)})
        _, features = featured(NAMED["pixels"].build(memory, objective).estimator, few)
        assert features.shape[1] * 4 * 300 <= most or (len(shape) == 4 and features.shape[1] == 64 * 64)
        _, features = featured(NAMED["hog"].build(memory, objective).estimator, few)
        assert features.shape[1] * 4 * 300 <= 4 * most
    assert n_features(shape) * 4 * 300 > most


def test_features_are_taken_once_for_all_settings_that_are_tried(monkeypatch):
    """Not once for each of them and each inner fold: of 45 rows to learn from, 45 are described."""
    seen = []
    original = declared.described
    monkeypatch.setattr(declared, "described", lambda rows: seen.append(len(rows)) or original(rows))
    model, _ = fitted("texture", pictures(n=45))
    assert sum(seen) == 45
    assert len(model.estimator[-1].estimators_) == declared.TREES, "more than were tried"


@pytest.mark.parametrize(("rows", "tried"), [(24, [5]), (90, [5, 9]), (150, [5, 9, 15])])
def test_no_more_neighbours_are_tried_than_a_tenth_of_the_rows(rows, tried):
    examples = pictures(n=rows)
    built = NAMED["nearest"].build(examples, Classification().resolve(examples.target))
    assert built.search == {"nearest__k": tried}


def test_operations_of_neighbours_are_distances_and_votes():
    examples = pictures(n=45)
    model, _ = fitted("nearest", examples)
    steps, features = featured(model.estimator, inputs(examples, "image"))
    components = steps[:-1].transform(features)
    assert flops(steps[-1], components) == 45 * 3 * components.shape[1] + steps[-1].k * 2
