"""A network that is penalised for treating groups differently."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.contenders.contender import Watch, part_of, unwatched
from pipelines.contenders.encodable import Encodable
from pipelines.contenders.network import FittedNetwork, NetworkContender
from pipelines.data.examples import Examples
from pipelines.objectives.objective import Objective, Predictions
from pipelines.report.document import ContenderKind, together
from pipelines.training.checkpoint import Checkpoints
from pipelines.training.gap import NO_GROUP, GapPenalty, gap_between, of_class
from pipelines.training.loop import Loop
from pipelines.training.plan import Plan
from pipelines.training.step import Supervised

STRENGTHS = (1.0, 4.0, 16.0)
"""Tried one after the other, the weakest first, where the recipe names none."""

MOST_LOST = 0.01
"""Of the AUROC on validation rows: what a strength may cost there."""

BATCH = 512
"""Rows of a batch at least: of fewer, the groups' means differ by chance more than by treatment."""

FEWEST = 10
"""Training rows of each class that a group needs to be compared."""


@dataclass
class PenalisedNetwork(NetworkContender):
    """A network like `base`, trained with `training.gap.GapPenalty`.

    Its strength is the recipe's `gap_penalty`; or, where that is 0, the one of `STRENGTHS` with the smallest gap on
    the validation rows among those that lose at most `MOST_LOST` of the AUROC there, and the weakest where all lose
    more. Each is trained, and all of it is counted in the cost.

    Args:
        base: the same network without the penalty.
        attribute: whose groups are to be treated alike.
        groups: their names.
    """

    kind: ContenderKind = "mitigated"
    base: Any = None
    attribute: str = ""
    groups: tuple[str, ...] = ()
    method: str = "penalty"
    _strength: float = 0.0
    _shift: float = 0.0
    _code: Mapping[str, int] = ()  # type: ignore[assignment]

    @classmethod
    def like(cls, base: Any, attribute: str, groups: tuple[str, ...]) -> PenalisedNetwork:
        """Of a network that competes without it."""
        single = base.base
        recipe = replace(single.recipe, batch_size=max(single.recipe.batch_size, BATCH))
        return cls(single.network, single.objective, recipe, base=base, attribute=attribute, groups=groups)

    @property
    def name(self) -> str:
        return f"{self.network.name}+{self.method}"

    def fit(
        self,
        train: Examples,
        valid: Examples,
        seed: int,
        watch: Watch = unwatched,
        checkpoints: Checkpoints | None = None,
    ) -> FittedNetwork:
        strengths = (self.recipe.gap_penalty,) if self.recipe.gap_penalty else STRENGTHS
        places, parts = len(strengths) + 1, self.recipe.restarts
        here = [checkpoints and checkpoints.part(number * parts) for number in range(places)]
        without = self.base.fit(train, valid, seed, part_of(watch, 0, places), here[0])
        self._compare(train)
        tried = []
        for number, strength in enumerate(strengths, start=1):
            self._strength = strength
            tried.append(super().fit(train, valid, seed, part_of(watch, number, places), here[number]))
        plain, *others = (self._judged(each, valid) for each in (without, *tried))
        kept = _kept(plain, others)
        cost = together([each.cost for each in (without, *tried)], tried[kept].cost)
        return replace(tried[kept], cost=cost, settings={
            **tried[kept].settings,
            "mitigation": _told(plain, others[kept], strengths[kept], strengths),
        })  # fmt: skip

    def _compare(self, train: Examples) -> None:
        """Note which groups are compared, and how frequent the positive class is."""
        target = self.objective.encode(train.target)
        weight = np.ones(len(train)) if train.weight is None else train.weight
        share = float(np.clip(np.average(target, weights=weight), 1e-6, 1 - 1e-6)) if weight.any() else 0.5
        self._shift = math.log(share / (1 - share))
        self._code = {group: code for code, group in enumerate(self.groups) if _enough(train, target, self, group)}

    def _judged(self, fitted: FittedNetwork, valid: Examples) -> Standing:
        predictions = fitted.predict(valid)
        auroc = self.objective.scores(self.objective.encode(valid.target), predictions, valid.weight)["auroc"]
        return Standing(self._gap(valid, _logits(predictions)), auroc)

    def _gap(self, examples: Examples, logits: NDArray[Any]) -> float:
        y = self._coded(examples, self.objective.encode(examples.target))
        weight = np.ones(len(examples)) if examples.weight is None else examples.weight
        return gap_between(y, logits, weight, len(self.groups), self._shift)

    def _coded(self, examples: Examples, y: NDArray[Any]) -> NDArray[np.int32]:
        """(n, 2) the class of each row, and its group's code."""
        codes = [self._code.get(group, NO_GROUP) for group in examples.groups[self.attribute]]
        return np.column_stack([y, codes]).astype(np.int32)

    def _learned(self, rows: Encodable) -> Encodable:
        return replace(rows, y=self._coded(rows.examples, rows.y))

    def _step(self, core: Any, objective: Objective, spending: Any) -> Supervised:
        return Supervised(core, of_class(objective.loss), self.recipe, GapPenalty(len(self.groups)))

    def _loop(self, at_work: Any, plan: Plan) -> Loop:
        loop = super()._loop(at_work, plan)
        step: Any = loop.step
        step.beside.begin(self._strength, self._shift)
        return loop

    def _score(self, objective: Objective, valid: Examples) -> Callable[[NDArray[Any]], float]:
        """Validation outputs -> what is minimised, negated: the loss alone would stop before the penalty has worked."""
        target = objective.encode(valid.target)
        weight = np.ones(len(valid)) if valid.weight is None else valid.weight

        def score(outputs: NDArray[Any]) -> float:
            logits = _logits(objective.predict(np.asarray(objective.activate(outputs))))
            loss = np.average(np.logaddexp(0, logits) - target * logits, weights=weight)
            gap = self._gap(valid, logits)
            return -float(loss + self._strength * (0.0 if math.isnan(gap) else gap))

        return score


