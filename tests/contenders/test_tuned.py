"""A tuned contender: an equal budget, the best on the validation rows, no trial lost or repeated when it is stopped."""

import json
import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from contender_cases import objective_of

from pipelines.contenders.classical import ClassicalContender
from pipelines.contenders.contender import UNMEASURED, UNRECORDED, unwatched
from pipelines.contenders.network import NetworkContender
from pipelines.contenders.suggestion import Space
from pipelines.contenders.tables import BASELINES
from pipelines.contenders.tuned import Budget, TunedContender
from pipelines.data.examples import Examples
from pipelines.errors import TrainingFailed
from pipelines.models.tabular import mlp
from pipelines.objectives.objective import Predictions
from pipelines.space import Between, OneOf
from pipelines.task import Network, Recipe
from pipelines.training.checkpoint import Checkpoints

CHANCE = np.random.default_rng(0)
SIGNAL = CHANCE.normal(size=90)
ROWS = Examples({"x": SIGNAL + CHANCE.normal(size=90), "z": CHANCE.normal(size=90)}, np.where(SIGNAL > 0, "yes", "no"))
TRAIN, VALID, TEST = (ROWS.take(np.arange(start, start + 30)) for start in (0, 30, 60))
OBJECTIVE = objective_of(ROWS)
RECIPE = Recipe(epochs=2, batch_size=16, width=8, plan="resident")


@dataclass
class Dial:
    """Ranks validation rows the better the nearer its `x` is to 0.7; may fail, take its time, or be stopped."""

    x: float = 0.1
    fails: tuple[int, ...] = ()
    seconds: float = 0.0
    stops_at: int = 0
    now: list = field(default_factory=lambda: [0.0])
    made: list = field(default_factory=list)
    name: str = "dial"
    kind: str = "classical"

    def space(self, train, pinned=()):
        return Space({"x": Between(0.0, 1.0)}, {"x": self.x})

    def having(self, settings):
        return replace(self, **settings)

    def fit(self, train, valid, seed, watch=unwatched, checkpoints=None):
        if self.stops_at == len(self.made) + 1:
            raise KeyboardInterrupt
        self.made.append((self.x, seed))
        self.now[0] += self.seconds
        if len(self.made) in self.fails:
            raise TrainingFailed("the loss was not finite")
        return Set(self.x)


@dataclass(frozen=True)
class Set:
    x: float
    cost: object = UNMEASURED
    history: object = UNRECORDED
    settings: dict = field(default_factory=dict)
    tried: tuple = ()

    def predict(self, examples):
        order = np.random.default_rng(0).permutation(len(examples))
        wrong = np.isin(order, np.arange(int(len(examples) * abs(self.x - 0.7))))
        positive = (OBJECTIVE.encode(examples.target) == 1) ^ wrong
        return Predictions(np.stack([1 - positive, positive], axis=1).astype(float))


def tuned(base, trials=6, pinned=(), **budget):
    return TunedContender(base, OBJECTIVE, Budget(**budget) if budget else Budget(trials), pinned)


def points(fitted):
    return [each.settings for each in fitted.tried]


def unkept(monkeypatch):
    """The Dial's model is nothing that can be saved: it is trained again where it was lost."""
    monkeypatch.setattr("pipelines.contenders.attempts.Attempts.keep", lambda *given: None)


def test_the_first_trial_is_what_is_declared_and_the_best_one_is_kept():
    fitted = tuned(Dial(), 12).fit(TRAIN, VALID, 3)
    assert fitted.tried[0].settings == {"x": 0.1}
    scores = [each.score for each in fitted.tried]
    assert len(scores) == 12
    assert fitted.x == fitted.tried[int(np.argmax(scores))].settings["x"]
    assert max(scores) > scores[0]
    assert fitted.cost.train_seconds == pytest.approx(sum(each.seconds for each in fitted.tried))
    assert fitted.settings["x"] == f"{fitted.x:.4g}"
    assert fitted.settings["tuned"].startswith(f"trial {int(np.argmax(scores)) + 1} of 12, auroc ")


