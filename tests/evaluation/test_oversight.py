"""What is automated, counted by hand; folds, groups and classes."""

from dataclasses import replace

import numpy as np
import pytest

from pipelines.evaluation.intervals import cross_validated, proportion
from pipelines.evaluation.outcome import Outcome, Round
from pipelines.evaluation.oversight import measured, more
from pipelines.objectives.objective import Predictions
from pipelines.report.document import Estimate

LABELS = ("good", "bad")


def outcome(target, decided, rounds=None, **more):
    n = len(target)
    predictions = Predictions(np.full((n, 2), 0.5), np.asarray(decided))
    return Outcome(np.asarray(target), predictions, rounds or (Round(0, n, 2 * n),), np.arange(n), **more)


def report(of, automated, at=0.05, others=()):
    levels = {at: automated, **dict(others)}
    return measured(of, np.linspace(1, 0.5, len(of)), levels, at, 77, LABELS)


#                 automated .................  a person ..........
TARGET = np.array([0, 0, 0, 1, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0])
DECIDED = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 1, 0, 1, 0, 0])
ALONE = np.arange(16) < 8


def test_what_is_left_to_persons_is_counted_by_hand():
    found = report(outcome(TARGET, DECIDED), ALONE)
    level = found.acted
    assert (found.at, found.rows, found.shares) == (0.05, 77, (0.5,))
    assert level.share.value == 8 / 16
    assert level.error.value == 2 / 8
    assert level.sent_per_1000.value == 500
    assert (level.sent_per_1000.low, level.sent_per_1000.high) == pytest.approx(
        (1000 * (1 - level.share.high), 1000 * (1 - level.share.low))
    )
    assert level.caught.value == pytest.approx(5 / 7)
    assert level.left_per_1000.value == pytest.approx(1000 * 2 / 16)
    assert found.error_of_all.value == pytest.approx(7 / 16)
    assert (level.error.low, level.error.high) == pytest.approx(tuple(vars(proportion(np.arange(8) < 2)).values())[1:])


def test_each_class_has_its_own_share_and_error():
    good, bad = report(outcome(TARGET, DECIDED), ALONE).classes
    assert (good.label, good.n, bad.label, bad.n) == ("good", 10, "bad", 6)
    assert (good.share.value, bad.share.value) == (5 / 10, 3 / 6)
    assert (good.error.value, bad.error.value) == (1 / 5, pytest.approx(1 / 3))
    assert good.lost.value == 1 / 9, "one of nine good ones is decided bad without a person"
    assert bad.lost.value == pytest.approx(1 / 7)


def test_nothing_automated_is_told_as_such():
    found = report(outcome(TARGET, DECIDED), ~(ALONE | True))
    level = found.acted
    assert (level.share.value, level.caught.value, level.left_per_1000.value) == (0, 1, 0)
    assert np.isnan(level.error.value)
    assert level.sent_per_1000.value == 1000


def test_where_nothing_may_be_automated_nothing_is_estimated():
    of = outcome(TARGET, DECIDED, groups={"sex": np.array(["f", "m"] * 8, object)})
    levels = {0.05: ~(ALONE | True), 0.2: ALONE}
    found = measured(of, np.linspace(1, 0.5, 16), levels, 0.05, 7, LABELS, [0.05])
    level = found.acted
    assert (level.share, level.left_per_1000) == (Estimate(0, 0, 0), Estimate(0, 0, 0))
    assert (level.sent_per_1000, level.caught) == (Estimate(1000, 1000, 1000), Estimate(1, 1, 1))
    assert (found.classes, found.groups, found.gaps) == ((), (), ())
    assert found.levels[1].share.value == 0.5
    reached = measured(of, np.linspace(1, 0.5, 16), levels, 0.05, 7, LABELS)
    assert reached.acted.share.high > 0.1, "a cut-off that no tested row reached may be reached by others"
    assert len(reached.groups) == 2


def test_stated_errors_rise_and_the_one_acted_on_is_told_by_class():
    found = report(outcome(TARGET, DECIDED), ALONE, 0.05, [(0.2, ALONE | True), (0.01, ~(ALONE | True))])
    assert [each.at for each in found.levels] == [0.01, 0.05, 0.2]
    assert [each.share.value for each in found.levels] == [0, 0.5, 1]
    assert found.acted is found.levels[1]


