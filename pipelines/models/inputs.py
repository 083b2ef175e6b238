"""From raw columns to tensors: the part of a network that is fitted on training rows and saved inside the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.examples import Examples, Kind

MISSING = ""
"""How a missing category travels through TensorFlow; it is a value of its own."""


def keras_inputs(examples: Examples, names: list[str]) -> dict[str, Any]:
    """One Keras input per column, by the column's name."""
    import keras

    inputs = {}
    for name in names:
        kind, shape = examples.kinds[name], np.shape(examples.columns[name])[1:]
        dtype = "string" if kind in ("category", "text") else "uint8" if kind == "image" else "float32"
        # A name with a slash would be read as a path when the model is saved.
        inputs[name] = keras.Input(shape or (1,), dtype=dtype, name=name.replace("/", "_"))
    return inputs


def as_tensors(columns: Mapping[str, Any], kinds: Mapping[str, Kind], rows: Any = slice(None)) -> dict[str, Any]:
    """The given rows of the columns as TensorFlow tensors, (n, 1) for tables and text."""
    import tensorflow as tf

    return {name: tf.constant(as_array(columns[name][rows], kinds[name])) for name in columns}


def as_array(values: NDArray[Any], kind: Kind) -> NDArray[Any]:
    """One column in the type that the network reads; None becomes `MISSING`."""
    if kind in ("category", "text"):
        return np.array([MISSING if value is None else str(value) for value in values], dtype=object)[:, np.newaxis]
    if kind == "number":
        return np.asarray(values, dtype=np.float32)[:, np.newaxis]
    return np.asarray(values) if kind == "image" else np.asarray(values, dtype=np.float32)
