"""Soft labels: a row that judges disagree about teaches both classes, and the test looks at its label alone."""

from dataclasses import replace

import numpy as np
import pytest
from contender_cases import pictures

from pipelines.contenders.classical import ClassicalContender
from pipelines.contenders.network import NetworkContender
from pipelines.contenders.opinions import softened, why_not
from pipelines.contenders.pictures import BASELINES
from pipelines.data.examples import Examples
from pipelines.errors import BadInput
from pipelines.models.vision import small_resnet
from pipelines.objectives.classification import Classification
from pipelines.task import Network, Recipe

OBJECTIVE = Classification(classes=("benign", "malignant"))


def judged(target, opinion, **more):
    n = len(target)
    return Examples({"x": np.arange(n) * 1.0}, np.array(target, dtype=object), opinion=np.array(opinion), **more)


def taught(classes, share, weight=None):
    """(row, class) -> weight."""
    rows, found, weights = softened(np.array(share), np.array(classes), None if weight is None else np.array(weight))
    assert len(set(zip(rows, found, strict=True))) == len(rows)
    return dict(zip(zip(rows.tolist(), found.tolist(), strict=True), weights.tolist(), strict=True))


def test_a_row_is_learned_as_each_class_by_its_share_of_judges():
    assert taught([1, 0, 1, 0], [0.75, 0.5, 1.0, 0.0]) == {
        (0, 1): 0.75, (0, 0): 0.25, (1, 0): 0.5, (1, 1): 0.5, (2, 1): 1.0, (3, 0): 1.0,
    }  # fmt: skip


def test_weights_are_divided_and_a_row_that_all_others_contradict_is_turned_round():
    assert taught([1, 0, 1], [0.0, 0.25, 0.5], [2.0, 3.0, 0.0]) == {(0, 0): 2.0, (1, 0): 2.25, (1, 1): 0.75}


def contested():
    """Pictures of large and small discs; of the middling ones half of the judges say this and half that."""
    examples = pictures(n=90)
    size = (examples.columns["image"] > 128).sum(axis=(1, 2, 3))
    unsure = (size > np.quantile(size, 0.3)) & (size < np.quantile(size, 0.7))
    sure = (examples.target == "top").astype(float)
    return replace(examples, opinion=np.where(unsure, 0.5, sure)), unsure


def test_copies_teach_what_a_network_learns_from_the_share():
    """Their weighted loss is the loss of the share."""
    import tensorflow as tf

    share, logits = np.array([0.75, 0.5, 0.0], np.float32), np.array([0.3, -1.2, 2.0], np.float32)
    rows, classes, weight = softened(share.astype(float), np.array([1, 0, 0]), None)
    loss = OBJECTIVE.loss(OBJECTIVE.learnable(classes), tf.constant(logits[rows][:, None]))
    wanted = OBJECTIVE.loss(share, tf.constant(logits[:, None]))
    np.testing.assert_allclose(wanted, tf.nn.sigmoid_cross_entropy_with_logits(share, logits), rtol=1e-6)
    assert float((loss * weight.astype(np.float32)).numpy().sum()) == pytest.approx(float(wanted.numpy().sum()))
    assert weight.sum() == 3


@pytest.mark.parametrize("name", ["network", "area", "nearest"])
def test_contenders_of_both_kinds_learn_to_be_unsure(name):
    examples, unsure = contested()
    objective = Classification().resolve(examples.target)
    away = []
    for soft in ("no", "yes"):
        recipe = Recipe(epochs=25, batch_size=16, width=4, learning_rate=3e-3, patience=25, plan="resident", trials=2)
        recipe = replace(recipe, soft_labels=soft)
        if name == "network":
            contender = NetworkContender(Network("net", small_resnet), objective, recipe)
        else:
            contender = ClassicalContender({each.name: each for each in BASELINES}[name], objective, recipe)
        said = contender.fit(examples, examples, 0).predict(examples).values[:, 1]
        away.append(np.abs(said[unsure] - 0.5).mean())
    assert away[1] < 0.8 * away[0], away


def test_why_rows_cannot_have_soft_labels():
    rows = judged(["malignant", "benign"], [1.0, 0.0])
    assert why_not(rows, OBJECTIVE, private=False) == ""
    assert "one label a row" in why_not(replace(rows, opinion=None), OBJECTIVE, private=False)
    assert "not two classes" in why_not(rows, Classification(classes=("a", "b", "c")), private=False)
    assert "private training" in why_not(rows, OBJECTIVE, private=True)


def test_opinions_travel_with_their_rows_and_are_part_of_the_data():
    rows = judged(["malignant", "benign", "benign"], [0.75, 0.5, 0.0])
    assert rows.take(np.array([2, 0])).opinion.tolist() == [0.0, 0.75]
    assert rows.sha256() != replace(rows, opinion=np.array([0.75, 0.5, 0.25])).sha256()
    with pytest.raises(BadInput, match="opinion has 2 rows"):
        judged(["malignant", "benign", "benign"], [1.0, 0.0])
    for strange in (1.5, -0.1, np.nan):
        with pytest.raises(BadInput, match="opinion is not a share of judges"):
            judged(["malignant"], [strange])
