"""Calibration: whether predicted probabilities come true, of every contender, with intervals.

All of it is of the pooled rows, as groups are (`bias`): units are the ids, else the rows, so repeated rows and rows of
one patient are counted once. Under cross-validation that is the calibration of rows by models that did not see them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation import recalibration
from pipelines.evaluation.calibration_error import Binned, debiased
from pipelines.evaluation.intervals import mean
from pipelines.evaluation.outcome import Outcome
from pipelines.evaluation.recalibration import Rows
from pipelines.evaluation.scores import top_label
from pipelines.objectives.objective import Objective
from pipelines.report.document import Estimate

Floats = NDArray[np.float64]

SIGNIFICANCE = 0.02
"""Of the test; with the lower end of the error's interval there are two ways to find fault, which share 5 %."""
TOO_WIDE = 0.25
"""Where the error may be more than this, not finding fault says that rows are few and nothing of probabilities."""
LIMITS = {
    "debiased_calibration_error": (0.0, 1.0), "observed_minus_predicted": (-1.0, 1.0), "brier": (0.0, 1.0),
    "reliability": (0.0, 1.0), "resolution": (0.0, 0.25), "uncertainty": (0.0, 0.25),
}  # fmt: skip
"""What the true value of each measure can be at least and at most; resolution is a part of p (1 - p)."""


def measured(outcome: Outcome, objective: Objective, probabilities: NDArray[Any] | None = None) -> dict[str, Estimate]:
    """How well the tested probabilities are calibrated; empty where there are none.

    Args:
        probabilities: (n, classes) in place of the outcome's own.

    Returns:
        `debiased_calibration_error` (the expected calibration error, without what chance adds to it),
        `observed_minus_predicted` (the rate less the mean probability), `in_the_large` (the same in log odds),
        `slope`, `p_value` (of calibrated probabilities; without interval) and, of two classes, `brier` and its parts:
        reliability - resolution + uncertainty + within_bins. Of several classes the top label is judged: its
        probability against whether it is right.
    """
    values = np.asarray(outcome.predictions.values if probabilities is None else probabilities)
    if objective.kind != "classification" or values.ndim != 2:
        return {}
    target, probability = (outcome.target, values[:, 1]) if values.shape[1] == 2 else top_label(outcome.target, values)
    rows = Rows.of(target, probability, outcome.weight, outcome.clusters)
    binned = Binned(rows, np.asarray(probability, np.float64))
    if not rows.weight.sum() > 0 or np.isnan(binned.probability).any():
        return {}
    found = {
        "debiased_calibration_error": debiased(binned),
        "observed_minus_predicted": mean(rows.target - binned.probability, outcome.weight, outcome.clusters),
        "in_the_large": recalibration.in_the_large(rows),
        "slope": recalibration.slope(rows),
        "p_value": Estimate(recalibration.score_test(rows)),
    }
    found |= brier_parts(binned) if values.shape[1] == 2 else {}
    return {name: _possible(each, *LIMITS.get(name, (-math.inf, math.inf))) for name, each in found.items()}


def _possible(estimate: Estimate, lowest: float, highest: float) -> Estimate:
    """The estimate with the ends of its interval where the true value can be; they always reach to the estimate.

    The estimate itself stays, as parts that chance is taken from may fall below 0 and still add up.
    """
    low, high = np.clip([estimate.low, estimate.high], lowest, highest)
    return Estimate(estimate.value, float(np.minimum(low, estimate.value)), float(np.maximum(high, estimate.value)))


def told_honestly(scores: Mapping[str, Estimate], measures: Mapping[str, Estimate]) -> dict[str, Estimate]:
    """The scores, with the interval of the true error at the plain calibration error, which chance enlarges.

    It reaches to the plain value where that lies above it.
    """
    told, name = dict(scores), "expected_calibration_error"
    if name in told and "debiased_calibration_error" in measures:
        plain, true = told[name].value, measures["debiased_calibration_error"]
        told[name] = Estimate(plain, float(np.minimum(true.low, plain)), float(np.maximum(true.high, plain)))
    return told


