"""Is the tape's gradient right? Each layer of a network against central differences of its loss, in float64.

A network is checked as a training step sees it: dropout drops, with the same units in every evaluation, and batch
normalisation uses the statistics of the batch. What is random or remembered returns to its state before each one.

Reference: Nocedal and Wright (2006), "Numerical optimization", section 8.1, for the step and the error of differences;
Baydin, Pearlmutter, Radul and Siskind (2018), "Automatic differentiation in machine learning: a survey", JMLR 18.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import BadInput

TOLERANCE = 1e-6
"""Largest relative error of a gradient that is right."""

MOST_ENTRIES = 20
"""Of a larger variable only so many entries are checked."""

EPSILON = float(np.finfo(np.float64).eps)
STEP = EPSILON ** (1 / 3)
"""Where rounding, eps / h, and truncation, h^2, are alike; for a weight of size 1."""

SHRINKING = (1.0, 1 / 16, 1 / 256)
"""Shares of the step that are tried, one after the other, while a kink lies within it."""

ROUNDING = 4.0
"""Units in the last place by which a loss, summed over rows and layers, may be off; some ten times what is usual."""

FLOATS = ("float16", "bfloat16", "float32", "mixed_float16", "mixed_bfloat16")

Watch = Callable[[int, int], None]


@dataclass(frozen=True)
class LayerCheck:
    """What was found for one variable of one layer.

    Args:
        layer, variable: where it is in the network, and its name there.
        entries: how many of its `size` numbers were checked.
        at_kink: those of the entries at which a ReLU or a maximum changes sides within even the smallest step, and
            the tape's number lies between the slopes of both sides; they are neither error nor proof, and are left
            out of the norm and the error.
        tape_norm: Euclidean norm of the tape's gradient over the entries.
        error: |tape - differences| / (|tape| + |differences|), Euclidean norms over the entries; 0 where both are 0;
            NaN where all entries are at a kink.
        resolution: norm of the differences' own rounding. A gradient much smaller than this cannot be told from 0.
        passed: the error is below `TOLERANCE`, or what differs is within the resolution, or all is at a kink.
    """

    layer: str
    variable: str
    entries: int
    size: int
    at_kink: int
    tape_norm: float
    error: float
    resolution: float
    passed: bool


def gradcheck(
    core: Any,
    loss: Callable[[Any, Any], Any],
    x: Any,
    y: Any,
    weight: NDArray[Any] | None = None,
    *,
    penalty: Callable[[Any], Any] | None = None,
    most: int = MOST_ENTRIES,
    seed: int = 0,
    watch: Watch = lambda done, total: None,
) -> tuple[LayerCheck, ...]:
    """Compare the tape's gradient of the mean loss with central differences, for each trainable variable.

    Args:
        core: built Keras model. A copy in float64 is checked; the model itself is left as it is.
        loss: (y, outputs) -> (batch,) per-example loss.
        x: structure of (batch, ...) arrays; floats are taken in float64, integers as they are.
        y: (batch, ...) targets, as `loss` takes them.
        weight: (batch,) of the rows in the mean; None for 1 each.
        penalty: core -> scalar that is added to the mean loss; given the copy.
        most: entries checked of one variable. Of a larger one half are drawn where the tape's gradient is not 0 and the
            rest anywhere.
        seed: of that draw.
        watch: called with (entries done, entries in all).

    Returns:
        One LayerCheck per trainable variable, from the first layer to the last.

    Raises:
        BadInput: the model cannot be copied in float64, or its loss on these rows is not finite.
    """
    import tensorflow as tf

    with tf.device("CPU:0"):  # float64 is slow on most GPUs, whose sums also differ from call to call
        network = in_float64(core)
        value = _mean_loss(network, loss, x, y, weight, penalty)
        variables = network.trainable_variables
        with tf.GradientTape() as tape:
            start = value()
        if not math.isfinite(float(start)):
            raise BadInput(f"the loss on these rows is {float(start)}; a gradient cannot be checked there")
        gradients = [
            np.zeros(variable.shape).reshape(-1) if each is None else np.asarray(tf.convert_to_tensor(each)).reshape(-1)
            for variable, each in zip(variables, tape.gradient(start, variables), strict=True)
        ]
        random = np.random.default_rng(seed)
        chosen = [_entries(each, most, random) for each in gradients]
        total, done, found = sum(map(len, chosen)), 0, []
        for variable, gradient, places in zip(variables, gradients, chosen, strict=True):
            found.append(_check(variable, gradient, places, lambda: float(value()), float(start)))
            done += len(places)
            watch(done, total)
    return tuple(found)


def in_float64(core: Any) -> Any:
    """A copy of a Keras model, with its weights and generators, whose layers compute in float64.

    Raises:
        BadInput: the model does not say how it is built (`get_config`), or a layer fixes a precision of its own.
    """
    import keras

    classes = {type(layer).__name__: type(layer) for layer in core._flatten_layers()}
    try:
        with keras.utils.custom_object_scope(classes):
            copy = type(core).from_config(_with_float64(core.get_config()))
        copy.dtype_policy = "float64"
        if not copy.built:
            copy.build(core.input_shape)
        for ours, theirs in zip(copy.variables, core.variables, strict=True):
            ours.assign(np.asarray(theirs))
    except (NotImplementedError, TypeError, ValueError, AttributeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise BadInput(f"the network {core.name!r} cannot be copied in float64: {reason}") from error
    if narrow := [each.path for each in copy.trainable_variables if each.dtype != "float64"]:
        raise BadInput(f"{narrow[0]!r} stays in its own precision; differences need all of a network in float64")
    return copy


def _with_float64(config: Any) -> Any:
    """A configuration in which every layer, nested ones too, has float64 instead of its floating type."""
    if isinstance(config, (list, tuple)):
        return type(config)(_with_float64(each) for each in config)
    if not isinstance(config, dict):
        return config
    return {key: _precision(each) if key == "dtype" else _with_float64(each) for key, each in config.items()}


def _precision(dtype: Any) -> Any:
    name = dtype.get("config", {}).get("name") if isinstance(dtype, dict) else dtype
    return "float64" if name in FLOATS else dtype


def _mean_loss(
    network: Any,
    loss: Callable[[Any, Any], Any],
    x: Any,
    y: Any,
    weight: NDArray[Any] | None,
    penalty: Callable[[Any], Any] | None,
) -> Callable[[], Any]:
    """() -> the mean loss in the graph, the same whenever the weights are the same."""
    import tensorflow as tf

    inputs, target = tf.nest.map_structure(_wide, (x, y))
    rows = len(tf.nest.flatten(target)[0])
    share = tf.constant(np.ones(rows) if weight is None else weight, tf.float64)
    share /= tf.reduce_sum(share)
    remembered = [each for each in network.variables if not each.trainable]
    before = [np.asarray(each) for each in remembered]

    def value() -> Any:
        for variable, state in zip(remembered, before, strict=True):
            variable.assign(state)
        total = tf.reduce_sum(tf.cast(loss(target, network(inputs, training=True)), tf.float64) * share)
        return total if penalty is None else total + tf.cast(penalty(network), tf.float64)

    return tf.function(value)  # type: ignore[no-any-return]


def _wide(values: Any) -> Any:
    import tensorflow as tf

    tensor = tf.convert_to_tensor(values)
    return tf.cast(tensor, tf.float64) if tensor.dtype.is_floating else tensor


def _entries(gradient: NDArray[np.float64], most: int, random: np.random.Generator) -> NDArray[np.intp]:
    """Which numbers of a variable are checked, in order.

    Of an embedding most rows belong to words that the batch does not have. Half the draw goes where the tape has
    something to be wrong about, the rest anywhere: a gradient that is wrongly 0 has to be found too.
    """
    everywhere = np.arange(gradient.size)
    if gradient.size <= most:
        return everywhere
    moving = np.flatnonzero(gradient)
    first = random.choice(moving, min(most // 2, len(moving)), replace=False)
    rest = random.choice(np.setdiff1d(everywhere, first), most - len(first), replace=False)
    return np.sort(np.concatenate([first, rest]))


@dataclass(frozen=True)
class _Slope:
    """Differences of the loss at one entry, and how far rounding alone may have moved them."""

    central: float
    rounding: float
    at_kink: bool = False


def _check(
    variable: Any, gradient: NDArray[np.float64], places: NDArray[np.intp], value: Callable[[], float], start: float
) -> LayerCheck:
    """The check of one variable, which has its own values again at the end."""
    kept = np.asarray(variable).copy()  # what it is now, not a view of what it will be

    def slope(place: int) -> _Slope:
        def loss_at(number: float) -> float:
            moved = kept.copy()
            moved.reshape(-1)[place] = number
            variable.assign(moved)
            return value()

        return _slope(loss_at, float(kept.reshape(-1)[place]), start, float(gradient[place]))

    slopes = [slope(int(place)) for place in places]
    variable.assign(kept)
    smooth = np.array([not slope.at_kink for slope in slopes], dtype=bool)
    taped, central = gradient[places][smooth], np.array([slope.central for slope in slopes])[smooth]
    apart, size = float(np.linalg.norm(taped - central)), float(np.linalg.norm(taped) + np.linalg.norm(central))
    resolution = float(np.linalg.norm(np.array([slope.rounding for slope in slopes])[smooth]))
    error = math.nan if not smooth.any() else apart / size if size else 0.0
    layer, _, name = variable.path.rpartition("/")
    return LayerCheck(
        layer=layer,
        variable=name,
        entries=len(places),
        size=gradient.size,
        at_kink=int((~smooth).sum()),
        tape_norm=float(np.linalg.norm(taped)),
        error=error,
        resolution=resolution,
        passed=not smooth.any() or error < TOLERANCE or apart <= resolution,
    )


def _slope(loss_at: Callable[[float], float], here: float, start: float, taped: float) -> _Slope:
    """The derivative at `here` by differences; where they contradict the tape, whether a kink is why."""
    found = _Slope(math.nan, 0.0)
    for share in SHRINKING:
        step = share * STEP * max(1.0, abs(here))
        right, left = here + step, here - step  # as floating point has them
        above, below = loss_at(right), loss_at(left)
        central = (above - below) / (right - left)
        rounding = ROUNDING * EPSILON * max(abs(above), abs(below)) / step
        if abs(central - taped) <= TOLERANCE * (abs(central) + abs(taped)) + rounding:
            return _Slope(central, rounding)
        # The slope of each side alone, to the second order: where the loss is smooth they agree but for rounding.
        after = (4 * loss_at(here + step / 2) - above - 3 * start) / step
        before = (3 * start + below - 4 * loss_at(here - step / 2)) / step
        slack = 8 * rounding
        if abs(after - before) <= slack:
            return _Slope(central, rounding)
        between = min(before, after) - slack <= taped <= max(before, after) + slack
        found = _Slope(central, rounding, at_kink=between)
    return found
