"""The figures of one run, from its report and the outcomes behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.evaluation import curves, decisions
from pipelines.evaluation.outcome import Outcome
from pipelines.objectives.objective import Objective
from pipelines.report import figures, figures_bias
from pipelines.report.document import Report

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BIAS_METRICS = ("selection_rate", "tpr", "fpr", "ppv", "auroc", "accuracy", "mae", "mean_error")


def of_run(report: Report, outcomes: Mapping[str, Outcome], objective: Objective) -> Iterator[tuple[str, Figure]]:
    """(name, figure) for each picture that suits the objective."""
    yield "scores", figures.scores_with_intervals(report)
    primary = {card.name: card.scores[report.primary] for card in report.contenders}
    first = next(iter(outcomes.values()))
    if objective.kind == "regression":
        yield "residuals", figures.residuals({n: o.predictions.values for n, o in outcomes.items()}, first.target)
    elif first.predictions.values.shape[1] == 2:
        informed = {name: (o.target, o.predictions.values[:, 1]) for name, o in outcomes.items() if name != "prior"}
        yield "roc", figures.roc({name: _roc(*each) for name, each in informed.items()}, primary)
        prevalence = float(first.target.mean())
        drawn = {name: _recall_precision(*each) for name, each in informed.items()}
        yield "precision_recall", figures.precision_recall(drawn, prevalence)
        yield "calibration", figures.calibration({name: _reliability(*each) for name, each in informed.items()})
        thresholds = np.linspace(0.01, 0.99, 99)
        worth = {name: decisions.decision_curve(*each, thresholds, first.weight) for name, each in informed.items()}
        chosen = report.scorecard(report.verdict.network).threshold
        everyone = figures.Curve(thresholds, next(iter(worth.values())).everyone)
        benefit = {name: figures.Curve(each.threshold, each.model) for name, each in worth.items()}
        yield "decision_curve", figures.decision_curve(benefit, everyone, chosen)
    found = {metric for card in report.contenders for row in card.bias for metric in row.metrics}
    for metric in BIAS_METRICS:
        if metric in found:
            yield f"bias_{metric}", figures.bias_bars(report, metric, report.verdict.network)
    if any(gap.difference == gap.difference for card in report.contenders for gap in card.gaps):
        yield "gaps", figures_bias.gaps(report)


def _roc(target: Any, score: Any) -> figures.Curve:
    found = curves.roc(target, score)
    return figures.Curve(found.false_positive_rate, found.true_positive_rate)


def _recall_precision(target: Any, score: Any) -> figures.Curve:
    found = curves.precision_recall(target, score)
    return figures.Curve(found.recall, found.precision)


def _reliability(target: Any, probability: Any) -> figures.Reliability:
    found = curves.reliability(target, probability)
    return figures.Reliability(found.predicted, found.observed, found.n)
