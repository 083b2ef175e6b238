"""Repairs of payments: refunds are no payments, and a row that stands there twice is one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.cells import MISSING
from pipelines.data.raw_table import RawTable, written
from pipelines.data.transactions import Transactions
from pipelines.data.wording import count, shown
from pipelines.errors import BadInput


def repaired(table: RawTable, parts: Mapping[str, str], of: Transactions) -> tuple[NDArray[np.int64], list[str]]:
    """The rows to learn from, in the order of their moments, and what was done to the others."""
    stands, notes = payments_of(table, parts, of.amount, " with --exclude"), []
    rows = np.unique(stands[stands >= 0])
    if refunds := int((stands < 0).sum()):
        notes.append(f"{count(refunds, 'row')} with a negative amount left out: refunds are no payments")
    if repeated := len(of) - refunds - len(rows):
        notes.append(f"{count(repeated, 'row')} left out that an earlier one of the same id repeats")
    order = rows[np.argsort(of.time[rows], kind="stable")]
    if moved := int((np.diff(of.time[rows]) < 0).sum()):
        notes.append(f"payments were out of order ({count(moved, 'step')} back in time) and have been sorted by time")
    return order, notes


def payments_of(
    table: RawTable, parts: Mapping[str, str], amount: NDArray[np.float64], how: str = ""
) -> NDArray[np.int64]:
    """(n,) the row of the payment that each row tells of: itself, an earlier one of its id, or -1 for a refund.

    Args:
        how: what leaves the column of ids out, for the message.

    Raises:
        BadInput: none is a payment, or two of one id differ.
    """
    rows = np.flatnonzero(amount >= 0)
    if not len(rows):
        raise BadInput(
            f"{table.path}: all amounts are negative, and refunds are no payments; write payments as positive"
        )
    stands = np.full(len(amount), -1)
    stands[rows] = _once(table, parts["transaction"], rows, how) if "transaction" in parts else rows
    return stands


def unanswered(rows: NDArray[np.int64]) -> list[str]:
    """Notes on rows to predict that are no payment, or none that is new."""
    notes = []
    if refunds := int((rows < 0).sum()):
        notes.append(f"{count(refunds, 'row')} with a negative amount left without an answer: refunds are no payments")
    if repeated := int(((rows >= 0) & (rows != np.arange(len(rows)))).sum()):
        what = count(repeated, "row repeats", "rows repeat")
        notes.append(f"{what} an earlier one of the same id: counted once, and answered as that")
    return notes


def _once(table: RawTable, name: str, rows: NDArray[np.int64], how: str) -> NDArray[np.int64]:
    """For each of these rows the first of its id, which must be the same row; a missing id is nobody else's."""
    first: dict[str, int] = {}
    ids, found = table.text(name), []
    for row in rows.tolist():
        before = row if ids[row] in MISSING else first.setdefault(ids[row], row)
        if before != row and any(_written(cells[row]) != _written(cells[before]) for cells in table.columns.values()):
            raise BadInput(
                f"{table.path}: {table.place}s {table.lines[before]} and {table.lines[row]} have one {name} "
                f"({shown(ids[row])}) and differ; give each payment an id of its own, or leave the column {name!r} "
                f"out{how}"
            )
        found.append(before)
    return np.array(found, np.int64)


def _written(cell: Any) -> str:
    """A cell as text, so that two that are missing are alike."""
    return cell.strip() if isinstance(cell, str) else written(cell)
