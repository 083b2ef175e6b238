"""A blend: what all contenders say, each weighted by how much it adds to the others on validation rows.

Contenders are added one after the other, each time the one with which the mean of those added so far has the least
loss; a contender weighs as often as it was added. Reference: Caruana, Niculescu-Mizil, Crew and Ksikes (2004),
"Ensemble selection from libraries of models", ICML.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.contenders.contender import UNMEASURED, UNRECORDED, Contender, History, Watch, part_of, unwatched
from pipelines.contenders.mitigation import LEFT_OUT
from pipelines.contenders.remembered import Remembered
from pipelines.data.examples import Examples
from pipelines.errors import BadInput
from pipelines.objectives.objective import Objective, Predictions
from pipelines.report.document import BESIDE, ContenderKind, Cost, together
from pipelines.training.checkpoint import Checkpoints

ADDED = 25
"""How often a contender is added; weights are multiples of one over it."""

LOSSES = {"classification": "log_loss", "regression": "rmse"}
"""What is made small, by the objective's kind."""


@dataclass(frozen=True)
class Part:
    """A contender in a blend, and its weight; weights add up to 1."""

    name: str
    weight: float
    fitted: Any


@dataclass(frozen=True)
class FittedBlend:
    """Answers with the weighted mean of its parts."""

    parts: tuple[Part, ...]
    objective: Objective
    cost: Cost = UNMEASURED
    history: History = UNRECORDED
    settings: Mapping[str, str] = field(default_factory=dict)

    def predict(self, examples: Examples) -> Predictions:
        """Predictions for raw rows, in their order."""
        said = [part.weight * part.fitted.predict(examples).values for part in self.parts]
        return self.objective.predict(np.sum(said, axis=0))

    def flops(self, examples: Examples) -> float:
        """Operations of its parts, and a product and a sum for each."""
        answers = self.predict(examples.take(np.arange(1))).values.size
        return float(sum(part.fitted.flops(examples) + 2 * answers for part in self.parts))

    def save(self, folder: Path) -> Path:
        """Nothing of its own: its parts are saved beside its description (`saved.save`)."""
        return folder


@dataclass(frozen=True)
class BlendContender:
    """The blend of `bases`, which are remembered, so that each is trained once for itself and for the blend."""

    bases: tuple[Remembered, ...]
    objective: Objective
    name: str = "blend"
    kind: ContenderKind = "blend"

    def fit(
        self,
        train: Examples,
        valid: Examples,
        seed: int,
        watch: Watch = unwatched,
        checkpoints: Checkpoints | None = None,
    ) -> FittedBlend:
        fitted: list[Any] = []
        for number, base in enumerate(self.bases):
            fitted.append(base.fit(train, valid, seed, part_of(watch, number, len(self.bases))))
        said = [each.predict(valid).values for each in fitted]
        counts = times_added(said, self.objective.encode(valid.target), valid.weight, self.objective)
        added = sorted(zip(counts, self.bases, fitted, strict=True), key=lambda each: -each[0])
        parts = tuple(Part(base.name, count / ADDED, model) for count, base, model in added if count)
        return FittedBlend(
            parts,
            self.objective,
            together(  # all are trained to know what each adds
                [model.cost for model in fitted],
                Cost(0.0, parameters=sum(part.fitted.cost.parameters for part in parts)),
            ),
            settings={"weights": ", ".join(f"{part.name} {part.weight:.2f}" for part in parts)},
        )


def blended(contenders: Sequence[Contender], objective: Objective) -> list[Contender]:
    """The contenders, and the blend of all that compete.

    Raises:
        BadInput: what they say has no mean that a loss could judge.
    """
    if objective.kind not in LOSSES:
        raise BadInput(f"--set protocol.blend=yes: what contenders say has no mean in {objective.kind}; leave it out")
    found: list[Contender] = []
    bases: list[Remembered] = []
    for contender in contenders:
        if contender.kind in BESIDE or contender.name in LEFT_OUT:
            found.append(contender)
            continue
        bases.append(contender if isinstance(contender, Remembered) else Remembered(contender))
        found.append(bases[-1])
    return [*found, BlendContender(tuple(bases), objective)]


def times_added(
    said: Sequence[NDArray[Any]], truth: NDArray[Any], weight: NDArray[Any] | None, objective: Objective
) -> list[int]:
    """How often each contender is added, `ADDED` in all; the first one wins where several are as good.

    Args:
        said: what each predicted for some rows: (n, classes) probabilities, or (n,) numbers.
        truth: (n,) encoded targets of these rows.
        weight: (n,) of the rows; None for 1s.
    """
    counts = [0] * len(said)
    total = np.zeros_like(said[0])
    for number in range(1, ADDED + 1):
        losses = [_loss((total + each) / number, truth, weight, objective) for each in said]
        best = min(range(len(said)), key=lambda place: losses[place])
        counts[best] += 1
        total = total + said[best]
    return counts


def _loss(values: NDArray[Any], truth: NDArray[Any], weight: NDArray[Any] | None, objective: Objective) -> float:
    found = objective.scores(truth, Predictions(values), weight)[LOSSES[objective.kind]]
    return math.inf if math.isnan(found) else found
