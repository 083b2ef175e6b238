"""Parts of a row that is no table: fields of a picture, stretches of a recording or of a series, words of a text."""

from __future__ import annotations

import math
import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.examples import Kind

FIELDS = 4
"""Of a picture, along each side."""

STRETCHES = 10
"""Of a recording."""

BANDS = 8
"""Of a spectrogram."""

FEWEST_ROWS = 10
"""A word that fewer rows have is not named: it could give a person away."""

PUNCTUATION = re.compile(f"[{re.escape(string.punctuation)}]")


@dataclass(frozen=True)
class Part:
    """A region of an array that holds one row.

    Args:
        where: slices of the row's axes, the first ones at least.
    """

    name: str
    where: tuple[slice, ...]


def regions(kind: Kind, shape: Sequence[int], assets: Sequence[str] = ()) -> list[Part]:
    """The regions that an array is told by.

    Args:
        shape: of one row: (height, width, channels) of an image; (samples,) of a wave, or (frames, bands) of its
            spectrogram; (steps, ...) of a series.
        assets: names along the second axis of a series, where it holds one asset each.
    """
    if kind == "image":
        rows, columns = (_cut(side, FIELDS) for side in shape[:2])
        return [
            Part(f"rows {_span(row)}, columns {_span(column)}", (row, column)) for row in rows for column in columns
        ]
    if kind == "wave":
        stretches = _cut(shape[0], STRETCHES)
        found = [
            Part(f"time {100 * place // len(stretches)}-{100 * (place + 1) // len(stretches)} %", (part,))
            for place, part in enumerate(stretches)
        ]
        bands = _cut(shape[1], BANDS) if len(shape) > 1 else []
        told = enumerate(bands, 1)
        return found + [Part(f"band {place} of {len(bands)}, from below", (slice(None), part)) for place, part in told]
    found = [Part(f"steps {_span(part, shape[0])} from the end", (part,)) for part in _doubling(shape[0])]
    return found + [Part(str(name), (slice(None), slice(place, place + 1))) for place, name in enumerate(assets)]


def words_of(text: object) -> list[str]:
    """The words of a text as the networks' vocabulary and TF-IDF tell them apart: small letters, no punctuation."""
    return PUNCTUATION.sub("", str(text or "").lower()).split()


def telling_words(train: Sequence[object], target: NDArray[Any], classes: bool, most: int) -> list[str]:
    """The words that go most with the target of these training texts, one by one: by chi², or by F of a number.

    Args:
        target: (n,) class index where there are classes, else numbers.
    """
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.feature_selection import chi2, f_regression

    counter = CountVectorizer(analyzer=words_of, binary=True, min_df=FEWEST_ROWS)
    try:
        held = counter.fit_transform(train)
    except ValueError:  # no word is in so many rows
        return []
    told, _ = (chi2 if classes else f_regression)(held.astype(np.float64), target)
    names = counter.get_feature_names_out()
    # Where a word tells all, rounding may turn an infinite F negative.
    return [str(names[place]) for place in np.lexsort((names, -np.abs(np.nan_to_num(told))))[:most]]


def smaller(grid: NDArray[np.float64], most: int = 48) -> tuple[tuple[float, ...], ...]:
    """A map as means of equal blocks, at most so many along a side, each number with four digits."""
    rows, columns = (_cut(side, most) for side in grid.shape)
    return tuple(tuple(float(f"{grid[row, column].mean():.4g}") for column in columns) for row in rows)


def _cut(length: int, most: int) -> list[slice]:
    edges = np.linspace(0, length, min(length, most) + 1).round().astype(int)
    return [slice(int(first), int(last)) for first, last in pairwise(edges)]


def _doubling(steps: int) -> list[slice]:
    """The last step, the two before, the four before these, and so on."""
    edges = [steps] + [max(0, steps - (2 ** (k + 1) - 1)) for k in range(math.ceil(math.log2(steps + 1)))]
    return [slice(first, last) for last, first in pairwise(edges)]


def _span(part: slice, steps: int = 0) -> str:
    """`1-8`; counted from the end where the number of steps is given."""
    first, last = (part.start + 1, part.stop) if not steps else (steps - part.stop + 1, steps - part.start)
    return str(first) if first == last else f"{first}-{last}"
