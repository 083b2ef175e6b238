"""The figure of a tuning: the best score on validation rows against trials and against seconds, of every contender."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation.scores import GREATER_IS_BETTER
from pipelines.report.document import Report
from pipelines.report.figures import COLOURS, DASHES, _blank, _title
from pipelines.report.tuning import Search

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def tuning(report: Report) -> Figure | None:
    """Two panels with a line for each contender that had something to tune; None where none had."""
    told = report.tuning
    if told is None:
        return None
    names = [card.name for card in report.contenders if any(len(each.tried) > 1 for each in told.of(card.name))]
    if not names:
        return None
    figure = _blank(9.6, 4.6)
    by_trials, by_seconds = figure.subplots(1, 2, sharey=True)
    for place, name in enumerate(names):
        best, seconds = _means(told.of(name), GREATER_IS_BETTER[report.primary])
        look = {"color": COLOURS[place % len(COLOURS)], "linestyle": DASHES[place % len(DASHES)], "linewidth": 1.6,
                "marker": "o", "markersize": 3, "label": name, "drawstyle": "steps-post"}  # fmt: skip
        by_trials.plot(np.arange(1, len(best) + 1), best, **look)
        by_seconds.plot(seconds, best, **look)
    folds = max(each.fold for each in told.searches)
    better = "higher" if GREATER_IS_BETTER[report.primary] else "lower"
    mean = f", mean of {folds} folds" if folds > 1 else ""
    _title(
        figure,
        f"What tuning gains: {told.budget} for each contender and fold\n"
        f"(validation rows{mean}; {better} is better; the first trial is untuned)",
    )
    by_trials.set_ylabel(f"best {report.primary} so far")
    by_trials.set_xlabel("trials")
    by_trials.xaxis.get_major_locator().set_params(integer=True)
    by_seconds.set_xlabel("seconds of training and scoring, per fold")
    by_seconds.set_xscale("log")
    by_seconds.xaxis.set_major_formatter("{x:g}")
    for axes in (by_trials, by_seconds):
        axes.grid(visible=True, alpha=0.3)
    by_trials.legend(loc="best")
    return figure


def _means(searches: Sequence[Search], greater_is_better: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(trials,) means over folds of the best score and of the seconds after each trial; a search that ended earlier
    keeps what it had."""
    most = max(len(each.tried) for each in searches)
    best, seconds = np.full((len(searches), most), np.nan), np.full((len(searches), most), np.nan)
    for row, search in enumerate(searches):
        made = len(search.tried)
        best[row, :made] = search.so_far(greater_is_better)
        seconds[row, :made] = np.cumsum([each.seconds for each in search.tried])
        best[row, made:], seconds[row, made:] = best[row, made - 1], seconds[row, made - 1]
    # Before every fold has a score, a mean would be of other folds at each trial.
    return best.mean(axis=0), seconds.mean(axis=0)
