"""The benchmarks' simulated tests have the true scores that they claim, and no contender is better by accident."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from benchmarks import coverage
from benchmarks.coverage import QUESTIONS, Question, answered, settled
from benchmarks.simulated import World, halves_of_features

MANY = 200_000


@pytest.mark.parametrize("world", [World(rows=MANY), World(rows=MANY, cluster=5, shared=0.8, shifts=(1.0,))])
def test_scores_and_rates_are_those_of_the_closed_forms(world):
    (tested,) = world.tested(np.random.default_rng(0))
    positive, alarm = tested.target == 1, tested.predictions.labels() == 1
    assert roc_auc_score(tested.target, tested.predictions.values[:, 1]) == pytest.approx(world.auroc(), abs=0.005)
    assert (alarm == positive).mean() == pytest.approx(world.accuracy(), abs=0.005)
    assert alarm[positive].mean() == pytest.approx(world.rate(0, True), abs=0.007)
    assert alarm[~positive].mean() == pytest.approx(world.rate(0, False), abs=0.005)


def test_groups_have_rates_of_their_own():
    world = World(rows=MANY, shifts=(1.6, 1.0))
    (tested,) = world.tested(np.random.default_rng(0))
    positive, alarm, group = tested.target == 1, tested.predictions.labels() == 1, tested.groups["group"]
    for place in (0, 1):
        found = alarm[positive & (group == str(place))].mean()
        assert found == pytest.approx(world.rate(place, True), abs=0.01)


def test_rows_of_a_patient_are_alike_and_counted_as_one():
    (tested,) = World(rows=2000, cluster=5, shared=0.8).tested(np.random.default_rng(0))
    assert tested.units == pytest.approx(400, rel=0.05)
    logit = np.log(tested.predictions.values[:, 1] / tested.predictions.values[:, 0])
    same = np.flatnonzero(np.diff(tested.clusters) == 0)
    alike = np.corrcoef(logit[same], logit[same + 1])[0, 1]
    apart = np.corrcoef(logit[:-100], logit[100:])[0, 1]
    assert alike > apart + 0.3


def test_only_who_is_made_better_is_better():
    outcomes = World(rows=MANY).tested(np.random.default_rng(1), (0.3, 0.0, 0.0))
    first, second, third = (roc_auc_score(each.target, each.predictions.values[:, 1]) for each in outcomes)
    assert first > second + 0.02
    assert second == pytest.approx(third, abs=0.004)
    assert all(np.array_equal(each.target, outcomes[0].target) for each in outcomes)


def test_halves_of_the_features_tell_alike():
    found = []
    for better in (0.0, 0.2):
        one, other = halves_of_features(np.random.default_rng(2), 20_000, 5, better)
        found.append([roc_auc_score(each.target, each.predictions.values[:, 1]) for each in (one, other)])
        assert one.distinct_rows == 20_000
    assert found[0][0] == pytest.approx(found[0][1], abs=0.02)
    assert found[1][0] > found[1][1] + 0.05


def test_every_question_can_be_asked():
    found = [answered(number, 3, 0) for number in range(len(QUESTIONS))]
    assert all(0 <= each["low"] <= each["share"] <= each["high"] <= 1 for each in found)
    assert {each["wanted"] for each in found} == {"covers", "errs", "finds"}


def test_a_share_outside_is_settled_by_sets_that_were_not_seen(monkeypatch):
    asked = []

    def ask(seed):
        asked.append(seed)
        return seed >= 10

    monkeypatch.setattr(coverage, "QUESTIONS", (Question("q", ask, "covers", 0.9, 1.0),))
    found = settled(0, 50, 0)
    assert asked == list(range(250))
    assert (found["sets"], found["share"], found["holds"]) == (200, 1.0, True)
    assert found["first"] == {"sets": 50, "share": 0.8}
    asked.clear()
    assert settled(0, 200, 0) == answered(0, 200, 0), "within: asked once"
    assert len(asked) == 400
