"""Networks that compete a second time, trained with differential privacy at several epsilons: what does it cost?

Each is the same network with a recipe of its own, for what suits plain training does not suit noise. One noise covers
a whole batch, so batches are large: some six of them a pass. There are then few steps, which are long. All epochs that
noise was chosen for are made; which of them is kept is chosen by the score on validation rows, as elsewhere, and those
are not protected. The learning rate was chosen on `finance/mortgage-approval`, among a few of AdamW and of momentum.

References: Ponomareva et al. (2023), "How to DP-fy ML", arXiv 2303.00654; De, Berrada, Hayes, Smith and Balle (2022),
arXiv 2204.13650, both for large batches.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from pipelines.contenders.contender import Contender, Fitted, Watch, unwatched
from pipelines.contenders.network import NetworkContender
from pipelines.contenders.remembered import itself
from pipelines.data.examples import Examples
from pipelines.data.splits import Fold
from pipelines.errors import BadInput
from pipelines.report.document import ContenderKind
from pipelines.task import Recipe
from pipelines.training.accounting import LARGEST_TARGET
from pipelines.training.checkpoint import Checkpoints
from pipelines.training.independence import require_independent_rows
from pipelines.training.spending import require_affordable

BATCHES = 6
"""In a pass, about."""

ROWS_TRIED = 64
"""Of which a network is built, to see whether it could be trained privately."""


def epsilons(text: str) -> tuple[float, ...]:
    """The epsilons that `protocol.private` names, in its order.

    Raises:
        BadInput: one is no number, out of range, or named twice.
    """
    given, found = f"--set protocol.private={text}", []
    for part in (part.strip() for part in text.split(",") if part.strip()):
        try:
            found.append(float(part))
        except ValueError:
            raise BadInput(f"{given}: {part!r} is no number; write epsilons with commas between, as in 1,3,8") from None
    if wrong := [each for each in found if not 0 < each <= LARGEST_TARGET]:
        raise BadInput(
            f"{given}: an epsilon is above 0 and at most {LARGEST_TARGET:g}, less protects more; received {wrong[0]:g}"
        )
    if len({f"{each:g}" for each in found}) < len(found):
        raise BadInput(f"{given} names an epsilon twice; name each once")
    return tuple(found)


def recipe_for(recipe: Recipe, epsilon: float, rows: int) -> dict[str, Any]:
    """What a network's recipe is set to in place of its own, to be private at this epsilon.

    Args:
        rows: it is trained on at least.
    """
    batch = 2 ** round(math.log2(max(1, rows / BATCHES)))
    return {
        "dp_epsilon": epsilon,
        "batch_size": max(min(recipe.batch_size, rows), batch),
        "accumulate": 1,
        "optimiser": "adamw",
        "learning_rate": 0.01,
        "schedule": "cosine",
        "weight_decay": 0.0,
        "patience": recipe.epochs,
        "monitor": "score",
        "class_weights": "none",
        "precision": "float32" if recipe.precision == "float16" else recipe.precision,
        "plan": "auto" if recipe.plan == "resident+xla" else recipe.plan,
        "restarts": 1,
        "members": 1,
    }


@dataclass(frozen=True)
class PrivateContender:
    """`base`, trained with DP-SGD so that each training row spends at most `epsilon`.

    Args:
        rows: that it is trained on at least.
    """

    base: NetworkContender
    epsilon: float
    rows: int
    kind: ContenderKind = "private"

    @property
    def name(self) -> str:
        return f"{self.base.name}-eps{self.epsilon:g}"

    @property
    def recipe(self) -> Recipe:
        """By which it is trained."""
        return self.single.recipe

    @cached_property
    def single(self) -> NetworkContender:
        """The network with that recipe; those of other epsilons share its traced loops."""
        return self.base.having(recipe_for(self.base.recipe, self.epsilon, self.rows))

    def fit(
        self,
        train: Examples,
        valid: Examples,
        seed: int,
        watch: Watch = unwatched,
        checkpoints: Checkpoints | None = None,
    ) -> Fitted:
        return self.single.fit(train, valid, seed, watch, checkpoints)

    def require_possible(self, train: Examples) -> None:
        """Refuse a network that private training would not train as it is meant.

        Raises:
            BadInput: names the layer, and what would be right.
        """
        few = train.take(np.arange(min(ROWS_TRIED, len(train))))
        objective = self.base.objective.fitted(few.target)
        require_independent_rows(self.base.network.build(few, objective, self.recipe).core)


def with_private(
    contenders: Sequence[Contender], asked: str, examples: Examples, folds: Sequence[Fold]
) -> list[Contender]:
    """The contenders, and each single network among them once more at each epsilon that is asked for.

    Raises:
        BadInput: a network cannot be trained privately, or promises nothing on so few rows; nothing was trained yet.
    """
    found, sizes = list(contenders), [len(fold.train) for fold in folds]
    for contender in contenders if epsilons(asked) else ():
        base = itself(contender)
        if not isinstance(base, NetworkContender) or base.kind != "network":
            continue
        private = [PrivateContender(base, epsilon, min(sizes)) for epsilon in epsilons(asked)]
        try:
            private[0].require_possible(examples.take(folds[0].train))
            for each in private:
                require_affordable(each.recipe, sizes)
        except BadInput as error:
            raise BadInput(
                f"--set protocol.private={asked}: {base.name} cannot be trained privately: {error}"
            ) from error
        found += private
    return found
