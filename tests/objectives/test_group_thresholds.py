"""Thresholds of groups: fairlearn's own decisions, equal rates on the rows they were fitted on, safe as JSON."""

import json
from dataclasses import replace

import numpy as np
import pytest
from fairlearn.postprocessing import ThresholdOptimizer
from sklearn.base import BaseEstimator

from pipelines.objectives import group_thresholds
from pipelines.objectives.group_thresholds import GroupThresholds, Mixture
from pipelines.objectives.objective import Predictions


def rows(n=700, seed=0):
    chance = np.random.default_rng(seed)
    group = chance.choice(np.array(["a", "b", "c"], dtype=object), n, p=[0.6, 0.3, 0.1])
    target = (chance.random(n) < np.where(group == "a", 0.15, 0.4)).astype(int)
    score = 1 / (1 + np.exp(-(chance.normal(size=n) + 1.3 * target + (group == "b") - 1.5)))
    return target, score, group


def fitted(target, score, group, **settings):
    seen = tuple(sorted({each for each in group if each is not None}))
    return group_thresholds.fitted("race", target, score, group, 0.4, seen, 3, **settings)


class Known(BaseEstimator):
    def __sklearn_is_fitted__(self):
        return True

    def fit(self, x, y):
        return self

    def predict(self, x):
        return np.asarray(x)[:, 0]


@pytest.mark.parametrize("rule", ["balanced_accuracy", "accuracy"])
def test_the_chances_are_fairlearns(rule):
    target, score, group = rows()
    theirs = ThresholdOptimizer(
        estimator=Known(), constraints="equalized_odds", objective=f"{rule}_score", prefit=True,
        predict_method="predict",
    ).fit(score[:, None], target, sensitive_features=group.astype(str))  # fmt: skip
    ours = fitted(target, score, group, rule=rule)
    new = np.random.default_rng(1).random(400)
    groups = np.random.default_rng(2).choice(np.array(["a", "b", "c"], dtype=object), 400)
    expected = theirs._pmf_predict(new[:, None], sensitive_features=groups.astype(str))[:, 1]
    np.testing.assert_allclose(ours.chance(new, groups), expected, atol=1e-12)


@pytest.mark.parametrize(("false_alarm", "miss"), [(1, 5), (4, 1), (1, 1), (2, 7)])
def test_no_point_of_equal_odds_is_cheaper(false_alarm, miss):
    """Against every point that all groups reach, on the same rows; to within the grid that fairlearn looks at."""
    target, score, group = rows()
    theirs = ThresholdOptimizer(
        estimator=Known(), constraints="equalized_odds", objective="accuracy_score", prefit=True,
        predict_method="predict",
    ).fit(score[:, None], target, sensitive_features=group.astype(str))  # fmt: skip
    false, found = theirs._x_grid, theirs._y_min.to_numpy()
    cheapest = (false_alarm * false * (target == 0).sum() + miss * (1 - found) * (target == 1).sum()).min()

    def cost(rule):
        chance = fitted(target, score, group, rule=rule).chance(score, group)
        return false_alarm * chance[target == 0].sum() + miss * (1 - chance[target == 1]).sum()

    assert cost(f"cost:{false_alarm}:{miss}") == pytest.approx(cheapest, rel=0.01)
    others = [cost(rule) for rule in ("cost:1:30", "cost:30:1")]
    assert max(others) > 1.05 * cheapest  # so that the rule matters here


@pytest.mark.parametrize(
    ("rule", "copies"),
    [
        ("cost:1:5", (1, 5)),
        ("cost:10:4", (5, 2)),
        ("cost:1:1.37", (19, 26)),
        ("cost:1e9:1", (200, 1)),
        ("cost:1:33.335", (2, 67)),
        ("cost:1:199.6", (1, 200)),
    ],
)
def test_costs_are_told_by_copies(rule, copies):
    assert tuple(group_thresholds._copies(group_thresholds.Rule.parse(rule))) == copies


