"""What operating points say, in the words that the terminal and the page share."""

from __future__ import annotations

import math

from pipelines.evaluation.verdict import SIGNIFICANCE
from pipelines.report.document import Comparison, Estimate
from pipelines.report.operating import OperatingPoint
from pipelines.report.wording import interval, number, signed

CASES = 1000
"""That are told of."""
VERBS = {"sensitivity": "of the positive rows are found", "specificity": "of the negative rows are left alone"}


def at_target(point: OperatingPoint) -> str:
    """`at 90 % specificity`."""
    return f"at {100 * point.share:g} % {point.side}"


def asked(point: OperatingPoint) -> str:
    """What the threshold was chosen for: `90 % of the negative rows are left alone`."""
    return f"{100 * point.share:g} % {VERBS[point.side]}"


def missed_target(point: OperatingPoint) -> str:
    """That tested rows surely do not keep what validation rows promised; empty where they may."""
    reached: Estimate = getattr(point, point.side)
    if not reached.high < point.share:
        return ""
    return (
        f"tested rows do not keep it: {100 * reached.value:.1f} % ({100 * reached.low:.1f} to {100 * reached.high:.1f})"
    )


def of_cases(name: str, point: OperatingPoint) -> str:
    """What happens to a thousand cases, at the prevalence that predictive values are told for."""
    if point.why_not:
        return f"{name} {at_target(point)}: no threshold could be chosen, for {point.why_not}."
    ill, found, alone = CASES * point.prevalence, point.sensitivity.value, point.specificity.value
    if math.isnan(found) or math.isnan(alone):
        return f"{name} {at_target(point)}: the tested rows are of one class, so nothing can be said."
    right = round(ill * found)
    whose = "stated" if point.stated else "as tested"
    said = (
        f"{name} {at_target(point)}: of {CASES} cases, {round(ill)} of them positive ({whose}), it finds {right} and "
        f"misses {round(ill) - right}, and alarms {round((CASES - ill) * (1 - alone))} of the others for nothing"
    )
    for value, of in ((point.precision, "alarms"), (point.right_negatives, "all-clears")):
        ends = f"{100 * value.low:.1f} to {100 * value.high:.1f}"
        if not math.isnan(value.value):
            said += f"; of 100 {of} {100 * value.value:.1f} are right ({ends})"
    return f"{said}."


def lead(test: Comparison) -> str:
    """Whether the network is better than the best baseline at this point of the curve."""
    what = test.score.replace("_", " ").replace(" percent", " %")
    if math.isnan(test.difference):
        return f"{what}: the difference of {test.contender} and {test.baseline} is not known."
    clear = "" if test.p_value < SIGNIFICANCE else ", which may be chance"
    return (
        f"{what}: {test.contender} {signed(test.difference)} against {test.baseline} "
        f"({interval(test.low, test.high, 3, signed)}), both on their own curves{clear}."
    )


def threshold(point: OperatingPoint) -> str:
    """At which the model that is kept decides; `-` where none was chosen."""
    return "-" if point.why_not else number(point.thresholds[0])
