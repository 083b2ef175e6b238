"""Smaller folds: learning from a share of the rows that each fold may learn from, tested on all that it tests.

Training and validation rows are thinned alike, so that a threshold and an early stop are chosen on proportionally less
too. What a smaller share learns from, a larger one learns from as well; rows of a class come in proportion; rows of one
id stay together. Of a split by time the latest rows of each part are kept: more data then means a longer past, while
what is learned from lies as close to the test whatever the share. The earliest rows would be staler the fewer they are,
and a curve over them would mix how much with how long ago.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.examples import Examples
from pipelines.data.splits import Fold, Rows
from pipelines.errors import BadInput
from pipelines.task import Protocol

FEWEST = {"train": 12, "valid": 4}
"""Rows of a part below which nothing can be learned or chosen: what the smallest set that is accepted has."""

FEWEST_OF_A_CLASS = {"train": 3, "valid": 1}
"""A classical model's settings are scored on three folds of the training rows, each of which should know each class."""


def fewer(
    examples: Examples, classes: NDArray[np.int64] | None, folds: Sequence[Fold], protocol: Protocol, seed: int
) -> tuple[Fold, ...]:
    """The folds with `protocol.learn_from` of their training and of their validation rows.

    Args:
        classes: (n,) class index, for stratifying; None for a regression.
        folds: as `splits.split` made them.

    Raises:
        BadInput: that leaves too few rows, or too few of a class; the message names the smallest share that works.
    """
    share = protocol.learn_from
    if share == 1:
        return tuple(folds)
    least = smallest(examples, classes, folds, protocol, seed)
    if share < least:
        raise BadInput(
            f"--set protocol.learn_from={share:g} leaves too few rows to learn from, or too few of a class; the "
            f"smallest share that works here is {least:g}"
        )
    thinned = []
    for fold, since in zip(folds, _joining(examples, classes, folds, protocol, seed), strict=True):
        train, valid = fold.train[since["train"] <= share], fold.valid[since["valid"] <= share]
        thinned.append(Fold(train, valid, fold.test, divided=len(fold.train)))
    return tuple(thinned)


def smallest(
    examples: Examples, classes: NDArray[np.int64] | None, folds: Sequence[Fold], protocol: Protocol, seed: int
) -> float:
    """The smallest share with rows enough in every part of every fold, rounded up to three digits; at most 1."""
    least = 0.0
    for fold, since in zip(folds, _joining(examples, classes, folds, protocol, seed), strict=True):
        for part, fewest in FEWEST.items():
            joined = since[part]
            least = max(least, _nth(joined, fewest))
            labels = np.zeros(0, np.int64) if classes is None else classes[getattr(fold, part)]
            for each in np.unique(labels):
                least = max(least, _nth(joined[labels == each], FEWEST_OF_A_CLASS[part]))
    digits = 2 - math.floor(math.log10(least))
    return min(1.0, math.ceil(least * float(10**digits)) / float(10**digits))


def _joining(
    examples: Examples, classes: NDArray[np.int64] | None, folds: Sequence[Fold], protocol: Protocol, seed: int
) -> Iterator[dict[str, NDArray[np.float64]]]:
    """For each fold and part, the share from which on each row is learned from."""
    for number, fold in enumerate(folds):
        yield {
            part: _since(examples, getattr(fold, part), classes, protocol.by, [seed, number, place])
            for place, part in enumerate(FEWEST)
        }


def _since(
    examples: Examples, rows: Rows, classes: NDArray[np.int64] | None, by: str, seed: Sequence[int]
) -> NDArray[np.float64]:
    """(len(rows),) in (0, 1): the middle of the place that a row's unit has when units join one after the other.

    Units are rows, ids or moments. Each class's units are spread evenly over the whole order, so that any beginning of
    it has each class in proportion, to within one unit.
    """
    unit = np.arange(len(rows))
    if by == "id" and examples.ids is not None:
        unit = np.unique(examples.ids[rows].astype(np.str_), return_inverse=True)[1]
    if by == "time" and examples.time is not None:
        unit = np.unique(examples.time[rows], return_inverse=True)[1]
    sizes = np.bincount(unit)
    if by == "time":
        return _middles(sizes, np.arange(len(sizes))[::-1])[unit] / len(rows)
    stratum = _commonest(unit, None if classes is None else classes[rows], len(sizes))
    chance = np.random.default_rng(seed).permutation(len(sizes))
    key = np.empty(len(sizes))
    for each in np.unique(stratum):
        own = chance[stratum[chance] == each]
        key[own] = _middles(sizes, own)[own] / sizes[own].sum()
    mixed = chance[np.argsort(key[chance], kind="stable")]  # of equal keys the first by chance
    return _middles(sizes, mixed)[unit] / len(rows)


def _middles(sizes: NDArray[np.int64], order: NDArray[Any]) -> NDArray[np.float64]:
    """(units,) rows of all units before each one in this order, and half of its own; 0 for those that are not in it."""
    middle = np.zeros(len(sizes))
    middle[order] = np.cumsum(sizes[order]) - sizes[order] / 2
    return middle


def _commonest(unit: NDArray[np.int64], labels: NDArray[np.int64] | None, units: int) -> NDArray[np.int64]:
    """(units,) the class that most rows of a unit have; 0 where there are no classes."""
    if labels is None:
        return np.zeros(units, np.int64)
    counts = np.zeros((units, int(labels.max()) + 1), np.int64)
    np.add.at(counts, (unit, labels), 1)
    commonest: NDArray[np.int64] = counts.argmax(axis=1)
    return commonest


def _nth(values: NDArray[np.float64], n: int) -> float:
    """The n-th smallest, or the largest where there are fewer."""
    return float(np.sort(values)[min(n, len(values)) - 1])
