"""Paired tests: two contenders on the same rows, by the test that fits how the rows were tested."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation import spread
from pipelines.evaluation.delong import delong, difference_error
from pipelines.evaluation.intervals import corrected_error, percentiles, two_classes
from pipelines.evaluation.outcome import Outcome
from pipelines.evaluation.replicates import replicate
from pipelines.evaluation.scores import RANGES
from pipelines.evaluation.sharpe import ledoit_wolf
from pipelines.evaluation.spread import Spread
from pipelines.objectives.objective import Objective, Predictions

Array = NDArray[Any]
Floats = NDArray[np.float64]
Tested = tuple[float, float, float, float]
"""Difference, lower and upper end of its 95 % interval, two-sided p-value."""


@dataclass(frozen=True)
class Paired:
    """What a test of two contenders says.

    Args:
        test: its name.
        tested: a positive difference favours the contender.
        spread: of the difference.
        at_most: (d) -> one-sided p-value of the difference being at most d.
        units: independent ones that it rests on.
        by_units: variance of the difference that these explain, each counted once.
    """

    test: str
    tested: Tested
    spread: Spread
    at_most: Callable[[float], float]
    units: int
    by_units: float


@dataclass(frozen=True)
class Settings:
    """How contenders are compared.

    Args:
        objective: gives the scores and their direction.
        score: which one is compared.
        resamples, seed: of the bootstrap.
        length: mean length of a block of rows in time.
    """

    objective: Objective
    score: str
    resamples: int = 1000
    seed: int = 0
    length: float = 1.0

    @property
    def sign(self) -> int:
        """What turns a difference towards the contender."""
        return 1 if self.objective.greater_is_better(self.score) else -1


def test(ours: Outcome, theirs: Outcome, settings: Settings) -> Paired:
    """Test the difference of two contenders that were tested on the same rows."""
    if ours.apart:
        found = _over_folds(ours, theirs, settings)
        if found is not None:
            return found
        # Every fold differs by the same amount, so only the rows can say whether that is chance.
    elif settings.score == "auroc" and two_classes(ours.predictions, settings.objective) and _plain(ours):
        return _by_delong(ours, theirs)
    elif settings.score == "sharpe" and ours.trainings == 1:
        return _by_ledoit_wolf(ours, theirs, settings)
    return _by_resamples(ours, theirs, settings)


def paired_bootstrap(
    target: Array,
    predictions_a: Predictions,
    predictions_b: Predictions,
    objective: Objective,
    score: str,
    weight: Array | None = None,
    clusters: Array | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> Tested:
    """Test a score's difference by resampling rows, or whole clusters, the same ones for both sides.

    Args: as `replicates.replicate`.

    Returns:
        Score of a minus score of b, its percentile interval, and the p-value of the widest interval that leaves 0
        out; where no resample reaches 0, that of Student's t with the resamples' spread, if it is smaller. Identical
        predictions give (0, 0, 0, 1).
    """
    settings = (objective, weight, clusters, resamples, seed)
    drawn = [replicate(target, side, *settings)[score] for side in (predictions_a, predictions_b)]
    values = [objective.scores(target, side, weight)[score] for side in (predictions_a, predictions_b)]
    units = len(target) if clusters is None else len(np.unique(clusters))
    return _of_replicates(values[0] - values[1], drawn[0] - drawn[1], units)


def corrected_resampled_t(differences: Array, n_train: float, n_test: float, least: float = 0.0) -> Tested:
    """Test whether the mean difference over cross-validation folds is 0.

    Folds share training rows, so their spread understates the variance of the mean; it is multiplied by
    1/folds + n_test/n_train in place of 1/folds.

    Args:
        differences: (folds x repeats,) score of a minus score of b in each fold; undefined folds (NaN) are left out.
        n_train, n_test: rows that each fold learned from and was tested on, on average.
        least: standard error that the mean has at least (`spread.least_of_folds`).

    Returns:
        Mean difference, its 95 % interval, and the two-sided p-value of t with folds - 1 degrees of freedom. Where
        all folds differ by the same amount there is no spread to test with, and p is that of the sign test, 1 for
        an amount of 0. With fewer than two folds the interval is NaN and p is 1.

    Reference: Nadeau and Bengio (2003), Machine Learning 52(3).
    """
    defined = np.asarray(differences, np.float64)
    defined = defined[~np.isnan(defined)]
    if len(defined) < 2:
        return float(defined.mean()) if len(defined) else math.nan, math.nan, math.nan, 1.0
    mean, error = float(defined.mean()), max(corrected_error(defined, n_train, n_test), least)
    if error <= 1e-12:
        return mean, mean, mean, 1.0 if abs(mean) <= 1e-12 else 2.0 ** (1 - len(defined))
    return student(mean, error, len(defined) - 1)


def student(difference: float, error: float, freedom: float) -> Tested:
    """Student's test of a difference with that standard error."""
    from scipy.stats import t

    half = float(t.ppf(0.975, freedom)) * error
    return difference, difference - half, difference + half, float(2 * t.sf(abs(difference) / error, freedom))


