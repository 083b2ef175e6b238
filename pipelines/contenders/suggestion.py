"""What a tuning tries next: a point in the space of a contender's settings, suggested by Optuna.

Each suggestion is a function of the space, of what was tried before, and of a seed; nothing else is remembered between
two of them. So a tuning that was stopped goes on with the very trials that it would have made.

References: tree-structured Parzen estimators, Bergstra et al. (2011), NIPS 24; Optuna, Akiba et al. (2019), KDD.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.contenders.contender import seed_of
from pipelines.errors import BadInput, require
from pipelines.space import Axis, Between, OneOf, require_searchable
from pipelines.task import Network, Recipe

Point = Mapping[str, float]
"""Where a trial lies: the number itself on a range, a place on a list."""

AT_RANDOM = 8
"""Trials before the first one that looks at what was found."""

DIGITS = 4
"""Of a suggested number: so many can be read, typed and given to `--set` again."""

REDRAWS = 20
"""Of a suggestion that was tried already, before the first point of the space that was not is taken."""


@dataclass(frozen=True)
class Space:
    """What a contender may be set to.

    Args:
        axes: setting -> what may be tried for it.
        default: setting -> what it is if nobody tunes it, which may lie outside.
    """

    axes: Mapping[str, Axis]
    default: Mapping[str, Any]

    @property
    def points(self) -> float:
        """How many there are; infinite with any range of real numbers."""
        return math.prod(_places(axis) for axis in self.axes.values())

    def settings(self, point: Point) -> dict[str, Any]:
        """The settings at a point."""
        return {
            name: axis.values[int(point[name])] if isinstance(axis, OneOf) else point[name]
            for name, axis in self.axes.items()
        }

    def point(self, settings: Mapping[str, Any]) -> Point | None:
        """Where settings lie; None where one of them is outside."""
        found = {name: _place(axis, settings[name]) for name, axis in self.axes.items()}
        known = {name: place for name, place in found.items() if place is not None}
        return known if len(known) == len(found) else None


def axis_of(name: str, declared: Any) -> Axis:
    """What a declared search may try: a list, a range of ours, or a distribution of SciPy's.

    Raises:
        ValueError: it is none that can be translated; the author of the task is told.
    """
    if isinstance(declared, Between | OneOf):
        return declared
    if isinstance(declared, Sequence) and not isinstance(declared, str):
        return OneOf(*declared)
    kind = getattr(getattr(declared, "dist", None), "name", type(declared).__name__)
    known = ("loguniform", "reciprocal", "uniform", "randint")
    require(kind in known, f"the search of {name} must be a list, loguniform, uniform or randint; received {kind}")
    low, high = declared.support()
    if kind == "randint":
        return Between(int(low), int(high), whole=True)
    return Between(float(low), float(high), log=kind != "uniform")


USUAL: Mapping[str, Axis] = {
    "learning_rate": Between(3e-4, 1e-2, log=True),
    "weight_decay": Between(1e-3, 0.3, log=True),
    "dropout": OneOf(0.0, 0.1, 0.2, 0.3, 0.5),
}
"""What is searched of a network that declares nothing. The first two cost no new trace; each dropout costs one."""


def recipe_space(network: Network, recipe: Recipe, pinned: Collection[str]) -> Space:
    """What a network may be tuned in: fields of its recipe, but for those that are pinned.

    Raises:
        BadInput: the recipe as it was set refuses what would be tried.
    """
    declared = USUAL if network.search is None else network.search
    axes = {name: axis for name, axis in declared.items() if name not in pinned}
    for name, axis in dict(axes).items():
        try:
            require_searchable(recipe, {name: axis})
        except ValueError as error:
            if network.search is None:
                del axes[name]  # weight_decay with adam, for example
                continue
            raise BadInput(
                f"recipe.{name} cannot be tuned: {error}; pin it, as in --set recipe.{name}={getattr(recipe, name)}"
            ) from error
    return Space(axes, {name: getattr(recipe, name) for name in axes})


def suggestion(
    space: Space, tried: Sequence[tuple[Point, float]], greater_is_better: bool, seed: int, number: int
) -> Point | None:
    """The point of the trial of this number; None where every point was tried.

    Args:
        tried: points before it and their scores; NaN where a trial gave none.
        seed: of the whole tuning.
    """
    before = [point for point, _ in tried]
    if not space.axes or len(before) >= space.points:
        return None
    for again in range(REDRAWS):
        found = _drawn(space, tried, greater_is_better, seed_of(seed_of(seed, number), again))
        if found not in before:
            return found
    if not math.isfinite(space.points):
        return found
    names, ranges = list(space.axes), [_range(axis) for axis in space.axes.values()]
    every = (dict(zip(names, places, strict=True)) for places in itertools.product(*ranges))
    return next(each for each in every if each not in before)


def _drawn(space: Space, tried: Sequence[tuple[Point, float]], greater_is_better: bool, seed: int) -> Point:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    distributions = {name: _distribution(axis) for name, axis in space.axes.items()}
    sampler = optuna.samplers.TPESampler(n_startup_trials=AT_RANDOM, seed=seed, warn_independent_sampling=False)
    study = optuna.create_study(direction="maximize" if greater_is_better else "minimize", sampler=sampler)
    for point, score in tried:
        if math.isfinite(score):
            study.add_trial(
                optuna.trial.create_trial(value=score, params=dict(point), distributions=dict(distributions))
            )
    return {name: _rounded(space.axes[name], value) for name, value in study.ask(distributions).params.items()}


def _distribution(axis: Axis) -> Any:
    """Optuna's, over the places of an axis. Numbers in a list keep their order, which says what is near to what."""
    from optuna import distributions

    if isinstance(axis, Between):
        kind: Any = distributions.IntDistribution if axis.whole else distributions.FloatDistribution
        return kind(*axis.ends, log=axis.log)
    if all(_is_number(value) for value in axis.values) and list(axis.values) == sorted(axis.values):
        return distributions.IntDistribution(0, len(axis.values) - 1)
    return distributions.CategoricalDistribution(tuple(range(len(axis.values))))


def _rounded(axis: Axis, value: float) -> float:
    if isinstance(axis, OneOf) or axis.whole:
        return int(value)
    return min(max(float(f"{value:.{DIGITS}g}"), axis.low), axis.high)


def _places(axis: Axis) -> float:
    if isinstance(axis, OneOf) or axis.whole:
        return len(_range(axis))
    return math.inf


def _range(axis: Axis) -> range:
    return range(len(axis.values)) if isinstance(axis, OneOf) else range(int(axis.low), int(axis.high) + 1)


def _place(axis: Axis, value: Any) -> float | None:
    if isinstance(axis, OneOf):
        same = (place for place, each in enumerate(axis.values) if type(each) is type(value) and each == value)
        return next(same, None)
    return value if _is_number(value) and axis.low <= value <= axis.high else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
