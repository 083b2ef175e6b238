"""The simulated tissue: the same each time, each kind as it is described, all tiles of a slide alike."""

from collections import Counter

import numpy as np
import pytest
from scipy.ndimage import label

from pipelines.data.builders import simulated_tissue
from pipelines.data.builders.simulated_tissue import TILES, tiles
from pipelines.data.builders.tissue import KINDS, PIXELS, Stain, draw
from pipelines.data.sample_set import SampleSet
from pipelines.task import DataRequest

SHARP = Stain(blur=0.3)


def drawn(kind, n=10, stain=SHARP, beside=None):
    """(n, 48, 48, 3) in [0, 1]."""
    return np.array([draw(kind, stain, np.random.default_rng([2, row]), beside) for row in range(n)]) / 255


def dark(tiles):
    """(n, 48, 48) where nuclei are: they take the red away, which what is around them leaves."""
    return tiles[..., 0] < 0.6


def test_the_seed_decides_every_pixel():
    first, again, other = (draw("gland", Stain(), np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (first.shape, first.dtype) == ((PIXELS, PIXELS, 3), np.uint8)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_each_kind_is_what_it_is_said_to_be():
    shares = {kind: dark(drawn(kind)).mean() for kind in KINDS}
    assert shares["fat"] < 0.03 < shares["gland"] < shares["lymphocytes"] < shares["tumour"]
    assert shares["stroma"] < shares["lymphocytes"]
    pale = {kind: (drawn(kind).min(axis=-1) > 0.85).mean() for kind in KINDS}
    assert max(pale, key=pale.get) == "fat"
    assert pale["gland"] > 2 * pale["lymphocytes"], "glands have holes"

    def largest(kind):
        return np.mean([np.bincount(label(each)[0].ravel())[1:].max() for each in dark(drawn(kind))])

    assert largest("tumour") > 1.5 * largest("lymphocytes"), "nuclei of a tumour are large and run into each other"


def test_fibres_make_stroma_the_most_regular():
    """Along its fibres little changes: of all directions that of the steepest change is the same throughout a tile."""
    coherence = {}
    for kind in KINDS:
        y, x = np.gradient(drawn(kind)[..., 1], axis=(1, 2))
        xx, yy, xy = ((a * b).sum(axis=(1, 2)) for a, b in ((x, x), (y, y), (x, y)))
        coherence[kind] = float((np.hypot(xx - yy, 2 * xy) / (xx + yy)).mean())
    assert max(coherence, key=coherence.get) == "stroma"


def test_a_second_kind_covers_less_than_half():
    whole, mixed = drawn("lymphocytes"), drawn("lymphocytes", beside="fat")
    empty = (mixed.min(axis=-1) > 0.85).mean(axis=(1, 2))
    assert (empty > (whole.min(axis=-1) > 0.85).mean(axis=(1, 2)) + 0.05).all()
    assert (empty < 0.5).all()


def test_the_faint_laboratory_is_paler_and_blurred():
    usual, faint = drawn("tumour", stain=Stain()), drawn("tumour", stain=Stain(0.5, 0.5, 1.0))
    assert faint.mean() > usual.mean() + 0.05
    edges = [np.abs(np.diff(each, axis=1)).mean() for each in (usual, faint)]
    assert edges[1] < 0.6 * edges[0]


def test_tiles_of_a_slide_share_its_laboratory_and_differ_in_kind():
    found = [list(tiles(slide)) for slide in range(12)]
    for slide in found:
        assert len(slide) == TILES
        assert len({row["laboratory"] for row in slide}) == len({row["slide"] for row in slide}) == 1
        assert len({row["tissue"] for row in slide}) > 2
    assert set(Counter(slide[0]["laboratory"] for slide in found)) == {"usual", "faint"}


def test_some_labels_are_wrong_and_no_more_than_is_said(monkeypatch):
    monkeypatch.setattr(simulated_tissue, "draw", lambda kind, stain, chance, beside: kind)
    rows = [row for slide in range(60) for row in tiles(slide)]
    wrong = np.mean([row["image"] != row["tissue"] for row in rows])
    assert wrong == pytest.approx(simulated_tissue.MISLABELLED, abs=0.02)


def test_the_sample_is_told_to_be_simulated():
    data = SampleSet("pipelines.data.builders.simulated_tissue.SimulatedTissue").load(DataRequest())
    assert data.simulated
    assert data.examples.columns["image"].shape == (1440, 48, 48, 3)
    assert len(set(data.examples.ids)) == 60
    assert set(data.examples.groups["laboratory"]) == {"usual", "faint"}
    assert set(data.examples.target) == set(KINDS)


def test_the_faint_laboratory_stains_less_and_cuts_thicker(monkeypatch):
    stains = {"faint": [], "usual": []}
    monkeypatch.setattr(simulated_tissue, "draw", lambda kind, stain, *given: stain)
    for slide in range(simulated_tissue.SLIDES):
        first = next(iter(tiles(slide)))
        stains[first["laboratory"]].append(first["image"])
    assert {each.blur for each in stains["faint"]} == {1.0}
    assert {each.blur for each in stains["usual"]} == {0.5}
    for part in ("blue", "pink"):
        faint, usual = (np.median([getattr(each, part) for each in stains[name]]) for name in ("faint", "usual"))
        assert faint / usual == pytest.approx(0.5, abs=0.1)
