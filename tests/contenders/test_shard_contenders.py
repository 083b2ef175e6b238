"""Contenders on shards: what they learn and predict is what they would from the same rows in memory."""

from dataclasses import replace

import numpy as np
import pytest
import shard_sets
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from pipelines.contenders import classical, encodable, saved
from pipelines.contenders.classical import ClassicalContender, featured, inputs
from pipelines.contenders.kernels import MANY_ROWS, gaussian
from pipelines.contenders.network import NetworkContender
from pipelines.contenders.pictures import BASELINES as PICTURES
from pipelines.contenders.pictures import flat_pixels
from pipelines.contenders.texts import BASELINES as TEXTS
from pipelines.contenders.waves import baselines
from pipelines.data.examples import OnDemand
from pipelines.data.images import OwnImages
from pipelines.data.shards import own
from pipelines.data.texts import OwnTexts
from pipelines.data.waves import OwnWaves
from pipelines.models import audio, text, vision
from pipelines.objectives.classification import Classification
from pipelines.task import DataRequest, Network, Recipe
from pipelines.training.plan import choose

RATE = 8000
SOURCES = {"image": OwnImages(channels=0), "wave": OwnWaves(rate=RATE, seconds=0.5), "text": OwnTexts()}
NETWORKS = {"image": vision.small_resnet, "wave": audio.separable_cnn(RATE), "text": text.bidirectional_lstm}
BASELINES = {"image": PICTURES, "wave": baselines(RATE), "text": TEXTS}
EVERY = [(kind, baseline) for kind, each in BASELINES.items() for baseline in each]
RECIPE = Recipe(epochs=2, batch_size=16, width=4, dropout=0.3, trials=2)


@pytest.fixture(scope="module")
def formats(tmp_path_factory):
    """The same rows in each format of shards, by its name."""
    root = tmp_path_factory.mktemp("set")
    return {
        name: shard_sets.write(root / name, {"train": shard_sets.rows(70)}, name)
        for name in ("tfrecord", "array_record")
    }


@pytest.fixture
def folder(formats):
    return formats["array_record"]


def parts(folder, kind, kept, monkeypatch):
    """Training and validation rows, in memory if `kept`."""
    monkeypatch.setattr(own, "KEPT_BYTES", (1 << 30) * kept)
    asked = DataRequest(str(folder), text="words" if kind == "text" else None)
    examples = SOURCES[kind].load(asked).examples
    assert isinstance(examples.columns[kind], OnDemand) is not kept
    order = np.random.default_rng(0).permutation(70)
    return examples.take(order[:50]), examples.take(order[50:])


def fitted(folder, kind, kept, plan, monkeypatch):
    train, valid = parts(folder, kind, kept, monkeypatch)
    objective = Classification().resolve(train.target)
    found = NetworkContender(Network("net", NETWORKS[kind]), objective, replace(RECIPE, plan=plan)).fit(train, valid, 3)
    return found, found.predict(valid).values


