"""A network as a contender: odd tables, folds that leave nothing behind, one trace for all of them."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from contender_cases import DATA, RATE, objective_of, table

from pipelines.contenders.network import NetworkContender
from pipelines.data.examples import Examples
from pipelines.errors import BadInput
from pipelines.models import audio, tabular, text, vision
from pipelines.objectives.regression import Regression
from pipelines.task import Architecture, Network, Recipe

RECIPE = Recipe(epochs=3, batch_size=16, width=8, dropout=0.3, learning_rate=0.01, plan="resident")


def normalised_mlp(train, objective, recipe):
    """With everything that could leak from fold to fold: statistics, dropout's generator, slots of the optimiser."""
    encode = tabular.encoder(train)
    inputs = keras.Input(encode.output_shape[1:])
    hidden = keras.layers.BatchNormalization(momentum=0.5)(keras.layers.Dense(8, activation="relu")(inputs))
    hidden = keras.layers.Dropout(recipe.dropout)(hidden)
    return Architecture(encode, keras.Model(inputs, keras.layers.Dense(objective.outputs)(hidden)))


def contender(examples, build=tabular.mlp, recipe=RECIPE):
    return NetworkContender(Network("net", build), objective_of(examples), recipe)


def halves(n):
    return np.arange(n // 2), np.arange(n // 2, n)


@pytest.mark.parametrize("plan", ["resident", "resident+xla", "streamed"])
def test_a_second_fold_is_as_if_it_were_the_first(plan):
    examples, rows = table(2), table(2, seed=1)
    a, b = halves(len(examples))
    recipe = replace(RECIPE, plan=plan)
    after = contender(examples, normalised_mlp, recipe)
    after.fit(examples.take(a), examples.take(b), 3)
    second = after.fit(examples.take(b), examples.take(a), 4)
    alone = contender(examples, normalised_mlp, recipe).fit(examples.take(b), examples.take(a), 4)
    np.testing.assert_array_equal(second.predict(rows).values, alone.predict(rows).values)
    assert second.history == alone.history
    assert second.settings == alone.settings
    third = after.fit(examples.take(b), examples.take(a), 5)
    assert not np.array_equal(third.predict(rows).values, alone.predict(rows).values)


def test_words_by_number_are_not_mixed():
    examples = DATA["texts"](2)
    with pytest.raises(BadInput, match="this network reads words"):
        contender(examples, text.bidirectional_lstm, replace(RECIPE, mixup=0.2)).fit(examples, examples, 0)


def test_an_earlier_folds_model_is_not_touched_by_a_later_one():
    examples = table(2)
    a, b = halves(len(examples))
    both = contender(examples)
    first = both.fit(examples.take(a), examples.take(b), 0)
    before = first.predict(examples).values
    both.fit(examples.take(b), examples.take(a), 1)
    np.testing.assert_array_equal(first.predict(examples).values, before)


@pytest.mark.parametrize(
    ("kind", "build"),
    [("table", tabular.mlp), ("pictures", vision.small_resnet), ("waves", audio.separable_cnn(RATE)),
     ("texts", text.bidirectional_lstm)],
)  # fmt: skip
def test_one_trace_serves_all_folds(kind, build):
    """Names of layers rise through a process, also inside a Bidirectional; they must not cost a trace a fold."""
    examples = DATA[kind](2)
    several = contender(examples, build, replace(RECIPE, epochs=1))
    for seed in range(3):
        several.fit(examples, examples, seed)
    (loop,) = several._loops.values()
    assert loop.train.experimental_get_tracing_count() == 1
    assert loop.evaluate.experimental_get_tracing_count() == 1


def test_streamed_and_resident_train_the_same():
    examples, rows = table(3), table(3, seed=1)
    found = [
        contender(examples, recipe=replace(RECIPE, dropout=0.0, plan=plan)).fit(examples, examples, 0)
        for plan in ("resident", "resident+xla", "streamed")
    ]
    for other in found[1:]:
        np.testing.assert_allclose(other.predict(rows).values, found[0].predict(rows).values, rtol=1e-3, atol=1e-4)
    plans = ("resident", "resident, XLA", "streamed by 32 steps")
    assert [each.settings["plan"] for each in found] == [f"{plan} (as asked)" for plan in plans]


def odd(kind, n=60):
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    word = np.array(["a", "b", None], dtype=object)[rng.integers(0, 3, n)]
    columns = {
        "one feature": {"x": x},
        "only categories": {"c": word, "d": word[::-1]},
        "only numbers": {"x": x, "z": rng.normal(size=n)},
        "nothing in columns": {"x": x, "empty": np.full(n, np.nan), "c": np.full(n, None, dtype=object)},
        "constant": {"x": x, "same": np.full(n, 0.1), "word": np.full(n, "w", dtype=object)},
        "huge, tiny and whole": {"x": x * 1e300, "y": x * 1e-300, "n": rng.integers(0, 5, n), "b": x > 0},
    }[kind]
    return Examples(columns=columns, target=np.where(x > 0, "yes", "no"))


KINDS = ["one feature", "only categories", "only numbers", "nothing in columns", "constant", "huge, tiny and whole"]


@pytest.mark.parametrize("kind", KINDS)
def test_odd_tables(kind):
    examples = odd(kind)
    fitted = contender(examples).fit(examples.take(np.arange(40)), examples.take(np.arange(40, 60)), 0)
    columns = examples.columns
    unseen = replace(
        examples, columns={n: np.full_like(v, "new") if v.dtype == object else v for n, v in columns.items()}
    )
    missing = replace(
        examples,
        columns={n: np.full_like(v, None) if v.dtype == object else np.full(60, np.nan) for n, v in columns.items()},
    )
    for rows in (examples, unseen, missing):
        values = fitted.predict(rows).values
        assert values.shape == (60, 2)
        assert np.isfinite(values).all()
        np.testing.assert_allclose(values.sum(axis=1), 1, rtol=1e-5)
    assert fitted.cost.parameters > 0
    assert fitted.cost.train_seconds > 0


def test_fewer_rows_than_a_batch():
    examples = odd("only numbers", 20)
    fitted = contender(examples, recipe=replace(RECIPE, batch_size=64)).fit(examples, examples.take(np.arange(5)), 0)
    assert len(fitted.predict(examples)) == 20
    assert len(fitted.predict(examples.take(np.array([3])))) == 1


@pytest.mark.parametrize("monitor", ["loss", "score"])
def test_a_class_missing_in_validation(monitor):
    """An AUROC of one class is undefined; the loss is watched then, and the weights are trained ones."""
    examples = odd("only numbers")
    valid = examples.take(np.flatnonzero(examples.target == "yes"))
    recipe = replace(RECIPE, epochs=8, monitor=monitor)
    fitted = contender(examples, recipe=recipe).fit(examples, valid, 0)
    losses = fitted.history.metrics["valid_loss"]
    assert fitted.history.best_epoch == int(np.argmin(losses)) > 0
    predictions = fitted.predict(examples)
    truth = fitted.objective.encode(examples.target)
    assert fitted.objective.scores(truth, predictions)["auroc"] > 0.8


@pytest.mark.parametrize("classes", [2, 3, 0])
def test_the_score_may_be_watched(classes):
    examples = table(classes, n=200)
    recipe = replace(RECIPE, epochs=10, monitor="score", dropout=0.0)
    fitted = contender(examples, recipe=recipe).fit(examples, table(classes, seed=1), 0)
    metrics = fitted.history.metrics
    assert {name for name in metrics if "/" not in name} == {"loss", "gradient_norm", "valid_loss", "valid_score"}
    assert fitted.history.best_epoch == int(np.argmax(metrics["valid_score"])) > 0
    valid = table(classes, seed=1)
    score = fitted.objective.scores(fitted.objective.encode(valid.target), fitted.predict(valid))
    sign = -1 if classes == 0 else 1
    assert sign * score[fitted.objective.primary] == pytest.approx(max(metrics["valid_score"]), rel=1e-4)


def test_weights_steer_what_is_learned():
    """Rows of weight 0 contradict the others: only a network that ignores them learns the rest."""
    examples = odd("one feature", 200)
    wrong = np.arange(200) % 5 < 3
    flipped = np.where(wrong, np.where(examples.target == "yes", "no", "yes"), examples.target)
    weighed = replace(examples, target=flipped, weight=np.where(wrong, 0.0, 1.0))
    recipe = replace(RECIPE, epochs=15)
    fitted = contender(examples, recipe=recipe).fit(weighed, weighed, 0)
    unweighed = contender(examples, recipe=recipe).fit(replace(weighed, weight=None), replace(weighed, weight=None), 0)
    truth = fitted.objective.encode(examples.target)
    assert fitted.objective.scores(truth, fitted.predict(examples))["accuracy"] > 0.9
    assert fitted.objective.scores(truth, unweighed.predict(examples))["accuracy"] < 0.5


def test_a_regression_predicts_in_the_targets_unit():
    examples = table(0, n=200)
    examples = replace(examples, target=examples.target * 1e4)
    for error in ("squared", "huber"):
        objective = Regression(error=error).resolve(examples.target)
        network = NetworkContender(
            Network("net", tabular.mlp), objective, replace(RECIPE, epochs=20, learning_rate=0.02)
        )
        fitted = network.fit(examples, examples, 0)
        assert fitted.objective.scores(examples.target, fitted.predict(examples))["r2"] > 0.8
        assert fitted.objective.location == pytest.approx(examples.target.mean())


def test_scale_and_encoding_come_from_training_rows_only():
    examples = table(0, n=100)
    train, valid = examples.take(np.arange(50)), examples.take(np.arange(50, 100))
    moved = replace(valid, target=valid.target * 100, columns={**valid.columns, "income": np.full(50, 1e9)})
    recipe = replace(RECIPE, epochs=1)
    fitted = [contender(examples, recipe=recipe).fit(train, each, 0) for each in (valid, moved)]
    np.testing.assert_array_equal(fitted[0].predict(valid).values, fitted[1].predict(valid).values)


def test_many_rows_are_predicted_in_blocks_and_in_order():
    examples = table(2, n=2500)
    fitted = contender(examples, recipe=replace(RECIPE, epochs=1)).fit(examples.take(np.arange(50)), examples, 0)
    whole = fitted.predict(examples).values
    order = np.random.default_rng(0).permutation(2500)
    np.testing.assert_allclose(fitted.predict(examples.take(order)).values, whole[order], rtol=1e-5, atol=1e-7)
