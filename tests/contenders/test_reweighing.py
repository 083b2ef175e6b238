"""Reweighing: the weights are those of the paper, and make group and class independent."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from planted import planted

from pipelines.contenders.classical import ClassicalContender
from pipelines.contenders.contender import UNMEASURED
from pipelines.contenders.reweighing import Reweighed, independent_weights
from pipelines.contenders.tables import BASELINES
from pipelines.objectives.classification import Classification
from pipelines.task import Recipe


def test_the_weights_are_those_of_kamiran_and_calders():
    """Their table of ten applicants: five men of whom four were taken, five women of whom two were."""
    sex = np.array(["m"] * 5 + ["f"] * 5, dtype=object)
    taken = np.array([1, 1, 1, 1, 0, 1, 1, 0, 0, 0])
    weights = independent_weights(sex, taken)
    assert weights[0] == pytest.approx(0.75)  # a man who was taken
    assert weights[4] == pytest.approx(2.0)  # a man who was not
    assert weights[5] == pytest.approx(1.5)  # a woman who was taken
    assert weights[9] == pytest.approx(2 / 3)  # a woman who was not


def test_group_and_class_are_independent_by_weight():
    chance = np.random.default_rng(0)
    groups = chance.choice(np.array(["a", "b", "", None], dtype=object), 500)
    target = (chance.random(500) < np.where(groups == "a", 0.2, 0.6)).astype(int)
    own = chance.uniform(0, 3, 500) * (chance.random(500) < 0.9)
    weights = independent_weights(groups, target, own)
    assert ((weights > 0) == (own > 0)).all()
    overall = weights @ target / weights.sum()
    for group in ("a", "b", "", None):
        here = np.array([each == group for each in groups])
        assert weights[here] @ target[here] / weights[here].sum() == pytest.approx(overall, abs=1e-12)
        assert weights[here].sum() == pytest.approx(own[here].sum())
    assert weights @ target == pytest.approx(own @ target)


@dataclass
class Watched:
    """A contender that notes what it is given."""

    name: str = "watched"
    given: list = field(default_factory=list)

    @dataclass(frozen=True)
    class Fitted:
        settings: dict = field(default_factory=dict)
        cost: object = UNMEASURED

    def fit(self, train, valid, seed, watch=None, checkpoints=None):
        self.given.append((train, valid))
        return self.Fitted()


def test_only_training_rows_are_weighed():
    base, rows = Watched(), planted(300)
    train, valid = rows.take(np.arange(200)), rows.take(np.arange(200, 300))
    objective = Classification().resolve(rows.target)
    contender = Reweighed(base, "group", objective)
    fitted = contender.fit(train, valid, 0)
    ((given, watched),) = base.given
    np.testing.assert_allclose(given.weight, independent_weights(train.groups["group"], objective.encode(train.target)))
    assert watched.weight is None
    assert (contender.name, contender.kind) == ("watched+reweighing", "mitigated")
    assert "by group and class" in fitted.settings["mitigation"]


def test_a_model_gives_the_weighed_rows_their_due():
    """A logistic regression that knows the group alone says the same of both groups once their rows are weighed."""
    rows = planted(800)
    rows = type(rows)({"member": (rows.groups["group"] == "b") * 1.0}, rows.target, groups=rows.groups)
    objective = Classification().resolve(rows.target)
    linear = ClassicalContender(next(each for each in BASELINES if each.name == "linear"), objective, Recipe(trials=1))
    apart = {}
    for contender in (linear, Reweighed(linear, "group", objective)):
        said = contender.fit(rows, rows, 0).predict(rows).values[:, 1]
        apart[contender.name] = abs(said[rows.groups["group"] == "b"].mean() - said[rows.groups["group"] == "a"].mean())
    assert apart["linear"] > 0.15
    assert apart["linear+reweighing"] < 0.01
