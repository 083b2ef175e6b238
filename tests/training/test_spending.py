"""What a private training may spend: refusals before it begins, and steps that are rolled back."""

import sys
from types import SimpleNamespace

import dp_accounting
import keras
import numpy as np
import pytest
import tensorflow as tf

from pipelines.contenders.contender import unwatched
from pipelines.errors import BadInput, TrainingFailed
from pipelines.objectives.classification import Classification
from pipelines.task import Recipe
from pipelines.training import accounting, precision, privacy
from pipelines.training.accounting import default_delta, epsilon
from pipelines.training.feed import Rows, feed_of
from pipelines.training.fit import Training, fit
from pipelines.training.loop import Loop
from pipelines.training.plan import Plan, choose
from pipelines.training.privacy import Private, poisson
from pipelines.training.spending import Spending, require_affordable

OBJECTIVE = Classification(classes=("no", "yes"))
RECIPE = Recipe(epochs=4, batch_size=8, dp_noise=1.0, learning_rate=0.05, patience=99)
STEPS = 3
"""Of an epoch of 20 rows."""


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dp_epsilon": 8, "dp_noise": 1}, "set one of them to 0"),
        ({"dp_epsilon": -1}, "recipe.dp_epsilon must not be negative"),
        ({"dp_noise": -1}, "recipe.dp_noise must not be negative"),
        ({"dp_epsilon": float("nan")}, "recipe.dp_epsilon must not be negative"),
        ({"dp_epsilon": 8, "dp_clip": 0}, "recipe.dp_clip must be positive"),
        ({"dp_epsilon": 8, "dp_delta": 1}, r"recipe.dp_delta must be in \[0, 1\)"),
        ({"dp_delta": 1e-6}, "recipe.dp_delta does nothing without recipe.dp_epsilon or recipe.dp_noise"),
        ({"dp_epsilon": 8, "class_weights": "balanced"}, "set recipe.class_weights=none"),
        ({"dp_noise": 1, "class_weights": "balanced"}, "set recipe.class_weights=none"),
        ({"dp_epsilon": 8, "precision": "float16"}, "take float32 or bfloat16"),
        ({"dp_epsilon": 8, "plan": "resident+xla"}, "recipe.plan=resident.xla cannot compile private training"),
    ],
)
def test_settings_that_private_training_cannot_keep_are_refused(settings, message):
    with pytest.raises(ValueError, match=message) as caught:
        Recipe(**settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "rows", "message"),
    [
        ({"batch_size": 64}, 63, "recipe.batch_size=64 of 63 training rows; set it to 63 or less"),
        ({"dp_delta": 0.01}, 100, "recipe.dp_delta=0.01 would allow to publish some of 100 training rows"),
        ({"dp_noise": 0, "dp_epsilon": 21}, 100, "recipe.dp_epsilon must be above 0 and at most 20"),
    ],
)
def test_what_promises_nothing_on_these_rows_is_refused(settings, rows, message):
    recipe = Recipe(**{"batch_size": 8, "dp_noise": 1.0, **settings})
    for refuse in (lambda: Spending.of(recipe, rows), lambda: require_affordable(recipe, (1000, rows))):
        with pytest.raises(BadInput, match=message):
            refuse()


def test_only_private_recipes_are_asked_whether_they_are_affordable():
    require_affordable(Recipe(batch_size=64), (3,))


@pytest.mark.parametrize("settings", [{"dp_epsilon": 7.7}, {"dp_noise": 0.77}])
def test_a_missing_extra_is_named_before_anything_is_trained(settings, monkeypatch):
    monkeypatch.setitem(sys.modules, "dp_accounting", None)
    with pytest.raises(BadInput, match=r"pip install 'tapeline\[privacy\]'"):
        require_affordable(Recipe(batch_size=7, **settings), (77,))


def test_the_plan_is_all_epochs_of_all_steps():
    found = Spending.of(RECIPE, 20)
    assert found == Spending(1.0, 1.0, 8, 20, 4 * STEPS, 1e-5)
    guarantee = found.guarantee(7)
    assert guarantee.epsilon == epsilon(1.0, 8 / 20, 7, 1e-5)
    assert guarantee.planned_epsilon == epsilon(1.0, 8 / 20, 12, 1e-5)


def test_an_epsilon_is_never_rounded_down():
    assert accounting._up(1.23401) == "1.235"
    assert accounting._up(8.0) == "8.000"


def test_private_training_is_neither_compiled_nor_in_float16(monkeypatch):
    private = Recipe(dp_epsilon=8)
    assert choose(private, 10, worth_compiling=True) == Plan(resident=True, xla=False)
    config = tf.config
    monkeypatch.setattr(config, "list_physical_devices", lambda kind: ["GPU:0"] if kind == "GPU" else [])
    monkeypatch.setattr(config.experimental, "get_device_details", lambda gpu: {"compute_capability": (7, 5)})
    assert (precision.chosen(Recipe()), precision.chosen(private)) == ("float16", "float32")


def test_a_secret_seed_is_another_each_time_and_the_chiefs_on_every_worker(monkeypatch):
    drawn = {privacy.secret_seed() for _ in range(20)}
    assert len(drawn) == 20
    assert all(0 <= each < 2**63 for each in drawn)
    assert max(drawn) > 2**50
    monkeypatch.setattr(privacy, "from_chief", lambda payload: b"\xff" * 8)
    assert {privacy.secret_seed() for _ in range(3)} == {2**63 - 1}


