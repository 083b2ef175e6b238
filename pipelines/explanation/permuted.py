"""Permutation importance: how much worse a contender is when one part of every row is that of another row.

It takes nothing but answers, so networks and classical models are asked alike. What two parts tell together, neither
of them seems to matter for: the contender still has the other.

References: Breiman (2001), "Random forests", Machine Learning 45; Fisher, Rudin and Dominici (2019), "All models are
wrong, but many are useful", JMLR 20, for the reading as reliance of a given model; Hooker, Mentch and Zhou (2021),
"Unrestricted permutation forces extrapolation", Statistics and Computing 31, for where it misleads.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.contenders.reading import TABULAR
from pipelines.data.examples import Examples, Kind
from pipelines.evaluation.comparison import holm
from pipelines.evaluation.delong import influence, variance
from pipelines.evaluation.grades import kappa_terms
from pipelines.evaluation.intervals import mean
from pipelines.explanation.parts import FEWEST_ROWS as FEWEST_HOLDING
from pipelines.explanation.parts import Part, regions, words_of
from pipelines.objectives.objective import Objective, Predictions
from pipelines.report.document import Estimate
from pipelines.report.explanation import Importance

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Predict = Callable[[Examples], Predictions]

MOST_ANSWERS = 30_000
"""Rows that a contender is asked for in all; more parts get fewer repeats, then fewer rows."""

MOST_ROWS, FEWEST_ROWS, MOST_REPEATS = 1000, 200, 5


@dataclass(frozen=True)
class Exchange:
    """A part that can be exchanged between rows.

    Args:
        change: (rows, other) -> the rows with the part of the rows numbered `other`, and which of them that changes.
        n: rows that the part is in.
    """

    name: str
    change: Callable[[Examples, Rows], tuple[Examples, Rows]]
    n: int


def exchanges(rows: Examples, kinds: Mapping[str, Kind], words: Sequence[str] = ()) -> list[Exchange]:
    """All parts of these rows that a contender reads.

    Args:
        kinds: the columns that it looks at.
        words: of a text, those that are tried where enough rows have them.
    """
    found: list[Exchange] = []
    for name, kind in kinds.items():
        values = rows.columns[name]
        if kind in ("number", "category"):
            found.append(Exchange(name, _column(name), len(rows)))
        elif kind == "text":
            sets = [set(words_of(each)) for each in values[:]]
            holding = {word: np.array([word in each for each in sets]) for word in words}
            found += [
                Exchange(word, _word(name, word, held), int(held.sum()))
                for word, held in holding.items()
                if held.sum() >= FEWEST_HOLDING
            ]
        else:
            several = f"{name}: " if len(kinds) > 1 else ""
            for part in regions(kind, values.shape[1:]):
                found.append(Exchange(f"{several}{part.name}", _region(name, part), len(rows)))
    return found


def some_rows(n: int, parts: int, fit: int, seed: int) -> Rows:
    """Which of n rows are tried, where there are so many parts, and so many rows fit in memory."""
    most = min(n, fit, MOST_ROWS, max(FEWEST_ROWS, MOST_ANSWERS // max(1, parts)))
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False))


def importances(
    predict: Predict, rows: Examples, parts: Sequence[Exchange], objective: Objective, seed: int
) -> tuple[str, tuple[Importance, ...]]:
    """What a contender loses by each part, the largest loss first; and of which score.

    Of two classes the score is the AUROC, with DeLong's interval of the difference; of several the accuracy, of
    grades the quadratic kappa; of a number the share of variance explained. Where there are ids, rows of one id count
    as one unit.
    """
    truth = objective.encode(rows.target)
    score, judge = _judge(objective, truth, rows)
    chance, before = np.random.default_rng(seed), predict(rows)
    repeats = int(np.clip(MOST_ANSWERS // max(1, len(rows) * len(parts)), 1, MOST_REPEATS))
    exchanged = (part.change(rows, chance.permutation(len(rows))) for part in parts for _ in range(repeats))
    together = MOST_ROWS if {rows.kinds[name] for name in rows.columns} <= TABULAR else 0
    after = _after(predict, exchanged, before, together)
    lost = [judge(before.values, list(islice(after, repeats))) for _ in parts]
    p_values = holm([p for _, p in lost]) if lost else []
    found = [
        Importance(part.name, estimate, p_value, part.n)
        for part, (estimate, _), p_value in zip(parts, lost, p_values, strict=True)
    ]
    return score, tuple(sorted(found, key=lambda each: -np.nan_to_num(each.lost.value)))


def _after(
    predict: Predict, exchanged: Iterable[tuple[Examples, Rows]], before: Predictions, together: int
) -> Iterator[Any]:
    """Values once parts were exchanged, exchange by exchange; only rows that it changes are asked for anew.

    Args:
        together: as soon as so many rows are waiting they are asked for in one call, which costs about as much as one
            for the few rows of an exchange.
    """
    waiting: list[tuple[Examples, Rows]] = []
    for changed, which in exchanged:
        waiting.append((changed.take(which), which))
        if sum(len(each) for _, each in waiting) >= together:
            yield from _answers(predict, waiting, before)
            waiting = []
    yield from _answers(predict, waiting, before)


def _answers(predict: Predict, waiting: Sequence[tuple[Examples, Rows]], before: Predictions) -> Iterator[Any]:
    some = [each for each, which in waiting if len(which)]
    answers = iter(predict(_joined(some)).values if some else ())
    for _, which in waiting:
        values = np.array(before.values)
        if len(which):
            values[which] = list(islice(answers, len(which)))
        yield values


def _joined(some: Sequence[Examples]) -> Examples:
    """Their columns, one after the other: nothing else is looked at for an answer."""
    first = some[0]
    if len(some) == 1:
        return first
    columns = {name: np.concatenate([each.columns[name][:] for each in some]) for name in first.columns}
    return Examples(columns, np.concatenate([each.target for each in some]), first.kinds)


def _column(name: str) -> Callable[[Examples, Rows], tuple[Examples, Rows]]:
    def change(rows: Examples, other: Rows) -> tuple[Examples, Rows]:
        values = rows.columns[name]
        return replace(rows, columns={**rows.columns, name: values[other]}), np.arange(len(rows))

    return change


def _region(name: str, part: Part) -> Callable[[Examples, Rows], tuple[Examples, Rows]]:
    def change(rows: Examples, other: Rows) -> tuple[Examples, Rows]:
        values = np.array(rows.columns[name][:])
        where = (slice(None), *part.where)
        values[where] = values[other][where]
        return replace(rows, columns={**rows.columns, name: values}), np.arange(len(rows))

    return change


def _word(name: str, word: str, held: NDArray[np.bool_]) -> Callable[[Examples, Rows], tuple[Examples, Rows]]:
    """A row with the word that is given the part of one without loses it; the other way round it begins with it."""

    def change(rows: Examples, other: Rows) -> tuple[Examples, Rows]:
        values = np.array(rows.columns[name][:], dtype=object)
        for row in np.flatnonzero(held & ~held[other]):
            values[row] = " ".join(each for each in str(values[row]).split() if words_of(each) != [word])
        for row in np.flatnonzero(~held & held[other]):
            values[row] = f"{word} {values[row] or ''}"
        return replace(rows, columns={**rows.columns, name: values}), np.flatnonzero(held != held[other])

    return change


def _judge(
    objective: Objective, truth: NDArray[Any], rows: Examples
) -> tuple[str, Callable[[Any, Sequence[Any]], tuple[Estimate, float]]]:
    """The score's name; and (values before, values after each exchange) -> what was lost of it, with its p-value."""
    clusters = None if rows.ids is None else np.unique(rows.ids.astype(str), return_inverse=True)[1]
    if clusters is None and rows.weight is not None:
        clusters = np.arange(len(rows))
    if objective.kind == "regression":
        # The squared errors' share of the variance, row by row: their mean difference is the loss of R².
        spread = float(np.var(truth)) or 1.0

        def squared(values: Any) -> Floats:
            return np.asarray(np.square(values - truth) / spread, np.float64)

        return "r2", lambda before, after: _mean(
            np.mean([squared(each) for each in after], axis=0) - squared(before), rows.weight, clusters
        )
    if getattr(objective, "binary", False):
        return "auroc", lambda before, after: _auroc(
            truth, before[:, 1], [each[:, 1] for each in after], rows.weight, clusters
        )

    if getattr(objective, "ordered", False):

        def agreed(values: Any) -> Floats:
            return kappa_terms(truth, objective.predict(values).labels(), rows.weight)

        return "quadratic_kappa", lambda before, after: _mean(
            agreed(before) - np.mean([agreed(each) for each in after], axis=0), rows.weight, clusters
        )

    def right(values: Any) -> Floats:
        return np.asarray(values.argmax(axis=1) == truth, np.float64)

    return "accuracy", lambda before, after: _mean(
        right(before) - np.mean([right(each) for each in after], axis=0), rows.weight, clusters
    )