def test_rates_are_equal_on_the_rows_they_were_fitted_on():
    target, score, group = rows()
    chance = fitted(target, score, group).chance(score, group)
    plain = score >= 0.4
    for label in (0, 1):
        rates = [chance[(group == name) & (target == label)].mean() for name in "abc"]
        before = [plain[(group == name) & (target == label)].mean() for name in "abc"]
        assert np.ptp(rates) < 2e-3
        assert np.ptp(before) > 0.1
    assert chance[target == 1].mean() > chance[target == 0].mean() + 0.2


def test_who_is_of_no_known_group_is_decided_at_the_one_threshold():
    target, score, group = rows()
    few = np.flatnonzero(group == "c")
    group[few[4:]] = None
    by = fitted(target, score, group)
    assert set(by.groups) == {"a", "b"}
    assert by.others == ("c",)
    here = np.array([None, "c", "never seen"], dtype=object)
    for probability, expected in ((0.39, 0), (0.4, 1)):
        np.testing.assert_array_equal(by.chance(np.full(3, probability), here), expected)
    assert "too few rows of a class, so one threshold: c" in str(by)


def test_a_group_needs_rows_of_both_classes():
    target, score, group = rows()
    positive = np.flatnonzero((group == "c") & (target == 1))
    group[positive[4:]] = None
    assert (group == "c").sum() > 20
    by = fitted(target, score, group)
    assert by.others == ("c",)


def test_one_group_alone_has_the_one_threshold():
    target, score, group = rows()
    group[group != "a"] = None
    by = fitted(target, score, group)
    assert not by.groups
    np.testing.assert_array_equal(by.chance(score, group), score >= 0.4)
    assert "one threshold for all" in str(by)


def test_rows_of_no_weight_do_not_count():
    target, score, group = rows()
    weight = (np.arange(len(target)) % 3 > 0).astype(float)
    kept = weight > 0
    assert fitted(target, score, group, weight=weight) == fitted(target[kept], score[kept], group[kept])


def test_lots_decide_with_the_chance_that_there_is():
    by = GroupThresholds("race", {"a": Mixture(0.5, 0.4, 0.25, (0.3, 0.6))}, (), 0.5, 0)
    values = np.repeat([0.2, 0.5, 0.7], 20_000)
    chance = np.random.default_rng(0)
    group = np.full(len(values), "a", dtype=object)
    found = by.decide(Predictions(np.column_stack([1 - values, values])), group, chance.random(len(values)))
    shares = found.labels().reshape(3, -1).mean(1)
    np.testing.assert_allclose(shares, [0.2, 0.2 + 0.5 * 0.25, 0.7], atol=0.015)


def test_they_are_the_same_after_json():
    by = replace(fitted(*rows()), bands=(25.0, 40.5), number=True)
    assert group_thresholds.from_dict(json.loads(json.dumps(by.to_dict()))) == by


GOOD = {
    "attribute": "race", "groups": {"a": {"by_lot": 0.1, "positive": 0.2, "first": 0.3, "cuts": [0.4, 2.0]}},
    "others": ["b"], "threshold": 0.5, "seed": 1, "bands": [], "number": False,
}  # fmt: skip


def other(**change):
    return {"groups": {"a": {**GOOD["groups"]["a"], **change}}}


@pytest.mark.parametrize(
    "change",
    [
        other(by_lot=1.2), other(cuts=[0.1]), other(cuts=[0.1, float("nan")]), other(cuts=[-2, 0.5]), other(first=-0.1),
        other(positive="often"), {"groups": ["a"]}, {"groups": {"a": None}}, {"threshold": None}, {"threshold": 7},
        {"threshold": float("nan")}, {"seed": -1}, {"seed": "x"}, {"bands": [3, 2]}, {"others": 4},
    ],
)  # fmt: skip
def test_what_was_not_written_so_is_refused(change):
    assert group_thresholds.from_dict(GOOD).others == ("b",)
    with pytest.raises(ValueError, match="thresholds of groups"):
        group_thresholds.from_dict({**GOOD, **change})
