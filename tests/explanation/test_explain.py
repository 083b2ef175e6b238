"""A planted part is found first, parts add up, and they change when what was learned is taken away."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from rows_with_a_secret import SIDE, STEPS, pictures, series, table, texts, waves

from pipelines.contenders.classical import ClassicalContender
from pipelines.contenders.ensemble import _mean_of
from pipelines.contenders.network import NetworkContender
from pipelines.contenders.pictures import BASELINES as PICTURES
from pipelines.contenders.tables import BASELINES as TABLES
from pipelines.contenders.texts import BASELINES as TEXTS
from pipelines.contenders.waves import baselines as of_sounds
from pipelines.explanation import explain
from pipelines.explanation.attributed import attributed
from pipelines.explanation.explain import explained
from pipelines.explanation.integrated import COMPLETE
from pipelines.explanation.opened import opened
from pipelines.explanation.permuted import _judge
from pipelines.explanation.usual import Typical, keep, kept, typical, usual_for
from pipelines.models.audio import separable_cnn
from pipelines.models.recurrent import event_gru
from pipelines.models.tabular import mlp, tabm
from pipelines.models.text import bidirectional_lstm
from pipelines.models.vision import small_resnet
from pipelines.objectives.classification import Classification
from pipelines.objectives.regression import Regression
from pipelines.report.explanation import Explanation, explanation
from pipelines.task import Network, Recipe

FEW = 40
QUICK = Recipe(
    epochs=12, batch_size=64, learning_rate=5e-3, dropout=0.0, width=16, patience=12, trials=1, plan="resident"
)
FIELD = "rows 9-12, columns 5-8"
SETS = {
    "table": (table(), "secret"),
    "three classes": (table(classes=3), "secret"),
    "number": (table(classes=0), "secret"),
    "texts": (texts(), "secret"),
    "pictures": (pictures(), FIELD),
    "waves": (waves(), "time 20-30 %"),
    "series": (series(), "steps 1 from the end"),
}
CASES = {
    "mlp": ("table", Network("mlp", mlp)),
    "tabm": ("table", Network("tabm", tabm)),
    "three-classes": ("three classes", Network("mlp", mlp)),
    "tabm-of-three": ("three classes", Network("tabm", tabm)),
    "number": ("number", Network("mlp", mlp)),
    "lstm": ("texts", Network("lstm", bidirectional_lstm)),
    "resnet": ("pictures", Network("resnet", small_resnet)),
    "cnn": ("waves", Network("cnn", separable_cnn(2000))),
    "gru": ("series", Network("gru", event_gru("history", dict.fromkeys("abc", "plain")))),
    "boosting": ("table", TABLES[-1]),
    "boosting-of-three": ("three classes", TABLES[-1]),
    "forest-of-a-number": ("number", next(each for each in TABLES if each.name == "forest")),
    "tfidf": ("texts", TEXTS[1]),
    "pixels": ("pictures", PICTURES[-1]),
    "mfcc": ("waves", of_sounds(2000)[-1]),
}


def objective_of(examples):
    return (Regression() if examples.target.dtype.kind == "f" else Classification()).resolve(examples.target)


def halves(examples):
    n = len(examples)
    return examples.take(np.arange(n // 2)), examples.take(np.arange(n // 2, n))


def trained(case):
    kind, declared = CASES[case]
    examples, part = SETS[kind]
    objective = objective_of(examples)
    train, tested = halves(examples)
    made = (NetworkContender if isinstance(declared, Network) else ClassicalContender)(declared, objective, QUICK)
    return made.fit(train, train, 0), objective, train, tested, part


@pytest.fixture(scope="module", autouse=True)
def few_rows():
    """Enough to find a secret by."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(explain, "MOST_ROWS", {"table": 1000, "text": FEW, "other": FEW})
        yield


@pytest.fixture(scope="module", params=list(CASES))
def found(request):
    fitted, objective, train, tested, part = trained(request.param)
    return request.param, explained(fitted, objective, train, tested, 0), part, len(tested)


def test_a_planted_part_is_what_answers_hang_on(found):
    case, explanation, part, n = found
    first = explanation.importances[0]
    assert first.part == part
    assert first.lost.low > 0.05
    assert first.p_value < 0.01
    assert explanation.rows == n
    if case != "mfcc":  # its statistics over time spread what it hears
        rest = [importance for importance in explanation.importances[1:] if importance.part != "town"]
        assert all(importance.lost.value < 0.35 * first.lost.value for importance in rest)


def test_a_planted_part_pushes_most_and_parts_add_up(found):
    case, explanation, part, n = found
    if not explanation.attributions:
        pytest.skip("no network")
    named = [push for push in explanation.attributions if not push.part.startswith("band")]
    assert named[0].part == part
    assert named[0].size.low > named[1].size.value
    assert explanation.completeness_error <= COMPLETE
    assert explanation.randomisation.high < 0.5
    assert explanation.sane
    assert explanation.attributed_rows == (n if SETS[CASES[case][0]][0].names("number") else FEW)


def test_where_a_network_looks_is_where_the_secret_is(found):
    case, explanation, _, _ = found
    if case != "resnet":
        assert "grad-cam" not in explanation.maps
        return
    for way in ("grad-cam", "integrated gradients"):
        seen = np.array(explanation.maps[way])
        assert seen.shape == (SIDE, SIDE)
        row, column = np.unravel_index(seen.argmax(), seen.shape)
        assert 7 <= row <= 12
        assert 3 <= column <= 8


