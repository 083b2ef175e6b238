"""The classical models for pictures: on shape, and on pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.contenders.kernels import gaussian
from pipelines.contenders.tables import prior
from pipelines.data.examples import Examples, OnDemand
from pipelines.objectives.objective import Objective
from pipelines.task import Baseline, Candidate

PIXEL_BYTES = 64 << 20
"""Of the features of `pixels` where pictures are read on demand; fitting takes some five times that."""


def area(train: Examples, objective: Objective) -> Candidate:
    """Logistic regression on one number, the brightness summed over the picture: the area of an outline."""
    from sklearn.linear_model import LogisticRegression

    return Candidate(_pipeline(total_brightness, LogisticRegression()))


def shape(train: Examples, objective: Objective) -> Candidate:
    """Boosting on shape features: area, perimeter, compactness, spread along the axes, and moments of brightness."""
    from scipy.stats import loguniform
    from sklearn.ensemble import HistGradientBoostingClassifier

    search = {
        "histgradientboostingclassifier__learning_rate": loguniform(0.02, 0.2),
        "histgradientboostingclassifier__max_leaf_nodes": [3, 4, 8, 16],
        "histgradientboostingclassifier__l2_regularization": loguniform(1e-3, 10),
    }
    return Candidate(_pipeline(shape_features, HistGradientBoostingClassifier(max_iter=100)), search)


def pixels(train: Examples, objective: Objective) -> Candidate:
    """Principal components of the pixels with a Gaussian-kernel SVM, calibrated by sigmoid; C is tuned.

    From 20 000 rows on the kernel is approximated (`kernels.gaussian`). Pictures larger than memory are averaged over
    squares of pixels, the smallest that let the features of all rows take no more than `PIXEL_BYTES`.
    """
    from sklearn.decomposition import PCA

    side = _side(train.columns["image"])
    n_features = flat_pixels(np.zeros((1, *train.columns["image"].shape[1:])), side).shape[1]
    components = min(50, len(train) // 3, n_features)
    steps, penalty, _ = gaussian(len(train))
    settings = {"kw_args": {"side": side}} if side > 1 else {}
    pipeline = _pipeline(flat_pixels, PCA(components, whiten=True), *steps, **settings)
    return Candidate(pipeline, {penalty: [0.3, 1, 3, 10]})


def _side(pictures: Any) -> int:
    """Of the squares of pixels that are averaged; 1 for pictures in memory."""
    if not isinstance(pictures, OnDemand):
        return 1
    n, height, width, channels = pictures.shape
    sides = range(1, max(1, min(height, width)) + 1)
    return next((s for s in sides if n * (height // s) * (width // s) * channels * 4 <= PIXEL_BYTES), sides[-1])


BASELINES = (
    Baseline("prior", prior, column="image"),
    Baseline("area", area, column="image"),
    Baseline("shape", shape, column="image"),
    Baseline("pixels", pixels, column="image"),
)


def _pipeline(features: Any, *steps: Any, **settings: Any) -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    return make_pipeline(FunctionTransformer(features, **settings), StandardScaler(), *steps)


def flat_pixels(pictures: NDArray[Any], side: int = 1) -> NDArray[np.float32]:
    """(n, h, w, c) in [0, 255] -> (n, h / side * w / side * c) in [0, 1], each the mean of a square of pixels.

    Pixels at the lower and right edge that fill no square are left out.
    """
    if side > 1:
        n, height, width, channels = pictures.shape
        rows, columns = height // side, width // side
        whole = pictures[:, : rows * side, : columns * side].reshape(n, rows, side, columns, side, channels)
        pictures = whole.mean(axis=(2, 4), dtype=np.float32)
    return (pictures.reshape(len(pictures), -1) / 255).astype(np.float32)


def total_brightness(pictures: NDArray[Any]) -> NDArray[np.float64]:
    """(n, h, w, c) in [0, 255] -> (n, 1): brightness summed over the picture, in full pixels, and its square root."""
    total = _grey(pictures).sum(axis=(1, 2))
    return np.column_stack([total, np.sqrt(total)])


def shape_features(pictures: NDArray[Any]) -> NDArray[np.float64]:
    """(n, h, w, c) -> (n, 13) numbers that describe the bright part of a grey picture.

    Area, perimeter (summed gradient), compactness (perimeter squared over area), centre, spread along and across the
    main axis and their ratio, height and width of the part brighter than half, mean, deviation and skewness of
    brightness.
    """
    grey = _grey(pictures)
    n, height, width = grey.shape
    y, x = np.mgrid[:height, :width]
    total = grey.sum(axis=(1, 2)) + 1e-9
    centre_y, centre_x = (grey * y).sum(axis=(1, 2)) / total, (grey * x).sum(axis=(1, 2)) / total
    dy, dx = y - centre_y[:, None, None], x - centre_x[:, None, None]
    yy, xx, xy = ((grey * product).sum(axis=(1, 2)) / total for product in (dy * dy, dx * dx, dy * dx))
    root = np.sqrt((yy - xx) ** 2 / 4 + xy**2)
    along, across = np.sqrt((yy + xx) / 2 + root), np.sqrt(np.maximum(0, (yy + xx) / 2 - root))
    rows, columns = np.gradient(grey, axis=(1, 2))
    perimeter = np.hypot(rows, columns).sum(axis=(1, 2))
    bright = grey > 0.5
    flat = grey.reshape(n, -1)
    deviation = flat.std(axis=1)
    skewness = ((flat - flat.mean(axis=1, keepdims=True)) ** 3).mean(axis=1) / (deviation**3 + 1e-9)
    return np.column_stack([
        total, perimeter, perimeter**2 / total, centre_y, centre_x, along, across, across / (along + 1e-9),
        bright.any(axis=2).sum(axis=1), bright.any(axis=1).sum(axis=1), flat.mean(axis=1), deviation, skewness,
    ])  # fmt: skip


def _grey(pictures: NDArray[Any]) -> NDArray[np.float64]:
    grey: NDArray[np.float64] = pictures.astype(np.float64).mean(axis=3) / 255
    return grey
