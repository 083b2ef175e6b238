"""Classical models of pictures on which small spots are what counts, such as the fundus of an eye."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.contenders.pictures import flat_pixels, pixels
from pipelines.contenders.tables import prior
from pipelines.data.examples import Examples
from pipelines.objectives.objective import Objective
from pipelines.task import Baseline, Candidate

USUAL_SIDE = 48
"""Of a picture at which the scales are in pixels; of larger ones they grow with the side."""

SCALES = ((0.6, 2.5), (1.5, 5.0))
"""Standard deviations of what a spot is blurred by, and of the surroundings that it is held against."""

CONTRASTS = (0.03, 0.06, 0.12)
"""Of full brightness, from which a place counts as a spot."""

FIELD = 0.06
"""Darker places, in all colours, lie outside the round field of a fundus camera; blood is dark, but never in red."""


def boosted_spots(train: Examples, objective: Objective) -> Candidate:
    """Boosting on how many dark and bright spots there are (`spot_features`); rate, leaves and penalty are tuned."""
    from scipy.stats import loguniform
    from sklearn.ensemble import HistGradientBoostingClassifier

    search = {
        "histgradientboostingclassifier__learning_rate": loguniform(0.02, 0.2),
        "histgradientboostingclassifier__max_leaf_nodes": [3, 4, 8],
        "histgradientboostingclassifier__l2_regularization": loguniform(1e-3, 10),
    }
    model = HistGradientBoostingClassifier(max_iter=60, early_stopping=False)
    return Candidate(_pipeline(spot_features, model), search)


def ordinal_spots(train: Examples, objective: Objective) -> Candidate:
    """Ordinal logistic regression (`grades`) on the same spots; the penalty is tuned."""
    from scipy.stats import loguniform
    from sklearn.preprocessing import StandardScaler

    from pipelines.contenders.grades import OrdinalLogistic

    pipeline = _pipeline(spot_features, StandardScaler(), OrdinalLogistic())
    return Candidate(pipeline, {"ordinallogistic__C": loguniform(1e-3, 1e2)})


def ordinal_pixels(train: Examples, objective: Objective) -> Candidate:
    """Ordinal logistic regression on principal components of the pixels; the penalty is tuned."""
    from scipy.stats import loguniform
    from sklearn.decomposition import PCA

    from pipelines.contenders.grades import OrdinalLogistic

    components = min(50, len(train) // 3, int(np.prod(train.columns["image"].shape[1:])))
    pipeline = _pipeline(flat_pixels, PCA(components, whiten=True), OrdinalLogistic())
    return Candidate(pipeline, {"ordinallogistic__C": loguniform(1e-4, 1e1)})


BASELINES = (
    Baseline("prior", prior, column="image"),
    Baseline("pixels", pixels, column="image"),
    Baseline("ordinal-pixels", ordinal_pixels, column="image"),
    Baseline("spots", boosted_spots, column="image"),
    Baseline("ordinal-spots", ordinal_spots, column="image"),
)


def spot_features(pictures: NDArray[Any]) -> NDArray[np.float64]:
    """(n, h, w, c) in [0, 255] -> (n, 36) numbers that tell of spots, on the green channel (of grey the only one).

    For each scale, dark and bright, and contrast: how many spots there are, which share of the field they take, and how
    far they are from even over its four quarters (the share of the quarter with the fewest). Spots are told against the
    mean of their surroundings inside the field, so that neither uneven light nor the rim of the field is one.
    """
    from scipy.ndimage import minimum_filter

    channel = 1 if pictures.shape[3] == 3 else 0
    green = (pictures[..., channel] / 255).astype(np.float32)
    unit = min(green.shape[1:]) / USUAL_SIDE
    rim = 2 * max(1, round(2 * unit)) + 1  # where the field fades
    field = minimum_filter(pictures.max(axis=3) > 255 * FIELD, (1, rim, rim)).astype(np.float32)
    found = []
    for small, large in SCALES:
        near, around = (_mean_inside(green, field, sigma * unit) for sigma in (small, large))
        contrast = (near - around) * field
        for sign in (-1, 1):
            found += [_of_spots(sign * contrast > least, field) for least in CONTRASTS]
    return np.hstack(found)


def _mean_inside(values: NDArray[Any], field: NDArray[Any], sigma: float) -> NDArray[Any]:
    """Blurred values, places outside the field counting for nothing."""
    from scipy.ndimage import gaussian_filter

    weight = gaussian_filter(field, (0, sigma, sigma))
    blurred = gaussian_filter(values * field, (0, sigma, sigma))
    return np.asarray(np.divide(blurred, weight, out=np.zeros_like(blurred), where=weight > 1e-3))


def _of_spots(spots: NDArray[np.bool_], field: NDArray[Any]) -> NDArray[np.float64]:
    """(n, 3) how many connected spots, their share of the field, and the share of that in the emptiest quarter."""
    from scipy.ndimage import label

    n, height, width = spots.shape
    within = np.zeros((3, 3, 3), bool)
    within[1] = True  # neighbours in the same picture alone
    numbered, total = label(spots, within)
    first = np.zeros(total + 1, np.int64)
    pictures, *_ = np.nonzero(spots)
    first[numbered[spots]] = pictures
    count = np.bincount(first[1:], minlength=n)
    halves = spots[:, : height // 2 * 2, : width // 2 * 2].reshape(n, 2, height // 2, 2, width // 2)
    quarters = halves.sum(axis=(2, 4)).reshape(n, 4)
    size = np.maximum(field.sum(axis=(1, 2)), 1)
    shares = np.column_stack([spots.sum(axis=(1, 2)), quarters.min(axis=1)]) / size[:, np.newaxis]
    return np.column_stack([np.sqrt(count), np.sqrt(shares)])


def _pipeline(features: Any, *steps: Any) -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    return make_pipeline(FunctionTransformer(features), *steps)
