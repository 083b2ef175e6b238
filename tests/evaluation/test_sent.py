"""Who is sent to a person, and how good what each group keeps is."""

import numpy as np
import pytest

from pipelines.evaluation.groups import UNKNOWN
from pipelines.evaluation.outcome import Outcome, Round
from pipelines.evaluation.sent import by_group
from pipelines.objectives.objective import Predictions


def outcome(**groups):
    n = len(next(iter(groups.values())))
    predictions = Predictions(np.full((n, 2), 0.5), np.zeros(n, int))
    return Outcome(np.zeros(n, int), predictions, (Round(0, n, 2 * n),), np.arange(n), groups=groups)


def test_what_a_group_keeps_is_judged_without_what_is_sent():
    sex = np.repeat(np.array(["f", "m"], object), 20)
    place = np.arange(40) % 20
    sent, right = place < 8, (place < 8) | (place >= 11)
    rows, _ = by_group(outcome(sex=sex), sent, right)
    assert [(row.group, row.n, row.referred.value) for row in rows] == [("f", 20, 0.4), ("m", 20, 0.4)]
    assert [row.right.value for row in rows] == [pytest.approx(9 / 12)] * 2


def test_few_rows_and_those_of_whom_nothing_is_known_are_in_no_gap():
    group = np.array(["a"] * 40 + ["b"] * 40 + ["few"] * 9 + [None] * 40, object)
    sent = np.zeros(len(group), bool)
    sent[:20] = sent[40:50] = sent[80:] = True
    rows, (gap,) = by_group(outcome(town=group), sent, ~sent)
    assert {row.group for row in rows} == {"a", "b", "few", UNKNOWN}
    assert gap.groups == ("b", "a")
    assert gap.difference == pytest.approx(0.25)
    assert by_group(outcome(town=group[80:]), sent[80:], ~sent[80:])[1] == ()
