"""Groups: which tested rows belong to which group of each sensitive attribute, and of each two attributes together."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNKNOWN = "unknown"
"""The group of rows whose attribute is not known: in the table, never in a gap."""

MOST_CROSSED = 200
"""Two attributes that meet in more groups than these are not crossed: nobody reads that many, and each is tiny."""

_NUMBER = r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?"
BAND = re.compile(rf"<(?P<below>{_NUMBER})|>=(?P<above>{_NUMBER})|(?P<low>{_NUMBER})(?:(?:-| to ){_NUMBER})?")
"""How `data.groups` writes bands of a number, and the numbers themselves where they are few."""


@dataclass(frozen=True)
class Grouping:
    """The rows divided by one attribute, or by two at once.

    Args:
        attribute: its name; of two `sex x age`.
        names: groups in alphabetical order, or the lowest first where all are numbers or bands, "unknown" last; of two
            `F, <25`.
        code: (n,) place of each row's group among the names.
        intersection: whether two attributes were crossed.
    """

    attribute: str
    names: tuple[str, ...]
    code: NDArray[np.int64]
    intersection: bool = False

    def members(self) -> list[NDArray[np.int64]]:
        """The rows of each group, in their order."""
        order = np.argsort(self.code, kind="stable")
        return np.split(order, np.searchsorted(self.code[order], np.arange(1, len(self.names))))


def groupings(groups: Mapping[str, NDArray[Any]]) -> tuple[Grouping, ...]:
    """Every attribute by itself, then every two of them together, where both divide the rows.

    Args:
        groups: attribute -> (n,) object str, None where unknown.
    """
    single = [_single(attribute, values) for attribute, values in groups.items()]
    dividing = [each for each in single if len(set(each.names) - {UNKNOWN}) > 1]  # one group crossed repeats the other
    crossed = [_crossed(first, second) for first, second in combinations(dividing, 2)]
    return (*single, *(each for each in crossed if len(each.names) <= MOST_CROSSED))


def in_order(names: Iterable[str]) -> list[str]:
    """Groups in the order in which people read them: numbers and bands from the lowest, words by the alphabet."""
    found = set(names)
    known = sorted(found - {UNKNOWN})
    ends = {name: _lower_end(name) for name in known}
    if None not in ends.values():
        known.sort(key=lambda name: ends[name] or 0.0)
    return [*known, *({UNKNOWN} & found)]


def _lower_end(name: str) -> float | None:
    """Where a number or a band such as `<25`, `25-40` or `>=40` begins; None of anything else."""
    found = BAND.fullmatch(name)
    if found is None:
        return None
    return -math.inf if found["below"] else float(found["low"] or found["above"])


def _single(attribute: str, values: NDArray[Any]) -> Grouping:
    names = [UNKNOWN if value is None else str(value) for value in values]
    distinct = in_order(set(names))
    place = {name: index for index, name in enumerate(distinct)}
    return Grouping(attribute, tuple(distinct), np.fromiter((place[name] for name in names), np.int64, len(names)))


def _crossed(first: Grouping, second: Grouping) -> Grouping:
    """Who is unknown in either is unknown in both."""
    code = first.code * len(second.names) + second.code
    for each in (first, second):
        if UNKNOWN in each.names:
            code[each.code == each.names.index(UNKNOWN)] = len(first.names) * len(second.names)
    met, joint = np.unique(code, return_inverse=True)
    names = [
        f"{first.names[place // len(second.names)]}, {second.names[place % len(second.names)]}"
        if place < len(first.names) * len(second.names)
        else UNKNOWN
        for place in met
    ]
    return Grouping(f"{first.attribute} x {second.attribute}", tuple(names), joint.astype(np.int64), True)
