"""Groups of two attributes equal a brute-force count and fairlearn's; small ones are marked, and in no gap."""

import math

import numpy as np
import pytest
from fairlearn import metrics as fairlearn
from sklearn.metrics import precision_score, roc_auc_score

from pipelines.evaluation import groups as division
from pipelines.evaluation.bias import SMALLEST_GROUP, gaps, group_table
from pipelines.evaluation.groups import groupings

from .cases import BINARY, holdout, noisy_scores, two_class


@pytest.fixture
def drawn():
    rng = np.random.default_rng(0)
    target, probability = noisy_scores(rng, 600)
    groups = {
        "sex": rng.choice(["F", "M"], 600).astype(object),
        "age": rng.choice(["<25", "25-40", ">=40"], 600).astype(object),
        "site": rng.choice(["x", "y"], 600).astype(object),
    }
    return target, two_class(probability).decide(0.5), groups


@pytest.mark.parametrize(
    "names",
    [
        ["<33", "33-48", "48-64", ">=64", "unknown"],
        ["<-5", "-5 to -3", "-3 to 10.5", ">=10.5"],
        ["<1e-05", "1e-05 to 2e-05", ">=2e-05"],
        ["2", "10", "100", "unknown"],
        ["10", "2", "two"],
        ["<5 years", ">=5 years"],
        ["unknown"],
    ],
)
def test_bands_and_numbers_come_lowest_first_and_words_by_the_alphabet(names):
    assert division.in_order(reversed(names)) == names
    groups = {"age": np.array([None if name == "unknown" else name for name in reversed(names)], object)}
    assert groupings(groups)[0].names == tuple(names)


def test_intersections_equal_a_brute_force_count_and_fairlearn(drawn):
    target, predictions, groups = drawn
    decided, probability = predictions.labels(), predictions.values[:, 1]
    table = group_table(holdout(target, predictions, groups=groups), BINARY)
    crossed = [row for row in table.rows if row.intersection]
    assert list(dict.fromkeys(row.attribute for row in crossed)) == ["sex x age", "sex x site", "age x site"]
    assert [row.group for row in crossed if row.attribute == "sex x age"] == [
        "F, <25", "F, 25-40", "F, >=40", "M, <25", "M, 25-40", "M, >=40",
    ]  # fmt: skip
    for row in crossed:
        one, two = row.attribute.split(" x ")
        first, second = row.group.split(", ")
        within = (groups[one] == first) & (groups[two] == second)
        positive = within & (target == 1)
        assert (row.n, row.n_positive) == (within.sum(), positive.sum())
        assert row.metrics["tpr"].value == pytest.approx(decided[positive].mean())
        assert row.metrics["ppv"].value == pytest.approx((target[within & (decided == 1)] == 1).mean())
        assert row.metrics["calibration"].value == pytest.approx((target - probability)[within].mean())
    frame = fairlearn.MetricFrame(
        metrics={"ppv": precision_score, "selection_rate": fairlearn.selection_rate},
        y_true=target, y_pred=decided, sensitive_features={name: groups[name] for name in ("sex", "age")},
    )  # fmt: skip
    ranked = fairlearn.MetricFrame(
        metrics=roc_auc_score, y_true=target, y_pred=probability,
        sensitive_features={name: groups[name] for name in ("sex", "age")},
    )  # fmt: skip
    theirs = {
        "predictive_parity": frame.difference()["ppv"], "demographic_parity": frame.difference()["selection_rate"],
        "auroc_parity": ranked.difference(),
    }  # fmt: skip
    ours = {gap.metric: gap for gap in gaps(table) if gap.attribute == "sex x age"}
    for metric, difference in theirs.items():
        assert ours[metric].difference == pytest.approx(difference), metric
    assert all(gap.intersection for gap in ours.values())


def test_a_single_attribute_is_crossed_with_nothing(drawn):
    target, predictions, groups = drawn
    table = group_table(holdout(target, predictions, groups={"sex": groups["sex"]}), BINARY)
    assert [(row.group, row.intersection) for row in table.rows] == [("F", False), ("M", False)]


def test_an_attribute_of_one_group_divides_nothing_and_is_not_crossed():
    one = np.array(["a", "a", None, "a"], object)
    two = np.array(["x", "y", "x", None], object)
    assert [each.attribute for each in groupings({"one": one, "two": two})] == ["one", "two"]


def test_unknown_in_either_is_unknown_in_both():
    one = np.array(["a", "a", None, None, "b"], object)
    two = np.array(["x", None, "y", None, "y"], object)
    *_, crossed = groupings({"one": one, "two": two})
    assert crossed.names == ("a, x", "b, y", "unknown")
    assert crossed.code.tolist() == [0, 2, 2, 2, 1]
    assert [each.tolist() for each in crossed.members()] == [[0], [4], [1, 2, 3]]


def test_attributes_of_very_many_groups_are_not_crossed(monkeypatch):
    many, few = np.arange(30).astype(str).astype(object), np.array(["a", "b"] * 15, object)
    assert [each.attribute for each in groupings({"zip": many, "sex": few})] == ["zip", "sex", "zip x sex"]
    monkeypatch.setattr(division, "MOST_CROSSED", 29)
    assert [each.attribute for each in groupings({"zip": many, "sex": few})] == ["zip", "sex"]


def test_metrics_of_few_rows_are_marked_and_in_no_gap():
    """Group b has 40 rows but one positive too few for a rate; group c has too few rows for anything."""
    positives, sizes = {"a": 20, "b": SMALLEST_GROUP - 1, "c": 4, "d": 20}, {"a": 40, "b": 40, "c": 8, "d": 40}
    group = [name for name, size in sizes.items() for _ in range(size)]
    target = np.concatenate([np.arange(size) < positives[name] for name, size in sizes.items()]).astype(int)
    chosen = np.where([name in "bc" for name in group], 0.9, np.tile([0.2, 0.8], len(group) // 2))
    table = group_table(holdout(target, two_class(chosen), groups={"g": np.array(group, object)}), BINARY)
    small = {row.group: row.small for row in table.rows}
    assert small["a"] == small["d"] == ()
    assert small["b"] == ("tpr", "auroc")
    assert set(small["c"]) == set(table.rows[0].metrics)
    assert table.rows[1].metrics["tpr"].value == 1
    found = {gap.metric: gap for gap in gaps(table)}
    assert found["equal_opportunity"].difference == 0
    assert found["demographic_parity"].groups[1] == "b"
    assert found["demographic_parity"].n[1] == 40
    assert found["equal_opportunity"].n == (20, 20)


def test_copies_of_a_row_are_one_row_to_a_metric():
    target = np.tile(np.arange(30) % 2, 3)
    outcome = holdout(
        target, two_class(np.full(90, 0.9)), groups={"g": np.array((["a"] * 15 + ["b"] * 15) * 3, object)}
    )
    again = type(outcome)(
        outcome.target, outcome.predictions, outcome.rounds, np.tile(np.arange(30), 3), groups=outcome.groups
    )
    assert group_table(outcome, BINARY).rows[0].small == ()
    assert "tpr" in group_table(again, BINARY).rows[0].small
    assert {gap.n for gap in gaps(group_table(again, BINARY)) if gap.metric == "demographic_parity"} == {(15, 15)}
    assert all(math.isnan(gap.difference) for gap in gaps(group_table(again, BINARY)) if gap.metric == "auroc_parity")
