"""Growth: crossings and slopes of numbers whose truth is known, one correction over all sizes, and what is said."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from pipelines.evaluation.comparison import compare, corrected_resampled_t, holm
from pipelines.evaluation.growth import compared, crossing, crossing_interval, drawn, gains
from pipelines.evaluation.intervals import corrected_error
from pipelines.evaluation.outcome import Outcome, Round
from pipelines.evaluation.overtaking import read
from pipelines.objectives.objective import Predictions
from pipelines.objectives.regression import Regression
from pipelines.report.document import Comparison, Estimate
from pipelines.report.study import Learner, Size

ROWS = (100, 200, 400, 800)
NUMBERS = Regression()


def outcome(errors, folds=1, n_train=300):
    """A test of numbers whose truth is 0, so that the errors are the predictions."""
    errors = np.asarray(errors, float)
    edges = np.linspace(0, len(errors), folds + 1).astype(int)
    rounds = tuple(Round(int(start), int(stop), n_train) for start, stop in pairwise(edges))
    return Outcome(np.zeros(len(errors)), Predictions(errors), rounds, np.arange(len(errors)))


def sized(leads, p_values=None, baselines=("linear",)):
    """Sizes at which `mlp` leads each baseline by so much; scores are RMSE-like numbers, smaller being better."""
    found = []
    for place, lead in enumerate(leads):
        p_value = 1.0 if p_values is None else p_values[place]
        base = Learner(baselines[0], "classical", {"rmse": Estimate(1.0)}, 0.0)
        ours = Learner("mlp", "network", {"rmse": Estimate(1.0 - lead)}, 0.0)
        tests = (Comparison("mlp", baselines[0], "rmse", lead, lead - 0.1, lead + 0.1, p_value, "t"),)
        found.append(Size(ROWS[place] / 800, ROWS[place], {"train": 1, "valid": 1, "test": 1}, (ours, base), tests))
    return found


@pytest.mark.parametrize(
    ("leads", "rows"),
    [
        ((-1, -1, 1, 2), math.sqrt(200 * 400)),  # half way on the logarithm
        ((-3, -1, 0, 1), 400),  # a lead of 0 is none
        ((-1, -1, -1, 3), 400 * 2**0.25),
        ((1, 2, 3, 4), 0),
        ((1, 2, 3, -4), math.inf),
        ((0, 0, 0, 0), math.inf),
        ((1, -1, 1, 1), math.sqrt(200 * 400)),  # what is lost again does not count
    ],
)
def test_the_crossing_is_where_the_lead_turns_positive_for_good(leads, rows):
    assert crossing(ROWS, np.array(leads, float))[0] == pytest.approx(rows)


def test_many_leads_at_once_are_each_crossed_by_themselves():
    leads = np.random.default_rng(0).normal(size=(500, 4)) + np.linspace(-1, 1, 4)
    together = crossing(ROWS, leads)
    np.testing.assert_allclose(together, [crossing(ROWS, each)[0] for each in leads])
    assert {0.0, math.inf} < set(together)


def power_law(ceiling, gap, exponent, rng, n=2000):
    """Outcomes by size whose RMSE is ceiling + gap n^-exponent; all of one contender share the luck of the rows."""
    luck = rng.normal(size=n)
    luck /= math.sqrt((luck**2).mean())
    return [outcome(luck * (ceiling + gap * rows**-exponent)) for rows in ROWS]


def test_the_interval_holds_the_crossing_of_two_power_laws():
    """RMSE 0.8 + 4 n^-.5 (network) passes 1 + 1 n^-.5 where 3 n^-.5 = 0.2: n = 225. The straight line says 229.

    Where both meet the same luck on each row it cancels, and nothing is left to be unsure of.
    """
    laws = ((0.8, 4, 0.5), (1.0, 1, 0.5))
    paired = [power_law(*law, np.random.default_rng(0)) for law in laws]
    assert crossing_interval(ROWS, *paired, NUMBERS, 500, 0) == pytest.approx((225, 225), rel=0.025)
    apart = [power_law(*law, np.random.default_rng(place)) for place, law in enumerate(laws)]
    low, high = crossing_interval(ROWS, *apart, NUMBERS, 500, 0)
    assert low < 215
    assert high > 240


def test_a_crossing_beyond_what_was_measured_is_infinite():
    worse, better = (power_law(level, 0, 1, np.random.default_rng(1)) for level in (2.0, 1.0))
    assert crossing_interval(ROWS, worse, better, NUMBERS, 200, 0) == (math.inf, math.inf)
    assert crossing_interval(ROWS, better, worse, NUMBERS, 200, 0) == (0.0, 0.0)


def test_draws_of_cross_validation_have_the_corrected_variance_and_the_folds_covariance():
    """Half the middle 95 % of the draws of a difference is half the paired test's interval."""
    rng = np.random.default_rng(0)
    one, two = (outcome(rng.normal(size=500), folds=5, n_train=400) for _ in range(2))
    values, others = (np.array([fold["rmse"] for fold in each.fold_scores(NUMBERS)]) for each in (one, two))
    alone = drawn(one, NUMBERS, 40_000, 3)
    assert alone.mean() == pytest.approx(values.mean(), abs=1e-3)
    kept = np.abs(alone - values.mean()) < 8 * corrected_error(values, 400, 100)  # t of 4 degrees has long tails
    assert kept.mean() > 0.99
    difference = alone - drawn(two, NUMBERS, 40_000, 3)
    _, low, high, _ = corrected_resampled_t(values - others, 400, 100)
    np.testing.assert_allclose(np.quantile(difference, [0.025, 0.975]), [low, high], atol=0.04 * (high - low))


