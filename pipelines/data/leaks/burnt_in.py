"""A label that is written into the pictures: a corner or an edge alone ranks pictures nearly perfectly.

Pictures are divided into 4 x 4 fields. Of each field alone a ridge regression learns on half of some training rows
and ranks the other half. A field at the border that ranks nearly perfectly, with less than a quarter of the error of
the best field inside, holds a mark rather than an organ.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.examples import Examples
from pipelines.data.leaks.pooled import brightness, pooled, spread
from pipelines.report.document import Check

NAME = "no label written into the pictures"

FIELDS = 4
SIDE = 6
"""Boxes along a side of a field, whose means are learned from."""

MOST_ROWS, FEWEST_ROWS = 1500, 60
"""Training rows that are looked at; of fewer than the second half no ranking is sure."""

MOST_CLASSES, FEWEST_OF_A_CLASS = 10, 10

RIDGE = 10.0

PERFECT, SHARE = 0.985, 0.25
"""AUROC of a field at the border, and how much of the error of the best field inside it may have. Where nothing is
written (`python -m benchmarks.leaks`) the best field at the border has .963 on PneumoniaMNIST and .583 on outlines of
nodules; of 240 sets of 100 to 400 of their rows one raises a false alarm."""

CORNERS = {(0, 0): "upper left", (0, FIELDS - 1): "upper right", (FIELDS - 1, 0): "lower left"}
CORNERS |= {(FIELDS - 1, FIELDS - 1): "lower right"}

Field = tuple[int, int]


def burnt_in(examples: Examples, train: NDArray[np.integer[Any]]) -> list[Check]:
    """A check of each column of pictures; none where there are no pictures, or no classes.

    Args:
        train: the training rows; nothing else is looked at.
    """
    if not (names := examples.names("image")):
        return []
    rows = spread(train, MOST_ROWS)
    codes = _codes(examples.target[rows])
    if codes is None:
        return []
    halves = _halves(len(rows), None if examples.ids is None else examples.ids[rows])
    return [_check(examples.columns[name], rows, codes, halves) for name in names]


def rankings(pictures: NDArray[np.float32], codes: NDArray[np.int64], first: NDArray[np.bool_]) -> dict[Field, float]:
    """Field -> AUROC on the second half of what was learned on the first; of several classes that of the best told one.

    Args:
        pictures: (n, h, w) brightness.
        codes: (n,) classes, -1 for rows that are left out.
        first: (n,) which rows are learned from.
    """
    classes = [code for code in np.unique(codes[codes >= 0]) if _enough(codes == code, first)]
    classes = classes[1:] if len(classes) == 2 else classes
    found = {}
    for field, features in _fields(pictures):
        if features[first].std() > 0 and classes:
            found[field] = max(_auroc(features, codes == code, first) for code in classes)
    return found


def place(field: Field) -> str:
    """Where a field is, in words."""
    if field in CORNERS:
        return f"the {CORNERS[field]} corner"
    row, column = field
    if row in (0, FIELDS - 1):
        return (
            f"the {'upper' if row == 0 else 'lower'} edge, {'left' if column < FIELDS / 2 else 'right'} of the middle"
        )
    return f"the {'left' if column == 0 else 'right'} edge, {'above' if row < FIELDS / 2 else 'below'} the middle"


def _check(column: Any, rows: NDArray[np.integer[Any]], codes: NDArray[np.int64], first: NDArray[np.bool_]) -> Check:
    if len(rows) < FEWEST_ROWS:
        return Check(NAME, True, "not looked for: too few training rows")
    pictures = np.concatenate(list(brightness(column, rows)))
    if pictures.ndim == 4:
        pictures = pictures.max(axis=1)  # what is written into any slice of a volume
    if min(pictures.shape[1:]) < 2 * FIELDS:
        return Check(NAME, True, "not looked for: the pictures are too small")
    found = rankings(pictures, codes, first)
    inside = max((value for field, value in found.items() if not _at_border(field)), default=0.5)
    border = {field: value for field, value in found.items() if _at_border(field)}
    if not border:
        return Check(NAME, True, "none found: the borders of the pictures are empty")
    best = max(border, key=lambda field: border[field])
    if border[best] >= PERFECT and 1 - border[best] <= SHARE * (1 - inside) and inside < 1:
        return Check(
            NAME,
            False,
            f"{place(best)} alone ranks held-out training rows nearly perfectly (AUROC {border[best]:.3f}, the best "
            f"place inside {inside:.3f}): is something about the label written there? Cut it off or paint it over",
        )
    return Check(NAME, True, f"none found: AUROC {border[best]:.3f} of the best place at the border alone")


def _at_border(field: Field) -> bool:
    return any(each in (0, FIELDS - 1) for each in field)


def _fields(pictures: NDArray[np.float32]) -> Iterator[tuple[Field, NDArray[np.float32]]]:
    """Each field with its means of boxes, darkest, brightest, mean and deviation."""
    down, across = (np.linspace(0, side, FIELDS + 1).astype(np.int64) for side in pictures.shape[1:])
    for row in range(FIELDS):
        for column in range(FIELDS):
            part = pictures[:, down[row] : down[row + 1], across[column] : across[column + 1]]
            flat = part.reshape(len(part), -1)
            about = [flat.min(axis=1), flat.max(axis=1), flat.mean(axis=1), flat.std(axis=1)]
            yield (row, column), np.column_stack([pooled(part, SIDE).reshape(len(part), -1), *about])


def _auroc(features: NDArray[np.float32], positive: NDArray[np.bool_], first: NDArray[np.bool_]) -> float:
    """Of a ridge regression of the class on the standardised features, which takes no iterations."""
    from sklearn.metrics import roc_auc_score

    learned = features[first].astype(np.float64)
    mean, deviation = learned.mean(axis=0), learned.std(axis=0) + 1e-9
    x, y = (learned - mean) / deviation, positive[first] - positive[first].mean()
    weights = np.linalg.solve(x.T @ x + RIDGE * np.eye(x.shape[1]), x.T @ y)
    return float(roc_auc_score(positive[~first], ((features[~first] - mean) / deviation) @ weights))


def _enough(there: NDArray[np.bool_], first: NDArray[np.bool_]) -> bool:
    """Whether each half has enough rows of a class and of the others."""
    sizes = [(there & half).sum() for half in (first, ~first)] + [(~there & half).sum() for half in (first, ~first)]
    return bool(min(sizes) >= FEWEST_OF_A_CLASS)


def _codes(target: NDArray[Any]) -> NDArray[np.int64] | None:
    """(n,) the class of each row, -1 beyond the `MOST_CLASSES` commonest; None where the target is no class."""
    import pandas as pd

    if target.ndim != 1 or (target.dtype == object and not all(each is None or np.isscalar(each) for each in target)):
        return None
    codes, labels = pd.factorize(target)
    if len(labels) < 2 or len(labels) > max(20, len(target) // 20):
        return None
    common = np.argsort(-np.bincount(codes[codes >= 0]), kind="stable")[:MOST_CLASSES]
    return np.where(np.isin(codes, common), codes, -1).astype(np.int64)


def _halves(n: int, ids: NDArray[Any] | None) -> NDArray[np.bool_]:
    """(n,) whether each row is learned from; all rows of one id are in one half."""
    chance = np.random.default_rng(0)
    if ids is None:
        return np.asarray(chance.permutation(n) < n // 2)
    known, place = np.unique(ids.astype(str), return_inverse=True)
    return np.asarray(chance.permutation(len(known))[place] < len(known) // 2)
