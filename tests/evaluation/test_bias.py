"""The bias table equals a hand count and fairlearn; gaps hold what they promise; undefined stays undefined."""

import math
import warnings
from dataclasses import replace

import numpy as np
import pytest
from fairlearn import metrics as fairlearn
from scipy import stats

from pipelines.evaluation import scores
from pipelines.evaluation.apart import Sides, largest
from pipelines.evaluation.bias import SMALLEST_GROUP, gaps, group_table
from pipelines.evaluation.delong import auroc_interval
from pipelines.evaluation.intervals import wilson
from pipelines.evaluation.outcome import Outcome, Round
from pipelines.objectives.objective import Predictions

from .cases import BINARY, NUMBER, TERNARY, Counted, holdout, noisy_scores, two_class


def grouped(target, predictions, values, name="sex", **columns):
    return holdout(target, predictions, groups={name: np.array(values, dtype=object)}, **columns)


def by_group(table):
    return {row.group: row for row in table.rows}


def by_metric(found):
    return {gap.metric: gap for gap in found}


@pytest.fixture
def counted():
    """Group F: 12 hit, 3 missed, 6 falsely chosen, 15 rightly left. Group M: 9, 9, 3, 9. Probability is 0.8 or 0.3."""
    cells = {"F": (12, 3, 6, 15), "M": (9, 9, 3, 9)}
    target, chosen, group = [], [], []
    for name, numbers in cells.items():
        for (truth, decision), count in zip(((1, 1), (1, 0), (0, 1), (0, 0)), numbers, strict=True):
            target += [truth] * count
            chosen += [decision] * count
            group += [name] * count
    probability = np.where(np.array(chosen) == 1, 0.8, 0.3)
    return grouped(np.array(target), two_class(probability).decide(0.5), group)


def test_table_equals_the_hand_count(counted):
    table = by_group(group_table(counted, BINARY))
    expected = {
        "F": {"selection_rate": 18 / 36, "tpr": 12 / 15, "fpr": 6 / 21, "ppv": 12 / 18,
              "calibration": 15 / 36 - (18 * 0.8 + 18 * 0.3) / 36, "benefit": (6 * 2 + 27) / 36},
        "M": {"selection_rate": 12 / 30, "tpr": 9 / 18, "fpr": 3 / 12, "ppv": 9 / 12,
              "calibration": 18 / 30 - (12 * 0.8 + 18 * 0.3) / 30, "benefit": (3 * 2 + 18) / 30},
    }  # fmt: skip
    assert {name: (row.n, row.n_positive) for name, row in table.items()} == {"F": (36, 15), "M": (30, 18)}
    for name, metrics in expected.items():
        assert set(table[name].metrics) == {*metrics, "auroc"}
        for metric, value in metrics.items():
            assert table[name].metrics[metric].value == pytest.approx(value), (name, metric)
    # Of F's 15 x 21 pairs, 12 x 15 are in order and 12 x 6 + 3 x 15 level.
    assert table["F"].metrics["auroc"].value == pytest.approx((180 + 117 / 2) / 315)
    low, high = wilson(12, 15)
    assert (table["F"].metrics["tpr"].low, table["F"].metrics["tpr"].high) == pytest.approx((float(low), float(high)))


