"""Transactions: payments in the order of their moments, and what a model may look at of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.behaviour import behaviour
from pipelines.data.event_series import last_events
from pipelines.data.examples import Kind

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

HISTORY = "history"
"""The column of each customer's last events."""

NOWHERE = -1
"""The number of no terminal."""


@dataclass(frozen=True)
class Transactions:
    """n payments.

    Args:
        time: (n,) days since some midnight.
        amount: (n,) >= 0, in the currency of the table.
        customer, terminal: (n,) number of whose card it is and of where it was paid with; None where nobody says. A
            payment at no terminal, such as one online, has `NOWHERE`.
        fraud: (n,) 1 for fraud, 0 for genuine, NaN where that is not known.
        place: (n, 2) where the terminal stands, in km; None where nobody says.
    """

    time: Floats
    amount: Floats
    customer: Codes | None
    terminal: Codes | None
    fraud: Floats
    place: Floats | None = None

    def __len__(self) -> int:
        return len(self.time)

    def take(self, rows: Codes) -> Transactions:
        """The given rows in the given order."""
        changed: dict[str, Any] = {name: None if each is None else each[rows] for name, each in vars(self).items()}
        return replace(self, **changed)

    def inputs(self, delay: float) -> tuple[dict[str, NDArray[Any]], dict[str, Kind]]:
        """Columns and their kinds: what was known of each payment as it was made, and nothing later.

        The rows must be in the order of their moments: of two at one moment the one above was first.

        Args:
            delay: days after which it is known whether a payment was fraud.
        """
        columns: dict[str, NDArray[Any]] = behaviour(
            self.time, self.amount, self.customer, self.terminal, self.fraud, self.place, delay
        )
        kinds: dict[str, Kind] = dict.fromkeys(columns, "number")
        if self.customer is not None:
            columns[HISTORY] = last_events(self.time, self.amount, self.customer, self.place)
            kinds[HISTORY] = "series"
        return columns, kinds

    def records(self, names: Mapping[str, NDArray[Any]] | None = None) -> dict[str, NDArray[Any]]:
        """What judging alerts needs of each row: its moment, amount, card and terminal, where they are known."""
        found: dict[str, Any] = {"day": self.time, "amount": self.amount, "card": self.customer}
        found |= {"terminal": self.terminal, **(names or {})}
        return {name: values for name, values in found.items() if values is not None}
