"""Behaviour: what payments before this one say about its customer and its terminal. Nothing later is looked at.

Windows and states are those of the Fraud Detection Handbook (Le Borgne et al. 2022, chapter 3, "Baseline feature
transformation"), after Bahnsen et al. (2016), Expert Systems with Applications 51. Sums are of whole numbers, so that
what is learned from a table and what `operations.scoring` keeps as payments come in are equal to the last bit, and no
later payment can change even a rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

WINDOWS = (1, 7, 30)
"""Days."""

UNIT = 10_000
"""Amounts are summed in ten thousandths, places in tenths of a metre."""

LARGEST = 1e9
"""An amount, or a distance in km, beyond this is a mistake; sums of what is smaller fit in 64 bits."""


@dataclass(frozen=True)
class Grouped:
    """Events sorted by whose they are, then by when: any window of anybody's past is one stretch.

    Args:
        key: (n,) >= 0, whose each event is; events stand in the order of their moments.
        time: (n,) their moments, never falling.
    """

    key: Codes
    time: Floats

    @cached_property
    def order(self) -> Codes:
        """(n,) row numbers, by key and then by time."""
        return np.argsort(self.key, kind="stable")

    @cached_property
    def place(self) -> Codes:
        """(n,) where each row stands in that order."""
        found = np.empty(len(self.key), np.int64)
        found[self.order] = np.arange(len(self.key))
        return found

    @cached_property
    def _moments(self) -> Floats:
        return np.unique(self.time)

    @cached_property
    def _code(self) -> Codes:
        """(n,) rising: key and moment of each event in the order, as one whole number."""
        return self._coded(np.searchsorted(self._moments, self.time))[self.order]

    def _coded(self, moment: Codes) -> Codes:
        return self.key * (len(self._moments) + 1) + moment

    @cached_property
    def first(self) -> Codes:
        """(n,) where the own key's events begin."""
        return self.since(np.full(len(self.time), -np.inf))

    def since(self, edge: Floats) -> Codes:
        """(n,) where the own key's events of this moment and later begin."""
        return np.searchsorted(self._code, self._coded(np.searchsorted(self._moments, edge, side="left")))

    def after(self, edge: Floats) -> Codes:
        """(n,) where the own key's events later than this moment begin."""
        return np.searchsorted(self._code, self._coded(np.searchsorted(self._moments, edge, side="right")))

    def totals(self, values: Codes) -> Codes:
        """(n + 1,) running totals of whole numbers in the order, 0 first."""
        return np.concatenate([[0], np.cumsum(values[self.order])])

    def previous(self, values: Floats) -> Floats:
        """(n, ...) the value of the own key's event before; NaN where there is none."""
        there = self.place > self.first
        found = np.full(values.shape, np.nan)
        found[there] = values[self.order[self.place[there] - 1]]
        return found


def behaviour(
    time: Floats,
    amount: Floats,
    customer: Codes | None,
    terminal: Codes | None,
    fraud: Floats,
    place: Floats | None,
    delay: float,
) -> dict[str, Floats]:
    """name -> (n,) float64, NaN where the past says nothing. Arguments as in `Transactions`, in order of time.

    A payment at no terminal is one at a terminal of its own: nobody was there before.
    """
    found = {"amount": amount, "hour": hour(time), "weekday": weekday(time)}
    if customer is not None:
        found |= _of_customer(Grouped(customer, time), amount, place)
    if terminal is not None:
        terminal = np.where(terminal < 0, terminal.max(initial=0) + 1 + np.arange(len(terminal)), terminal)
        found |= _of_terminal(Grouped(terminal, time), amount, fraud, delay)
    if customer is not None and terminal is not None:
        both = customer * (terminal.max(initial=0) + 1) + terminal
        pairs = Grouped(np.unique(both, return_inverse=True)[1], time)  # numbers that stay small
        found["visits_here"] = (pairs.place - pairs.first).astype(np.float64)
    return found


def made_of_the_past() -> frozenset[str]:
    """The names of the columns that can be missing because there is no past, not because nobody wrote them down."""
    nothing, nobody = np.zeros(0), np.zeros(0, np.int64)
    return frozenset(behaviour(nothing, nothing, nobody, nobody, nothing, np.zeros((0, 2)), 0.0)) - {"amount"}


def hour(time: Floats) -> Floats:
    """Hour of the day, 0 to 24."""
    return np.mod(time * 24, 24)


def weekday(time: Floats) -> Floats:
    """Day of the week, 0 to 6; which of them is 0 depends on the day that days are counted from."""
    return np.mod(np.floor(time), 7)


def whole(values: Floats) -> Codes:
    """Amounts or places as whole numbers of `UNIT`."""
    return np.rint(values * UNIT).astype(np.int64)


def _of_customer(of: Grouped, amount: Floats, place: Floats | None) -> dict[str, Floats]:
    """How often and how much the customer paid, how long ago, and how far away from where."""
    totals = of.totals(whole(amount))
    found = {"days_since_last": of.time - of.previous(of.time)}
    for days in WINDOWS:
        since = of.since(of.time - days)
        found[f"customer_count_{days}d"] = (of.place - since).astype(np.float64)
        found[f"customer_mean_{days}d"] = mean(totals[of.place] - totals[since], of.place - since)
    found["amount_over_mean"] = ratio(amount, found[f"customer_mean_{WINDOWS[-1]}d"])
    if place is not None:
        since = of.since(of.time - WINDOWS[-1])
        centre = [
            mean(along[of.place] - along[since], of.place - since)
            for along in (of.totals(whole(axis)) for axis in place.T)
        ]
        found["km_from_usual"] = distance(place[:, 0] - centre[0], place[:, 1] - centre[1])
        found["km_from_last"] = distance(*(place - of.previous(place)).T)
    return found


def _of_terminal(of: Grouped, amount: Floats, fraud: Floats, delay: float) -> dict[str, Floats]:
    """How often and how much was paid there, and how much of what is known of by now was fraud.

    What happened within the last `delay` days is not known of yet; windows of fraud end where that begins.
    """
    totals = of.totals(whole(amount))
    known, frauds = of.totals(~np.isnan(fraud)), of.totals(fraud == 1)
    found = {}
    until = np.minimum(of.after(of.time - delay), of.place)
    for days in WINDOWS:
        since = of.since(of.time - days)
        found[f"terminal_count_{days}d"] = (of.place - since).astype(np.float64)
        found[f"terminal_mean_{days}d"] = mean(totals[of.place] - totals[since], of.place - since)
        since = np.minimum(of.since(of.time - delay - days), until)
        found[f"terminal_fraud_{days}d"] = ratio(
            (frauds[until] - frauds[since]).astype(np.float64), (known[until] - known[since]).astype(np.float64)
        )
    return found


def mean(total: Codes, count: Codes) -> Floats:
    """A mean in its own unit from a sum in whole numbers; NaN of nothing."""
    return ratio(total.astype(np.float64), count.astype(np.float64) * UNIT)


def ratio(above: Floats, below: Floats) -> Floats:
    """A division that gives NaN where there is nothing to divide by."""
    return np.asarray(np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0))


def distance(x: Floats, y: Floats) -> Floats:
    """Length of (x, y)."""
    return np.asarray(np.sqrt(x * x + y * y))
