"""Behaviour as payments come in: what `behaviour` and `event_series` make of a table, one payment after the other.

What is kept of each customer and each terminal is as old as the longest window and the delay of labels, and how often
each customer was at each terminal. A payment costs some twenty microseconds. The numbers are those of the table, to the
last bit, as long as what was fraud is told before the delay is over.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipelines.data.behaviour import UNIT, WINDOWS
from pipelines.data.event_series import EVENTS
from pipelines.errors import BadInput

MANY = 512
"""Past events of one customer or terminal that are kept before those too old for any window are dropped."""


@dataclass(frozen=True)
class Payment:
    """One payment as it is made.

    Args:
        terminal: None for a payment at none, such as one online.
        time: days since some midnight, the same for all.
        place: (x, y) of the terminal in km; None where the model was trained without.
        others: further columns that the model takes.
    """

    customer: str
    terminal: str | None
    time: float
    amount: float
    place: tuple[float, float] | None = None
    others: Mapping[str, float | str | None] = field(default_factory=dict)


class _Past:
    """Moments of one customer's or terminal's events, and running totals of whole numbers."""

    __slots__ = ("amounts", "times", "xs", "ys")

    def __init__(self) -> None:
        self.times: list[float] = []
        self.amounts, self.xs, self.ys = [0], [0], [0]

    def count_and_mean(self, since: float) -> tuple[float, float]:
        """Of the events from a moment on."""
        start = bisect_left(self.times, since)
        count = len(self.times) - start
        return float(count), _mean(self.amounts[-1] - self.amounts[start], count)

    def centre(self, since: float) -> tuple[float, float]:
        """Mean place of the events from a moment on."""
        start = bisect_left(self.times, since)
        count = len(self.times) - start
        return _mean(self.xs[-1] - self.xs[start], count), _mean(self.ys[-1] - self.ys[start], count)

    def add(self, payment: Payment) -> None:
        self.times.append(payment.time)
        self.amounts.append(self.amounts[-1] + round(payment.amount * UNIT))
        if payment.place is not None:
            self.xs.append(self.xs[-1] + round(payment.place[0] * UNIT))
            self.ys.append(self.ys[-1] + round(payment.place[1] * UNIT))

    def forget(self, before: float) -> int:
        """Drop events before a moment, and say how many; totals may start anywhere."""
        gone = bisect_left(self.times, before)
        for values in (self.times, self.amounts, self.xs, self.ys):
            del values[:gone]
        return gone


class _Labels:
    """What is known of a terminal's payments: labels wait until the delay is over, and are then counted."""

    __slots__ = ("frauds", "known", "times", "waiting")

    def __init__(self) -> None:
        self.times: list[float] = []
        self.known, self.frauds = [0], [0]
        self.waiting: deque[tuple[float, int]] = deque()

    def rate(self, since: float) -> float:
        start = bisect_left(self.times, since)
        known = self.known[-1] - self.known[start]
        return (self.frauds[-1] - self.frauds[start]) / known if known else math.nan

    def forget(self, before: float) -> None:
        gone = bisect_left(self.times, before)
        for values in (self.times, self.known, self.frauds):
            del values[:gone]


