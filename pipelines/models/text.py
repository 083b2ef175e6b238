"""Networks for written language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelines.data.examples import Examples, OnDemand
from pipelines.models.inputs import as_array, keras_inputs
from pipelines.objectives.objective import Objective
from pipelines.task import Architecture, Recipe

MOST_WORDS = 8000
MOST_TOKENS = 96
"""Longer texts are cut: their first words are kept."""


def bidirectional_lstm(train: Examples, objective: Objective, recipe: Recipe) -> Architecture:
    """Words > embeddings > an LSTM in each direction > the largest value of each unit over the words > outputs.

    The vocabulary is part of the saved model, which therefore takes text. `recipe.width` units per direction, 32 if 0.

    Reference: Hochreiter and Schmidhuber (1997), "Long short-term memory", Neural Computation 9(8).
    """
    import keras
    from keras import layers

    raw = keras_inputs(train, ["text"])
    words = layers.TextVectorization(max_tokens=MOST_WORDS, output_sequence_length=MOST_TOKENS)
    words.adapt(_all(train.columns["text"]))
    encode = keras.Model(raw, words(raw["text"]))

    width = recipe.width or 32
    inputs = keras.Input((MOST_TOKENS,), dtype="int64")
    hidden = layers.Embedding(words.vocabulary_size(), 2 * width)(inputs)
    hidden = layers.SpatialDropout1D(recipe.dropout)(hidden)
    hidden = layers.Bidirectional(layers.LSTM(width, return_sequences=True))(hidden)
    hidden = layers.Dropout(recipe.dropout)(layers.GlobalMaxPooling1D()(hidden))
    return Architecture(encode, keras.Model(inputs, layers.Dense(objective.outputs)(hidden)), xla=True)


def _all(texts: Any) -> Any:
    """All texts as `adapt` takes them: at once, or block by block where they are larger than memory."""
    import tensorflow as tf

    if not isinstance(texts, OnDemand):
        return as_array(texts, "text")

    def blocks() -> Iterator[Any]:
        return (as_array(block, "text") for block in texts.blocks())

    return tf.data.Dataset.from_generator(blocks, output_signature=tf.TensorSpec((None, 1), tf.string))
