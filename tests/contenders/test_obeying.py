"""Baselines that are made to obey a direction: they do, they compete beside themselves, and nobody else is touched."""

import numpy as np
import pytest

from pipelines import catalogue
from pipelines.contenders.classical import ClassicalContender
from pipelines.contenders.tables import BASELINES, SCORECARD
from pipelines.data.examples import Examples
from pipelines.evaluation.directions import moves
from pipelines.objectives.classification import Classification
from pipelines.task import Recipe

TASK = catalogue.find("finance/credit-default")


def waves(n=600, seed=0):
    """The risk rises and falls with debt, which no lender would let it."""
    chance = np.random.default_rng(seed)
    debt = chance.uniform(0, 10, n)
    bad = chance.random(n) < 0.5 + 0.4 * np.sin(debt)
    job = np.array(["a", "b"], object)[chance.integers(0, 2, n)]
    return Examples(
        {"job": job, "debt": debt, "age": chance.normal(size=n)}, np.where(bad, "bad", "good").astype(object)
    )


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("baseline", [BASELINES[-1], SCORECARD], ids=lambda each: each.name)
def test_a_model_that_must_obey_does(baseline, direction):
    examples = waves()
    task = TASK.directed({"debt": direction}, obey=True)
    told = next(each for each in reversed(task.baselines) if each.name.startswith(baseline.name))
    objective = Classification().resolve(examples.target, "bad")
    found = {}
    for name, each in (("free", baseline), ("told", told)):
        fitted = ClassicalContender(each, objective, Recipe(), fixed={}).fit(examples, examples, 0)
        asked = (examples, np.arange(len(examples)), examples, {"debt": direction}, 0)
        found[name] = moves(lambda rows, model=fitted: model.predict(rows).values[:, 1], *asked).wrong["debt"]
    assert found["told"].max() < 1e-9
    if baseline.name == "boosting":  # a free scorecard is monotone too, in the direction of its own choice
        assert found["free"].max() > 0.2


def test_who_is_asked_competes_beside_itself_and_nobody_else_changes():
    directed = TASK.directed({"Debt": 1}, obey=True)
    names = [each.name for each in directed.baselines]
    assert names == ["prior", "linear", "forest", "boosting", "boosting-monotone", "scorecard"]
    same = [each for each in directed.baselines if each in TASK.baselines]
    assert [each.name for each in same] == ["prior", "linear", "forest", "boosting"]
    assert [each.name for each in TASK.directed({"Debt": 1}, obey=False).baselines] == [
        "prior", "linear", "forest", "boosting", "scorecard",
    ]  # fmt: skip
