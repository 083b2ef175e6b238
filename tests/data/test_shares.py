"""Smaller folds: nested, stratified, ids whole, the tested rows untouched, too little refused with what would do."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.data.examples import Examples
from pipelines.data.shares import FEWEST, FEWEST_OF_A_CLASS, fewer, smallest
from pipelines.data.splits import split
from pipelines.errors import BadInput
from pipelines.task import Protocol

SHARES = (0.2, 0.35, 0.5, 0.9, 1.0)


def rows_of(n, ids=None, time=None):
    return Examples(columns={"x": np.arange(float(n))}, target=np.zeros(n), ids=ids, time=time)


def thinned(examples, classes, protocol, seed, shares=SHARES):
    """(the folds as they were divided, share -> what is left of them)."""
    whole = split(examples, classes, protocol, seed)
    return whole, {
        share: fewer(examples, classes, whole, replace(protocol, learn_from=share), seed) for share in shares
    }


def assert_nested(whole, found):
    """Every share has whole's tests, and learns from rows that the next larger one learns from as well."""
    for less, more in pairwise([*found.values(), whole]):
        for one, other, division in zip(less, more, whole, strict=True):
            np.testing.assert_array_equal(one.test, division.test)
            assert np.isin(one.train, other.train).all()
            assert np.isin(one.valid, other.valid).all()
            assert not np.isin(one.test, np.concatenate([one.train, one.valid])).any()
            assert one.n_train == len(division.train)
    for one, division in zip(found[1.0], whole, strict=True):
        np.testing.assert_array_equal(one.train, division.train)


@settings(max_examples=25, deadline=None)
@given(st.integers(300, 500), st.sampled_from(["holdout", "cross-validation"]), st.integers(0, 99), st.integers(1, 3))
def test_rows_are_nested_and_each_class_comes_in_proportion(n, kind, seed, kinds):
    rng = np.random.default_rng(seed)
    classes = rng.permutation(np.arange(n) % (kinds + 1) * (rng.random(n) < 0.7)).astype(np.int64)
    whole, found = thinned(rows_of(n), classes if kinds > 1 else None, Protocol(kind=kind, folds=3), seed)
    assert_nested(whole, found)
    for share, folds in found.items():
        for fold, division in zip(folds, whole, strict=True):
            for part in ("train", "valid"):
                rows, all_rows = getattr(fold, part), getattr(division, part)
                assert abs(len(rows) - share * len(all_rows)) <= 0.5 + 1e-9
                for each in np.unique(classes) if kinds > 1 else ():
                    expected = share * (classes[all_rows] == each).sum()
                    assert abs((classes[rows] == each).sum() - expected) <= 1.5


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 7), min_size=60, max_size=90), st.booleans(), st.integers(0, 99))
def test_ids_stay_whole(sizes, classifies, seed):
    rng = np.random.default_rng(seed)
    ids = rng.permutation(np.repeat(np.arange(len(sizes)), sizes)).astype(str).astype(object)
    classes = rng.integers(0, 2, len(ids)) if classifies else None
    protocol = Protocol(kind="cross-validation", by="id", folds=3, valid=0.3)
    whole, found = thinned(rows_of(len(ids), ids=ids), classes, protocol, seed, (0.6, 0.8, 1.0))
    assert_nested(whole, found)
    for share, folds in found.items():
        for fold, division in zip(folds, whole, strict=True):
            for part in ("train", "valid"):
                rows, all_rows = getattr(fold, part), getattr(division, part)
                left_out = np.setdiff1d(all_rows, rows)
                assert not set(ids[rows]) & set(ids[left_out])
                assert abs(len(rows) - share * len(all_rows)) <= 7


def test_of_a_split_by_time_the_latest_rows_are_kept_and_moments_stay_whole():
    time = np.random.default_rng(0).permutation(np.arange(400) // 4)
    whole, found = thinned(rows_of(400, time=time), np.arange(400) % 2, Protocol(by="time"), 0)
    assert_nested(whole, found)
    for fold in (folds[0] for share, folds in found.items() if share < 1):
        for part in ("train", "valid"):
            kept, there_were = time[getattr(fold, part)], time[getattr(whole[0], part)]
            assert kept.min() > np.setdiff1d(there_were, kept).max()
            assert (np.unique(kept, return_counts=True)[1] == 4).all()
        assert time[fold.train].max() == time[whole[0].train].max()


def test_the_seed_decides_which():
    first, second = (thinned(rows_of(300), None, Protocol(), 5, (0.3,))[1][0.3][0].train for _ in range(2))
    np.testing.assert_array_equal(first, second)
    whole = split(rows_of(300), None, Protocol(), 5)
    other = fewer(rows_of(300), None, whole, Protocol(learn_from=0.3), 6)[0].train
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("rare", [0.5, 0.05])
@pytest.mark.parametrize("kind", ["holdout", "cross-validation"])
def test_too_little_is_refused_with_the_smallest_share_that_works(kind, rare):
    """It works, with rows enough in every part; a little less does not."""
    classes = (np.random.default_rng(1).random(2000) < rare).astype(np.int64)
    examples, protocol = rows_of(2000), Protocol(kind=kind, folds=4)
    whole = split(examples, classes, protocol, 0)
    least = smallest(examples, classes, whole, protocol, 0)
    for fold in fewer(examples, classes, whole, replace(protocol, learn_from=least), 0):
        for part in ("train", "valid"):
            labels = classes[getattr(fold, part)]
            assert len(labels) >= FEWEST[part]
            assert np.bincount(labels, minlength=2).min() >= FEWEST_OF_A_CLASS[part]
    with pytest.raises(BadInput, match=rf"protocol\.learn_from=.* the smallest share that works here is {least:g}"):
        fewer(examples, classes, whole, replace(protocol, learn_from=0.97 * least), 0)
    assert least < (0.05 if rare == 0.5 else 0.2)


def test_whole_data_with_a_class_of_two_rows_is_as_before():
    """What a part never had is not asked of its share; 1 is always allowed."""
    classes = np.array([1] * 10 + [0] * 90)
    whole = split(rows_of(100), classes, Protocol(), 0)
    assert fewer(rows_of(100), classes, whole, Protocol(), 0) == whole
    assert smallest(rows_of(100), classes, whole, Protocol(), 0) <= 1


@pytest.mark.parametrize("share", [0, -0.1, 1.5])
def test_what_is_no_share_is_refused(share):
    with pytest.raises(ValueError, match=r"protocol\.learn_from must be above 0 and at most 1"):
        Protocol(learn_from=share)
