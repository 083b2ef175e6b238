"""The likelihood ratio attack: against hand counts, known truths, and simulations of nothing to be told."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from pipelines.evaluation import lira, membership
from pipelines.evaluation.lira import confidences, halves, measured, ratios
from pipelines.objectives.objective import Predictions

from .cases import BINARY, NUMBER, TERNARY, Counted


def simulated(chance, members, others, shift, models=32, spread=1.0, between=3.0):
    """(attacked, shadows, inside): each row's confidence is normal around its own mean, higher where learned."""
    n = members + others
    mean, inside = chance.normal(0, between, n), halves(n, models, int(chance.integers(1 << 30)))
    learned = np.arange(n) < members
    said = mean + spread * chance.normal(size=(models, n)) + shift * inside
    return mean + spread * chance.normal(size=n) + shift * learned, said, inside


def test_every_row_is_learned_from_by_half_of_the_shadows_and_pairs_leave_none_out():
    labels = np.random.default_rng(0).choice(3, 101, p=[0.7, 0.25, 0.05])
    found = halves(101, 8, 0, labels)
    assert found.shape == (8, 101)
    assert (found.sum(0) == 4).all()
    np.testing.assert_array_equal(found[::2], ~found[1::2])
    assert not (found[0] == found[2]).all()
    for label in range(3):
        counts = found[:, labels == label].sum(1)
        assert np.abs(counts - (labels == label).sum() / 2).max() <= 1, "each half has its share of a class"
    np.testing.assert_array_equal(found, halves(101, 8, 0, labels))
    assert not np.array_equal(found, halves(101, 8, 1, labels))


def test_neither_side_of_an_odd_number_of_rows_is_always_the_larger():
    larger = np.mean([halves(3, 2, seed)[0].sum() == 2 for seed in range(200)])
    assert 0.35 < larger < 0.65


def test_a_person_is_learned_from_whole_or_not_at_all():
    ids = np.array(["p", "q", "p", "r", "r", "s", "q", "p"], object)
    found = halves(8, 20, 3, np.zeros(8, int), ids)
    for name in "pqrs":
        of = found[:, ids == name]
        assert (of == of[:, :1]).all()
    assert len(np.unique(found, axis=0)) > 2


def test_confidence_is_the_logit_of_the_truth():
    said = Predictions(np.array([[0.2, 0.8], [0.9, 0.1]], np.float32))
    np.testing.assert_allclose(
        confidences(BINARY, np.array([1, 1]), said), [math.log(4), math.log(1 / 9)], rtol=1e-6
    )  # fmt: skip
    three = Predictions(np.array([[0.5, 0.3, 0.2]]))
    np.testing.assert_allclose(confidences(TERNARY, np.array([0]), three), [0.0], atol=1e-12)
    np.testing.assert_allclose(confidences(TERNARY, np.array([2]), three), [math.log(0.2 / 0.8)])
    np.testing.assert_array_equal(three.values, [[0.5, 0.3, 0.2]])


def test_confidence_keeps_its_digits_where_a_model_is_nearly_certain():
    p = np.array([[1e-9, 1.0], [2e-9, 1.0], [0.0, 1.0], [1.0, 0.0]], np.float32)
    found = confidences(BINARY, np.array([1, 1, 1, 1]), Predictions(p))
    assert found[0] - found[1] == pytest.approx(math.log(2), rel=1e-4)
    assert np.isfinite(found).all()
    assert found[2] > found[0] > found[3]


def test_of_a_number_less_error_is_surer_and_of_anything_else_nothing_is_known():
    found = confidences(NUMBER, np.array([1.0, 2.0, 3.0]), Predictions(np.array([1.5, 2.0, 0.0])))
    np.testing.assert_allclose(found, [-0.5, 0.0, -3.0])
    assert confidences(Counted(), np.array(["a"]), Predictions(np.array(["a"], object))) is None


