"""The figure of a tuning: the best so far over trials and seconds, averaged over folds."""

import math

import numpy as np
import pytest

from pipelines.report import figures_tuning
from pipelines.report.document import Cost, DataCard, Estimate, Report, Scorecard, Verdict
from pipelines.report.tuning import Search, Tried, Tuning, best_of

NAN = math.nan


def search(contender, fold, *scores, seconds=2.0):
    tried = [Tried(n, {}, each, seconds, "failed" if each != each else "finished") for n, each in enumerate(scores, 1)]
    return Search(contender, fold, 1, tuple(tried))


def report(*searches, trials=3, primary="auroc"):
    cards = tuple(
        Scorecard(name, "classical", {primary: Estimate(0.5)}, Cost(1.0))
        for name in dict.fromkeys(each.contender for each in searches)
    )
    data = DataCard("sample", False, 9, "0" * 64, {"train": 3, "valid": 3, "test": 3})
    tuning = Tuning(trials, NAN, searches)
    return Report("finance/credit-default", 0, 1.0, data, cards, (), Verdict("a", "no"), primary, tuning=tuning)


def lines(figure):
    return [{line.get_label(): line.get_xydata().tolist() for line in axes.lines} for axes in figure.axes]


def test_the_mean_over_folds_of_the_best_so_far():
    found = figures_tuning.tuning(report(search("a", 1, 0.5, 0.75, 0.25), search("a", 2, 0.25, 0.25, 1.0, seconds=4.0)))
    by_trials, by_seconds = lines(found)
    assert by_trials == {"a": [[1, 0.375], [2, 0.5], [3, 0.875]]}
    assert by_seconds == {"a": [[3, 0.375], [6, 0.5], [9, 0.875]]}


def test_a_search_that_ended_early_keeps_what_it_had():
    found = figures_tuning.tuning(report(search("a", 1, 0.5, 0.6), search("a", 2, 0.5, 0.7, 0.8)))
    assert lines(found)[0]["a"][-1] == pytest.approx([3, 0.7])


def test_lower_is_better_where_it_is():
    found = figures_tuning.tuning(report(search("a", 1, 3.0, 2.0, 2.5), primary="rmse"))
    assert [y for _, y in lines(found)[0]["a"]] == [3.0, 2.0, 2.0]


def test_what_has_nothing_to_tune_is_not_drawn_and_failures_are_gaps():
    found = figures_tuning.tuning(report(search("prior", 1, 0.5), search("a", 1, NAN, 0.7)))
    (a,) = lines(found)[0].values()
    assert np.isnan(a[0][1])
    assert a[1] == [2, 0.7]
    assert figures_tuning.tuning(report(search("prior", 1, 0.5))) is None


def test_the_first_of_equals_is_the_best_and_failures_never_are():
    tried = search("a", 1, NAN, 0.7, 0.9, 0.9).tried
    assert best_of(tried, True).number == 3
    assert best_of(tried, False).number == 2
    assert best_of(tried[:1], True) is None
    undefined = (Tried(1, {}, NAN, 1.0), Tried(2, {}, NAN, 1.0))
    assert best_of(undefined, True).number == 1
