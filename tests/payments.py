"""Payments of a few customers at a few terminals, with ties, for tests."""

from dataclasses import replace

import numpy as np

from pipelines.data.transactions import Transactions


def payments(n=300, seed=0, days=60.0, customers=6, terminals=4):
    """In the order of their moments, some at one moment; amounts in cents; a tenth of them fraud."""
    chance = np.random.default_rng(seed)
    time = np.sort(np.round(chance.uniform(0, days, n) * 24) / 24)
    return Transactions(
        time=time,
        amount=np.round(np.exp(chance.normal(3, 1, n)), 2),
        customer=chance.integers(0, customers, n),
        terminal=chance.integers(0, terminals, n),
        fraud=(chance.random(n) < 0.1).astype(float),
        place=np.round(chance.uniform(0, 50, (n, 2)), 2),
    )


def changed_after(of, moment, seed):
    """The same payments until then, and others after it: amounts, labels, places, customers, terminals and moments."""
    chance = np.random.default_rng(seed)
    later = of.time > moment
    time = of.time.copy()
    time[later] = np.sort(moment + chance.uniform(1e-6, 30, later.sum()))
    return replace(
        of,
        time=time,
        amount=np.where(later, chance.uniform(0, 1e6, len(of)).round(2), of.amount),
        fraud=np.where(later, 1 - of.fraud, of.fraud),
        customer=np.where(later, chance.permutation(of.customer), of.customer),
        terminal=np.where(later, chance.permutation(of.terminal), of.terminal),
        place=np.where(later[:, None], of.place[::-1], of.place),
    )
