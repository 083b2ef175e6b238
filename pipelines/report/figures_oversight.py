"""The figure of people in the loop: how often the surest decisions are wrong, for every share that is automated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pipelines.report.document import Report
from pipelines.report.figures import COLOURS, DASHES, GREY, _figure, _title
from pipelines.report.oversight import Oversight

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def risk_coverage(report: Report) -> Figure | None:
    """The network's curve with its band, and the best baseline's; where both were automated at the stated error.

    Returns:
        None of a report without decisions between classes.
    """
    names = (report.verdict.network, report.verdict.best_baseline)
    found = [(card.name, card.oversight) for name in names for card in report.contenders if card.name == name]
    drawn = [(name, each) for name, each in found if each is not None]
    if not drawn:
        return None
    figure, axes = _figure(6.6, 4.8)
    for place, (name, each) in enumerate(drawn):
        _curve(axes, name, each, place)
    first = drawn[0][1]
    coverage, error = np.linspace(0.01, 1, 100), first.error_of_all.value
    ideal = np.maximum(coverage - (1 - error), 0) / coverage
    axes.plot(coverage, ideal, color=GREY, linewidth=1, linestyle=":", label=f"{drawn[0][0]}, every error least sure")
    axes.axhline(first.at, color=GREY, linewidth=1, linestyle="--", label=f"stated: {100 * first.at:g} % wrong")
    axes.set_xlim(0, 1.01)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("coverage: share of the decisions, the surest first")
    axes.set_ylabel("risk: share of these that is wrong")
    _title(
        figure,
        "How often the surest decisions are wrong (lower is better)\npoints: what is automated at the stated error",
    )
    axes.legend(loc="upper left", fontsize=8, frameon=False)
    return figure


def _curve(axes: Axes, name: str, found: Oversight, place: int) -> None:
    coverage: Sequence[float] = [point.coverage for point in found.curve]
    colour, area = COLOURS[place], found.areas["aurc"].value
    risk = [point.error.value for point in found.curve]
    label = f"{name} (area {area:.3f})"
    axes.plot(coverage, risk, color=colour, linestyle=DASHES[place], label=label)
    if place == 0:
        low, high = ([getattr(point.error, end) for point in found.curve] for end in ("low", "high"))
        axes.fill_between(coverage, low, high, color=colour, alpha=0.15, linewidth=0)
    acted = found.acted
    if not math.isnan(acted.error.value):
        axes.plot([acted.share.value], [acted.error.value], marker="o", color=colour)
