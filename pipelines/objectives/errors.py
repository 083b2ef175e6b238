"""The objective of a core that gives errors: how far each row is from what it has learned that rows are like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.objectives.members import of_members
from pipelines.objectives.objective import Objective, Predictions

EXCEEDING = 0.01
"""Share of the training rows whose error is above the reference."""

SMALLEST = 1e-9
"""No reference is smaller, were every training row without error."""

SCALED = "error_over_reference"
"""The layer of a saved model whose input are the errors."""


@dataclass(frozen=True)
class RowErrors:
    """`each`, of a core that gives (batch, 1) errors >= 0, which are small for rows like those it has learned from.

    The loss is the error itself, whatever class a row is of: who trains chooses the rows. What outcomes are judged by
    is error / (error + reference), which rises with the error and is 0.5 at the reference. It ranks rows as the error
    does, and is no calibrated probability: errors of normal rows cannot tell how frequent anomalies are.

    Args:
        each: the classification that outcomes are judged by, of two classes.
        reference: an error, in the core's own unit.
    """

    each: Any
    reference: float = 1.0

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "each":
            raise AttributeError(name)
        return getattr(self.each, name)

    def loss(self, target: Any, outputs: Any) -> Any:
        """(batch,) error of each row."""
        return outputs[:, 0]

    def activate(self, outputs: Any) -> Any:
        """(batch, 1) errors over (errors + reference), as Keras layers; in float64, where large errors stay apart."""
        import keras

        scaled = keras.layers.Rescaling(1 / self.reference, name=SCALED, dtype="float64")(outputs)
        return keras.layers.Activation("softsign", name="probability", dtype="float64")(scaled)

    def predict(self, values: NDArray[Any]) -> Predictions:
        found: Predictions = self.each.predict(np.asarray(values))
        return found


def reference_of(errors: NDArray[Any]) -> float:
    """The error that is told as 0.5, from those of training rows."""
    return max(float(np.quantile(errors, 1 - EXCEEDING)), SMALLEST)


def of_core(objective: Objective, learns_from: str, members: int) -> Any:
    """The objective as a core learns it: by the errors of rows that are all normal, or by what its members each say."""
    return RowErrors(objective) if learns_from == "normal" else of_members(objective, members)
