"""The randomisation test: parts of a network's answers must change when what it learned is taken away.

An explanation that stays the same for weights drawn anew tells what rows look like, and nothing of the network.

Reference: Adebayo et al. (2018), "Sanity checks for saliency maps", NeurIPS, arXiv 1810.03292: the full randomisation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.report.document import Estimate

DRAWS = 10


def randomisation_test(core: Any, parts: Callable[[], NDArray[np.float64]], seed: int) -> Estimate:
    """Mean rank correlation of each row's parts with those after weights were drawn anew, over `DRAWS` draws.

    The interval is Student's over the draws: rows of one draw share its weights.

    Args:
        core: Keras model whose weights are drawn anew, and put back.
        parts: (n, places) of the core as it is at the moment.
    """
    from scipy.stats import t

    learned = parts()
    found = []
    for draw in range(DRAWS):
        with _redrawn(core, seed + draw):
            found.append(_agreement(learned, parts()))
    mean, error = float(np.mean(found)), float(np.std(found, ddof=1)) / math.sqrt(DRAWS)
    half = float(t.ppf(0.975, DRAWS - 1)) * error
    return Estimate(mean, max(-1.0, mean - half), min(1.0, mean + half))


@contextmanager
def _redrawn(core: Any, seed: int) -> Iterator[None]:
    """The core with the weights of an untrained one."""
    import keras

    learned = core.get_weights()
    keras.utils.set_random_seed(seed)
    try:
        core.set_weights(keras.models.clone_model(core).get_weights())
        yield
    finally:
        core.set_weights(learned)


def _agreement(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Spearman's correlation of each row, the mean over rows in which neither is the same everywhere."""
    from scipy.stats import rankdata

    ranks = [rankdata(each.reshape(len(each), -1), axis=1) for each in (first, second)]
    centred = [each - each.mean(axis=1, keepdims=True) for each in ranks]
    sizes = [np.sqrt(np.square(each).sum(axis=1)) for each in centred]
    told = (sizes[0] > 0) & (sizes[1] > 0)
    if not told.any():
        return math.nan
    return float(((centred[0] * centred[1]).sum(axis=1)[told] / (sizes[0] * sizes[1])[told]).mean())