def test_a_trial_is_scored_by_the_deciding_score_on_the_validation_rows():
    fitted = tuned(Dial(), 1).fit(TRAIN, VALID, 0)
    truth = OBJECTIVE.encode(VALID.target)
    expected = OBJECTIVE.scores(truth, Set(0.1).predict(VALID), None)["auroc"]
    assert fitted.tried[0].score == pytest.approx(expected)


def test_every_trial_has_the_seed_of_its_fold():
    base = Dial()
    tuned(base, 4).fit(TRAIN, VALID, 7)
    assert {seed for _, seed in base.made} == {7}


def test_the_same_seed_tries_the_same_and_another_something_else():
    first, again, other = (points(tuned(Dial()).fit(TRAIN, VALID, seed)) for seed in (1, 1, 2))
    assert first == again
    assert first[1:] != other[1:]


@pytest.mark.parametrize(("seconds", "trials"), [(0.1, 5), (0.3, 2), (0.5, 1), (7.0, 1)])
def test_a_budget_of_seconds_is_the_same_for_all_and_a_trial_under_way_may_end(monkeypatch, seconds, trials):
    now = [100.0]
    clock = SimpleNamespace(perf_counter=lambda: now[0], process_time=lambda: 2 * now[0])
    monkeypatch.setattr("pipelines.contenders.meter.time", clock)
    fitted = tuned(Dial(seconds=seconds, now=now), seconds=0.45).fit(TRAIN, VALID, 0)
    assert len(fitted.tried) == trials
    assert fitted.cost.train_seconds == pytest.approx(trials * seconds)
    assert fitted.cost.cpu_seconds == pytest.approx(2 * trials * seconds, abs=0.02), "of all trials, not of the best"


def test_a_trial_that_fails_is_one_trial_and_not_the_end():
    fitted = tuned(Dial(fails=(1, 3)), 5).fit(TRAIN, VALID, 0)
    assert [each.state for each in fitted.tried] == ["failed", "finished", "failed", "finished", "finished"]
    assert fitted.tried[0].why == "the loss was not finite"
    assert math.isnan(fitted.tried[0].score)


def test_all_failing_is_a_failure():
    with pytest.raises(TrainingFailed, match="dial: all of 3 trials failed; the first one: the loss was not finite"):
        tuned(Dial(fails=(1, 2, 3)), 3).fit(TRAIN, VALID, 0)


def test_where_validation_rows_have_one_class_what_is_declared_is_kept():
    single = VALID.take(np.flatnonzero(VALID.target == VALID.target[0]))
    fitted = tuned(Dial(), 4).fit(TRAIN, single, 0)
    assert fitted.x == 0.1
    assert all(math.isnan(each.score) and each.state == "finished" for each in fitted.tried)


@pytest.mark.parametrize("stops_at", [1, 2, 5, 10])
def test_a_tuning_that_was_stopped_goes_on_with_the_trials_that_it_would_have_made(tmp_path, monkeypatch, stops_at):
    unkept(monkeypatch)
    whole = tuned(Dial(), 12).fit(TRAIN, VALID, 5)
    base, checkpoints = Dial(stops_at=stops_at), Checkpoints(tmp_path / "here")
    with pytest.raises(KeyboardInterrupt):
        tuned(base, 12).fit(TRAIN, VALID, 5, unwatched, checkpoints)
    later = Dial()
    resumed = tuned(later, 12).fit(TRAIN, VALID, 5, unwatched, checkpoints)
    assert points(resumed) == points(whole)
    assert [each.score for each in resumed.tried] == [each.score for each in whole.tried]
    assert resumed.x == whole.x
    again = int(resumed.x in [x for x, _ in base.made])  # the best one, whose model was lost
    assert len(base.made) + len(later.made) == 12 + again


@pytest.mark.parametrize("damage", ["cut", "empty", "other space", "no list"])
def test_torn_files_do_not_stop_it(tmp_path, monkeypatch, damage):
    unkept(monkeypatch)
    checkpoints = Checkpoints(tmp_path / "here")
    first = tuned(Dial(), 4).fit(TRAIN, VALID, 5, unwatched, checkpoints)
    path = checkpoints.folder / "tuning" / "trials.json"
    text = path.read_text()
    told = json.loads(text)
    path.write_text({
        "cut": text[:-20], "empty": "", "other space": json.dumps({**told, "space": "y"}), "no list": "[]"
    }[damage])  # fmt: skip
    later = Dial()
    assert points(tuned(later, 4).fit(TRAIN, VALID, 5, unwatched, checkpoints)) == points(first)
    assert len(later.made) == 4


