"""An exponential moving average of the weights, which is what is validated and kept."""

from __future__ import annotations

from typing import Any


class Average:
    """Average of a core's weights over past updates.

    The moving statistics of its normalisation layers are averaged alike: those of the core belong to weights that the
    average has left behind or not yet reached.

    Args:
        core: Keras model, built.
        decay: what remains of the average at an update, once warmed up; 0.999 looks back over some 1000 updates.

    References: Polyak and Juditsky (1992), SIAM J. Control Optim. 30(4); Tarvainen and Valpola (2017), arXiv
    1703.01780; statistics averaged too, Tan and Le (2019), arXiv 1905.11946.
    """

    def __init__(self, core: Any, decay: float) -> None:
        import keras

        self.decay = decay
        self._core = core
        self._averages = {
            # Each replica computes the same average from the same weights and keeps it to itself.
            place: keras.Variable(
                keras.ops.convert_to_tensor(variable),
                trainable=False,
                synchronization="on_read",
                aggregation="only_first_replica",
                name=f"{variable.name}_average",
            )
            for place, variable in enumerate(core.variables)
            if keras.backend.is_float_dtype(variable.dtype)
        }

    @property
    def state(self) -> list[Any]:
        """The averages themselves."""
        return list(self._averages.values())

    @property
    def variables(self) -> list[Any]:
        """One for each of `core.variables`: its average, or itself where there is nothing to average (generators)."""
        return [self._averages.get(place, variable) for place, variable in enumerate(self._core.variables)]

    def update(self, step: Any) -> None:
        """Take in the weights as they are after update number `step`, a scalar float tensor, counted from 0.

        The first weights are copied. From then on the decay is min(decay, (1 + n) / (10 + n)) with n = step - 1, the
        warm-up of `tf.train.ExponentialMovingAverage`: early weights are soon forgotten.
        """
        import tensorflow as tf

        kept = tf.minimum(self.decay, step / (step + 9.0))
        variables = self._core.variables
        for place, average in self._averages.items():
            share = tf.cast(kept, average.dtype)
            average.assign(share * average + (1 - share) * tf.convert_to_tensor(variables[place]))


def forward(core: Any, variables: list[Any] | None, x: Any) -> Any:
    """Outputs of the core as it predicts, with other values for its variables; nothing is assigned.

    Args:
        variables: one for each of `core.variables`; None for its own.
    """
    import keras

    if variables is None:
        return core(x, training=False)
    with keras.StatelessScope(state_mapping=list(zip(core.variables, variables, strict=True))):
        return core(x, training=False)
