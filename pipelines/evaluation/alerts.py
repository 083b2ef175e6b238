"""Alerts: what comes of looking, each day, into the rows that a contender ranks first.

Nobody can look into everything, so what a ranking is worth shows in the few rows a day that can be. The day's alerts
are chosen when it is over, among its rows. Money saved is the amount of each fraud alerted to, less what looking into
all alerts costs. A card (or terminal) is found when one of its frauds is alerted to; the time to that is counted from
its first fraud within the test to the end of the day of the alert.

Every number is a quotient of sums over days, so that a resample of days is two products of matrices. Days are drawn in
blocks of neighbours, since fraud goes on for days (`blocks`). Of several trainings a measure is the mean, and its
interval knows what trainings differ by, as those of scores do (`spread`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation.blocks import length_for_intervals, stationary_counts
from pipelines.evaluation.intervals import percentiles, student
from pipelines.evaluation.outcome import Outcome
from pipelines.evaluation.spread import of_resamples
from pipelines.report.alerts import AlertReport, AtBudget
from pipelines.report.document import Estimate
from pipelines.task import Alerts, Protocol

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

OWNERS = ("card", "terminal")
"""What is compromised, and may have a column in the records."""

MEASURES: Mapping[str, tuple[str, str]] = {
    "precision": ("found", "alerts"),
    "recall": ("found", "frauds"),
    "amount_recall": ("found_amount", "fraud_amount"),
    "saved_per_day": ("saved", "days"),
    **{f"{owner}_recall": (f"{owner}s_found", f"{owner}s") for owner in OWNERS},
    **{f"{owner}_hours_to_detection": (f"{owner}_hours", f"{owner}s_found") for owner in OWNERS},
}
"""Measure -> the two sums over days that it is the quotient of."""

BY_BUDGET = ("recall", "saved_per_day")
"""What is measured for other budgets too."""
BUDGETS, TIMES = 13, 20
"""How many other budgets, from one alert a day to so many times the mean of those that were asked for."""


@dataclass(frozen=True)
class Days:
    """Sums of each day: name -> (days,)."""

    sums: Mapping[str, Floats]

    def measured(self, counts: Floats) -> dict[str, Floats]:
        """Each measure under (b, days) numbers of how often each day counts; NaN where it is undefined."""
        found = {}
        for name, (above, below) in MEASURES.items():
            if above in self.sums and below in self.sums:
                total = counts @ self.sums[below]
                found[name] = np.divide(
                    counts @ self.sums[above], total, out=np.full(len(counts), np.nan), where=total > 0
                )
        return found


def asked(declared: Alerts | None, protocol: Protocol) -> Alerts | None:
    """What the task declares, as far as the protocol does not say otherwise; None where the task has no alerts."""
    if declared is None:
        return None
    budget = protocol.alert_budget or declared.budget
    return Alerts(budget, declared.cost if protocol.alert_cost < 0 else protocol.alert_cost)


def alerts_of(
    outcomes: Mapping[str, Outcome],
    records: Mapping[str, NDArray[Any]],
    asked: Alerts,
    network: str,
    baseline: str,
    resamples: int = 1000,
    seed: int = 0,
) -> AlertReport | None:
    """Every contender's alerts, and how far the network is ahead of the baseline, paired.

    Args:
        outcomes: name -> test of two classes, all of the same rows.
        records: of all rows of the data: `day` (the whole part is the date), `amount`, and where there are some `card`
            and `terminal`.
        asked: how many alerts, and what one costs.

    Returns:
        None where the target has not two classes, or the rows have no days.
    """
    first = next(iter(outcomes.values()))
    if "day" not in records or first.predictions.values.ndim != 2 or first.predictions.values.shape[1] != 2:
        return None
    by_day = {name: days_of(outcome, records, asked) for name, outcome in outcomes.items()}
    saved = {name: np.mean([each.sums["saved"] for each in by_day[name]], axis=0) for name in (network, baseline)}
    n_days = len(saved[network])
    ahead = saved[network] - saved[baseline]
    length = max(length_for_intervals(each) for each in (ahead, *saved.values())) if n_days > 1 else 1.0
    drawn = stationary_counts(np.random.default_rng(seed), n_days, resamples, length).astype(np.float64)
    units = math.ceil(n_days / math.ceil(length))
    measured = {name: [Measured.of(each, drawn) for each in days] for name, days in by_day.items()}

    def at(budget: int) -> AtBudget:
        found = {}
        for name, outcome in outcomes.items():
            trainings = [Measured.of(each, drawn) for each in days_of(outcome, records, Alerts(budget, asked.cost))]
            found[name] = {measure: _estimate(trainings, measure, units) for measure in BY_BUDGET}
        return AtBudget(budget, found)

    sums = by_day[network][0].sums
    return AlertReport(
        budget=asked.budget,
        cost=asked.cost,
        days=n_days,
        alerts=int(sums["alerts"].sum()),
        frauds=int(sums["frauds"].sum()),
        contenders={
            name: {measure: _estimate(trainings, measure, units) for measure in trainings[0].value}
            for name, trainings in measured.items()
        },
        network=network,
        baseline=baseline,
        difference={
            measure: _estimate(
                [ours.less(theirs) for ours, theirs in zip(measured[network], measured[baseline], strict=True)],
                measure,
                units,
                (-math.inf, math.inf),
            )
            for measure in measured[network][0].value
        },
        by_budget=tuple(at(budget) for budget in _budgets(sums["alerts"].mean(), len(first.training(0).rows) / n_days)),
        rows=len(first.training(0).rows),
    )


@dataclass(frozen=True)
class Measured:
    """The measures of one training, and (b,) what each was under resamples of days."""

    value: Mapping[str, float]
    drawn: Mapping[str, Floats]

    @classmethod
    def of(cls, days: Days, drawn: Floats) -> Measured:
        """Those of these days, under (b, days) numbers of how often each day counts."""
        once = np.ones((1, drawn.shape[1]))
        return cls({name: float(each[0]) for name, each in days.measured(once).items()}, days.measured(drawn))

    def less(self, other: Measured) -> Measured:
        """What is left without the other's, on the same resamples."""
        return Measured(
            {name: value - other.value[name] for name, value in self.value.items()},
            {name: each - other.drawn[name] for name, each in self.drawn.items()},
        )


