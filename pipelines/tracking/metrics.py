"""How a scorecard, a history and a report are named in MLflow, and how they are read back.

`auroc`, `auroc.low`, `auroc.high`; `decisions/sensitivity`; `calibration/slope`; `cost/train_seconds`;
`machine/matmul_gflops`; `group/sex/F/tpr`; `gap/sex/equalized_odds` with `.p_value` and `.n` (of the smaller group);
`mitigation/mlp/reweighing/sex/equalized_odds`, which is a change;
`importance/Income` and `attribution/Income`, of the first `MOST_PARTS`;
`privacy/mlp-eps3/score`, how much worse than without, and `privacy/mlp-eps3/sex/equalized_odds`, a change;
`operating/specificity 90 percent/sensitivity`, and `operating/sensitivity_at_90_percent_specificity`, a lead;
`robustness/blur/3/lost` and `robustness/lead/blur/3`;
`unlike/retina/by_distance` and `unlike/retina/flagged`;
`membership/auc`, `membership/lira_auc`; `oversight/share`, `oversight/10 percent/share`; `direction/Debt/wrong`;
`referral/referred`; `alerts/tabm/recall`;
`history/fold-1/valid_loss`, one value per epoch.
What is NaN is not logged: it breaks MLflow's pages.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict

from pipelines.report.document import Estimate, Report, Scorecard
from pipelines.report.operating import ESTIMATES, OperatingPoint
from pipelines.report.oversight import Oversight
from pipelines.report.study import Study

WORDS = (("<=", "at most "), (">=", "at least "), ("<", "under "), (">", "over "), ("%", " percent"), ("+", " plus"))
NOT_ALLOWED = re.compile(r"[^\w\-. :]")
LONGEST = 60
MOST_PARTS = 20
"""Of a row, that are logged: the report holds more."""
HISTORY = "history"
LAYERS = "health/"
"""How the names of what is measured layer by layer begin."""


def metric_name(*parts: str) -> str:
    """The parts joined by `/`, each made of characters that MLflow allows.

    Comparisons become words (`<25` is `under 25`); a part that loses something else keeps a hash of what it was, so
    that two groups never share a name.
    """
    return "/".join(_valid(str(part)) for part in parts)


def finite(metrics: Mapping[str, float]) -> dict[str, float]:
    """The metrics that have a value."""
    return {name: float(value) for name, value in metrics.items() if math.isfinite(value)}


def of_scorecard(card: Scorecard) -> dict[str, float]:
    """Every number of a contender, by its metric's name."""
    metrics = {f"cost/{name}": float(value) for name, value in asdict(card.cost).items()}
    metrics |= {"threshold": card.threshold, "training_sd": card.training_sd, "test_sd": card.test_sd}
    for name, estimate in card.scores.items():
        metrics |= _estimate(metric_name(name), estimate)
    for part in ("decisions", "calibration", "uncalibrated", "membership"):
        for name, estimate in getattr(card, part).items():
            metrics |= _estimate(metric_name(part, name), estimate)
    if card.explanation is not None:
        for importance in card.explanation.importances[:MOST_PARTS]:
            metrics |= _estimate(metric_name("importance", importance.part), importance.lost)
        for push in card.explanation.attributions[:MOST_PARTS]:
            metrics |= _estimate(metric_name("attribution", push.part), push.size)
        metrics |= _estimate("explanation/randomisation", card.explanation.randomisation)
        metrics["explanation/completeness_error"] = card.explanation.completeness_error
    for way in card.directions:
        name = metric_name("direction", way.column)
        metrics |= {**_estimate(f"{name}/wrong", way.wrong), f"{name}/largest": way.largest}
    if card.referral is not None:
        metrics |= _estimate("referral/referred", card.referral.referred)
        for name, estimate in card.referral.scores.items():
            metrics |= _estimate(metric_name("referral", name), estimate)
    if card.oversight is not None:
        metrics |= _of_oversight(card.oversight)
    if card.robustness is not None:
        for worse in card.robustness.worsened:
            parts = ("robustness", worse.corruption, str(worse.severity))
            metrics |= _estimate(metric_name(*parts), worse.score)
            metrics |= _estimate(metric_name(*parts, "lost"), worse.lost)
    if card.strangers is not None:
        metrics |= _estimate("unlike/tested/flagged", card.strangers.flagged)
        for kind in card.strangers.kinds:
            for part in ("by_distance", "by_energy", "flagged"):
                metrics |= _estimate(metric_name("unlike", kind.kind, part), getattr(kind, part))
    for point in card.operating:
        metrics |= _of_operating(point)
    for row in card.bias:
        metrics[metric_name("group", row.attribute, row.group, "n")] = row.n
        for name, estimate in row.metrics.items():
            metrics |= _estimate(metric_name("group", row.attribute, row.group, name), estimate)
    for gap in card.gaps:
        name = metric_name("gap", gap.attribute, gap.metric)
        metrics |= _estimate(name, Estimate(gap.difference, gap.low, gap.high))
        metrics |= {f"{name}.p_value": gap.p_value, f"{name}.n": min(gap.n) or math.nan}
    return finite(metrics)


def _of_oversight(found: Oversight) -> dict[str, float]:
    """What is acted on by itself, every stated error by its name, and how much more often one group is sent."""
    metrics = _estimate("oversight/error_of_all", found.error_of_all)
    for name, area in found.areas.items():
        metrics |= _estimate(metric_name("oversight", name), area)
    for level in found.levels:
        parts = ("oversight", f"{100 * level.at:g}%")
        for name in ("share", "error", "sent_per_1000", "caught", "left_per_1000"):
            metrics |= _estimate(metric_name(*parts, name), getattr(level, name))
            if level.at == found.at:
                metrics |= _estimate(metric_name("oversight", name), getattr(level, name))
    for gap in found.gaps:
        name = metric_name("oversight", "gap", gap.attribute)
        metrics |= {**_estimate(name, Estimate(gap.difference, gap.low, gap.high)), f"{name}.p_value": gap.p_value}
    return metrics