def test_gaps_equal_the_hand_count(counted):
    found = by_metric(gaps(group_table(counted, BINARY)))
    auroc = (180 + 117 / 2) / 315 - (9 * 9 + (9 * 3 + 9 * 9) / 2) / (18 * 12)
    mean, (women, men) = (12 + 27 + 24) / 66, (39 / 36, 24 / 30)
    between = 36 / 66 * women / mean * math.log(women / mean) + 30 / 66 * men / mean * math.log(men / mean)
    total = (45 / mean * math.log(1 / mean) + 9 * 2 / mean * math.log(2 / mean)) / 66
    expected = {
        "demographic_parity": (0.1, 0.8, ("M", "F"), (30, 36)),
        "disparate_impact": (0.2, 0.8, ("M", "F"), (30, 36)),
        "equal_opportunity": (0.3, 0.5 / 0.8, ("M", "F"), (18, 15)),
        "equalized_odds": (0.3, 0.5 / 0.8, ("M", "F"), (18, 15)),
        "predictive_parity": (0.75 - 2 / 3, (2 / 3) / 0.75, ("F", "M"), (18, 12)),
        "auroc_parity": (auroc, None, ("M", "F"), (12, 15)),
        "calibration_gap": (0.1 + 0.55 - 5 / 12, math.nan, ("F", "M"), (36, 30)),
        "theil_index": (between, between / total, ("M", "F"), (30, 36)),
    }
    assert set(found) == set(expected)
    for metric, (difference, ratio, groups, n) in expected.items():
        assert found[metric].difference == pytest.approx(difference), metric
        assert ratio is None or found[metric].ratio == pytest.approx(ratio, nan_ok=True), metric
        assert (found[metric].groups, found[metric].n) == (groups, n), metric
    for metric, gap in found.items():
        assert gap.low == 0, metric
        assert gap.difference < gap.high <= 1, metric


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("groups", [2, 4])
def test_table_and_gaps_equal_fairlearn_where_both_are_defined(groups, weighted):
    rng = np.random.default_rng(groups)
    target, probability = noisy_scores(rng, 400)
    predictions = two_class(probability).decide(0.55)
    sensitive = rng.integers(0, groups, 400).astype(str)
    weight = rng.random(400) + 0.5 if weighted else None
    decided = predictions.labels()
    table = group_table(grouped(target, predictions, sensitive, weight=weight), BINARY)
    named = {
        "selection_rate": fairlearn.selection_rate,
        "tpr": fairlearn.true_positive_rate,
        "fpr": fairlearn.false_positive_rate,
    }
    frame = fairlearn.MetricFrame(
        metrics=named,
        y_true=target,
        y_pred=decided,
        sensitive_features=sensitive,
        sample_params=None if weight is None else {name: {"sample_weight": weight} for name in named},
    )
    for row in table.rows:
        for metric in named:
            assert row.metrics[metric].value == pytest.approx(frame.by_group.loc[row.group, metric])
    found = by_metric(gaps(table))
    common = {"sensitive_features": sensitive, "sample_weight": weight}
    for metric in ("demographic_parity", "equal_opportunity", "equalized_odds"):
        for kind in ("difference", "ratio"):
            theirs = getattr(fairlearn, f"{metric}_{kind}")(target, decided, **common)
            assert getattr(found[metric], kind) == pytest.approx(theirs), (metric, kind)
    assert found["disparate_impact"].ratio == pytest.approx(
        fairlearn.demographic_parity_ratio(target, decided, **common)
    )


def test_a_group_without_positives_has_no_tpr_and_drives_no_gap():
    rng = np.random.default_rng(3)
    target, probability = noisy_scores(rng, 90)
    group = np.repeat(["a", "b", "c"], 30)
    target[group == "c"] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = group_table(grouped(target, two_class(probability), group), BINARY)
        found = by_metric(gaps(table))
    lonely = by_group(table)["c"].metrics
    assert all(math.isnan(lonely[metric].value) for metric in ("tpr", "auroc"))
    assert lonely["ppv"].value == 0
    tprs = [by_group(table)[name].metrics["tpr"].value for name in "ab"]
    assert found["equal_opportunity"].difference == pytest.approx(abs(tprs[0] - tprs[1]))
    assert "c" not in found["equal_opportunity"].groups


def test_gaps_are_undefined_where_one_group_is_left():
    target = np.tile([0, 0, 1, 1], 10)
    table = group_table(grouped(target, two_class(np.linspace(0, 1, 40)), ["a"] * 40), BINARY)
    for gap in gaps(table):
        assert all(math.isnan(number) for number in (gap.difference, gap.ratio, gap.low, gap.high))


def test_nobody_chosen_has_parity_but_no_ratio():
    target = np.tile([0, 1], 20)
    outcome = grouped(target, two_class(np.full(40, 0.1)), np.repeat(["a", "b"], 20))
    found = by_metric(gaps(group_table(outcome, BINARY)))
    assert found["demographic_parity"].difference == 0
    assert math.isnan(found["disparate_impact"].ratio)
    assert math.isnan(by_group(group_table(outcome, BINARY))["a"].metrics["ppv"].value)


