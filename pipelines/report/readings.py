"""What the parts of a report say, in the words that the terminal and the page share."""

from __future__ import annotations

from pipelines.evaluation.scores import GREATER_IS_BETTER
from pipelines.evaluation.verdict import SIGNIFICANCE
from pipelines.report.alerts import AlertReport
from pipelines.report.document import Comparison, Estimate, Gap, NetBenefit, Report
from pipelines.report.lending import ReferralGap
from pipelines.report.wording import interval, number, signed, spoken

AT_BREAK_EVEN = "cost_change_at_break_even"
PER_1000 = "_per_1000"
AS_ASKED = 0.05
"""A share of rows that differs from the budget by more of it than this is not what was asked for."""
FEW_FOLDS = 3
"""So few tests of cross-validation leave intervals that hold nearly everything."""


def p_value(value: float) -> str:
    """A p-value as it is quoted."""
    if value != value:
        return "undefined"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def more_rows(rows: float) -> str:
    """How many more rows would decide; `-` where that is decided or not known."""
    if rows == 0 or rows != rows:
        return "-"
    return "no use" if rows == float("inf") else f"{rows:,.0f}"


def is_better(each: Comparison) -> str:
    """Whether it is better, where that is decided; of several networks a p-value counts once more for each."""
    if not each.p_value < SIGNIFICANCE or each.rows_to_decide > 0:
        return "not clear"
    return "yes" if each.difference > 0 else "no, worse"


def limit_named(name: str, primary: str) -> str:
    """A limit of a task in words."""
    what, _, rest = name.partition("/")
    return {
        "beats_best_baseline": "beats the best baseline",
        "primary_at_least": f"{spoken(primary)} at {'least' if GREATER_IS_BETTER.get(primary, True) else 'most'}",
        "calibration_error_at_most": "calibration error at most",
        "latency_ms_at_most": "milliseconds for a single row at most",
        "membership_at_most": "AUC of telling who was learned from at most",
        "gap_at_most": f"gap of {rest.replace('/', ', ').replace('_', ' ')} at most",  # low end, of two attributes
    }.get(what, name)


def few_folds(document: Report) -> str:
    """That so few folds decide nothing, where cross-validation has so few."""
    folds = max(len(card.by_fold) for card in document.contenders)
    if not 0 < folds <= FEW_FOLDS:
        return ""
    return (
        f"{folds} folds decide next to nothing: they hardly say what folds differ by, so intervals are very wide; "
        "--set protocol.folds=5 or protocol.repeats=5 says more"
    )


def gap_named(metric: str) -> str:
    """How a gap between groups is called."""
    named = spoken(metric) + (" ratio" if metric == "disparate_impact" else "")
    return {"mae": "MAE", "rmse": "RMSE", "auroc_parity": "AUROC parity", "theil_index": "Theil index"}.get(
        metric, named
    )


def gap_is_real(gap: Gap) -> bool:
    """Whether it is more than chance; of a report from before there were p-values the interval says."""
    return gap.low > 0 if gap.p_value != gap.p_value else gap.p_value < SIGNIFICANCE


def gap_sized(gap: Gap) -> Estimate:
    """Its size as people quote it: of disparate impact the ratio, of anything else the difference."""
    if gap.metric == "disparate_impact":
        return Estimate(1 - gap.difference, 1 - gap.high, 1 - gap.low)
    return Estimate(gap.difference, gap.low, gap.high)


def gap_digits(gap: Gap) -> int:
    """Decimals that it is written with."""
    return 4 if gap.metric == "theil_index" else 3


def likeliest_chance(gap: Gap) -> tuple[float, float]:
    """Sorts gaps, those least likely to be chance first."""
    return (gap.p_value if gap.p_value == gap.p_value else 1.0, -gap.low)


def referred_more(gap: ReferralGap, verb: str = "referred") -> str:
    """Which group goes to a person more often, where one does; `verb` says how that is called."""
    if gap.difference == 0:
        return f"{gap.attribute}: no group is {verb} more often than another"
    surely = "" if gap.p_value < SIGNIFICANCE else ", which may be chance"
    return (
        f"{gap.attribute}: {gap.groups[1]} more often than {gap.groups[0]}, by {number(gap.difference)} "
        f"({interval(gap.low, gap.high)}){surely}"
    )


def break_even(document: Report) -> str:
    """Whether the threshold of theory would have been better or worse than the one that was chosen."""
    card, benefit = document.scorecard(document.verdict.network), document.net_benefit
    if AT_BREAK_EVEN not in card.decisions or benefit is None:
        return ""
    change = card.decisions[AT_BREAK_EVEN]
    what = f"from {number(benefit.threshold)} on, where the costs break even, {card.name}'s decisions would"
    ends = interval(change.low, change.high, 1, signed)
    if change.low <= 0 <= change.high:
        return f"{what} not surely cost more or less: {signed(change.value, 1)} per 1000 ({ends})."
    return f"{what} cost {'more' if change.value > 0 else 'less'}: {signed(change.value, 1)} per 1000 ({ends})."


def worth(benefit: NetBenefit | None) -> str:
    """Whether acting on the network is worth more than acting on the best baseline."""
    if benefit is None:
        return ""
    difference, ends = benefit.difference, interval(benefit.difference.low, benefit.difference.high, 4, signed)
    clear = "" if difference.low > 0 or difference.high < 0 else ", which may be chance"
    return (
        f"net benefit of acting from {number(benefit.threshold)} on: {benefit.network} "
        f"{number(benefit.of_network.value, 4)}, {benefit.baseline} {number(benefit.of_baseline.value, 4)}, everyone "
        f"{number(benefit.of_everyone.value, 4)} per row; difference {signed(difference.value, 4)} ({ends}){clear}."
    )


def alerts(told: AlertReport) -> str:
    """The network's lead over the best baseline in money and in frauds found."""
    saved, recall = told.difference["saved_per_day"], told.difference["recall"]
    return (
        f"{told.network} saves {_more(saved)} a day than {told.baseline}{_sure(told, saved)}; {_finds(told, recall)}."
    )


def alert_budget(told: AlertReport) -> str:
    """What was asked for, and what it came to on days of few rows, each of which has one alert at least."""
    if told.budget >= 1:
        return f"{told.budget:g} a day"
    asked, share = f"{100 * told.budget:g} % of a day's rows", told.alerts / max(1, told.rows)
    if not told.rows or abs(share - told.budget) <= AS_ASKED * told.budget:
        return asked
    return f"{asked}, rounded and at least one, which is {100 * share:.2g} % here"


def _sure(told: AlertReport, saved: Estimate) -> str:
    """How sure a difference is, where there is an interval."""
    if saved.low != saved.low or saved.high != saved.high:
        few = "one day shows no spread" if told.days == 1 else f"{told.days} days show too little spread"
        return f" ({few}, so whether this is chance cannot be said)"
    clear = "" if saved.low > 0 or saved.high < 0 else ", which may be chance"
    return f" (difference {interval(saved.low, saved.high, 2, signed)}){clear}"


def _finds(told: AlertReport, recall: Estimate) -> str:
    if not told.frauds:
        return "the test holds no fraud that could be found"
    known = recall.low == recall.low and recall.high == recall.high
    return f"it finds {_more(recall)} of the frauds" + (
        f" ({interval(recall.low, recall.high, 2, signed)})" if known else ""
    )


def _more(difference: Estimate) -> str:
    return f"{number(abs(difference.value), 2)} {'less' if difference.value < 0 else 'more'}"
