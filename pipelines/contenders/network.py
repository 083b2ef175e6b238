"""A network as a contender: a Keras model and the training core."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.contenders import flops
from pipelines.contenders.contender import UNMEASURED, UNRECORDED, History, Watch, part_of, seed_of, unwatched
from pipelines.contenders.encodable import Encodable, encodable, in_blocks
from pipelines.contenders.meter import Meter
from pipelines.contenders.planning import measured_plan
from pipelines.contenders.shapes import shape_of
from pipelines.contenders.suggestion import Space, recipe_space
from pipelines.data.examples import Examples, Kind
from pipelines.errors import BadInput
from pipelines.objectives.errors import of_core
from pipelines.objectives.objective import Objective, Predictions
from pipelines.report.document import ContenderKind, Cost
from pipelines.report.tuning import Tried
from pipelines.task import Architecture, Network, Recipe
from pipelines.training import precision
from pipelines.training.checkpoint import Checkpoints
from pipelines.training.class_weights import balanced
from pipelines.training.diagnosis import diagnose
from pipelines.training.feed import Rows
from pipelines.training.fit import Trained, fit
from pipelines.training.loop import Loop, traced
from pipelines.training.mixing import require_mixable
from pipelines.training.plan import Plan, choose
from pipelines.training.privacy import Private, secret_seed
from pipelines.training.spending import Spending
from pipelines.training.step import Supervised
from pipelines.training.strategy import opened, replicas, synchronise
from pipelines.training.workers import missed

MOST_LOOPS = 8
"""Traced loops that are kept, those used last: each holds a network, its optimiser and its graphs."""


@dataclass
class NetworkContender:
    """Trains `network` for `objective` by the recipe; may be fitted again and again.

    The traced loop is kept and reused for every fold and seed whose network has the same shape; only weights change.
    Contenders made by `having` share it too, where their recipes differ in nothing that is traced.
    """

    network: Network
    objective: Objective
    recipe: Recipe
    kind: ContenderKind = "network"
    _loops: dict[str, Loop] = field(default_factory=dict, repr=False)
    _plans: dict[str, Plan] = field(default_factory=dict, repr=False)
    _flops: dict[str, float] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        return self.network.name

    def space(self, train: Examples, pinned: Collection[str] = ()) -> Space:
        """The fields of its recipe that its network may be tuned in, but for those that are pinned."""
        return recipe_space(self.network, self.recipe, pinned)

    def having(self, settings: Mapping[str, Any]) -> NetworkContender:
        """The same network with these fields of its recipe; both share the traced loops."""
        return replace(self, recipe=replace(self.recipe, **settings))

    def fit(
        self,
        train: Examples,
        valid: Examples,
        seed: int,
        watch: Watch = unwatched,
        checkpoints: Checkpoints | None = None,
    ) -> FittedNetwork:
        import keras

        with Meter() as meter:
            keras.utils.set_random_seed(seed)
            at_work = self._at_work(train, valid)
            with opened().scope(), missed():
                plan = self._plan(at_work)
                trained, chosen = self._trained(
                    at_work, plan, seed, self._score(at_work.objective, valid), watch, checkpoints
                )
        architecture, spending = at_work.architecture, at_work.spending
        updates = flops.UPDATE * self._flops_of(architecture.core) * trained.rows
        return FittedNetwork(
            model=_served(architecture, at_work.objective),
            objective=at_work.objective,
            kinds={name: train.kinds[name] for name in architecture.encode.input},
            cost=meter.cost(architecture.core.count_params(), trained.rows, updates),
            history=History(_told(trained.metrics, self.recipe), trained.best_epoch),
            settings={
                "plan": plan.explained,
                "precision": precision.chosen(self.recipe),
                "epochs": f"{len(trained.metrics['valid_loss'])}, best {trained.best_epoch + 1}",
                **chosen,
                **_gradients(trained),
                **(spending.guarantee(trained.steps).settings() if spending else {}),
                **({"notes": "; ".join(trained.notes)} if trained.notes else {}),
            },
        )

    def _at_work(self, train: Examples, valid: Examples) -> _AtWork:
        """A network that is not trained, and the rows as it takes them."""
        recipe = self.recipe
        objective = smoothed(self.objective.fitted(train.target), recipe)
        architecture = self.network.build(train, objective, recipe)
        if recipe.mixup:
            require_mixable(architecture.encode.output)
        objective = of_core(objective, self.network.learns_from, architecture.members)
        rows, validation = (encodable(each, objective, architecture) for each in (train, valid))
        rows, validation = self._learned(_weighted(rows, recipe)), self._learned(validation)
        replicas = opened().num_replicas_in_sync
        start = choose(recipe, rows.encoded_bytes, architecture.xla, replicas, rows.row_bytes, rows.on_demand)
        spending = Spending.of(recipe, len(train)) if recipe.private else None
        fed, watched = (each.resident() if start.resident else each.streamed() for each in (rows, validation))
        return _AtWork(architecture, objective, fed, watched, start, spending)

    def _trained(
        self,
        at_work: _AtWork,
        plan: Plan,
        seed: int,
        score: Callable[[NDArray[Any]], float] | None,
        watch: Watch,
        checkpoints: Checkpoints | None,
    ) -> tuple[Trained, dict[str, str]]:
        """The best of the recipe's starts, its weights left in the network; and what there is to say of the others."""
        import keras

        core = at_work.architecture.core

        def one(number: int) -> Trained:
            if number:
                keras.utils.set_random_seed(seed_of(seed, number))
                core.set_weights(keras.models.clone_model(core).get_weights())
            loop = self._loop(at_work, plan)
            here, told = checkpoints and checkpoints.part(number), part_of(watch, number, self.recipe.restarts)
            trained = fit(loop, at_work.train, at_work.valid, seed_of(seed, number), score, told, here)
            core.set_weights(loop.core.get_weights())
            return trained

        return _best_of(one, core, self.recipe.restarts)

    def _plan(self, at_work: _AtWork) -> Plan:
        """How networks of this shape are trained, chosen once."""
        core, start = at_work.architecture.core, at_work.start
        shape = f"{start} {shape_of(core)}"
        key = f"{shape} {traced(self.recipe)}"
        if key not in self._plans:
            loop_of = partial(self._loop, at_work)
            self._plans[key] = measured_plan(start, loop_of, at_work.train, at_work.objective, core, shape)
        return self._plans[key]

    def _loop(self, at_work: _AtWork, plan: Plan) -> Loop:
        """The traced loop for a network of this shape, made once."""
        untrained, objective, spending = at_work.architecture.core, at_work.objective, at_work.spending
        key = f"{plan} {shape_of(untrained)} {traced(self.recipe)}"
        if (loop := self._loops.pop(key, None)) is None:
            import keras

            core = keras.models.clone_model(untrained)
            if replicas() > 1:
                synchronise(core)
            precision.lower(core, precision.chosen(self.recipe))
            step = self._step(core, objective, spending)
            loop = Loop(step, core, step.loss, self.recipe, plan)
        self._loops[key] = loop  # the one used last stands last
        while len(self._loops) > MOST_LOOPS:
            del self._loops[next(iter(self._loops))]
        if at_work.architecture.begin is not None:
            at_work.architecture.begin(untrained)
        loop.restart(untrained, self.recipe)
        if spending is not None and isinstance(loop.step, Private):
            loop.step.begin(spending.noise_multiplier, secret_seed())  # each training has a seed of its own
        return loop

    def _flops_of(self, core: Any) -> float:
        """Of one row forward through a core of this shape, counted once."""
        shape = shape_of(core)
        if shape not in self._flops:
            self._flops[shape] = flops.of_model(core)
        return self._flops[shape]

    def _step(self, core: Any, objective: Objective, spending: Spending | None) -> Supervised | Private:
        """The update that the recipe asks for."""
        if spending is None:
            return Supervised(core, objective.loss, self.recipe)
        noise, seed = spending.noise_multiplier, secret_seed()
        return Private(core, objective.loss, self.recipe, clip=spending.clip, noise_multiplier=noise, seed=seed)

    def _learned(self, rows: Encodable) -> Encodable:
        """The rows with what the step's loss takes for its target: with soft labels the share of class 1."""
        if self.recipe.soft_labels == "no" or (opinion := rows.examples.opinion) is None:
            return rows
        return replace(rows, y=opinion.astype(np.float32))

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
class _AtWork:
    """One training before it begins.

    Args:
        train, valid: rows encoded, or read as they are needed.
        start: the plan before anything was measured.
        spending: of a private training.
    """

    architecture: Architecture
    objective: Objective
    train: Rows
    valid: Rows
    start: Plan
    spending: Spending | None