def _mean(terms: Floats, weight: Any, clusters: Any) -> tuple[Estimate, float]:
    found = mean(terms, weight, clusters)
    freedom = _freedom(len(terms), clusters)
    return found, _p_value(found.value, (found.high - found.low) / 2 / _quantile(freedom), freedom)


def _auroc(
    truth: NDArray[Any], before: Floats, after: Sequence[Floats], weight: Any, clusters: Any
) -> tuple[Estimate, float]:
    """The loss of AUROC, the mean over exchanges, with DeLong's interval of a difference of dependent AUROCs."""
    value, moves = influence(truth, before, weight)
    others = [influence(truth, each, weight) for each in after]
    lost = value - float(np.mean([each for each, _ in others]))
    moved = moves - np.mean([each for _, each in others], axis=0)
    error, freedom = math.sqrt(max(0.0, variance(moved, truth, clusters))), _freedom(len(truth), clusters)
    half = _quantile(freedom) * error
    return Estimate(lost, lost - half, lost + half), _p_value(lost, error, freedom)


def _freedom(rows: int, clusters: Any) -> int:
    return (rows if clusters is None else len(np.unique(clusters))) - 1


def _quantile(freedom: int) -> float:
    """Student's, of a two-sided 95 % interval."""
    from scipy.stats import t

    return float(t.ppf(0.975, max(1, freedom)))


def _p_value(value: float, error: float, freedom: int) -> float:
    """Two-sided, of a value that would be 0; 1 where nothing varies."""
    from scipy.stats import t

    if math.isnan(value) or math.isnan(error) or not error:
        return 1.0 if not value else math.nan
    return float(2 * t.sf(abs(value) / error, max(1, freedom)))
