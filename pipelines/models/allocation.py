"""Recurrent networks for portfolios. One network reads every asset, so that what it learns of one holds for all."""

from __future__ import annotations

from typing import Any

from pipelines.data.examples import Examples
from pipelines.models.inputs import keras_inputs
from pipelines.objectives.objective import Objective
from pipelines.task import Architecture, Recipe

STEPS = 61
"""Days that a row's loss is taken over: 12 weeks and the decision that closes them."""

HORIZONS, VOLATILITY = (1, 5, 21, 63, 126), 63
"""Trading days: a day, a week, a month, a quarter and half a year."""


def gru_weights(train: Examples, objective: Objective, recipe: Recipe) -> Architecture:
    """Trailing returns of each asset > a GRU over the days > a logit a day; the softmax over assets are the weights.

    It begins near equal weights. `recipe.width` units, 16 if 0.

    Reference: Zhang, Zohren and Roberts (2020), arXiv 2005.13665.
    """
    import keras

    encode, inputs, hidden = _read(train, recipe)
    wanted = keras.layers.Dense(1, kernel_initializer=_small(), name="logit")(hidden)
    core = keras.Model(inputs, keras.ops.concatenate([_by_step(wanted, inputs), inputs[..., -1]], axis=-1))
    return Architecture(encode, core, xla=False)


def gru_forecast(train: Examples, objective: Objective, recipe: Recipe) -> Architecture:
    """The same up to the GRU > the return that each asset is expected to make on the next day, of every step.

    In standard deviations of each asset's training returns. `recipe.width` units, 16 if 0.
    """
    import keras

    encode, inputs, hidden = _read(train, recipe)
    expected = keras.layers.Dense(1, kernel_initializer=_small(), name="expected")(hidden)
    core = keras.Model(inputs, keras.ops.concatenate([_by_step(expected, inputs), inputs[..., -1]], axis=-1))
    return Architecture(encode, core, xla=False)


def _read(train: Examples, recipe: Recipe) -> tuple[Any, Any, Any]:
    """The encoder; the core's inputs (batch, steps, assets, features); what the GRU makes of them, asset by asset."""
    import keras

    from pipelines.models.trailing import TrailingReturns

    (column,) = train.names("series")
    raw = keras_inputs(train, [column])
    features = TrailingReturns(STEPS, list(HORIZONS), VOLATILITY, name="trailing")(raw[column])
    encode = keras.Model(raw, features)
    inputs = keras.Input(features.shape[1:])
    _, steps, _, size = inputs.shape
    by_asset = keras.ops.reshape(keras.ops.transpose(inputs, (0, 2, 1, 3)), (-1, steps, size))
    hidden = keras.layers.GRU(recipe.width or 16, return_sequences=True)(by_asset[..., :-1])
    return encode, inputs, keras.layers.Dropout(recipe.dropout)(hidden)


def _by_step(values: Any, inputs: Any) -> Any:
    """(batch * assets, steps, 1) -> (batch, steps, assets)."""
    import keras

    _, steps, assets, _ = inputs.shape
    return keras.ops.transpose(keras.ops.reshape(values, (-1, assets, steps)), (0, 2, 1))


def _small() -> Any:
    """Begins near 0, but not there: the layer before it would learn nothing from the first update."""
    import keras

    return keras.initializers.VarianceScaling(0.01)
