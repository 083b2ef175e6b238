"""Classical contenders: tuned on training rows only, with whole ids and weights, and the same for the same seed."""

from dataclasses import replace

import numpy as np
import pytest
from contender_cases import DATA, objective_of, table
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pipelines.contenders import tables
from pipelines.contenders.classical import ClassicalContender, count_parameters
from pipelines.contenders.contender import unwatched
from pipelines.data.examples import Examples
from pipelines.errors import TrainingFailed
from pipelines.objectives.classification import Classification
from pipelines.task import Baseline, Candidate, Recipe

RECIPE = Recipe(trials=3)
SEEN: list[dict] = []


class Spy(ClassifierMixin, BaseEstimator):
    """Remembers every row that it learns from or is scored on; setting 0.7 is the best there is."""

    def __init__(self, knob=0.0, random_state=None):
        self.knob, self.random_state = knob, random_state

    def fit(self, x, y, sample_weight=None):
        self.classes_ = np.unique(y)
        SEEN.append(
            {"fit": np.asarray(x["row"]), "weight": sample_weight, "knob": self.knob, "seed": self.random_state}
        )
        return self

    def predict_proba(self, x):
        SEEN.append({"scored": np.asarray(x["row"])})
        right = np.asarray(x["row"]) % 2
        signal = np.where(np.asarray(x["row"]) % 10 < 10 * self.knob, right, 0.5)
        return np.column_stack([1 - signal, signal])

    def decision_function(self, x):
        return self.predict_proba(x)[:, 1]

    def predict(self, x):
        return self.predict_proba(x).argmax(axis=1)


@pytest.fixture(autouse=True)
def _forget():
    SEEN.clear()


def numbered(start, n, **more):
    rows = np.arange(start, start + n)
    return Examples(columns={"row": rows.astype(float)}, target=rows % 2, **more)


def spied(recipe=RECIPE, search=True):
    settings = {"spy__knob": [0.1, 0.7, 0.4]} if search else {}
    build = lambda train, objective: Candidate(make_pipeline(Spy()), settings)  # noqa: E731
    return ClassicalContender(Baseline("spy", build), Classification(classes=("0", "1")), recipe)


def test_the_search_uses_training_rows_only_and_finds_the_best():
    told = []
    fitted = spied().fit(numbered(0, 60), numbered(1000, 30), 0, lambda done, total: told.append((done, total)))
    assert max(np.concatenate([each.get("fit", each.get("scored")) for each in SEEN])) < 60
    assert fitted.settings == {"spy__knob": "0.7"}
    fits = [each for each in SEEN if "fit" in each]
    assert len(fits) == 3 * 3 + 1
    assert fits[-1]["fit"].tolist() == list(range(60))
    assert told[0] == (1, 10)
    assert told[-1] == (9, 10)
    for fit, scored in zip(SEEN[0:-1:2], SEEN[1:-1:2], strict=True):
        assert sorted([*fit["fit"], *scored["scored"]]) == list(range(60))


def test_the_search_prepares_each_inner_fold_from_the_rows_it_fits_on():
    """A scaler before the model: a trial sees values centred on its own rows, the last fit on all training rows."""
    examples = Examples(columns={"row": np.arange(60.0) ** 3}, target=np.arange(60) % 2)
    build = lambda train, objective: Candidate(  # noqa: E731
        make_pipeline(StandardScaler().set_output(transform="pandas"), Spy()), {"spy__knob": [0.1, 0.7]}
    )
    ClassicalContender(Baseline("spy", build), Classification(classes=("0", "1")), RECIPE).fit(examples, examples, 0)
    fits = [each["fit"] for each in SEEN if "fit" in each]
    assert [len(each) for each in fits] == [40] * 6 + [60]
    for each in fits:
        assert np.mean(each) == pytest.approx(0, abs=1e-12)


