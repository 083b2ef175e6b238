"""Visits: what earlier ones of the same person say about each. Nothing of a later one is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.examples import Kind

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

HISTORY = "visits"
"""The column of each person's visits up to this one."""

EARLIER, SINCE_LAST, SINCE_FIRST = "earlier_visits", "since_last_visit", "since_first_visit"

MOST_VISITS = 16
"""Of a history: of who came more often it holds the last ones."""


@dataclass(frozen=True)
class Visits:
    """n visits.

    Args:
        who: (n,) object str, whose each is.
        when: (n,) its moment, in any unit; no two of one person are the same (`twice`).
    """

    who: NDArray[Any]
    when: Floats

    def most(self) -> int:
        """The number of visits of who came most often, but `MOST_VISITS` at most."""
        return int(min(MOST_VISITS, np.bincount(self._codes).max()))

    def twice(self) -> list[int]:
        """Two rows, from 0, that are of one person and one moment; none where there are no such."""
        when = self.when[self.order]
        same = np.flatnonzero((when[1:] == when[:-1]) & (self._first[1:] == self._first[:-1]))
        return sorted(int(row) for row in self.order[same[0] : same[0] + 2]) if len(same) else []

    def changing(self, numbers: Mapping[str, Floats]) -> list[str]:
        """Those of the numbers that differ between two visits of one person."""
        later = self._place > self._first
        differ = {
            name: np.abs(self._sorted(values)[later] - self._before(self._sorted(values))[later])
            for name, values in numbers.items()
        }
        return [name for name, change in differ.items() if (change > 0).any()]

    def inputs(self, numbers: Mapping[str, Floats], steps: int) -> tuple[dict[str, NDArray[Any]], dict[str, Kind]]:
        """Columns and their kinds: what was known at each visit of the ones before it.

        For models that read tables: how many there were, the time since the last and the first one, and by how much
        each number differs from the last and the first; 0 at a first visit. For networks that read one visit after the
        other: (n, steps, 1 + numbers) float32, the visit itself last, NaN where there was none; of each the time since
        the one before, then the numbers.

        Args:
            numbers: name -> (n,) values, NaN where missing.
            steps: of the history; earlier visits than that are left out of it.
        """
        when = self._sorted(self.when)
        gap = when - self._before(when)
        made = {EARLIER: (self._place - self._first).astype(np.float64), SINCE_LAST: gap}
        made[SINCE_FIRST] = when - when[self._first]
        told = [gap]
        for name, values in numbers.items():
            of = self._sorted(values)
            made[f"{name}_{SINCE_LAST}"], made[f"{name}_{SINCE_FIRST}"] = of - self._before(of), of - of[self._first]
            told.append(of)
        columns: dict[str, NDArray[Any]] = {name: self._in_rows(values) for name, values in made.items()}
        columns[HISTORY] = self._in_rows(self._histories(np.column_stack(told), steps))
        return columns, {**dict.fromkeys(made, "number"), HISTORY: "series"}

    @cached_property
    def order(self) -> Rows:
        """(n,) row numbers, by person and then by moment."""
        return np.lexsort((self.when, self._codes)).astype(np.int64)

    @cached_property
    def _codes(self) -> Rows:
        return np.unique(self.who.astype(np.str_), return_inverse=True)[1].astype(np.int64)

    @cached_property
    def _place(self) -> Rows:
        return np.arange(len(self.who), dtype=np.int64)

    @cached_property
    def _first(self) -> Rows:
        """(n,) where, in that order, the visits of the same person begin."""
        codes = self._codes[self.order]
        return np.searchsorted(codes, codes)

    def _before(self, values: Floats) -> Floats:
        """Values of the visit before, in that order; of a first visit its own."""
        return values[np.maximum(self._place - 1, self._first)]

    def _histories(self, values: Floats, steps: int) -> NDArray[np.float32]:
        at = self._place[:, np.newaxis] - np.arange(steps - 1, -1, -1)
        there = at >= self._first[:, np.newaxis]
        found: NDArray[np.float32] = values.astype(np.float32)[np.maximum(at, 0)]
        found[~there] = np.nan
        return found

    def _sorted(self, values: Floats) -> Floats:
        return np.asarray(values, np.float64)[self.order]

    def _in_rows(self, values: NDArray[Any]) -> NDArray[Any]:
        found = np.empty_like(values)
        found[self.order] = values
        return found
