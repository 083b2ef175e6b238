"""Whether a network answers each row by itself, as private training needs it."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipelines.errors import BadInput
from pipelines.training.layers import walk

INSTEAD = "use LayerNormalization or GroupNormalization, which look at one row at a time"


def require_independent_rows(core: Any) -> None:
    """Refuse a network that private training would not train as it is meant.

    Gradients are taken of one row at a time, so a layer that mixes rows could not break the promise; but it would learn
    from batches of one, and statistics of rows that it keeps would leave the training without noise. Layers that are
    known to mix are refused by kind; others because in training the answer for a row moves with another row, or because
    a forward pass changes a variable, which is tried on a few random rows.

    Raises:
        BadInput: names the layer, and what would be right.
    """
    import keras

    for path, layer, _ in walk(core):
        if isinstance(layer, keras.layers.BatchNormalization):
            raise BadInput(f"the layer {path!r} (BatchNormalization) mixes the rows of a batch; {INSTEAD}")
        if skips(layer):
            raise BadInput(
                f"the layer {path!r} ({type(layer).__name__}) looks at one place and strides over others, where "
                "TensorFlow's gradient of a single row can break the process; let MaxPooling of size 1 do the striding "
                "before it"
            )
    if changed := _changed_by_rows(core):
        raise BadInput(f"{_owner(core, changed[0])} keeps statistics of rows, which would be given away; {INSTEAD}")
    if _mixes(core):
        raise BadInput(f"{_mixing(core)} mixes the rows of a batch; {INSTEAD}")


def skips(layer: Any) -> bool:
    """Whether it is a convolution of size 1 with a stride.

    On CPUs the gradient of its kernel writes beyond its memory (TensorFlow 2.21 with oneDNN,
    Conv2DBackpropFilter from 4 or 8 channels): the process is killed, or numbers elsewhere change.
    """
    sizes, strides = getattr(layer, "kernel_size", ()), getattr(layer, "strides", ())
    return bool(sizes) and max(sizes) == 1 and bool(strides) and max(strides) > 1


def _owner(core: Any, variable: Any) -> str:
    """The innermost layer that has the variable."""
    owners = [path for path, layer, _ in walk(core) if any(variable is each for each in layer.variables)]
    return f"the layer {owners[-1]!r}" if owners else "the network"


def _mixing(core: Any) -> str:
    """The first layer whose answer for a row moves with another row, as far as the network shows its layers."""
    import keras

    for path, layer, functional in walk(core):
        # What is inside a nested model has inputs of its own; the model as a whole is named then.
        if functional and "." not in path and not isinstance(layer, keras.layers.InputLayer):
            output = layer._inbound_nodes[-1].output_tensors
            if _mixes(keras.Model(core.inputs, output)):
                return f"the layer {path!r} ({type(layer).__name__})"
    return "a layer of the network"


def _mixes(model: Any) -> bool:
    """Whether in training the answers for rows 1 and 2 change when row 0 does."""
    import tensorflow as tf

    before, after = (_forward(model, _rows(model, first))[0] for first in (0, 1))
    pairs = zip(tf.nest.flatten(before), tf.nest.flatten(after), strict=True)
    return not all(
        one.shape[0] == 3 and np.allclose(one[1:], other[1:], rtol=1e-4, atol=1e-5, equal_nan=True)
        for one, other in ((np.asarray(one), np.asarray(other)) for one, other in pairs)
    )


def _changed_by_rows(core: Any) -> list[Any]:
    """Variables that a forward pass assigns, generators not counted."""
    weights = {id(variable) for variable in core.weights}
    after = _forward(core, _rows(core, 0))[1]
    pairs = zip(core.non_trainable_variables, after, strict=True)
    return [old for old, new in pairs if id(old) in weights and not np.array_equal(np.asarray(old), np.asarray(new))]


def _forward(model: Any, rows: Any) -> tuple[Any, Any]:
    """(outputs, non-trainable variables) after a pass in training that assigns nothing, with the same dropout again."""
    import tensorflow as tf

    here = [
        [tf.convert_to_tensor(each) for each in some]
        for some in (model.trainable_variables, model.non_trainable_variables)
    ]
    outputs, after = model.stateless_call(*here, rows, training=True)
    return outputs, after


def _rows(model: Any, first: int) -> Any:
    """Three random rows as the model takes them; `first` chooses among values of the first one."""
    import tensorflow as tf

    def rows(tensor: Any) -> Any:
        random = np.random.default_rng(7)
        shape = (4, *(size or 8 for size in tensor.shape[1:]))
        values = random.normal(size=shape)
        if "int" in tensor.dtype:  # 0 and 1 are words of every vocabulary
            values = (values > 0).astype(np.float64)
            values[3] = 1 - values[0]
        return tf.constant(values[[3 if first else 0, 1, 2]].astype(tensor.dtype))

    functional = getattr(model, "_functional", None) or model  # a sequential model that nobody called names no input
    return tf.nest.map_structure(rows, functional.input)
