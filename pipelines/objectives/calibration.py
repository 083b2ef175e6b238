"""Calibration: making probabilities mean what they say. Fitted on validation rows, never on test rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from pipelines.objectives.objective import Predictions

Floats = NDArray[np.float64]

Method = Literal["none", "temperature", "isotonic"]

SMALLEST = 1e-12
"""Probabilities are kept this far from 0 and 1 before their logarithm is taken."""
COLDEST, HOTTEST = np.log(0.02), np.log(50.0)
"""Between which the logarithm of a temperature is sought."""


class Calibration(Protocol):
    """A map of probabilities, fitted by `fitted`."""

    def __call__(self, probabilities: Floats) -> Floats:
        """(n, classes) probabilities -> (n, classes) probabilities."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, for `from_dict`."""
        ...


@dataclass(frozen=True)
class Temperature:
    """Divides the logits by one number: above 1 makes a network less sure, below 1 surer; no decision changes.

    Reference: Guo et al. (2017), On Calibration of Modern Neural Networks, arXiv 1706.04599.
    """

    value: float

    def __call__(self, probabilities: Floats) -> Floats:
        return _softmax(_logits(probabilities) / self.value)

    def to_dict(self) -> dict[str, Any]:
        return {"method": "temperature", "value": self.value}

    def __str__(self) -> str:
        return f"temperature {self.value:.3g}"


@dataclass(frozen=True)
class Isotonic:
    """Maps each class's probability by a rising step function, and lets them add up to 1 again.

    Args:
        knots: for each class that is mapped the probabilities at which the function is known, and its values there;
            one for two classes, of the positive one.

    Reference: Zadrozny and Elkan (2002), Transforming classifier scores into accurate multiclass probability
    estimates, KDD.
    """

    knots: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...]

    def __call__(self, probabilities: Floats) -> Floats:
        if len(self.knots) == 1:
            (at, values) = self.knots[0]
            positive = np.interp(probabilities[:, 1], at, values)
            return np.column_stack([1 - positive, positive])
        found = np.column_stack([np.interp(probabilities[:, k], *each) for k, each in enumerate(self.knots)])
        total = found.sum(axis=1, keepdims=True)
        return np.where(total > 0, np.divide(found, total, out=np.zeros_like(found), where=total > 0), probabilities)

    def to_dict(self) -> dict[str, Any]:
        return {"method": "isotonic", "knots": [[list(part) for part in each] for each in self.knots]}

    def __str__(self) -> str:
        return f"isotonic, {' and '.join(str(len(set(values))) for _, values in self.knots)} levels"


def fitted(
    method: Method, target: NDArray[Any], probabilities: Floats, weight: NDArray[Any] | None = None
) -> Calibration | None:
    """The map that makes validation probabilities most likely (temperature) or best in squares (isotonic).

    Args:
        target: (n,) class index.
        probabilities: (n, classes) of rows that the model did not learn from.
        weight: (n,) float >= 0, or None for 1s.

    Returns:
        None for `none`, and where only one class has weight: then there is nothing to learn from.
    """
    target = np.asarray(target, np.int64)
    counted = np.ones(len(target)) if weight is None else np.asarray(weight, np.float64)
    if method == "none" or len(np.unique(target[counted > 0])) < 2:
        return None
    if method == "temperature":
        return _temperature(target, probabilities, counted)
    classes = probabilities.shape[1]
    mapped = (1,) if classes == 2 else range(classes)
    return Isotonic(tuple(_isotonic(target == k, probabilities[:, k], counted) for k in mapped))


def calibrated(predictions: Predictions, by: Calibration | None) -> Predictions:
    """The predictions with what the map makes of their probabilities; not decided yet."""
    return predictions if by is None else Predictions(by(np.asarray(predictions.values, np.float64)))


def from_dict(told: Mapping[str, Any]) -> Calibration:
    """What `to_dict` wrote.

    Raises:
        ValueError: it is nothing of the kind.
    """
    try:
        if told["method"] == "temperature" and 0 < float(told["value"]) < np.inf:
            return Temperature(float(told["value"]))
        if told["method"] == "isotonic" and told["knots"]:
            return Isotonic(tuple(_knots(*each) for each in told["knots"]))
    except (LookupError, TypeError, ValueError) as error:
        raise ValueError(f"a calibration cannot be read: {error}") from error
    raise ValueError(f"a calibration is of no known method: {told['method']!r}")


def _temperature(target: NDArray[np.int64], probabilities: Floats, weight: Floats) -> Temperature:
    from scipy.optimize import minimize_scalar

    logits = _logits(probabilities)

    def surprise(logarithm: float) -> float:
        chances = _softmax(logits / np.exp(logarithm))[np.arange(len(target)), target]
        return float(-(weight @ np.log(np.maximum(chances, SMALLEST))))

    found = minimize_scalar(surprise, bounds=(COLDEST, HOTTEST), method="bounded", options={"xatol": 1e-4})
    return Temperature(float(np.exp(found.x)))


def _isotonic(truth: NDArray[np.bool_], probability: Floats, weight: Floats) -> Any:
    from sklearn.isotonic import IsotonicRegression

    found = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(probability, truth, sample_weight=weight)
    return tuple(found.X_thresholds_.tolist()), tuple(found.y_thresholds_.tolist())


def _knots(at: Any, values: Any) -> tuple[tuple[float, ...], tuple[float, ...]]:
    places, heights = tuple(map(float, at)), tuple(map(float, values))
    if not places or len(places) != len(heights) or list(places) != sorted(places):
        raise ValueError("its knots do not rise, or not all of them have a value")
    if not all(0 <= height <= 1 for height in heights):
        raise ValueError("a probability lies outside 0 and 1")
    return places, heights


def _logits(probabilities: Floats) -> Floats:
    return np.log(np.clip(probabilities, SMALLEST, 1.0))


def _softmax(logits: Floats) -> Floats:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))
