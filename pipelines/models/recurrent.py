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


def visit_gru(column: str, bins: int) -> Callable[[Examples, Objective, Recipe], Architecture]:
    """Visits one after the other > a GRU; its state beside the table of this visit > a hidden layer > outputs.

    It sees the table that other models see, and every visit in between. `recipe.width` units, 64 if 0.

    Args:
        column: of (n, visits, channels) series, this visit last, NaN where there was none.
        bins: of each number of the table (`NumberEncoding`).

    Reference: as of `event_gru`.
    """

    def build(train: Examples, objective: Objective, recipe: Recipe) -> Architecture:
        import keras
        from keras import layers

        from pipelines.models.dropout import ByteDropout
        from pipelines.models.events import EventEncoding
        from pipelines.models.tabular import encoder

        raw, values = keras_inputs(train, [column, *train.names("number", "category")]), train.columns[column]
        told = EventEncoding.fitted(values, ["plain"] * values.shape[-1])(raw[column])
        table = encoder(train, bins)({name: raw[name] for name in train.names("number", "category")})
        beside = layers.RepeatVector(values.shape[1])(table)
        encode = keras.Model(raw, layers.Concatenate()([told, beside]))

        width, channels = recipe.width or 64, told.shape[-1]
        inputs = keras.Input(encode.output_shape[1:])
        events = inputs[..., :channels]
        hidden = layers.GRU(width)(ByteDropout(recipe.dropout)(events), mask=inputs[..., 0] > 0.5)
        hidden = layers.Concatenate()([hidden, inputs[:, -1, channels:]])
        hidden = layers.Dense(width, activation="relu")(ByteDropout(recipe.dropout)(hidden))
        outputs = layers.Dense(objective.outputs)(ByteDropout(recipe.dropout)(hidden))
        return Architecture(encode, keras.Model(inputs, outputs), xla=True)

    return build
