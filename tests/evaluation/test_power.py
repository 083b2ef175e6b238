"""Effect sizes are Cohen's, and so many more rows find such a lead four times in five."""

import math

import numpy as np
import pytest
from scipy import stats

from pipelines.evaluation.comparison import _rows_to_decide, compare
from pipelines.evaluation.outcome import Outcome, Round
from pipelines.evaluation.paired import Paired
from pipelines.evaluation.power import effect_size, rows_to_decide
from pipelines.evaluation.spread import Spread
from pipelines.objectives.objective import Predictions

from .cases import BINARY, NUMBER, holdout, noisy_scores, two_class


def paired_errors(n=400, lead=0.1, seed=0):
    """Two numbers for each row, whose absolute errors differ by `lead` on average."""
    rng = np.random.default_rng(seed)
    target = rng.normal(size=n)
    ours, theirs = 1 + 0.3 * rng.normal(size=n), 1 + lead + 0.5 * rng.normal(size=n)
    return target, np.abs(ours), np.abs(theirs)


def test_the_effect_of_a_mean_of_rows_is_cohens_d_of_the_pairs():
    target, ours, theirs = paired_errors()
    outcomes = {
        "net": holdout(target, Predictions(target + ours)),
        "base": holdout(target, Predictions(target + theirs)),
    }
    (found,) = compare("net", ["base"], outcomes, NUMBER, "mae", resamples=2000)
    pairs = theirs - ours
    assert found.effect_size == pytest.approx(pairs.mean() / pairs.std(ddof=1), rel=0.05)
    (turned,) = compare("base", ["net"], outcomes, NUMBER, "mae", resamples=2000)
    assert turned.effect_size == pytest.approx(-found.effect_size)


def test_the_effect_does_not_grow_with_the_test():
    found = []
    for n in (300, 4800):
        rng = np.random.default_rng(1)
        target, score = noisy_scores(rng, n)
        outcomes = {"net": holdout(target, two_class(score)), "guess": holdout(target, two_class(rng.random(n)))}
        found.append(compare("net", ["guess"], outcomes, BINARY, "auroc")[0])
    assert found[0].test == "DeLong"
    assert found[1].effect_size == pytest.approx(found[0].effect_size, rel=0.3)
    assert found[1].high - found[1].low < 0.4 * (found[0].high - found[0].low)
    assert found[1].units == 4800


@pytest.mark.parametrize(("d", "n", "level"), [(0.1, 100, 0.05), (0.3, 40, 0.05), (0.2, 60, 0.05 / 3)])
def test_so_many_rows_have_the_power_of_students_test(d, n, level):
    """Against the noncentral t: the lead's standardised size times the root of all rows."""
    more = rows_to_decide(d, Spread(1 / math.sqrt(n), n - 1), level, n)
    total = n + more
    critical = stats.t.ppf(1 - level / 2, total - 1)
    assert stats.nct.sf(critical, total - 1, d * math.sqrt(total)) == pytest.approx(0.8, abs=0.03)
    assert more == float(f"{more:.2g}")


def test_what_trainings_differ_by_does_not_shrink_with_rows():
    """Three times as many rows leave a third of the rows' variance and all of the trainings'."""
    fixed, n = 0.02**2, 1000
    spread = Spread(math.sqrt(0.03**2 + fixed), math.inf, fixed=fixed)
    lead = (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) * math.sqrt(0.03**2 / 3 + fixed)
    assert rows_to_decide(lead, spread, 0.05, n) == pytest.approx(2 * n, abs=100)
    assert rows_to_decide(0.05, spread, 0.05, n) == math.inf
    assert math.isnan(rows_to_decide(0.005, spread, 0.05, n)), "next to no lead"


def test_few_folds_ask_for_more_rows_as_their_t_does():
    spread, n = Spread(0.03, 4), 1000
    lead = float(stats.t.ppf(0.975, 4) + stats.t.ppf(0.8, 4)) * 0.03 / math.sqrt(3)
    assert rows_to_decide(lead, spread, 0.05, n) == pytest.approx(2 * n, abs=100)
    assert rows_to_decide(lead, Spread(0.03, math.inf), 0.05, n) < n


