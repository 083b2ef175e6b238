"""What privacy costs: worse is positive whatever the score, p-values and gaps are corrected for the epsilons."""

import math
from dataclasses import replace

import numpy as np
import pytest

from pipelines.evaluation import bias, intervals
from pipelines.evaluation.comparison import compare
from pipelines.evaluation.mitigation import gap_changes
from pipelines.evaluation.privacy_price import Made, prices, reading, same, widest
from pipelines.objectives.objective import Predictions
from pipelines.report.document import (
    Cost,
    DataCard,
    Estimate,
    Gap,
    GapChange,
    PrivacyPrice,
    Report,
    Scorecard,
    Verdict,
    sides,
)

from .cases import BINARY, NUMBER, holdout, two_class

GAPS = ("demographic_parity", "disparate_impact", "equal_opportunity", "equalized_odds")
MADE = (Made("mlp-eps1", "mlp", 1.0), Made("mlp-eps8", "mlp", 8.0))


def card(name, outcome, objective, kind="network"):
    table = bias.group_table(outcome, objective)
    return Scorecard(name, kind, intervals.estimates(outcome, objective, 200), Cost(1.0), gaps=bias.gaps(table))


def of_two_classes(n=800):
    """A network, its twin at epsilon 8, which says nearly the same, and at 1, which knows less and treats b worse."""
    chance = np.random.default_rng(0)
    target, group = (chance.random(n) < 0.4).astype(int), np.where(chance.random(n) < 0.4, "b", "a").astype(object)
    merit = target + chance.normal(0, 0.7, n)
    said = {
        "mlp": merit,
        "mlp-eps1": merit + chance.normal(0, 1.5, n) + 1.5 * (group == "b"),
        "mlp-eps8": merit + chance.normal(0, 0.05, n),
    }
    found = {}
    for name, score in said.items():
        probability = 1 / (1 + np.exp(-(score - 0.5)))
        found[name] = holdout(target, two_class(probability).decide(0.5), groups={"group": group})
    return found


@pytest.fixture(scope="module")
def paid():
    outcomes = of_two_classes()
    cards = [card(name, each, BINARY) for name, each in outcomes.items()]
    return outcomes, cards, prices(MADE, cards, outcomes, BINARY, 400)


def test_the_score_is_what_the_network_leads_its_private_twins_by(paid):
    outcomes, _, found = paid
    tests = compare("mlp", ["mlp-eps1", "mlp-eps8"], outcomes, BINARY, "auroc", 400)
    assert [(each.contender, each.base, each.epsilon) for each in found] == [tuple(each) for each in MADE]
    for price, test in zip(found, tests, strict=True):
        assert price.score == Estimate(test.difference, test.low, test.high)
        assert (price.p_value, price.test) == (test.p_value, "DeLong")
    dear, cheap = found
    assert dear.score.low > 0.02
    assert dear.p_value < 0.001
    assert cheap.score.low < 0.01 < dear.score.value
    alone = prices(MADE[:1], paid[1], outcomes, BINARY, 400)[0]
    assert dear.p_value == pytest.approx(2 * alone.p_value), "of two epsilons, by Holm"


def test_gaps_are_of_the_scorecards_and_their_intervals_hold_for_all_epsilons(paid):
    outcomes, cards, (dear, _) = paid
    assert [(each.attribute, each.metric) for each in dear.gaps] == [("group", name) for name in GAPS]
    plain, private = cards[:2]
    drawn = gap_changes(outcomes["mlp"], outcomes["mlp-eps1"], "group", 400, 0, 0.025)
    usual = gap_changes(outcomes["mlp"], outcomes["mlp-eps1"], "group", 400, 0)
    for each in dear.gaps:
        was, is_ = (next(gap for gap in one.gaps if gap.metric == each.metric) for one in (plain, private))
        assert (each.before.value, each.after.value, each.n) == (was.difference, is_.difference, was.n)
        assert each.change.value == pytest.approx(is_.difference - was.difference)
        assert (each.change.low, each.change.high) == drawn[each.metric]
        assert each.change.high - each.change.low > usual[each.metric][1] - usual[each.metric][0]
    assert same(dear.gaps, widest(plain)).change.low > 0


def test_of_an_error_more_is_worse_and_gaps_have_no_paired_change():
    chance = np.random.default_rng(0)
    target = chance.normal(size=300)
    group = np.where(chance.random(300) < 0.5, "a", "b").astype(object)
    outcomes = {
        name: holdout(target, Predictions(target + chance.normal(0, spread, 300)), groups={"group": group})
        for name, spread in (("mlp", 0.5), ("mlp-eps1", 1.0))
    }
    cards = [card(name, each, NUMBER) for name, each in outcomes.items()]
    (found,) = prices(MADE[:1], cards, outcomes, NUMBER, 200)
    assert found.score.low > 0.3
    assert found.gaps == ()
    assert widest(cards[0]).metric == "mae"