def test_of_cross_validation_the_share_is_the_mean_of_the_folds_with_the_corrected_interval():
    chance = np.random.default_rng(0)
    rounds = tuple(Round(100 * place, 100 * (place + 1), 300) for place in range(4))
    shares = np.repeat([0.0, 0.2, 0.3, 0.9], 100)
    alone = chance.random(400) < shares
    target = chance.integers(0, 2, 400)
    of = outcome(target, target, rounds)
    found = report(of, alone)
    by_fold = alone.reshape(4, 100).mean(axis=1)
    assert found.shares == pytest.approx(by_fold.tolist())
    expected = cross_validated(by_fold, 300, 100)
    assert found.acted.share.value == pytest.approx(expected.value)
    assert found.acted.share.high == pytest.approx(min(expected.high, 1))
    assert found.acted.share.low == max(expected.low, 0)
    one = report(outcome(target, target), alone)
    assert one.acted.share.low > found.acted.share.low


def test_folds_that_agree_are_as_sure_as_their_rows_are_many():
    rounds = tuple(Round(100 * place, 100 * (place + 1), 300) for place in range(4))
    alone = np.arange(400) % 2 == 0
    found = report(outcome(np.zeros(400, int), np.zeros(400, int), rounds), alone).acted.share
    expected = cross_validated(np.full(4, 0.5), 300, 100, 0.5 / np.sqrt(400))
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=0.01)


def test_rows_of_one_person_make_intervals_wider():
    chance = np.random.default_rng(1)
    ids, target = np.arange(600) // 6, np.zeros(600, int)
    alone = (chance.random(100) < 0.5)[ids]
    wide = report(outcome(target, target, ids=ids.astype(str)), alone).acted.share
    narrow = report(outcome(target, target), alone).acted.share
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)
    wrong = (chance.random(100) < 0.3)[ids].astype(int)
    wide = report(outcome(target, wrong, ids=ids.astype(str)), alone).acted.error
    narrow = report(outcome(target, wrong), alone).acted.error
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_rows_that_are_tested_again_are_counted_once():
    of = outcome(np.tile(TARGET, 2), np.tile(DECIDED, 2), (Round(0, 16, 32), Round(16, 32, 32, training=1)))
    found = report(replace(of, rows=np.tile(np.arange(16), 2)), np.tile(ALONE, 2))
    assert [each.n for each in found.classes] == [10, 6]


def test_rows_of_more_weight_count_for_more_in_a_fold():
    rounds = (Round(0, 2, 8), Round(2, 4, 8))
    of = outcome(np.zeros(4, int), np.zeros(4, int), rounds, weight=np.array([3.0, 1.0, 0.0, 0.0]))
    assert report(of, np.array([True, False, True, True])).shares == (0.75, 0)


def test_who_is_sent_more_often_is_found_and_corrected_for_the_attributes():
    chance = np.random.default_rng(2)
    sex = chance.choice(np.array(["f", "m"], object), 800)
    other = chance.choice(np.array(["x", "y"], object), 800)
    alone = chance.random(800) < np.where(sex == "f", 0.3, 0.5)
    of = outcome(np.zeros(800, int), np.zeros(800, int), groups={"sex": sex, "other": other})
    found = report(of, alone)
    rows = {row.group: row for row in found.groups}
    assert rows["f"].referred.value == pytest.approx(1 - alone[sex == "f"].mean())
    first, second = found.gaps
    assert (first.attribute, first.groups) == ("sex", ("m", "f"))
    assert first.p_value < 0.001
    assert second.p_value > 0.05
    single = report(outcome(np.zeros(800, int), np.zeros(800, int), groups={"sex": sex}), alone)
    assert first.p_value == pytest.approx(2 * single.gaps[0].p_value)


def test_more_is_the_paired_difference():
    ours, other = np.arange(400) < 240, np.arange(400) < 200
    of = outcome(np.zeros(400, int), np.zeros(400, int))
    found = more(of, ours, other)
    assert found.value == pytest.approx(0.1)
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * 0.3 / 20, rel=0.02), (
        "rows that both automate add nothing"
    )
    assert more(of, ours, ours).value == 0
    rounds = tuple(Round(100 * place, 100 * (place + 1), 300) for place in range(4))
    folds = more(outcome(np.zeros(400, int), np.zeros(400, int), rounds), ours, other)
    assert folds.value == pytest.approx(0.1)
    assert folds.low < -0.1, "one fold differs, three do not"
