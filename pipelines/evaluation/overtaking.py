"""Overtaking: where a network passes the best baseline as data grows, in numbers and in a sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pipelines.evaluation.growth import Outcomes, crossing, crossing_interval
from pipelines.evaluation.verdict import SIGNIFICANCE, _p
from pipelines.objectives.objective import Objective
from pipelines.report.document import Comparison, Estimate
from pipelines.report.study import Gain, Reading, Size, lead


def read(
    network: str,
    sizes: Sequence[Size],
    outcomes: Sequence[Outcomes],
    gains: Sequence[Gain],
    objective: Objective,
    resamples: int,
    seed: int,
) -> Reading:
    """Where this network overtakes the best baseline.

    At each size that is the baseline with the best value on the tested rows there, which favours the baselines. What
    counts is from where on the network stays ahead: a lead that is lost again with more data is none.

    Args:
        sizes: rising.
        outcomes: of each size.
    """
    primary, better = objective.primary, objective.greater_is_better(objective.primary)
    leads = [lead(size, network, primary, better) for size in sizes]
    known = [(size, tests, found) for size, tests, found in zip(sizes, outcomes, leads, strict=True) if found]
    if not known:
        sentence = f"{network} could not be compared with a baseline at any amount of data."
        return Reading(network, None, None, Estimate(math.nan), (), sentence)
    measured = [(size.rows, found) for size, _, found in known]
    rows, values = [n for n, _ in measured], np.array([found.difference for _, found in measured])
    ahead = _lasting([value > 0 for value in values])
    sure = _lasting(
        [value > 0 and found.p_value < SIGNIFICANCE for value, (_, found) in zip(values, measured, strict=True)]
    )
    at = float(crossing(rows, values)[0])
    low, high = crossing_interval(
        rows,
        [tests[network] for _, tests, _ in known],
        [tests[found.baseline] for _, tests, found in known],
        objective,
        resamples,
        seed,
    )
    between = () if ahead in (None, 0) else (rows[ahead - 1], rows[ahead])
    crossed = Estimate(_measured(at), _measured(low), _measured(high))
    tests = sum(len(size.comparisons) for size in sizes)
    said = _overtaking(measured, ahead, crossed, between, primary) + _sureness(measured, ahead, sure, tests)
    sentence = " ".join(filter(None, [f"{network} {said}", _growing(network, known[-1][2].baseline, gains, primary)]))
    return Reading(
        network,
        None if ahead is None else rows[ahead],
        None if sure is None else rows[sure],
        crossed,
        between,
        sentence,
    )


def _lasting(holds: Sequence[bool]) -> int | None:
    """The first place from which on all hold; None where the last does not."""
    place = len(holds)
    while place and holds[place - 1]:
        place -= 1
    return place if place < len(holds) else None


def _measured(rows: float) -> float:
    """A crossing between sizes; NaN where it lies below or beyond all of them."""
    return rows if 0 < rows < math.inf else math.nan


def _overtaking(
    measured: Sequence[tuple[int, Comparison]], ahead: int | None, at: Estimate, between: tuple[int, ...], primary: str
) -> str:
    smallest, (largest, last) = measured[0][0], measured[-1]
    if ahead is None:
        sometimes = [f"{rows:,}" for rows, each in measured if each.difference > 0]
        before = f"; it was ahead at {' and '.join(sometimes)} rows only" if sometimes else ""
        level = "is level with" if last.difference == 0 else f"is {_by(last, primary)} behind"
        return (
            f"does not overtake the best baseline with up to {largest:,} rows, where it {level} {last.baseline}{before}"
        )
    lead_there = f"with {largest:,} it leads {last.baseline} by {_by(last, primary)}"
    if ahead == 0:
        return f"is ahead of the best baseline at every amount of data, from {smallest:,} rows on; {lead_there}"
    low = f"below {smallest:,}" if math.isnan(at.low) else f"{at.low:,.0f}"
    high = f"beyond {largest:,}" if math.isnan(at.high) else f"{at.high:,.0f}"
    return (
        f"overtakes the best baseline between {between[0]:,} and {between[1]:,} rows, at about {at.value:,.0f} (95 % "
        f"interval {low} to {high}); {lead_there}"
    )


def _by(found: Comparison, primary: str) -> str:
    ends = (found.low, found.high) if found.difference > 0 else (-found.high, -found.low)
    interval = "" if math.isnan(found.low) else f" ({_signed(ends[0])} to {_signed(ends[1])})"
    return f"{abs(found.difference):.3g} {called(primary)}{interval}"


def _sureness(measured: Sequence[tuple[int, Comparison]], ahead: int | None, sure: int | None, tests: int) -> str:
    """Ends the sentence: what of it can be told from chance.

    Args:
        tests: how many p-values were corrected together.
    """
    last = measured[-1][1]
    p_value, corrected = _p(last.p_value), f"corrected for {tests} tests"
    if ahead is None:
        worse = last.difference < 0 and last.p_value < SIGNIFICANCE
        return f", which is {'' if worse else 'not '}significant ({p_value}, {corrected})."
    lost = [f"{rows:,}" for rows, each in measured if each.difference > 0 and each.p_value < SIGNIFICANCE]
    if sure is not None:
        where = f"from {measured[sure][0]:,} rows on"
    else:
        where = f"only at {' and '.join(lost)} rows" if lost else "at no amount of data"
    return f". The lead is significant {where} ({p_value} with the most rows, {corrected})."


def _growing(network: str, baseline: str, gains: Sequence[Gain], primary: str) -> str:
    """What the last doublings gave the network and the baseline that is best in the end."""
    by_name = {gain.contender: gain for gain in gains}
    told = [by_name[name] for name in (network, baseline) if name in by_name]
    spans = dict.fromkeys((gain.from_rows, gain.to_rows) for gain in told)
    if len(told) < 2 or len(spans) != 1 or any(math.isnan(gain.per_doubling.value) for gain in told):
        return ""
    ((less, more),) = spans
    parts = [f"{gain.contender} {_gained(gain.per_doubling)}" for gain in told]
    return f"From {less:,} to {more:,} rows each doubling improved {called(primary)} by: {'; '.join(parts)}."


def _gained(each: Estimate) -> str:
    interval = "" if math.isnan(each.low) else f" ({_signed(each.low)} to {_signed(each.high)})"
    return f"{_signed(each.value)}{interval}"


def _signed(value: float) -> str:
    return f"{value:+.4f}" if abs(value) < 1 else f"{value:+.3g}"


def called(score: str) -> str:
    """A score's name in a sentence."""
    return score.upper() if score in ("auroc", "rmse", "mae", "f1", "r2") else score.replace("_", " ")
