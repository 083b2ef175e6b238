"""A penalised network on rows with a planted bias: the gap halves, and validation rows choose how strongly."""

import numpy as np
import pytest
from planted import planted

from pipelines.contenders.network import NetworkContender
from pipelines.contenders.penalised import PenalisedNetwork, Standing, _kept
from pipelines.contenders.remembered import Remembered
from pipelines.models import tabular
from pipelines.objectives.classification import Classification
from pipelines.task import Network, Recipe

RECIPE = Recipe(epochs=12, batch_size=256, width=16, learning_rate=1e-2, plan="resident", gap_penalty=20.0)


@pytest.fixture(scope="module")
def parts():
    rows = planted(1600)
    return rows.take(np.arange(800)), rows.take(np.arange(800, 1000)), rows.take(np.arange(1000, 1600))


@pytest.fixture(scope="module")
def base(parts):
    objective = Classification(positive="yes").resolve(parts[0].target)
    return Remembered(NetworkContender(Network("mlp", tabular.mlp), objective, RECIPE))


def apart(fitted, rows, objective):
    """The wider of the gaps in the rates of both classes, where half of all rows are decided positive."""
    said, truth = fitted.predict(rows).values[:, 1], objective.encode(rows.target)
    chosen, member = said >= np.median(said), rows.groups["group"] == "b"
    return max(
        abs(chosen[member & (truth == label)].mean() - chosen[~member & (truth == label)].mean()) for label in (0, 1)
    )


def test_the_penalty_halves_a_planted_gap(parts, base):
    train, valid, test = parts
    contender = PenalisedNetwork.like(base, "group", ("a", "b"))
    assert (contender.name, contender.kind) == ("mlp+penalty", "mitigated")
    # Of two seeds: on 600 tested rows the gap of a single training differs by .1 from another's.
    pairs = [(base.fit(train, valid, seed), contender.fit(train, valid, seed)) for seed in (1, 2)]
    gaps = [np.mean([apart(each, test, contender.objective) for each in side]) for side in zip(*pairs, strict=True)]
    before, after = pairs[0]
    assert gaps[0] > 0.2
    assert gaps[1] < gaps[0] / 2
    scores = [
        contender.objective.scores(contender.objective.encode(test.target), each.predict(test))
        for each in (before, after)
    ]
    assert scores[1]["auroc"] > 0.7
    assert after.settings["mitigation"].startswith("strength 20; on validation rows the penalised gap, a square, is ")
    assert "more than it may cost" not in after.settings["mitigation"], "nobody chose among strengths"
    # The training without it, which it is judged by, counts.
    assert after.cost.train_seconds > before.cost.train_seconds


def test_groups_that_are_small_or_unknown_are_not_compared(parts, base):
    train = parts[0]
    names = train.groups["group"].copy()
    names[:30] = "c"
    names[30:60] = None
    contender = PenalisedNetwork.like(base, "group", ("a", "b", "c"))
    few = type(train)(train.columns, np.where(names == "c", "no", train.target), groups={"group": names})
    contender._compare(few)
    assert contender._code == {"a": 0, "b": 1}
    coded = contender._coded(few, contender.objective.encode(few.target))
    assert (coded[:60, 1] == -1).all()
    assert set(coded[60:, 1]) == {0, 1}


@pytest.mark.parametrize(
    ("tried", "expected"),
    [
        ([(0.02, 0.80), (0.01, 0.795), (0.001, 0.70)], 1),  # the third costs too much
        ([(0.02, 0.80), (0.03, 0.80), (0.001, 0.795)], 2),
        ([(0.02, 0.70), (0.01, 0.60), (0.001, 0.5)], 0),  # all do
        ([(0.02, np.nan), (0.01, np.nan), (0.001, np.nan)], 0),  # one class among the validation rows
    ],
)
def test_validation_rows_choose_the_strength(tried, expected):
    assert _kept(Standing(0.05, 0.802), [Standing(*each) for each in tried]) == expected
