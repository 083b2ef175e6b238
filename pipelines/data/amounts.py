"""`--rows 5%,10%,1000,100%`: amounts of data to learn from, as shares or as numbers of rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from pipelines.data.wording import count, shown
from pipelines.errors import BadInput

WRITTEN = re.compile(r"(?P<percent>\d{1,6}(\.\d{1,6})?)\s*%|(?P<rows>\d{1,12})")


class Amount(NamedTuple):
    """Some of the rows that there are to learn from."""

    written: str
    share: float
    """Of all of them, above 0 and at most 1."""
    rows: int


def parsed(text: str) -> tuple[re.Match[str], ...]:
    """The amounts in a list with commas, not yet held against how many rows there are.

    Raises:
        BadInput: one is neither a share nor a number of rows, is 0, or stands alone.
    """
    found = []
    for part in text.split(","):
        match = WRITTEN.fullmatch(part.strip())
        if match is None:
            raise BadInput(
                f"--rows {text}: {shown(part.strip())} is neither a share nor a number of rows; write for example "
                "10%,30%,100% or 500,2000,100%"
            )
        if not float(match["percent"] or match["rows"]):
            raise BadInput(f"--rows {text}: nothing can be learned from {match[0]}; write more than 0")
        found.append(match)
    if len(found) < 2:
        raise BadInput(f"--rows {text}: a learning curve needs two amounts or more, for example 10%,30%,100%")
    return tuple(found)


def amounts(text: str, there_are: int) -> tuple[Amount, ...]:
    """The amounts in a list with commas, from the smallest on.

    Args:
        there_are: rows to learn from.

    Raises:
        BadInput: as `parsed`; or an amount is more than there is, or stands twice.
    """
    found = []
    for match in parsed(text):
        share = float(match["percent"]) / 100 if match["percent"] else int(match["rows"]) / there_are
        if share > 1:
            raise BadInput(
                f"--rows {text}: {match[0]} is more than there is; {count(there_are, 'row')} (100%) are left to learn "
                "from when the test rows are held out"
            )
        found.append(Amount(match[0], share, int(share * there_are + 0.5)))
    found.sort(key=lambda amount: amount.share)
    for less, more in pairwise(found):
        if less.rows == more.rows:
            raise BadInput(
                f"--rows {text}: {less.written} and {more.written} are the same amount, {count(less.rows, 'row')}; "
                "give each once"
            )
    return tuple(found)


def require_enough(text: str, wanted: Sequence[Amount], least: float, there_are: int) -> None:
    """Refuse amounts that leave too little to learn from.

    Args:
        least: the smallest share that works (`shares.smallest`).
    """
    if wanted[0].share < least:
        raise BadInput(
            f"--rows {text}: {wanted[0].written} leaves too few rows to learn from, or too few of a class; the "
            f"smallest amount that works here is {100 * least:.4g}% ({count(int(least * there_are + 0.5), 'row')})"
        )
