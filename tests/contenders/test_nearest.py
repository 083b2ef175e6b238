"""Votes of the nearest rows: scikit-learn's, with weights."""

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from pipelines.contenders import nearest
from pipelines.contenders.nearest import Nearest

CHANCE = np.random.default_rng(0)
X, Y = CHANCE.normal(size=(60, 3)), CHANCE.choice(["a", "b", "c"], 60)
ASKED = CHANCE.normal(size=(9, 3))


def test_without_weights_the_votes_are_scikit_learns_and_one_more():
    model = Nearest(7).fit(X, Y)
    votes = 7 * KNeighborsClassifier(7).fit(X, Y).predict_proba(ASKED)
    shares = np.array([np.mean(name == Y) for name in "abc"])
    np.testing.assert_allclose(model.predict_proba(ASKED), (votes + shares) / 8)
    assert model.predict(ASKED).tolist() == [model.classes_[each] for each in (votes + shares).argmax(axis=1)]


def test_a_row_of_weight_two_votes_twice_and_one_of_none_not_at_all():
    weight = np.where(np.arange(60) < 10, 0.0, np.where(np.arange(60) < 20, 2.0, 1.0))
    model = Nearest(1).fit(X, Y, sample_weight=weight)
    assert len(model.kept_) == 50
    share = np.array([weight[name == Y].sum() for name in "abc"]) / 60
    for row, own in ((10, 2 / 1.2), (20, 1 / 1.2)):  # 1 on average
        votes = own * (Y[row] == model.classes_) + share * model.votes_.sum() / 50
        np.testing.assert_allclose(model.predict_proba(X[row : row + 1])[0], votes / votes.sum())
    np.testing.assert_allclose(Nearest(5).fit(X, Y, sample_weight=np.full(60, 3.0)).predict_proba(ASKED),
                               Nearest(5).fit(X, Y).predict_proba(ASKED))  # fmt: skip


def test_more_neighbours_than_rows_are_all_of_them():
    model = Nearest(500).fit(X, Y)
    np.testing.assert_allclose(model.predict_proba(ASKED), np.tile(model.votes_.mean(axis=0), (9, 1)))


def test_answers_do_not_depend_on_how_many_are_asked_for_at_once(monkeypatch):
    wanted = Nearest(4).fit(X, Y).predict_proba(ASKED)
    monkeypatch.setattr(nearest, "DISTANCES", 120)
    np.testing.assert_allclose(Nearest(4).fit(X, Y).predict_proba(ASKED), wanted)
    assert Nearest(4).fit(X, Y).predict_proba(ASKED[:0]).shape == (0, 3)


def test_of_many_rows_some_are_kept_evenly(monkeypatch):
    monkeypatch.setattr(nearest, "MOST_KEPT", 5)
    model = Nearest(2).fit(X, np.arange(60) % 2)
    np.testing.assert_array_equal(model.kept_, X[[0, 14, 29, 44, 59]].astype(np.float32))
    assert model.votes_.sum() == pytest.approx(5)