def _of_operating(point: OperatingPoint) -> dict[str, float]:
    name = f"{point.side} {100 * point.share:g}%"
    metrics = {metric_name("operating", name, "prevalence"): point.prevalence}
    if point.thresholds:
        metrics[metric_name("operating", name, "threshold")] = point.thresholds[0]
    for part in ESTIMATES:
        metrics |= _estimate(metric_name("operating", name, part), getattr(point, part))
    return metrics


def of_report(report: Report) -> dict[str, float]:
    """What decides, on the pipeline's own run: both primary scores and the difference between them."""
    verdict, primary = report.verdict, report.primary
    metrics = {"seconds": report.seconds, "rows": float(report.data.rows)}
    cards = {card.name: card for card in report.contenders}
    for role, name in (("network", verdict.network), ("baseline", verdict.best_baseline)):
        if name in cards and primary in cards[name].scores:
            metrics |= _estimate(metric_name(role, primary), cards[name].scores[primary])
    for test in report.comparisons:
        if (test.contender, test.baseline, test.score) == (verdict.network, verdict.best_baseline, primary):
            metrics |= _estimate("difference", Estimate(test.difference, test.low, test.high))
            for name in ("p_value", "p_non_inferior", "effect_size", "rows_to_decide", "training_sd", "test_sd"):
                metrics[name] = getattr(test, name)
    if report.oversight is not None:
        metrics |= _estimate("oversight/lead", report.oversight.difference)
    for each in report.robustness:
        metrics |= _estimate(metric_name("robustness", "lead", each.corruption, str(each.severity)), each.difference)
    for test in report.operating:
        lead = Estimate(test.difference, test.low, test.high)
        name = metric_name("operating", test.score)
        metrics |= {**_estimate(name, lead), f"{name}.p_value": test.p_value}
    if report.machine is not None:
        for name in ("matmul_gflops", "memory_gb_per_second"):
            metrics[f"machine/{name}"] = getattr(report.machine, name)
    if report.net_benefit is not None:
        metrics |= _estimate("net_benefit/difference", report.net_benefit.difference)
    for mended in report.mitigations:
        for change in (*mended.gaps, *mended.scores):
            name = metric_name("mitigation", mended.base, mended.method, mended.attribute, change.name)
            metrics |= _estimate(name, change.change)
    for paid in report.privacy_price:
        metrics |= _estimate(metric_name("privacy", paid.contender, "score"), paid.score)
        metrics[metric_name("privacy", paid.contender, "p_value")] = paid.p_value
        for gap in paid.gaps:
            metrics |= _estimate(metric_name("privacy", paid.contender, gap.attribute, gap.metric), gap.change)
    if report.alerts is not None:
        for contender, measures in report.alerts.contenders.items():
            for measure, estimate in measures.items():
                metrics |= _estimate(metric_name("alerts", contender, measure), estimate)
        for measure, estimate in report.alerts.difference.items():
            metrics |= _estimate(metric_name("alerts", "difference", measure), estimate)
    return finite(metrics)


def of_study(study: Study) -> Iterator[tuple[str, float, int]]:
    """(name, value, rows learned from): every contender's scores, each network's lead over the best baseline, and
    from how many rows on it leads."""
    for size in study.sizes:
        found: dict[str, float] = {}
        for each in size.contenders:
            for name, estimate in each.scores.items():
                found |= _estimate(metric_name(each.name, name), estimate)
        for reading in study.readings:
            if (test := study.lead(size, reading.network)) is not None:
                lead = Estimate(test.difference, test.low, test.high)
                found |= {**_estimate(metric_name(reading.network, "lead"), lead)}
        yield from ((name, value, size.rows) for name, value in finite(found).items())
    for reading in study.readings:
        crossing = finite(_estimate(metric_name(reading.network, "crossing"), reading.crossing))
        yield from ((name, value, 0) for name, value in crossing.items())


def history_name(metric: str, prefix: str = "") -> str:
    """The name of a metric per epoch; `prefix` tells folds apart."""
    return metric_name(HISTORY, *([prefix] if prefix else []), *metric.split("/"))


def history_names(names: Iterable[str]) -> list[tuple[str, str, str]]:
    """(name, prefix, metric) of those that `history_name` made."""
    found = []
    for name in sorted(names):
        head, _, rest = name.partition("/")
        if head == HISTORY:
            # `health/MEASURE/LAYER` has slashes of its own; a fold has none.
            prefix, _, metric = rest.rpartition("/") if LAYERS not in rest else rest.partition(LAYERS)
            found.append((name, prefix.rstrip("/"), LAYERS + metric if LAYERS in rest else metric))
    return found


def _estimate(name: str, estimate: Estimate) -> dict[str, float]:
    return {name: estimate.value, f"{name}.low": estimate.low, f"{name}.high": estimate.high}


def _valid(part: str) -> str:
    text = part
    for sign, word in WORDS:
        text = text.replace(sign, word)
    cleaned = NOT_ALLOWED.sub("_", text).strip()[:LONGEST]
    if cleaned == text.strip() and cleaned.strip("."):
        return cleaned
    return f"{cleaned.strip('.')}-{hashlib.sha256(part.encode()).hexdigest()[:6]}"
