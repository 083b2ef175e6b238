"""A saved contender: `model.keras` or `model.skops`, and `contender.json` that says what it takes and decides.

Nothing here unpickles: Keras loads in safe mode, skops loads only types of the libraries and of this project.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, get_args

from pipelines.contenders.acting import Acting
from pipelines.contenders.blend import FittedBlend, Part
from pipelines.contenders.by_group import decided
from pipelines.contenders.classical import FittedClassical
from pipelines.contenders.contender import Fitted
from pipelines.contenders.forecasting import FittedForecast
from pipelines.contenders.network import FittedNetwork
from pipelines.contenders.skops_io import skops_io
from pipelines.data.examples import Examples, Kind
from pipelines.errors import BadInput
from pipelines.objectives import group_thresholds, stored
from pipelines.objectives.calibration import Calibration, calibrated, from_dict
from pipelines.objectives.forecast import Forecast
from pipelines.objectives.group_thresholds import GroupThresholds
from pipelines.objectives.objective import Objective, Predictions
from pipelines.objectives.ordinal import with_cuts_of

DESCRIPTION = "contender.json"
FORMAT = 1
PARTS = "parts"
"""Where in the folder of a blend those are that it is made of, each a saved contender itself."""
ASIDE = ".tmp"
"""Behind the name of a file while it is written."""
NOBODY = 1.000001
"""A threshold just above 1 decides nobody positive, which may be best."""

TRUSTED = frozenset({
    "functools.partial", "sklearn.utils.validation.check_array",  # boosting's; a partial's function must be here too
    "numpy.dtype",
    "sklearn.tree._tree.Tree",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn._loss.link.Interval", "sklearn._loss.link.LogitLink", "sklearn._loss.link.MultinomialLogit",
    "sklearn._loss.link.IdentityLink", "sklearn._loss.loss.HalfBinomialLoss",
    "sklearn._loss.loss.HalfMultinomialLoss", "sklearn._loss.loss.HalfSquaredError",
    "sklearn.calibration._CalibratedClassifier", "sklearn.calibration._SigmoidCalibration",
    "pipelines.contenders.scorecard.Scorecard",
    "pipelines.contenders.one_class.OneClass",
    "pipelines.contenders.grades.OrdinalLogistic", "pipelines.contenders.spots.spot_features",
    "sklearn.neighbors._kd_tree.KDTree", "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "pipelines.contenders.pictures.flat_pixels", "pipelines.contenders.pictures.shape_features",
    "pipelines.contenders.allocators.EqualWeights", "pipelines.contenders.allocators.InverseVolatility",
    "pipelines.contenders.allocators.MinimumVariance", "pipelines.contenders.allocators.Momentum",
    "pipelines.contenders.allocators.RidgeForecast",
    "pipelines.contenders.pictures.described", "pipelines.contenders.picture_gradients.oriented_gradients",
    "pipelines.contenders.nearest.Nearest",
    "pipelines.contenders.pictures.total_brightness", "pipelines.contenders.waves.mfcc_statistics",
})  # fmt: skip
"""Types and functions that a `model.skops` may hold beyond those that skops itself trusts. Exact names only: a prefix
such as `builtins.` or `numpy.` would let a crafted file name something that runs code."""


@dataclass(frozen=True)
class Saved:
    """A contender that was loaded, with what predicting needs.

    Args:
        kinds: the columns it takes and their kinds.
        shapes: shape of one value of the columns whose values are arrays, such as pictures.
        threshold: probability of the positive class from which it decides for it; NaN where none was chosen.
        calibration: what probabilities are mapped by before that; None where they stay as they are.
        by_group: thresholds of each group, where it decides by those.
        acting: what is told beside its answers.
        reading: how its source read the columns, where rows to predict have to be read by that source.
        masked: column -> kinds of personal data in whose place marks stood when it was trained.
    """

    task: str
    name: str
    fitted: Any
    objective: Objective
    kinds: Mapping[str, Kind]
    threshold: float
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    calibration: Calibration | None = None
    by_group: GroupThresholds | None = None
    acting: Acting = Acting()  # noqa: RUF009  frozen
    reading: Mapping[str, str] = field(default_factory=dict)
    masked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def predict(self, examples: Examples) -> Predictions:
        """Predictions with decisions for raw rows."""
        predictions = calibrated(self.fitted.predict(examples), self.calibration)
        if self.by_group is not None:
            return decided(predictions, self.by_group, examples, self.kinds)
        if getattr(self.objective, "ordered", False):
            return self.objective.predict(predictions.values)
        return predictions if self.threshold != self.threshold else predictions.decide(self.threshold)


def save(
    fitted: Fitted,
    folder: Path,
    task: str,
    name: str,
    objective: Objective,
    examples: Examples,
    threshold: float,
    calibration: Calibration | None = None,
    by_group: GroupThresholds | None = None,
    acting: Acting | None = None,
    reading: Mapping[str, str] | None = None,
    masked: Mapping[str, Sequence[str]] | None = None,
) -> Path:
    """Write the model and its description into an existing folder, and return the folder.

    Args:
        examples: rows like those it was trained on, for their columns' kinds; no value of them is stored.
        acting: what is told beside its answers; its usual values are medians and most frequent categories.
    """
    fitted.save(folder)
    kinds = getattr(fitted, "kinds", examples.kinds)
    if isinstance(fitted, FittedForecast):
        objective = fitted.objective  # what its core says is no answer yet
    elif getattr(objective, "ordered", False):
        objective = with_cuts_of(objective, getattr(fitted, "objective", objective))
    description = {
        "format": FORMAT,
        "task": task,
        "name": name,
        "objective": stored.to_dict(objective),
        "kinds": dict(kinds),
        "shapes": {name: column.shape[1:] for name, column in examples.columns.items() if column.ndim > 1},
        "column": getattr(fitted, "column", None),
        "threshold": None if threshold != threshold else threshold,
        "calibration": None if calibration is None else calibration.to_dict(),
        "by_group": None if by_group is None else by_group.to_dict(),
        "reading": dict(reading or {}),
        "masked": {name: list(kinds) for name, kinds in (masked or {}).items()},
        "weights": _saved_parts(fitted, folder, task, objective, examples),
        "acting": None if acting is None else acting.to_dict(),
    }
    with whole(folder / DESCRIPTION) as file:
        file.write(json.dumps(description, indent=1).encode())
    return folder


def _saved_parts(fitted: Any, folder: Path, task: str, objective: Objective, examples: Examples) -> dict[str, float]:
    """Weights by name of what a blend is made of, each saved in a folder of its own; nothing of other contenders."""
    weights = {}
    for part in getattr(fitted, "parts", ()):
        inside = folder / PARTS / part.name
        inside.mkdir(parents=True, exist_ok=True)
        save(part.fitted, inside, task, part.name, objective, examples, float("nan"))
        weights[part.name] = part.weight
    return weights


@contextmanager
def whole(path: Path) -> Iterator[IO[bytes]]:
    """A file that appears with all its content, or not at all."""
    beside = path.with_name(f"{path.name}{ASIDE}")
    with beside.open("wb") as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
        except BaseException:  # of a full disk the half of a file would take what is left
            beside.unlink(missing_ok=True)
            raise
    beside.replace(path)


def load(folder: Path) -> Saved:
    """The contender saved in a folder.

    Raises:
        BadInput: the folder holds none, or its files were not written by Tapeline.
    """
    try:
        description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        if description["format"] != FORMAT:
            raise BadInput(f"{folder} was saved in format {description['format']}; this version reads format {FORMAT}")
        objective = stored.from_dict(description["objective"])
        kinds, column = dict(description["kinds"]), description["column"]
        task, name, threshold = description["task"], description["name"], description["threshold"]
        shapes = {str(name): tuple(map(int, shape)) for name, shape in description.get("shapes", {}).items()}
        threshold = float("nan") if threshold is None else float(threshold)
        if not (threshold != threshold or 0 <= threshold <= NOBODY):
            raise ValueError(f"a threshold of {threshold} is no probability")
        told = description.get("calibration")
        calibration = None if told is None else from_dict(told)
        told = description.get("by_group")
        by_group = None if told is None else group_thresholds.from_dict(told)
        reading = {str(part): str(said) for part, said in description.get("reading", {}).items()}
        masked = {str(name): tuple(map(str, kinds)) for name, kinds in description.get("masked", {}).items()}
        parts = {str(name): float(weight) for name, weight in description.get("weights", {}).items()}
        if any(Path(name).name != name or not 0 < weight <= 1 for name, weight in parts.items()):
            raise ValueError(f"these are no parts of a blend: {parts}")
        acting = Acting.from_dict(description.get("acting"))
        if strange := set(kinds.values()) - set(get_args(Kind)):
            raise ValueError(f"unknown kind of column {strange}")
    except (FileNotFoundError, NotADirectoryError):
        raise BadInput(f"{folder} holds no saved contender ({DESCRIPTION} is missing)") from None
    except OSError as error:
        raise BadInput(f"{folder / DESCRIPTION} cannot be read: {error.strerror}") from error
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadInput(f"{folder / DESCRIPTION} was not written by Tapeline, or is damaged: {error!r}") from error
    fitted: Any
    if parts:
        made = (Part(name, weight, load(folder / PARTS / name).fitted) for name, weight in parts.items())
        fitted = FittedBlend(tuple(made), objective)
    elif (folder / "model.keras").is_file():
        network = FittedForecast if isinstance(objective, Forecast) else FittedNetwork
        fitted = network(_load_keras(folder / "model.keras"), objective, kinds)
    elif (folder / "model.skops").is_file():
        fitted = FittedClassical(_load_skops(folder / "model.skops"), objective, column)
    else:
        raise BadInput(f"{folder} holds neither model.keras nor model.skops")
    more = (shapes, calibration, by_group, acting, reading, masked)
    return Saved(task, name, fitted, objective, kinds, threshold, *more)


def _load_keras(path: Path) -> Any:
    import keras

    # Importing them registers our layers, which safe mode then finds by name.
    import pipelines.models.augmentation
    import pipelines.models.dropout
    import pipelines.models.error_layers
    import pipelines.models.events
    import pipelines.models.layers
    import pipelines.models.members
    import pipelines.models.tokens
    import pipelines.models.trailing  # noqa: F401

    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # a damaged archive raises many types
        raise BadInput(f"{path} cannot be loaded as a Keras model: {_first_line(error)}") from error


def _load_skops(path: Path) -> Any:
    io = skops_io()
    try:
        found = io.get_untrusted_types(file=path)
        if strange := sorted(set(found) - TRUSTED):
            raise BadInput(f"{path} holds {strange[0]}, which no model of Tapeline's has; it is not loaded")
        return io.load(path, trusted=found)
    except BadInput:
        raise
    except Exception as error:  # a damaged archive raises many types
        raise BadInput(f"{path} cannot be loaded as a scikit-learn model: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