def test_unknown_and_small_groups_are_shown_but_in_no_gap():
    sizes = {"a": 40, "b": 40, "tiny": SMALLEST_GROUP - 1, None: 30}
    group = [name for name, size in sizes.items() for _ in range(size)]
    target = np.arange(len(group)) % 2
    chosen = np.where(np.array([name in ("tiny", None) for name in group]), 0.9, np.where(target == 1, 0.9, 0.1))
    table = group_table(grouped(target, two_class(chosen), group), BINARY)
    assert [(row.group, row.n) for row in table.rows] == [
        ("a", 40),
        ("b", 40),
        ("tiny", SMALLEST_GROUP - 1),
        ("unknown", 30),
    ]
    assert by_metric(gaps(table))["demographic_parity"].difference == 0


def test_a_group_of_the_smallest_size_counts():
    group = ["a"] * 40 + ["small"] * SMALLEST_GROUP
    chosen = np.array([0.9 if name == "small" else 0.1 for name in group])
    table = group_table(grouped(np.arange(len(group)) % 2, two_class(chosen), group), BINARY)
    assert by_metric(gaps(table))["demographic_parity"].difference == 1


def test_no_interval_reaches_further_than_groups_can_be_apart():
    """Of many groups with few rows each, an interval for all pairs at once would."""
    group, place = np.repeat([f"{number:02}" for number in range(40)], 20), np.tile(np.arange(20), 40)
    chosen = place < np.where(group < "20", 18, 2)
    table = group_table(grouped(place % 2, two_class(np.where(chosen, 0.99, 0.01)), group), BINARY)
    assert all(largest(table.treatments[0].sides(metric)).high > 1 for metric in ("selection_rate", "tpr", "fpr"))
    found = by_metric(gaps(table))
    assert found["demographic_parity"].high == found["equal_opportunity"].high == found["equalized_odds"].high == 1
    assert 1 < found["calibration_gap"].high <= 2


def test_every_attribute_has_its_rows_and_gaps():
    target, probability = noisy_scores(np.random.default_rng(4), 80)
    groups = {"sex": np.repeat(["F", "M"], 40).astype(object), "age": np.tile(["<40", ">=40"], 40).astype(object)}
    table = group_table(holdout(target, two_class(probability), groups=groups), BINARY)
    assert [(row.attribute, row.group) for row in table.rows] == [
        ("sex", "F"),
        ("sex", "M"),
        ("age", "<40"),
        ("age", ">=40"),
        ("sex x age", "F, <40"),
        ("sex x age", "F, >=40"),
        ("sex x age", "M, <40"),
        ("sex x age", "M, >=40"),
    ]
    assert list(dict.fromkeys(gap.attribute for gap in gaps(table))) == ["sex", "age", "sex x age"]


def test_repeats_of_rows_neither_count_nor_narrow():
    rng = np.random.default_rng(5)
    target, probability = noisy_scores(rng, 120)
    group = np.repeat(["F", "M"], 60).astype(object)
    again = np.tile(np.arange(120), 3)
    repeated = Outcome(
        target[again],
        two_class(probability[again]),
        (Round(0, 360, 90),),
        again,
        groups={"sex": group[again]},
    )
    once, copied = (
        by_group(group_table(each, BINARY))["F"]
        for each in (
            grouped(target, two_class(probability), group),
            repeated,
        )
    )
    assert (copied.n, copied.n_positive) == (once.n, once.n_positive)
    for name, estimate in once.metrics.items():
        assert copied.metrics[name].value == pytest.approx(estimate.value), name
        width = estimate.high - estimate.low
        assert copied.metrics[name].high - copied.metrics[name].low == pytest.approx(width, rel=0.1), name


def test_rows_of_one_id_widen_the_intervals():
    rng = np.random.default_rng(6)
    target = np.repeat(rng.integers(0, 2, 40), 10)
    probability = np.repeat(1 / (1 + np.exp(-rng.normal(size=40) - target[::10])), 10)
    values = np.repeat(["F", "M"], 200)
    alone = by_group(group_table(grouped(target, two_class(probability), values), BINARY))["F"].metrics
    outcome = grouped(target, two_class(probability), values, ids=np.repeat(np.arange(40), 10))
    together = by_group(group_table(outcome, BINARY))["F"].metrics
    for name in alone:
        assert together[name].high - together[name].low > 1.5 * (alone[name].high - alone[name].low), name