@dataclass(frozen=True)
class FittedNetwork:
    """A trained network that takes raw rows: encoding, core and activation joined in one Keras model."""

    model: Any
    objective: Objective
    kinds: Mapping[str, Kind]
    cost: Cost = UNMEASURED
    history: History = UNRECORDED
    settings: Mapping[str, str] = field(default_factory=dict)
    tried: tuple[Tried, ...] = ()

    def flops(self, examples: Examples) -> float:
        """Operations of predicting one row: encoder, core and activation."""
        return flops.of_model(self.model)

    def predict(self, examples: Examples) -> Predictions:
        columns = {name: examples.columns[name] for name in self.kinds}
        return self.objective.predict(in_blocks(self._forward, columns, self.kinds, len(examples)))

    @cached_property
    def _forward(self) -> Callable[[Any], Any]:
        import tensorflow as tf

        forward: Callable[[Any], Any] = tf.function(lambda rows: self.model(rows, training=False), autograph=False)
        return forward

    def save(self, folder: Path) -> Path:
        path = folder / "model.keras"
        self.model.save(path)
        return path


def _best_of(train: Callable[[int], Trained], core: Any, starts: int) -> tuple[Trained, dict[str, str]]:
    """The best of several trainings, its weights left in the core; and what there is to say of the others."""
    kept, weights = train(0), core.get_weights()
    merits, place, rows = [kept.merit], 0, kept.rows
    for number in range(1, starts):
        trained = train(number)
        merits.append(trained.merit)
        rows += trained.rows
        if trained.merit > kept.merit:
            kept, weights, place = trained, core.get_weights(), number
    core.set_weights(weights)
    kept = replace(kept, rows=rows)
    if starts == 1:
        return kept, {}
    return kept, {"starts": f"{', '.join(f'{abs(each):.4g}' for each in merits)} on validation rows; kept {place + 1}"}


