"""Rows with a bias that is known: who belongs to group b is positive more often, and a column tells who does."""

import numpy as np

from pipelines.data.examples import Examples


def planted(n=1200, seed=0, unknown=0.0):
    """Examples of two groups; `hint` gives the group away in 19 of 20 rows, `merit` is what counts besides."""
    chance = np.random.default_rng(seed)
    member = chance.random(n) < 0.4
    merit = chance.normal(size=n)
    positive = chance.random(n) < 1 / (1 + np.exp(-(1.5 * merit + 2.0 * member - 1.5)))
    group = np.where(member, "b", "a").astype(object)
    group[chance.random(n) < unknown] = None
    hint = np.where(chance.random(n) < 0.05, ~member, member)
    return Examples(
        columns={"merit": merit, "hint": hint.astype(float)},
        target=np.where(positive, "yes", "no"),
        groups={"group": group},
    )
