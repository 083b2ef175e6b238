"""Contender and Fitted: what competes, and what is left after it was trained. All are judged alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from pipelines.data.examples import Examples
from pipelines.objectives.objective import Predictions
from pipelines.report.document import ContenderKind, Cost

if TYPE_CHECKING:
    from pipelines.training.checkpoint import Checkpoints

Watch = Callable[[int, int], None]
"""Called as `watch(done, total)` while a contender trains: epochs of a network, trials of a search."""


def unwatched(done: int, total: int) -> None:
    """A Watch that shows nothing."""


def part_of(watch: Watch, number: int, parts: int) -> Watch:
    """A Watch for one of several parts of equal size."""
    return lambda done, total: watch(number * total + done, parts * total)


def seed_of(seed: int, number: int) -> int:
    """The seed of one of several trainings of a model; the first one's is the model's own."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0] >> 1) if number else seed


def seed_of_training(seed: int, fold: int, training: int) -> int:
    """The seed of one of several trainings in a run, on one of several folds; the very first one's is the run's own.

    No two are alike, and none is that of a member of an ensemble or of a restart (`seed_of`).
    """
    if fold == training == 0:
        return seed
    return int(np.random.SeedSequence([seed, fold, training + 1]).generate_state(1)[0] >> 1)


def seed_of_shadow(seed: int, number: int) -> int:
    """The seed of one of the models that are trained to attack another; it is that of no other training in a run."""
    return int(np.random.SeedSequence([seed, 0, 0, number + 1]).generate_state(1)[0] >> 1)


FINDINGS = ("starts", "gradients", "notes", "weights", "aversion")
"""Settings that say what happened in a training, or what it chose, so that each of several trainings has its own."""


def findings_of(
    trainings: Sequence[Mapping[str, str]], noun: str, numbers: Sequence[str] | None = None
) -> dict[str, str]:
    """What several trainings found, from the settings of each; where they differ, named by `noun` and number.

    Args:
        numbers: what each is called, where not 1, 2 and so on.
    """
    numbers = numbers or [str(place) for place in range(1, len(trainings) + 1)]
    found = {}
    for name in FINDINGS:
        said: dict[str, list[str]] = {}
        for number, settings in zip(numbers, trainings, strict=True):
            if name in settings:
                said.setdefault(settings[name], []).append(number)
        if any(len(those) < len(trainings) for those in said.values()):
            parts = (f"{noun} {', '.join(those)}: {words}" for words, those in said.items())
            found[name] = "; ".join(parts)
        elif said:
            (found[name],) = said
    return found


@dataclass(frozen=True)
class History:
    """What happened epoch by epoch: `metrics` maps a name to one value per epoch."""

    metrics: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    best_epoch: int = 0


UNMEASURED, UNRECORDED = Cost(float("nan")), History()
"""The cost and the history of a contender that was loaded, not trained."""


class Fitted(Protocol):
    """A trained contender."""

    @property
    def cost(self) -> Cost: ...

    @property
    def history(self) -> History: ...

    @property
    def settings(self) -> Mapping[str, str]:
        """What was chosen while fitting: tuned values, the plan, the best epoch."""
        ...

    def predict(self, examples: Examples) -> Predictions:
        """Predictions for raw rows, in their order."""
        ...

    def flops(self, examples: Examples) -> float:
        """Floating-point operations of predicting one row; NaN where they cannot be counted.

        Args:
            examples: some rows, where operations depend on the row.
        """
        ...

    def save(self, folder: Path) -> Path:
        """Write the model into the folder and return its file (`model.keras` or `model.skops`)."""
        ...


class Contender(Protocol):
    """Something that learns from training rows; validation rows may stop it or choose among its settings."""

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> ContenderKind: ...

    def fit(
        self,
        train: Examples,
        valid: Examples,
        seed: int,
        watch: Watch = unwatched,
        checkpoints: Checkpoints | None = None,
    ) -> Fitted:
        """Learn. May be called again for another fold or seed.

        Args:
            checkpoints: where a long training saves itself now and then, and goes on from if it was stopped.

        Raises:
            TrainingFailed: the loss stayed non-finite, or a solver failed.
        """
        ...