def test_it_comes_back_from_json(found):
    _, explanation_, _, _ = found
    assert explanation(json.loads(json.dumps(asdict(explanation_)))) == explanation_ or not explanation_.attributions


def test_of_no_network_there_are_no_pushes_and_nulls_are_read(found):
    case, found_, _, _ = found
    if isinstance(CASES[case][1], Network):
        return
    assert (found_.answer, found_.attributions, found_.maps) == ("", (), {})
    told = json.loads(json.dumps(asdict(found_)).replace("NaN", "null"))
    again = explanation(told)
    assert np.isnan(again.completeness_error)
    assert np.isnan(again.randomisation.value)
    assert not again.sane
    assert again.importances == found_.importances


def test_the_same_seed_finds_the_same():
    fitted, objective, train, tested, _ = trained("boosting")
    first, again, other = (explained(fitted, objective, train, tested, seed) for seed in (1, 1, 2))
    assert first.importances == again.importances
    assert first.importances != other.importances


def test_weights_are_put_back():
    fitted, objective, train, tested, _ = trained("mlp")
    before = [each.copy() for each in fitted.model.get_weights()]
    explained(fitted, objective, train, tested, 0)
    for first, second in zip(before, fitted.model.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_network_that_learned_nothing_hangs_on_nothing():
    examples, _ = SETS["table"]
    shuffled = replace(examples, target=np.random.default_rng(1).permutation(examples.target))
    train, tested = halves(shuffled)
    objective = objective_of(shuffled)
    fitted = NetworkContender(Network("mlp", mlp), objective, replace(QUICK, epochs=2)).fit(train, train, 0)
    found = explained(fitted, objective, train, tested, 0)
    assert all(importance.p_value > 0.05 for importance in found.importances)


def test_several_networks_in_one_are_asked_by_exchange_alone():
    fitted, objective, train, tested, part = trained("mlp")
    both = replace(fitted, model=_mean_of([fitted.model, fitted.model]))
    found = explained(both, objective, train, tested, 0)
    assert found.importances[0].part == part
    assert found.attributions == ()


def test_one_class_alone_says_why_nothing_was_exchanged():
    fitted, objective, train, tested, _ = trained("boosting")
    single = tested.take(np.flatnonzero(tested.target == tested.target[0]))
    found = explained(fitted, objective, train, single, 0)
    assert found == Explanation(0, why_not="one class alone was tested")


@pytest.mark.parametrize("kind", ["table", "three classes", "number"])
def test_rows_of_one_person_count_once(kind):
    """Four copies of each row, exchanged alike: without ids they look like four times as many rows."""
    examples = SETS[kind][0].take(np.arange(100))
    objective = objective_of(examples)
    truth, chance = objective.encode(examples.target), np.random.default_rng(0)
    before, after = (_answers(truth, classes=SETS[kind][0] is not SETS["number"][0], noise=noise, chance=chance)
                     for noise in (0.5, 1.5))  # fmt: skip
    four = np.repeat(np.arange(100), 4)
    widths = []
    for rows, ids in ((np.arange(100), None), (four, None), (four, four)):
        copies = replace(examples.take(rows), ids=ids)
        _, judge = _judge(objective, truth[rows], copies)
        lost, _ = judge(before[rows], [after[rows]])
        widths.append(lost.high - lost.low)
    alone, fooled, told = widths
    assert fooled < 0.6 * alone
    assert 0.9 * alone < told < 1.1 * alone


def _answers(truth, classes, noise, chance):
    """Probabilities, or numbers, that know the truth but for so much noise."""
    if not classes:
        return truth + 3 * noise * chance.normal(size=len(truth))
    scores = np.eye(truth.max() + 1)[truth] + noise * chance.normal(size=(len(truth), truth.max() + 1))
    shares = np.exp(scores)
    return shares / shares.sum(axis=1, keepdims=True)


def test_a_usual_row_is_kept_with_a_model(tmp_path):
    fitted, _, train, tested, _ = trained("gru")
    network = opened(fitted)
    usual = usual_for(network, train)
    assert isinstance(usual, Typical)
    keep(usual, tmp_path)
    again = kept(tmp_path)
    rows = tested.take(np.arange(5))
    first, second = (attributed(network, each, rows).parts for each in (usual, again))
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[name][0], second[name][0]) for name in first)
    assert kept(tmp_path / "nowhere") is None
    (tmp_path / "usual.npz").write_bytes(b"PK\3\4 no archive")
    with pytest.raises(Exception, match="was not written by Tapeline, or is damaged"):
        kept(tmp_path)


def test_events_are_compared_with_usual_ones_in_their_own_places():
    """Whether there was an event is no push: a mask has no gradient, so both ways must have the same."""
    fitted, _, train, tested, _ = trained("gru")
    network = opened(fitted)
    here = network.numbers(network.encoded(tested))
    beside = typical(network, train).beside(here)
    np.testing.assert_array_equal(beside[..., 0], here[..., 0])
    assert here.shape[1] == STEPS
    assert not np.array_equal(beside[..., 1], here[..., 1])