class BehaviourState:
    """What the past says, kept up to date.

    Args:
        delay: days after which it is known whether a payment was fraud, as the model was trained with.
    """

    def __init__(self, delay: float) -> None:
        self.delay, self.seen, self.last = delay, 0, -math.inf
        self._customers: dict[str, _Past] = defaultdict(_Past)
        self._terminals: dict[str, _Past] = defaultdict(_Past)
        self._labels: dict[str | None, _Labels] = defaultdict(_Labels)
        self._told: dict[int, bool] = {}
        self._visits: dict[tuple[str, str], int] = defaultdict(int)
        self._events: dict[str, deque[tuple[float, ...]]] = defaultdict(lambda: deque(maxlen=EVENTS))
        self._latest: dict[str, tuple[float, tuple[float, float] | None]] = {}

    def told(self, number: int, fraud: bool) -> None:
        """It is known now whether the payment of this number (from 0, in the order they came) was fraud."""
        self._told[number] = fraud

    def observe(self, payment: Payment) -> tuple[dict[str, float], NDArray[np.float32]]:
        """The payment's columns and its customer's last events; it is part of the past from now on.

        Raises:
            BadInput: it is older than the one before, or its amount is negative.
        """
        if payment.time < self.last or not payment.amount >= 0:
            what = "its amount is negative" if payment.time >= self.last else "it is older than the one before"
            raise BadInput(f"payment {self.seen} cannot be scored: {what}")
        now, found = payment.time, {"amount": payment.amount}
        found["hour"], found["weekday"] = (now * 24) % 24, math.floor(now) % 7.0
        gap, way = self._of_customer(payment, found)
        self._of_terminal(payment, found)
        found["visits_here"] = 0.0
        if payment.terminal is not None:
            visit = (payment.customer, payment.terminal)
            found["visits_here"] = float(self._visits[visit])
            self._visits[visit] += 1
        event = (payment.amount, gap, found["hour"], found["weekday"])
        events = self._events[payment.customer]
        events.append(event if payment.place is None else (*event, way, *payment.place))
        self._labels[payment.terminal].waiting.append((now, self.seen))
        self.last, self.seen = now, self.seen + 1
        return found, _series(events)

    def _of_customer(self, payment: Payment, found: dict[str, float]) -> tuple[float, float]:
        past, now = self._customers[payment.customer], payment.time
        latest, where = self._latest.get(payment.customer, (math.nan, None))
        found["days_since_last"] = gap = now - latest
        for days in WINDOWS:
            found[f"customer_count_{days}d"], usual = past.count_and_mean(now - days)
            found[f"customer_mean_{days}d"] = usual
        found["amount_over_mean"] = payment.amount / usual if usual > 0 else math.nan
        way = 0.0
        if payment.place is not None:
            found["km_from_usual"] = _distance(payment.place, past.centre(now - WINDOWS[-1]))
            found["km_from_last"] = math.nan if where is None else _distance(payment.place, where)
            way = 0.0 if where is None else found["km_from_last"]
        past.add(payment)
        self._latest[payment.customer] = (now, payment.place)
        if len(past.times) > MANY:
            past.forget(now - WINDOWS[-1])
        return (0.0 if math.isnan(gap) else gap), way

    def _of_terminal(self, payment: Payment, found: dict[str, float]) -> None:
        past = _Past() if payment.terminal is None else self._terminals[payment.terminal]
        labels, now = self._labels[payment.terminal], payment.time
        while labels.waiting and labels.waiting[0][0] <= now - self.delay:
            time, number = labels.waiting.popleft()
            fraud = self._told.pop(number, None)
            labels.times.append(time)
            labels.known.append(labels.known[-1] + (fraud is not None))
            labels.frauds.append(labels.frauds[-1] + bool(fraud))
        if payment.terminal is None:
            labels.forget(math.inf)  # what was fraud elsewhere says nothing of no terminal
        for days in WINDOWS:
            count, usual = past.count_and_mean(now - days)
            found[f"terminal_count_{days}d"], found[f"terminal_mean_{days}d"] = count, usual
            found[f"terminal_fraud_{days}d"] = labels.rate(now - self.delay - days)
        past.add(payment)
        if len(past.times) > MANY:
            past.forget(now - WINDOWS[-1])
            labels.forget(now - self.delay - WINDOWS[-1])


def _series(events: deque[tuple[float, ...]]) -> NDArray[np.float32]:
    found = np.full((EVENTS, len(events[-1])), np.nan, np.float32)
    found[EVENTS - len(events) :] = events
    return found


def _mean(total: int, count: int) -> float:
    return float(total) / (float(count) * UNIT) if count else math.nan


def _distance(here: tuple[float, float], there: tuple[float, float]) -> float:
    x, y = here[0] - there[0], here[1] - there[1]
    return math.sqrt(x * x + y * y)
