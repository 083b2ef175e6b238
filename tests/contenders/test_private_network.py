"""A network that is trained privately: what it says it spent, whose seed it had, and that every architecture can be."""

from dataclasses import replace

import dp_accounting
import keras
import numpy as np
import pytest
from contender_cases import DATA, RATE, objective_of, table

from pipelines.contenders import network as contenders
from pipelines.contenders.network import NetworkContender
from pipelines.models import audio, tabular, text, vision
from pipelines.task import Network, Recipe
from pipelines.training import privacy
from pipelines.training.checkpoint import Checkpoints

ROWS, BATCH, EPOCHS = 90, 16, 3
STEPS = 6
"""Of an epoch: 90 rows fill 16 places six times."""
RECIPE = Recipe(epochs=EPOCHS, batch_size=BATCH, width=8, learning_rate=0.01, dp_epsilon=4, patience=9)


def contender(examples, build=tabular.mlp, recipe=RECIPE):
    return NetworkContender(Network("net", build), objective_of(examples), recipe)


def epsilon_of(noise, steps, delta, rows=ROWS):
    """By dp-accounting itself."""
    step = dp_accounting.PoissonSampledDpEvent(BATCH / rows, dp_accounting.GaussianDpEvent(noise))
    accountant = dp_accounting.pld.PLDAccountant(value_discretization_interval=1e-4)
    return accountant.compose(dp_accounting.SelfComposedDpEvent(step, steps)).get_epsilon(delta)


def seeds(monkeypatch, *values):
    """The secret seeds that trainings are given, the last one again and again."""
    left = list(values)

    def given():
        return left.pop(0) if len(left) > 1 else left[0]

    monkeypatch.setattr(contenders, "secret_seed", given)
    monkeypatch.setattr(privacy, "secret_seed", given)


def test_it_says_what_dp_accounting_counts_for_the_steps_it_made():
    examples = table(2)
    fitted = contender(examples, recipe=replace(RECIPE, dp_epsilon=0, dp_noise=1.5, dp_delta=1e-4)).fit(
        examples, examples, 0
    )
    spent = epsilon_of(1.5, EPOCHS * STEPS, 1e-4)
    assert float(fitted.settings["privacy_epsilon"]) == pytest.approx(spent, abs=0.002)
    assert float(fitted.settings["privacy_epsilon"]) >= spent - 1e-4
    assert fitted.settings["privacy_delta"] == "0.0001"
    assert "clip 1, noise 1.5, 18 steps of 16 of 90 rows" in fitted.settings["privacy"]
    assert "validation rows, which decide when training stops" in fitted.settings["privacy_does_not_cover"]
    assert "training loss" in fitted.settings["privacy_does_not_cover"]


def test_a_target_is_spent_and_not_overspent_and_delta_is_that_of_the_rows():
    examples = table(2)
    fitted = contender(examples).fit(examples, examples, 0)
    assert 3.9 < float(fitted.settings["privacy_epsilon"]) <= 4
    assert fitted.settings["privacy_delta"] == "1e-05"


def test_a_training_that_stops_early_spends_less_than_was_planned():
    examples = table(2)
    still = replace(RECIPE, epochs=20, patience=2, optimiser="sgd", learning_rate=1e-30)  # no weight ever moves
    fitted = contender(examples, recipe=still).fit(examples, examples, 0)
    assert "18 steps of 16 of 90 rows" in fitted.settings["privacy"]  # one epoch, and two that were no better
    noise = float(fitted.settings["privacy"].partition("noise ")[2].partition(",")[0])
    spent, planned = (epsilon_of(noise, steps, 1e-5) for steps in (18, 20 * STEPS))
    assert float(fitted.settings["privacy_epsilon"]) == pytest.approx(spent, abs=0.01)
    assert spent < 0.6 * planned
    assert planned == pytest.approx(4, abs=0.03)


def test_the_training_loss_is_not_told_and_nothing_is_compiled():
    examples = table(2)
    fitted = contender(examples).fit(examples, examples, 0)
    assert "loss" not in fitted.history.metrics
    assert len(fitted.history.metrics["valid_loss"]) == EPOCHS
    assert fitted.settings["plan"].startswith("resident (")
    assert contender(examples, recipe=replace(RECIPE, dp_epsilon=0)).fit(examples, examples, 0).history.metrics["loss"]


def test_the_noise_is_another_in_every_training_although_the_seed_is_the_same():
    examples = table(2)
    several = contender(examples)
    one, other = (several.fit(examples, examples, 0).predict(examples).values for _ in range(2))
    (loop,) = several._loops.values()
    seed = int(np.asarray(loop.step.seed))
    third = several.fit(examples, examples, 0).predict(examples).values
    assert loop.train.experimental_get_tracing_count() == 1
    assert not np.allclose(one, other, atol=1e-4)
    assert not np.allclose(other, third, atol=1e-4)
    assert int(np.asarray(loop.step.seed)) != seed


