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


def taught(examples):
    """(row, label) -> weight."""
    found = softened(examples, OBJECTIVE)
    return dict(zip(zip(found.columns["x"].tolist(), found.target, strict=True), found.weight, strict=True))


def test_a_row_is_learned_as_each_class_by_its_share_of_judges():
    rows = judged(["malignant", "benign", "malignant", "benign"], [0.75, 0.5, 1.0, 0.0])
    assert taught(rows) == {
        (0, "malignant"): 0.75, (0, "benign"): 0.25, (1, "benign"): 0.5, (1, "malignant"): 0.5, (2, "malignant"): 1.0,
        (3, "benign"): 1.0,
    }  # fmt: skip


def test_weights_are_divided_and_a_row_that_all_others_contradict_is_turned_round():
    rows = judged(["malignant", "benign"], [0.0, 0.25], weight=np.array([2.0, 3.0]))
    assert taught(rows) == {(0, "benign"): 2.0, (1, "benign"): 2.25, (1, "malignant"): 0.75}


def test_copies_of_a_row_share_an_id_so_that_no_inner_fold_parts_them():
    named = softened(judged(["malignant", "benign"], [0.5, 0.5], ids=np.array(["a", "b"])), OBJECTIVE)
    assert named.ids.tolist() == ["a", "b", "a", "b"]
    unnamed = softened(judged(["malignant", "benign"], [1.0, 0.5]), OBJECTIVE)
    assert unnamed.ids.tolist() == [0, 1, 1]
    assert unnamed.opinion is None


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

    rows = judged(["malignant", "benign", "benign"], [0.75, 0.5, 0.0])
    copies = softened(rows, OBJECTIVE)
    logits = np.array([0.3, -1.2, 2.0], np.float32)
    of_copies = tf.constant(logits[copies.columns["x"].astype(int)][:, None])
    loss = OBJECTIVE.loss(OBJECTIVE.learnable(OBJECTIVE.encode(copies.target)), of_copies)
    share = np.array([0.75, 0.5, 0.0], np.float32)
    wanted = OBJECTIVE.loss(share, tf.constant(logits[:, None]))
    np.testing.assert_allclose(wanted, tf.nn.sigmoid_cross_entropy_with_logits(share, logits), rtol=1e-6)
    assert float((loss * copies.weight.astype(np.float32)).numpy().sum()) == pytest.approx(float(wanted.numpy().sum()))
    assert copies.weight.sum() == 3


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
