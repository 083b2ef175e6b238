"""Verdict: does the network beat the best baseline, and do the task's limits hold?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from pipelines.evaluation import membership
from pipelines.report.document import Answer, Comparison, LimitResult, Scorecard, Verdict
from pipelines.task import Limits

SIGNIFICANCE = 0.05
"""Largest p-value, after correction, that decides."""


def judge(
    task_limits: Limits,
    networks: Sequence[str],
    baselines: Sequence[str],
    scorecards: Sequence[Scorecard],
    comparisons: Sequence[Comparison],
    primary: str,
    greater_is_better: bool,
    n: int,
) -> Verdict:
    """Answer the one question of a run.

    The best network and the best baseline are those of the best primary score on the test rows. Choosing the
    baseline with hindsight favours the baseline, so a yes is conservative; choosing among several networks would
    favour the network, so its p-value is multiplied by their number (Bonferroni) on top of Holm's correction over
    the baselines.

    Args:
        task_limits: what must hold; it is measured on the best network.
        networks, baselines: names among the scorecards.
        scorecards: of every contender.
        comparisons: of each network with each baseline, Holm-corrected.
        primary: the score that decides.
        greater_is_better: its direction.
        n: how many rows of the data were tested, each counted once.

    Returns:
        `yes` or `no` where the difference is significant, else `inconclusive`. The winner is the contender with the
        best value; the sentence says whether that can be told from chance. Where the comparisons have a margin,
        `non_inferior` is `yes` where being worse by the margin or more is significantly refuted (one-sided, 2.5 %,
        after the same correction for several networks), `no` where being worse by more is shown as surely and the upper
        end of the interval lies below the margin, else `inconclusive`.
    """
    cards = {card.name: card for card in scorecards}

    def best(names: Sequence[str]) -> str:
        return max(names, key=lambda name: _goodness(cards[name], primary, greater_is_better))

    network, baseline = best(networks), best(baselines)
    tested = next((each for each in comparisons if (each.contender, each.baseline) == (network, baseline)), None)
    p_value = 1.0 if tested is None else min(1.0, tested.p_value * len(networks))
    answer = _answer(tested, p_value)
    margin = 0.0 if tested is None else tested.margin
    non_inferior = _non_inferior(tested, len(networks)) if margin else ""
    limits = _check(task_limits, cards[network], answer, tested, primary, greater_is_better)
    return Verdict(
        winner=best([*networks, *baselines]),
        network_beats_best_baseline=answer,
        limits=limits,
        passed=all(limit.passed for limit in limits),
        network=network,
        best_baseline=baseline,
        sentence=" ".join(
            [
                _sentence(answer, network, baseline, primary, tested, p_value, n, len(networks)),
                *_of_margin(non_inferior, tested, primary, len(networks)),
                *_of_more_rows(tested, n),
            ]
        ),
        non_inferior=non_inferior,
        margin=margin,
        rows_to_decide=math.nan if tested is None else tested.rows_to_decide,
    )


def _goodness(card: Scorecard, primary: str, greater_is_better: bool) -> float:
    value = card.scores[primary].value
    if math.isnan(value):
        return -math.inf
    return value if greater_is_better else -value


def _answer(tested: Comparison | None, p_value: float) -> Answer:
    if tested is None or not p_value < SIGNIFICANCE:
        return "inconclusive"
    return "yes" if tested.difference > 0 else "no"


def _sentence(
    answer: Answer,
    network: str,
    baseline: str,
    primary: str,
    tested: Comparison | None,
    p_value: float,
    n: int,
    networks: int,
) -> str:
    name = _spoken(primary)
    if tested is None or math.isnan(tested.difference):
        return f"Inconclusive: {network} and {baseline} could not be compared by {name} on {n} tested rows."
    size = abs(tested.difference)
    apart = tested.low > 0 or tested.high < 0
    corrected = "; p is corrected for the number of comparisons, the interval is not" if apart else ""
    interval = f"95 % interval of the difference {tested.low:+.3g} to {tested.high:+.3g}, {_p(p_value)}"
    if p_value != tested.p_value:  # the table of comparisons has the other one
        interval += f" as the best of {networks} networks"
    if answer == "yes":
        return (
            f"Yes: on {n} tested rows {network} beats {baseline}, the best baseline, by {size:.3g} {name} ({interval})."
        )
    if answer == "no":
        return (
            f"No: on {n} tested rows {network} is worse than {baseline}, the best baseline, by {size:.3g} {name} "
            f"({interval})."
        )
    ahead = f"{network if tested.difference > 0 else baseline} is ahead by {size:.3g} {name}"
    return (
        f"Inconclusive: on {n} tested rows {network} and {baseline}, the best baseline, cannot be told apart; "
        f"{ahead if size else f'both have the same {name}'} ({interval}{corrected})."
    )


def _non_inferior(tested: Comparison | None, networks: int) -> Answer:
    if tested is None or math.isnan(tested.difference):
        return "inconclusive"
    if tested.p_non_inferior * networks < SIGNIFICANCE / 2:
        return "yes"
    worse = tested.high < -tested.margin and (1 - tested.p_non_inferior) * networks < SIGNIFICANCE / 2
    return "no" if worse else "inconclusive"


def _of_margin(answer: Answer | Literal[""], tested: Comparison | None, primary: str, networks: int) -> Sequence[str]:
    """What is known of the margin, in words."""
    if not answer or tested is None:
        return []
    by = f"by more than the margin of {tested.margin:g} {_spoken(primary)}"
    p_value = min(1.0, tested.p_non_inferior * networks)
    said = {
        "yes": f"It is not worse {by} (one-sided {_p(p_value)}).",
        "no": f"It is worse {by}.",
        "inconclusive": f"Whether it is worse {by} is not decided (one-sided {_p(p_value)}; 0.025 would do).",
    }
    return [said[answer]]


def _of_more_rows(tested: Comparison | None, n: int) -> Sequence[str]:
    """What it would take to decide, in words; nothing where it is decided or not known."""
    if tested is None or math.isnan(tested.rows_to_decide) or tested.rows_to_decide == 0:
        return []
    if math.isinf(tested.rows_to_decide):
        return [
            "More rows would not decide it while the lead stays as it is: trainings differ by more than that among "
            "themselves; train from more seeds (protocol.seeds)."
        ]
    rows = tested.rows_to_decide
    units = _two_digits(rows * tested.units / n)
    kind = "stretches of time" if "block" in tested.test or tested.test == "Ledoit-Wolf" else "ids"
    of = f" (of {units:,} more {kind})" if 0 < tested.units < n else ""
    return [f"About {rows:,.0f} more tested rows{of} would decide it if the lead stays as it is (80 % power)."]


def _two_digits(value: float) -> int:
    return int(float(f"{max(value, 1.0):.2g}"))


def _spoken(score: str) -> str:
    name = score.replace("_", " ")
    if name == "sharpe":
        return "Sharpe"
    return name.upper() if name in ("auroc", "rmse", "mae", "f1", "r2") else name


def _p(p_value: float) -> str:
    return f"p = {p_value:.2g}" if p_value >= 0.001 else "p < 0.001"


def _check(
    limits: Limits,
    card: Scorecard,
    answer: Answer,
    tested: Comparison | None,
    primary: str,
    greater_is_better: bool,
) -> tuple[LimitResult, ...]:
    """Every limit that the task sets. What could not be measured is not known to hold, so it fails."""
    found = []
    if limits.beats_best_baseline:
        difference = math.nan if tested is None else tested.difference
        found.append(LimitResult("beats_best_baseline", difference, 0.0, answer == "yes"))
    if limits.primary_at_least is not None and limits.score in ("", primary):
        value, limit = card.scores[primary].value, limits.primary_at_least
        # "At least as good as": a score that is better when smaller must not exceed its limit.
        found.append(
            LimitResult("primary_at_least", value, limit, value >= limit if greater_is_better else value <= limit)
        )
    for metric, limit in limits.gap_at_most.items():
        for name, value in _measured(card, metric) or [(metric, math.nan)]:
            found.append(LimitResult(f"gap_at_most/{name}", value, limit, value <= limit))
    if limits.calibration_error_at_most is not None:
        error, limit = card.scores.get("expected_calibration_error"), limits.calibration_error_at_most
        value = math.nan if error is None else error.value
        found.append(LimitResult("calibration_error_at_most", value, limit, value <= limit))
    if limits.membership_at_most is not None and card.membership:
        value, limit = membership.worst(card.membership).value, limits.membership_at_most
        found.append(LimitResult("membership_at_most", value, limit, value <= limit))
    if limits.latency_ms_at_most is not None:
        value, limit = card.cost.latency_ms, limits.latency_ms_at_most
        found.append(LimitResult("latency_ms_at_most", value, limit, value <= limit))
    return tuple(found)


def _measured(card: Scorecard, metric: str) -> list[tuple[str, float]]:
    """What a limit on a gap is held against: (name, value), as `Limits.gap_at_most` says."""
    gaps = [gap for gap in card.gaps if gap.metric == metric]
    single = [(f"{gap.attribute}/{metric}", gap.difference) for gap in gaps if not gap.intersection]
    crossed = [gap for gap in gaps if gap.intersection and not math.isnan(gap.difference)]
    return single + [(f"{gap.attribute}/{metric}/low_end", gap.low) for gap in crossed]
