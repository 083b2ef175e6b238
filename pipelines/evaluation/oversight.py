"""Oversight: what may be automated at a stated error, measured on tested rows, and what is left to persons.

Intervals are of the cut-offs that were chosen on validation rows. Of cross-validation the automated share is the mean
over the folds, with the corrected interval, for every fold chose its own.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation import risk_coverage, sent
from pipelines.evaluation.decisions import AT_ONCE
from pipelines.evaluation.intervals import cross_validated, mean, proportion
from pipelines.evaluation.outcome import Outcome
from pipelines.report.document import Estimate
from pipelines.report.lending import ReferralGap, ReferredGroup
from pipelines.report.oversight import Automated, DecidedClass, Oversight

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

NORMAL = 1.959963984540054
"""Standard errors in half a 95 % interval."""


def measured(
    outcome: Outcome,
    confidence: Floats,
    automated: Mapping[float, Flags],
    at: float,
    rows: int,
    labels: Sequence[str],
    never: Collection[float] = (),
) -> Oversight:
    """What automating the surest decisions does to the tested rows.

    Args:
        confidence: (n,) of each decision.
        automated: stated error -> (n,) whether each decision needs no person.
        at: the stated error that is acted on.
        rows: how many independent validation rows the cut-offs of the kept model rest on.
        labels: the classes, in the order of their numbers.
        never: stated errors at which nothing may be automated, of whatever rows; nothing is estimated there.
    """
    decided = outcome.predictions.labels()
    wrong, alone = decided != outcome.target, automated[at]
    of_classes: tuple[DecidedClass, ...] = ()
    groups: tuple[ReferredGroup, ...] = ()
    gaps: tuple[ReferralGap, ...] = ()
    if at not in never:
        of_classes = tuple(_of_class(outcome, decided, alone, number, label) for number, label in enumerate(labels))
        groups, gaps = sent.by_group(outcome, ~alone, ~wrong)
    return Oversight(
        at=at,
        rows=rows,
        error_of_all=_share(outcome, wrong),
        levels=tuple(
            _nothing(error) if error in never else _level(outcome, wrong, flags, error)
            for error, flags in sorted(automated.items(), key=lambda each: each[0])
        ),
        classes=of_classes,
        groups=groups,
        gaps=gaps,
        shares=tuple(_by_round(outcome, alone).tolist()),
        curve=risk_coverage.curve(outcome, wrong, confidence),
        areas=risk_coverage.areas(outcome, wrong, confidence),
    )


def more(ours: Outcome, automated: Flags, by_other: Flags) -> Estimate:
    """How much larger a share of the same rows one contender automates than another.

    Args:
        automated: (n,) of `ours`.
        by_other: (n,) of the other, which was tested on the same rows in the same order.
    """
    return _over_all(ours, automated.astype(np.float64) - by_other, (-1.0, 1.0))


def _level(outcome: Outcome, wrong: Flags, automated: Flags, at: float) -> Automated:
    share = _over_all(outcome, automated.astype(np.float64), (0.0, 1.0))
    return Automated(
        at=at,
        share=share,
        error=_share(outcome, wrong, automated),
        sent_per_1000=Estimate(1 - share.value, 1 - share.high, 1 - share.low).times(AT_ONCE),
        caught=_share(outcome, ~automated, wrong),
        left_per_1000=_share(outcome, wrong & automated).times(AT_ONCE),
    )


def _nothing(at: float) -> Automated:
    """Every decision goes to a person, which is no estimate."""
    none, all_ = Estimate(0.0, 0.0, 0.0), Estimate(1.0, 1.0, 1.0)
    return Automated(at, none, Estimate(math.nan), all_.times(AT_ONCE), all_, none)


def _of_class(outcome: Outcome, decided: NDArray[np.int64], automated: Flags, number: int, label: str) -> DecidedClass:
    so, truly = decided == number, outcome.target == number
    return DecidedClass(
        label=label,
        n=len(np.unique(outcome.rows[so])),
        share=_share(outcome, automated, so),
        error=_share(outcome, ~truly, so & automated),
        lost=_share(outcome, automated & ~so, truly),
    )


def _share(outcome: Outcome, hits: Flags, among: Flags | None = None) -> Estimate:
    """Share of the rows that hit, or of some of them."""
    kept = np.ones(len(hits), bool) if among is None else among
    return proportion(
        hits[kept], *(None if each is None else each[kept] for each in (outcome.weight, outcome.clusters))
    )


def _over_all(outcome: Outcome, values: Floats, limits: tuple[float, float]) -> Estimate:
    """The mean of a share, or of a difference of shares: of the rows, or of folds that are judged one by one."""
    of: tuple[Any, Any] = (outcome.weight, outcome.clusters)
    pooled = proportion(values > 0, *of) if limits[0] == 0 else mean(values, *of)
    if outcome.apart:
        by_fold = _by_round(outcome, values)
        places = {each.start: place for place, each in enumerate(outcome.rounds)}
        folds = [np.mean([by_fold[places[each.start]] for each in fold]) for fold in outcome.parts]
        pooled = cross_validated(np.array(folds), *outcome.sizes, (pooled.high - pooled.low) / 2 / NORMAL)
    return Estimate(pooled.value, float(np.maximum(pooled.low, limits[0])), float(np.minimum(pooled.high, limits[1])))


def _by_round(outcome: Outcome, values: NDArray[Any]) -> Floats:
    """(rounds,) mean of the values in each fold and training."""
    weight = np.ones(len(outcome)) if outcome.weight is None else outcome.weight
    found = [
        np.average(values[each.start : each.stop], weights=part)
        if (part := weight[each.start : each.stop]).any()
        else 0
        for each in outcome.rounds
    ]
    return np.array(found, np.float64)
