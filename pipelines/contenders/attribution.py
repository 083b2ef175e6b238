"""Attribution: how much each column of a row pushed its log-odds away from those of the usual row.

Three ways, by what is known of the model. A scorecard's log-odds are a sum over columns, so each column's part is
exact. A network is asked by integrated gradients, whose parts add up to the difference (Sundararajan, Taly and Yan
2017, ICML). Of any other model only answers are known: each column in turn is set to its usual value, and what that
changes is its part; such parts need not add up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.contenders.acting import Usual
from pipelines.contenders.classical import FittedClassical
from pipelines.contenders.network import FittedNetwork
from pipelines.data.examples import Examples
from pipelines.models.inputs import as_tensors

Floats = NDArray[np.float64]

STEPS, MOST_STEPS = 64, 1024
"""Points of the way from the usual row at which the gradient is taken: at first, and for rows that need more."""

COMPLETE = 0.01
"""How far parts may add up to something else, as a share of the difference (or of `SMALL`, where that is smaller)."""

SMALL = 0.1
"""A difference of log-odds below which its hundredth would be asking for rounding errors to vanish."""

ROWS_AT_ONCE = 1024

SURE = 1e-6
"""Probabilities nearer to 0 or 1 than this are taken for it: their log-odds would be infinite."""


@dataclass(frozen=True)
class Attributions:
    """What pushed each row.

    Args:
        how: the way that was taken, in words.
        pushes: column -> (n,) log-odds towards the positive class, against the usual row.
        off: the largest share by which the parts of a row miss the difference; NaN where they need not add up.
    """

    how: str
    pushes: Mapping[str, Floats]
    off: float = float("nan")


def attributions(fitted: Any, examples: Examples, usual: Usual) -> Attributions:
    """What pushed the log-odds of each row, by the model's own lights (before any calibration).

    Args:
        fitted: a model of two classes that reads a table.
        usual: the value of each column to compare with.
    """
    if isinstance(fitted, FittedClassical) and hasattr(fitted.estimator, "binned_"):
        return _of_scorecard(fitted.estimator, examples, usual)
    parts = _parts(fitted.model) if isinstance(fitted, FittedNetwork) else None
    if parts is not None:
        return _integrated(*parts, examples, usual, list(fitted.kinds))
    return _replaced(fitted, examples, usual)


def as_usual(examples: Examples, usual: Usual, *names: str) -> Examples:
    """The rows with these columns as is usual; one that nobody knows is missing."""

    def value(name: str) -> NDArray[Any]:
        number = examples.kinds[name] == "number"
        known = usual.get(name)
        filled = (np.nan if known is None else known) if number else known
        return np.full(len(examples), filled, dtype=np.float64 if number else object)

    return replace(examples, columns={**examples.columns, **{name: value(name) for name in names}})


def _of_scorecard(card: Any, examples: Examples, usual: Usual) -> Attributions:
    names = [*card.numbers, *card.categories]
    here, there = (card.evidence(each.frame()) for each in (examples, as_usual(examples, usual, *names)))
    parts = (here - there) * card.coef_[0]
    return Attributions(
        "a scorecard's points, which add up exactly",
        {name: parts[:, place] for place, name in enumerate(names)},
        off=0.0,
    )


def _replaced(fitted: Any, examples: Examples, usual: Usual) -> Attributions:
    def log_odds(rows: Examples) -> Floats:
        inner = np.clip(np.asarray(fitted.predict(rows).values[:, 1], np.float64), SURE, 1 - SURE)
        return np.asarray(np.log(inner) - np.log1p(-inner))

    here = log_odds(examples)
    pushes = {name: here - log_odds(as_usual(examples, usual, name)) for name in examples.columns}
    return Attributions(
        "what changes when a column alone is set to its usual value; such parts need not add up", pushes
    )


def _parts(model: Any) -> tuple[Any, Any] | None:
    """The encoder and the core of a saved network; None where there are several cores, as in an ensemble."""
    import keras

    cores = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    if len(cores) != 1:
        return None
    # The core is a layer of the model that is saved; what it is called on there is what the encoder gives.
    encoded = cores[0]._inbound_nodes[-1].input_tensors
    return None if len(encoded) != 1 else (keras.Model(model.input, encoded[0]), cores[0])


def _integrated(encode: Any, core: Any, examples: Examples, usual: Usual, names: list[str]) -> Attributions:
    """Integrated gradients of the log-odds over the encoded row, from the usual one; a column has the places of the
    encoding that change with it."""

    def encoded(rows: Examples) -> Floats:
        columns = {name: rows.columns[name] for name in names}
        blocks = [encode(as_tensors(columns, rows.kinds, part)) for part in _blocks(len(rows))]
        return np.concatenate([np.asarray(block) for block in blocks])

    here, there = encoded(examples), encoded(as_usual(examples, usual, *names))
    log_odds = _log_odds(core)
    difference = _values(log_odds, here) - _values(log_odds, there)
    parts, rows, steps = np.zeros(here.shape), np.arange(len(here)), STEPS
    while len(rows) and steps <= MOST_STEPS:
        parts[rows] = _gradients(log_odds, here[rows], there[rows], steps) * (here[rows] - there[rows])
        missed = np.abs(parts[rows].sum(axis=1) - difference[rows])
        rows = rows[missed > COMPLETE * np.maximum(np.abs(difference[rows]), SMALL)]
        steps *= 4
    own = {name: encoded(as_usual(examples, usual, name)) != here for name in names}
    pushes = {name: (parts * places).sum(axis=1) for name, places in own.items()}
    missed = np.abs(np.sum(list(pushes.values()), axis=0) - difference)
    off = float((missed / np.maximum(np.abs(difference), SMALL)).max(initial=0.0))
    return Attributions(
        f"integrated gradients from the usual row; parts add up to the difference of log-odds within {100 * off:.1g} %",
        pushes,
        off,
    )


def _log_odds(core: Any) -> Callable[[Any], Any]:
    """(n, places) -> (n,) log-odds of the positive class; of several members, those of their mean probability."""
    import tensorflow as tf

    def of(x: Any) -> Any:
        outputs = core(x, training=False)
        if len(outputs.shape) == 2:
            return outputs[:, 0]
        inner = tf.clip_by_value(tf.reduce_mean(tf.sigmoid(outputs[:, :, 0]), axis=1), SURE, 1 - SURE)
        return tf.math.log(inner) - tf.math.log1p(-inner)

    return of


def _values(of: Callable[[Any], Any], x: Floats) -> Floats:
    return np.concatenate([np.asarray(of(x[part]), np.float64) for part in _blocks(len(x))])


def _blocks(n: int) -> list[slice]:
    return [slice(start, start + ROWS_AT_ONCE) for start in range(0, n, ROWS_AT_ONCE)]


def _gradients(of: Callable[[Any], Any], here: Floats, there: Floats, steps: int) -> Floats:
    """(n, places) mean gradient on the straight way from `there` to `here`, at the middle of each of so many steps."""
    import tensorflow as tf

    def slope(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            answers = tf.reduce_sum(of(x))
        return tape.gradient(answers, x)

    gradient = tf.function(slope, autograph=False, reduce_retracing=True)
    shares = ((np.arange(steps) + 0.5) / steps).astype(np.float32)
    found = []
    for part in _blocks(len(here)):
        first, last = there[part], here[part]
        total = np.zeros(first.shape)
        for share in shares:
            total += np.asarray(gradient(tf.constant(first + share * (last - first))), np.float64)
        found.append(total / steps)
    return np.concatenate(found)
