"""Comparison: is one contender better than another on the same rows, by how much, and could it be chance?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from pipelines.evaluation import paired, power
from pipelines.evaluation.delong import delong
from pipelines.evaluation.outcome import Outcome
from pipelines.evaluation.paired import Paired, Settings, corrected_resampled_t, paired_bootstrap
from pipelines.evaluation.verdict import SIGNIFICANCE
from pipelines.objectives.objective import Objective
from pipelines.report.document import Comparison

__all__ = ["compare", "corrected_resampled_t", "delong", "holm", "paired_bootstrap"]


def compare(
    contender: str,
    baselines: Sequence[str],
    outcomes: Mapping[str, Outcome],
    objective: Objective,
    score: str,
    resamples: int = 1000,
    seed: int = 0,
    margin: float = 0.0,
    contenders: int = 1,
) -> tuple[Comparison, ...]:
    """Test a contender against each baseline on the rows that all of them were tested on.

    Cross-validation: corrected resampled t-test of the folds' differences. Holdout: DeLong's test for the AUROC of
    independent, unweighted rows; the paired bootstrap for everything else, of whole ids where ids repeat, of blocks of
    moments where rows were divided by time, of all stretches of a walk forward together; the Ledoit-Wolf test for the
    Sharpe ratio. With several trainings Student's t, of the spread that the bootstrap finds
    between rows and that between trainings.

    Args:
        contender, baselines: names in `outcomes`.
        outcomes: name -> its test, of the same rows in the same order.
        objective: gives the scores and their direction.
        score: which one is compared.
        resamples, seed: of the bootstrap.
        margin: how much worse than a baseline is still no matter, in units of the score; 0 asks nothing.
        contenders: how many are compared in the same way, the best of which the verdict will be on.

    Returns:
        One Comparison a baseline, in their order. A positive difference favours the contender whatever the score's
        direction. P-values are Holm-corrected over the baselines; the intervals are not, nor are the one-sided
        p-values of the margin, which only the best baseline is asked for.

    Raises:
        ValueError: two outcomes are of different rows.
    """
    ours = outcomes[contender]
    for baseline in baselines:
        if not np.array_equal(ours.rows, outcomes[baseline].rows):
            raise ValueError(f"{contender} and {baseline} were tested on different rows; a paired test needs the same")
    length = max((_length(ours, outcomes[baseline]) for baseline in baselines), default=1.0)
    settings = Settings(objective, score, resamples, seed, length)
    found = [paired.test(ours, outcomes[baseline], settings) for baseline in baselines]
    p_values = [each.tested[3] for each in found]
    more = _rows_to_decide(found, [contenders * factor for factor in factors(p_values)], ours.distinct_rows)
    tests = zip(baselines, found, holm(p_values), more, strict=True)
    return tuple(
        _comparison(contender, baseline, score, each, p_value, rows, margin) for baseline, each, p_value, rows in tests
    )


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Correct p-values for how many were looked at, in their order.

    The smallest is multiplied by their number, the next by one less, and so on; none may fall below the one before.

    Reference: Holm (1979), Scandinavian Journal of Statistics 6(2).
    """
    values, times = np.asarray(p_values, np.float64), np.asarray(factors(p_values))
    order = np.argsort(values, kind="stable")
    corrected = np.empty(len(values))
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(values[order] * times[order]))
    return tuple(corrected.tolist())


def factors(p_values: Sequence[float]) -> tuple[int, ...]:
    """What Holm's method multiplies each p-value by."""
    order = np.argsort(np.asarray(p_values, np.float64), kind="stable")
    found = np.empty(len(order), np.int64)
    found[order] = np.arange(len(order), 0, -1)
    return tuple(found.tolist())


def _length(ours: Outcome, theirs: Outcome) -> float:
    """Mean length of a block that the differences of the two losses ask for."""
    if ours.sequence is None or ours.losses is None or theirs.losses is None:
        return ours.length
    return ours.length_for(ours.losses - theirs.losses)


def _rows_to_decide(found: Sequence[Paired], factors: Sequence[int], rows: int) -> list[float]:
    """How many more rows would decide each test: 0 where it is decided.

    By Holm's method a test is decided once those of smaller p-values are, so it needs at least as many rows as they.

    Args:
        factors: what each p-value is multiplied by in all before it decides.
    """
    needed, most = [0.0] * len(found), 0.0
    for place in sorted(range(len(found)), key=lambda place: found[place].tested[3]):
        difference, _, _, p_value = found[place].tested
        if p_value * factors[place] >= SIGNIFICANCE:
            own = power.rows_to_decide(difference, found[place].spread, SIGNIFICANCE / factors[place], rows)
            most = math.nan if math.isnan(own) else max(most, own)  # NaN once, NaN from there on
        needed[place] = most
    return needed


def _comparison(
    contender: str, baseline: str, score: str, found: Paired, p_value: float, more_rows: float, margin: float
) -> Comparison:
    return Comparison(
        contender,
        baseline,
        score,
        *found.tested[:3],
        p_value,
        test=found.test,
        margin=margin,
        p_non_inferior=found.at_most(-margin) if margin else math.nan,
        effect_size=power.effect_size(found.tested[0], found.by_units, found.units),
        rows_to_decide=more_rows,
        units=found.units,
        training_sd=found.spread.training_sd,
        test_sd=found.spread.test_sd,
    )
