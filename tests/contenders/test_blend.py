"""Blends: who is added and how often, by hand; trained once; saved and read safely."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from contender_cases import objective_of, table

from pipelines.contenders import saved
from pipelines.contenders.blend import ADDED, blended, times_added
from pipelines.contenders.classical import ClassicalContender
from pipelines.contenders.tables import BASELINES
from pipelines.data.examples import Examples
from pipelines.errors import BadInput
from pipelines.objectives.classification import Classification
from pipelines.objectives.objective import Predictions
from pipelines.report.document import Cost
from pipelines.task import Recipe

TRUTH = np.array([0, 0, 1, 1, 1, 0])
TWO = Classification().resolve(np.array(["a", "b", "b"]))


def said(*positive):
    return np.column_stack([1 - np.array(positive), positive])


def spoken(probability):
    return [said(*each) for each in probability]


def test_the_best_alone_is_added_each_time_where_nobody_adds_anything():
    sure, vague = spoken([[0.1, 0.1, 0.9, 0.9, 0.9, 0.1], [0.5] * 6])
    assert times_added([vague, sure], TRUTH, None, TWO) == [0, ADDED]


def test_those_who_err_in_turn_share_the_weight_and_one_of_two_alike_has_it_all():
    one, other = spoken([[0.1, 0.1, 0.9, 0.9, 0.2, 0.6], [0.1, 0.1, 0.2, 0.9, 0.9, 0.6]])
    counts = times_added([one, other, one], TRUTH, None, TWO)
    assert counts == [13, 12, 0]
    only_first = np.array([1.0, 1, 1, 1, 0, 0])  # where the other one errs
    assert times_added([one, other], TRUTH, only_first, TWO)[0] > 20


def test_each_step_makes_the_loss_least_by_brute_force():
    chance = np.random.default_rng(0)
    truth = chance.integers(0, 2, 80)
    voices = [said(*np.clip(0.5 + (truth - 0.5) * 0.4 + chance.normal(0, 0.25, 80), 0.02, 0.98)) for _ in range(4)]
    added = []
    for _ in range(ADDED):
        means = [np.mean([voices[each] for each in (*added, k)], axis=0)[:, 1] for k in range(4)]
        losses = [-np.log(np.where(truth == 1, mean, 1 - mean)).mean() for mean in means]
        added.append(int(np.argmin(losses)))
    assert times_added(voices, truth, None, TWO) == np.bincount(added, minlength=4).tolist()


@dataclass
class Parrot:
    """Says 0.9 for rows that it has learned from and 0.6 for others, or the other way round; counts its lessons."""

    name: str
    turned: bool = False
    kind: str = "network"
    lessons: list = field(default_factory=list)

    def fit(self, train, valid, seed, watch=None, checkpoints=None):
        known = set(train.columns["row"].tolist())
        assert not known & set(valid.columns["row"].tolist())
        self.lessons.append((known, seed))
        return Taught(known, self.turned)


@dataclass
class Taught:
    known: set
    turned: bool
    cost: object = field(default_factory=lambda: Cost(2.0, parameters=3))

    def predict(self, examples):
        learned = np.isin(examples.columns["row"], list(self.known))
        return Predictions(said(*np.where(learned != self.turned, 0.9, 0.6)))


def rows_of(numbers):
    numbers = np.asarray(numbers, np.float64)
    target = np.where(numbers % 3 == 0, "b", "a")
    return Examples(columns={"row": numbers}, target=target)


def test_contenders_as_they_are_are_trained_once_for_themselves_and_the_blend():
    train, valid = rows_of(range(40)), rows_of(range(40, 50))
    competing = blended([Parrot("one"), Parrot("prior"), Parrot("two", turned=True)], TWO)
    assert [each.name for each in competing] == ["one", "prior", "two", "blend"]
    assert [each.name for each in competing[-1].bases] == ["one", "two"]
    alone = [each.fit(train, valid, 7) for each in competing]
    assert [len(each.base.lessons) for each in (competing[0], competing[2])] == [1, 1]
    assert all(any(part.fitted is each for each in alone) for part in alone[-1].parts)


@pytest.mark.parametrize("classes", [2, 3, 0])
def test_it_is_saved_and_read_with_all_its_parts(classes, tmp_path):
    examples, rows = table(classes, n=150), table(classes, n=40, seed=1)
    objective = objective_of(examples)
    models = [ClassicalContender(each, objective, Recipe(trials=1)) for each in BASELINES if each.name != "boosting"]
    blend = blended(models, objective)[-1]
    fitted = blend.fit(examples, rows, 0)
    assert sum(part.weight for part in fitted.parts) == pytest.approx(1)
    saved.save(fitted, tmp_path, "tests/case", "blend", objective, rows, 0.4 if classes == 2 else float("nan"))
    again = saved.load(tmp_path)
    np.testing.assert_allclose(again.predict(rows).values, fitted.predict(rows).values, rtol=1e-6)
    assert {part.name: part.weight for part in again.fitted.parts} == {p.name: p.weight for p in fitted.parts}


def test_a_description_may_not_lead_elsewhere(tmp_path):
    examples = table(2, n=60)
    objective = objective_of(examples)
    blend = blended([ClassicalContender(BASELINES[1], objective, Recipe(trials=1))], objective)[-1]
    saved.save(blend.fit(examples, examples, 0), tmp_path, "tests/case", "blend", objective, examples, 0.5)
    text = (tmp_path / saved.DESCRIPTION).read_text()
    for name, weight in (("../linear", 1.0), ("linear", -1.0), ("linear", 2.0)):
        (tmp_path / saved.DESCRIPTION).write_text(text.replace('"linear": 1.0', f'"{name}": {weight}'))
        with pytest.raises(BadInput, match="damaged"):
            saved.load(tmp_path)


def test_validation_rows_count_by_their_weight_and_all_that_was_trained_costs():
    train, valid = rows_of(range(40)), rows_of(range(40, 50))
    # Of all of them one says "a" with .6, two with .9.
    light = replace(valid, weight=np.where(valid.target == "b", 1.0, 1e-6))
    heavy = replace(valid, weight=np.where(valid.target == "b", 1e-6, 1.0))
    weights = []
    for each in (light, heavy):
        blend = blended([Parrot("one"), Parrot("two", turned=True)], TWO)[-1]
        fitted = blend.fit(train, each, 0)
        weights.append({part.name: part.weight for part in fitted.parts})
        assert fitted.cost.train_seconds == 4.0
    assert weights == [{"one": 1.0}, {"two": 1.0}]
