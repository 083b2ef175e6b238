"""The figure of mitigation: how far groups are apart against how well a contender does, before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.evaluation.mitigation import by_contender, named
from pipelines.report.document import Change, Estimate, Mitigation, Report
from pipelines.report.figures import COLOURS, _blank, _title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS = {"reweighing": "s", "penalty": "D", "thresholds": "^"}
PANELS = (("auroc", "AUROC"), ("balanced_accuracy", "balanced accuracy"))


def gap_against_score(report: Report, attribute: str, gap: str = "equalized_odds") -> Figure:
    """Where each method moves each contender: an arrow from before to after; lines are 95 % intervals.

    Thresholds of groups leave the AUROC as it is, so balanced accuracy stands beside it.
    """
    told = tuple(each for each in report.mitigations if each.attribute == attribute)
    figure = _blank(10.4, 5.2)
    panels = figure.subplots(1, 2, sharex=True)
    for axes, (score, name) in zip(panels, PANELS, strict=True):
        for place, (base, methods) in enumerate(by_contender(told).items()):
            _moved(axes, base, methods, gap, score, COLOURS[place % len(COLOURS)])
        axes.set_xlabel(f"{gap.replace('_', ' ')} gap by {attribute}")
        axes.set_ylabel(name)
        axes.set_xlim(left=0)
        axes.grid(visible=True, alpha=0.3)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", fontsize=8, frameon=False)
    read = "(left is fairer, up is better; lines: 95 % intervals)"
    _title(figure, f"What mitigation gains and what it costs: from the circle along the arrow\n{read}")
    return figure


def _moved(axes: Axes, base: str, methods: list[Mitigation], gap: str, score: str, colour: str) -> None:
    for number, each in enumerate(methods):
        across, up = named(each.gaps, gap), named(each.scores, score)
        if across is None or up is None:
            continue
        if number == 0:
            _point(axes, across.before, up.before, "o", colour, base)
        _point(axes, across.after, up.after, MARKERS[each.method], colour, f"{base} +{each.method}")
        _arrow(axes, across, up, colour)


def _point(axes: Axes, across: Estimate, up: Estimate, marker: str, colour: str, label: str) -> None:
    axes.plot([across.low, across.high], [up.value, up.value], color=colour, linewidth=0.8, alpha=0.35)
    axes.plot([across.value, across.value], [up.low, up.high], color=colour, linewidth=0.8, alpha=0.35)
    axes.plot([across.value], [up.value], marker, color=colour, markersize=7, label=label)


def _arrow(axes: Axes, across: Change, up: Change, colour: str) -> None:
    start, end = (across.before.value, up.before.value), (across.after.value, up.after.value)
    style = {"arrowstyle": "->", "color": colour, "alpha": 0.7, "shrinkA": 5, "shrinkB": 5}
    axes.annotate("", xy=end, xytext=start, arrowprops=style)
