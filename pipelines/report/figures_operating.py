"""The figure of predictive values: which alarms and all-clears are right, whatever the share of positives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipelines.evaluation.predictive import predictive_values
from pipelines.report.document import Report
from pipelines.report.figures import COLOURS, GREY, _blank, _title
from pipelines.report.operating import OperatingPoint
from pipelines.report.readings_of_operating import at_target

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PREVALENCES = np.geomspace(0.001, 0.9, 40)
LINES = ("alarms that are right (PPV)", "all-clears that are right (NPV)")


def by_prevalence(report: Report) -> Figure | None:
    """Predictive values of the network at each operating point against the prevalence, with 95 % bands; None where
    there is no point."""
    card = report.scorecard(report.verdict.network)
    known = [point for point in card.operating if not point.why_not and min(point.sizes) > 0]
    if not known:
        return None
    columns = min(2, len(known))
    rows = -(-len(known) // columns)
    figure = _blank(3.9 * columns, 1.0 + 2.7 * rows)
    panels = np.ravel(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False))
    for axes in panels[len(known) :]:
        axes.set_visible(False)
    for axes, point in zip(panels, known, strict=False):
        _panel(axes, point)
    panels[0].legend(loc="center left", fontsize=8, frameon=False)
    figure.supxlabel("prevalence: share of positives among those who are tested", fontsize=9)
    _title(figure, f"How often {card.name} is right where fewer or more are positive")
    return figure


def _panel(axes: Axes, point: OperatingPoint) -> None:
    sides = (point.sensitivity.value, point.specificity.value, point.sizes)
    values = [predictive_values(*sides, float(each), point.units) for each in PREVALENCES]
    for place, label in enumerate(LINES):
        estimates = [each[place] for each in values]
        axes.plot(PREVALENCES, [each.value for each in estimates], color=COLOURS[place], label=label)
        low, high = ([getattr(each, end) for each in estimates] for end in ("low", "high"))
        axes.fill_between(PREVALENCES, low, high, color=COLOURS[place], alpha=0.15, linewidth=0)
    axes.axvline(point.prevalence, color=GREY, linewidth=1, linestyle=":")
    axes.set_xscale("log")
    axes.set_ylim(-0.02, 1.02)
    axes.set_title(at_target(point), fontsize=9)
    axes.grid(visible=True, alpha=0.3)