@pytest.mark.parametrize("groups", [2, 4])
def test_interval_of_a_tpr_gap_covers_the_true_gap(groups):
    rng = np.random.default_rng(groups)
    truth = np.array([0.7, 0.7, 0.7, 0.7] if groups == 4 else [0.8, 0.65])
    hits, above = [], []
    for _ in range(400):
        found = rng.binomial(50, truth)
        ends = [wilson(hit, 50) for hit in found]
        low, high = (np.array([float(pair[side]) for pair in ends]) for side in (0, 1))
        endless = np.full(groups, np.inf)
        gap = largest(Sides(tuple("abcd")[:groups], (50,) * groups, found / 50, low, high, endless, None))
        hits.append(gap.low <= np.ptp(truth) + 1e-12 and np.ptp(truth) <= gap.high)
        above.append(gap.difference)
    slack = 4 * math.sqrt(0.05 * 0.95 / 400)
    assert np.mean(hits) > 0.95 - slack
    if groups == 4:
        assert np.median(above) > 0.1  # there is no true gap: the estimate is biased upwards, its interval is not


def test_equalized_odds_takes_the_wider_gap():
    # TPR 1 and 1, FPR 0.9 and 0.1.
    target = np.tile(np.repeat([0, 1], 10), 2)
    chosen = np.concatenate([[1] * 9 + [0], [1] * 10, [1] + [0] * 9, [1] * 10])
    found = by_metric(
        gaps(group_table(grouped(target, two_class(0.1 + 0.8 * chosen), ["a"] * 20 + ["b"] * 20), BINARY))
    )
    assert found["equal_opportunity"].difference == 0
    assert found["equalized_odds"].difference == pytest.approx(0.8)
    assert found["equalized_odds"].groups == ("b", "a")
    assert 0 < found["equalized_odds"].low < 0.8 < found["equalized_odds"].high


def test_equalized_odds_looks_at_two_gaps_and_pays_for_both():
    """The same gap by itself, at the half level of two: its interval is wider than that of equal opportunity alone."""
    target = np.tile(np.repeat([0, 1], 100), 2)
    chosen = np.concatenate([[1] * 30 + [0] * 70, [1] * 90 + [0] * 10, [1] * 30 + [0] * 70, [1] * 50 + [0] * 50])
    table = group_table(grouped(target, two_class(0.1 + 0.8 * chosen), ["a"] * 200 + ["b"] * 200), BINARY)
    found = by_metric(gaps(table))
    alone, both = found["equal_opportunity"], found["equalized_odds"]
    assert alone.difference == both.difference == pytest.approx(0.4)
    wider = stats.norm.ppf(1 - 0.0125) / stats.norm.ppf(0.975)
    assert (both.high - both.low) / (alone.high - alone.low) == pytest.approx(wider, rel=0.03)


def test_several_classes_are_judged_by_accuracy():
    rng = np.random.default_rng(7)
    target, predictions = rng.integers(0, 3, 60), Predictions(rng.dirichlet(np.ones(3), 60))
    table = group_table(grouped(target, predictions, np.repeat(["a", "b"], 30)), TERNARY)
    right = predictions.labels() == target
    assert table.rows[0].metrics["accuracy"].value == pytest.approx(right[:30].mean())
    (gap,) = gaps(table)
    assert (gap.metric, gap.difference) == ("accuracy", pytest.approx(abs(right[:30].mean() - right[30:].mean())))


def test_numbers_are_judged_by_their_errors():
    rng = np.random.default_rng(11)
    target = rng.normal(size=60)
    said = target + np.repeat([1.0, -0.5], 30) + 0.1 * rng.normal(size=60)
    table = group_table(grouped(target, Predictions(said), np.repeat(["a", "b"], 30)), NUMBER)
    first = table.rows[0].metrics
    assert first["mean_error"].value == pytest.approx(np.mean(said[:30] - target[:30]))
    assert first["mae"].value == pytest.approx(scores.mae(target[:30], said[:30]))
    assert first["rmse"].value == pytest.approx(scores.rmse(target[:30], said[:30]))
    assert all(estimate.low < estimate.value < estimate.high for estimate in first.values())
    found = by_metric(gaps(table))
    assert set(found) == {"mae", "rmse", "mean_error", "mean_prediction"}
    for metric, gap in found.items():
        values = [row.metrics[metric].value for row in table.rows]
        assert gap.difference == pytest.approx(max(values) - min(values)), metric
    assert table.rows[1].metrics["mean_prediction"].value == pytest.approx(said[30:].mean())
    assert found["mean_error"].low < 1.5 < found["mean_error"].high
    assert found["mean_error"].low > 1
    assert math.isnan(found["mean_error"].ratio)


