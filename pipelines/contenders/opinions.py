"""Soft labels: of rows that judges disagree about, each class is learned by its share of the judges.

A network takes the share for its target: its loss is the cross-entropy to it. A classical model takes no shares, but
weights: such a row stands twice among its training rows, with weights that add up to the row's own, which comes to the
same loss. Thresholds and scores look at the label alone.

References: Hinton, Vinyals and Dean (2015), "Distilling the knowledge in a neural network", arXiv 1503.02531, for soft
targets; Peterson, Battleday, Griffiths and Russakovsky (2019), "Human uncertainty makes classification more robust",
ICCV, for those of people.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipelines.data.examples import Examples
from pipelines.objectives.objective import Objective


def why_not(examples: Examples, objective: Objective, private: bool) -> str:
    """Why these rows cannot have soft labels, to be read after the setting; empty where they can.

    Args:
        private: whether a network is to be trained with differential privacy.
    """
    if examples.opinion is None or not getattr(objective, "binary", False):
        return (
            "learns what several people said of each row, one class or the other; these data hold one label a row, or "
            "have not two classes; leave it out"
        )
    if private:
        return (
            "teaches rows that people disagree about twice, which private training cannot bound; leave it out, or "
            "recipe.dp_epsilon, recipe.dp_noise and protocol.private"
        )
    return ""


def softened(train: Examples, objective: Objective) -> Examples:
    """Training rows for a model that takes weights, whose labels are what all their judges say.

    Copies of one row have one id, so that none is learned from and scored in the same search; rows without ids get
    their number for one.

    Args:
        train: rows of two classes of which `opinion` is known.
    """
    if train.opinion is None:
        raise ValueError("these rows have one label each")
    n, share = len(train), train.opinion
    positive = objective.encode(train.target) == 1
    own = np.where(positive, share, 1 - share)
    copied = np.flatnonzero(own < 1)
    weight = np.ones(n) if train.weight is None else train.weight
    rows = train.take(np.concatenate([np.arange(n), copied]))
    target = rows.target.copy()
    for which in (True, False):
        if (there := np.flatnonzero(positive == which)).size:
            target[n:][positive[copied] != which] = train.target[there[0]]
    weights = np.concatenate([weight * own, (weight * (1 - own))[copied]])
    ids = np.concatenate([np.arange(n), copied]) if rows.ids is None else rows.ids
    return replace(rows, target=target, weight=weights, ids=ids, opinion=None).take(np.flatnonzero(weights))
