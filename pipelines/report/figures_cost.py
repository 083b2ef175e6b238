"""The figure of cost: what a better score takes, to train and to use."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pipelines.report.document import Estimate, Report
from pipelines.report.figures import COLOURS, _blank, _title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS = (("cpu_seconds", "CPU seconds of training"), ("latency_ms", "milliseconds for a single row (median)"))


def score_against_cost(report: Report) -> Figure | None:
    """The deciding score of each contender, with its 95 % interval, over CPU seconds and over the time of one row.

    None where neither was measured.
    """
    known = [card for card in report.contenders if all(getattr(card.cost, name) > 0 for name, _ in PANELS)]
    if not known:
        return None
    figure = _blank(10.4, 4.6)
    for axes, (name, heading) in zip(figure.subplots(1, 2, sharey=True), PANELS, strict=True):
        for place, card in enumerate(known):
            _point(
                axes, getattr(card.cost, name), card.scores[report.primary], COLOURS[place % len(COLOURS)], card.name
            )
        axes.set_xscale("log")
        axes.set_xlabel(heading)
        axes.grid(visible=True, alpha=0.3)
    figure.axes[0].set_ylabel(report.primary.replace("_", " "))
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", fontsize=8, frameon=False)
    _title(figure, "What a score costs (lines: 95 % intervals)")
    return figure


def _point(axes: Axes, across: float, score: Estimate, colour: str, name: str) -> None:
    if not math.isnan(score.low):
        axes.plot([across, across], [score.low, score.high], color=colour, linewidth=1, alpha=0.5)
    axes.plot([across], [score.value], "o", color=colour, markersize=7, label=name)
