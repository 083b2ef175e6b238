"""Networks for tables: numbers and categories, missing values included."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipelines.data.examples import Examples
from pipelines.models.inputs import MISSING, keras_inputs
from pipelines.objectives.objective import Objective
from pipelines.task import Architecture, Recipe

BINS = 16
"""Quantile bins of the piecewise-linear encoding."""

MOST_CATEGORIES = 64
"""Categories of one column beyond this many share one place; they are the rarest."""


def mlp(train: Examples, objective: Objective, recipe: Recipe) -> Architecture:
    """Encoded columns > two hidden layers of ReLU units with dropout > outputs. `recipe.width` units, 128 if 0."""
    import keras

    encode = encoder(train)
    width = recipe.width or 128
    inputs = keras.Input(encode.output_shape[1:])
    hidden = inputs
    for _ in range(2):
        hidden = keras.layers.Dense(width, activation="relu")(hidden)
        hidden = keras.layers.Dropout(recipe.dropout)(hidden)
    return Architecture(encode, keras.Model(inputs, keras.layers.Dense(objective.outputs)(hidden)), xla=True)


def encoder(train: Examples) -> Any:
    """Keras model from the table's raw columns to one vector per row; fitted on the training rows.

    Numbers are standardised and piecewise linearly encoded; each category has a place, and so have `missing` and
    `never seen in training`.
    """
    import keras

    from pipelines.models.layers import NumberEncoding

    numbers, categories = train.names("number"), train.names("category")
    inputs = keras_inputs(train, numbers + categories)
    parts = []
    if numbers:
        stacked = (
            keras.layers.Concatenate(dtype="float64")([inputs[name] for name in numbers])
            if len(numbers) > 1
            else inputs[numbers[0]]
        )
        known = np.column_stack([train.columns[name] for name in numbers]).astype(np.float64)
        parts.append(NumberEncoding.fitted(known, BINS)(stacked))
    parts += [_one_hot(train.columns[name])(inputs[name]) for name in categories]
    return keras.Model(inputs, keras.layers.Concatenate()(parts) if len(parts) > 1 else parts[0])


def _one_hot(values: Any) -> Any:
    import keras

    labels, counts = np.unique([MISSING if value is None else str(value) for value in values], return_counts=True)
    frequent = labels[np.argsort(-counts, kind="stable")][:MOST_CATEGORIES]
    return keras.layers.StringLookup(vocabulary=[str(label) for label in frequent], output_mode="one_hot")