def _over_folds(ours: Outcome, theirs: Outcome, settings: Settings) -> Paired | None:
    """The corrected resampled t of the folds' differences; None where all folds differ by one amount that is not 0."""
    score = settings.score
    pairs = zip(ours.training_scores(settings.objective), theirs.training_scores(settings.objective), strict=True)
    by_fold = settings.sign * np.array(
        [[mine[score] - other[score] for mine, other in zip(*fold, strict=True)] for fold in pairs]
    )
    differences = by_fold.mean(axis=1)
    n_train, n_test = ours.sizes
    least = spread.least_of_folds(by_fold.tolist())
    tested = _possible(settings, corrected_resampled_t(differences, n_train, n_test, least))
    known = differences[~np.isnan(differences)]
    if len(known) and not np.ptp(known) > 1e-12 and abs(tested[0]) > 1e-12 and not least:
        return None
    error = max(corrected_error(known, n_train, n_test), least) if len(known) > 1 else math.nan
    by_rows = 0.0
    if ours.trainings > 1:
        by_rows = spread.of_single_rows(_drawn(ours, theirs, settings), ours.units)
    found = spread.of_folds(by_fold.tolist(), error, by_rows)
    # Of every row once, without the part that is there because folds share training rows.
    once = float(known.var(ddof=1)) * n_test / ours.distinct_rows - found.fixed if len(known) > 1 else 0.0
    return Paired(
        "corrected resampled t", tested, found, _student_at_most(tested[0], found), ours.units, max(once, 0.0)
    )


def _plain(outcome: Outcome) -> bool:
    """Whether rows are independent, tested once, and all weigh alike."""
    return outcome.clusters is None and outcome.weight is None


def _by_delong(ours: Outcome, theirs: Outcome) -> Paired:
    sides = (ours.target, ours.predictions.values[:, 1], theirs.predictions.values[:, 1])
    tested, found = delong(*sides), Spread(difference_error(*sides)[1], math.inf)
    return Paired("DeLong", tested, found, _student_at_most(tested[0], found), ours.units, found.of_rows)


def _by_ledoit_wolf(ours: Outcome, theirs: Outcome, settings: Settings) -> Paired:
    objective: Any = settings.objective
    net, other = (objective.path(each.target, each.predictions).net for each in (ours, theirs))
    found = ledoit_wolf(net, other, math.ceil(settings.length), settings.resamples, settings.seed)
    units = ours.units_for(settings.length)

    def at_most(bound: float) -> float:
        if math.isnan(found.difference) or not found.error > 0:
            return 1.0 if math.isnan(found.difference) else float(found.difference <= bound)
        beyond = (found.drawn >= (found.difference - bound) / found.error).sum()
        return float(1 + beyond) / (1 + len(found.drawn))

    error = Spread(found.error, units - 1)
    return Paired("Ledoit-Wolf", found[:1] + found[2:5], error, at_most, units, error.of_rows)


