"""Training rows weighted so that group and class are independent: Kamiran and Calders' reweighing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.contenders.contender import Contender, Fitted, Watch, unwatched
from pipelines.data.examples import Examples
from pipelines.objectives.objective import Objective
from pipelines.report.document import ContenderKind
from pipelines.training.checkpoint import Checkpoints


def independent_weights(
    groups: NDArray[Any], target: NDArray[Any], weight: NDArray[Any] | None = None
) -> NDArray[np.float64]:
    """Row weights under which the class is as frequent in every group.

    A row of a group and class counts P(group) P(class) / P(group, class) times its own weight, so that group and class
    are independent by weight and every group, and every class, keeps the total it had. Rows whose group is not known
    are a group of their own: among them too no class is to be more frequent than elsewhere.

    Args:
        groups: (n,) object str, None where unknown.
        target: (n,) class index.
        weight: (n,) float >= 0, or None for 1s.

    Returns:
        (n,) float; 0 where the row's own weight is 0.

    Reference: Kamiran and Calders (2012), Knowledge and Information Systems 33(1), section 5.2.
    """
    own = np.ones(len(target)) if weight is None else np.asarray(weight, np.float64)
    _, group = np.unique(["" if name is None else f"={name}" for name in groups], return_inverse=True)
    cells = np.zeros((int(group.max()) + 1, int(target.max()) + 1))
    np.add.at(cells, (group, target), own)
    expected = cells.sum(1, keepdims=True) * cells.sum(0, keepdims=True) / cells.sum()
    factors = np.divide(expected, cells, out=np.ones_like(cells), where=cells > 0)
    return np.asarray(own * factors[group, target])


@dataclass(frozen=True)
class Reweighed:
    """A contender that learns from reweighed rows; its validation rows keep their own weights.

    Args:
        base: the contender as it is; network or classical.
        attribute: the sensitive attribute whose groups are weighed.
    """

    base: Contender
    attribute: str
    objective: Objective
    kind: ContenderKind = "mitigated"
    method: str = "reweighing"

    @property
    def name(self) -> str:
        return f"{self.base.name}+{self.method}"

    def fit(
        self,
        train: Examples,
        valid: Examples,
        seed: int,
        watch: Watch = unwatched,
        checkpoints: Checkpoints | None = None,
    ) -> Fitted:
        target = self.objective.encode(train.target)
        weight = independent_weights(train.groups[self.attribute], target, train.weight)
        fitted: Any = self.base.fit(replace(train, weight=weight), valid, seed, watch, checkpoints)
        relative = weight / (1.0 if train.weight is None else np.where(train.weight > 0, train.weight, 1.0))
        ends = relative[weight > 0]
        said = f"training rows weigh {ends.min():.2f} to {ends.max():.2f} times as much by {self.attribute} and class"
        weighed: Fitted = replace(fitted, settings={**fitted.settings, "mitigation": said})
        return weighed
