"""A randomised search for the settings of a classical model, over inner folds of its training rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.contenders.contender import Watch
from pipelines.data.examples import OnDemand, chosen
from pipelines.task import Candidate
from pipelines.training.strategy import cores

FEW_ROWS = 20_000
"""Below this many rows a fit's own threads cost more than they give; fits then run beside each other instead."""

WORTH_PROCESSES = 3.0
"""Seconds of fits from which starting worker processes pays."""


def search(
    candidate: Candidate,
    x: Any,
    y: NDArray[Any],
    weight: NDArray[Any] | None,
    folds: Sequence[tuple[NDArray[Any], NDArray[Any]]],
    scorer: Any,
    trials: int,
    seed: int,
    watch: Watch,
) -> dict[str, Any]:
    """The settings with the best mean score over the folds; what is found does not depend on how fits are spread.

    Args:
        x, y, weight: training rows; `weight` may be None for 1s.
        folds: (rows to fit on, rows to score) within them.
        scorer: scikit-learn's name of the score, or one of its scorers, greater being better.
    """
    from sklearn.base import clone
    from sklearn.model_selection import ParameterSampler

    settings = list(ParameterSampler(candidate.search, trials, random_state=seed))
    estimator = seeded(clone(candidate.estimator), seed)
    if len(y) < FEW_ROWS:  # fits run beside each other instead of each on many threads
        one_thread(estimator)
    model, names, parts = _without_preparation(estimator, list(candidate.search), x, y, weight, folds)
    jobs = [
        lambda each=each, part=part: merit(model, {names[key]: each[key] for key in each}, part, scorer)
        for each in settings
        for part in parts
    ]
    found = np.zeros(len(jobs))
    alone = isinstance(x, OnDemand)  # open files do not travel to other processes
    for done, value in enumerate(_results(jobs, len(y), alone)):
        found[done] = value
        watch(done + 1, len(jobs) + 1)
    merits = found.reshape(len(settings), len(folds))
    # A fold that no trial has a score on (one class in it) says nothing; one that some failed on says that.
    merits = merits[:, ~np.isnan(merits).all(axis=0)].mean(axis=1)
    return dict(settings[int(np.nanargmax(merits))]) if np.isfinite(merits).any() else {}


@dataclass(frozen=True)
class Part:
    """One inner fold: rows to fit on, with weights, and rows to score; a class of its own so that it pickles small."""

    x: Any
    y: NDArray[Any]
    weight: NDArray[Any] | None
    held_x: Any
    held_y: NDArray[Any]


def merit(estimator: Any, settings: dict[str, Any], part: Part, scorer: Any) -> float:
    """The score of these settings on one fold; NaN where they cannot be fitted."""
    import warnings

    from sklearn.base import clone
    from sklearn.metrics import get_scorer

    model = clone(estimator).set_params(**settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a search tries settings that do not converge; their score says so
        try:
            model.fit(part.x, part.y, **weights(model, part.weight))
            return float(get_scorer(scorer)(model, part.held_x, part.held_y))
        except ValueError:
            return float("nan")


def _without_preparation(
    estimator: Any,
    searched: Sequence[str],
    x: Any,
    y: NDArray[Any],
    weight: NDArray[Any] | None,
    folds: Sequence[tuple[NDArray[Any], NDArray[Any]]],
) -> tuple[Any, dict[str, str], list[Part]]:
    """What the trials differ in: the last step alone where only its settings are searched, on prepared rows.

    The steps before it are fitted once a fold, on the rows that the fold fits on, instead of once a trial and fold;
    the scores are the same.

    Returns:
        The estimator to search, searched parameter -> its name there, and the folds.
    """
    from sklearn.base import clone

    steps = getattr(estimator, "steps", [])
    shared = len(steps) > 1 and all(key.startswith(f"{steps[-1][0]}__") for key in searched)
    parts = []
    for rows, held in folds:
        fit_x, held_x = picked(x, rows), picked(x, held)
        if shared:
            preparation = clone(estimator[:-1])
            fit_x, held_x = preparation.fit_transform(fit_x, y[rows]), preparation.transform(held_x)
        parts.append(Part(fit_x, y[rows], None if weight is None else weight[rows], held_x, y[held]))
    if not shared:
        return estimator, {key: key for key in searched}, parts
    return estimator[-1], {key: key.partition("__")[2] for key in searched}, parts


def seeded(estimator: Any, seed: int) -> Any:
    """Give every part that draws at random the run's seed."""
    names = [name for name in estimator.get_params() if name == "random_state" or name.endswith("__random_state")]
    return estimator.set_params(**dict.fromkeys(names, seed))


def one_thread(estimator: Any) -> Any:
    """Let no part start threads of its own. Predicting too: a forest whose trees are added up by several threads, in
    the order in which they come, ties rows in one run that it ranks in another."""
    return estimator.set_params(**{name: 1 for name in estimator.get_params() if name.endswith("n_jobs")})


def weights(estimator: Any, weight: NDArray[Any] | None) -> dict[str, Any]:
    """`sample_weight` for the last step of a pipeline, where rows are weighted."""
    if weight is None:
        return {}
    last = estimator.steps[-1][0] + "__" if hasattr(estimator, "steps") else ""
    return {f"{last}sample_weight": weight}


def _results(jobs: Sequence[Callable[[], float]], rows: int, alone: bool = False) -> Iterator[float]:
    """What each job gives, in order: one after the other (always so if `alone`), or in worker processes where that is
    quicker."""
    started = time.perf_counter()
    yield jobs[0]()
    expected = (time.perf_counter() - started) * (len(jobs) - 1)
    if alone or rows >= FEW_ROWS or cores() < 2 or expected < WORTH_PROCESSES:
        yield from (job() for job in jobs[1:])
        return
    from joblib import Parallel, delayed, parallel_config

    with parallel_config("loky", n_jobs=cores(), inner_max_num_threads=1):
        yield from Parallel(return_as="generator")(delayed(job)() for job in jobs[1:])


def picked(x: Any, rows: NDArray[Any]) -> Any:
    """The given rows of what a pipeline reads."""
    return x.iloc[rows] if hasattr(x, "iloc") else chosen(x, rows)