def test_whose_network_was_left_out_has_no_price(paid):
    outcomes, cards, _ = paid
    assert prices(MADE, cards[1:], outcomes, BINARY) == ()
    assert prices((), cards, outcomes, BINARY) == ()


def test_each_network_pays_for_its_own_twins_and_gaps_of_two_attributes_have_no_change(paid):
    other = np.where(np.arange(800) % 3 == 0, "x", "y").astype(object)
    outcomes = {name: replace(each, groups={**each.groups, "town": other}) for name, each in paid[0].items()}
    outcomes |= {"tabm": outcomes["mlp-eps8"], "tabm-eps1": outcomes["mlp-eps1"]}
    cards = [card(name, each, BINARY) for name, each in outcomes.items()]
    assert any(gap.intersection for gap in cards[0].gaps)
    made = (*MADE, Made("tabm-eps1", "tabm", 1.0))
    found = prices(made, cards, outcomes, BINARY, 200)
    assert [(each.contender, each.base) for each in found] == [each[:2] for each in made]
    assert {each.attribute for each in found[0].gaps} == {"group", "town"}
    (alone,) = prices(made[2:], cards, outcomes, BINARY, 200)
    assert found[2] == alone, "it has one epsilon, whatever the other network has"


def test_private_twins_are_no_side_of_the_verdict():
    kinds = ("network", "private", "classical", "mitigated", "blend", "ensemble")
    assert sides(Scorecard(kind, kind, {}, Cost(1.0)) for kind in kinds) == (["network", "ensemble"], ["classical"])


def gap(metric, difference, attribute="sex", intersection=False):
    ends = (difference, math.nan, difference - 0.1, difference + 0.1)
    return Gap(attribute, metric, *ends, ("a", "b"), (30, 40), 0.01, intersection)


def test_the_widest_gap_is_of_the_metric_that_stands_for_the_others_and_of_one_attribute():
    cards = Scorecard("mlp", "network", {}, Cost(1.0), gaps=(
        gap("demographic_parity", 0.9), gap("equalized_odds", 0.2), gap("equalized_odds", 0.3, "age"),
        gap("equalized_odds", math.nan, "town"), gap("equalized_odds", 0.8, "sex x age", True),
    ))  # fmt: skip
    assert (widest(cards).attribute, widest(cards).difference) == ("age", 0.3)
    assert widest(replace(cards, gaps=())) is None
    assert widest(replace(cards, gaps=(gap("mae", 2.0), gap("rmse", 3.0)))).metric == "mae"


def told(paid, chance, change):
    changes = (GapChange("sex", "equalized_odds", Estimate(0.2), Estimate(0.2), change, (30, 40)),)
    return PrivacyPrice("mlp-eps3", "mlp", 3.0, paid, chance, "DeLong", changes)


@pytest.mark.parametrize(
    ("price", "words"),
    [
        (
            told(Estimate(0.03, 0.01, 0.05), 0.01, Estimate(0.1, 0.02, 0.2)),
            "epsilon 3 costs 0.030 AUROC; the equalized odds gap by sex widens by 0.100",
        ),
        (
            told(Estimate(-0.03, -0.05, -0.01), 0.01, Estimate(-0.1, -0.2, -0.02)),
            "epsilon 3 even gains 0.030 AUROC; the equalized odds gap by sex narrows by 0.100",
        ),
        (
            told(Estimate(0.03, 0.01, 0.05), 0.06, Estimate(0.1, -0.02, 0.2)),
            "epsilon 3 costs no AUROC that could be told from chance (+0.030); the equalized odds gap by sex changes "
            "by +0.100, which may be chance",
        ),
        (
            told(Estimate(0.03), math.nan, Estimate(math.nan)),
            "epsilon 3 costs no AUROC that could be told from chance (+0.030)",
        ),
    ],
)
def test_a_sentence_claims_no_more_than_intervals_allow(price, words):
    plain = Scorecard("mlp", "network", {}, Cost(1.0), gaps=(gap("equalized_odds", 0.2),))
    data = DataCard("sample", False, 10, "0" * 64, {})
    report = Report("a/b", 0, 1.0, data, (plain,), (), Verdict("mlp", "yes"), "auroc", privacy_price=(price,))
    assert reading(price, report) == words
