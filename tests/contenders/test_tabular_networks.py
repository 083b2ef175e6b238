"""Networks for tables as contenders: every kind of target and of table, saved and read, one trace for all folds."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from contender_cases import objective_of, table
from test_network import KINDS, odd

from pipelines.contenders import saved
from pipelines.contenders.network import NetworkContender
from pipelines.contenders.penalised import PenalisedNetwork
from pipelines.contenders.remembered import Remembered
from pipelines.models import tabular
from pipelines.models.inputs import as_tensors
from pipelines.objectives.members import of_members
from pipelines.task import Network, Recipe
from pipelines.training.gradcheck import gradcheck
from pipelines.training.layers import layers_of

RECIPE = Recipe(epochs=3, batch_size=16, width=8, dropout=0.1, learning_rate=0.01, plan="resident")
BUILDS = [tabular.tabm, tabular.ft_transformer]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(tabular, "MEMBERS", 4)
    monkeypatch.setattr(tabular, "BLOCKS", 1)


def contender(examples, build, recipe=RECIPE):
    return NetworkContender(Network("net", build), objective_of(examples), recipe)


@pytest.mark.parametrize(
    ("build", "classes"),
    [(tabular.tabm, 2), (tabular.tabm, 0), (tabular.ft_transformer, 3)],
    ids=["tabm-2", "tabm-0", "ft-3"],
)
def test_it_learns_and_is_saved_and_read_in_safe_mode(build, classes, tmp_path):
    examples, rows = table(classes, n=300), table(classes, n=200, seed=1)
    recipe = replace(RECIPE, epochs=12)
    fitted = contender(examples, build, recipe).fit(examples, examples, 0)
    objective = fitted.objective
    scores = objective.scores(objective.encode(rows.target), fitted.predict(rows))
    assert scores["r2" if classes == 0 else "accuracy"] > 0.7
    saved.save(fitted, tmp_path, "tests/case", "net", objective, rows, float("nan"))
    again = saved.load(tmp_path)
    np.testing.assert_allclose(again.predict(rows).values, fitted.predict(rows).values, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("build", BUILDS)
def test_odd_tables_give_finite_outputs(build, kind):
    examples = odd(kind)
    architecture = build(examples, objective_of(examples), RECIPE)
    columns = examples.columns
    unseen = {n: np.full_like(v, "new") if v.dtype == object else v for n, v in columns.items()}
    missing = {n: np.full_like(v, None) if v.dtype == object else np.full(60, np.nan) for n, v in columns.items()}
    for values in (columns, unseen, missing):
        inputs = {name: values[name] for name in architecture.encode.input}
        outputs = np.asarray(architecture.core(architecture.encode(as_tensors(inputs, examples.kinds))))
        assert len(outputs) == 60
        assert np.isfinite(outputs).all()


@pytest.mark.parametrize("build", BUILDS)
def test_one_trace_serves_all_folds(build):
    examples = table(2)
    several = contender(examples, build, replace(RECIPE, epochs=1))
    for seed in range(3):
        several.fit(examples, examples, seed)
    (loop,) = several._loops.values()
    assert loop.train.experimental_get_tracing_count() == 1


def test_the_answer_is_the_mean_of_members_that_differ():
    examples = table(2)
    fitted = contender(examples, tabular.tabm).fit(examples, examples, 0)
    member = keras.Model(fitted.model.input, fitted.model.get_layer("probability").output)
    inputs = {name: examples.columns[name] for name in fitted.kinds}
    each = np.asarray(member(as_tensors(inputs, fitted.kinds)))[:, :, 0]
    assert each.shape == (len(examples), 4)
    np.testing.assert_allclose(each.mean(axis=1), fitted.predict(examples).values[:, 1], rtol=1e-5)
    assert np.ptp(each, axis=1).mean() > 0.02


@pytest.mark.parametrize("build", BUILDS)
def test_the_tape_is_right(build):
    examples = table(2)
    keras.utils.set_random_seed(0)
    objective = objective_of(examples)
    architecture = build(examples, objective, RECIPE)
    few = examples.take(np.arange(12))
    inputs = architecture.encode(as_tensors({n: few.columns[n] for n in architecture.encode.input}, few.kinds))
    loss = of_members(objective, architecture.members).loss
    found = gradcheck(architecture.core, loss, inputs, objective.learnable(objective.encode(few.target)))
    assert len(found) > 3
    assert all(layer.passed for layer in found)


def test_columns_are_embedded_from_their_own_numbers_alone():
    """Moving one column's numbers moves its token and no other."""
    from pipelines.models.tokens import ColumnTokens

    layer = ColumnTokens([[0, 2], [1], [3, 4, 5]], 6)
    x = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    before = np.asarray(layer(x))
    assert before.shape == (4, 3, 6) == (4, *layer.compute_output_shape((None, 6))[1:])
    for column, places in enumerate(layer.places):
        for place in places:
            moved = x.copy()
            moved[:, place] += 1
            changed = np.abs(np.asarray(layer(moved)) - before).max(axis=(0, 2)) > 1e-6
            assert changed.tolist() == [each == column for each in range(3)]


def test_a_penalty_on_gaps_sees_the_mean_of_the_members():
    examples = replace(table(2, n=200), groups={"g": np.array(["a", "b"], object)[np.arange(200) % 2]})
    base = Remembered(contender(examples, tabular.tabm, replace(RECIPE, gap_penalty=1.0)))
    fitted = PenalisedNetwork.like(base, "g", ("a", "b")).fit(examples, examples, 0)
    assert np.isfinite(fitted.predict(examples).values).all()
    assert "strength 1" in fitted.settings["mitigation"]


def test_members_may_train_with_differential_privacy():
    examples = table(2)
    recipe = replace(RECIPE, epochs=1, dp_noise=1.0, dropout=0.0)
    fitted = contender(examples, tabular.tabm, recipe).fit(examples, examples, 0)
    assert np.isfinite(fitted.predict(examples).values).all()


def test_gradient_health_takes_the_shared_kernels_alone_for_kernels():
    """The scales of members have two axes too, and are gains."""
    examples = table(2)
    core = tabular.tabm(examples, objective_of(examples), RECIPE).core
    kernels = [core.trainable_variables[place].name for each in layers_of(core).learning for place in each.kernels]
    assert kernels == ["kernel"] * 3


@pytest.mark.parametrize("build", BUILDS)
def test_it_learns_32_rows_by_heart(build):
    examples = table(2, n=32)
    recipe = replace(RECIPE, epochs=150, patience=150, batch_size=8, dropout=0.0, learning_rate=3e-3, width=32)
    fitted = contender(examples, build, recipe).fit(examples, examples, 0)
    truth = fitted.objective.encode(examples.target)
    assert (fitted.predict(examples).labels() == truth).all()
