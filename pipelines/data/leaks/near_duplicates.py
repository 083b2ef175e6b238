"""The same picture again in another split, though brighter, smaller, noisier or packed harder.

A picture's mark is what is particular to it: the means of 12 x 12 boxes of its brightness, standardised, less the mean
of all pictures. Two marks that correlate are two of the same picture. What all pictures of an organ have in common
says nothing, which is why hashes that are made of one picture alone (of differences, or of a cosine transform) take
patients for each other: a 64-bit hash of the cosine transform (distance up to 4) finds 43 of the 1148 validation and
test pictures of PneumoniaMNIST in its training rows, this 8, and those are equal to the last bit.

Outlines and masks are left out: a small disc looks like any other small disc.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.examples import Examples
from pipelines.data.leaks.pooled import MOST_ROWS, brightness, pooled, spread
from pipelines.data.wording import count
from pipelines.report.document import Check

NAME = "no picture nearly the same in two splits"

SIDE, SIDE_OF_VOLUMES = 12, 8

SAME = 0.97
"""Correlation of two marks. On PneumoniaMNIST (`python -m benchmarks.leaks`) the nearest of 1140 pictures that are no
duplicates has .951; of copies in JPEG of quality 30 half are above .988 and all but 5 % above .975, of copies a fifth
brighter all but 5 % above .996. A picture shifted by a pixel is not found."""

FEWEST_LEVELS = 0.2
"""A picture is an outline unless so many of its pixels have none of its two commonest grey levels: of the nodules'
outlines .16 at most, of X-rays .81 at least."""

ROWS_AT_ONCE = 1024


def near_duplicates(examples: Examples, parts: Mapping[str, NDArray[np.integer[Any]]]) -> list[Check]:
    """A check of the pictures of each split against those of the others; none where there are no pictures.

    Args:
        parts: split -> rows.
    """
    return [_check(examples.columns[name], parts) for name in examples.names("image")]


def marks(column: Any, rows: NDArray[np.integer[Any]]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(n, d) standardised means of boxes of each picture, and (n,) whether it is more than an outline."""
    means, textured = [], []
    for block in brightness(column, rows):
        flat = pooled(block, SIDE if block.ndim == 3 else SIDE_OF_VOLUMES).reshape(len(block), -1)
        flat = flat - flat.mean(axis=1, keepdims=True)
        means.append(flat / (flat.std(axis=1, keepdims=True) + 1e-6))
        textured.append([_levels(picture) >= FEWEST_LEVELS for picture in block])
    return np.concatenate(means), np.concatenate(textured).astype(bool)


def again(marks: NDArray[np.float32], earlier: NDArray[np.float32]) -> int:
    """How many of the marks, (n, d) of length 1, are those of pictures that are there earlier."""
    found = 0
    for start in range(0, len(marks), ROWS_AT_ONCE):
        found += int(((marks[start : start + ROWS_AT_ONCE] @ earlier.T).max(axis=1, initial=-1) >= SAME).sum())
    return found


def _check(column: Any, parts: Mapping[str, NDArray[np.integer[Any]]]) -> Check:
    total = sum(map(len, parts.values()))
    most = min(1.0, MOST_ROWS / max(1, total))
    rows = {name: spread(part, max(1, int(most * len(part)))) if len(part) else part for name, part in parts.items()}
    whole, textured = marks(column, np.concatenate(list(rows.values())))
    looked = "" if most == 1 else f" among {count(len(whole), 'picture')} of {total:,}"
    if textured.sum() < 2:
        return Check(NAME, True, "not looked for: the pictures are outlines, which look alike")
    own = whole - whole[textured].mean(axis=0)
    own /= np.linalg.norm(own, axis=1, keepdims=True) + 1e-9
    ends = np.cumsum([0, *(len(part) for part in rows.values())])
    places = pairwise(ends)
    held = {name: own[a:b][textured[a:b]] for name, (a, b) in zip(rows, places, strict=True)}
    shared = {f"{one} and {other}": again(held[other], held[one]) for one, other in combinations(held, 2)}
    told = ", ".join(f"{count(number, 'picture')} in {where}" for where, number in shared.items() if number)
    if told:
        return Check(NAME, False, f"{told}{looked}: the same again, perhaps brighter, smaller or packed harder")
    outlines = int((~textured).sum())
    left = f"; not looked for in {count(outlines, 'outline')}, which look alike" if outlines else ""
    return Check(NAME, True, f"none found{looked}{left}")


def _levels(picture: NDArray[np.float32]) -> float:
    """Share of the pixels that have none of the two commonest grey levels."""
    sizes = np.sort(np.bincount(picture.astype(np.uint8).ravel(), minlength=2))
    return 1 - float(sizes[-2:].sum()) / picture.size
