"""Reasons: the planted column comes first, parts add up where they must, and what a model ignores is never a reason."""

from dataclasses import replace

import numpy as np
import pytest

from pipelines.contenders import saved
from pipelines.contenders.acting import Acting, usual_of
from pipelines.contenders.classical import ClassicalContender
from pipelines.contenders.ensemble import _mean_of
from pipelines.contenders.network import NetworkContender
from pipelines.contenders.tables import BASELINES, SCORECARD
from pipelines.data.examples import Examples
from pipelines.explanation.attribution import Attributions, as_usual, attributions
from pipelines.explanation.integrated import COMPLETE
from pipelines.explanation.reasons import columns, in_words, strongest
from pipelines.models.tabular import mlp, tabm
from pipelines.objectives.classification import Classification
from pipelines.points import Points
from pipelines.task import Network, Recipe

RECIPE = Recipe(epochs=10, batch_size=64, learning_rate=5e-3, dropout=0.0, width=16)


def loans(n=600, seed=0):
    """Default hangs on debt and on one of the jobs, on nothing else; `fixed` never varies."""
    chance = np.random.default_rng(seed)
    debt = chance.exponential(2, n)
    job = np.array(["clerk", "farmer", "none"], object)[chance.choice(3, n, p=[0.6, 0.3, 0.1])]
    bad = chance.random(n) < 1 / (1 + np.exp(-(1.2 * debt - 3 + 3 * (job == "none"))))
    debt[chance.random(n) < 0.05] = np.nan
    return Examples(
        columns={"shoe size": chance.normal(40, 2, n), "debt": debt, "fixed": np.ones(n), "job": job,
                 "town": np.array(["x", "y", None], object)[chance.integers(0, 3, n)]},
        target=np.where(bad, "bad", "good").astype(object),
    )  # fmt: skip


EXAMPLES = loans()
OBJECTIVE = Classification().resolve(EXAMPLES.target, "bad")
USUAL = usual_of(EXAMPLES)
CONTENDERS = {
    "mlp": NetworkContender(Network("mlp", mlp), OBJECTIVE, RECIPE),
    "tabm": NetworkContender(Network("tabm", tabm), OBJECTIVE, RECIPE),
    "scorecard": ClassicalContender(SCORECARD, OBJECTIVE, RECIPE, fixed={}),
    "boosting": ClassicalContender(BASELINES[-1], OBJECTIVE, RECIPE, fixed={}),
}


@pytest.fixture(scope="module", params=list(CONTENDERS))
def model(request, tmp_path_factory):
    """As it is after it was saved and loaded."""
    folder = tmp_path_factory.mktemp(request.param)
    fitted = CONTENDERS[request.param].fit(EXAMPLES, EXAMPLES, 0)
    acting = Acting(Points(20, 600, 50), None, USUAL)
    saved.save(fitted, folder, "finance/credit-default", request.param, OBJECTIVE, EXAMPLES, 0.5, acting=acting)
    return saved.load(folder)


def log_odds(model, rows):
    probability = model.predict(rows).values[:, 1]
    return np.log(probability) - np.log1p(-probability)


def test_the_planted_columns_come_first_and_an_ignored_one_never(model):
    found = attributions(model.fitted, EXAMPLES, model.acting.usual)
    debt, out_of_work = np.nan_to_num(EXAMPLES.columns["debt"]), EXAMPLES.columns["job"] == "none"
    first = np.array([row[0][0] if row else "" for row in strongest(found, 4)])
    assert (first[(debt > 4) & ~out_of_work] == "debt").mean() > 0.97
    assert (first[(debt < 1) & out_of_work] == "job").mean() > 0.97
    assert not any(name == "fixed" for row in strongest(found, 5) for name, _ in row)


def test_parts_add_up_to_the_difference_from_the_usual_row(model):
    found = attributions(model.fitted, EXAMPLES, model.acting.usual)
    assert set(found.pushes) == set(EXAMPLES.columns)
    usual = as_usual(EXAMPLES, model.acting.usual, *EXAMPLES.columns)
    difference = log_odds(model, EXAMPLES) - log_odds(model, usual)
    missed = np.abs(np.sum(list(found.pushes.values()), axis=0) - difference)
    if model.name == "scorecard":
        assert missed.max() < 1e-9
    elif model.name in ("mlp", "tabm"):
        assert (missed <= 1.2 * COMPLETE * np.maximum(np.abs(difference), 0.1)).all()
        assert found.off <= COMPLETE
        assert "integrated gradients" in found.how
    else:
        assert np.isnan(found.off)
        assert "need not add up" in found.how


