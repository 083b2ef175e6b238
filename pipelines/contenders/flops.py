"""Floating-point operations of a network for one row, counted in its graph.

A multiplication and an addition are one operation each, so a product of (m, k) and (k, n) has 2 m k n. An activation, a
root or an exponential counts as one. Moving, choosing and looking up numbers counts nothing, and neither does
arithmetic on whole numbers. A loop counts as often as it runs: it is run for the row. TensorFlow's own profiler counts
its body once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

FREE = frozenset({
    "BatchToSpaceND", "BroadcastTo", "Cast", "CheckNumerics", "ConcatV2", "Const", "ConjugateTranspose", "DepthToSpace",
    "EnsureShape", "ExpandDims", "Fill", "Gather", "GatherNd", "GatherV2", "Identity", "IdentityN", "Imag", "MirrorPad",
    "OneHot", "OnesLike", "Pack", "Pad", "PadV2", "Placeholder", "PreventGradient", "ReadVariableOp", "Real", "Reshape",
    "ResourceGather", "ReverseSequence", "ReverseV2", "Roll", "ScatterNd", "Select", "SelectV2", "Slice",
    "SpaceToBatchND", "SpaceToDepth", "Split", "SplitV", "Squeeze", "StopGradient", "StridedSlice", "TensorListGather",
    "TensorListGetItem", "TensorListStack", "TensorScatterUpdate", "Tile", "Transpose", "Unpack", "VarHandleOp",
    "ZerosLike",
})  # fmt: skip
"""They move numbers."""

ELEMENTWISE = frozenset({
    "Abs", "Acos", "Acosh", "Add", "AddN", "AddV2", "Asin", "Asinh", "Atan", "Atan2", "Atanh", "BiasAdd", "BiasAddV1",
    "Ceil", "ClipByValue", "ComplexAbs", "Cos", "Cosh", "Cumsum", "Div", "DivNoNan", "Elu", "Erf", "Erfc", "Exp",
    "Expm1", "Floor", "FloorDiv", "FloorMod", "Inv", "LeakyRelu", "Log", "Log1p", "Maximum", "Minimum", "Mod", "Mul",
    "MulNoNan", "Neg", "Pow", "RealDiv", "Reciprocal", "Relu", "Relu6", "Rint", "Round", "Rsqrt", "Selu", "Sigmoid",
    "Sign", "Sin", "Sinh", "Softplus", "Softsign", "Sqrt", "Square", "SquaredDifference", "Sub", "Tan", "Tanh", "Xdivy",
    "Xlogy",
})  # fmt: skip
"""One operation for each number that they give."""

TIMES = {"Softmax": 3, "LogSoftmax": 3, "FusedBatchNorm": 2, "FusedBatchNormV2": 2, "FusedBatchNormV3": 2}
"""Operations for each number that they give: an exponential, a sum, a quotient; a scale and a shift."""

REDUCTIONS = frozenset({"EuclideanNorm", "Max", "Mean", "Min", "Prod", "Sum"})
"""One operation for each number that they are given."""

PRODUCTS = {"MatMul": "transpose_a", "BatchMatMul": "adj_x", "BatchMatMulV2": "adj_x", "BatchMatMulV3": "adj_x"}
"""And which of their attributes says that the first matrix is turned."""

LOOPS, CALLS = ("While", "StatelessWhile"), ("PartitionedCall", "StatefulPartitionedCall")
GATES = {b"lstm": 4, b"gru": 3, b"rnn_tanh": 1, b"rnn_relu": 1}
"""Products with the inputs, and with the state, in each step of a recurrent layer on a GPU."""

UPDATE = 3
"""Times the operations of a row's way forward: both gradients of a product are a product as large. Reference: Kaplan et
al. (2020), arXiv 2001.08361, section 2.1."""

Shape = tuple[int, ...]


def of_call(call: Callable[[Any], Any], row: Any) -> float:
    """Operations of `call(row)`; NaN where it does something that is not known here.

    Args:
        call: made of TensorFlow's operations.
        row: structure of tensors, of the shapes to count for: a batch of one row.
    """
    import tensorflow as tf

    operations: list[Any] = []
    loops: list[Any] = []
    shapeless: list[Any] = []

    def traced(given: Any) -> tuple[list[Any], list[Any]]:
        operations.extend(_behind(tf.nest.flatten(call(given))))
        loops.extend(each for each in operations if each.type in LOOPS)
        outputs = (output for each in operations for output in each.outputs)
        shapeless.extend(each for each in outputs if each.dtype.is_floating and not each.shape.is_fully_defined())
        return [each.outputs[0] for each in loops], [tf.shape(each) for each in shapeless]

    graph = tf.function(traced, autograph=False).get_concrete_function(row)
    times, shapes = graph(row) if loops or shapeless else ([], [])
    turns = {loop.name: int(count) for loop, count in zip(loops, times, strict=True)}
    measured = {each.name: tuple(shape.numpy()) for each, shape in zip(shapeless, shapes, strict=True)}
    return sum(_of(each, turns, measured) for each in operations)


def of_model(model: Any) -> float:
    """Operations of a Keras model for one row; a size that it leaves open is 1."""
    import tensorflow as tf

    def zeros(of: Any) -> Any:
        return tf.zeros([1, *(size or 1 for size in of.shape[1:])], of.dtype)

    return of_call(lambda row: model(row, training=False), tf.nest.map_structure(zeros, model.input))


def _behind(outputs: Sequence[Any]) -> list[Any]:
    """The operations that these tensors are made by. A graph has others too: Keras makes a recurrent layer's first step
    once more to see its shape."""
    found: dict[str, Any] = {}
    open_ones = [each.op for each in outputs]
    while open_ones:
        operation = open_ones.pop()
        if operation.name not in found:
            found[operation.name] = operation
            open_ones += [each.op for each in operation.inputs]
    return list(found.values())


def _of(operation: Any, turns: Mapping[str, int], measured: Mapping[str, Shape]) -> float:
    kind = operation.type
    if kind in LOOPS:
        return turns.get(operation.name, math.nan) * _inside(operation, "body")
    if kind in CALLS:
        return _inside(operation, "f")
    given = [_shape(each, measured) for each in operation.inputs]
    made = [_shape(each, measured) for each in operation.outputs if each.dtype.is_floating or each.dtype.is_complex]
    if kind in FREE or not made:
        return 0.0
    try:
        return float(_arithmetic(operation, given, made[0]))
    except (TypeError, IndexError):  # a shape is not known
        return math.nan


def _arithmetic(operation: Any, given: Sequence[Any], made: Any) -> Any:
    kind = operation.type
    if kind in ELEMENTWISE:
        return math.prod(made)
    if kind in TIMES:
        return TIMES[kind] * math.prod(made)
    if kind in REDUCTIONS:
        return math.prod(given[0])
    if kind in PRODUCTS:
        return 2 * math.prod(made) * given[0][-2 if operation.get_attr(PRODUCTS[kind]) else -1]
    if kind == "Einsum":
        return 2 * math.prod(made) * _contracted(operation.get_attr("equation").decode(), given)
    if kind in ("Conv2D", "Conv3D"):
        return 2 * math.prod(made) * math.prod(given[1][:-1])
    if kind == "DepthwiseConv2dNative":
        return 2 * math.prod(made) * math.prod(given[1][:2])
    if kind == "Conv2DBackpropInput":
        return 2 * math.prod(given[2]) * math.prod(given[1][:-1])
    if kind in ("AvgPool", "AvgPool3D", "MaxPool", "MaxPool3D"):
        return math.prod(made) * math.prod(operation.get_attr("ksize"))
    if kind in ("FFT", "RFFT"):  # Cooley and Tukey (1965); half of it where the numbers are real
        points = given[0][-1]
        return math.prod(given[0]) * (5 if kind == "FFT" else 2.5) * math.log2(points)
    if kind == "CudnnRNNV3":
        steps, batch, features = given[0]
        units, gates = given[1][-1], GATES[operation.get_attr("rnn_mode")]
        return 2 * steps * batch * gates * units * (features + units)
    return math.nan


def _contracted(equation: str, given: Sequence[Shape]) -> int:
    """Product of the sizes that an einsum sums over."""
    terms, _, kept = equation.partition("->")
    sizes: dict[str, int] = {}
    for term, shape in zip(terms.split(","), given, strict=True):
        head, _, tail = term.partition("...")
        sizes |= dict(zip(head, shape, strict=False))
        sizes |= dict(zip(reversed(tail), reversed(shape), strict=False))
    return math.prod(size for letter, size in sizes.items() if letter not in kept)


def _inside(operation: Any, attribute: str) -> float:
    """Operations of a function that another one calls."""
    function = operation.graph._get_function(operation.get_attr(attribute).name)
    return sum(_of(each, {}, {}) for each in _behind(function.graph.outputs))


def _shape(tensor: Any, measured: Mapping[str, Shape]) -> Shape | None:
    """None where it is not known; the rows of a batch that is left open within a loop are one."""
    if tensor.name in measured:
        return measured[tensor.name]
    if tensor.shape.rank is None:
        return None
    rows, rest = tensor.shape[:1].as_list(), tensor.shape[1:]
    return (*(each or 1 for each in rows), *rest) if rest.is_fully_defined() else None
