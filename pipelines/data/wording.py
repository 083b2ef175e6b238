"""How names and values of a user's data appear in one-line messages: quoted, short, with the nearest valid name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

LONGEST = 40
"""Characters of a value that a message shows."""


def shown(value: object) -> str:
    """A value in quotes, on one line, cut after `LONGEST` characters; personal data is masked."""
    from pipelines.data.personal_kinds import masked  # only messages need it

    text = masked(str(value))
    return repr(text if len(text) <= LONGEST else text[:LONGEST] + "…")


def listed(names: Iterable[object], most: int = 20) -> str:
    """Names in quotes, separated by commas; the number of those beyond `most` stands at the end."""
    shown_names = [shown(name) for name in names]
    rest = len(shown_names) - most
    return ", ".join(shown_names[:most]) + (f" and {rest} more" if rest > 0 else "")


def numbered(numbers: Sequence[int], most: int = 5) -> str:
    """Line or row numbers: `3, 7, 9, …`."""
    return ", ".join(str(number) for number in numbers[:most]) + (", …" if len(numbers) > most else "")


def count(number: int, singular: str, plural: str | None = None) -> str:
    """`1 row`, `3 rows`, `12,000 rows`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """`; did you mean 'income'?`, or nothing where no name is near."""
    by_lower = {candidate.lower(): candidate for candidate in names}
    nearest = difflib.get_close_matches(name.strip().lower(), by_lower, n=1, cutoff=0.6)
    return f"; did you mean {shown(by_lower[nearest[0]])}?" if nearest else ""
