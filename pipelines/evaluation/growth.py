"""Growth: what more data gives each contender, and from how much of it on a network is the better one.

Nothing is extrapolated. Learning curves often follow a power law and often do not (Viering and Loog 2022, IEEE TPAMI
45(6)), and its three numbers cannot be told from three or four noisy points; between two sizes that were measured a
straight line over the logarithm of the rows, which needs none, is all that finding a crossing asks for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation.comparison import compare, holm
from pipelines.evaluation.intervals import expanded_tail, spread_of
from pipelines.evaluation.outcome import Outcome
from pipelines.evaluation.verdict import SIGNIFICANCE
from pipelines.objectives.objective import Objective
from pipelines.report.document import Comparison, Estimate
from pipelines.report.study import Gain

Floats = NDArray[np.float64]
Outcomes = Mapping[str, Outcome]
"""Contender -> its test at one size."""


def compared(
    networks: Sequence[str],
    baselines: Sequence[str],
    sizes: Sequence[Outcomes],
    objective: Objective,
    resamples: int,
    seed: int,
) -> tuple[tuple[Comparison, ...], ...]:
    """Each network with each baseline at each size, p-values Holm-corrected over all of them together.

    `rows_to_decide`, which counts tested rows, is 0 where that decides, else NaN: a study asks for rows to learn from.
    """
    found = [
        [
            compare(network, [baseline], outcomes, objective, objective.primary, resamples, seed)[0]
            for network in networks
            for baseline in baselines
            if network in outcomes and baseline in outcomes
        ]
        for outcomes in sizes
    ]
    corrected = iter(holm([each.p_value for tests in found for each in tests]))
    return tuple(tuple(_corrected(each, next(corrected)) for each in tests) for tests in found)


def _corrected(each: Comparison, p_value: float) -> Comparison:
    return replace(each, p_value=p_value, rows_to_decide=0.0 if p_value < SIGNIFICANCE else math.nan)


def gains(
    names: Sequence[str],
    rows: Sequence[int],
    sizes: Sequence[Outcomes],
    objective: Objective,
    resamples: int,
    seed: int,
) -> tuple[Gain, ...]:
    """What each doubling of the data gave each contender, between the two largest sizes that it was measured at.

    A paired test of the contender with itself: the tested rows are the same, so their luck is not in the difference.

    Args:
        rows: learned from at each size, rising.
    """
    found = []
    for name in names:
        measured = [place for place, outcomes in enumerate(sizes) if name in outcomes]
        if len(measured) < 2:
            continue
        less, more = measured[-2:]
        both = {"more": sizes[more][name], "less": sizes[less][name]}
        (test,) = compare("more", ["less"], both, objective, objective.primary, resamples, seed)
        doublings = math.log2(rows[more] / rows[less])
        each = Estimate(test.difference / doublings, test.low / doublings, test.high / doublings)
        found.append(Gain(name, rows[less], rows[more], each))
    return tuple(found)


def crossing(rows: Sequence[int], leads: Floats) -> Floats:
    """From how many rows on a lead stays positive, on straight lines over the logarithm of the rows.

    Args:
        rows: (s,) of each size, rising.
        leads: (..., s) at each size; a lead of 0 is none.

    Returns:
        (...) rows; 0 where it is positive at every size, infinite where it is not at the last.
    """
    leads = np.atleast_2d(leads)
    behind = ~(leads > 0)
    last = np.where(behind.any(axis=-1), leads.shape[-1] - 1 - behind[:, ::-1].argmax(axis=-1), -1)
    found = np.where(last < 0, 0.0, np.inf)
    between = (last >= 0) & (last < leads.shape[-1] - 1)
    draw, before = np.flatnonzero(between), last[between]
    low, high = leads[draw, before], leads[draw, before + 1]
    scale = np.log(np.asarray(rows, np.float64))
    found[draw] = np.exp(scale[before] + (scale[before + 1] - scale[before]) * -low / (high - low))
    return found


def crossing_interval(
    rows: Sequence[int],
    networks: Sequence[Outcome],
    baselines: Sequence[Outcome],
    objective: Objective,
    resamples: int,
    seed: int,
) -> tuple[float, float]:
    """The 95 % interval of the crossing: 0 and infinity stand for below and beyond all sizes.

    Args:
        networks, baselines: (s,) the two that are compared at each size, all tested on the same rows.
    """
    sign = 1 if objective.greater_is_better(objective.primary) else -1
    length = max(outcome.length for outcome in (*networks, *baselines))
    sides = [
        np.stack(
            [drawn(outcome, objective, resamples, seed, length, (side, place)) for place, outcome in tested], axis=1
        )
        for side, tested in enumerate((enumerate(networks), enumerate(baselines)))
    ]
    leads = sign * (sides[0] - sides[1])
    found = crossing(rows, leads[~np.isnan(leads).any(axis=1)])
    if 2 * len(found) < resamples:
        return math.nan, math.nan
    resampled = not networks[0].apart and networks[0].units > 1
    tail = expanded_tail(0.05, networks[0].units) if resampled else 0.025
    low, high = np.quantile(found, [tail, 1 - tail], method="inverted_cdf")  # no mean of a number and infinity
    return float(low), float(high)


def drawn(
    outcome: Outcome,
    objective: Objective,
    resamples: int,
    seed: int,
    length: float | None = None,
    place: tuple[int, int] = (0, 0),
) -> Floats:
    """(resamples,) values that the primary score might have had; the same seed draws alike for all who were tested
    on the same rows, so that what they have in common cancels in differences.

    Holdout: bootstrap resamples of the tested units, or blocks of them in time, and what several trainings differ by,
    which no two contenders or sizes share. Cross-validation: around the mean over the folds, with the folds' own
    covariance between contenders and sizes, and the corrected variance and the t-distribution of the paired test
    (Nadeau and Bengio 2003), which holds what trainings differ by.

    Args:
        length: mean length of a block in time, which must be one for all who are compared.
        place: tells one training's luck from another's.
    """
    score = objective.primary
    if not outcome.apart:
        found = outcome.replicates(objective, resamples, seed, length)[score]
        if outcome.trainings == 1:
            return found
        apart = math.sqrt(spread_of(outcome, objective, resamples, seed).fixed)
        return found + apart * np.random.default_rng([seed, 2, *place]).normal(size=resamples)
    values = np.array([fold[score] for fold in outcome.fold_scores(objective)])
    if np.isnan(values).all():
        return np.full(resamples, np.nan)
    n_train, n_test = outcome.sizes
    folds, chance = len(values), np.random.default_rng([seed, 1])
    normal, spread = chance.normal(size=(resamples, folds)), chance.chisquare(folds - 1, resamples) / (folds - 1)
    off = np.nan_to_num(values - np.nanmean(values))
    corrected = math.sqrt((1 / folds + n_test / n_train) / (folds - 1))
    result: Any = np.nanmean(values) + normal @ off * corrected / np.sqrt(spread)
    return np.asarray(result, np.float64)