@pytest.mark.parametrize(
    ("kind", "format"),
    [("image", "tfrecord"), ("wave", "tfrecord"), ("text", "array_record")],
)
def test_a_network_streamed_from_shards_has_the_weights_of_one_from_memory(formats, kind, format, monkeypatch):
    folder = formats[format]
    shards, predicted = fitted(folder, kind, False, "streamed", monkeypatch)
    memory, wanted = fitted(folder, kind, True, "streamed", monkeypatch)
    for ours, theirs in zip(shards.model.get_weights(), memory.model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(predicted, wanted)
    assert shards.history == memory.history


def test_shards_that_fit_are_resident_and_train_the_same(folder, monkeypatch):
    shards, predicted = fitted(folder, "wave", False, "auto", monkeypatch)
    memory, wanted = fitted(folder, "wave", True, "auto", monkeypatch)
    assert {each.settings["plan"].partition(" (")[0] for each in (shards, memory)} == {"resident"}
    np.testing.assert_array_equal(predicted, wanted)
    streamed, values = fitted(folder, "wave", False, "streamed", monkeypatch)
    assert streamed.settings["plan"] == "streamed by 32 steps (as asked)"
    np.testing.assert_allclose(values, wanted, atol=1e-5)


@pytest.mark.parametrize(("kind", "baseline"), EVERY, ids=[f"{kind}-{each.name}" for kind, each in EVERY])
def test_a_baseline_learns_from_shards_what_it_learns_from_memory(formats, kind, baseline, monkeypatch):
    found = []
    for kept in (False, True):
        folder = formats["array_record" if kept else "tfrecord"]
        train, valid = parts(folder, kind, kept, monkeypatch)
        monkeypatch.setattr(classical, "FEATURE_BYTES", 3000)  # a few rows at a time
        contender = ClassicalContender(baseline, Classification().resolve(train.target), RECIPE)
        model = contender.fit(train, valid, 1)
        found.append((model.predict(valid).values, dict(model.settings)))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    assert found[0][1] == found[1][1]


def test_features_are_taken_block_by_block_and_once(folder, monkeypatch):
    train, _ = parts(folder, "image", False, monkeypatch)
    sizes = []
    original = type(train.columns["image"]).__getitem__
    monkeypatch.setattr(
        type(train.columns["image"]), "__getitem__",
        lambda self, index: sizes.append(len(rows := original(self, index))) or rows,
    )  # fmt: skip
    monkeypatch.setattr(classical, "READ_BYTES", 10 * 12 * 10 * 3)
    contender = ClassicalContender(PICTURES[2], Classification().resolve(train.target), RECIPE)
    contender.fit(train, train, 1)
    assert sizes == [10] * 5


def test_features_of_an_array_are_taken_in_blocks_too(monkeypatch):
    monkeypatch.setattr(classical, "FEATURE_BYTES", 30)
    sizes = []
    pipeline = make_pipeline(FunctionTransformer(lambda rows: sizes.append(len(rows)) or rows.sum(axis=1)), PCA())
    steps, features = featured(pipeline, np.ones((7, 2, 5), np.uint8))
    assert sizes == [3, 3, 1]
    assert (features.shape, len(steps)) == ((7, 5), 1)


def test_large_pictures_on_demand_are_averaged_until_their_features_fit(folder, monkeypatch):
    train, _ = parts(folder, "image", False, monkeypatch)
    monkeypatch.setattr("pipelines.contenders.pictures.PIXEL_BYTES", 50 * 4 * 3 * 3 * 4)
    pixels = PICTURES[3].build(train, Classification().resolve(train.target))
    steps, features = featured(pixels.estimator, inputs(train, "image"))
    assert features.shape == (50, 4 * 3 * 3)  # squares of 3 x 3 of pictures of 12 x 10
    assert len(steps) == len(pixels.estimator) - 1
    whole = train.columns["image"][:1]
    assert features[0, 4] == pytest.approx(whole[0, :3, 3:6, 1].mean() / 255, abs=1e-6)
    np.testing.assert_array_equal(flat_pixels(whole), whole.reshape(1, -1).astype(np.float32) / np.float32(255))


def test_many_rows_take_an_approximate_kernel():
    assert [type(step).__name__ for step in gaussian(MANY_ROWS - 1)[0]] == ["CalibratedClassifierCV"]
    steps, penalty, width = gaussian(MANY_ROWS)
    assert [type(step).__name__ for step in steps] == ["Nystroem", "LogisticRegression"]
    assert {penalty, width} <= make_pipeline(*steps).get_params().keys()


def test_a_model_of_averaged_pixels_and_an_approximate_kernel_is_saved_and_loaded(folder, monkeypatch, tmp_path):
    train, valid = parts(folder, "image", False, monkeypatch)
    monkeypatch.setattr("pipelines.contenders.pictures.PIXEL_BYTES", 50 * 4 * 3 * 3 * 4)
    monkeypatch.setattr("pipelines.contenders.kernels.MANY_ROWS", 50)
    monkeypatch.setattr("pipelines.contenders.kernels.LANDMARKS", 20)
    objective = Classification().resolve(train.target)
    model = ClassicalContender(PICTURES[3], objective, RECIPE).fit(train, valid, 1)
    assert "nystroem" in dict(model.estimator.steps)
    saved.save(model, tmp_path, "medical_imaging/lung-nodule", "pixels", objective, train, 0.5)
    np.testing.assert_array_equal(saved.load(tmp_path).predict(valid).values, model.predict(valid).values)


def test_calls_and_blocks_shrink_with_the_size_of_a_row(folder, monkeypatch):
    assert choose(Recipe(batch_size=64), 2 << 30, True, row_bytes=4 * 32 * 32).steps_per_call == 32
    assert choose(Recipe(batch_size=32), 2 << 30, True, row_bytes=4 * 224 * 224 * 3).steps_per_call == 3
    assert choose(Recipe(batch_size=32), 2 << 30, True, row_bytes=1 << 30).steps_per_call == 1
    assert choose(Recipe(), 300 << 20, True, row_bytes=4).resident
    assert not choose(Recipe(), 300 << 20, True, row_bytes=4, on_demand=True).resident
    _, valid = parts(folder, "image", False, monkeypatch)
    model, wanted = fitted(folder, "image", False, "streamed", monkeypatch)
    sizes = []
    original = encodable.as_tensors
    monkeypatch.setattr(
        encodable, "as_tensors", lambda columns, kinds, rows: sizes.append(len(rows)) or original(columns, kinds, rows)
    )
    monkeypatch.setattr(encodable, "BYTES_AT_ONCE", 4 * 4 * 12 * 10 * 3)
    np.testing.assert_allclose(model.predict(valid).values, wanted, atol=1e-6)
    assert sizes == [4] * 5