def test_an_ensemble_is_asked_column_by_column(model):
    if model.name != "mlp":
        pytest.skip("one network is enough")
    both = replace(model.fitted, model=_mean_of([model.fitted.model, model.fitted.model]))
    found = attributions(both, EXAMPLES.take(np.arange(50)), USUAL)
    assert "need not add up" in found.how
    assert any(name == "debt" for row in strongest(found, 1) for name, _ in row)


def test_integrated_gradients_of_a_straight_line_are_its_terms():
    """A network without hidden layers is one: each place's part is its weight times its distance from the usual row."""
    import keras

    from pipelines.models.tabular import encoder
    from pipelines.task import Architecture

    def line(train, objective, recipe):
        encode = encoder(train)
        inputs = keras.Input(encode.output_shape[1:])
        return Architecture(encode, keras.Model(inputs, keras.layers.Dense(1)(inputs)))

    fitted = NetworkContender(Network("line", line), OBJECTIVE, RECIPE).fit(EXAMPLES, EXAMPLES, 0)
    found = attributions(fitted, EXAMPLES, USUAL)
    alone = attributions(type("Asked", (), {"predict": fitted.predict})(), EXAMPLES, USUAL)
    for name, parts in found.pushes.items():
        np.testing.assert_allclose(parts, alone.pushes[name], atol=2e-3)


def test_usual_is_the_median_and_the_most_frequent():
    assert (
        USUAL["debt"]
        == np.sort(EXAMPLES.columns["debt"][~np.isnan(EXAMPLES.columns["debt"])])[
            (int((~np.isnan(EXAMPLES.columns["debt"])).sum()) - 1) // 2
        ]
    )
    assert USUAL["job"] == "clerk"
    empty = Examples({"a": np.full(3, np.nan), "b": np.full(3, None, object)}, np.zeros(3))
    assert usual_of(empty) == {"a": None, "b": None}
    assert Acting.from_dict(Acting(None, None, usual_of(empty)).to_dict()).usual == {"a": None, "b": None}


def test_reasons_are_words_for_a_letter():
    rows = Examples(
        {"Debt": np.array([4500.0, 1.25, np.nan]), "Records": np.array(["yes", None, "no"], object)}, np.zeros(3)
    )
    usual = {"Debt": 120.0, "Records": "no"}
    told = [[in_words(rows, usual, row, name) for name in rows.columns] for row in range(3)]
    assert told == [
        ["Debt: 4,500, higher than usual (120)", "Records: yes (usual: no)"],
        ["Debt: 1.25, lower than usual (120)", "Records: not given (usual: no)"],
        ["Debt: not given (usual: 120)", "Records: no (usual: no)"],
    ]
    assert in_words(rows, {"Debt": None}, 0, "Debt") == "Debt: 4,500"


def test_weaker_pushes_come_later_and_those_the_other_way_never():
    rows = Examples({"a": np.zeros(2), "b": np.zeros(2), "c": np.zeros(2)}, np.zeros(2))
    pushes = {"a": np.array([0.2, -1.0]), "b": np.array([0.5, 0.0]), "c": np.array([-0.3, 1e-6])}
    told = columns(rows, {"a": 1.0, "b": 1.0, "c": 1.0}, Attributions("", pushes), 2, 10.0)
    assert list(told) == ["reason_1", "reason_1_points", "reason_2", "reason_2_points"]
    assert list(told["reason_1"]) == ["b: 0, lower than usual (1)", ""]
    assert list(told["reason_2"]) == ["a: 0, lower than usual (1)", ""]
    assert told["reason_1_points"][0] == -5.0
    assert np.isnan(told["reason_1_points"][1])


@pytest.mark.parametrize(
    "damage", [{"usual": {"debt": [1]}}, {"points": "20:600"}, {"zone": {"low": 0.9, "high": 0.1}}, {"usual": None}]
)
def test_a_damaged_description_is_refused(damage, tmp_path):
    import json

    from pipelines.errors import BadInput

    fitted = CONTENDERS["scorecard"].fit(EXAMPLES, EXAMPLES, 0)
    saved.save(fitted, tmp_path, "a/b", "scorecard", OBJECTIVE, EXAMPLES, 0.5, acting=Acting(None, None, USUAL))
    path = tmp_path / saved.DESCRIPTION
    told = json.loads(path.read_text())
    path.write_text(json.dumps({**told, "acting": {**told["acting"], **damage}}))
    with pytest.raises(BadInput, match="was not written by Tapeline, or is damaged"):
        saved.load(tmp_path)
    del told["acting"]  # a model of an earlier version
    path.write_text(json.dumps(told))
    assert saved.load(tmp_path).acting == Acting()
