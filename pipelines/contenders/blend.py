"""A blend: what all contenders say, each weighted by how much it adds to the others on rows that it did not learn from.

Contenders are added one after the other, each time the one with which the mean of those added so far has the least
loss; a contender weighs as often as it was added. Reference: Caruana, Niculescu-Mizil, Crew and Ksikes (2004),
"Ensemble selection from libraries of models", ICML.

The rows are those of validation; or each contender is trained several times, on all but one part of the training and
validation rows, which weighs what it says of that part, and all of its models answer together: so no row is learned
from by none. Reference: Erickson et al. (2020), "AutoGluon-Tabular", arXiv 2003.06505.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.contenders.by_group import Remembered
from pipelines.contenders.contender import UNMEASURED, UNRECORDED, Contender, History, Watch, seed_of, unwatched
from pipelines.contenders.mitigation import LEFT_OUT
from pipelines.data.examples import Examples, OnDemand, joined
from pipelines.data.splits import Rows, parts_of
from pipelines.errors import BadInput
from pipelines.objectives.objective import Objective, Predictions
from pipelines.report.document import ContenderKind, Cost
from pipelines.task import Protocol
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
    """Answers with the weighted mean of its parts.

    Args:
        validated: what was said of the validation rows by models that had not learned from them; None where no part of
            the blend did, so that `predict` says it.
    """

    parts: tuple[Part, ...]
    objective: Objective
    cost: Cost = UNMEASURED
    history: History = UNRECORDED
    settings: Mapping[str, str] = field(default_factory=dict)
    validated: Predictions | None = None

    def predict(self, examples: Examples) -> Predictions:
        """Predictions for raw rows, in their order."""
        return Predictions(np.sum([part.weight * part.fitted.predict(examples).values for part in self.parts], axis=0))

    def save(self, folder: Path) -> Path:
        """Nothing of its own: its parts are saved beside its description (`saved.save`)."""
        return folder


@dataclass(frozen=True)
class BlendContender:
    """The blend of `bases`.

    Args:
        bases: remembered, so that each is trained once for itself and for the blend.
        parts: into how many the rows are divided; 1 takes the contenders as they are.
        by: `row` or `id`: what must not cross these parts.
    """

    bases: tuple[Remembered, ...]
    objective: Objective
    parts: int = 1
    by: str = "row"
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
        if self.parts == 1:
            fitted: list[Any] = [base.fit(train, valid, seed) for base in self.bases]
            said = [each.predict(valid).values for each in fitted]
            return self._weighted(fitted, said, valid)
        rows = joined(train, valid)
        classes = self.objective.encode(rows.target) if self.objective.kind == "classification" else None
        divided = parts_of(rows, np.arange(len(rows)), classes, self.by, self.parts, seed)
        fitted, said = [], []
        for number, base in enumerate(self.bases):
            bag, without = self._bag(base.base, rows, divided, seed)
            fitted.append(bag)
            said.append(without)
            watch(number + 1, len(self.bases))
        return self._weighted(fitted, said, rows, len(train))

    def _bag(
        self, base: Contender, rows: Examples, divided: Sequence[tuple[Rows, Rows]], seed: int
    ) -> tuple[FittedBlend, NDArray[Any]]:
        """One contender trained without each of the parts in turn; and what it said of the part it did not see."""
        models: list[Any] = []
        found: dict[int, NDArray[Any]] = {}
        for place, (rest, part) in enumerate(divided):
            here = rows.take(np.sort(part))
            models.append(base.fit(rows.take(np.sort(rest)), here, seed_of(seed, place)))
            found |= dict(zip(np.sort(part).tolist(), models[-1].predict(here).values, strict=True))
        said = np.stack([found[row] for row in range(len(rows))])
        parts = tuple(Part(f"{place + 1}", 1 / len(models), model) for place, model in enumerate(models))
        return FittedBlend(parts, self.objective, _cost(parts)), said

    def _weighted(
        self, fitted: Sequence[Any], said: Sequence[NDArray[Any]], rows: Examples, learned: int = 0
    ) -> FittedBlend:
        """The blend of these models, by what they said of rows that they did not learn from.

        Args:
            learned: how many of the first rows are of training, where models were trained on others of the rows.
        """
        counts = times_added(said, self.objective.encode(rows.target), rows.weight, self.objective)
        added = sorted(zip(counts, self.bases, fitted, strict=True), key=lambda each: -each[0])
        parts = tuple(Part(base.name, count / ADDED, model) for count, base, model in added if count)
        weighed = sum(count / ADDED * each[learned:] for count, each in zip(counts, said, strict=True))
        return FittedBlend(
            parts,
            self.objective,
            _cost(parts),
            settings={"weights": ", ".join(f"{part.name} {part.weight:.2f}" for part in parts)},
            validated=Predictions(np.asarray(weighed)) if learned else None,
        )


def blended(contenders: Sequence[Contender], objective: Objective, protocol: Protocol) -> list[Contender]:
    """The contenders, and the blend of all that compete."""
    found: list[Contender] = []
    bases: list[Remembered] = []
    for each in contenders:
        if each.kind != "mitigated" and each.name not in LEFT_OUT:
            bases.append(each if isinstance(each, Remembered) else Remembered(each))
            each = bases[-1]
        found.append(each)
    return [*found, BlendContender(tuple(bases), objective, protocol.blend, protocol.by)]


def require_blendable(objective: Objective, examples: Examples, protocol: Protocol, tuned: bool, private: bool) -> None:
    """Refuse a blend where there can be none.

    Raises:
        BadInput: with the setting, and what would be right.
    """
    given = f"--set protocol.blend={protocol.blend}"
    if objective.kind not in LOSSES:
        raise BadInput(f"{given}: what contenders say has no mean in {objective.kind}; leave it out")
    if protocol.blend < 2:
        return
    if any(isinstance(values, OnDemand) for values in examples.columns.values()):
        raise BadInput(f"{given}: these rows are larger than memory, and are not divided anew; set it to 1")
    if tuned:
        raise BadInput(f"{given}: each part would be tuned anew; set it to 1, or blend with `tapeline run`")
    if private:
        raise BadInput(f"{given}: each training would spend what recipe.dp_epsilon allows one; set it to 1")


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


def _cost(parts: Sequence[Part]) -> Cost:
    each = [part.fitted.cost for part in parts]
    return Cost(sum(cost.train_seconds for cost in each), parameters=sum(cost.parameters for cost in each))
