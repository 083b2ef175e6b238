"""Directions: does a contender's probability move the way it must when one column alone rises?

Each tested row is asked again with the column at quantiles of the training rows, all else as it is, as in curves of
individual conditional expectation: Goldstein et al. (2015), Journal of Computational and Graphical Statistics 24(1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipelines.data.examples import Examples
from pipelines.evaluation.intervals import proportion
from pipelines.report.lending import Direction

Floats = NDArray[np.float64]

QUANTILES = np.linspace(0.05, 0.95, 10)
"""At which the column is set; further out a model has next to no rows to go by."""

MOST_ROWS = 200
"""Tested rows of a fold that are asked; each is asked `len(QUANTILES)` times for each column."""

SEEN = 1e-3
"""The smallest wrong move that counts, in probability: a tenth of a percentage point."""


@dataclass(frozen=True)
class Moves:
    """Of some tested rows of a fold, the largest wrong move of their probability, by column.

    Args:
        rows: (m,) number of each row in the whole data set.
        wrong: column -> (m,) 0 where it never moves the wrong way.
    """

    rows: NDArray[np.int64]
    wrong: Mapping[str, Floats]


def moves(
    probability: Callable[[Examples], Floats],
    test: Examples,
    rows: NDArray[np.int64],
    train: Examples,
    directions: Mapping[str, int],
    seed: int,
) -> Moves | None:
    """What a model does when each of these columns rises; None where there is none.

    Args:
        probability: (n,) of the positive class for raw rows.
        test, rows: the tested rows and their numbers.
        train: the rows that say which values the column has.
        directions: column -> 1 where the probability must not fall, -1 where it must not rise.
    """
    if not directions:
        return None
    chosen = np.arange(len(test))
    if len(test) > MOST_ROWS:
        chosen = np.sort(np.random.default_rng(seed).choice(len(test), MOST_ROWS, replace=False))
    asked = test.take(chosen)
    found = {}
    for name, direction in directions.items():
        values = np.asarray(train.columns[name], np.float64)
        known = values[~np.isnan(values)]
        levels = np.unique(np.quantile(known, QUANTILES)) if len(known) else np.zeros(0)
        curve = probability(_at(asked, name, levels)) if len(levels) else np.zeros(0)
        found[name] = wrong_moves(np.asarray(curve).reshape(len(levels), len(asked)), direction)
    return Moves(rows[chosen], found)


def wrong_moves(curve: Floats, direction: int) -> Floats:
    """(k levels, m rows) -> (m,) the furthest that each row's probability ever is on the wrong side of where it was.

    Args:
        direction: 1 where it must not fall from level to level, -1 where it must not rise.
    """
    if len(curve) == 0:
        return np.zeros(curve.shape[1])
    risen = direction * curve
    return np.asarray((np.maximum.accumulate(risen, axis=0) - risen).max(axis=0))


def measured(found: list[Moves | None], directions: Mapping[str, int]) -> tuple[Direction, ...]:
    """What the moves of all folds and trainings say; a row that was asked several times counts once."""
    known = [each for each in found if each is not None]
    if not known:
        return ()
    rows = np.concatenate([each.rows for each in known])
    units = np.unique(rows)
    clusters = None if len(units) == len(rows) else rows
    lines = []
    for name, direction in directions.items():
        wrong = np.concatenate([each.wrong[name] for each in known])
        lines.append(
            Direction(name, direction, len(units), proportion(wrong > SEEN, None, clusters), float(wrong.max()))
        )
    return tuple(lines)


def _at(examples: Examples, name: str, levels: Floats) -> Examples:
    """All rows with the column at the first level, then all at the next: one call of the model serves them all."""
    again = examples.take(np.tile(np.arange(len(examples)), len(levels)))
    return replace(again, columns={**again.columns, name: np.repeat(levels, len(examples))})
