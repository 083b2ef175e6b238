"""Networks that learn what normal rows of a table are like, and say how far a row is from that.

Their cores give (batch, 1) errors (`objectives.errors`). Both take rows as `encoder` makes them: numbers standardised
and flagged where missing, categories one-hot and centred, so that no feature is a constant other than 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pipelines.data.examples import Examples
from pipelines.models.inputs import as_tensors, keras_inputs
from pipelines.models.tabular import one_hot
from pipelines.objectives.objective import Objective
from pipelines.task import Architecture, Recipe

CODE = 4
"""Numbers that an `autoencoder` has to describe a row by, but for rows of few features: half of these then."""

NEAR_ZERO = 0.1
"""No coordinate of a `deep_svdd`'s centre is nearer to 0, which weights of 0 would reach."""

ROWS_AT_ONCE = 4096


def autoencoder(train: Examples, objective: Objective, recipe: Recipe) -> Architecture:
    """Encoded columns > two layers of ReLU units > a code > two layers > the columns again; the error is how far off.

    `recipe.width` units in the outer layers, 64 if 0, and half in the inner ones; the code has `CODE` numbers. With
    dropout, inputs are dropped that have to be given back all the same (Vincent et al. 2008).

    Reference: Hinton and Salakhutdinov (2006), "Reducing the dimensionality of data with neural networks", Science 313;
    for anomalies Sakurada and Yairi (2014), "Anomaly detection using autoencoders with nonlinear dimensionality
    reduction", MLSDA.
    """
    import keras

    from pipelines.models.error_layers import MeanSquaredDifference

    dense = keras.layers.Dense
    encode = encoder(train)
    width, features = recipe.width or 64, encode.output_shape[-1]
    inputs = keras.Input((features,))
    hidden = keras.layers.Dropout(recipe.dropout)(inputs)
    for units in (width, max(1, width // 2)):
        hidden = dense(units, activation="relu")(hidden)
    hidden = dense(min(CODE, max(1, features // 2)), name="code")(hidden)
    for units in (max(1, width // 2), width):
        hidden = dense(units, activation="relu")(hidden)
    error = MeanSquaredDifference()([inputs, dense(features, name="reconstruction")(hidden)])
    return Architecture(encode, keras.Model(inputs, error), xla=True)


def deep_svdd(train: Examples, objective: Objective, recipe: Recipe) -> Architecture:
    """Encoded columns > three layers without biases > the squared distance from a fixed centre, which is minimised.

    The centre is the mean of what the untrained network makes of the training rows. Nothing lets the network map every
    row there: no layer has a bias, the units are not bounded (leaky ReLU), no feature is constant, and no coordinate of
    the centre is near 0. `recipe.width` units in the first layer, 64 if 0, then a half and a quarter.

    Reference: Ruff et al. (2018), "Deep one-class classification", ICML, the one-class objective (equation 4, its
    weight decay being the recipe's) without the pretraining by an autoencoder that it used for pictures.
    """
    import keras

    from pipelines.models.error_layers import SquaredDistance

    encode = encoder(train)
    width = recipe.width or 64
    inputs = keras.Input(encode.output_shape[1:])
    hidden = inputs
    for units in (width, max(1, width // 2)):
        hidden = keras.layers.Dense(units, use_bias=False)(hidden)
        hidden = keras.layers.Dropout(recipe.dropout)(keras.layers.LeakyReLU(0.1)(hidden))
    mapped = keras.layers.Dense(max(1, width // 4), use_bias=False, name="mapped")(hidden)
    core = keras.Model(inputs, SquaredDistance(name="distance")(mapped))

    def centred(core: Any) -> None:
        before = keras.Model(core.input, core.get_layer("mapped").output)
        core.get_layer("distance").centre.assign(_centre(encode, before, train))

    centred(core)
    return Architecture(encode, core, xla=True, begin=centred)


def encoder(train: Examples) -> Any:
    """Keras model from the table's raw columns to one vector per row; fitted on the training rows."""
    import keras

    from pipelines.models.error_layers import StandardNumbers

    numbers, categories = train.names("number"), train.names("category")
    inputs = keras_inputs(train, numbers + categories)
    parts = []
    if numbers:
        stacked = [inputs[name] for name in numbers]
        joined = keras.layers.Concatenate(dtype="float64")(stacked) if len(numbers) > 1 else stacked[0]
        known = np.column_stack([train.columns[name] for name in numbers]).astype(np.float64)
        parts.append(StandardNumbers.fitted(known)(joined))
    for name in categories:
        lookup = one_hot(train.columns[name])
        shares = np.asarray(lookup(as_tensors({name: train.columns[name]}, train.kinds)[name])).mean(axis=0)
        parts.append(keras.layers.Rescaling(1.0, (-shares).tolist())(lookup(inputs[name])))
    return keras.Model(inputs, keras.layers.Concatenate()(parts) if len(parts) > 1 else parts[0])


def _centre(encode: Any, network: Any, train: Examples) -> Any:
    """(features,) mean of what the network makes of the rows, each coordinate pushed away from 0."""
    columns = {name: train.columns[name] for name in encode.input}
    total = np.zeros(network.output_shape[-1])
    for start in range(0, len(train), ROWS_AT_ONCE):
        rows = as_tensors(columns, train.kinds, slice(start, start + ROWS_AT_ONCE))
        total += np.asarray(network(encode(rows), training=False), np.float64).sum(axis=0)
    mean = total / len(train)
    return np.where(np.abs(mean) < NEAR_ZERO, np.where(mean < 0, -NEAR_ZERO, NEAR_ZERO), mean)
