"""Several starts, of which the best is kept; several networks that answer together."""

from dataclasses import replace

import numpy as np
import pytest

from pipelines.contenders import network, saved
from pipelines.contenders.contender import findings_of
from pipelines.contenders.ensemble import EnsembleContender
from pipelines.contenders.lineup import line_up
from pipelines.contenders.network import NetworkContender
from pipelines.data.examples import Examples
from pipelines.models import tabular
from pipelines.objectives.classification import Classification
from pipelines.objectives.regression import Regression
from pipelines.task import Network, Recipe
from pipelines.training.checkpoint import Checkpoints
from pipelines.training.loop import Loop

RECIPE = Recipe(epochs=4, batch_size=16, width=8, learning_rate=0.01, plan="resident", monitor="loss")
CLASSES = Classification(classes=("no", "yes"))


def table(n=80, seed=0, kind="classes"):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    target = x[:, 0] * x[:, 1]
    labels = np.where(target > 0, "yes", "no") if kind == "classes" else target
    return Examples({"a": x[:, 0], "b": x[:, 1]}, labels)


def contender(recipe=RECIPE, objective=CLASSES):
    return NetworkContender(Network("mlp", tabular.mlp), objective, recipe)


def test_the_best_of_several_starts_is_kept():
    train, valid = table(), table(40, 1)
    several = contender(replace(RECIPE, restarts=3)).fit(train, valid, 7)
    said, _, kept = several.settings["starts"].partition(" on validation rows; kept ")
    losses = [float(each) for each in said.split(", ")]
    assert len(set(losses)) == 3
    assert losses.index(min(losses)) + 1 == int(kept)
    loss = np.mean(CLASSES.loss(CLASSES.encode(valid.target), np.log(odds(several.predict(valid).values))))
    assert loss == pytest.approx(min(losses), rel=1e-3)
    assert min(several.history.metrics["valid_loss"]) == pytest.approx(min(losses), rel=1e-3)


def odds(chances):
    return (chances[:, 1:] / chances[:, :1]).astype(np.float32)


def test_the_first_start_is_that_of_a_single_training():
    train, valid = table(), table(40, 1)
    once, several = (contender(replace(RECIPE, restarts=count)).fit(train, valid, 7) for count in (1, 2))
    first = float(several.settings["starts"].split(",")[0])
    assert first == pytest.approx(min(once.history.metrics["valid_loss"]), rel=1e-3)
    assert "starts" not in once.settings