def test_each_fold_has_its_own_noise_for_its_number_of_rows():
    examples = table(2)
    several = contender(examples)
    for rows in (np.arange(90), np.arange(45)):
        several.fit(examples.take(rows), examples, 0)
        (loop,) = several._loops.values()
        found = epsilon_of(float(np.asarray(loop.step.noise_multiplier)), EPOCHS * -(-len(rows) // BATCH), 1e-5,
                           len(rows))  # fmt: skip
        assert found == pytest.approx(4, abs=0.05)


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_a_resumed_training_keeps_its_seed_and_counts_on(average, monkeypatch, tmp_path):
    examples, recipe = table(2), replace(RECIPE, average=average)
    seeds(monkeypatch, 123456789)
    whole = contender(examples, recipe=recipe).fit(examples, examples, 0)

    def stop(done, total):
        if done == 2:
            raise KeyboardInterrupt

    checkpoints = Checkpoints(tmp_path / "here", every=0)
    with pytest.raises(KeyboardInterrupt):
        contender(examples, recipe=recipe).fit(examples, examples, 0, stop, checkpoints)
    checkpoints.settle()
    seeds(monkeypatch, 987654321)
    again = contender(examples, recipe=recipe)
    resumed = again.fit(examples, examples, 0, checkpoints=checkpoints)
    assert "resumed in epoch" in resumed.settings["notes"]
    (loop,) = again._loops.values()
    assert int(np.asarray(loop.step.seed)) == 123456789
    assert resumed.settings["privacy"] == whole.settings["privacy"]
    np.testing.assert_allclose(resumed.predict(examples).values, whole.predict(examples).values, atol=1e-5)
    other = contender(examples, recipe=recipe).fit(examples, examples, 0)
    assert not np.allclose(other.predict(examples).values, whole.predict(examples).values, atol=1e-3)


def test_streamed_and_resident_train_the_same(monkeypatch):
    examples = table(2)
    seeds(monkeypatch, 5)
    found = [
        contender(examples, recipe=replace(RECIPE, plan=plan)).fit(examples, examples, 0)
        for plan in ("resident", "streamed")
    ]
    np.testing.assert_allclose(*(each.predict(examples).values for each in found), atol=1e-5)
    norms = [each.history.metrics["gradient_norm"] for each in found]
    np.testing.assert_allclose(*norms, rtol=1e-4)


def test_the_norm_that_is_told_is_that_of_the_noisy_gradient():
    """With noise alone it is known: its deviation times the root of the number of weights, over the batch."""
    examples = table(2, n=50)  # of which 64 are sampled in an epoch, on average
    recipe = replace(RECIPE, dp_epsilon=0, dp_noise=1e4, optimiser="sgd", learning_rate=1e-30)
    fitted = contender(examples, recipe=recipe).fit(examples, examples, 0)
    expected = 1e4 / BATCH * np.sqrt(fitted.cost.parameters)
    np.testing.assert_allclose(fitted.history.metrics["gradient_norm"], expected, rtol=0.1)


@pytest.mark.parametrize("classes", [2, 0])
def test_a_private_network_learns(classes):
    examples = table(classes, n=600)
    recipe = replace(RECIPE, epochs=20, batch_size=64, dp_epsilon=8, learning_rate=0.02, monitor="score")
    fitted = contender(examples, recipe=recipe).fit(examples, table(classes, n=200, seed=1), 0)
    rows = table(classes, n=400, seed=2)
    scores = fitted.objective.scores(fitted.objective.encode(rows.target), fitted.predict(rows))
    assert scores["auroc"] > 0.9 if classes else scores["r2"] > 0.3


ARCHITECTURES = {
    "pictures": vision.small_resnet, "waves": audio.separable_cnn(RATE), "texts": text.bidirectional_lstm,
}  # fmt: skip


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_pictures_sounds_and_texts_are_trained_privately_too(kind):
    examples = DATA[kind](2)
    recipe = replace(RECIPE, epochs=2, dropout=0.2)
    fitted = contender(examples, ARCHITECTURES[kind], recipe).fit(examples, examples, 0)
    assert "8 steps of 16 of 60 rows" in fitted.settings["privacy"]
    assert np.isfinite(fitted.predict(examples).values).all()


@pytest.mark.parametrize("width", [5, 12])
@pytest.mark.parametrize("kind", ["pictures", "waves"])
def test_rows_are_normalised_by_themselves_only_where_that_is_needed(kind, width):
    examples = DATA[kind](2, n=8)
    found = {}
    for epsilon in (0, 4):
        recipe = replace(RECIPE, width=width, dp_epsilon=epsilon)
        core = ARCHITECTURES[kind](examples, objective_of(examples), recipe).core
        layers = keras.layers
        found[epsilon] = [
            sum(isinstance(layer, each) for layer in core.layers)
            for each in (layers.BatchNormalization, layers.GroupNormalization)
        ]
    (batch, none), (nothing, group) = found[0], found[4]
    assert none == nothing == 0
    assert batch == group > 0
