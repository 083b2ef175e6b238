"""Contenders that learn from normal rows alone: no anomaly reaches them, whatever else is asked of them."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import Pipeline

from pipelines.contenders import detectors, saved
from pipelines.contenders.blend import BlendContender
from pipelines.contenders.by_group import DecidedByGroup
from pipelines.contenders.classical import ClassicalContender
from pipelines.contenders.contender import unwatched
from pipelines.contenders.ensemble import EnsembleContender
from pipelines.contenders.lineup import line_up
from pipelines.contenders.mitigation import Mitigation
from pipelines.contenders.normal import NormalClassical, NormalNetwork, only_ranks
from pipelines.contenders.one_class import OneClass
from pipelines.contenders.remembered import Remembered
from pipelines.contenders.tuned import Budget, TunedContender
from pipelines.data.examples import Examples
from pipelines.data.sample_set import SampleSet
from pipelines.errors import BadInput
from pipelines.models import anomaly
from pipelines.models.inputs import as_tensors
from pipelines.objectives.classification import Classification
from pipelines.space import Between
from pipelines.task import Baseline, Candidate, Network, Recipe, Sources, Task

OBJECTIVE = Classification(classes=("normal", "odd"), primary_of_two="average_precision")
RECIPE = Recipe(epochs=6, batch_size=32, width=16, learning_rate=5e-3, trials=2, plan="resident")
NETWORKS = tuple(
    Network(name, build, {"learning_rate": Between(1e-3, 1e-2)}, learns_from="normal")
    for name, build in (("autoencoder", anomaly.autoencoder), ("deep-svdd", anomaly.deep_svdd))
)
SEEN: list[np.ndarray] = []


def rows(n=400, seed=0, odd=0.1, shift=4.0):
    """Normal rows lie near a line and have a town; odd ones are off it. `row` numbers them."""
    random = np.random.default_rng(seed)
    strange = random.random(n) < odd
    along = random.normal(size=n)
    across = 0.3 * random.normal(size=n) + shift * strange * random.choice([-1, 1], n)
    towns = np.where(strange, "odd town", np.array(["Ulm", "Köln"])[random.integers(0, 2, n)]).astype(object)
    return Examples(
        columns={"x": along + across, "y": along - across, "town": towns},
        target=np.where(strange, "odd", "normal").astype(object),
    )


def contenders(recipe=RECIPE, networks=NETWORKS):
    sources = Sources(sample=SampleSet(""), own=SampleSet(""))
    task = Task("tests/odd", "odd", sources, OBJECTIVE, networks, detectors.DETECTORS, recipe)
    return line_up(task, OBJECTIVE, recipe)


@pytest.fixture(scope="module")
def fitted():
    return {each.name: each.fit(rows(), rows(300, seed=1), 0) for each in contenders()}


def test_each_finds_what_is_odd(fitted):
    test = rows(500, seed=2)
    truth = OBJECTIVE.encode(test.target)
    assert set(fitted) == {"autoencoder", "deep-svdd", "isolation-forest", "lof"}
    for name, model in fitted.items():
        scores = OBJECTIVE.scores(truth, model.predict(test))
        assert scores["average_precision"] > 0.8, name
        assert model.settings["learned_from"] == "the 358 normal ones of 400 training rows"


def test_one_training_row_in_a_hundred_is_told_as_more_than_half(fitted):
    normal = rows().take(np.flatnonzero(rows().target == "normal"))
    for name, model in fitted.items():
        above = (model.predict(normal).values[:, 1] > 0.5).mean()
        # Of LOF its rows are told with themselves among their neighbours, which the reference leaves out.
        assert above <= 0.012 if name == "lof" else above == pytest.approx(4 / 358), name


def test_the_answer_rises_with_the_error(fitted):
    """Farther and farther off the line, with all else as it was."""
    away = np.array([2.0, 4.0, 8.0, 1e2, 1e4, 1e8])
    columns = {"x": away, "y": -away, "town": np.full(len(away), "Ulm", object)}
    far = Examples(columns=columns, target=np.full(len(away), "odd", object))
    for name, model in fitted.items():
        said = model.predict(far).values[:, 1]
        least = 0 if name == "isolation-forest" else 1e-12  # beyond its outermost cut all is alike
        assert (np.diff(said) >= least).all(), name


class Spy(BaseEstimator):
    """A detector that remembers the rows that it was fitted on."""

    def __init__(self, knob=1):
        self.knob = knob

    def fit(self, x, y=None):
        SEEN.append(np.asarray(x["x"]))
        return self

    def score_samples(self, x):
        return -(np.abs(np.asarray(x["x"]) - np.asarray(x["y"])) ** self.knob) - 1e-3


def spied(recipe=RECIPE):
    build = lambda train, objective: Candidate(Pipeline([("spy", OneClass(Spy()))]), {"spy__detector__knob": [-1, 1]})  # noqa: E731
    return NormalClassical(Baseline("spy", build, learns_from="normal"), OBJECTIVE, recipe)


def test_no_anomaly_reaches_a_classical_model_and_validation_rows_choose_its_settings():
    SEEN.clear()
    train, valid = rows(), rows(300, seed=1)
    model = spied().fit(train, valid, 0)
    normal = train.columns["x"][train.target == "normal"]
    assert len(SEEN) == 3
    assert all(np.array_equal(each, normal) for each in SEEN)
    assert model.settings["spy__detector__knob"] == "1"
    SEEN.clear()
    contaminated = spied(replace(RECIPE, contaminated="yes")).fit(train, valid, 0)
    assert all(np.array_equal(each, train.columns["x"]) for each in SEEN)
    assert contaminated.settings["learned_from"] == "all 400 training rows, anomalies among them"


def test_no_anomaly_reaches_a_network(monkeypatch):
    """Neither what it is built from nor what the loop is fed with; and validation ones weigh nothing in the loss."""
    from pipelines.contenders import network

    built, fed = [], []

    def autoencoder(train, objective, recipe):
        built.append(train)
        return anomaly.autoencoder(train, objective, recipe)

    def watched(loop, train, valid, *rest):
        fed.append((train, valid))
        return network_fit(loop, train, valid, *rest)

    network_fit = network.fit
    monkeypatch.setattr(network, "fit", watched)
    train, valid = rows(), rows(300, seed=1)
    NormalNetwork(Network("net", autoencoder, learns_from="normal"), OBJECTIVE, RECIPE).fit(train, valid, 0)
    (only,), ((learned, judged),) = built, fed
    assert set(only.target) == {"normal"}
    assert len(learned) == (train.target == "normal").sum()
    assert (learned.weight == 1).all()
    np.testing.assert_array_equal(judged.weight, (valid.target == "normal").astype(np.float32))


def test_what_they_say_is_no_probability_whatever_they_are_wrapped_in():
    network, classical = NormalNetwork(NETWORKS[0], OBJECTIVE, RECIPE), spied()
    linear = ClassicalContender(Baseline("linear", detectors.isolation_forest), OBJECTIVE, RECIPE)
    wrapped = (
        EnsembleContender(network, 2),
        TunedContender(network, OBJECTIVE, Budget(trials=2)),
        DecidedByGroup(Remembered(classical), "sex"),
    )
    assert all(only_ranks(each) for each in (network, classical, *wrapped))
    assert not only_ranks(linear)
    assert not only_ranks(TunedContender(linear, OBJECTIVE, Budget(trials=2)))
    kept = Remembered(network), Remembered(linear)
    assert only_ranks(BlendContender(kept[:1], OBJECTIVE))
    assert not only_ranks(BlendContender(kept, OBJECTIVE))


def test_contaminated_networks_learn_from_all_rows(fitted):
    recipe = replace(RECIPE, contaminated="yes")
    (contender, *_) = contenders(recipe)
    model = contender.fit(rows(), rows(300, seed=1), 0)
    assert model.settings["learned_from"] == "all 400 training rows, anomalies among them"
    odd = rows(500, seed=2).take(np.flatnonzero(rows(500, seed=2).target == "odd"))
    assert model.predict(odd).values[:, 1].mean() < fitted["autoencoder"].predict(odd).values[:, 1].mean()


@pytest.mark.parametrize("name", ["autoencoder", "deep-svdd"])
def test_restarts_ensembles_averages_tuning_and_privacy(name, tmp_path):
    """Deep SVDD's centre belongs to the weights of each start, or a second one would be trained towards another's."""
    (declared,) = [each for each in NETWORKS if each.name == name]
    train, valid = rows(200), rows(150, seed=1)
    truth = OBJECTIVE.encode(valid.target)
    for changes in (
        {"restarts": 2, "average": 0.9, "monitor": "score", "dropout": 0.1, "l2": 1e-3, "accumulate": 2},
        {"precision": "bfloat16", "dp_noise": 0.5, "epochs": 2},
    ):  # fmt: skip
        model = NormalNetwork(declared, OBJECTIVE, replace(RECIPE, **changes)).fit(train, valid, 0)
        assert OBJECTIVE.scores(truth, model.predict(valid))["auroc"] > 0.6, changes
    single = NormalNetwork(declared, OBJECTIVE, replace(RECIPE, epochs=2))
    ensemble = EnsembleContender(single, 2).fit(train, valid, 0)
    assert np.isfinite(ensemble.predict(valid).values).all()
    tuned = TunedContender(single, OBJECTIVE, Budget(trials=2)).fit(train, valid, 0)
    assert len(tuned.tried) == 2
    assert max(each.score for each in tuned.tried) == pytest.approx(
        OBJECTIVE.scores(truth, tuned.predict(valid))["average_precision"]
    )


def test_one_trace_serves_folds_whose_centres_differ():
    contender = NormalNetwork(NETWORKS[1], OBJECTIVE, replace(RECIPE, epochs=1))
    centres = []
    for seed in range(3):
        model = contender.fit(rows(), rows(seed=1), seed).model
        centres.append(np.asarray(_layer(model, "distance").centre))
    (loop,) = contender._loops.values()
    assert loop.train.experimental_get_tracing_count() == 1
    assert np.abs(centres[0] - centres[1]).max() > 0.01


def test_each_start_has_a_centre_of_its_own(monkeypatch):
    """Weights that are drawn anew would leave it at 0, which all rows may be mapped to."""
    from pipelines.contenders import network

    centres, restart = [], network.Loop.restart

    def noted(loop, fresh, recipe):
        centres.append(np.array(fresh.get_layer("distance").centre))
        return restart(loop, fresh, recipe)

    monkeypatch.setattr(network.Loop, "restart", noted)
    recipe = replace(RECIPE, epochs=1, restarts=2)
    NormalNetwork(NETWORKS[1], OBJECTIVE, recipe).fit(rows(), rows(seed=1), 0)
    assert all((np.abs(each) > 0.09).all() for each in centres)
    assert np.abs(centres[0] - centres[-1]).max() > 0.01


def test_training_leaves_the_centre_and_does_not_collapse():
    """Every row at one point would have no error at all, and would rank nothing."""
    contender = NormalNetwork(NETWORKS[1], OBJECTIVE, replace(RECIPE, epochs=40, patience=40, weight_decay=0.1))
    train = rows()
    normal = train.take(np.flatnonzero(train.target == "normal"))
    import keras

    keras.utils.set_random_seed(3)
    before = np.asarray(anomaly.deep_svdd(normal, OBJECTIVE, contender.recipe).core.get_layer("distance").centre)
    model = contender.fit(train, rows(seed=1), 3).model
    distance = _layer(model, "distance")
    np.testing.assert_array_equal(np.asarray(distance.centre), before)
    core = next(layer for layer in model.layers if hasattr(layer, "layers"))
    mapped = keras.Model(core.input, core.get_layer("mapped").output)
    encode = anomaly.encoder(normal)
    inputs = as_tensors({name: train.columns[name] for name in encode.input}, train.kinds)
    spread = np.asarray(mapped(encode(inputs))).std(axis=0)
    assert spread.max() > 1e-3


def _layer(model, name):
    core = next(layer for layer in model.layers if hasattr(layer, "layers"))
    return core.get_layer(name)


def test_saved_and_loaded_they_say_the_same(fitted, tmp_path):
    test = rows(60, seed=3)
    for name, model in fitted.items():
        folder = tmp_path / name
        folder.mkdir()
        saved.save(model, folder, "tests/odd", name, OBJECTIVE, test, 0.4)
        again = saved.load(folder).predict(test)
        np.testing.assert_allclose(again.values, model.predict(test).values, rtol=1e-6)
        assert again.decisions.tolist() == (model.predict(test).values[:, 1] >= 0.4).astype(int).tolist()


def test_rows_without_weight_are_not_learned_from():
    train, valid = rows(), rows(300, seed=1)
    normal = np.flatnonzero(train.target == "normal")
    weight = np.ones(len(train))
    weight[normal[::2]] = 0
    SEEN.clear()
    spied().fit(replace(train, weight=weight), valid, 0)
    assert all(np.array_equal(each, train.columns["x"][normal[1::2]]) for each in SEEN)
    few = train.take(np.sort(np.concatenate([normal[1::2], np.flatnonzero(train.target == "odd")])))
    for contender in contenders(replace(RECIPE, epochs=1))[2:]:
        by_weight = contender.fit(replace(train, weight=weight), valid, 0).predict(valid).values
        np.testing.assert_allclose(by_weight, contender.fit(few, valid, 0).predict(valid).values)


@pytest.mark.parametrize("detector", [LocalOutlierFactor(10, novelty=True), IsolationForest(random_state=0)])
def test_a_detector_is_told_by_its_own_score(detector):
    x = np.random.default_rng(0).normal(size=(200, 3))
    model = OneClass(detector).fit(x, np.ones(200))
    error = -model.detector_.score_samples(x + 1)
    share = model.predict_proba(x + 1)[:, 1]
    np.testing.assert_allclose(share / (1 - share), error / model.reference_, rtol=1e-9)
    assert model.classes_.tolist() == [0, 1]
    assert model.predict(x + 50).all()
    own = -getattr(model.detector_, "negative_outlier_factor_", model.detector_.score_samples(x))
    assert model.reference_ == pytest.approx(np.quantile(own, 0.99))


def test_without_a_normal_row_or_a_second_class_it_says_so():
    odd = rows().take(np.flatnonzero(rows().target == "odd"))
    for contender in contenders():
        with pytest.raises(BadInput, match=r"none of the 42 training rows is normal .*--positive"):
            contender.fit(odd, rows(seed=1), 0, unwatched)
    task = Task("tests/odd", "odd", Sources(SampleSet(""), SampleSet("")), OBJECTIVE, NETWORKS, detectors.BASELINES)
    with pytest.raises(BadInput, match=r"autoencoder learns what normal rows are like .*--target"):
        line_up(task, Classification(classes=("a", "b", "c")), RECIPE)


def test_labels_are_not_mitigated_where_none_are_learned_from():
    task = Task("tests/odd", "odd", Sources(SampleSet(""), SampleSet("")), OBJECTIVE, NETWORKS, detectors.BASELINES)
    with pytest.raises(BadInput, match="mitigate=reweighing,penalty: every contender here learns from normal rows"):
        line_up(task, OBJECTIVE, RECIPE, Mitigation(("reweighing", "penalty"), "g", ("a", "b")))
    found = [each.name for each in line_up(task, OBJECTIVE, RECIPE, Mitigation(("thresholds",), "g", ("a", "b")))]
    assert [name for name in found if "+" in name] == [
        f"{name}+thresholds" for name in ("autoencoder", "deep-svdd", "isolation-forest", "lof")
    ]


def test_a_table_without_a_target_is_told_what_it_is_for(tmp_path):
    from pipelines.catalogue import find
    from pipelines.task import DataRequest

    (tmp_path / "own.csv").write_text("a,odd\n1,no\n2,yes\n")
    with pytest.raises(BadInput, match=r"--target is missing: .* that says which rows are anomalous .*'odd'"):
        find("finance/anomaly").sources.own.load(DataRequest(where=str(tmp_path / "own.csv")))
