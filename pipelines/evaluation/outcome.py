"""Outcome: what one contender predicted for every tested row, with all that judging it fairly needs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.examples import Examples
from pipelines.evaluation import blocks
from pipelines.evaluation.replicates import over_stretches, replicate
from pipelines.evaluation.scores import squared_distances
from pipelines.objectives.objective import Objective, Predictions

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FoldResult:
    """One fold after its test.

    Args:
        examples: the tested rows, raw.
        predictions: for these rows, in their order.
        rows: (n,) number of each row in the whole data set; a row that is tested again keeps its number.
        n_train: how many rows were divided off to learn from.
        training: number of the training on these rows: 0, and where there were several from other seeds, 1 and so on.
        uncalibrated: (n, classes) what the model itself said, where the predictions were calibrated after it.
    """

    examples: Examples
    predictions: Predictions
    rows: NDArray[np.int64]
    n_train: int
    training: int = 0
    uncalibrated: NDArray[Any] | None = None


@dataclass(frozen=True)
class Round:
    """Where the rows of a tested fold stand in the pooled arrays, and how many rows were divided off to learn from."""

    start: int
    stop: int
    n_train: int
    training: int = 0

    @property
    def n_test(self) -> int:
        """Rows tested in this fold."""
        return self.stop - self.start


@dataclass(frozen=True)
class Outcome:
    """One contender's test, pooled over the folds and trainings.

    The n rows are those of a holdout, of all stretches of a walk forward, which follow each other in time, or all rows
    once per repeat of cross-validation; each of several trainings adds them again.

    Args:
        target: (n,) encoded by the objective.
        predictions: for the n rows; their decisions were taken at each fold's own threshold.
        rounds: one per fold, repeat and training; together they cover the n rows.
        rows: (n,) number of each row in the whole data set; a row that is tested again keeps its number.
        weight: (n,) float >= 0, or None for 1s.
        ids: (n,) patient, customer or speaker, or None where rows are independent.
        groups: sensitive attribute -> (n,) object str, None where unknown.
        time: (n,) sortable moment of each row where rows were divided by time, else None.
        block: of rows in time, how many units one block holds on average; 0 lets the losses say.
        least: how many it holds at least where the losses say: what goes on for days but shows in few rows, such as
            fraud, does not show in them.
        uncalibrated: (n, classes) probabilities before calibration; None where nothing was calibrated.

    Raises:
        ValueError: lengths differ, the rounds do not cover the rows, or not every training tested every fold.
    """

    target: NDArray[Any]
    predictions: Predictions
    rounds: tuple[Round, ...]
    rows: NDArray[np.int64]
    weight: NDArray[np.float64] | None = None
    ids: NDArray[Any] | None = None
    groups: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    time: NDArray[Any] | None = None
    block: int = 0
    least: float = 1.0
    uncalibrated: NDArray[Any] | None = None
    _drawn: dict[Any, tuple[dict[str, Floats], ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        columns = [
            self.predictions,
            self.rows,
            self.weight,
            self.ids,
            self.time,
            self.uncalibrated,
            *self.groups.values(),
        ]
        if any(values is not None and len(values) != len(self.target) for values in columns):
            raise ValueError(f"an outcome of {len(self.target)} rows has columns of other lengths")
        edges = [(part.start, part.stop) for part in self.rounds]
        if not edges or [0, *(stop for _, stop in edges)] != [*(start for start, _ in edges), len(self.target)]:
            raise ValueError(f"the rounds {edges} do not cover {len(self.target)} rows one after the other")
        if len(self.rounds) != len(self.parts) * self.trainings:
            raise ValueError(f"{len(self.rounds)} rounds are not {self.trainings} trainings of each fold")

    def __len__(self) -> int:
        return len(self.target)

    @classmethod
    def pooled(
        cls,
        objective: Objective,
        tests: Sequence[FoldResult],
        by_time: bool = False,
        block: int = 0,
        least: float = 1.0,
    ) -> Outcome:
        """The outcome of one or more tested folds, in their order; `by_time` where their rows follow each other."""
        stops = np.cumsum([len(test.rows) for test in tests])
        rounds = tuple(
            Round(int(stop) - len(test.rows), int(stop), test.n_train, test.training)
            for stop, test in zip(stops, tests, strict=True)
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
            time=_pool([part.time for part in parts]) if by_time else None,
            block=block,
            least=least,
            uncalibrated=_before(tests),
        )

    @cached_property
    def parts(self) -> tuple[tuple[Round, ...], ...]:
        """The rounds of each fold: the same rows, tested by one training after the other."""
        folds: list[list[Round]] = []
        met: dict[int, int] = {}
        for each in self.rounds:
            number = met[each.training] = met.get(each.training, -1) + 1
            if number == len(folds):
                folds.append([])
            folds[number].append(each)
        return tuple(tuple(fold) for fold in folds)

    @property
    def apart(self) -> bool:
        """Whether folds are judged one by one: those of cross-validation are. The stretches of a walk forward follow
        each other in time, so they are judged as the one stretch that they make up."""
        return len(self.parts) > 1 and self.sequence is None

    @cached_property
    def sizes(self) -> tuple[float, float]:
        """Rows that a fold learned from and was tested on, on average."""
        n_train, n_test = ([getattr(each, size) for each in self.rounds] for size in ("n_train", "n_test"))
        return float(np.mean(n_train)), float(np.mean(n_test))

    @cached_property
    def trainings(self) -> int:
        """How often each fold was trained for, from different seeds."""
        return len({each.training for each in self.rounds})

    def training(self, number: int) -> Outcome:
        """The test of one training of each fold."""
        if self.trainings == 1:
            return self
        kept = [each for each in self.rounds if each.training == number]
        index = np.concatenate([np.arange(each.start, each.stop) for each in kept])
        stops = np.cumsum([each.n_test for each in kept]).tolist()

        def pick(values: NDArray[Any] | None) -> NDArray[Any] | None:
            return None if values is None else values[index]

        return replace(
            self,
            target=self.target[index],
            predictions=self.predictions.take(index),
            rounds=tuple(Round(stop - each.n_test, stop, each.n_train) for each, stop in zip(kept, stops, strict=True)),
            rows=self.rows[index],
            weight=pick(self.weight),
            ids=pick(self.ids),
            groups={name: values[index] for name, values in self.groups.items()},
            time=pick(self.time),
            uncalibrated=pick(self.uncalibrated),
        )

    @cached_property
    def sequence(self) -> NDArray[np.int64] | None:
        """(n,) place in time of the unit that each row belongs to (`blocks.in_order`); None where there is no time."""
        return None if self.time is None else blocks.in_order(self.time, self.ids, self.rows)

    @cached_property
    def clusters(self) -> NDArray[np.int64] | None:
        """(n,) number of the unit that each row belongs to; None where every row is a unit of its own.

        Units are what is independent of each other: the ids where there are some, else the rows, of which repeated
        cross-validation and several trainings hold several copies. Of rows in time they are stretches long enough that
        two of them have little to do with each other.
        """
        if self.sequence is not None:
            return _stretches(self.sequence, self.length)
        unit = self.rows if self.ids is None else self.ids.astype(np.str_)
        units, code = np.unique(unit, return_inverse=True)
        return None if len(units) == len(unit) else code.astype(np.int64)

    @cached_property
    def losses(self) -> Floats | None:
        """(n,) squared distance of each prediction from the truth; None where it is neither classes nor a number."""
        values = self.predictions.values
        if self.target.ndim > 1 or values.dtype.kind != "f" or self.target.dtype.kind not in "iuf" or values.ndim > 2:
            return None
        if values.ndim == 2:
            return squared_distances(self.target, values)
        return np.asarray(np.square(values - self.target), np.float64)

    @cached_property
    def length(self) -> float:
        """Mean block length, in units, that this contender's own losses ask for; 1 where there is no time."""
        return self.length_for(self.losses)

    def length_for(self, values: Floats | None) -> float:
        """The same for other values of the rows, such as the differences of two contenders' losses."""
        if self.sequence is None:
            return 1.0
        if self.block:
            return float(self.block)
        units = int(self.sequence.max()) + 1
        least = min(self.least, units / blocks.LEAST_BLOCKS)
        if values is None:
            return max(blocks.usual_length(units), least)
        weight = np.ones(len(values)) if self.weight is None else self.weight
        moved = weight * (values - np.average(values, weights=weight)) if weight.any() else values
        return max(blocks.length_for_intervals(np.bincount(self.sequence, moved).astype(np.float64)), least)

    @cached_property
    def folds(self) -> NDArray[np.int64]:
        """(n,) number of the model that each row was tested by: of its fold and training."""
        return np.repeat(np.arange(len(self.rounds)), [part.n_test for part in self.rounds])

    @cached_property
    def units(self) -> int:
        """How many independent units were tested."""
        return len(self) if self.clusters is None else len(np.unique(self.clusters))

    def units_for(self, length: float) -> int:
        """The same where stretches of time have this mean length, and not the one of the contender's own losses."""
        return self.units if self.sequence is None else len(np.unique(_stretches(self.sequence, length)))

    @cached_property
    def distinct_rows(self) -> int:
        """How many rows of the data were tested, each counted once."""
        return len(np.unique(self.rows))

    def fold_scores(self, objective: Objective) -> tuple[dict[str, float], ...]:
        """The objective's scores of each fold, the mean over its trainings."""
        return tuple(_mean(trainings) for trainings in self.training_scores(objective))

    def training_scores(self, objective: Objective) -> tuple[tuple[dict[str, float], ...], ...]:
        """The objective's scores of each training of each fold."""
        return tuple(
            tuple(self._scores(objective, np.arange(each.start, each.stop)) for each in fold) for fold in self.parts
        )

    def replicates(
        self, objective: Objective, resamples: int, seed: int, length: float | None = None
    ) -> dict[str, Floats]:
        """Every score, the mean over the trainings, under bootstrap resamples of the units."""
        drawn = self.training_replicates(objective, resamples, seed, length)
        return {name: np.mean([each[name] for each in drawn], axis=0) for name in drawn[0]}

    def training_replicates(
        self, objective: Objective, resamples: int, seed: int, length: float | None = None
    ) -> tuple[dict[str, Floats], ...]:
        """Every score of each training under bootstrap resamples of the units; kept for the next caller.

        Every training has the same resamples, and so has another contender that was tested on the same rows. Of rows in
        time they are blocks of neighbours (the stationary bootstrap).

        Args:
            length: mean length of a block, in units, where not the contender's own.
        """
        length = self.length if length is None else length
        key = (objective, resamples, seed, length)
        if key not in self._drawn:
            each = map(self.training, range(self.trainings))
            self._drawn[key] = tuple(tested._resampled(objective, resamples, seed, length) for tested in each)
        return self._drawn[key]

    def _resampled(self, objective: Objective, resamples: int, seed: int, length: float) -> dict[str, Floats]:
        units = self.clusters if self.sequence is None else self.sequence
        how = (units, resamples, seed, length, self._stretches(objective))
        return replicate(self.target, self.predictions, objective, self.weight, *how)

    def scores(self, objective: Objective) -> dict[str, float]:
        """The objective's scores of the rows of all folds, the mean over the trainings."""
        return _mean(self.scores_by_training(objective))

    def scores_by_training(self, objective: Objective) -> list[dict[str, float]]:
        """The objective's scores of the rows of all folds, of each training."""
        return [self.training(number)._scores_in_time(objective) for number in range(self.trainings)]

    def _scores_in_time(self, objective: Objective) -> dict[str, float]:
        """Of one training of each fold."""
        stretches = self._stretches(objective)
        if stretches is None:
            return objective.scores(self.target, self.predictions, self.weight)
        weight = np.ones(len(self)) if self.weight is None else self.weight
        rows = [np.arange(each.start, each.stop) for each in self.rounds]
        found = [{name: np.array([value]) for name, value in self._scores(objective, each).items()} for each in rows]
        means = over_stretches(found, [weight[each].sum(keepdims=True) for each in rows])
        return {name: float(value[0]) for name, value in means.items()}

    def _stretches(self, objective: Objective) -> NDArray[np.int64] | None:
        """(n,) number of the stretch of a walk forward that each row is scored in; None where there is one.

        What one model says of a row cannot be ranked against what another, of a later stretch, says of its own: where
        the share of positives changes, constant guesses would have an AUROC other than .5. A portfolio is one path.
        """
        several = len(self.rounds) > 1 and self.sequence is not None and objective.kind != "allocation"
        return self.folds if several else None

    def _scores(self, objective: Objective, index: NDArray[np.int64]) -> dict[str, float]:
        weight = None if self.weight is None else self.weight[index]
        return objective.scores(self.target[index], self.predictions.take(index), weight)


def _mean(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([each[name] for each in found])) for name in found[0]}


def _pool(parts: Sequence[NDArray[Any] | None]) -> NDArray[Any] | None:
    given = [part for part in parts if part is not None]
    return np.concatenate(given) if len(given) == len(parts) else None


def _stretches(sequence: NDArray[np.int64], length: float) -> NDArray[np.int64]:
    """(n,) number of the stretch of time that each row is in."""
    return sequence // math.ceil(length)


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