@pytest.mark.parametrize(
    ("lead", "error", "fixed"),
    [(0.0, 0.1, 0.0), (1e-4, 0.1, 0.0), (math.nan, 0.1, 0.0), (0.1, math.nan, 0.0), (0, 0.1, 0.005)],
)
def test_next_to_no_lead_has_no_number_of_rows(lead, error, fixed):
    assert math.isnan(rows_to_decide(lead, Spread(error, math.inf, fixed=fixed), 0.05, 100))


def test_nothing_that_varies_has_no_effect_size():
    assert math.isnan(effect_size(0.1, 0.0, 100))


def test_an_effect_size_is_that_of_single_rows_however_they_were_tested():
    """Of fixed decisions, on average over 40 draws: a holdout's, five folds', and two repeats' of five folds."""
    ratios, n = [], 2000
    five = tuple(Round(400 * fold, 400 * (fold + 1), 1600) for fold in range(5))
    ten = (*five, *(Round(n + each.start, n + each.stop, 1600) for each in five))
    for seed in range(40):
        rng = np.random.default_rng(seed)
        target = rng.integers(0, 2, n)
        wrong = {"a": rng.random(n) < 0.25, "b": rng.random(n) < 0.35}
        by_row = wrong["b"].astype(float) - wrong["a"]
        found = []
        for rounds, copies in (((Round(0, n, 4 * n),), 1), (five, 1), (ten, 2)):
            rows = np.concatenate([np.arange(n), rng.permutation(n)])[: n * copies]
            outcomes = {
                name: Outcome(target[rows], two_class(np.where(each, 1 - target, target)[rows]), rounds, rows)
                for name, each in wrong.items()
            }
            (test,) = compare("a", ["b"], outcomes, BINARY, "accuracy", 200)
            found.append(test.effect_size)
        ratios.append(np.array(found) / (by_row.mean() / by_row.std(ddof=1)))
    holdout_, once, twice = np.median(ratios, axis=0)
    assert holdout_ == pytest.approx(1, abs=0.03)
    assert once == pytest.approx(1.09, abs=0.2)  # of five folds the median of the variance is below its mean
    assert twice == pytest.approx(1.04, abs=0.2)


def test_a_test_that_waits_for_another_needs_its_rows():
    """By Holm's method .033 decides nothing while .029, times two, does not, though alone it would."""

    def found(p_value, freedom=200):
        error = 0.01
        difference = float(stats.t.isf(p_value / 2, freedom)) * error
        tested = (difference, difference - 0.02, difference + 0.02, p_value)
        return Paired("t", tested, Spread(error, freedom), lambda bound: 1.0, 201, error**2)

    later, first = _rows_to_decide([found(0.033), found(0.029)], (1, 2), 201)
    assert later == first > 0
    assert math.isnan(_rows_to_decide([found(0.9), found(0.029)], (1, 2), 201)[0])
    assert _rows_to_decide([found(0.033), found(0.001)], (1, 2), 201) == [0.0, 0.0]
    assert _rows_to_decide([found(0.06), found(0.001)], (1, 2), 201)[0] > 0


def test_what_is_decided_needs_no_more_rows_and_corrections_ask_for_more():
    target, ours, theirs = paired_errors(lead=0.1)
    sides = {"net": ours, "base": theirs, "same": theirs[::-1]}
    outcomes = {name: holdout(target, Predictions(target + errors)) for name, errors in sides.items()}
    (alone,) = compare("net", ["base"], outcomes, NUMBER, "mae")
    among = compare("net", ["base", "same"], outcomes, NUMBER, "mae", contenders=10)
    assert alone.p_value < 0.05
    assert alone.rows_to_decide == 0
    assert among[0].rows_to_decide > 0
    weaker = holdout(target, Predictions(target + ours + 0.06))
    (few,) = compare("net", ["base"], outcomes | {"net": weaker}, NUMBER, "mae")
    (more,) = compare("net", ["base"], outcomes | {"net": weaker}, NUMBER, "mae", contenders=4)
    assert 0 < few.rows_to_decide < more.rows_to_decide
