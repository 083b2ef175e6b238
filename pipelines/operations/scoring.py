"""Scoring payments as they come in, with a model that was saved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.contenders.saved import Saved
from pipelines.data.behaviour_state import BehaviourState, Payment
from pipelines.data.examples import Examples
from pipelines.data.transactions import HISTORY
from pipelines.errors import BadInput


class Scorer:
    """Chances of fraud of payments in the order in which they are made.

    Args:
        model: of `finance/card-fraud`. Its past begins empty: score the payments of the month before first.

    Raises:
        BadInput: the model was not trained on payments.
    """

    def __init__(self, model: Saved) -> None:
        if "delay" not in model.reading:
            raise BadInput(f"{model.name} ({model.task}) was not trained on payments, and so cannot score them")
        self.model, self.state = model, BehaviourState(float(model.reading["delay"]))

    def told(self, number: int, fraud: bool) -> None:
        """It is known now whether the payment of this number, from 0, was fraud."""
        self.state.told(number, fraud)

    def score(self, payments: Sequence[Payment]) -> NDArray[np.float64]:
        """(n,) chance of fraud of each payment, of what was known as it was made.

        Raises:
            BadInput: one is older than the one before, or lacks a column that the model takes.
        """
        if not payments:
            return np.zeros(0)
        seen = [self.state.observe(payment) for payment in payments]
        columns: dict[str, NDArray[Any]] = {}
        for name, kind in self.model.kinds.items():
            if name == HISTORY:
                columns[name] = np.stack([events for _, events in seen])
            elif name in seen[0][0]:
                columns[name] = np.array([found[name] for found, _ in seen])
            else:
                columns[name] = _others(payments, name, float if kind == "number" else object)
        whole = _filled(len(payments))
        columns = {name: values[np.minimum(np.arange(whole), len(payments) - 1)] for name, values in columns.items()}
        examples = Examples(columns, np.full(whole, np.nan), self.model.kinds)
        return np.asarray(self.model.predict(examples).values[: len(payments), 1])


def _others(payments: Sequence[Payment], name: str, dtype: Any) -> NDArray[Any]:
    try:
        return np.array([payment.others[name] for payment in payments], dtype=dtype)
    except KeyError:
        raise BadInput(f"the model takes {name!r}, which a payment lacks; give it among its `others`") from None


def _filled(n: int) -> int:
    """So many rows are given to the model: powers of two, since it is compiled anew for each number of rows."""
    return 1 << (n - 1).bit_length()