def _estimate(
    trainings: Sequence[Measured], measure: str, units: int, limits: tuple[float, float] | None = None
) -> Estimate:
    """The mean over the trainings; its interval holds what days, and trainings where there are several, differ by."""
    values, drawn = [each.value[measure] for each in trainings], [each.drawn[measure] for each in trainings]
    if len(trainings) == 1:
        return Estimate(values[0], *percentiles(drawn[0], units))
    least = -math.inf if measure == "saved_per_day" else 0.0
    most = 1.0 if measure == "precision" or measure.endswith("recall") else math.inf
    return student(float(np.mean(values)), of_resamples(values, drawn, units), limits or (least, most))


def _budgets(asked: float, most: float) -> list[int]:
    """Whole numbers of alerts a day, evenly on a scale of ratios, at most as many as a day has rows."""
    last = max(1.0, min(TIMES * asked, most))
    return sorted({round(each) for each in np.geomspace(1, last, BUDGETS)})


def days_of(outcome: Outcome, records: Mapping[str, NDArray[Any]], asked: Alerts) -> list[Days]:
    """The sums of each day of the test, by each training."""
    found = []
    for number in range(outcome.trainings):
        tested = outcome.training(number)
        of_rows = {name: values[tested.rows] for name, values in records.items()}
        found.append(Days(_sums(tested.target == 1, tested.predictions.values[:, 1], of_rows, asked)))
    return found


def chosen(score: Floats, day: Codes, budget: float) -> NDArray[np.bool_]:
    """(n,) whether each row is among its day's alerts: those of the highest scores, of equal ones the earlier row.

    Args:
        day: (n,) number of its day, 0 and up.
        budget: below 1 a share of the day's rows, rounded and at least one; from 1 on a number.
    """
    rows = np.bincount(day)
    most = np.maximum(1, np.rint(budget * rows)) if budget < 1 else np.full(len(rows), budget)
    order = np.lexsort((np.arange(len(day)), -score, day))
    rank = np.empty(len(day), np.int64)
    rank[order] = np.arange(len(day)) - np.repeat(np.cumsum(rows) - rows, rows)
    return np.asarray(rank < most[day])


def _sums(
    fraud: NDArray[np.bool_], score: Floats, records: Mapping[str, NDArray[Any]], asked: Alerts
) -> dict[str, Floats]:
    day = np.unique(np.floor(records["day"]), return_inverse=True)[1]
    days = int(day.max(initial=-1)) + 1
    alert = chosen(score, day, asked.budget)
    found = alert & fraud

    def per_day(values: Any) -> Floats:
        return np.bincount(day, values, days).astype(np.float64)

    sums = {"days": np.ones(days), "alerts": per_day(alert), "frauds": per_day(fraud), "found": per_day(found)}
    if "amount" in records:
        sums |= {"fraud_amount": per_day(fraud * records["amount"]), "found_amount": per_day(found * records["amount"])}
        sums["saved"] = sums["found_amount"] - asked.cost * sums["alerts"]
    else:
        sums["saved"] = -asked.cost * sums["alerts"]
    for owner in (each for each in OWNERS if each in records):
        sums |= _owners(owner, records[owner], fraud, found, records["day"], day, days)
    return sums


def _owners(
    owner: str, of: Codes, fraud: NDArray[np.bool_], found: NDArray[np.bool_], time: Floats, day: Codes, days: int
) -> dict[str, Floats]:
    """Compromised cards or terminals, on the day of their first fraud: how many, how many found, and after how long.

    A payment at no terminal has a number below 0, and compromises none.
    """
    fraud, found = fraud & (of >= 0), found & (of >= 0)
    whose, code = np.unique(of[fraud], return_inverse=True)
    first, seen = np.full(len(whose), np.inf), np.full(len(whose), np.inf)
    np.minimum.at(first, code, time[fraud])
    np.minimum.at(seen, np.searchsorted(whose, of[found]), np.floor(time[found]) + 1)  # the day's alerts, at its end
    began = np.full(len(whose), days)
    np.minimum.at(began, code, day[fraud])
    detected = np.isfinite(seen)
    hours = np.where(detected, seen - first, 0.0) * 24
    return {
        f"{owner}s": np.bincount(began, minlength=days).astype(np.float64),
        f"{owner}s_found": np.bincount(began, detected, days).astype(np.float64),
        f"{owner}_hours": np.bincount(began, hours, days).astype(np.float64),
    }