def network(search, recipe=RECIPE):
    return NetworkContender(Network("mlp", mlp, search), OBJECTIVE, recipe)


SEARCH = {"learning_rate": Between(1e-3, 1e-1, log=True), "weight_decay": Between(1e-3, 0.3, log=True)}


def test_a_networks_trials_share_one_trace_and_are_what_a_network_of_these_settings_is():
    base = network(SEARCH, replace(RECIPE, weight_decay=0.01, dropout=0.1))
    fitted = tuned(base, 2).fit(TRAIN, VALID, 0)
    (loop,) = base._loops.values()
    assert loop.train.experimental_get_tracing_count() == 1
    settings = max(fitted.tried, key=lambda each: each.score).settings
    alone = network(SEARCH, replace(base.recipe, **settings)).fit(TRAIN, VALID, 0)
    np.testing.assert_allclose(fitted.predict(TEST).values, alone.predict(TEST).values, rtol=1e-5, atol=1e-6)
    assert fitted.history.metrics["loss"] == pytest.approx(alone.history.metrics["loss"], rel=1e-5)


def test_loops_do_not_pile_up(monkeypatch):
    monkeypatch.setattr("pipelines.contenders.network.MOST_LOOPS", 2)
    base = network({"width": OneOf(4, 8, 12)}, replace(RECIPE, epochs=1))
    fitted = tuned(base, 5).fit(TRAIN, VALID, 0)
    assert {each.settings["width"] for each in fitted.tried} == {4, 8, 12}
    assert len(fitted.tried) == 3  # all there are
    assert len(base._loops) == 2


@pytest.mark.parametrize("kind", ["network", "linear"])
def test_the_best_model_outlives_the_process_that_trained_it(tmp_path, monkeypatch, kind):
    """Stopped after the last trial, nothing is trained again."""
    linear = next(each for each in BASELINES if each.name == "linear")
    base = network(SEARCH) if kind == "network" else ClassicalContender(linear, OBJECTIVE, RECIPE)
    checkpoints = Checkpoints(tmp_path / "here")
    first = tuned(base, 2).fit(TRAIN, VALID, 1, unwatched, checkpoints)
    kept = [path.name for path in Path(checkpoints.folder, "tuning").glob("model-*")]
    assert kept == [f"model-{first.settings['tuned'].split()[1]}"]
    monkeypatch.setattr(type(base), "fit", None)
    again = tuned(base, 2).fit(TRAIN, VALID, 1, unwatched, checkpoints)
    np.testing.assert_allclose(again.predict(TEST).values, first.predict(TEST).values, rtol=1e-6)
    kept_of = [repr((each.tried, each.settings, each.cost, each.history)) for each in (first, again)]
    assert kept_of[0] == kept_of[1]  # as texts, because NaN is not equal to itself


def test_a_baseline_is_first_tried_as_scikit_learn_has_it_and_then_within_its_search():
    boosting = next(each for each in BASELINES if each.name == "boosting")
    fitted = tuned(ClassicalContender(boosting, OBJECTIVE, RECIPE), 3).fit(TRAIN, VALID, 0)
    names = [f"histgradientboostingclassifier__{each}" for each in ("learning_rate", "l2_regularization", "max_iter")]
    assert [fitted.tried[0].settings[name] for name in names] == [0.1, 0.0, 100]
    for each in fitted.tried[1:]:
        assert 0.02 <= each.settings[names[0]] <= 0.2
        assert each.settings[names[2]] in (50, 100, 200)
    chosen = max(fitted.tried, key=lambda each: each.score)
    assert fitted.estimator[-1].learning_rate == chosen.settings[names[0]]


def test_what_has_nothing_to_search_gets_one_trial():
    prior = next(each for each in BASELINES if each.name == "prior")
    fitted = tuned(ClassicalContender(prior, OBJECTIVE, RECIPE), 5).fit(TRAIN, VALID, 0)
    assert [each.settings for each in fitted.tried] == [{}]
