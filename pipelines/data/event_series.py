"""Event series: each customer's last payments as they were, for networks that find out by themselves what matters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pipelines.data.behaviour import Grouped, distance, hour, weekday

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

EVENTS = 16
"""Events a row tells of, this one the last."""

CHANNELS: Mapping[str, str] = {
    "amount": "log", "days_since_last": "log", "hour": "24", "weekday": "7", "km_from_last": "log", "x": "plain",
    "y": "plain",
}  # fmt: skip
"""What each event says, and of what scale it is: `log`, `plain`, or a cycle of so many hours or days. Without places
there are the first four."""


def last_events(time: Floats, amount: Floats, customer: Codes, place: Floats | None) -> NDArray[np.float32]:
    """(n, EVENTS, channels) what the customer did last, the latest event (the row's own) at the end.

    Events that there were none of are NaN and stand first. Arguments as in `Transactions`, in the order of time.
    """
    of = Grouped(customer, time)
    # A customer's first event has none before it: no time passed, and no way was made.
    gap = np.nan_to_num(time - of.previous(time))
    said = [amount, gap, hour(time), weekday(time)]
    if place is not None:
        said += [np.nan_to_num(distance(*(place - of.previous(place)).T)), *place.T]
    in_order = np.column_stack(said).astype(np.float32)[of.order]
    at = of.place[:, np.newaxis] - np.arange(EVENTS - 1, -1, -1)
    there = at >= of.first[:, np.newaxis]
    found: NDArray[np.float32] = in_order[np.maximum(at, 0)]
    found[~there] = np.nan
    return found