def test_any_other_objective_is_judged_by_its_primary_score():
    target = np.array(["x"] * 40, dtype=object)
    said = np.array(["x"] * 30 + ["y"] * 10, dtype=object)
    table = group_table(grouped(target, Predictions(said), np.repeat(["a", "b"], 20)), Counted())
    assert [row.metrics["exact"].value for row in table.rows] == [1, 0.5]
    (gap,) = gaps(table)
    assert (gap.metric, gap.difference) == ("exact", 0.5)


def test_auroc_of_a_group_is_that_of_its_rows():
    target, probability = noisy_scores(np.random.default_rng(9), 100)
    table = group_table(grouped(target, two_class(probability), np.repeat(["a", "b"], 50)), BINARY)
    assert table.rows[1].metrics["auroc"] == auroc_interval(target[50:], probability[50:])


def test_rows_of_one_patient_leave_a_mean_without_interval_and_so_the_gap():
    target = np.random.default_rng(10).normal(size=40)
    ids = np.array([0] * 20 + list(range(1, 21)))
    outcome = grouped(target, Predictions(target + 1), np.repeat(["a", "b"], 20), ids=ids)
    gap = by_metric(gaps(group_table(outcome, NUMBER)))["mae"]
    assert gap.difference == pytest.approx(0)
    assert math.isnan(gap.low)
    assert math.isnan(gap.high)


def test_auroc_of_a_group_compares_rows_of_one_fold_only():
    """Each fold's model has its own constant, the higher where its fold has fewer positives, as a prior has."""
    target = np.concatenate([np.tile([0, 0, 0, 1], 10), np.tile([0, 1, 1, 1], 10)])
    constant = np.repeat([0.6, 0.4], 40)
    groups = {"sex": np.tile(["F", "M"], 40).astype(object)}
    pooled = holdout(target, two_class(constant), groups=groups)
    folded = replace(pooled, rounds=(Round(0, 40, 40), Round(40, 80, 40)))
    assert all(row.metrics["auroc"].value < 0.3 for row in group_table(pooled, BINARY).rows)
    assert all(row.metrics["auroc"].value == 0.5 for row in group_table(folded, BINARY).rows)


def test_auroc_over_folds_is_the_mean_of_the_folds_weighted_by_their_pairs():
    generator = np.random.default_rng(3)
    target, probability = noisy_scores(generator, 120)
    target[:30], target[0] = 0, 1  # the first fold has one positive and 29 negatives
    folds = np.repeat([0, 1, 2], [30, 40, 50])
    pairs, values = [], []
    for fold in range(3):
        truth, score = target[folds == fold], probability[folds == fold]
        pairs.append((truth == 1).sum() * (truth == 0).sum())
        values.append(auroc_interval(truth, score).value)
    found = auroc_interval(target, probability, folds=folds)
    assert found.value == pytest.approx(np.average(values, weights=pairs))
    assert found.low < found.value < found.high
    assert auroc_interval(target, probability, folds=np.zeros(120)) == auroc_interval(target, probability)
    assert math.isnan(auroc_interval(np.array([0, 1]), np.array([0.2, 0.7]), folds=np.array([0, 1])).value)


def test_the_interval_over_folds_covers():
    """Simulated: two folds with models on different scales; the true AUROC is known in both."""
    generator = np.random.default_rng(5)
    truth = 0.7602499  # two normals one standard deviation apart
    inside = 0
    for _ in range(400):
        target = np.tile([0, 1], 60)
        score = generator.normal(size=120) + target + np.repeat([0.0, 5.0], 60)
        found = auroc_interval(target, score, folds=np.repeat([0, 1], 60))
        inside += found.low <= truth <= found.high
    assert 0.92 <= inside / 400 <= 0.98
