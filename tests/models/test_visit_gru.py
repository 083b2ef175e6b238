"""The GRU over visits: it passes over those that there were none of, and sees the table and every visit."""

import keras
import numpy as np
import pytest

from pipelines.data.examples import Examples
from pipelines.data.visits import HISTORY, Visits
from pipelines.models.inputs import as_tensors
from pipelines.models.recurrent import visit_gru
from pipelines.objectives.classification import Classification
from pipelines.task import Recipe


@pytest.fixture(scope="module")
def made():
    chance = np.random.default_rng(0)
    visits = Visits(np.repeat(np.arange(30), 3).astype(str).astype(object), np.tile([0.0, 1.0, 2.0], 30))
    volume = chance.normal(size=90)
    volume[7] = np.nan
    columns, kinds = visits.inputs({"volume": volume}, 4)
    columns |= {"volume": volume, "sex": np.tile(["f", "f", "f", "m", "m", "m"], 15).astype(object)}
    target = np.where(chance.random(90) < 0.5, "yes", "no").astype(object)
    train = Examples(columns, target, {**kinds, "volume": "number", "sex": "category"})
    keras.utils.set_random_seed(0)
    return train, visit_gru(HISTORY, 4)(train, Classification().resolve(target), Recipe(width=8))


def answers(made, **changed):
    train, architecture = made
    columns = as_tensors({**train.columns, **changed}, train.kinds)
    return np.asarray(architecture.core(architecture.encode(columns), training=False))[:, 0]


def test_answers_are_numbers_where_values_are_missing(made):
    assert np.isfinite(answers(made)).all()


@pytest.mark.parametrize("step", [1, 2, 3])
def test_every_visit_that_there_was_is_seen(made, step):
    train, _ = made
    history = train.columns[HISTORY].copy()
    there = ~np.isnan(history[:, step, 0])
    history[:, step, 1] += 1
    moved = ~np.isclose(answers(made), answers(made, **{HISTORY: history}), atol=1e-7)
    np.testing.assert_array_equal(moved, there & ~np.isnan(history[:, step, 1]))


def test_what_was_not_there_is_passed_over(made):
    train, architecture = made
    encoded = np.array(architecture.encode(as_tensors(train.columns, train.kinds)))
    absent = encoded[..., 0] < 0.5
    assert absent[:, 0].all()
    changed = np.where(absent[..., None] & (np.arange(encoded.shape[-1]) > 0), encoded + 3, encoded)
    said = [np.asarray(architecture.core(each, training=False)) for each in (encoded, changed)]
    np.testing.assert_allclose(said[0], said[1], atol=1e-6)


def test_the_table_is_seen(made):
    train, _ = made
    other = np.where(train.columns["sex"] == "f", "m", "f").astype(object)
    assert (np.abs(answers(made) - answers(made, sex=other)) > 1e-6).all()
