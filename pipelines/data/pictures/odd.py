"""Files that could not be read: told by name, counted in the report, refused where they are many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pipelines.data.wording import count
from pipelines.errors import BadInput

MOST_ODD = 0.5
"""From this share of odd files on the folder is not what its owner thinks it is."""

TOLD = 20
"""Odd files that are told one by one."""

Reasons = Sequence[tuple[Path, str]]
"""Each with what goes on from its name: `is a damaged picture`."""


def require_few(odd: Reasons, files: int, strict: bool) -> None:
    """Go on without the odd files.

    Args:
        files: how many there are with them.
        strict: whether one is too many.

    Raises:
        BadInput: they are too many; the message names the first and how many more there are.
    """
    if not odd or (not strict and len(odd) < MOST_ODD * files):
        return
    path, reason = odd[0]
    more = f" (and {count(len(odd) - 1, 'more file')} of {files:,} cannot be used)" if len(odd) > 1 else ""
    raise BadInput(f"{'--strict: ' if strict else ''}{path} {reason}{more}")


def notes(odd: Reasons) -> list[str]:
    """How many there are, and why, without a name: this goes into the report, and folders are named after people."""
    if not odd:
        return []
    reasons = Counter(reason.partition(";")[0].partition(":")[0] for _, reason in odd)
    why = ", ".join(f"{number:,} {reason}" for reason, number in reasons.most_common())
    return [f"{count(len(odd), 'file')} skipped that could not be used: {why}"]


def names(odd: Reasons) -> list[str]:
    """Each by its name; for who looks on, not for a record."""
    told = [f"{path} {reason}; it was skipped" for path, reason in odd[:TOLD]]
    rest = len(odd) - TOLD
    return [*told, f"{count(rest, 'more file')} skipped"] if rest > 0 else told