def _by_resamples(ours: Outcome, theirs: Outcome, settings: Settings) -> Paired:
    alone = ours.training(0).clusters is None
    kind = "paired block" if ours.sequence is not None else "paired" if alone else "paired cluster"
    drawn, units = _drawn(ours, theirs, settings), ours.units_for(settings.length)

    def score(of: Outcome, training: int) -> float:
        return of.training(training).scores(settings.objective)[settings.score]

    values = settings.sign * np.array([score(ours, k) - score(theirs, k) for k in range(ours.trainings)])
    difference = float(values.mean())
    found = spread.of_resamples(values.tolist(), drawn, units)
    if len(values) == 1 and ours.sequence is None:
        tested, at_most = _of_replicates(difference, drawn[0], units), _resampled_at_most(drawn[0], units)
        return Paired(f"{kind} bootstrap", tested, found, at_most, units, found.of_rows)
    name, at_most = f"{kind} bootstrap t", _student_at_most(difference, found)
    if len(values) > 1:
        name += f", {len(values)} trainings"
    if math.isnan(difference) or math.isnan(found.error):
        tested = difference, math.nan, math.nan, 1.0
    elif found.error <= 1e-12:
        p_value = 1.0 if abs(difference) <= 1e-12 else 2 / (settings.resamples + 1)
        tested = difference, difference, difference, p_value
    else:
        tested = _possible(settings, student(difference, found.error, found.freedom))
    return Paired(name, tested, found, at_most, units, found.of_rows)


def _drawn(ours: Outcome, theirs: Outcome, settings: Settings) -> list[Floats]:
    """(resamples,) differences of each training, towards the contender."""
    how = (settings.objective, settings.resamples, settings.seed, settings.length)
    pairs = zip(ours.training_replicates(*how), theirs.training_replicates(*how), strict=True)
    return [settings.sign * (mine[settings.score] - other[settings.score]) for mine, other in pairs]


def _possible(settings: Settings, tested: Tested) -> Tested:
    """With its interval cut to the differences that two values of the score can have; t knows no such ends."""
    ranges: Mapping[str, tuple[float, float]] = getattr(settings.objective, "ranges", RANGES)
    lowest, highest = ranges.get(settings.score, (-math.inf, math.inf))
    difference, low, high, p_value = tested
    width = highest - lowest
    return difference, float(np.maximum(low, -width)), float(np.minimum(high, width)), p_value


def _student_at_most(difference: float, of: Spread) -> Callable[[float], float]:
    def p_value(bound: float) -> float:
        from scipy.stats import norm, t

        if math.isnan(difference) or math.isnan(of.error):
            return 1.0
        if of.error <= 1e-12:
            return float(difference <= bound)
        z = (difference - bound) / of.error
        return float(norm.sf(z) if math.isinf(of.freedom) else t.sf(z, of.freedom))

    return p_value


def _resampled_at_most(drawn: Floats, units: int) -> Callable[[float], float]:
    def p_value(bound: float) -> float:
        defined = drawn[~np.isnan(drawn)]
        if units < 2 or 2 * len(defined) < len(drawn) or len(defined) == 0:
            return 1.0
        return _tail((defined <= bound).sum(), len(defined), units)

    return p_value


def _of_replicates(difference: float, drawn: Floats, units: int) -> Tested:
    """What bootstrap replicates of a difference say about it; a difference that is not defined is not significant."""
    low, high = percentiles(drawn, units)
    if math.isnan(difference) or math.isnan(low):
        return difference, math.nan, math.nan, 1.0
    defined = drawn[~np.isnan(drawn)]
    beyond = min((defined <= 0).sum(), (defined >= 0).sum())
    p_value = min(1.0, 2 * _tail(beyond, len(defined), units))
    if beyond == 0:
        # So many resamples tell nothing beyond their own number, which corrected for many tests decides nothing.
        error = math.sqrt(units / (units - 1)) * float(defined.std(ddof=1))
        p_value = min(p_value, student(difference, error, units - 1)[3]) if error > 1e-12 else p_value
    return difference, low, high, p_value


def _tail(beyond: int, drawn: int, units: int) -> float:
    """The one-sided level at which `percentiles` of the replicates just touches what so many of them are beyond."""
    from scipy.stats import norm, t

    tail = (beyond + 1) / (drawn + 1)
    return float(t.cdf(norm.ppf(tail) / math.sqrt(units / (units - 1)), units - 1))
