"""Recurrent networks over somebody's last events."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pipelines.data.examples import Examples
from pipelines.models.inputs import keras_inputs
from pipelines.objectives.objective import Objective
from pipelines.task import Architecture, Recipe


def event_gru(column: str, channels: Mapping[str, str]) -> Callable[[Examples, Objective, Recipe], Architecture]:
    """Last events > a GRU that passes over those that there were none of > a hidden layer > outputs.

    It is given what happened and no number that somebody thought up. `recipe.width` units, 64 if 0.

    Args:
        column: of (n, events, channels) series, the row's own event last, NaN where there is none.
        channels: name -> scale of each channel, as `EventEncoding` takes it; the data may have the first few alone.

    Reference: Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder", arXiv 1406.1078.
    """

    def build(train: Examples, objective: Objective, recipe: Recipe) -> Architecture:
        import keras
        from keras import layers

        from pipelines.models.dropout import ByteDropout
        from pipelines.models.events import EventEncoding

        raw, values = keras_inputs(train, [column]), train.columns[column]
        scales = list(channels.values())[: values.shape[-1]]
        encode = keras.Model(raw, EventEncoding.fitted(values, scales)(raw[column]))

        width = recipe.width or 64
        inputs = keras.Input(encode.output_shape[1:])
        hidden = layers.GRU(width)(inputs, mask=inputs[..., 0] > 0.5)
        # The row's own event once more: what it says must not have to go through the whole memory.
        hidden = layers.Concatenate()([hidden, inputs[:, -1]])
        hidden = layers.Dense(width, activation="relu")(ByteDropout(recipe.dropout)(hidden))
        outputs = layers.Dense(objective.outputs)(ByteDropout(recipe.dropout)(hidden))
        return Architecture(encode, keras.Model(inputs, outputs), xla=True)

    return build
