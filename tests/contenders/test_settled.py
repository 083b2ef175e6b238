"""A contender with the settings that a training of it chose: they are the very same, and nothing is searched again."""

from dataclasses import replace

import numpy as np
from contender_cases import objective_of, table

from pipelines.contenders import classical, saved
from pipelines.contenders.classical import ClassicalContender
from pipelines.contenders.ensemble import EnsembleContender
from pipelines.contenders.network import NetworkContender
from pipelines.contenders.remembered import Remembered
from pipelines.contenders.settled import settled
from pipelines.contenders.tables import BASELINES
from pipelines.contenders.tuned import Budget, TunedContender
from pipelines.models.tabular import mlp
from pipelines.report.tuning import Tried
from pipelines.task import Network, Recipe

ROWS = table()
TRAIN, VALID = ROWS.take(np.arange(60)), ROWS.take(np.arange(60, 90))
OBJECTIVE = objective_of(ROWS)
LINEAR = next(each for each in BASELINES if each.name == "linear")
SEARCHED = ClassicalContender(LINEAR, OBJECTIVE, Recipe(trials=4))
NETWORK = NetworkContender(Network("mlp", mlp), OBJECTIVE, Recipe(epochs=2, width=8))


def test_a_baseline_keeps_what_its_search_found_and_searches_no_more(monkeypatch, tmp_path):
    fitted = SEARCHED.fit(TRAIN, VALID, 0)
    saved.save(fitted, tmp_path, "a/b", "linear", OBJECTIVE, TRAIN, 0.5)
    monkeypatch.setattr(classical, "search", lambda *given: 1 / 0)
    chosen = {name: fitted.estimator.get_params()[name] for name in SEARCHED.space(TRAIN).axes}
    assert chosen
    assert {name: f"{value:.4g}" for name, value in chosen.items()} == dict(fitted.settings)
    for model in (fitted, saved.load(tmp_path).fitted):
        same = settled(SEARCHED, model, (), TRAIN)
        assert same.fixed == chosen
        again = same.fit(TRAIN, VALID, 0)
        np.testing.assert_array_equal(again.predict(VALID).values, fitted.predict(VALID).values)


def test_what_was_remembered_is_trained_anew():
    base = replace(SEARCHED, fixed={})
    remembered = Remembered(base)
    fitted = remembered.fit(TRAIN, VALID, 0)
    same = settled(remembered, fitted, (), TRAIN)
    assert isinstance(same, ClassicalContender)
    assert settled(Remembered(NETWORK), None, (), TRAIN) is NETWORK
    ensemble = settled(EnsembleContender(NETWORK, 2, Remembered(NETWORK)), None, (), TRAIN)
    assert isinstance(ensemble, EnsembleContender)
    assert (ensemble.single, ensemble.members, ensemble.first) == (NETWORK, 2, None)


def test_a_tuned_contender_keeps_its_best_trial():
    tried = (
        Tried(1, {"learning_rate": 1e-3, "dropout": 0.1}, 0.7, 1.0),
        Tried(2, {"learning_rate": 5e-3, "dropout": 0.3}, 0.9, 1.0),
        Tried(3, {"learning_rate": 9e-3, "dropout": 0.5}, float("nan"), 1.0, "failed", "no"),
    )
    tuned = TunedContender(NETWORK, OBJECTIVE, Budget(trials=3))
    for contender in (tuned, Remembered(tuned)):
        same = settled(contender, None, tried, TRAIN)
        assert (same.recipe.learning_rate, same.recipe.dropout, same.recipe.width) == (5e-3, 0.3, 8)
    fitted = SEARCHED.having({"model__C": 0.5} if "model__C" in SEARCHED.space(TRAIN).axes else {}).fit(TRAIN, VALID, 0)
    same = settled(TunedContender(SEARCHED, OBJECTIVE, Budget(trials=3)), fitted, tried, TRAIN)
    assert isinstance(same, ClassicalContender)
    assert same.fixed is not None