def brier_parts(binned: Binned) -> dict[str, Estimate]:
    """The Brier score of class 1 and what it is made of; the parts add up to it exactly.

    brier = reliability - resolution + uncertainty + within_bins. Reliability is the mean square of the bins' errors,
    resolution how far the bins' rates differ (more is better), uncertainty the variance of the outcome, `within_bins`
    what the probabilities within a bin do (their variance less twice their covariance with the outcome). Chance
    enlarges both reliability and resolution; what it adds on average is taken from both, so reliability may come out a
    little below 0. Its interval reaches to its value, and is a little too wide where units are few (it holds the truth
    in 97.6 % of simulated tests of 80 patients).

    References: Murphy (1973), Journal of Applied Meteorology 12(4); Stephenson, Coelho and Jolliffe (2008), Weather and
    Forecasting 23(4), for what is within bins; Ferro and Fricker (2012), Quarterly Journal of the Royal Meteorological
    Society 138(668), for what chance adds.
    """
    rows, said, bin_of = binned.rows, binned.probability, binned.bin
    weight, clusters = rows.weight, rows.clusters

    def known(values: Floats, shift: float = 0.0) -> Estimate:
        """The mean of what each row adds, less a shift."""
        plain = mean(values, weight, clusters)
        return Estimate(plain.value - shift, plain.low - shift, plain.high - shift)

    rate = float(weight @ rows.target / weight.sum())
    rates, meant = (binned.means(values)[bin_of] for values in (rows.target, said))
    above, beyond = rows.target - rates, said - meant
    of_rate = mean(rows.target, weight, clusters)
    # Variance of the rate itself, by which the plain uncertainty is too small.
    lost = float(np.square((of_rate.high - of_rate.low) / (2 * _critical(rows.units)))) if rows.units > 1 else 0.0
    inverted, plain = debiased(binned, power=2), binned.reliability - binned.noise
    return {
        "brier": mean(np.square(said - rows.target), weight, clusters),
        "reliability": Estimate(plain, float(np.minimum(inverted.low, plain)), float(np.maximum(inverted.high, plain))),
        "resolution": known(np.square(rates - rate) + 2 * (rates - rate) * above, binned.noise - lost),
        "uncertainty": known(rate * (1 - rate) + (1 - 2 * rate) * (rows.target - rate), -lost),
        "within_bins": known(np.square(beyond) - 2 * beyond * above),
    }


def sentence(name: str, found: Mapping[str, Estimate]) -> str:
    """What the measures say of a contender's probabilities, for a person."""
    error, slope, excess = (found[each] for each in ("debiased_calibration_error", "slope", "observed_minus_predicted"))
    # Either of the two finds fault; what is wrong is then described by whatever is sure.
    if not found["p_value"].value < SIGNIFICANCE and not error.low > 0:
        return _faultless(name, error)
    faults = []
    if slope.high < 1:
        faults.append("overconfident, too near 0 and 1")
    if slope.low > 1:
        faults.append("underconfident, too far from 0 and 1")
    if excess.high < 0 or excess.low > 0:
        faults.append(f"too {'low' if excess.value > 0 else 'high'} by {100 * abs(excess.value):.1f} points on average")
    what = " and ".join(faults) or "wrong in places, but it is not sure that they are wrong in one way throughout"
    known = "; ".join(f"{each} {_with_ends(measure)}" for each, measure in (("slope", slope), ("error", error)))
    return f"{name}'s probabilities are {what} ({known})."


def _faultless(name: str, error: Estimate) -> str:
    """That no fault was found, which means little where rows are few."""
    if error.high > TOO_WIDE:
        return (
            f"Whether {name}'s probabilities come true cannot be told from so few rows: their error may be anything up "
            f"to {error.high:.3f}."
        )
    most = "" if math.isnan(error.high) else f": their error may be anything up to {error.high:.3f}"
    return f"{name}'s probabilities cannot be told from calibrated ones{most}."


def _with_ends(estimate: Estimate) -> str:
    if math.isnan(estimate.value):
        return "undefined"
    ends = "" if math.isnan(estimate.low) else f", {estimate.low:.3f} to {estimate.high:.3f}"
    return f"{estimate.value:.3f}{ends}"


def _critical(units: int) -> float:
    from scipy.stats import t

    return float(t.ppf(0.975, units - 1))
