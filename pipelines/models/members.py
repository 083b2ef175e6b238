"""Dense layers of many members at once, which share most of their weights: an ensemble for little more than one.

Registered by name, so a saved model loads them in Keras' safe mode.

Reference: Wen, Tran and Ba (2020), "BatchEnsemble", arXiv 2002.06715.
"""

from __future__ import annotations

from typing import Any

import keras

from pipelines.models.layers import PACKAGE


@keras.saving.register_keras_serializable(package=PACKAGE)
class SharedDense(keras.layers.Layer):
    """One kernel for all members, each of which scales what goes in and what comes out: ((x * r) W) * s + b.

    Args:
        units: outputs of each member.
        members: how many there are.
        signs: whether the members start apart, each with inputs whose signs are turned by chance; else all start alike.
        activation: what is made of the outputs, by Keras' name.

    Input (batch, features), the same for all members, or (batch, members, features); output (batch, members, units).
    """

    def __init__(
        self, units: int, members: int, signs: bool = False, activation: str = "linear", **settings: Any
    ) -> None:
        super().__init__(**settings)
        self.units, self.members, self.signs = units, members, signs
        self.activation = keras.activations.get(activation)

    def build(self, input_shape: Any) -> None:
        features = input_shape[-1]
        self.kernel = self.add_weight(shape=(features, self.units), initializer=_Usual(), name="kernel")
        start = _Signs() if self.signs else "ones"
        self.before = self.add_weight(shape=(self.members, features), initializer=start, name="scale")
        self.after = self.add_weight(shape=(self.members, self.units), initializer="ones", name="gamma")
        self.bias = self.add_weight(shape=(self.members, self.units), initializer="zeros", name="bias")
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        ops = keras.ops
        each = inputs if len(inputs.shape) == 3 else inputs[:, None, :]
        scaled = ops.reshape(each * self.before, (-1, self.kernel.shape[0]))
        out = ops.reshape(ops.matmul(scaled, self.kernel), (-1, self.members, self.units))
        return self.activation(out * self.after + self.bias)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], self.members, self.units)

    def get_config(self) -> dict[str, Any]:
        activation = keras.activations.serialize(self.activation)
        own = {"units": self.units, "members": self.members, "signs": self.signs, "activation": activation}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package=PACKAGE)
class MemberDense(keras.layers.Layer):
    """A dense layer of its own for each member. Input (batch, members, features); output (batch, members, units)."""

    def __init__(self, units: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.units = units

    def build(self, input_shape: Any) -> None:
        _, members, features = input_shape
        self.kernel = self.add_weight(shape=(members, features, self.units), initializer=_Usual(), name="kernel")
        self.bias = self.add_weight(shape=(members, self.units), initializer="zeros", name="bias")
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        ops = keras.ops
        if self.units == 1:  # a sum is quicker than so many products of a matrix and a vector
            return ops.sum(inputs * self.kernel[:, :, 0], axis=-1, keepdims=True) + self.bias
        return ops.einsum("bmf,mfu->bmu", inputs, self.kernel) + self.bias

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:2], self.units)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package=PACKAGE)
class _Signs(keras.initializers.Initializer):
    """1 or -1, by chance."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        ones = keras.random.randint(shape, 0, 2)
        return keras.ops.cast(2 * ones - 1, dtype or "float32")


@keras.saving.register_keras_serializable(package=PACKAGE)
class _Usual(keras.initializers.Initializer):
    """Uniform within 1 / sqrt(features) of 0; features stand on the axis before the last."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        reach = float(shape[-2]) ** -0.5
        return keras.random.uniform(shape, -reach, reach, dtype=dtype or "float32")
