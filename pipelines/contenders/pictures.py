"""The classical models for pictures and volumes: on area, shape, pixels, edges and texture."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.contenders.kernels import gaussian
from pipelines.contenders.picture_gradients import n_features, oriented_gradients
from pipelines.contenders.picture_planes import averaged
from pipelines.contenders.picture_texture import texture_features
from pipelines.contenders.tables import prior
from pipelines.data.examples import Examples, OnDemand
from pipelines.objectives.objective import Objective
from pipelines.task import Baseline, Candidate

PIXEL_BYTES = 64 << 20
"""Of the features of `pixels` where pictures are read on demand, or are volumes; fitting takes some five times that."""

NEIGHBOURS = (5, 9, 15, 25, 41, 65, 101, 161)
"""That vote, as they are tried."""

TREES_TRIED, TREES = 30, 200
"""Of a forest while its settings are tried, and of the one that competes."""


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

    From 20 000 rows on the kernel is approximated (`kernels.gaussian`). Pictures larger than memory, and volumes,
    are averaged over squares or cubes of pixels, the smallest that let the features of all rows take no more than
    `PIXEL_BYTES`.
    """
    steps, penalty, _ = gaussian(len(train))
    return Candidate(_components(train, *steps), {penalty: [0.3, 1, 3, 10]})


def linear_pixels(train: Examples, objective: Objective) -> Candidate:
    """Principal components of the pixels, as in `pixels`, with logistic regression; C is tuned."""
    from scipy.stats import loguniform
    from sklearn.linear_model import LogisticRegression

    search = {"logisticregression__C": loguniform(1e-4, 10)}
    return Candidate(_components(train, LogisticRegression(max_iter=300)), search)


def nearest_pixels(train: Examples, objective: Objective) -> Candidate:
    """The nearest neighbours among principal components of the pixels; how many vote is tuned, up to a tenth of all."""
    from pipelines.contenders.nearest import Nearest

    few = [each for each in NEIGHBOURS if each == NEIGHBOURS[0] or each <= len(train) / 10]
    return Candidate(_components(train, Nearest(), whiten=False), {"nearest__k": few})


def hog(train: Examples, objective: Objective) -> Candidate:
    """Histograms of oriented gradients with a linear SVM, calibrated by sigmoid; C is tuned.

    Cells are as many times wider as let the features of all rows take no more than `PIXEL_BYTES` where pictures are
    read on demand, and four times that in memory.
    """
    from scipy.stats import loguniform
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer
    from sklearn.svm import LinearSVC

    coarse = _coarse(train.columns["image"])
    features = FunctionTransformer(oriented_gradients, kw_args={"coarse": coarse} if coarse > 1 else None)
    machine = CalibratedClassifierCV(LinearSVC(), cv=3, ensemble=False)
    return Candidate(make_pipeline(features, machine), {"calibratedclassifiercv__estimator__C": loguniform(3e-3, 0.3)})


def texture(train: Examples, objective: Objective) -> Candidate:
    """A forest on intensity, shape and texture: `texture_features` beside `shape_features`."""
    from sklearn.ensemble import RandomForestClassifier

    search = {
        "randomforestclassifier__min_samples_leaf": [2, 4, 8, 16, 32],
        "randomforestclassifier__max_features": ["sqrt", 0.3],
    }
    pipeline = _pipeline(described, RandomForestClassifier(TREES_TRIED))
    return Candidate(pipeline, search, final={"randomforestclassifier__n_estimators": TREES})