def looped(recipe=RECIPE, seed=41):
    keras.utils.set_random_seed(0)
    core = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(1)])
    step = Private(core, OBJECTIVE.loss, recipe, clip=1.0, noise_multiplier=1.0, seed=seed)
    return Loop(step, core, OBJECTIVE.loss, recipe, Plan(resident=True, xla=False, steps_per_call=2))


def rows(n=20, seed=1):
    x = np.random.default_rng(seed).normal(size=(n, 3)).astype(np.float32)
    return Rows(x, (x[:, 0] > 0).astype(np.int32), np.ones(n, np.float32))


def breaking(loop, *calls):
    """Let the loss of these calls, counted from 0, be infinite. Returns the seeds with which calls were made."""
    train, seen = loop.train, []

    def broken(*arguments):
        seen.append(int(np.asarray(loop.step.seed)))
        found = train(*arguments)
        return found | {"loss": tf.constant(np.inf)} if len(seen) - 1 in calls else found

    loop.train = broken
    return seen


def trained(loop):
    return fit(loop, rows(), rows(9, 2), 0, None, unwatched)


@pytest.mark.parametrize("plan", [Plan(resident=True, xla=False), Plan(resident=False, xla=False, steps_per_call=2)])
def test_batches_are_sampled_by_the_secret_seed_and_not_shuffled_by_the_other(plan):
    loop = looped()
    loop.plan = plan
    feed = feed_of(loop, rows(), seed=0)
    for seed in (41, 42):
        loop.step.begin(1.0, seed)
        expected, found = poisson(20, 8, seed, 3, STEPS), feed.order(3)
        np.testing.assert_array_equal(found.rows, expected.rows)
        np.testing.assert_array_equal(found.mask, expected.mask)


def test_every_step_is_counted():
    assert trained(looped()).steps == 4 * STEPS


def test_steps_that_were_rolled_back_count_and_another_seed_goes_on(monkeypatch):
    drawn = iter((51, 61))
    monkeypatch.setattr(privacy, "secret_seed", lambda: next(drawn))
    loop = looped()
    seen = breaking(loop, 3, 5)  # calls are of 2 and 1 steps: the second one of epoch 2, then one of epoch 1 again
    found = trained(loop)
    assert seen[:8] == [41, 41, 41, 41, 51, 51, 61, 61]
    assert set(seen[6:]) == {61}
    # 6 steps and 3 steps were made and thrown away; of the 12 that are paid for 3 are left: one epoch.
    assert found.steps == 12
    assert len(found.metrics["valid_loss"]) == 1
    assert len(found.notes) == 2


def test_a_roll_back_never_spends_more_than_was_planned(monkeypatch):
    loop = looped()
    breaking(loop, 0)
    found = trained(loop)  # 2 steps are lost, so that not all of the last epoch can be paid for
    assert found.steps == 2 + 3 * STEPS <= 4 * STEPS
    assert len(found.metrics["valid_loss"]) == 3


def test_where_roll_backs_leave_no_epoch_training_fails_and_says_why():
    loop = looped(Recipe(epochs=1, batch_size=8, dp_noise=1.0, learning_rate=0.05))
    breaking(loop, 1)
    message = (
        r"step 3 of 3; rolled back .*; the steps that privacy pays for leave no whole epoch; .*learning_rate=0.005"
    )
    with pytest.raises(TrainingFailed, match=message):
        trained(loop)


def test_steps_between_two_checkpoints_are_those_of_the_seed_that_is_kept_with_them():
    """What a roll-back returns to has the new seed, so that the next one does not bring the old one back."""
    loop = looped()
    training = Training(loop, SimpleNamespace(steps=STEPS), lambda: None, None, None, STEPS)
    training.at.steps = 2
    training._roll_back("training", 2)
    fresh = int(np.asarray(loop.step.seed))
    assert fresh != 41
    kept = [value for value in training.good.arrays.values() if value.shape == () and value.dtype == np.int64]
    assert fresh in [int(value) for value in kept]
    assert training.good.notes["steps"] == 2


def test_without_a_delta_it_stays_far_below_one_over_the_rows():
    assert default_delta(1000) == 1e-5
    for rows in (10**5, 10**7):
        assert default_delta(rows) == pytest.approx(rows**-1.1)
        assert Spending.of(Recipe(dp_noise=1, epochs=1, batch_size=rows), rows).delta < 0.4 / rows


@pytest.mark.parametrize(("noise", "q", "steps"), [(0.12, 1.0, 1), (0.2, 0.02, 500)])
def test_an_epsilon_too_large_to_mean_anything_is_the_renyi_bound(noise, q, steps):
    step = dp_accounting.PoissonSampledDpEvent(q, dp_accounting.GaussianDpEvent(noise))
    bound = dp_accounting.rdp.RdpAccountant(range(2, 65)).compose(step, steps).get_epsilon(1e-5)
    assert accounting.MEANINGFUL < epsilon(noise, q, steps, 1e-5) == pytest.approx(bound)
