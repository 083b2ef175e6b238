"""The figures of one run, from its report and the outcomes behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.evaluation import curves, decisions, net_benefit
from pipelines.evaluation.outcome import Outcome
from pipelines.objectives.objective import Objective
from pipelines.report import (
    figures,
    figures_alerts,
    figures_bias,
    figures_calibration,
    figures_cost,
    figures_explanation,
    figures_grades,
    figures_lending,
    figures_mitigation,
    figures_operating,
    figures_oversight,
    figures_portfolio,
    figures_private,
    figures_robustness,
)
from pipelines.report.document import Report, sides
from pipelines.report.figures_tuning import tuning

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BANDED = np.linspace(0.02, 0.98, 33)
"""Thresholds at which the net benefit's interval is drawn."""
MOST_BASELINES = 3
"""Beside the networks, in a figure of wealth."""
SPREAD = 20
"""Bins of equal width in which all predictions are counted."""
BIAS_METRICS = ("selection_rate", "tpr", "fpr", "ppv", "auroc", "quadratic_kappa", "accuracy", "mae", "mean_error")


def of_run(report: Report, outcomes: Mapping[str, Outcome], objective: Objective) -> Iterator[tuple[str, Figure]]:
    """(name, figure) for each picture that suits the objective."""
    yield "scores", figures.scores_with_intervals(report)
    if (tuned := tuning(report)) is not None:
        yield "tuning", tuned
    if (costs := figures_cost.score_against_cost(report)) is not None:
        yield "cost", costs
    primary = {card.name: card.scores[report.primary] for card in report.contenders}
    first = next(iter(outcomes.values()))
    for attribute in dict.fromkeys(each.attribute for each in report.mitigations):
        yield f"mitigation_{attribute}", figures_mitigation.gap_against_score(report, attribute)
    if report.privacy_price:
        yield "privacy", figures_private.price(report)
    apart = {card.name for card in report.contenders if card.kind in ("mitigated", "private")}  # they have figures
    outcomes = {name: outcome for name, outcome in outcomes.items() if name not in apart}
    if objective.kind == "regression":
        yield "residuals", figures.residuals({n: o.predictions.values for n, o in outcomes.items()}, first.target)
    elif objective.kind == "allocation":
        yield "equity", _equity(report, outcomes, objective)
    elif getattr(objective, "ordered", False):
        yield "grades", _grades(report, outcomes, objective)
    elif first.predictions.values.shape[1] == 2:
        informed = {name: (o.target, o.predictions.values[:, 1]) for name, o in outcomes.items() if name != "prior"}
        yield "roc", figures.roc({name: _roc(*each) for name, each in informed.items()}, primary)
        prevalence = float(first.target.mean())
        drawn = {name: _recall_precision(*each) for name, each in informed.items()}
        yield "precision_recall", figures.precision_recall(drawn, prevalence)
        probable = {card.name: outcomes[card.name] for card in report.contenders if card.calibration and
                    card.name in informed}  # fmt: skip
        if probable:
            yield "calibration", _calibration(probable, report.verdict.network)
        yield "decision_curve", _decision_curve(report, {name: outcomes[name] for name in informed})
    if (predictive := figures_operating.by_prevalence(report)) is not None:
        yield "predictive_values", predictive
    if (risk := figures_oversight.risk_coverage(report)) is not None:
        yield "risk_coverage", risk
    if report.alerts is not None and report.alerts.by_budget:
        yield "alerts_by_budget", figures_alerts.by_budget(report.alerts)
    yield from _explanations(report)
    if (worse := figures_robustness.by_severity(report)) is not None:
        yield "robustness", worse
    if points := next((card.points for card in report.contenders if card.points and card.name not in apart), None):
        yield "scorecard", figures_lending.scorecard(points)
    found = {metric for card in report.contenders for row in card.bias for metric in row.metrics}
    for metric in BIAS_METRICS:
        if metric in found:
            yield f"bias_{metric}", figures.bias_bars(report, metric, report.verdict.network)
    if any(gap.difference == gap.difference for card in report.contenders for gap in card.gaps):
        yield "gaps", figures_bias.gaps(report)