@pytest.mark.parametrize(("kind", "objective"), [("classes", CLASSES), ("values", Regression())])
def test_an_ensemble_answers_with_the_mean_of_its_members(kind, objective, tmp_path):
    train, valid, rows = table(kind=kind), table(40, 1, kind), table(30, 2, kind)
    single = contender(objective=objective)
    ensemble = EnsembleContender(single, 3)
    assert (ensemble.name, ensemble.kind) == ("mlp-x3", "ensemble")
    told = []
    fitted = ensemble.fit(train, valid, 7, lambda done, total: told.append((done, total)))
    assert told[-1] == (12, 12)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    alone = single.fit(train, valid, 7)
    members = [model for model in fitted.model.layers if model.name.startswith("functional")]
    assert len(members) == 3
    columns = {name: np.asarray(column)[:, None] for name, column in rows.columns.items()}
    found = [np.asarray(model(columns)) for model in members]
    assert np.abs(found[0] - found[1]).max() > 1e-3
    np.testing.assert_allclose(np.asarray(fitted.model(columns)), np.mean(found, axis=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.asarray(alone.model(columns)), found[0], rtol=1e-5, atol=1e-6)
    assert fitted.cost.parameters == 3 * alone.cost.parameters
    saved.save(fitted, tmp_path, "a/task", ensemble.name, fitted.objective, rows, 0.5)
    np.testing.assert_array_equal(saved.load(tmp_path).fitted.predict(rows).values, fitted.predict(rows).values)


def test_one_trace_serves_all_members_and_starts():
    single = contender(replace(RECIPE, restarts=2))
    EnsembleContender(single, 2).fit(table(), table(40, 1), 7)
    (loop,) = single._loops.values()
    assert loop.train.experimental_get_tracing_count() == 1


def test_each_training_has_checkpoints_of_its_own(tmp_path):
    recipe = replace(RECIPE, restarts=2)
    EnsembleContender(contender(recipe), 2).fit(table(), table(40, 1), 7, checkpoints=Checkpoints(tmp_path, every=0))
    found = {str(path.parent.relative_to(tmp_path)) for path in tmp_path.glob("**/checkpoint-*")}
    assert found == {".", "part-2", "part-3", "part-3/part-2"}


def test_a_stopped_ensemble_goes_on_to_the_same_answer(tmp_path):
    train, valid, rows = table(), table(40, 1), table(30, 2)
    whole = EnsembleContender(contender(), 2).fit(train, valid, 7).predict(rows).values

    def stop(done, total):
        if done == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        EnsembleContender(contender(), 2).fit(train, valid, 7, stop, Checkpoints(tmp_path, every=0))
    again = EnsembleContender(contender(), 2).fit(train, valid, 7, checkpoints=Checkpoints(tmp_path, every=0))
    np.testing.assert_allclose(again.predict(rows).values, whole, rtol=1e-4, atol=1e-5)


def test_only_more_than_one_member_makes_an_ensemble():
    from pipelines import catalogue

    task = catalogue.find("finance/credit-default")
    names = [each.name for each in line_up(task, CLASSES, replace(RECIPE, members=4))]
    assert names[:2] == ["mlp", "mlp-x4"]
    assert "mlp-x1" not in [each.name for each in line_up(task, CLASSES, RECIPE)]


def test_the_first_member_is_the_network_that_competes_alone_and_is_trained_once(monkeypatch):
    from pipelines import catalogue

    trained, fit = [], NetworkContender.fit

    def noted(self, train, valid, seed, *others):
        trained.append(seed)
        return fit(self, train, valid, seed, *others)

    monkeypatch.setattr(NetworkContender, "fit", noted)
    train, valid, rows = table(), table(40, 1), table(30, 2)
    alone, together = line_up(catalogue.find("finance/credit-default"), CLASSES, replace(RECIPE, members=2))[:2]
    single = alone.fit(train, valid, 7)
    both = together.fit(train, valid, 7)
    assert len(trained) == len(set(trained)) == 2
    other = NetworkContender(Network("mlp", tabular.mlp), alone.base.objective, alone.base.recipe)
    second = other.fit(train, valid, trained[1]).predict(rows).values
    mean = (single.predict(rows).values + second) / 2
    np.testing.assert_allclose(both.predict(rows).values, mean, rtol=1e-4, atol=1e-5)
    assert both.cost.train_seconds > single.cost.train_seconds  # what its first member cost counts
    assert together.having({"dropout": 0.1}).first is None


def test_private_training_spends_on_one_network_only():
    with pytest.raises(ValueError, match=r"recipe\.restarts and recipe\.members"):
        Recipe(dp_epsilon=8, members=2)


def test_each_start_has_weights_of_its_own(monkeypatch):
    begun, restart = [], Loop.restart

    def noted(loop, fresh, recipe):
        begun.append(fresh.get_weights()[0].tobytes())
        restart(loop, fresh, recipe)

    monkeypatch.setattr(Loop, "restart", noted)
    contender(replace(RECIPE, epochs=1, restarts=3)).fit(table(), table(40, 1), 7)
    assert len(begun) == len(set(begun)) == 3


def test_what_each_member_found_is_told_by_its_number(monkeypatch):
    told = iter(["dead units in 1_dense", "healthy in every layer", "dead units in 1_dense"])
    monkeypatch.setattr(network, "_gradients", lambda trained: {"gradients": next(told)})
    settings = (
        EnsembleContender(contender(replace(RECIPE, epochs=1, restarts=2)), 3).fit(table(), table(40, 1), 7).settings
    )
    assert settings["gradients"] == "member 1, 3: dead units in 1_dense; member 2: healthy in every layer"
    assert [settings["starts"].count(f"member {number}: ") for number in (1, 2, 3)] == [1, 1, 1]
    assert settings["members"].startswith("3; ")


def test_findings_that_all_trainings_share_are_told_once():
    trainings = [{"gradients": "healthy", "plan": "a"}, {"gradients": "healthy", "notes": "rolled back", "plan": "b"}]
    assert findings_of(trainings, "fold") == {"gradients": "healthy", "notes": "fold 2: rolled back"}
    assert findings_of([{"alpha": "1"}, {"alpha": "2"}], "fold") == {}
    blends = [{"weights": "linear 1.00"}, {"weights": "forest 1.00"}]
    assert findings_of(blends, "fold") == {"weights": "fold 1: linear 1.00; fold 2: forest 1.00"}
