"""Training over epochs: the same numbers as a plain loop, however it is executed; nothing left from fold to fold."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipelines.contenders.contender import unwatched
from pipelines.data.batches import shuffled
from pipelines.errors import BadInput, TrainingFailed
from pipelines.objectives.classification import Classification
from pipelines.objectives.regression import Regression
from pipelines.task import Recipe
from pipelines.training import precision
from pipelines.training.checkpoint import Checkpoints
from pipelines.training.feed import Rows
from pipelines.training.fit import fit
from pipelines.training.loop import Loop, traced
from pipelines.training.plan import RESIDENT_BYTES, Plan, choose
from pipelines.training.step import Batch, Clock, Supervised

OBJECTIVE = Classification(classes=("no", "yes"))
RESIDENT, COMPILED = Plan(resident=True, xla=False), Plan(resident=True, xla=True)
STREAMED = Plan(resident=False, xla=False, steps_per_call=2)
RECIPE = Recipe(epochs=3, batch_size=8, learning_rate=0.05, l2=0.01, weight_decay=0.1, clip_norm=1.0)


def network(seed=0, dropout=0.0, normalised=False):
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((3,))
    hidden = keras.layers.Dense(6, activation="tanh")(inputs)
    if normalised:
        hidden = keras.layers.BatchNormalization(momentum=0.5)(hidden)
    return keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Dropout(dropout)(hidden)))


def data(n, seed=1, weighted=True):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3)).astype(np.float32)
    y = (x[:, 0] + 0.3 * rng.normal(size=n) > 0).astype(np.int32)
    return Rows(x, y, rng.uniform(0.5, 2, n).astype(np.float32) if weighted else np.ones(n, np.float32))


def for_plan(rows, plan):
    return rows if plan.resident else Rows(lambda wanted: tf.constant(rows.x[wanted]), rows.y, rows.weight)


def looped(core, recipe=RECIPE, plan=RESIDENT):
    return Loop(Supervised(core, OBJECTIVE.loss, recipe), core, OBJECTIVE.loss, recipe, plan)


def trained(plan=RESIDENT, recipe=RECIPE, train=None, valid=None, core=None, seed=5, score=None):
    """The weights and the history after a training."""
    train, valid, core = train or data(21), valid or data(13, seed=2), core or network()
    found = fit(looped(core, recipe, plan), for_plan(train, plan), for_plan(valid, plan), seed, score, unwatched)
    return core.get_weights(), found


def assert_close(ours, theirs, rtol=1e-4, atol=1e-5):
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=atol)


def plain_loop(train, recipe, seed):
    """The same training over real rows only, batch by batch from Python: no padding, no mask, no graph."""
    core = network()
    step = Supervised(core, OBJECTIVE.loss, recipe)
    n, history = len(train), []
    steps = -(-n // recipe.batch_size)
    for epoch in range(recipe.epochs):
        order, total = np.random.default_rng([seed, epoch]).permutation(n), 0.0
        for number in range(steps):
            rows = order[number * recipe.batch_size : (number + 1) * recipe.batch_size]
            weight = train.weight[rows]
            clock = Clock(tf.constant(0.0), tf.constant(recipe.learning_rate))
            sums = step(Batch(train.x[rows], train.y[rows], weight, weight.sum()), clock)
            total += float(sums["loss"])
        history.append(total / train.weight.sum())
    return core.get_weights(), history


@pytest.mark.parametrize("plan", [RESIDENT, STREAMED], ids=str)
@pytest.mark.parametrize("n", [16, 17, 21, 5])
def test_a_padded_tail_changes_nothing(n, plan):
    recipe = replace(RECIPE, schedule="constant", warmup=0.0, optimiser="momentum", patience=99)
    train = data(n)
    expected, history = plain_loop(train, replace(recipe, batch_size=min(recipe.batch_size, n)), 5)
    losses = []  # the last epoch's weights, not the best one's: the merit grows with every epoch
    found, result = trained(plan, recipe, train, score=lambda outputs: losses.append(0) or len(losses))
    assert_close(found, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(result.metrics["loss"], history, rtol=1e-4)


@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize("plan", [COMPILED, STREAMED], ids=str)
def test_every_plan_gives_the_same_weights(plan, normalised):
    """Streamed rows are the same rows in the same order; XLA only rearranges arithmetic.

    Dropout is left to the plans without XLA: XLA draws other random bits from the same seed.
    """
    train, dropout = data(37), 0.0 if plan.xla else 0.3
    expected, history = trained(RESIDENT, train=train, core=network(normalised=normalised, dropout=dropout))
    found, again = trained(plan, train=train, core=network(normalised=normalised, dropout=dropout))
    assert_close(found, expected)
    for name, values in history.metrics.items():
        np.testing.assert_allclose(again.metrics[name], values, rtol=1e-4, err_msg=name)


@pytest.mark.parametrize("plan", [RESIDENT, STREAMED], ids=str)
def test_what_rows_of_weight_0_hold_changes_nothing(plan):
    train, valid = data(20), data(13, seed=2)
    train.weight[:6], valid.weight[:4] = 0, 0
    expected, history = trained(plan, train=train, valid=valid)
    other, elsewhere = data(20), data(13, seed=2)
    train.x[:6], train.y[:6] = 100 * other.x[6:12], 1 - train.y[:6]
    valid.x[:4], valid.y[:4] = 100 * elsewhere.x[4:8], 1 - valid.y[:4]
    found, again = trained(plan, train=train, valid=valid)
    assert_close(found, expected, rtol=1e-6, atol=1e-7)
    for name in history.metrics:
        np.testing.assert_allclose(again.metrics[name], history.metrics[name], rtol=1e-5, err_msg=name)


def test_weight_is_the_unit_of_the_denominator():
    """Twice the weight everywhere is the same training."""
    train, valid = data(21), data(13, seed=2)
    expected, history = trained(train=train, valid=valid)
    heavy = [Rows(rows.x, rows.y, 2 * rows.weight) for rows in (train, valid)]
    found, again = trained(train=heavy[0], valid=heavy[1])
    assert_close(found, expected)
    for name in history.metrics:
        np.testing.assert_allclose(again.metrics[name], history.metrics[name], rtol=1e-4, err_msg=name)


@pytest.mark.parametrize("plan", [RESIDENT, COMPILED, STREAMED], ids=str)
def test_validation_loss_and_outputs_are_those_of_the_model(plan):
    valid, seen = data(300, seed=2), []
    core = network(dropout=0.5)
    _, found = trained(plan, replace(RECIPE, epochs=1), valid=valid, core=core, score=lambda out: seen.append(out) or 1)
    outputs = core(valid.x).numpy()
    np.testing.assert_allclose(seen[0], outputs, rtol=1e-4, atol=1e-5)
    expected = np.average(OBJECTIVE.loss(valid.y, outputs).numpy(), weights=valid.weight)
    assert found.metrics["valid_loss"][0] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("plan", [RESIDENT, COMPILED], ids=str)
def test_one_trace_serves_every_fold_and_length(plan):
    core = network(dropout=0.3, normalised=True)
    loop = looped(core, plan=plan)
    for seed in range(3):  # 17 to 19 rows fill the same three batches of 8
        loop.restart(network(seed, dropout=0.3, normalised=True))
        fit(loop, data(17 + seed), data(13, seed=2), seed, None, unwatched)
    assert loop.train.experimental_get_tracing_count() == 1
    assert loop.evaluate.experimental_get_tracing_count() == 1


def test_folds_of_other_sizes_cost_one_more_trace_at_most():
    loop = looped(network(), plan=STREAMED)
    for n in (16, 24, 40, 63, 90):
        loop.restart(network())
        fit(loop, for_plan(data(n), STREAMED), for_plan(data(2 * n, seed=2), STREAMED), 0, None, unwatched)
    assert loop.train.experimental_get_tracing_count() <= 2
    assert loop.evaluate.experimental_get_tracing_count() <= 2


@pytest.mark.parametrize("plan", [RESIDENT, COMPILED, STREAMED], ids=str)
def test_nothing_is_left_of_an_earlier_fold(plan):
    """Optimiser slots, BatchNormalization statistics and generators of dropout all start again."""

    def fresh(seed):
        return network(seed, dropout=0.4, normalised=True)

    loop = looped(fresh(1), plan=plan)
    fit(loop, for_plan(data(21, seed=8), plan), for_plan(data(13, seed=9), plan), 1, None, unwatched)
    loop.restart(fresh(2))
    fit(loop, for_plan(data(21), plan), for_plan(data(13, seed=2), plan), 5, None, unwatched)
    expected, _ = trained(plan, core=fresh(2))
    for ours, theirs in zip(loop.core.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("plan", [RESIDENT, COMPILED], ids=str)
def test_another_rate_decay_and_length_need_no_other_trace(plan):
    """What `NOT_TRACED` names: a loop that trained by one recipe trains by another as a new one would."""
    other = replace(RECIPE, learning_rate=0.003, weight_decay=0.5, epochs=5, patience=9)
    loop = looped(network(), plan=plan)
    fit(loop, data(21, seed=8), data(13, seed=9), 1, None, unwatched)
    loop.restart(network(), other)
    found = fit(loop, data(21), data(13, seed=2), 5, None, unwatched)
    expected, history = trained(plan, other)
    for ours, theirs in zip(loop.core.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert found.metrics["loss"] == history.metrics["loss"]
    assert len(found.metrics["loss"]) == 5
    assert loop.train.experimental_get_tracing_count() == 1
    assert traced(other) == traced(RECIPE) != traced(replace(RECIPE, weight_decay=0.0)) != traced(replace(RECIPE, l2=0))


def test_the_best_epochs_weights_return_and_patience_ends():
    recipe = replace(RECIPE, epochs=20, patience=3, learning_rate=0.5)
    core, kept, scores = network(), [], iter([1, 5, 4, 5, 3, 9, 9])

    def score(outputs):
        kept.append(core.get_weights())
        return next(scores)

    found, result = trained(recipe=recipe, core=core, score=score)
    assert result.best_epoch == 1  # the first 5; an equal score later is no better
    assert len(result.metrics["loss"]) == 5  # 3 epochs without a better one, then it ends
    assert result.metrics["valid_score"] == (1, 5, 4, 5, 3)
    assert_close(found, kept[1], rtol=0, atol=0)
    assert not np.allclose(kept[1][0], kept[4][0])


def test_without_a_score_the_validation_loss_is_watched():
    recipe = replace(RECIPE, epochs=30, patience=30, learning_rate=0.5)
    core = network()
    valid = data(13, seed=4)
    _, result = trained(recipe=recipe, core=core, valid=valid)
    losses = result.metrics["valid_loss"]
    assert result.best_epoch == int(np.argmin(losses))
    assert result.best_epoch < 29, "the case must overfit, or it shows nothing"
    final = np.average(OBJECTIVE.loss(valid.y, core(valid.x)).numpy(), weights=valid.weight)
    assert final == pytest.approx(min(losses), rel=1e-4)


@pytest.mark.parametrize("epochs", [1, 5])
@pytest.mark.parametrize("plan", [RESIDENT, COMPILED, STREAMED], ids=str)
def test_a_loss_that_explodes_says_what_to_try(plan, epochs):
    recipe = Recipe(epochs=epochs, batch_size=32, optimiser="sgd", learning_rate=1e30, warmup=0.0, schedule="constant")
    core = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5), keras.layers.Dense(1)])
    message = (
        r"the training loss was not finite in epoch 1, step \d of 2 "
        r"\(the (output of [12]|loss of).* is not finite\), and again "
        r"after the learning rate was halved 3 times; try --set recipe.learning_rate=6.25e\+28"
    )
    with pytest.raises(TrainingFailed, match=message):
        trained(plan, recipe, core=core, train=data(64))


@pytest.mark.parametrize("plan", [RESIDENT, COMPILED, STREAMED], ids=str)
def test_a_loss_that_explodes_once_is_rolled_back_and_goes_on_at_half_the_rate(plan):
    """Plain descent on a quadratic diverges above a rate that is known; half of it converges."""
    x = np.ones((8, 1), np.float32) * 1e15
    rows = Rows(x, np.zeros(8, np.int32), np.ones(8, np.float32))
    recipe = Recipe(epochs=60, batch_size=8, optimiser="sgd", warmup=0.0, schedule="constant", patience=99)
    objective = Regression(error="squared")
    found = {}
    for rate in (0.6e-30, 1.2e-30):  # the loss is (x w)^2, so above 1 / x^2 = 1e-30 each step overshoots
        keras.utils.set_random_seed(1)
        inputs = keras.Input((1,))
        core = keras.Model(inputs, keras.layers.Dense(1, use_bias=False)(inputs))
        setting = replace(recipe, learning_rate=rate)
        step = Supervised(core, objective.loss, setting)
        loop = Loop(step, core, objective.loss, setting, plan)
        target = Rows(rows.x, np.zeros(8, np.float32), rows.weight)
        found[rate] = fit(loop, for_plan(target, plan), for_plan(target, plan), 0, None, unwatched)
    assert found[0.6e-30].notes == ()
    (note,) = found[1.2e-30].notes
    assert "not finite in epoch" in note
    assert "rolled back to epoch 1, the learning rate halved" in note
    losses = found[1.2e-30].metrics["loss"]
    np.testing.assert_allclose(losses, found[0.6e-30].metrics["loss"], rtol=1e-3)


def test_a_loss_that_is_not_finite_later_costs_only_the_updates_since_the_last_good_state(monkeypatch):
    monkeypatch.setattr("pipelines.training.fit.KEEP_EVERY", 1)
    loop, calls = looped(network(), plan=STREAMED), []

    def once_broken(*given):
        calls.append(given)
        sums = usual(*given)
        return sums | {"loss": tf.constant(np.nan)} if len(calls) == 5 else sums

    usual, loop.train = loop.train, once_broken
    found = fit(loop, for_plan(data(21), STREAMED), for_plan(data(13, seed=2), STREAMED), 5, None, unwatched)
    (note,) = found.notes
    assert "not finite in epoch 3" in note
    assert "rolled back to epoch 3" in note
    assert len(found.metrics["loss"]) == 3


def test_a_worker_stops_with_the_one_that_was_told_to_and_saves(monkeypatch, tmp_path):
    monkeypatch.setattr("pipelines.training.fit.agreed", lambda told: True)  # another worker was
    checkpoints = Checkpoints(tmp_path / "here")
    with pytest.raises(KeyboardInterrupt):
        fit(looped(network()), data(9), data(9), 0, None, unwatched, checkpoints)
    checkpoints.settle()
    assert checkpoints.newest() is not None


def test_rows_without_any_weight_are_refused():
    empty = data(9)
    empty.weight[:] = 0
    for rows in ({"train": empty}, {"valid": empty}):
        with pytest.raises(BadInput, match="has weight 0"):
            trained(**rows)


def test_progress_is_told_epoch_by_epoch():
    told = []
    fit(looped(network()), data(9), data(9), 0, None, lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_streamed_rows_are_read_in_the_order_of_the_epoch_and_few_at_a_time():
    train, read = data(21), []

    def reader(rows):
        read.append(rows)
        return tf.constant(train.x[rows])

    recipe = replace(RECIPE, epochs=2)
    loop = looped(network(), recipe, STREAMED)
    fit(loop, Rows(reader, train.y, train.weight), for_plan(data(9), STREAMED), 5, None, unwatched)
    assert max(map(len, read)) == 16
    expected = np.concatenate([shuffled(21, 8, 5, epoch).rows.ravel() for epoch in range(2)])
    np.testing.assert_array_equal(np.concatenate(read), expected)


def test_plans():
    assert choose(Recipe(), 10, worth_compiling=True) == COMPILED
    assert choose(Recipe(), 10, worth_compiling=False) == RESIDENT
    assert not choose(Recipe(), RESIDENT_BYTES + 1, worth_compiling=True).resident
    assert choose(Recipe(plan="resident"), RESIDENT_BYTES + 1, worth_compiling=True) == RESIDENT
    assert choose(Recipe(plan="resident+xla"), 10, worth_compiling=False) == COMPILED
    assert str(choose(Recipe(plan="streamed"), 10, worth_compiling=True)) == "streamed by 32 steps"


def test_an_overflow_of_float16_is_not_taken_for_an_exploding_gradient():
    """The scale begins far too large: the first updates are skipped, and the first that is not is the one measured."""
    core = network()
    precision.lower(core, "float16")
    loop = looped(core, Recipe(epochs=12, batch_size=16, learning_rate=0.01))
    loop.step.loss_scale.scale.assign(2.0**30)
    found = fit(loop, data(32), data(13, seed=2), 5, None, unwatched)
    norms = np.array(found.metrics["gradient_norm"])
    assert len(norms) == 12
    assert np.isnan(norms[0])
    assert np.isfinite(norms[-1])
    assert not np.isinf(norms).any()
