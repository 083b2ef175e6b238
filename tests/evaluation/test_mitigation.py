"""What mitigation costs: changes of gaps by the bootstrap of the same rows, and sentences that claim no more."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from pipelines.evaluation import bias, intervals
from pipelines.evaluation.decisions import decided
from pipelines.evaluation.mitigation import cost_of, gap_changes, reading
from pipelines.evaluation.outcome import Outcome, Round
from pipelines.objectives.classification import Classification
from pipelines.objectives.objective import Predictions
from pipelines.report.document import Change, Cost, Estimate, Mitigation, Scorecard

OBJECTIVE = Classification(classes=("no", "yes"))
GAPS = ("demographic_parity", "disparate_impact", "equal_opportunity", "equalized_odds")


def outcome_of(n=600, seed=0, apart=0.3, groups="ab", copies=1, weight=None):
    """An outcome whose last group is decided positive more often by so much."""
    chance = np.random.default_rng(seed)
    group = chance.choice(np.array([*groups, None], dtype=object), n, p=[*[0.95 / len(groups)] * len(groups), 0.05])
    target = (chance.random(n) < 0.4).astype(int)
    rate = np.clip(0.2 + 0.4 * target + apart * (group == groups[-1]), 0, 1)
    decided = (chance.random(n) < rate).astype(np.int64)
    probability = np.clip(0.3 * decided + 0.4 * target + 0.3 * chance.random(n), 0, 1)
    rows = np.arange(n)
    values = [np.concatenate([each] * copies) for each in (target, probability, decided, rows, group)]
    target, probability, decided, rows, group = values
    predictions = Predictions(np.column_stack([1 - probability, probability]), decided)
    rounds = (Round(0, len(target) // 2, n), Round(len(target) // 2, len(target), n))
    return Outcome(target, predictions, rounds, rows, weight, groups={"group": group})


def fairer(outcome, seed=1):
    """The same rows, decided without regard to the group."""
    chance = np.random.default_rng(seed)
    decided = (chance.random(len(outcome)) < 0.3 + 0.4 * outcome.target).astype(np.int64)
    return replace(outcome, predictions=Predictions(outcome.predictions.values, decided))


def card(name, outcome):
    table = bias.group_table(outcome, OBJECTIVE)
    scores = intervals.estimates(outcome, OBJECTIVE, 200)
    return Scorecard(name, "network", scores, Cost(1.0), bias=table, gaps=bias.gaps(table))


def test_the_record_holds_both_scorecards_and_what_lies_between():
    before = outcome_of()
    after = fairer(before)
    old, new = card("mlp", before), card("mlp+thresholds", after)
    told = cost_of("thresholds", "group", (old, before), (new, after), OBJECTIVE, 400)
    assert (told.contender, told.base, told.attribute) == ("mlp+thresholds", "mlp", "group")
    assert [each.name for each in told.gaps] == [gap.metric for gap in old.gaps if gap.metric in GAPS]
    for each in told.gaps:
        was, is_ = (next(gap for gap in one.gaps if gap.metric == each.name) for one in (old, new))
        assert (each.before.value, each.before.low, each.before.high) == (was.difference, was.low, was.high)
        assert each.change.value == pytest.approx(is_.difference - was.difference)
        assert each.change.low < each.change.value < each.change.high < 0
    assert [each.name for each in told.scores] == ["auroc", "balanced_accuracy", "accuracy"]
    auroc, balanced, _ = told.scores
    assert (auroc.change.value, auroc.change.low, auroc.change.high) == (0, 0, 0)
    assert balanced.change.value == pytest.approx(new.scores["balanced_accuracy"].value - balanced.before.value)
    assert balanced.change.low < balanced.change.value < balanced.change.high


def test_where_errors_have_a_price_it_is_paid_in_that():
    costly = replace(OBJECTIVE, decide_by="cost:1:3")
    before = outcome_of()
    after = fairer(before)
    sides = [(replace(card(name, each), decisions=decided(each, costly)), each) for name, each in
             (("mlp", before), ("mlp+thresholds", after))]  # fmt: skip
    told = cost_of("thresholds", "group", *sides, costly, 200)
    paid = told.scores[-1]
    price = [
        1000 * np.mean((label := each.predictions.labels()) * (each.target == 0) + 3 * (1 - label) * (each.target == 1))
        for each in (before, after)
    ]
    assert paid.name == "cost_per_1000"
    assert (paid.before.value, paid.after.value) == pytest.approx(tuple(price))
    assert paid.change.value == pytest.approx(price[1] - price[0])
    assert paid.change.low < paid.change.value < paid.change.high
    assert paid.change.high - paid.change.low < 2 * (paid.before.high - paid.before.low)
    assert "1000 decisions cost" in reading(told) or "the cost per 1000 changes by" in reading(told)


def slowly(before, after, resamples, seed):
    """Draw units, count each gap from the rows themselves; as `bias.gaps` counts it, which the test above holds."""
    chance, found = np.random.default_rng(seed), {name: [] for name in GAPS}
    units = np.arange(len(before)) if before.clusters is None else before.clusters
    weight = np.ones(len(before)) if before.weight is None else before.weight
    for _ in range(resamples):
        drawn = np.bincount(chance.integers(before.units, size=before.units), minlength=before.units)[units] * weight
        sizes = []
        for outcome in (before, after):
            decided, group = outcome.predictions.labels() == 1, outcome.groups["group"]
            rates = []
            for among in (np.ones(len(decided), bool), outcome.target == 1, outcome.target == 0):
                here = [(group == name) & among for name in "ab"]
                rates.append([drawn[rows & decided].sum() / drawn[rows].sum() for rows in here])
            selected, true, false = rates
            sizes.append([
                np.ptp(selected), 1 - min(selected) / max(selected), np.ptp(true), max(np.ptp(true), np.ptp(false))
            ])  # fmt: skip
        for name, was, is_ in zip(GAPS, *sizes, strict=True):
            found[name].append(is_ - was)
    return {name: np.quantile(values, [0.025, 0.975]) for name, values in found.items()}


@pytest.mark.parametrize("kind", ["rows", "copies", "weights"])
def test_changes_have_the_interval_of_resampled_units(kind):
    weight = np.random.default_rng(4).uniform(0.2, 3, 600) if kind == "weights" else None
    before = outcome_of(copies=3 if kind == "copies" else 1, weight=weight)
    after = fairer(before)
    found, expected = gap_changes(before, after, "group", 3000, 0), slowly(before, after, 1500, 1)
    for name in GAPS:
        np.testing.assert_allclose(found[name], expected[name], atol=0.02, err_msg=name)
        assert found[name][1] - found[name][0] > 0.06


def test_the_same_decisions_change_nothing():
    before = outcome_of()
    for low, high in gap_changes(before, before, "group", 200).values():
        assert low == high == 0


def test_small_and_unknown_groups_are_in_no_gap():
    before = outcome_of(groups="ab")
    after = fairer(before)
    expected = gap_changes(before, after, "group", 500)
    names = before.groups["group"].copy()
    nobody = np.flatnonzero([each is None for each in names])
    names[nobody[:5]] = "few"
    few = replace(before, groups={"group": names})
    assert gap_changes(few, replace(after, groups={"group": names}), "group", 500) == expected
    # Rows enough, but of the positives too few for a rate: in no gap of it, as in `bias.gaps`.
    negative = nobody[before.target[nobody] == 0]
    names[negative[:12]] = "few"
    changed = [replace(each, groups={"group": names}) for each in (before, after)]
    within = gap_changes(*changed, "group", 500)
    assert within["equal_opportunity"] == pytest.approx(expected["equal_opportunity"], abs=0.05)  # other draws
    assert within["demographic_parity"] != pytest.approx(expected["demographic_parity"], abs=0.05)
    alone = np.where(np.array([each is None for each in names]), None, "a")
    ends = gap_changes(replace(before, groups={"group": alone}), after, "group", 200).values()
    assert all(math.isnan(end) for pair in ends for end in pair)


def made(gap, score, method="reweighing"):
    names = {"thresholds": "balanced_accuracy", "cost": "cost_per_1000"}
    paid = Change(names.get(method, "auroc"), Estimate(0.8), Estimate(0.79), Estimate(*score))
    return Mitigation(
        "mlp+it",
        "mlp",
        method,
        "sex",
        (Change("equalized_odds", Estimate(0.2), Estimate(0.1), Estimate(*gap)),),
        (paid,),
    )


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (
            made((-0.1, -0.2, -0.05), (-0.01, -0.02, -0.004)),
            "narrows the gap by sex from 0.200 to 0.100.*it costs 0.010 AUROC",
        ),
        (
            made((-0.1, -0.2, 0.01), (-0.01, -0.02, 0.004)),
            "changes the gap.*which may be chance.*AUROC changes by -0.010, which may be chance",
        ),
        (made((0.1, 0.05, 0.2), (0.01, 0.002, 0.02)), "widens the gap.*even gains 0.010 AUROC"),
        (made((-0.1, -0.2, -0.05), (0.0, 0.0, 0.0)), "narrows.*the AUROC is the same"),
        (made((-0.1, -0.2, -0.05), (-0.05, -0.06, -0.04), "thresholds"), "narrows.*it costs 0.050 balanced accuracy"),
        (made((-0.1, -0.2, -0.05), (12.0, 3.0, 20.0), "cost"), r"1000 decisions cost 12.0 more \(95 % interval \+3.0"),
        (made((-0.1, -0.2, -0.05), (-12.0, -20.0, -3.0), "cost"), "1000 decisions cost 12.0 less"),
        (made((-0.1, -0.2, -0.05), (2.0, -3.0, 7.0), "cost"), "the cost per 1000 changes by .2.0, which may be chance"),
        (made((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)), "leaves the gap by sex as it is, 0.200; the AUROC is the same"),
        (made((math.nan, math.nan, math.nan), (0.0, 0.0, 0.0)), "could not be compared"),
    ],
)  # fmt: skip
def test_a_sentence_claims_no_more_than_its_intervals(told, said):
    assert re.search(said, reading(told))


def test_thresholds_are_paid_for_in_what_they_serve():
    told = made((-0.1, -0.2, -0.05), (-0.05, -0.06, -0.04), "thresholds")
    served = replace(
        told, scores=(*told.scores, replace(told.scores[0], name="accuracy", change=Estimate(-0.02, -0.03, -0.01)))
    )
    assert "it costs 0.050 balanced accuracy" in reading(served)
    assert "it costs 0.020 accuracy" in reading(served, "accuracy")
