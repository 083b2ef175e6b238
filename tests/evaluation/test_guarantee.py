"""The promise of validation rows: its p-values are the binomial's, its cut-offs part no ties, persons count once."""

import numpy as np
import pytest
from scipy.stats import binom, norm, t

from pipelines.evaluation.guarantee import APART, DOUBT, Guarantee, _few, fewest, least_confidences


def sure(n):
    """(n,) falling confidences."""
    return np.linspace(1.0, 0.5, n)


def test_so_many_right_decisions_show_an_error():
    assert [fewest(error) for error in (0.01, 0.05, 0.1)] == [299, 59, 29]
    right = np.zeros(59, bool)
    assert Guarantee.of(right, sure(59)).least(0.05) == 0.5
    assert Guarantee.of(right[1:], sure(58)).least(0.05) is None
    assert Guarantee.of(right[:0], sure(0)).least(0.05) is None


def test_a_cut_off_has_the_exact_binomial_p_value():
    chance = np.random.default_rng(0)
    wrong = chance.random(250) < np.linspace(0, 0.3, 250)
    found = Guarantee.of(wrong, sure(250))
    counts = np.array([np.sum(sure(250) >= least) for least in found.confidence])
    assert len(counts) == 100
    errors = [wrong[:count].sum() for count in counts]
    np.testing.assert_allclose(found._p_values(0.1), binom.cdf(errors, counts, 0.1), rtol=1e-9)


def test_as_much_is_automated_as_the_last_cut_off_that_was_reached_without_a_gap():
    wrong = np.zeros(2000, bool)
    wrong[1000::2] = True
    least = Guarantee.of(wrong, sure(2000)).least(0.05)
    automated = sure(2000) >= least
    assert 1000 < automated.sum() < 1120
    assert binom.cdf(wrong[automated].sum(), automated.sum(), 0.05) <= DOUBT
    assert Guarantee.of(wrong, sure(2000)).least(0.01) >= least
    assert Guarantee.of(~wrong, sure(2000)).least(0.05) is None


def test_one_error_of_the_surest_does_not_end_it():
    """A single chain that began at the surest decisions would never get beyond it."""
    wrong = np.zeros(2000, bool)
    wrong[:4] = True
    least = Guarantee.of(wrong, sure(2000)).least(0.05)
    assert least == 0.5


def test_the_shares_of_the_doubt_add_up_to_it_and_grow_apart():
    found = Guarantee.of(np.zeros(3000, bool), sure(3000))
    share = found._shares(0.05)
    places = np.flatnonzero(share)
    assert share.sum() == pytest.approx(DOUBT)
    assert len(places) == 5, "a sixth would begin at 94 x 32 rows, of which there are 3000"
    assert found.counted[places[0]] >= fewest(0.05, DOUBT / 5)
    assert found.counted[places[1:]] / found.counted[places[:-1]] == pytest.approx(APART, rel=0.2)


def test_what_a_rejected_cut_off_had_of_the_doubt_goes_on_to_the_next():
    counts = np.array([72.0, 150.0])
    found = Guarantee(np.array([0.9, 0.8]), np.array([0.0, 2.4 / 150]), counts, counts, 200.0)
    assert found._shares(0.05) == pytest.approx([DOUBT / 2, DOUBT / 2])
    assert DOUBT / 2 < found._p_values(0.05)[1] < DOUBT, "neither share alone would do"
    assert found.least(0.05) == 0.8


def test_the_same_confidence_is_automated_together():
    wrong = np.zeros(400, bool)
    wrong[300:] = True
    blocks = np.repeat([0.9, 0.8, 0.7, 0.6], 100)
    found = Guarantee.of(wrong, blocks)
    assert found.confidence.tolist() == [0.9, 0.8, 0.7, 0.6]
    assert found.least(0.05) == 0.7
    assert Guarantee.of(wrong, np.ones(400)).least(0.05) is None
    assert Guarantee.of(wrong, np.ones(400)).least(0.3) == 1.0


def test_the_order_of_the_rows_does_not_matter():
    chance = np.random.default_rng(1)
    wrong, confidence = chance.random(700) < 0.03, np.round(chance.random(700), 2)
    turned = chance.permutation(700)
    assert Guarantee.of(wrong, confidence).least(0.1) == Guarantee.of(wrong[turned], confidence[turned]).least(0.1)


def test_rows_of_one_person_count_for_less():
    chance = np.random.default_rng(2)
    persons, many = np.arange(600) // 10, sure(600)
    by_person = (chance.random(60) < 0.03)[persons]
    alone = Guarantee.of(by_person, many)
    together = Guarantee.of(by_person, many, clusters=persons)
    assert together.rows < 70
    assert alone.rows == 600
    assert (together._p_values(0.1) >= alone._p_values(0.1) - 1e-12).all()
    none = Guarantee.of(np.zeros(600, bool), many, clusters=persons)
    assert none.rows == pytest.approx(60, rel=0.1)
    assert none.rows < 60, "few persons count for a little less"


def test_the_surest_of_many_persons_count_for_no_more_than_all_decisions_show():
    persons = np.concatenate([np.arange(100), np.repeat(np.arange(100, 110), 30)])
    wrong = np.concatenate([np.arange(100) % 20 == 0, np.repeat(np.arange(10) < 5, 30)])
    found = Guarantee.of(wrong, sure(400), clusters=persons)
    assert found.rows < 40
    assert (found.size <= found.counted + 1e-9).all()


def test_few_persons_count_for_less_by_their_one_sided_quantile():
    assert _few(10) == pytest.approx((norm.ppf(1 - DOUBT) / t.ppf(1 - DOUBT, 9)) ** 2)
    assert _few(10**6) == pytest.approx(1, abs=1e-4)


def test_rows_without_weight_do_not_count_and_even_weights_change_little():
    wrong, weight = np.zeros(300, bool), np.ones(300)
    wrong[200:], weight[200:] = True, 0.0
    assert Guarantee.of(wrong, sure(300), weight).least(0.05) == pytest.approx(sure(300)[199])
    uneven = np.where(np.arange(100) % 10 == 0, 20.0, 0.1)
    some = np.arange(100) % 25 == 0
    assert Guarantee.of(some, sure(100), uneven).rows < 20


def test_every_stated_error_is_promised_by_itself():
    wrong = np.zeros(500, bool)
    wrong[450:] = True
    found = least_confidences(Guarantee.of(wrong, sure(500)), (0.001, 0.05, 0.2), 2.0)
    assert found[0.001] == 2.0
    assert found[0.2] == 0.5
    assert 0.5 < found[0.05] < 1


def test_the_promise_is_kept_where_every_decision_errs_as_often_as_stated():
    """The hardest world: any automation at all breaks the promise, of which one in twenty may."""
    broken = 0
    for seed in range(1000):
        wrong = np.random.default_rng(seed).random(400) < 0.0501
        broken += Guarantee.of(wrong, sure(400)).least(0.05) is not None
    assert broken / 1000 <= 0.05 + 2.5 * (0.05 * 0.95 / 1000) ** 0.5
    assert broken > 10, "one that automates nothing keeps every promise"