def test_ids_stay_together_in_inner_folds():
    ids = np.arange(60) // 5
    spied().fit(numbered(0, 60, ids=ids), numbered(1000, 30), 0)
    for fit, scored in zip(SEEN[0:-1:2], SEEN[1:-1:2], strict=True):
        assert not set(ids[fit["fit"].astype(int)]) & set(ids[scored["scored"].astype(int)])


@pytest.mark.parametrize("search", [True, False])
def test_weights_reach_the_estimator_row_by_row(search):
    weight = np.random.default_rng(0).uniform(1, 2, 60)
    spied(search=search).fit(numbered(0, 60, weight=weight), numbered(1000, 30), 0)
    fits = [each for each in SEEN if "fit" in each]
    assert len(fits) == (10 if search else 1)
    for each in fits:
        np.testing.assert_array_equal(each["weight"], weight[each["fit"].astype(int)])


def test_the_seed_reaches_every_part():
    spied().fit(numbered(0, 60), numbered(1000, 30), 41)
    assert {each["seed"] for each in SEEN if "fit" in each} == {41}


def test_a_fold_with_one_class_does_not_end_the_search():
    """One id holds every positive row but a few: two of three inner folds can be scored, and they decide."""
    rows = np.arange(60)
    target, ids = (rows < 20) & (rows % 2 == 1), np.where(rows < 10, 0, np.where(rows < 20, 1, rows))
    examples = Examples(columns={"row": rows.astype(float)}, target=target.astype(int), ids=ids)
    found = [spied().fit(examples, examples, seed) for seed in range(3)]
    assert all(each.settings for each in found)


def test_a_trial_that_fails_is_not_chosen():
    build = lambda train, objective: Candidate(  # noqa: E731
        make_pipeline(LogisticRegression()), {"logisticregression__C": [-1.0, 1.0]}
    )
    contender = ClassicalContender(Baseline("logistic", build), Classification(classes=("0", "1")), RECIPE)
    assert contender.fit(numbered(0, 60), numbered(0, 60), 0).settings == {"logisticregression__C": "1"}


def test_what_cannot_be_trained_is_said():
    build = lambda train, objective: Candidate(make_pipeline(LogisticRegression(C=-1.0)))  # noqa: E731
    contender = ClassicalContender(Baseline("logistic", build), Classification(classes=("0", "1")), RECIPE)
    with pytest.raises(TrainingFailed, match=r"logistic could not be trained: .*'C'"):
        contender.fit(numbered(0, 60), numbered(0, 60), 0)


@pytest.mark.parametrize("baseline", tables.BASELINES, ids=lambda each: each.name)
def test_a_class_absent_from_training_has_probability_0_in_its_own_column(baseline):
    examples = table(3)
    objective = objective_of(examples)
    present = examples.take(np.flatnonzero(examples.target != "mid"))
    fitted = ClassicalContender(baseline, objective, replace(RECIPE, trials=1)).fit(present, examples, 0)
    values = fitted.predict(examples).values
    assert objective.classes == ("low", "mid", "top")
    assert values.shape == (len(examples), 3)
    assert (values[:, 1] == 0).all()
    np.testing.assert_allclose(values.sum(axis=1), 1)
    assert (values[:, [0, 2]].max(axis=0) > 0).all()


@pytest.mark.parametrize("name", ["linear", "forest", "boosting"])
def test_the_same_seed_predicts_the_same(name):
    examples, rows = table(2), table(2, seed=1)
    baseline = next(each for each in tables.BASELINES if each.name == name)
    contender = ClassicalContender(baseline, objective_of(examples), replace(RECIPE, trials=2))
    one, same, other = (contender.fit(examples, examples, seed).predict(rows).values for seed in (0, 0, 1))
    np.testing.assert_allclose(one, same, rtol=1e-12)  # a forest's threads add its trees up in any order
    assert not np.allclose(one, other, rtol=1e-6)


