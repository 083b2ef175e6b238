"""Objective and Predictions: the contract between data, training and evaluation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import BadInput


@dataclass(frozen=True)
class Predictions:
    """What a contender says about n examples.

    Args:
        values: (n, classes) probabilities for classification; (n,) numbers for regression; (n,) object arrays
            for sequences; (n, ...) for reconstructions and allocations.
        decisions: (n,) class index that is acted on, after a threshold; None until one was chosen, and then the
            most probable class is the decision.
    """

    values: NDArray[Any]
    decisions: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        if self.decisions is not None and len(self.decisions) != len(self.values):
            raise BadInput(f"{len(self.decisions)} decisions for {len(self.values)} predictions")

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: NDArray[Any]) -> Predictions:
        """The predictions of the given rows."""
        return Predictions(self.values[rows], None if self.decisions is None else self.decisions[rows])

    def decide(self, threshold: float) -> Predictions:
        """The same, deciding for class 1 where its probability is at least `threshold` (two classes only)."""
        return replace(self, decisions=(self.values[:, 1] >= threshold).astype(np.int64))

    def labels(self) -> NDArray[np.int64]:
        """(n,) class index decided on."""
        return self.values.argmax(axis=1) if self.decisions is None else self.decisions


class Objective(Protocol):
    """What is learned. The training core uses `loss` and `activate`; evaluation uses `predict` and `scores`."""

    @property
    def kind(self) -> str:
        """`classification`, `regression`, ..."""
        ...

    @property
    def primary(self) -> str:
        """The score that decides who wins and that early stopping may watch."""
        ...

    @property
    def outputs(self) -> int:
        """How many numbers a network gives per example (or per step of a sequence)."""
        ...

    def resolve(self, target: NDArray[Any], positive: str | None = None) -> Self:
        """The objective for this data: what its classes are, and which counts as positive. Uses labels, nothing else.

        Raises:
            BadInput: this target cannot be learned, and why.
        """
        ...

    def fitted(self, target: NDArray[Any]) -> Self:
        """The objective with what must be estimated from TRAINING rows (location and scale of a number)."""
        ...

    def encode(self, target: NDArray[Any]) -> NDArray[Any]:
        """Raw target -> the array that `scores` takes: class indices, numbers in their own unit, sequences."""
        ...

    def learnable(self, encoded: NDArray[Any]) -> NDArray[Any]:
        """Encoded target -> the array that `loss` takes, so that one traced loss serves every fold."""
        ...

    def loss(self, target: Any, outputs: Any) -> Any:
        """(batch,) loss of each example from `learnable` targets, in TensorFlow; never averaged here."""
        ...

    def activate(self, outputs: Any) -> Any:
        """Network outputs -> what a saved model returns (probabilities, numbers in their unit), as a Keras layer."""
        ...

    def predict(self, values: NDArray[Any]) -> Predictions:
        """What the saved model returned -> Predictions."""
        ...

    def scores(
        self, target: NDArray[Any], predictions: Predictions, weight: NDArray[Any] | None = None
    ) -> dict[str, float]:
        """Every score of this objective, by its field's name; NaN where undefined. `target` is encoded."""
        ...

    def greater_is_better(self, score: str) -> bool:
        """The direction of a score."""
        ...
