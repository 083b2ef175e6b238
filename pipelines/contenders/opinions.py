"""Soft labels: of rows that judges disagree about, each class is learned by its share of the judges.

A network takes the share for its target: its loss is the cross-entropy to it. A classical model takes no shares, but
weights: such a row stands twice among the rows that it is fitted on, with weights that add up to the row's own, which
comes to the same loss. Its search for settings, thresholds and scores look at the label alone.

References: Hinton, Vinyals and Dean (2015), "Distilling the knowledge in a neural network", arXiv 1503.02531, for soft
targets; Peterson, Battleday, Griffiths and Russakovsky (2019), "Human uncertainty makes classification more robust",
ICCV, for those of people.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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


def softened(
    share: NDArray[np.float64], classes: NDArray[np.int64], weight: NDArray[np.float64] | None
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """What a model that takes weights learns from, so that it learns shares: rows, some of them twice.

    Args:
        share: (n,) of a row's judges, those who call it class 1.
        classes: (n,) 0 or 1, the label of each row.
        weight: (n,) or None for 1s.

    Returns:
        (m,) numbers of the rows, the class of each, and its weight, above 0; those of a row add up to its own.
    """
    n = len(classes)
    own = np.where(classes == 1, share, 1 - share)
    rows = np.concatenate([np.arange(n), np.flatnonzero(own < 1)])
    first = np.arange(len(rows)) < n
    parts = (np.ones(n) if weight is None else weight)[rows] * np.where(first, own[rows], 1 - own[rows])
    kept = parts > 0
    return rows[kept], np.where(first, classes[rows], 1 - classes[rows])[kept], parts[kept]
