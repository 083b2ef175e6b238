"""A contender that is trained once for itself and for all that is made of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pipelines.contenders.contender import Contender, Fitted, Watch, unwatched
from pipelines.data.examples import Examples
from pipelines.report.document import ContenderKind
from pipelines.training.checkpoint import Checkpoints


@dataclass
class Remembered:
    """A contender that hands out what it has fitted already, so that what is made of it need not train it again:
    mitigation, a blend, an ensemble.

    It is known again by the seed, which each fold has of its own, and the number of rows.
    """

    base: Contender
    _fitted: dict[tuple[int, int, int], Fitted] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        return self.base.name

    @property
    def kind(self) -> ContenderKind:
        return self.base.kind

    def fit(
        self,
        train: Examples,
        valid: Examples,
        seed: int,
        watch: Watch = unwatched,
        checkpoints: Checkpoints | None = None,
    ) -> Fitted:
        key = (seed, len(train), len(valid))
        if key not in self._fitted:
            self._fitted[key] = self.base.fit(train, valid, seed, watch, checkpoints)
        return self._fitted[key]


def itself(contender: Contender) -> Any:
    """The contender, whether it is remembered or not."""
    return contender.base if isinstance(contender, Remembered) else contender
