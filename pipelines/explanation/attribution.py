"""Attribution: how much each column of a row pushed its log-odds away from those of the usual row.

Three ways, by what is known of the model. A scorecard's log-odds are a sum over columns, so each column's part is
exact. A network is asked by integrated gradients, whose parts add up to the difference (Sundararajan, Taly and Yan
2017, ICML). Of any other model only answers are known: each column in turn is set to its usual value, and what that
changes is its part; such parts need not add up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.contenders.acting import Usual
from pipelines.contenders.classical import FittedClassical
from pipelines.data.examples import Examples
from pipelines.explanation.answer import SURE
from pipelines.explanation.integrated import MOST_OF_A_TABLE, integrated
from pipelines.explanation.opened import Opened, opened

Floats = NDArray[np.float64]


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
    if (network := opened(fitted)) is not None:
        return _integrated(network, examples, usual)
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


def _integrated(network: Opened, examples: Examples, usual: Usual) -> Attributions:
    """Integrated gradients of the log-odds over the encoded row, from the usual one."""
    pushes, incomplete = by_column(network, examples, usual)
    off = float(incomplete.max(initial=0.0))
    return Attributions(
        f"integrated gradients from the usual row; parts add up to the difference of log-odds within {100 * off:.1g} %",
        pushes,
        off,
    )


def by_column(
    network: Opened, examples: Examples, usual: Usual, most: int = MOST_OF_A_TABLE
) -> tuple[dict[str, Floats], Floats]:
    """Column -> (n,) its part of what a network of a table answers; and the share of each answer that parts miss.

    A column has the places of the encoding that change when it alone is as usual.
    """
    names = list(network.kinds)
    here = network.encoded(examples)
    found = integrated(network, here, network.encoded(as_usual(examples, usual, *names)), most)
    own = {name: network.encoded(as_usual(examples, usual, name)) != here for name in names}
    pushes = {name: (found.parts * places).sum(axis=1) for name, places in own.items()}
    return pushes, found.incomplete(np.sum(list(pushes.values()), axis=0))
