"""Portfolios: what holding weights day after day earns after costs, and how good that was. NumPy only.

A decision for a day is taken on what was known at the close before it. Between two decisions that are carried out the
weights drift with the prices. Who trades an amount pays for it: net returns are `gross - costs * traded`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DAYS = 252
"""Trading days of a year."""

TAIL = 0.05
"""Share of the days, the worst ones, that the tail loss is the mean of."""


class Path(NamedTuple):
    """(n,) what each day earned after costs, and what was traded at the close before it, as shares of wealth.

    What is traded counts what is bought and what is sold, so that going from one asset to another trades 2.
    """

    net: Floats
    traded: Floats


def walk(weights: Floats, returns: Floats, costs: float, every: int) -> Path:
    """Follow decisions along n days that follow each other, from cash on: the first day pays for entering.

    Args:
        weights: (n, assets) decided for each day; of these every `every`-th is carried out, the first one included.
        returns: (n, assets) of each day, 0.01 being 1 %.
        costs: of trading, as a share of what is traded; 0.001 are 10 basis points.
        every: days from one rebalancing to the next.
    """
    n, assets = weights.shape
    if n == 0:
        return Path(np.zeros(0), np.zeros(0))
    held = np.asarray(weights[::every], np.float64)
    grown = np.ones((len(held) * every, assets))
    grown[:n] += returns
    grown = grown.reshape(len(held), every, assets).cumprod(axis=1)
    worth = np.einsum("ba,bka->bk", held, grown)
    before = np.column_stack([held.sum(axis=1), worth[:, :-1]])
    drifted = held * grown[:, -1] / worth[:, -1:]
    traded = np.zeros((len(held), every))
    traded[:, 0] = np.abs(held - np.vstack([np.zeros((1, assets)), drifted[:-1]])).sum(axis=1)
    return Path(*(each.ravel()[:n] for each in (worth / before - 1 - costs * traded, traded)))


def sharpe(net: Floats) -> float:
    """Sharpe ratio of daily net returns a year: their mean over their standard deviation, times the root of 252.

    No interest on cash is subtracted. NaN with fewer than two days, or where nothing varies.

    Reference: Sharpe (1994), The Journal of Portfolio Management 21(1).
    """
    if len(net) < 2 or not (deviation := float(net.std(ddof=1))) > 1e-12:
        return math.nan
    return float(net.mean()) / deviation * math.sqrt(DAYS)


def scores(path: Path) -> dict[str, float]:
    """How good a path was; NaN where there are too few days to say.

    Returns:
        `sharpe`; `annual_return`, compounded; `volatility`, the standard deviation of daily returns times the root of
        252; `max_drawdown`, the largest loss from a peak as a share of it; `turnover`, traded a year as a multiple of
        wealth, buying and selling both counted; `tail_loss`, the mean loss of the worst 5 % of the days (the expected
        shortfall, CVaR).

    Reference: Rockafellar and Uryasev (2000), Journal of Risk 2(3), for the tail loss.
    """
    judge = judged(path)
    return {name: float(value[0]) for name, value in judge(np.ones((1, len(path.net)))).items()}


def judged(path: Path) -> Callable[[Floats], dict[str, Floats]]:
    """(b, n) how often each day counts -> the scores of each of the b weightings.

    Days keep their order, and stand as often one after the other as they count: so blocks of a bootstrap stay together
    in a drawdown but for where two of them overlap.
    """
    net, traded = path
    order = np.argsort(net, kind="stable")
    logs = np.log1p(np.maximum(net, -1 + 1e-12))

    def judge(counts: Floats) -> dict[str, Floats]:
        total = counts.sum(axis=1)
        known = total > 1
        days = np.where(known, total, np.nan)
        mean = np.einsum("bn,n->b", counts, net) / days
        spread = np.einsum("bn,n->b", counts, np.square(net)) / days - np.square(mean)
        deviation = np.sqrt(np.maximum(spread, 0) * days / (days - 1))
        varies = np.where(deviation > 1e-12, deviation, np.nan)
        wealth = np.cumsum(counts * logs, axis=1)
        peak = np.maximum(np.maximum.accumulate(wealth, axis=1), 0.0)
        return {
            "sharpe": mean / varies * math.sqrt(DAYS),
            "annual_return": np.expm1(np.einsum("bn,n->b", counts, logs) / days * DAYS),
            "volatility": deviation * math.sqrt(DAYS),
            "max_drawdown": np.where(known, -np.expm1((wealth - peak).min(axis=1, initial=0.0)), np.nan),
            "turnover": np.einsum("bn,n->b", counts, traded) / days * DAYS,
            "tail_loss": _tail_loss(counts[:, order], net[order]),
        }

    return judge


def _tail_loss(counts: Floats, rising: Floats) -> Floats:
    """Mean loss of the worst `TAIL` of the days, of which the last may count in part."""
    wanted = TAIL * counts.sum(axis=1, keepdims=True)
    before = np.cumsum(counts, axis=1) - counts
    share = np.clip(wanted - before, 0.0, counts)
    return np.asarray(-np.einsum("bn,n->b", share, rising) / np.where(wanted[:, 0] > 0, wanted[:, 0], np.nan))


def equity(net: Floats) -> tuple[Floats, Floats]:
    """(n + 1,) wealth from 1 on, and how far it lies below its highest so far, as a share of that."""
    wealth = np.concatenate([[1.0], np.cumprod(1 + net)])
    return wealth, wealth / np.maximum.accumulate(wealth) - 1