@dataclass(frozen=True)
class Standing:
    """What one strength gives on the validation rows."""

    gap: float
    auroc: float


def _too_dear(plain: Standing, penalised: Standing) -> bool:
    """Also where validation rows do not tell."""
    return not plain.auroc - penalised.auroc <= MOST_LOST


def _kept(plain: Standing, tried: list[Standing]) -> int:
    """The place of the strength that is kept, the first one where none is good enough or nothing is known."""
    possible = [place for place, each in enumerate(tried) if not _too_dear(plain, each)]
    return min(possible, key=lambda place: tried[place].gap, default=0)


def _told(plain: Standing, penalised: Standing, strength: float, tried: Sequence[float]) -> str:
    """What was chosen and what it does on validation rows, in words."""
    chosen = f"strength {strength:g}" + (f" of {', '.join(f'{each:g}' for each in tried)}" if len(tried) > 1 else "")
    if not math.isfinite(plain.gap):
        return f"{chosen}; validation rows do not tell the gap"
    dear = ", more than it may cost" if len(tried) > 1 and _too_dear(plain, penalised) else ""
    return (
        f"{chosen}; on validation rows the penalised gap, a square, is {penalised.gap:.2g} in place of "
        f"{plain.gap:.2g}, and the AUROC is {penalised.auroc:.3f} in place of {plain.auroc:.3f}{dear}"
    )


def _enough(train: Examples, target: NDArray[Any], of: PenalisedNetwork, group: str) -> bool:
    return bool(np.bincount(target[train.groups[of.attribute] == group], minlength=2).min() >= FEWEST)


def _logits(predictions: Predictions) -> NDArray[np.float64]:
    positive = np.clip(predictions.values[:, 1].astype(np.float64), 1e-12, 1 - 1e-12)
    return np.asarray(np.log(positive / (1 - positive)))
