"""An outcome pools folds without losing a row, and knows what is independent."""

from dataclasses import replace

import numpy as np
import pytest

from pipelines.data.examples import Examples
from pipelines.evaluation.outcome import FoldResult, Outcome, Round
from pipelines.objectives.objective import Predictions

from .cases import BINARY, two_class


def fold(labels, probability, rows, n_train, threshold=None, **columns):
    labels = np.array(labels, dtype=object)
    examples = Examples({"x": np.zeros(len(labels))}, labels, **columns)
    predictions = two_class(probability)
    return FoldResult(
        examples, predictions if threshold is None else predictions.decide(threshold), np.array(rows), n_train
    )


def test_pooling_keeps_rows_decisions_and_rounds():
    groups = {"sex": np.array(["F", None], dtype=object)}
    first = fold(["no", "yes"], [0.2, 0.4], [4, 1], 8, threshold=0.3, groups=groups, weight=np.array([1.0, 2.0]))
    second = fold(["yes", "no"], [0.4, 0.9], [0, 2], 9, threshold=0.5, groups=groups, weight=np.array([3.0, 4.0]))
    outcome = Outcome.pooled(BINARY, [first, second])
    assert outcome.target.tolist() == [0, 1, 1, 0]
    assert outcome.predictions.labels().tolist() == [0, 1, 0, 1]
    assert outcome.rows.tolist() == [4, 1, 0, 2]
    assert outcome.weight.tolist() == [1, 2, 3, 4]
    assert outcome.groups["sex"].tolist() == ["F", None, "F", None]
    assert outcome.rounds == (Round(0, 2, 8), Round(2, 4, 9))
    assert outcome.clusters is None
    assert outcome.distinct_rows == 4
    per_fold = [each["accuracy"] for each in outcome.fold_scores(BINARY)]
    assert per_fold == [1.0, 0.0]


def test_a_fold_without_threshold_decides_for_the_most_probable_class():
    parts = [fold(["no", "yes"], [0.4, 0.6], [0, 1], 8), fold(["no", "yes"], [0.4, 0.6], [2, 3], 8, threshold=0.3)]
    assert Outcome.pooled(BINARY, parts).predictions.labels().tolist() == [0, 1, 1, 1]


def test_copies_of_a_row_and_rows_of_an_id_are_one_unit():
    twice = [fold(["no", "yes"], [0.1, 0.9], rows, 8) for rows in ([0, 1], [1, 0])]
    outcome = Outcome.pooled(BINARY, twice)
    assert outcome.clusters.tolist() == [0, 1, 1, 0]
    assert outcome.distinct_rows == 2
    ids = {"ids": np.array(["p", "p"], dtype=object)}
    assert Outcome.pooled(BINARY, [fold(["no", "yes"], [0.1, 0.9], [0, 1], 8, **ids)]).clusters.tolist() == [0, 0]
    ids = {"ids": np.array(["p", "q"], dtype=object)}
    assert Outcome.pooled(BINARY, [fold(["no", "yes"], [0.1, 0.9], [0, 1], 8, **ids)]).clusters is None


@pytest.mark.parametrize("rounds", [(), (Round(0, 2, 5),), (Round(0, 2, 5), Round(1, 3, 5))])
def test_rounds_must_cover_the_rows(rounds):
    with pytest.raises(ValueError, match="do not cover 3 rows"):
        Outcome(np.zeros(3), Predictions(np.zeros(3)), rounds, np.arange(3))


def test_columns_must_have_one_length():
    with pytest.raises(ValueError, match="other lengths"):
        Outcome(np.zeros(3), Predictions(np.zeros(3)), (Round(0, 3, 5),), np.arange(2))


def test_blocks_of_rows_in_time_hold_at_least_what_is_asked_for():
    chance = np.random.default_rng(0)
    n = 400
    predictions = Predictions(np.column_stack([1 - (score := chance.random(n)), score]))
    target, rows, time = chance.integers(0, 2, n), np.arange(n), np.arange(n, dtype=float)
    plain = Outcome(target, predictions, (Round(0, n, n),), rows, time=time)
    assert plain.length < 10
    assert replace(plain, least=25.0).length == 25
    assert replace(plain, least=1e9).length == n / 4  # blocks enough to show a spread
    assert replace(plain, least=25.0, block=7).length == 7
    assert replace(plain, least=25.0).units < plain.units
    assert replace(plain, least=25.0, time=None).length == 1