def test_the_crossing_of_cross_validation_has_the_middle_95_of_100_draws():
    rng = np.random.default_rng(0)
    # One network that gains, one baseline that does not.
    sides = [
        [outcome(rng.normal(size=500) * (level - gain * place), folds=5, n_train=400) for place in range(len(ROWS))]
        for level, gain in ((1.1, 0.05), (1.0, 0.0))
    ]
    found = crossing_interval(ROWS, *sides, NUMBERS, 2000, 0)
    draws = [
        np.stack([drawn(each, NUMBERS, 2000, 0, 1.0, (side, place)) for place, each in enumerate(some)], axis=1)
        for side, some in enumerate(sides)
    ]
    crossed = crossing(ROWS, draws[1] - draws[0])
    assert found == tuple(np.quantile(crossed, [0.025, 0.975], method="inverted_cdf"))
    assert found != tuple(np.quantile(crossed, [0.05, 0.95], method="inverted_cdf"))


@pytest.mark.parametrize("folds", [1, 5])
def test_what_doubling_gave_is_the_paired_difference_by_doublings(folds):
    """RMSE 1.0 at 100 rows and 0.7 at 800, three doublings on: 0.1 each. Smaller is better, so the gain is positive."""
    luck = np.tile([1.0, -1.0], 500)
    sizes = [{"mlp": outcome(luck * level, folds)} for level in (1.0, 0.7)]
    (found,) = gains(["mlp", "gone"], [100, 800], sizes, NUMBERS, 200, 0)
    assert (found.contender, found.from_rows, found.to_rows) == ("mlp", 100, 800)
    assert found.per_doubling.value == pytest.approx(0.1)
    assert found.per_doubling.low <= 0.1 + 1e-9 <= found.per_doubling.high + 2e-9


def test_gains_are_between_the_two_largest_sizes_that_were_measured():
    luck = np.tile([1.0, -1.0], 100)
    sizes = [{"mlp": outcome(luck * level)} for level in (1.0, 0.8, 0.6)]
    (found,) = gains(["mlp"], [100, 200, 400], [*sizes[:2], {}], NUMBERS, 100, 0)
    assert (found.from_rows, found.to_rows, found.per_doubling.value) == (100, 200, pytest.approx(0.2))


def test_p_values_are_corrected_over_all_sizes_and_baselines_together():
    rng = np.random.default_rng(0)
    sizes = [{name: outcome(rng.normal(size=60)) for name in ("mlp", "linear", "forest")} for _ in range(3)]
    del sizes[0]["forest"]  # left out at the smallest size
    found = compared(["mlp"], ["linear", "forest"], sizes, NUMBERS, 200, 0)
    assert [[each.baseline for each in tests] for tests in found] == [["linear"], *[["linear", "forest"]] * 2]
    raw = [
        compare("mlp", [each.baseline], outcomes, NUMBERS, "rmse", 200, 0)[0].p_value
        for outcomes, tests in zip(sizes, found, strict=True)
        for each in tests
    ]
    assert [each.p_value for tests in found for each in tests] == list(holm(raw))
    assert len(raw) == 5
    for each in (test for tests in found for test in tests):
        assert each.rows_to_decide == 0 if each.p_value < 0.05 else math.isnan(each.rows_to_decide)


def reading(leads, p_values=None, found=()):
    flat = {name: outcome(np.tile([1.0, -1.0], 20)) for name in ("mlp", "linear")}
    return read("mlp", sized(leads, p_values), [flat] * len(leads), found, NUMBERS, 100, 0)


