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

MEMBERS = 32
"""Of a `tabm`."""

BLOCKS, HEADS = 3, 8
"""Of an `ft_transformer`."""

MOST_CATEGORIES = 64
"""Categories of one column beyond this many share one place; they are the rarest."""


def mlp(train: Examples, objective: Objective, recipe: Recipe) -> Architecture:
    """Encoded columns > two hidden layers of ReLU units with dropout > outputs. `recipe.width` units, 128 if 0."""
    import keras

    from pipelines.models.dropout import ByteDropout

    encode = encoder(train)
    width = recipe.width or 128
    inputs = keras.Input(encode.output_shape[1:])
    hidden = inputs
    for _ in range(2):
        hidden = keras.layers.Dense(width, activation="relu")(hidden)
        hidden = ByteDropout(recipe.dropout)(hidden)
    return Architecture(encode, keras.Model(inputs, keras.layers.Dense(objective.outputs)(hidden)), xla=True)


def tabm(train: Examples, objective: Objective, recipe: Recipe, bins: int = BINS) -> Architecture:
    """Encoded columns > two hidden layers of 32 members that share their kernels > outputs of each member.

    `recipe.width` units, 128 if 0. Each number is encoded in so many bins; the time of a step grows with them.

    Reference: Gorishniy, Kotelnikov and Babenko (2025), "TabM: Advancing tabular deep learning with parameter-efficient
    ensembling", arXiv 2410.24210.
    """
    import keras

    from pipelines.models.dropout import ByteDropout
    from pipelines.models.members import MemberDense, SharedDense

    encode = encoder(train, bins)
    width = recipe.width or 128
    inputs = keras.Input(encode.output_shape[1:])
    hidden = inputs
    for place in range(2):
        hidden = SharedDense(width, MEMBERS, signs=place == 0, activation="relu")(hidden)
        hidden = ByteDropout(recipe.dropout)(hidden)
    outputs = MemberDense(objective.outputs)(hidden)
    return Architecture(encode, keras.Model(inputs, outputs), xla=True, members=MEMBERS)


def ft_transformer(train: Examples, objective: Objective, recipe: Recipe) -> Architecture:
    """A token for each column > three blocks of attention between columns > outputs, read at a token of their own.

    `recipe.width` numbers a token, 64 if 0.

    Reference: Gorishniy, Rubachev, Khrulkov and Babenko (2021), "Revisiting deep learning models for tabular data",
    arXiv 2106.11959. Numbers enter by their piecewise-linear encoding, in place of one linear term.
    """
    import keras

    from pipelines.models.dropout import ByteDropout
    from pipelines.models.tokens import AnswerToken, ColumnTokens

    layers = keras.layers
    encode, places = _encoded(train)
    width = recipe.width or 64
    inputs = keras.Input(encode.output_shape[1:])
    tokens = AnswerToken()(ColumnTokens(places, width)(inputs))
    for _ in range(BLOCKS):
        seen = layers.LayerNormalization()(tokens)
        seen = layers.MultiHeadAttention(HEADS, max(1, width // HEADS), dropout=recipe.dropout)(seen, seen)
        tokens = layers.Add()([tokens, seen])
        hidden = layers.Dense(2 * width, activation="gelu")(layers.LayerNormalization()(tokens))
        hidden = layers.Dense(width)(ByteDropout(recipe.dropout)(hidden))
        tokens = layers.Add()([tokens, hidden])
    answer = layers.LayerNormalization()(tokens[:, 0])
    return Architecture(encode, keras.Model(inputs, layers.Dense(objective.outputs)(answer)), xla=True)


def encoder(train: Examples, bins: int = BINS) -> Any:
    """Keras model from the table's raw columns to one vector per row; fitted on the training rows.

    Numbers are standardised and piecewise linearly encoded; each category has a place, and so have `missing` and
    `never seen in training`.
    """
    return _encoded(train, bins)[0]


def _encoded(train: Examples, bins: int = BINS) -> tuple[Any, list[list[int]]]:
    """The encoder; and for each column, numbers first, which places of the vector are its own."""
    import keras

    from pipelines.models.layers import NumberEncoding

    numbers, categories = train.names("number"), train.names("category")
    inputs = keras_inputs(train, numbers + categories)
    parts, places = [], []
    if numbers:
        stacked = (
            keras.layers.Concatenate(dtype="float64")([inputs[name] for name in numbers])
            if len(numbers) > 1
            else inputs[numbers[0]]
        )
        known = np.column_stack([train.columns[name] for name in numbers]).astype(np.float64)
        encoding = NumberEncoding.fitted(known, bins)
        parts.append(encoding(stacked))
        places += encoding.places
    for name in categories:
        parts.append(one_hot(train.columns[name])(inputs[name]))
        first = sum(part.shape[-1] for part in parts[:-1])
        places.append(list(range(first, first + parts[-1].shape[-1])))
    return keras.Model(inputs, keras.layers.Concatenate()(parts) if len(parts) > 1 else parts[0]), places


def one_hot(values: Any) -> Any:
    """Keras layer from (batch, 1) words to a place for each frequent one of a column, and one for all others."""
    import keras

    labels, counts = np.unique([MISSING if value is None else str(value) for value in values], return_counts=True)
    frequent = labels[np.argsort(-counts, kind="stable")][:MOST_CATEGORIES]
    return keras.layers.StringLookup(vocabulary=[str(label) for label in frequent], output_mode="one_hot")
