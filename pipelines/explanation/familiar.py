"""What a network has seen the like of: how far the features of a row lie from those of its training rows.

References: Lee et al. (2018), "A simple unified framework for detecting out-of-distribution samples and adversarial
attacks", NeurIPS, arXiv 1807.03888, for the distance; Liu et al. (2020), "Energy-based out-of-distribution detection",
NeurIPS, arXiv 2010.03759, for the energy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.examples import Examples
from pipelines.explanation import archive
from pipelines.explanation.opened import Opened

FILE = "familiar.npz"
MOST_ROWS = 4000
"""Training rows that features are learned from."""
FLAGGED = 0.05
"""Share of the validation rows that lies beyond the threshold."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Seen:
    """What a network makes of n rows.

    Args:
        features: (n, d) what its last layer reads.
        energy: (n,) how little it sees of any class: the negative logarithm of the sum of exponentiated logits. Of a
            single logit, which stands for the difference of two, it says no more than how sure the answer is.
    """

    features: Floats
    energy: Floats


@dataclass(frozen=True)
class Familiar:
    """The features of training rows, as normal distributions around the mean of each class, with one covariance.

    Args:
        means: (classes, d).
        whiten: (d, d) what makes features uncorrelated, each with a variance of 1 around its class's mean.
        threshold: distance beyond which `FLAGGED` of the validation rows lie.
    """

    means: NDArray[np.float32]
    whiten: NDArray[np.float32]
    threshold: float = float("inf")

    @classmethod
    def of(cls, features: Floats, classes: NDArray[Any]) -> Familiar:
        """Fitted on training rows alone; the covariance is shrunk (Ledoit and Wolf 2004).

        Args:
            features: (n, d).
            classes: (n,) class of each row.
        """
        from sklearn.covariance import LedoitWolf

        known, code = np.unique(classes, return_inverse=True)
        means = np.stack([features[code == place].mean(axis=0) for place in range(len(known))])
        spread = LedoitWolf(assume_centered=True, store_precision=True).fit(features - means[code])
        # Features that never moved in training would have a distance of infinity as soon as they do.
        usual = float(np.trace(spread.covariance_)) / features.shape[1] or 1.0
        precision = np.linalg.inv(spread.covariance_ + 1e-6 * usual * np.eye(features.shape[1]))
        return cls(means.astype(np.float32), np.linalg.cholesky(precision).astype(np.float32))

    def distance(self, features: Floats) -> Floats:
        """(n,) Mahalanobis distance from the nearest mean."""
        apart = [np.linalg.norm((features - mean) @ self.whiten, axis=1) for mean in self.means]
        return np.asarray(np.min(apart, axis=0), np.float64)

    def unlike(self, features: Floats) -> NDArray[np.bool_]:
        """(n,) whether each row lies beyond the threshold."""
        return self.distance(features) > self.threshold


def seen(network: Opened, rows: Examples) -> Seen | None:
    """What the network makes of these rows; None where its last layer is none that reads features."""
    from keras import Model

    features = _last_read(network.rest)
    if features is None:
        return None
    import tensorflow as tf

    both = Model(network.rest.input, [features, network.rest.output])
    forward = tf.function(lambda numbers: both(numbers, training=False), autograph=False, reduce_retracing=True)
    found = [forward(tf.constant(network.numbers(block))) for block in network.blocks(rows)]
    made, outputs = (np.concatenate(part).astype(np.float64) for part in zip(*found, strict=True))
    return Seen(made.reshape(len(made), -1), _energy(outputs))


def _energy(outputs: Floats) -> Floats:
    """(n,) of logits, or of those of several members their mean."""
    logits = np.concatenate([-outputs / 2, outputs / 2], axis=-1) if outputs.shape[-1] == 1 else outputs
    most = logits.max(axis=-1, keepdims=True)
    energy = -(most[..., 0] + np.log(np.exp(logits - most).sum(axis=-1)))
    return np.asarray(energy.reshape(len(energy), -1).mean(axis=1))


def _last_read(core: Any) -> Any:
    """What the dense layer reads whose output is the core's; None where it ends otherwise."""
    from keras import layers

    last = core.layers[-1]
    return last.input if isinstance(last, layers.Dense) and not isinstance(last.input, list) else None


def keep(found: Familiar, folder: Path) -> None:
    """Write it into the folder of a saved contender."""
    arrays: dict[str, NDArray[Any]] = {
        "means": found.means,
        "whiten": found.whiten,
        "threshold": np.array(found.threshold, np.float64),
    }
    archive.keep(folder / FILE, arrays)


def kept(folder: Path) -> Familiar | None:
    """What is in the folder of a saved contender; None where there is none.

    Raises:
        BadInput: the file is damaged.
    """
    return archive.kept(folder / FILE, _familiar)


def _familiar(arrays: Mapping[str, NDArray[Any]]) -> Familiar:
    means, whiten = arrays["means"].astype(np.float32), arrays["whiten"].astype(np.float32)
    threshold = float(arrays["threshold"])
    if means.ndim != 2 or whiten.shape != (means.shape[1], means.shape[1]) or not threshold > 0:
        raise ValueError(f"features of {means.shape} and {whiten.shape} do not go together")
    if not (np.isfinite(means).all() and np.isfinite(whiten).all()):
        raise ValueError("some numbers are not finite")
    return Familiar(means, whiten, threshold)
