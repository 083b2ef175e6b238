"""Splits: no row and no id in two parts, nothing lost, classes kept, no training on the future."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.data.examples import Examples
from pipelines.data.splits import split
from pipelines.errors import BadInput
from pipelines.task import Protocol

shares = st.sampled_from([0.1, 0.15, 0.2, 0.25, 0.3, 0.5])


def rows_of(n, ids=None, time=None):
    return Examples(columns={"x": np.arange(float(n))}, target=np.zeros(n), ids=ids, time=time)


def labels_of(n, rarest, seed):
    """Two or three classes of at least `rarest` rows, in mixed order."""
    rng = np.random.default_rng(seed)
    classes = np.concatenate([np.repeat(np.arange(2 + seed % 2), rarest), rng.integers(0, 2, n)])
    return rng.permutation(classes)


def assert_divides(fold, n):
    together = np.concatenate([fold.train, fold.valid, fold.test])
    np.testing.assert_array_equal(np.sort(together), np.arange(n))
    assert min(fold.counts().values()) > 0
    for part in (fold.train, fold.valid, fold.test):
        assert (np.diff(part) > 0).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(30, 400), shares, shares, st.integers(0, 1000), st.booleans())
def test_holdout_by_row(n, test, valid, seed, classifies):
    classes = labels_of(n, 12, seed)
    n = len(classes)
    protocol = Protocol(test=test, valid=valid)
    (fold,) = split(rows_of(n), classes if classifies else None, protocol, seed)
    assert_divides(fold, n)
    assert abs(len(fold.test) - test * n) <= 1
    assert abs(len(fold.valid) - valid * (n - len(fold.test))) <= 1
    if classifies:
        for part, whole in ((fold.test, np.arange(n)), (fold.valid, np.concatenate([fold.train, fold.valid]))):
            share = len(part) / len(whole)
            for each in np.unique(classes):
                assert abs((classes[part] == each).sum() - share * (classes[whole] == each).sum()) <= 1 + 1e-9


@settings(max_examples=30, deadline=None)
@given(st.integers(30, 200), st.integers(2, 6), st.integers(1, 3), st.integers(0, 1000), st.booleans())
def test_cross_validation_by_row(n, folds, repeats, seed, classifies):
    classes = labels_of(n, 12, seed)
    n = len(classes)
    protocol = Protocol(kind="cross-validation", folds=folds, repeats=repeats)
    found = split(rows_of(n), classes if classifies else None, protocol, seed)
    assert len(found) == folds * repeats
    for fold in found:
        assert_divides(fold, n)
    for repeat in range(repeats):
        tested = np.concatenate([fold.test for fold in found[repeat * folds : (repeat + 1) * folds]])
        np.testing.assert_array_equal(np.sort(tested), np.arange(n))
    if classifies:
        for each in np.unique(classes):
            counts = [(classes[fold.test] == each).sum() for fold in found]
            assert max(counts) - min(counts) <= 1
    if repeats > 1:
        assert any(not np.array_equal(one.test, two.test) for one, two in zip(found, found[folds:], strict=False))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 9), min_size=6, max_size=60),
    st.sampled_from(["holdout", "cross-validation"]),
    st.sampled_from(["none", "by id", "by row"]),
    st.integers(0, 1000),
)
def test_ids_never_cross(sizes, kind, labelled, seed):
    rng = np.random.default_rng(seed)
    ids = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    n = len(ids)
    classes = {"none": None, "by id": ids % 2, "by row": rng.integers(0, 2, n)}[labelled]
    protocol = Protocol(kind=kind, by="id", folds=3, repeats=2)
    try:
        found = split(rows_of(n, ids=ids), classes, protocol, seed)
    except BadInput as error:  # only where no class has rows enough for the folds
        assert "too few" in str(error)  # noqa: PT017
        assert n < 40
        return
    for fold in found:
        assert_divides(fold, n)
        parts = [set(ids[part]) for part in (fold.train, fold.valid, fold.test)]
        assert len(set.union(*parts)) == sum(map(len, parts))
    if kind == "cross-validation":
        for repeat in range(2):
            tested = np.concatenate([fold.test for fold in found[repeat * 3 : repeat * 3 + 3]])
            np.testing.assert_array_equal(np.sort(tested), np.arange(n))


@pytest.mark.parametrize("test", [0.1, 0.2, 0.3, 0.5])
@pytest.mark.parametrize("classifies", [False, True])
def test_a_holdout_by_id_is_near_the_share(test, classifies):
    rng = np.random.default_rng(0)
    ids = np.repeat(np.arange(100), rng.integers(1, 8, 100))
    classes = rng.integers(0, 2, len(ids)) if classifies else None
    (fold,) = split(rows_of(len(ids), ids=ids), classes, Protocol(by="id", test=test), 3)
    assert len(fold.test) / len(ids) == pytest.approx(test, abs=0.05)


def test_a_large_share_leaves_rows_to_train_on():
    """However large the share, the last id stays: without it the training rows would be empty, silently."""
    ids = np.repeat(np.arange(10), 5)
    for share in (0.6, 0.8):
        (fold,) = split(rows_of(50, ids=ids), None, Protocol(by="id", test=share, valid=0.2), 0)
        assert_divides(fold, 50)
    for count, share in ((3, 0.3), (10, 0.3)):
        (fold,) = split(rows_of(50, ids=np.arange(50) % count), None, Protocol(by="id", test=share, valid=0.95), 0)
        assert_divides(fold, 50)


def test_few_ids_of_two_classes_can_be_divided():
    """Twelve patients with one row each: the classes have fewer rows than there are ids."""
    (fold,) = split(rows_of(12, ids=np.arange(12)), np.arange(12) % 2, Protocol(by="id", test=0.3, valid=0.3), 0)
    assert_divides(fold, 12)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=10, max_size=200), shares, shares, st.integers(0, 5))
def test_by_time_never_trains_on_the_future(moments, test, valid, seed):
    time = np.array(moments)
    if len(set(moments)) < 3:
        with pytest.raises(BadInput, match="distinct moments"):
            split(rows_of(len(time), time=time), None, Protocol(by="time", test=test, valid=valid), seed)
        return
    (fold,) = split(rows_of(len(time), time=time), None, Protocol(by="time", test=test, valid=valid), seed)
    assert_divides(fold, len(time))
    assert time[fold.train].max() < time[fold.valid].min()
    assert time[fold.valid].max() < time[fold.test].min()


def test_by_time_with_distinct_moments_takes_the_share():
    time = np.random.default_rng(0).permutation(1000)
    (fold,) = split(rows_of(1000, time=time), None, Protocol(by="time", test=0.2, valid=0.15), 0)
    assert fold.counts() == {"train": 680, "valid": 120, "test": 200}


def test_dates_are_moments():
    time = np.array(["2024-01-03", "2023-01-01", "2024-12-01", "2022-05-05"], dtype="datetime64[D]")
    (fold,) = split(rows_of(4, time=time), None, Protocol(by="time", test=0.25, valid=0.3), 0)
    assert fold.test.tolist() == [2]
    assert fold.valid.tolist() == [0]


def test_official_test_rows_are_kept():
    official = np.array(["test", "train"] * 50)
    classes = np.arange(100) // 2 % 2
    (fold,) = split(rows_of(100), classes, Protocol(), 0, official)
    np.testing.assert_array_equal(fold.test, np.flatnonzero(official == "test"))
    assert_divides(fold, 100)
    official[:20] = "valid"
    (fold,) = split(rows_of(100), classes, Protocol(), 0, official)
    np.testing.assert_array_equal(fold.valid, np.arange(20))
    np.testing.assert_array_equal(fold.train, np.flatnonzero(official == "train"))


def test_official_rows_that_leave_nothing_to_train_on():
    with pytest.raises(BadInput, match="no training rows"):
        split(rows_of(10), None, Protocol(), 0, np.array(["test"] * 10))


@pytest.mark.parametrize("kind", ["holdout", "cross-validation"])
@pytest.mark.parametrize("by", ["row", "id"])
def test_the_seed_decides(kind, by):
    examples, classes = rows_of(120, ids=np.arange(120) // 2), np.arange(120) // 2 % 2
    protocol = Protocol(kind=kind, by=by)
    one, same, other = (split(examples, classes, protocol, seed) for seed in (3, 3, 40))
    for a, b in zip(one, same, strict=True):
        assert [part.tolist() for part in (a.train, a.valid, a.test)] == [
            part.tolist() for part in (b.train, b.valid, b.test)
        ]
    assert any(not np.array_equal(a.test, b.test) for a, b in zip(one, other, strict=True))
    assert any(not np.array_equal(a.valid, b.valid) for a, b in zip(one, other, strict=True))


CV = Protocol(kind="cross-validation", folds=5)


@pytest.mark.parametrize(
    ("examples", "classes", "protocol", "message"),
    [
        (rows_of(3), None, CV, "3 rows cannot be divided into 5 parts"),
        (rows_of(1), None, Protocol(), "no share of 0.2 can be taken from 1 row"),
        (rows_of(20), np.array([1] * 3 + [0] * 17), CV, "the rarest class has 3 rows, too few for 5 folds"),
        (rows_of(20), np.array([1] + [0] * 19), Protocol(), r"the rarest class has 1 row, too few .* every part needs"),
        (rows_of(20, ids=np.arange(20) // 7), None, Protocol(kind="cross-validation", by="id"), "3 ids cannot be"),
        (rows_of(20, ids=np.zeros(20)), None, Protocol(by="id"), "1 id cannot be divided into 2"),
        (rows_of(20), None, Protocol(by="id"), "--id COLUMN"),
        (rows_of(20), None, Protocol(by="time"), "--time COLUMN"),
        (rows_of(20, time=np.arange(20) // 10), None, Protocol(by="time"), "only 2 distinct moments; at least 3"),
    ],
)
def test_too_little_to_divide_is_said(examples, classes, protocol, message):
    with pytest.raises(BadInput, match=message):
        split(examples, classes, protocol, 0)


def test_by_time_nobody_who_is_tested_was_learned_from():
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 60, 400).astype(str).astype(object)
    examples = Examples({"x": np.arange(400.0)}, np.arange(400) % 2, ids=ids, time=np.arange(400.0))
    (fold,) = split(examples, np.arange(400) % 2, Protocol(kind="holdout", by="time", test=0.05, valid=0.05), 0)
    train, valid, test = (set(ids[part]) for part in (fold.train, fold.valid, fold.test))
    assert len(fold.test) == 20
    assert not (train & valid | train & test | valid & test)
    assert len(fold.train)


def test_rows_whose_labels_are_not_known_in_time_are_left_out():
    """100 moments, the last 20 are tested, the 12 before them validate; a label takes 5 to become known."""
    rows = rows_of(100, time=np.arange(100.0))
    plain, late = (split(rows, None, Protocol(by="time", delay=delay), 0)[0] for delay in (0.0, 5.0))
    np.testing.assert_array_equal(late.test, plain.test)
    starts_test, starts_valid = plain.test[0], plain.valid[0]
    np.testing.assert_array_equal(late.valid, np.arange(starts_valid, starts_test - 5 + 1))
    np.testing.assert_array_equal(late.train, np.arange(starts_valid - 5 + 1))


def test_a_delay_that_leaves_nothing_is_refused():
    with pytest.raises(BadInput, match=r"protocol\.delay=90.* set less, or 0"):
        split(rows_of(100, time=np.arange(100.0)), None, Protocol(by="time", delay=90.0), 0)
