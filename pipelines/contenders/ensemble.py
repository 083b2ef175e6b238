"""Several networks that answer together: a deep ensemble.

Each is trained on the same rows from weights, and in an order, of its own; they end in different minima, and their mean
errs less than one of them. Reference: Lakshminarayanan, Pritzel and Blundell (2017), arXiv 1612.01474.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipelines.contenders.contender import Watch, findings_of, part_of, seed_of, unwatched
from pipelines.contenders.network import FittedNetwork, NetworkContender
from pipelines.contenders.remembered import Remembered
from pipelines.contenders.suggestion import Space
from pipelines.data.examples import Examples
from pipelines.report.document import ContenderKind, together
from pipelines.training.checkpoint import Checkpoints


@dataclass
class EnsembleContender:
    """The mean of `members` networks like `single`, the first of which is that very one.

    They share its traced loop: only the first is compiled.

    Args:
        first: `single`, remembered, so that what competes by itself is not trained again; None trains all members here.
    """

    single: NetworkContender
    members: int
    first: Remembered | None = None
    kind: ContenderKind = "ensemble"

    @property
    def name(self) -> str:
        return f"{self.single.name}-x{self.members}"

    def space(self, train: Examples, pinned: Collection[str] = ()) -> Space:
        """What its members may be set to, all alike."""
        return self.single.space(train, pinned)

    def having(self, settings: Mapping[str, Any]) -> EnsembleContender:
        """An ensemble of members with these settings, all of which it trains itself."""
        return replace(self, single=self.single.having(settings), first=None)

    def fit(
        self,
        train: Examples,
        valid: Examples,
        seed: int,
        watch: Watch = unwatched,
        checkpoints: Checkpoints | None = None,
    ) -> FittedNetwork:
        parts = self.single.recipe.restarts
        fitted: list[FittedNetwork] = []
        for number in range(self.members):
            here = checkpoints and checkpoints.part(number * parts)
            member: Any = self.single if number or self.first is None else self.first
            fitted.append(member.fit(train, valid, seed_of(seed, number), part_of(watch, number, self.members), here))
        first, epochs = fitted[0], [each.settings["epochs"].partition(",")[0] for each in fitted]
        parameters = sum(each.cost.parameters for each in fitted)
        return replace(
            first,
            model=_mean_of([each.model for each in fitted]),
            cost=together([each.cost for each in fitted], replace(first.cost, parameters=parameters)),
            settings={
                **first.settings,
                "members": f"{self.members}; curves and figures are of the first",
                "epochs": ", ".join(epochs),
                **findings_of([each.settings for each in fitted], "member"),
            },
        )


def _mean_of(models: Sequence[Any]) -> Any:
    """One Keras model of raw rows that gives the mean of what the models give: probabilities, or values."""
    import keras

    inputs = models[0].input
    return keras.Model(inputs, keras.layers.Average()([model(inputs) for model in models]))