def _components(train: Examples, *steps: Any, whiten: bool = True) -> Any:
    """Principal components of the pixels, before these steps."""
    from sklearn.decomposition import PCA

    side = _side(train.columns["image"])
    n_features = flat_pixels(np.zeros((1, *train.columns["image"].shape[1:])), side).shape[1]
    settings = {"kw_args": {"side": side}} if side > 1 else {}
    components = min(50, len(train) // 3, n_features)
    return _pipeline(flat_pixels, PCA(components, whiten=whiten), *steps, **settings)


def _coarse(pictures: Any) -> int:
    """Times that cells of `oriented_gradients` are as wide as they would be."""
    most = PIXEL_BYTES if isinstance(pictures, OnDemand) else 4 * PIXEL_BYTES
    tried = range(1, max(1, min(pictures.shape[1:-1])) + 1)
    fitting = (each for each in tried if len(pictures) * n_features(pictures.shape, each) * 4 <= most)
    return next(fitting, tried[-1])


def _side(pictures: Any) -> int:
    """Of the squares of pixels, or cubes, that are averaged; 1 for pictures in memory."""
    if not isinstance(pictures, OnDemand) and pictures.ndim == 4:
        return 1
    n, *sides, channels = pictures.shape
    tried = range(1, max(1, min(sides)) + 1)
    fitting = (each for each in tried if n * math.prod(one // each for one in sides) * channels * 4 <= PIXEL_BYTES)
    return next(fitting, tried[-1])


BASELINES = (
    Baseline("prior", prior, column="image"),
    Baseline("area", area, column="image"),
    Baseline("shape", shape, column="image"),
    Baseline("pixels", pixels, column="image"),
    Baseline("linear-pixels", linear_pixels, column="image"),
    Baseline("nearest", nearest_pixels, column="image"),
    Baseline("hog", hog, column="image"),
    Baseline("texture", texture, column="image"),
)


def _pipeline(features: Any, *steps: Any, **settings: Any) -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    return make_pipeline(FunctionTransformer(features, **settings), StandardScaler(), *steps)


def flat_pixels(pictures: NDArray[Any], side: int = 1) -> NDArray[np.float32]:
    """(n, h, w, c) in [0, 255] -> (n, h / side * w / side * c) in [0, 1], each the mean of a square of pixels; of
    volumes (n, d, h, w, c) of a cube.

    Pixels at the edges that fill no square are left out.
    """
    means = averaged(pictures, side)
    return (means.reshape(len(means), -1) / 255).astype(np.float32)


def total_brightness(pictures: NDArray[Any]) -> NDArray[np.float64]:
    """(n, ..., c) in [0, 255] -> (n, 2): brightness summed over the picture or volume, in full pixels, and its square
    root."""
    total = _grey(pictures).reshape(len(pictures), -1).sum(axis=1)
    return np.column_stack([total, np.sqrt(total)])


def shape_features(pictures: NDArray[Any]) -> NDArray[np.float64]:
    """What the bright part of a grey picture (n, h, w, c) or volume (n, d, h, w, c) is like, in 13 or 16 numbers.

    Area (volume), perimeter (surface: summed gradient), compactness (1 for no shape, more for rugged ones of any
    size), centre, spread along the main axes and the ratio of the least to the largest, height and width (and depth)
    of the part brighter than half, mean, deviation and skewness of brightness.
    """
    grey = _grey(pictures)
    n, *sides = grey.shape
    flat = grey.reshape(n, -1)
    axes = tuple(range(1, len(sides) + 1))
    places = np.stack([each.ravel() for each in np.meshgrid(*map(np.arange, sides), indexing="ij")], axis=1)
    total = flat.sum(axis=1) + 1e-9
    centre = flat @ places / total[:, None]
    products = np.einsum("pi,pj->pij", places, places).reshape(len(places), -1)
    moments = (flat @ products / total[:, None]).reshape(n, len(sides), -1) - centre[:, :, None] * centre[:, None]
    spread = np.sqrt(np.maximum(0, np.linalg.eigvalsh(moments)))[:, ::-1]
    sloping = np.zeros_like(grey)
    for axis in axes:
        if grey.shape[axis] > 1:
            sloping += np.square(np.gradient(grey, axis=axis))
    edge = np.sqrt(sloping).reshape(n, -1).sum(axis=1)
    bright = grey > 0.5
    extents = [bright.any(axis=tuple(each for each in axes if each != axis)).sum(axis=1) for axis in axes]
    deviation = flat.std(axis=1)
    centred = flat - flat.mean(axis=1, keepdims=True)
    skewness = (centred * centred * centred).mean(axis=1) / (deviation**3 + 1e-9)
    compactness = edge ** len(sides) / total ** (len(sides) - 1)
    return np.column_stack([
        total, edge, compactness, centre, spread, spread[:, -1] / (spread[:, 0] + 1e-9), *extents,
        flat.mean(axis=1), deviation, skewness,
    ])  # fmt: skip


def described(pictures: NDArray[Any]) -> NDArray[np.float64]:
    """Shape, brightness and texture side by side."""
    return np.column_stack([shape_features(pictures), texture_features(pictures)])


def _grey(pictures: NDArray[Any]) -> NDArray[np.float64]:
    grey: NDArray[np.float64] = pictures.astype(np.float64).mean(axis=-1) / 255
    return grey
