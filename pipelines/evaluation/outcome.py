"""Outcome: what one contender predicted for every tested row, with all that judging it fairly needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.examples import Examples
from pipelines.evaluation.replicates import replicate
from pipelines.objectives.objective import Objective, Predictions

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FoldResult:
    """One fold after its test.

    Args:
        examples: the tested rows, raw.
        predictions: for these rows, in their order.
        rows: (n,) number of each row in the whole data set; a row that is tested again keeps its number.
        n_train: how many rows the contender learned from.
        uncalibrated: (n, classes) what the model itself said, where the predictions were calibrated after it.
    """

    examples: Examples
    predictions: Predictions
    rows: NDArray[np.int64]
    n_train: int
    uncalibrated: NDArray[Any] | None = None


@dataclass(frozen=True)
class Round:
    """Where the rows of one fold stand in the pooled arrays, and how many rows were learned from before."""

    start: int
    stop: int
    n_train: int

    @property
    def n_test(self) -> int:
        """Rows tested in this fold."""
        return self.stop - self.start


@dataclass(frozen=True)
class Outcome:
    """One contender's test, pooled over the folds: n rows for a holdout, n x repeats for cross-validation.

    Args:
        target: (n,) encoded by the objective.
        predictions: for the n rows; their decisions were taken at each fold's own threshold.
        rounds: one for a holdout, else one per fold and repeat; together they cover the n rows.
        rows: (n,) number of each row in the whole data set; repeats test a row again under the same number.
        weight: (n,) float >= 0, or None for 1s.
        ids: (n,) patient, customer or speaker, or None where rows are independent.
        groups: sensitive attribute -> (n,) object str, None where unknown.
        uncalibrated: (n, classes) probabilities before calibration; None where nothing was calibrated.

    Raises:
        ValueError: lengths differ or the rounds do not cover the rows.
    """

    target: NDArray[Any]
    predictions: Predictions
    rounds: tuple[Round, ...]
    rows: NDArray[np.int64]
    weight: NDArray[np.float64] | None = None
    ids: NDArray[Any] | None = None
    groups: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    uncalibrated: NDArray[Any] | None = None
    _drawn: dict[Any, dict[str, Floats]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        columns = [self.predictions, self.rows, self.weight, self.ids, self.uncalibrated, *self.groups.values()]
        if any(values is not None and len(values) != len(self.target) for values in columns):
            raise ValueError(f"an outcome of {len(self.target)} rows has columns of other lengths")
        edges = [(part.start, part.stop) for part in self.rounds]
        if not edges or [0, *(stop for _, stop in edges)] != [*(start for start, _ in edges), len(self.target)]:
            raise ValueError(f"the rounds {edges} do not cover {len(self.target)} rows one after the other")

    def __len__(self) -> int:
        return len(self.target)

    @classmethod
    def pooled(cls, objective: Objective, tests: Sequence[FoldResult]) -> Outcome:
        """The outcome of one or more tested folds, in their order."""
        stops = np.cumsum([len(test.rows) for test in tests])
        rounds = tuple(
            Round(int(stop) - len(test.rows), int(stop), test.n_train) for stop, test in zip(stops, tests, strict=True)
        )
        parts = [test.examples for test in tests]
        return cls(
            target=np.concatenate([objective.encode(part.target) for part in parts]),
            predictions=_pool_predictions([test.predictions for test in tests]),
            rounds=rounds,
            rows=np.concatenate([test.rows for test in tests]),
            weight=_pool([part.weight for part in parts]),
            ids=_pool([part.ids for part in parts]),
            groups={name: np.concatenate([part.groups[name] for part in parts]) for name in parts[0].groups},
            uncalibrated=_before(tests),
        )

    @cached_property
    def clusters(self) -> NDArray[np.int64] | None:
        """(n,) number of the unit that each row belongs to; None where every row is a unit of its own.

        Units are what is independent of each other: the ids where there are some, else the rows, of which
        repeated cross-validation holds several copies.
        """
        unit = self.rows if self.ids is None else self.ids.astype(np.str_)
        units, code = np.unique(unit, return_inverse=True)
        return None if len(units) == len(unit) else code.astype(np.int64)

    @cached_property
    def folds(self) -> NDArray[np.int64]:
        """(n,) number of the fold, and so of the model, that each row was tested in."""
        return np.repeat(np.arange(len(self.rounds)), [part.n_test for part in self.rounds])

    @cached_property
    def units(self) -> int:
        """How many independent units were tested."""
        return len(self) if self.clusters is None else int(self.clusters.max()) + 1

    @cached_property
    def distinct_rows(self) -> int:
        """How many rows of the data were tested, each counted once."""
        return len(np.unique(self.rows))

    def fold_scores(self, objective: Objective) -> tuple[dict[str, float], ...]:
        """The objective's scores of each fold."""
        return tuple(self._scores(objective, np.arange(part.start, part.stop)) for part in self.rounds)

    def replicates(self, objective: Objective, resamples: int, seed: int) -> dict[str, Floats]:
        """Every score under bootstrap resamples of the units, as `replicates.replicate`; kept for the next caller."""
        key = (objective, resamples, seed)
        if key not in self._drawn:
            self._drawn[key] = replicate(
                self.target, self.predictions, objective, self.weight, self.clusters, resamples, seed
            )
        return self._drawn[key]

    def scores(self, objective: Objective) -> dict[str, float]:
        """The objective's scores of all pooled rows."""
        return objective.scores(self.target, self.predictions, self.weight)

    def _scores(self, objective: Objective, index: NDArray[np.int64]) -> dict[str, float]:
        weight = None if self.weight is None else self.weight[index]
        return objective.scores(self.target[index], self.predictions.take(index), weight)


def _pool(parts: Sequence[NDArray[Any] | None]) -> NDArray[Any] | None:
    given = [part for part in parts if part is not None]
    return np.concatenate(given) if len(given) == len(parts) else None


def _before(tests: Sequence[FoldResult]) -> NDArray[Any] | None:
    """What the models said before calibration; a fold that could not be calibrated said what it says."""
    if all(test.uncalibrated is None for test in tests):
        return None
    said = [test.predictions.values if test.uncalibrated is None else test.uncalibrated for test in tests]
    return np.concatenate(said)


def _pool_predictions(parts: Sequence[Predictions]) -> Predictions:
    values = np.concatenate([part.values for part in parts])
    decisions = _pool([part.decisions for part in parts])
    if decisions is None and any(part.decisions is not None for part in parts):
        decisions = np.concatenate([part.labels() for part in parts])
    return Predictions(values, decisions)
