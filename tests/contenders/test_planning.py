"""The plan is measured where that pays, on the network itself; remembered; and never where it would cost more."""

import io
import json
import os
from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers

from pipelines.contenders import planning
from pipelines.contenders.planning import measured_plan
from pipelines.objectives.classification import Classification
from pipelines.task import Recipe
from pipelines.training import remembered
from pipelines.training.feed import Rows
from pipelines.training.loop import Loop
from pipelines.training.plan import Plan, choose
from pipelines.training.remembered import Measured, key_of, recall, remember
from pipelines.training.step import Supervised

OBJECTIVE = Classification(classes=("no", "yes"))
RECIPE = Recipe(epochs=1000, batch_size=16, patience=1000)
KNOWN, UNKNOWN = choose(RECIPE, 10, True), choose(RECIPE, 10, None)


@keras.saving.register_keras_serializable(package="tests")
class Shift(layers.Layer):
    """A layer that only this module knows."""

    def build(self, shape):
        self.shift = self.add_weight(shape=shape[1:], name="shift")

    def call(self, x):
        return x + self.shift


def network(own=False):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    hidden = layers.Dropout(0.2)(layers.Dense(8, activation="relu")(inputs))
    return keras.Model(inputs, layers.Dense(1)(Shift()(hidden) if own else hidden))


ROWS = Rows(
    np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32), np.arange(64, dtype=np.int32) % 2,
    np.ones(64, np.float32),
)  # fmt: skip


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(planning, "is_deterministic", lambda: False)  # another test may have made this process so
    return tmp_path / "tapeline" / "plans"


class Loops:
    """Loops of one network, made when asked for."""

    def __init__(self, recipe=RECIPE, core=None):
        self.recipe, self.core, self.made = recipe, core or network(), {}

    def __call__(self, plan):
        if plan.xla not in self.made:
            core = keras.models.clone_model(self.core)
            step = Supervised(core, OBJECTIVE.loss, self.recipe)
            self.made[plan.xla] = Loop(step, core, OBJECTIVE.loss, self.recipe, plan)
        return self.made[plan.xla]


def planned(start, loops=None, rows=ROWS):
    loops = loops or Loops()
    return measured_plan(start, loops, rows, OBJECTIVE, loops.core, "a network")


def budgeted(monkeypatch, **values):
    for name, value in values.items():
        monkeypatch.setattr(planning, name, value)


def test_both_ways_are_timed_and_the_quicker_is_taken_and_remembered(cache, monkeypatch):
    budgeted(monkeypatch, SHORT=0.0)
    loops = Loops()
    plan = planned(KNOWN, loops)
    assert set(loops.made) == {False, True}
    (kept,) = cache.glob("*.json")
    found = json.loads(kept.read_text())
    assert plan.xla == (found["xla"] < 0.95 * found["plain"])
    assert f"{1000 * found['xla']:.3g} ms a step with XLA, {1000 * found['plain']:.3g} without" in plan.why
    assert plan.resident

    again = Loops()
    assert planned(KNOWN, again) == plan
    assert not any(loop.train.experimental_get_tracing_count() for loop in again.made.values())


@pytest.mark.parametrize(("plain", "compiled", "xla"), [(1.0, 0.5, True), (1.0, 0.97, False), (1.0, None, False)])
def test_what_is_remembered_decides(plain, compiled, xla, monkeypatch):
    for start in (KNOWN, UNKNOWN):
        monkeypatch.setattr(planning, "recall", lambda key: Measured(plain, compiled, "2026-01-01", "was not ready"))
        plan = planned(start)
        assert plan.xla is xla
        assert "measured on 2026-01-01" in plan.why


def test_a_network_of_which_nothing_is_known_is_compiled_in_another_process(cache, monkeypatch):
    budgeted(monkeypatch, CHILD_SECONDS=0.0, SHARE=1e9, MOST_SECONDS=200.0)
    loops = Loops(core=network(own=True))
    plan = planned(UNKNOWN, loops)
    assert set(loops.made) == {False}
    found = json.loads(next(cache.glob("*.json")).read_text())
    assert found["xla"] is not None
    assert found["xla"] > 0
    assert plan.xla == (found["xla"] < 0.95 * found["plain"])


def test_a_compilation_that_takes_too_long_is_given_up(monkeypatch):
    budgeted(monkeypatch, CHILD_SECONDS=0.0, SHARE=1e9, MOST_SECONDS=0.2)
    plan = planned(UNKNOWN)
    assert not plan.xla
    assert "XLA was not ready in 0 s" in plan.why