@pytest.mark.parametrize(
    ("leads", "p_values", "ahead", "sure", "said"),
    [
        ((-0.2, -0.1, 0.1, 0.2), (1, 1, 0.2, 0.01), 400, 800,
         "mlp overtakes the best baseline between 200 and 400 rows, at about 283"),
        ((-0.2, -0.1, 0.1, 0.2), (1, 1, 0.01, 0.2), 400, None, "is significant only at 400 rows (p = 0.2 with"),
        ((-0.2, -0.1, 0.1, 0.2), None, 400, None, "The lead is significant at no amount of data"),
        ((0.1, 0.1, 0.1, 0.2), (0.01,) * 4, 100, 100, "is ahead of the best baseline at every amount of data"),
        ((-0.2, -0.1, -0.1, -0.05), (0.01,) * 4, None, None,
         "mlp does not overtake the best baseline with up to 800 rows, where it is 0.05 RMSE (-0.0500 to +0.1500) "
         "behind linear, which is significant (p = 0.01, corrected for 4 tests)"),
        ((0.2, 0.1, -0.1, -0.05), (0.01, 0.01, 1, 1), None, None,
         "; it was ahead at 100 and 200 rows only, which is not significant"),
        ((-0.1, -0.1, -0.1, 0.0), None, None, None, "where it is level with linear"),
    ],
)  # fmt: skip
def test_where_a_network_overtakes_is_read_from_where_on_it_stays_ahead(leads, p_values, ahead, sure, said):
    found = reading(leads, p_values)
    assert (found.ahead_from, found.surely_from) == (ahead, sure)
    assert said in found.sentence
    assert (found.between == (200, 400)) == (ahead == 400)
    assert math.isnan(found.crossing.value) == (ahead in (None, 100))


def test_the_best_baseline_is_the_one_of_each_size():
    """`forest` is the better one at the larger size; that `mlp` beats `linear` there is not a lead."""
    sizes = []
    for place, (linear, forest) in enumerate(((0.5, 2.0), (0.9, 0.4))):
        cards = tuple(
            Learner(name, "classical" if name != "mlp" else "network", {"rmse": Estimate(value)}, 0.0)
            for name, value in (("mlp", 0.6), ("linear", linear), ("forest", forest))
        )
        tests = tuple(
            Comparison("mlp", name, "rmse", value - 0.6, math.nan, math.nan, 1.0, "t")
            for name, value in (("linear", linear), ("forest", forest))
        )
        sizes.append(Size(0.5, ROWS[place], {}, cards, tests))
    flat = {name: outcome(np.tile([1.0, -1.0], 20)) for name in ("mlp", "linear", "forest")}
    found = read("mlp", sizes, [flat, flat], (), NUMBERS, 100, 0)
    assert found.ahead_from is None
    assert "behind forest" in found.sentence


def test_a_size_without_the_network_is_passed_over():
    sizes = sized((-0.2, -0.1, 0.1, 0.2))
    sizes[1] = replace(sizes[1], contenders=sizes[1].contenders[1:], comparisons=())
    flat = {name: outcome(np.tile([1.0, -1.0], 20)) for name in ("mlp", "linear")}
    found = read("mlp", sizes, [flat] * 4, (), NUMBERS, 100, 0)
    assert found.between == (100, 400)
    nowhere = read("mlp", [replace(each, comparisons=()) for each in sizes], [flat] * 4, (), NUMBERS, 100, 0)
    assert nowhere.sentence == "mlp could not be compared with a baseline at any amount of data."


def test_what_trainings_differ_by_is_not_shared_and_widens_the_crossing():
    """Three trainings at each size, on the same rows, whose RMSE is 0.9, 1 or 1.1 of what the law says."""

    def trained(luck, level):
        errors = np.concatenate([luck * level * each for each in (0.9, 1.0, 1.1)])
        rounds = tuple(Round(number * 2000, (number + 1) * 2000, 300, number) for number in range(3))
        return Outcome(np.zeros(6000), Predictions(errors), rounds, np.tile(np.arange(2000), 3))

    luck = np.tile([1.0, -1.0], 1000)
    levels = [[gap * rows**-0.5 + ceiling for rows in ROWS] for ceiling, gap in ((0.8, 4), (1.0, 1))]
    several = [[trained(luck, level) for level in each] for each in levels]
    low, high = crossing_interval(ROWS, *several, NUMBERS, 500, 0)
    assert low < 200 < 229 < high
    found = drawn(several[0][0], NUMBERS, 4000, 0)
    assert found.std() == pytest.approx(levels[0][0] * 0.1 / math.sqrt(3), rel=0.1)