@pytest.mark.parametrize("kind", ["numbers", "categories", "empty number", "empty category", "constant", "one"])
@pytest.mark.parametrize("baseline", [*tables.BASELINES, tables.SCORECARD], ids=lambda each: each.name)
def test_odd_tables(baseline, kind):
    rng = np.random.default_rng(0)
    number, word = rng.normal(size=40), np.array(["a", "b", None, "c"], dtype=object)[rng.integers(0, 4, 40)]
    columns = {
        "numbers": {"x": number, "z": number**2},
        "categories": {"c": word, "d": word[::-1]},
        "empty number": {"x": number, "z": np.full(40, np.nan), "c": word},
        "empty category": {"x": number, "c": np.full(40, None, dtype=object)},
        "constant": {"x": number, "same": np.ones(40), "gaps": np.where(number > 0, 3.0, np.nan)},
        "one": {"x": number},
    }[kind]
    kinds = {"c": "category"} if kind == "empty category" else {}
    examples = Examples(columns=columns, target=(number > 0).astype(int), kinds=kinds)
    contender = ClassicalContender(baseline, objective_of(examples), replace(RECIPE, trials=1))
    fitted = contender.fit(examples.take(np.arange(30)), examples, 0, unwatched)
    unseen = replace(
        examples, columns={n: np.full_like(v, "new") if v.dtype == object else v for n, v in columns.items()}
    )
    for rows in (examples, unseen):
        values = fitted.predict(rows).values
        assert values.shape == (40, 2)
        assert np.isfinite(values).all()


def test_a_trained_forest_predicts_on_one_thread_so_that_sums_have_one_order():
    forest = next(each for each in tables.BASELINES if each.name == "forest")
    contender = ClassicalContender(forest, Classification(classes=("0", "1")), replace(RECIPE, trials=1))
    fitted = contender.fit(numbered(0, 60), numbered(0, 60), 0)
    assert {value for name, value in fitted.estimator.get_params().items() if name.endswith("n_jobs")} == {1}


def test_parameters_are_counted():
    examples = table(2)
    numbers = np.column_stack([examples.columns["income"], examples.columns["a_b"]])
    y = objective_of(examples).encode(examples.target)
    assert count_parameters(make_pipeline(LogisticRegression()).fit(numbers, y)) == 3
    assert count_parameters(DummyClassifier().fit(numbers, y)) == 0
    for name in ("forest", "boosting"):
        baseline = next(each for each in tables.BASELINES if each.name == name)
        fitted = ClassicalContender(baseline, objective_of(examples), replace(RECIPE, trials=1)).fit(
            examples, examples, 0
        )
        last = fitted.estimator[-1]
        trees = (
            [tree.tree_.node_count for tree in last.estimators_] if name == "forest"
            else [len(tree.nodes) for (tree,) in last._predictors]
        )  # fmt: skip
        assert fitted.cost.parameters == sum(trees) > 50


def test_every_kind_of_data_has_a_prior():
    for kind in DATA:
        examples = DATA[kind](2)
        column = None if kind == "table" else next(iter(examples.columns))
        contender = ClassicalContender(Baseline("prior", tables.prior, column), objective_of(examples), RECIPE)
        values = contender.fit(examples.take(np.arange(40)), examples, 0).predict(examples).values
        share = (examples.target[:40] == objective_of(examples).classes[1]).mean()
        np.testing.assert_allclose(values[:, 1], share)


def test_rows_in_time_are_searched_forward_unless_a_class_is_missing_there():
    chance = np.random.default_rng(0)
    n = 200
    time = chance.permutation(n).astype(float)
    target = np.where(chance.random(n) < 0.4, "yes", "no")
    examples = Examples(columns={"x": chance.normal(size=n)}, target=target, time=time)
    objective = objective_of(examples)
    contender = ClassicalContender(tables.BASELINES[1], objective, Recipe(trials=1))
    folds = contender._inner_folds(objective.encode(target), examples, 0)
    assert len(folds) > 1
    assert all(time[rest].max() < time[part].min() for rest, part in folds)
    rare = np.where(time >= n - 20, "yes", "no")  # all of them late
    folds = contender._inner_folds(objective.encode(rare), replace(examples, target=rare), 0)
    assert all((rare[part] == "yes").any() for fold in folds for part in fold)