def _told(metrics: Mapping[str, tuple[float, ...]], recipe: Recipe) -> dict[str, tuple[float, ...]]:
    """The history without the training loss where that is private: no noise covers it."""
    return {name: values for name, values in metrics.items() if not (recipe.private and name == "loss")}


def smoothed(objective: Objective, recipe: Recipe) -> Objective:
    """The objective with the recipe's label smoothing and focus, if it asks for some.

    Raises:
        BadInput: the target is no class, so that neither labels can be smoothed nor classes weighed.
    """
    changes = {name: getattr(recipe, name) for name in ("label_smoothing", "focal") if getattr(recipe, name)}
    if not changes and recipe.class_weights == "none":
        return objective
    if objective.kind != "classification":
        raise BadInput(
            "recipe.label_smoothing, recipe.focal and recipe.class_weights are for classes; leave them at 0, 0 and "
            "none here"
        )
    changed: Any = objective
    return replace(changed, **changes) if changes else objective


def _gradients(trained: Trained) -> dict[str, str]:
    """What gradient health found, in words; nothing where nothing was measured."""
    if not any(name.startswith("health/") for name in trained.metrics):
        return {}
    findings = diagnose(trained.metrics)
    return {"gradients": "; ".join(map(str, findings)) or "healthy in every layer"}


def _weighted(rows: Encodable, recipe: Recipe) -> Encodable:
    """Training rows with the weights of their classes, if the recipe asks for that; validation rows keep their own."""
    if recipe.class_weights == "none":
        return rows
    return replace(rows, weight=balanced(rows.y, rows.weight))


def _served(architecture: Architecture, objective: Objective) -> Any:
    import keras

    raw, encoded = architecture.encode.input, architecture.encode.output
    outputs = [architecture.core(each) for each in (encoded, *(look(encoded) for look in architecture.views))]
    mean = keras.layers.Average(name="mean_of_views")(outputs) if architecture.views else outputs[0]
    return keras.Model(raw, objective.activate(mean))
