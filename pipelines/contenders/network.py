"""A network as a contender: a Keras model and the training core."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.contenders.contender import UNMEASURED, UNRECORDED, History, Watch, unwatched
from pipelines.data.examples import Examples, Kind
from pipelines.errors import BadInput
from pipelines.models.inputs import as_tensors
from pipelines.objectives.objective import Objective, Predictions
from pipelines.report.document import ContenderKind, Cost
from pipelines.task import Architecture, Network, Recipe
from pipelines.training import precision
from pipelines.training.checkpoint import Checkpoints
from pipelines.training.class_weights import balanced
from pipelines.training.feed import Rows
from pipelines.training.fit import fit
from pipelines.training.loop import Loop
from pipelines.training.plan import choose
from pipelines.training.step import Supervised

ROWS_AT_ONCE = 1024
"""Rows encoded or predicted in one call."""


@dataclass
class NetworkContender:
    """Trains `network` for `objective` by the recipe; may be fitted again and again.

    The traced loop is kept and reused for every fold and seed whose network has the same shape; only weights change.
    """

    network: Network
    objective: Objective
    recipe: Recipe
    kind: ContenderKind = "network"
    _loops: dict[str, Loop] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        return self.network.name

    def fit(
        self,
        train: Examples,
        valid: Examples,
        seed: int,
        watch: Watch = unwatched,
        checkpoints: Checkpoints | None = None,
    ) -> FittedNetwork:
        import keras

        started = time.perf_counter()
        keras.utils.set_random_seed(seed)
        objective = _smoothed(self.objective.fitted(train.target), self.recipe)
        architecture = self.network.build(train, objective, self.recipe)
        names = list(architecture.encode.input)
        rows = _weighted(_rows(train, objective, architecture, names), objective, self.recipe)
        plan = choose(self.recipe, rows.encoded_bytes, architecture.xla)
        loop = self._loop(architecture, objective, plan)
        training, validation = (
            each.resident() if plan.resident else each.streamed()
            for each in (rows, _rows(valid, objective, architecture, names))
        )
        trained = fit(loop, training, validation, seed, self._score(objective, valid), watch, checkpoints)
        architecture.core.set_weights(loop.core.get_weights())
        best = trained.best_epoch
        return FittedNetwork(
            model=_served(architecture, objective),
            objective=objective,
            kinds={name: train.kinds[name] for name in names},
            cost=Cost(time.perf_counter() - started, parameters=architecture.core.count_params()),
            history=History(trained.metrics, best),
            settings={
                "plan": str(plan),
                "precision": precision.chosen(self.recipe),
                "epochs": f"{len(trained.metrics['loss'])}, best {best + 1}",
                **({"notes": "; ".join(trained.notes)} if trained.notes else {}),
            },
        )

    def _loop(self, architecture: Architecture, objective: Objective, plan: Any) -> Loop:
        """The traced loop for a network of this shape, made once."""
        shape = f"{plan} {_shape_of(architecture.core)}"
        if shape not in self._loops:
            import keras

            core = keras.models.clone_model(architecture.core)
            precision.lower(core, precision.chosen(self.recipe))
            step = Supervised(core, objective.loss, self.recipe)
            self._loops[shape] = Loop(step, core, objective.loss, self.recipe, plan)
        self._loops[shape].restart(architecture.core)
        return self._loops[shape]

    def _score(self, objective: Objective, valid: Examples) -> Callable[[NDArray[Any]], float] | None:
        """Validation outputs -> the primary score, negated where less is better; None where the loss is watched."""
        target, sign = objective.encode(valid.target), 1 if objective.greater_is_better(objective.primary) else -1
        counted = target if valid.weight is None else target[valid.weight > 0]
        # A single class on the validation rows leaves an AUROC undefined, whatever the network says: watch the loss.
        if self.recipe.monitor == "loss" or (objective.kind == "classification" and len(np.unique(counted)) < 2):
            return None

        def score(outputs: NDArray[Any]) -> float:
            predictions = objective.predict(np.asarray(objective.activate(outputs)))
            return sign * objective.scores(target, predictions, valid.weight)[objective.primary]

        return score


@dataclass(frozen=True)
class FittedNetwork:
    """A trained network that takes raw rows: encoding, core and activation joined in one Keras model."""

    model: Any
    objective: Objective
    kinds: Mapping[str, Kind]
    cost: Cost = UNMEASURED
    history: History = UNRECORDED
    settings: Mapping[str, str] = field(default_factory=dict)

    def predict(self, examples: Examples) -> Predictions:
        columns = {name: examples.columns[name] for name in self.kinds}
        return self.objective.predict(_in_blocks(self._forward, columns, self.kinds, len(examples)))

    @cached_property
    def _forward(self) -> Callable[[Any], Any]:
        import tensorflow as tf

        forward: Callable[[Any], Any] = tf.function(lambda rows: self.model(rows, training=False))
        return forward

    def save(self, folder: Path) -> Path:
        path = folder / "model.keras"
        self.model.save(path)
        return path


def _smoothed(objective: Objective, recipe: Recipe) -> Objective:
    """The objective with the recipe's label smoothing, if it asks for some.

    Raises:
        BadInput: the target is no class, so that neither labels can be smoothed nor classes weighed.
    """
    if not recipe.label_smoothing and recipe.class_weights == "none":
        return objective
    if objective.kind != "classification":
        raise BadInput("recipe.label_smoothing and recipe.class_weights are for classes; leave them at 0 and none here")
    changed: Any = objective
    return replace(changed, label_smoothing=recipe.label_smoothing) if recipe.label_smoothing else objective


def _weighted(rows: _Encodable, objective: Objective, recipe: Recipe) -> _Encodable:
    """Training rows with the weights of their classes, if the recipe asks for that; validation rows keep their own."""
    if recipe.class_weights == "none":
        return rows
    return replace(rows, weight=balanced(rows.y, rows.weight))


def _served(architecture: Architecture, objective: Objective) -> Any:
    import keras

    raw = architecture.encode.input
    return keras.Model(raw, objective.activate(architecture.core(architecture.encode.output)))


def _shape_of(core: Any) -> str:
    """What two networks share when one trace serves both: layers and shapes, but not names or weights."""
    shapes = [tuple(variable.shape) for variable in core.variables]
    return json.dumps([shapes, [_unnamed(layer.get_config()) for layer in core.layers]], default=str)


def _unnamed(config: Any) -> Any:
    """A configuration without names, which Keras numbers on through a process, in nested layers too."""
    if isinstance(config, dict):
        return {key: _unnamed(value) for key, value in config.items() if key not in ("name", "registered_name")}
    return [_unnamed(value) for value in config] if isinstance(config, (list, tuple)) else config


@dataclass(frozen=True)
class _Encodable:
    """Examples beside the encoder that turns them into what the core takes."""

    examples: Examples
    encode: Any
    columns: Mapping[str, Any]
    y: NDArray[Any]
    weight: NDArray[np.float32]

    @property
    def encoded_bytes(self) -> int:
        return len(self.y) * sum(int(np.prod(shape[1:])) * 4 for shape in _as_list(self.encode.output_shape))

    def resident(self) -> Rows:
        x = _in_blocks(self.encode, self.columns, self.examples.kinds, len(self.y))
        return Rows(x, self.y, self.weight)

    def streamed(self) -> Rows:
        def read(rows: NDArray[np.int32]) -> Any:
            return self.encode(as_tensors(self.columns, self.examples.kinds, rows))

        return Rows(read, self.y, self.weight)


def _rows(examples: Examples, objective: Objective, architecture: Architecture, names: list[str]) -> _Encodable:
    weight = np.ones(len(examples)) if examples.weight is None else examples.weight
    return _Encodable(
        examples,
        architecture.encode,
        {name: examples.columns[name] for name in names},
        objective.learnable(objective.encode(examples.target)),
        weight.astype(np.float32),
    )


def _as_list(shape: Any) -> list[Any]:
    if isinstance(shape, dict):
        return list(shape.values())
    return shape if isinstance(shape, list) else [shape]


def _in_blocks(call: Callable[[Any], Any], columns: Mapping[str, Any], kinds: Mapping[str, Kind], n: int) -> Any:
    """What `call` gives for all rows, some at a time, as NumPy arrays of n rows."""
    import tensorflow as tf

    size = min(n, ROWS_AT_ONCE)
    blocks = []
    for start in range(0, n, size):
        # The last block is filled up with its last row, so that every call has one shape.
        rows = np.minimum(np.arange(start, start + size), n - 1)
        blocks.append(call(as_tensors(columns, kinds, rows)))
    return tf.nest.map_structure(lambda *parts: np.concatenate([part.numpy() for part in parts])[:n], *blocks)
