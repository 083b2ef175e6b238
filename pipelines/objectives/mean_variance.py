"""Mean-variance portfolios: none negative, adding up to 1, for many days at once. NumPy and SciPy.

Reference: Markowitz (1952), The Journal of Finance 7(1).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FIRM = 1e4
"""How much more, relative to variances, weights are held to adding up to 1 than to anything else; what is left of the
difference is divided out."""

AT_ONCE = 256
"""Windows of returns whose squares are in memory together."""


def covariances(returns: Any, lookback: int) -> Floats:
    """(n, assets, assets) covariance of the last `lookback` days of each window, shrunk towards a multiple of the
    identity as far as Ledoit and Wolf say.

    Args:
        returns: (n, days, assets).

    Reference: Ledoit and Wolf (2004), Journal of Multivariate Analysis 88(2); the values of scikit-learn's
    `LedoitWolf`, which takes one window at a time.
    """
    return np.concatenate(
        [_shrunk(np.asarray(returns[start : start + AT_ONCE, -lookback:], np.float64))
         for start in range(0, len(returns), AT_ONCE)]
    )  # fmt: skip


def _shrunk(window: Floats) -> Floats:
    days, assets = window.shape[1:]
    moved = window - window.mean(axis=1, keepdims=True)
    turned = np.swapaxes(moved, 1, 2)
    sample = turned @ moved / days
    mean = np.trace(sample, axis1=1, axis2=2) / assets
    squares = np.square(moved)
    # Mean square of what single days' products deviate by from their mean, and of what that mean does from the target.
    noise = (
        np.einsum("nda,ndb->n", squares, squares, optimize=True) / days - np.square(sample).sum(axis=(1, 2))
    ) / days
    apart = np.square(sample).sum(axis=(1, 2)) - assets * np.square(mean)
    share = np.clip(np.where(apart > 0, noise / np.where(apart > 0, apart, 1.0), 1.0), 0.0, 1.0)[:, None, None]
    found: Floats = (1 - share) * sample + share * mean[:, None, None] * np.eye(assets)
    return found


def mean_variance(expected: Floats, covariance: Floats, aversion: float) -> Floats:
    """(n, assets) weights w that maximise w'm - aversion / 2 w'Cw, none negative, adding up to 1.

    Each is one problem of non-negative least squares (Lawson and Hanson 1974), in which a firm penalty stands for the
    sum of 1.

    Args:
        expected: (n, assets) expected returns m; zeros ask for the least variance.
        covariance: (n, assets, assets) C.
        aversion: to risk, above 0; at 4 one more point of variance must bring two points of return.
    """
    from scipy.optimize import nnls

    assets = expected.shape[1]
    scale = np.trace(covariance, axis1=1, axis2=2)[:, None] / assets
    scale = np.where(scale > 0, scale, 1.0)
    curved = covariance / scale[:, :, None] + FIRM + 1e-9 * np.eye(assets)
    root = np.linalg.cholesky(curved)
    wanted = np.linalg.solve(root, (expected / (aversion * scale) + FIRM)[:, :, None])[:, :, 0]
    weights = np.array([nnls(each.T, one)[0] for each, one in zip(root, wanted, strict=True)]).reshape(-1, assets)
    found: Floats = weights / weights.sum(axis=1, keepdims=True)
    return found
