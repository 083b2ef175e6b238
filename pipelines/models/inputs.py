"""From raw columns to tensors: the part of a network that is fitted on training rows and saved inside the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.examples import Examples, Kind

MISSING = ""
"""How a missing category travels through TensorFlow; it is a value of its own."""

DTYPES: Mapping[Kind, str] = {
    "number": "float64",  # float32 would round a date in seconds to minutes before it is centred
    "category": "string",
    "text": "string",
    "image": "uint8",
    "wave": "float32",
    "series": "float32",
}
"""The type in which a model takes a column of each kind."""


def keras_inputs(examples: Examples, names: list[str]) -> dict[str, Any]:
    """One Keras input per column, by the column's name."""
    import keras

    inputs = {}
    for name in names:
        kind, shape = examples.kinds[name], np.shape(examples.columns[name])[1:]
        # Keras takes a slash for a path, so it becomes the division slash, which hardly any column's name holds.
        inputs[name] = keras.Input(shape or (1,), dtype=DTYPES[kind], name=name.replace("/", "\N{DIVISION SLASH}"))
    return inputs


def as_tensors(columns: Mapping[str, Any], kinds: Mapping[str, Kind], rows: Any = slice(None)) -> dict[str, Any]:
    """The given rows of the columns as TensorFlow tensors, (n, 1) for tables and text."""
    import tensorflow as tf

    return {name: tf.constant(as_array(columns[name][rows], kinds[name])) for name in columns}


def as_array(values: NDArray[Any], kind: Kind) -> NDArray[Any]:
    """One column in the type that the network reads; None becomes `MISSING`."""
    if kind in ("category", "text"):
        return np.array([MISSING if value is None else str(value) for value in values], dtype=object)[:, np.newaxis]
    array = np.asarray(values, dtype=DTYPES[kind])
    return array[:, np.newaxis] if kind == "number" else array