def _explanations(report: Report) -> Iterator[tuple[str, Figure]]:
    """What the network and the best baseline hang on, and what pushes each network."""
    if (importances := figures_explanation.importances(report)) is not None:
        yield "explanation", importances
    for card in report.contenders:
        if card.explanation is not None and card.explanation.attributions:
            yield f"attributions_{card.name}", figures_explanation.attributions(card.name, card.explanation)
            if card.explanation.maps:
                yield f"maps_{card.name}", figures_explanation.maps(card.name, card.explanation.maps)


def _equity(report: Report, outcomes: Mapping[str, Outcome], objective: Any) -> Figure:
    """The networks and the best baselines, which are told apart more easily the fewer they are."""
    networks, baselines = sides(report.contenders)
    scores = {card.name: card.scores[report.primary] for card in report.contenders}
    best = sorted(baselines, key=lambda name: -np.nan_to_num(scores[name].value, nan=-np.inf))[:MOST_BASELINES]
    names = [name for name in (*networks, *best) if name in outcomes]
    net = {name: objective.path(outcomes[name].target, outcomes[name].predictions).net for name in names}
    time: Any = next(iter(outcomes.values())).time
    return figures_portfolio.equity_curves(net, time, scores, objective.every)


def _grades(report: Report, outcomes: Mapping[str, Outcome], objective: Any) -> Figure:
    """The network and the best baseline, grade by grade."""
    names = [name for name in (report.verdict.network, report.verdict.best_baseline) if name in outcomes]
    kappas = {card.name: card.scores["quadratic_kappa"] for card in report.contenders}
    counts: dict[str, Any] = {}
    for name in names:
        each, size = outcomes[name], len(objective.classes)
        labels = objective.decided(each.predictions).labels()
        counts[name] = np.bincount(each.target * size + labels, each.weight, size * size)
        counts[name] = counts[name].astype(np.float64).reshape(size, size)
    return figures_grades.confusion(counts, objective.classes, {name: kappas[name] for name in names})


def _roc(target: Any, score: Any) -> figures.Curve:
    found = curves.roc(target, score)
    return figures.Curve(found.false_positive_rate, found.true_positive_rate)


def _recall_precision(target: Any, score: Any) -> figures.Curve:
    found = curves.precision_recall(target, score)
    return figures.Curve(found.recall, found.precision)


def _calibration(outcomes: Mapping[str, Outcome], network: str) -> Figure:
    """All contenders, and of the network what it said before calibration."""
    found = {name: _reliability(outcome, outcome.predictions.values) for name, outcome in outcomes.items()}
    said = outcomes[network].uncalibrated if network in outcomes else None
    before = {} if said is None else {network: _reliability(outcomes[network], said)}
    return figures_calibration.calibration(found, before)


def _reliability(outcome: Outcome, probabilities: Any) -> figures_calibration.Reliability:
    found = curves.reliability(outcome.target, probabilities[:, 1], outcome.weight, outcome.clusters)
    spread = np.histogram(probabilities[:, 1], SPREAD, (0, 1))[0]
    return figures_calibration.Reliability(found.predicted, found.observed, found.n, found.low, found.high, spread)


def _decision_curve(report: Report, outcomes: Mapping[str, Outcome]) -> Figure:
    """The network first, with the interval of its net benefit."""
    network, thresholds = report.verdict.network, np.linspace(0.01, 0.99, 99)
    names = sorted(outcomes, key=lambda name: name != network)
    worth = {
        name: decisions.decision_curve(each.target, each.predictions.values[:, 1], thresholds, each.weight)
        for name, each in ((name, outcomes[name]) for name in names)
    }
    first = next(iter(worth.values()))
    everyone = figures.Curve(thresholds, first.everyone)
    known = [net_benefit.net_benefit(outcomes[names[0]], float(threshold)) for threshold in BANDED]
    band = figures_calibration.Band(BANDED, [each.low for each in known], [each.high for each in known])
    benefit = {name: figures.Curve(each.threshold, each.model) for name, each in worth.items()}
    return figures_calibration.decision_curve(benefit, everyone, report.scorecard(network).threshold, band)
