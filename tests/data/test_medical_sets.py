"""Public sets of medical pictures as they are declared: with TFDS's mock data, and a set prepared here and streamed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tensorflow_datasets as tfds

from pipelines.data import public_pictures
from pipelines.data.examples import OnDemand
from pipelines.data.medical_sets import COLORECTAL_HISTOLOGY, DIABETIC_RETINOPATHY, MAMMOGRAM_PATCHES, MEDICAL_SETS
from pipelines.data.public_set import PublicSet
from pipelines.errors import BadInput
from pipelines.task import DataRequest

PUBLIC = DataRequest(where="public")
SHAPES = {
    "pneumonia_mnist": (28, 28, 1),
    "colorectal_histology": (64, 64, 3),
    "patch_camelyon": (48, 48, 3),
    "malaria": (64, 64, 3),
    "curated_breast_imaging_ddsm": (64, 64, 1),
    "diabetic_retinopathy_detection": (64, 64, 3),
}


@pytest.mark.parametrize("name", MEDICAL_SETS)
def test_a_declaration_fits_its_set(name):
    source = replace(MEDICAL_SETS[name], id_pattern="(.*)")  # the mock's ids are random letters
    with tfds.testing.mock_data(num_examples=4):
        data = source.load(PUBLIC)
    assert data.examples.columns["image"].shape[1:] == SHAPES[name]
    assert data.examples.columns["image"].dtype == np.uint8
    assert len(data.examples) <= 4 * len(source.splits)
    assert (data.official is None) == (len(source.splits) == 1)
    if source.positive:
        labels = set(tfds.builder(source.name).info.features["label"].names)
        assert source.positive in {source.renamed.get(label, label) for label in labels}
        assert set(source.without) | set(source.renamed) <= labels


@pytest.mark.parametrize(
    ("source", "told", "wanted"),
    [
        (
            MAMMOGRAM_PATCHES,
            "1.3.6.1.4.1.9590.100.1.2.342/1.3.6.1.4.9/abnorm_1/patch_3",
            "1.3.6.1.4.1.9590.100.1.2.342",
        ),
        (DIABETIC_RETINOPATHY, "10_left", "10"),
    ],
)
def test_who_a_picture_is_of(source, told, wanted):
    assert source._ids(np.array([told], dtype=object)).tolist() == [wanted]


class TinyCells(tfds.core.GeneratorBasedBuilder):
    """Cells of many sizes, brighter where they are ill, of four people."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {
            "image": tfds.features.Image(shape=(None, None, 3)),
            "label": tfds.features.ClassLabel(names=["ill", "well", "nothing"]),
            "person": tfds.features.Text(),
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(24), "test": self._generate_examples(12)}

    def _generate_examples(self, rows):
        for row in range(rows):
            picture = np.full((8 + row % 3, 9 + row % 2, 3), 10 * (row % 3) + row, np.uint8)
            yield row, {"image": picture, "label": row % 3, "person": f"p{row % 4}_x"}


CELLS = PublicSet(
    "tiny_cells", image="image", size=6, channels=1, id="person", id_pattern=r"(p\d)_", without=("nothing",),
    renamed={"ill": "sick"}, splits=("train", "test"),
)  # fmt: skip


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    folder = tmp_path_factory.mktemp("public")
    tfds.disable_progress_bar()
    TinyCells(data_dir=folder).download_and_prepare()
    return folder


@pytest.mark.parametrize("limit", [None, 15])
def test_rows_that_are_streamed_are_those_in_memory(cells, monkeypatch, limit):
    monkeypatch.setenv("TFDS_DATA_DIR", str(cells))
    source = replace(CELLS, limit=limit)
    kept = source.load(PUBLIC)
    monkeypatch.setattr(public_pictures, "KEPT_BYTES", 0)
    data = source.load(PUBLIC)
    column = data.examples.columns["image"]
    assert isinstance(column, OnDemand)
    assert not isinstance(kept.examples.columns["image"], OnDemand)
    assert set(data.examples.target) == {"sick", "well"}
    assert data.official.tolist() == kept.official.tolist()
    assert data.notes == kept.notes
    np.testing.assert_array_equal(column[:], kept.examples.columns["image"])
    for one, other in ((data.examples.target, kept.examples.target), (data.examples.ids, kept.examples.ids)):
        assert one.tolist() == other.tolist()
    if limit is None:
        assert len(data.examples) == 24
        assert set(data.examples.ids) == {"p0", "p1", "p2", "p3"}


def test_a_set_of_many_sizes_needs_one(cells, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(cells))
    with pytest.raises(BadInput, match="tiny_cells has pictures of many sizes; its declaration needs a size"):
        replace(CELLS, size=0).load(PUBLIC)


def test_a_set_of_one_size_keeps_it_unless_it_is_told_another():
    with tfds.testing.mock_data(num_examples=3):
        assert replace(COLORECTAL_HISTOLOGY, size=0).load(PUBLIC).examples.columns["image"].shape == (3, 150, 150, 3)
        assert replace(COLORECTAL_HISTOLOGY, channels=1).load(PUBLIC).examples.columns["image"].shape == (3, 64, 64, 1)


class TinyByHand(TinyCells):
    """A set whose owners ask who takes it."""

    MANUAL_DOWNLOAD_INSTRUCTIONS = "Ask its owners."

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(len(dl_manager.manual_dir.name))}


def test_a_set_that_is_taken_by_hand_says_where_to_put_it(monkeypatch, tmp_path):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    with pytest.raises(BadInput, match=r"by hand into .*downloads/manual, .*catalog/tiny_by_hand says how"):
        PublicSet("tiny_by_hand", image="image", size=8).load(PUBLIC)
