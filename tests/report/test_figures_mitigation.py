"""The figure of mitigation: one arrow from each contender to what each method made of it."""

import math

from matplotlib.text import Annotation

from pipelines.report.document import Change, DataCard, Estimate, Mitigation, Report, Verdict
from pipelines.report.figures_mitigation import gap_against_score


def moved(base, method, gap, score):
    gaps = (Change("equalized_odds", Estimate(0.25, 0.15, 0.35), Estimate(gap, 0.0, gap + 0.1), Estimate(gap - 0.25)),)
    scores = tuple(
        Change(name, Estimate(0.8, 0.75, 0.85), Estimate(score), Estimate(score - 0.8))
        for name in ("auroc", "balanced_accuracy")
    )
    return Mitigation(f"{base}+{method}", base, method, "sex", gaps, scores)


def test_an_arrow_leads_from_before_to_after():
    told = (
        moved("mlp", "reweighing", 0.2, 0.79), moved("mlp", "thresholds", 0.05, 0.8),
        moved("linear", "thresholds", math.nan, math.nan),
    )  # fmt: skip
    card = DataCard("sample", False, 10, "0" * 64, {})
    report = Report("a/b", 0, 1.0, card, (), (), Verdict("mlp", "yes"), "auroc", mitigations=told)
    figure = gap_against_score(report, "sex")
    for axes in figure.axes:
        arrows = [each for each in axes.texts if isinstance(each, Annotation)]
        assert [(each.xyann, each.xy) for each in arrows[:2]] == [
            ((0.25, 0.8), (0.2, 0.79)), ((0.25, 0.8), (0.05, 0.8)),
        ]  # fmt: skip
        labels = [line.get_label() for line in axes.lines if not line.get_label().startswith("_")]
        assert labels == ["mlp", "mlp +reweighing", "mlp +thresholds", "linear", "linear +thresholds"]
    figure.canvas.draw()
