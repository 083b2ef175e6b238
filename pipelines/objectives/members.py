"""The objective of a network with several members: each learns by itself, and their mean answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.objectives.objective import Objective, Predictions


@dataclass(frozen=True)
class Members:
    """`each`, of (batch, members, outputs) in place of (batch, outputs).

    A loss of the mean would let members lean on each other; the mean of their losses lets each be as good as it can,
    and their mean better than that.
    """

    each: Any
    members: int

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "each":
            raise AttributeError(name)
        return getattr(self.each, name)

    def loss(self, target: Any, outputs: Any) -> Any:
        """(batch,) mean of the members' losses."""
        import tensorflow as tf

        flat = tf.reshape(outputs, (-1, outputs.shape[-1]))
        losses = self.each.loss(tf.repeat(target, self.members, axis=0), flat)
        return tf.reduce_mean(tf.reshape(losses, (-1, self.members)), axis=1)

    def activate(self, outputs: Any) -> Any:
        """Mean of the members' activated outputs, as a Keras layer."""
        import keras

        return keras.layers.GlobalAveragePooling1D(name="mean_of_members", dtype="float32")(self.each.activate(outputs))

    def predict(self, values: NDArray[Any]) -> Predictions:
        found: Predictions = self.each.predict(np.asarray(values))
        return found


def of_members(objective: Objective, members: int) -> Any:
    """The objective of a network with so many members; the same of one."""
    return objective if members == 1 else Members(objective, members)
