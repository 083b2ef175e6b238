"""The one number of a row that is explained, by what a network is for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from pipelines.objectives.errors import RowErrors
from pipelines.objectives.objective import Objective

SURE = 1e-6
"""Probabilities nearer to 0 or 1 than this are taken for it: their log-odds would be infinite."""


@dataclass(frozen=True)
class Answer:
    """What is explained.

    Args:
        words: its name, for a reader.
        unit: what it is counted in.
        of: (outputs, chosen) -> (n,) tensor; `chosen` is (n,) int.
        choose: outputs -> (n,) int, which of several outputs the network decides for.
    """

    words: str
    unit: str
    of: Callable[[Any, Any], Any]
    choose: Callable[[Any], Any]


def answer_of(objective: Objective) -> Answer:
    """What is explained of a network that has this objective.

    Of two classes the log-odds of the positive one, of several those of the one that is decided for, of grades the
    expected one; of a number the number; of a detector of anomalies its error; of a portfolio the
    log-odds of the largest weight, and of a forecast the largest return that it expects.
    """
    known: Any = objective
    if isinstance(objective, RowErrors):
        scale = float(known.reference)
        return Answer("how unlike normal rows", "of the usual error", lambda outputs, _: outputs[:, 0] / scale, _only)
    if objective.kind == "regression":
        told = partial(_number, scale=float(known.scale), location=float(known.location))
        return Answer("the predicted number", "in its own unit", told, _only)
    if objective.kind == "allocation":
        return Answer("the largest weight", "log-odds", _weight, _largest_of_last)
    if objective.kind == "forecast":
        return Answer("the largest expected return", "standard deviations", _expected, _largest_of_last)
    if getattr(objective, "ordered", False):
        return Answer("the expected grade", "grades", partial(_grade, expected=known.expected), _only)
    if getattr(objective, "binary", False):
        return Answer(f"the class {known.classes[1]}", "log-odds", _log_odds, _only)
    return Answer("the class that is decided for", "log-odds", _margin, _most_probable)


def _only(outputs: Any) -> Any:
    import tensorflow as tf

    return tf.zeros(tf.shape(outputs)[0], tf.int32)


def _number(outputs: Any, chosen: Any, scale: float, location: float) -> Any:
    import tensorflow as tf

    values = outputs if len(outputs.shape) == 2 else tf.reduce_mean(outputs, axis=1)
    return values[:, 0] * scale + location


def _grade(outputs: Any, chosen: Any, expected: Callable[[Any], Any]) -> Any:
    """Of several members, the mean of theirs."""
    import tensorflow as tf

    grades = expected(outputs)
    return grades if len(outputs.shape) == 2 else tf.reduce_mean(grades, axis=1)


def _log_odds(outputs: Any, chosen: Any) -> Any:
    """Of the positive class; of several members, of their mean probability."""
    import tensorflow as tf

    if len(outputs.shape) == 2:
        return outputs[:, 0]
    inner = tf.clip_by_value(tf.reduce_mean(tf.sigmoid(outputs[:, :, 0]), axis=1), SURE, 1 - SURE)
    return tf.math.log(inner) - tf.math.log1p(-inner)


def _most_probable(outputs: Any) -> Any:
    import tensorflow as tf

    return tf.argmax(_log_shares(outputs), axis=1, output_type=tf.int32)


def _margin(outputs: Any, chosen: Any) -> Any:
    """Log-odds of one class against all others together."""
    import tensorflow as tf

    shares = _log_shares(outputs)
    this = tf.one_hot(chosen, shares.shape[1], on_value=True, off_value=False, dtype=tf.bool)
    others = tf.reduce_logsumexp(tf.where(this, tf.constant(-1e9, shares.dtype), shares), axis=1)
    return tf.gather(shares, chosen, axis=1, batch_dims=1) - others


def _log_shares(outputs: Any) -> Any:
    """(n, classes) logits; of several members, logarithms of their mean probability."""
    import tensorflow as tf

    if len(outputs.shape) == 2:
        return outputs
    return tf.math.log(tf.reduce_mean(tf.nn.softmax(outputs), axis=1) + SURE)


def _of_last(outputs: Any) -> Any:
    """(n, assets) what a portfolio's core says at the close of the last step, without the returns beside it."""
    return outputs[:, -1, : outputs.shape[-1] // 2]


def _largest_of_last(outputs: Any) -> Any:
    import tensorflow as tf

    return tf.argmax(_of_last(outputs), axis=1, output_type=tf.int32)


def _weight(outputs: Any, chosen: Any) -> Any:
    return _margin(_of_last(outputs), chosen)


def _expected(outputs: Any, chosen: Any) -> Any:
    import tensorflow as tf

    return tf.gather(_of_last(outputs), chosen, axis=1, batch_dims=1)