def test_the_ratio_is_that_of_two_normal_densities_with_pooled_variances():
    inside = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], bool)
    said = np.array([[3.0, 0.0], [5.0, 2.0], [1.0, 7.0], [1.5, 9.0]])
    attacked = np.array([3.5, 6.0])
    had, had_not = (2.0 + 2.0) / 2, (0.125 + 2.0) / 2  # each sum of squares over one degree of freedom a row
    online, offline = ratios(attacked, said, inside)
    expected = [
        norm.logpdf(3.5, 4.0, math.sqrt(had)) - norm.logpdf(3.5, 1.25, math.sqrt(had_not)),
        norm.logpdf(6.0, 8.0, math.sqrt(had)) - norm.logpdf(6.0, 1.0, math.sqrt(had_not)),
    ]
    np.testing.assert_allclose(online, expected)
    np.testing.assert_allclose(offline, (attacked - [1.25, 1.0]) / math.sqrt(had_not))


def test_each_attack_is_measured_by_its_own_score():
    attacked, said, inside = simulated(np.random.default_rng(0), 120, 150, shift=0.5, models=4)
    found = measured(attacked, said, inside, 120, 7)
    for name, score in zip(("lira", "lira_offline"), ratios(attacked, said, inside), strict=True):
        for measure, estimate in membership.measured(-score[:120], -score[120:], 7).items():
            assert found[f"{name}_{measure}"] == estimate
    assert found["lira_auc"] != found["lira_offline_auc"]


def test_the_auc_is_what_theory_says_where_rows_differ_more_than_membership_does():
    attacked, said, inside = simulated(np.random.default_rng(0), 6000, 6000, shift=1.0, models=64)
    found = measured(attacked, said, inside, 6000, 0)
    truth = norm.cdf(1 / math.sqrt(2))
    for attack in ("lira", "lira_offline"):
        assert found[f"{attack}_auc"].value == pytest.approx(truth, abs=0.012)
        assert found[f"{attack}_tpr_at_1_percent_fpr"].value == pytest.approx(
            norm.cdf(norm.ppf(0.01) + 1), abs=0.02
        )  # fmt: skip
    by_loss = membership.measured(-attacked[:6000], -attacked[6000:], 0)["auc"].value
    assert by_loss < 0.6


def test_intervals_hold_a_half_where_nothing_can_be_told():
    chance, held = np.random.default_rng(0), np.zeros(2)
    for repeat in range(300):
        attacked, said, inside = simulated(chance, 150, 150, shift=0.0, models=8)
        found = measured(attacked, said, inside, 150, repeat)
        ends = (found["lira_auc"], found["lira_offline_auc"])
        held += [each.low <= 0.5 <= each.high for each in ends]
    assert (held / 300 > 0.91).all()
    assert (held / 300 < 0.99).all()


def test_rows_of_one_person_are_one_unit():
    chance = np.random.default_rng(0)
    attacked, said, inside = simulated(chance, 40, 40, shift=0.5)
    tenfold = [np.repeat(each, 10, -1) for each in (attacked, said, inside)]
    alone = measured(*tenfold, 400, 0)["lira_auc"]
    together = measured(*tenfold, 400, 0, np.repeat(np.arange(80), 10))["lira_auc"]
    assert alone.value == together.value
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_models_that_all_say_the_same_tell_nothing():
    inside = halves(300, 4, 0)
    found = measured(np.full(300, 0.3), np.full((4, 300), 0.3), inside, 150, 0)
    assert {name: each.value for name, each in found.items() if name.endswith("auc")} == {
        "lira_auc": 0.5, "lira_offline_auc": 0.5,
    }  # fmt: skip


def test_the_worst_attack_is_the_one_that_tells_most():
    attacked, said, inside = simulated(np.random.default_rng(0), 300, 300, shift=1.0)
    by_loss = membership.measured(-attacked[:300], -attacked[300:], 0)
    both = {**by_loss, **lira.measured(attacked, said, inside, 300, 0)}
    assert membership.worst(by_loss) == by_loss["auc"]
    assert membership.worst(both).value == max(both[name].value for name in ("lira_auc", "lira_offline_auc"))
    assert math.isnan(membership.worst({}).value)
