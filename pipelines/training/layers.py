"""The layers of a network in the order of the forward pass, under names that are the same in every process."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal, NamedTuple

from pipelines.training.optimisers import decays

Closing = Literal["dead", "saturated"]


@dataclass(frozen=True)
class Learning:
    """A layer that owns trainable variables.

    Args:
        variables: places of its variables among `core.trainable_variables`.
        kernels: those of kernels and embeddings; gains and biases start at values of their own.
    """

    name: str
    layer: Any
    variables: tuple[int, ...]
    kernels: tuple[int, ...]


@dataclass(frozen=True)
class Gate:
    """A layer whose units may let no gradient through: a ReLU is dead where it is 0, a sigmoid saturated at its ends.

    Args:
        axis: of the output, along which its units (or channels) lie.
        units: how many.
        function: `relu`, `sigmoid` or `tanh`.
    """

    name: str
    layer: Any
    axis: int
    units: int
    function: str

    @property
    def closing(self) -> Closing:
        return "dead" if self.function == "relu" else "saturated"


class Found(NamedTuple):
    """What is measured of a network."""

    learning: tuple[Learning, ...]
    gates: tuple[Gate, ...]


def layers_of(core: Any) -> Found:
    """Layers with trainable variables and layers with gates, numbered together: `03_conv2d`, `07_encoder.dense`.

    Gates are seen in functional and sequential models, and in those nested in them; the outputs of the core itself are
    none, since what closes there is an answer. A frozen layer has no number.
    """
    places = {id(variable): place for place, variable in enumerate(core.trainable_variables)}
    found = []
    for path, layer, functional in walk(core):
        owned = tuple(places[id(each)] for each in _own(layer) if id(each) in places)
        gate = _gate_of(layer, core) if functional else None
        if owned or gate:
            found.append((path, layer, owned, gate))
    width = len(str(len(found)))
    learning, gates = [], []
    for number, (path, layer, owned, gate) in enumerate(found, start=1):
        name = f"{number:0{width}}_{path}"
        if owned:
            kernels = tuple(place for place in owned if decays(core.trainable_variables[place]))
            learning.append(Learning(name, layer, owned, kernels))
        if gate:
            gates.append(Gate(name, layer, *gate))
    return Found(tuple(learning), tuple(gates))


def walk(core: Any) -> Iterator[tuple[str, Any, bool]]:
    """(path of names, layer, whether only functional models are around it) of all layers inside, each once."""
    seen: set[int] = set()

    def visit(outer: Any, path: str, functional: bool) -> Iterator[tuple[str, Any, bool]]:
        for layer in inner_layers(outer):
            if id(layer) not in seen:
                seen.add(id(layer))
                yield path + _plain(layer), layer, functional
                yield from visit(layer, f"{path}{_plain(layer)}.", functional and _is_functional(layer))

    yield from visit(core, "", _is_functional(core))


def inner_layers(layer: Any) -> list[Any]:
    """The layers directly inside, in the order of the forward pass; a recurrent layer's cell counts as itself."""
    inner: list[Any] = [] if hasattr(layer, "cell") else layer._flatten_layers(include_self=False, recursive=False)
    return inner


def listen(layer: Any, hear: Callable[[Any, Any], None]) -> Callable[[], None]:
    """Have `hear(layer, output)` called whenever the layer is. It answers as before.

    Returns:
        What takes it back.
    """
    own, call = vars(layer).get("call"), layer.call

    @wraps(call)
    def heard(*arguments: Any, **settings: Any) -> Any:
        output = call(*arguments, **settings)
        hear(layer, output)
        return output

    layer.call = heard
    return (lambda: delattr(layer, "call")) if own is None else (lambda: setattr(layer, "call", own))


def _is_functional(layer: Any) -> bool:
    """Whether every call of the layers inside is a node of a graph, known before any row is seen."""
    import keras

    return isinstance(layer, (keras.Sequential, keras.src.models.functional.Functional))


def _own(layer: Any) -> list[Any]:
    """Trainable variables of the layer that are no inner layer's."""
    others = {id(variable) for each in inner_layers(layer) for variable in each.trainable_variables}
    return [variable for variable in layer.trainable_variables if id(variable) not in others]


def _plain(layer: Any) -> str:
    """Its name without the number by which Keras counts all layers that a process ever made."""
    kind = re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", type(layer).__name__)).lower()
    return re.sub(r"[^\w.\- ]", "_", re.sub(rf"({kind})_\d+$", r"\1", layer.name), flags=re.ASCII)


def _gate_of(layer: Any, core: Any) -> tuple[int, int, str] | None:
    """(axis, units, function) of a layer in a functional graph, if it has a gate."""
    function = _function_of(layer)
    if function is None or not layer._inbound_nodes:
        return None
    outputs = layer._inbound_nodes[0].outputs
    if len(outputs) != 1 or any(outputs[0] is output for output in core.outputs):
        return None
    axis = 1 if getattr(layer, "data_format", None) == "channels_first" else len(outputs[0].shape) - 1
    units = outputs[0].shape[axis]
    return (axis, units, function) if axis > 0 and units else None


def _function_of(layer: Any) -> str | None:
    """`relu`, `sigmoid` or `tanh`, where the layer's output comes straight out of one."""
    import keras

    if isinstance(layer, keras.layers.ReLU):
        return "relu" if not layer.negative_slope else None
    activation = getattr(layer, "activation", None)
    if activation is None or hasattr(layer, "cell"):  # a cell's gates are inside it; its output is a product
        return None
    if isinstance(activation, keras.Layer):
        return _function_of(activation)
    name = getattr(activation, "__name__", "")
    return {"relu": "relu", "relu6": "relu", "sigmoid": "sigmoid", "tanh": "tanh"}.get(name)