def test_a_trial_that_fails_costs_no_more_than_its_time(monkeypatch):
    budgeted(monkeypatch, CHILD_SECONDS=0.0, SHARE=1e9, MOST_SECONDS=200.0)
    monkeypatch.setattr(planning, "_modules_of", lambda core: ["no_such_module"])
    plan = planned(UNKNOWN)
    assert not plan.xla
    assert "could not be tried" in plan.why


def test_a_short_training_is_not_kept_waiting():
    loops = Loops(Recipe(epochs=2, batch_size=16))
    assert planned(KNOWN, loops).xla
    assert not any(loop.train.experimental_get_tracing_count() for loop in loops.made.values())
    plan = planned(KNOWN)  # long enough to be timed, too short for more
    assert plan.xla
    assert "too short a training" in plan.why


def test_what_is_asked_for_and_what_is_deterministic_stays(monkeypatch):
    budgeted(monkeypatch, SHORT=0.0)
    asked = choose(Recipe(plan="resident"), 10, True)
    assert planned(asked) == Plan(resident=True, xla=False)
    assert planned(asked).why == "as asked"
    monkeypatch.setattr(planning, "is_deterministic", lambda: True)
    loops = Loops()
    assert planned(KNOWN, loops) is KNOWN
    assert not loops.made


def test_measuring_leaves_nothing_behind(monkeypatch):
    budgeted(monkeypatch, SHORT=0.0)
    loops = Loops()
    planned(KNOWN, loops)
    fresh, loop = network(), loops.made[True]
    loop.restart(fresh)
    for ours, theirs in zip(loop.core.variables, fresh.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert not any(np.asarray(each).any() for each in loop.step.optimiser.variables if "learning_rate" not in each.path)


def test_inputs_of_several_names_reach_the_other_process(monkeypatch):
    budgeted(monkeypatch, CHILD_SECONDS=0.0, SHARE=1e9, MOST_SECONDS=200.0)
    keras.utils.set_random_seed(0)
    inputs = {"a": keras.Input((4,), name="a"), "b": keras.Input((2,), name="b")}
    core = keras.Model(inputs, layers.Dense(1)(layers.Concatenate()([inputs["b"], inputs["a"]])))
    rows = Rows({"a": ROWS.x, "b": ROWS.x[:, :2]}, ROWS.y, ROWS.weight)
    assert "with XLA" in planned(UNKNOWN, Loops(core=core), rows).why


def test_damaged_or_foreign_notes_are_measured_again(cache, monkeypatch):
    key = key_of("a network", {"rows": "4"})
    assert key != key_of("another", {"rows": "4"})
    assert key != key_of("a network", {"rows": "5"})
    remember(key, Measured(0.2, 0.1, "2026-01-01"))
    assert recall(key) == Measured(0.2, 0.1, "2026-01-01")
    for damaged in (
        "",
        "{",
        "[]",
        '{"plain": 1}',
        '{"plain": -1, "xla": null, "on": ""}',
        '{"plain": "a", "xla": 1, "on": ""}',
    ):
        (cache / f"{key}.json").write_text(damaged)
        assert recall(key) is None
    monkeypatch.setattr(remembered.platform, "processor", lambda: "another")
    monkeypatch.setattr(remembered, "PROCESSOR", cache / "none")
    assert key_of("a network", {"rows": "4"}) != key


def test_a_cache_that_cannot_be_written_only_costs_measuring(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    remember("key", Measured(0.2, 0.1, "2026-01-01"))
    assert recall("key") is None


def test_a_user_without_a_home_only_costs_measuring(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)
    remember("key", Measured(0.2, 0.1, "2026-01-01"))
    assert recall("key") is None


def test_rows_of_the_trial_are_the_trainings_own_and_few():
    x = np.arange(4000, dtype=np.float32).reshape(1000, 4)
    rows = Rows(x, np.zeros(1000, np.int32), np.ones(1000, np.float32))
    with np.load(io.BytesIO(planning._packed(network(), "nowhere", OBJECTIVE, RECIPE, rows))) as given:
        np.testing.assert_array_equal(given["x0"], x[:256])


def test_what_changes_the_time_of_an_update_is_part_of_what_is_remembered():
    usual = planning._settings(RECIPE, ROWS)
    changes = {
        "precision": "bfloat16",
        "batch_size": 8,
        "optimiser": "sgd",
        "accumulate": 2,
        "l2": 0.1,
        "clip_norm": 1.0,
    }
    for name, value in changes.items():
        assert planning._settings(replace(RECIPE, **{name: value}), ROWS) != usual, name
    assert planning._settings(replace(RECIPE, epochs=3, learning_rate=0.5), ROWS) == usual
