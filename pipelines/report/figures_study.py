"""The figure of a study: scores and the networks' lead over the best baseline, against the rows learned from."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.evaluation.verdict import SIGNIFICANCE
from pipelines.report.document import Estimate
from pipelines.report.figures import COLOURS, GREY, _blank, _spoken, _title
from pipelines.report.study import Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NETWORK = COLOURS[1]
LINES = ("--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
SOLID = ("-", (0, (4, 1)))
MARKS = ("s", "^", "D", "v", "P", "X")
"""Baselines are told apart by these where colours cannot be; networks are solid, thick and round."""
APART = 0.012
"""Of the width, between the intervals of two contenders at one size, so that neither hides the other."""


def learning_curve_rows(study: Study) -> Figure:
    """Each contender's score with its interval, and below it each network's lead over the best baseline.

    The intervals above say how surely each score is known; contenders were tested on the same rows, so whether one is
    better is read below, where the luck of these rows cancels. A contender that learns nothing (`prior`) is not drawn:
    its level line would only press the others together.
    """
    figure = _blank(7.2, 6.6)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2.2, 1))
    _scores(above, study)
    _leads(below, study)
    _crossings((above, below), study)
    above.legend(loc="best", fontsize=8)
    rows = [size.rows for size in study.sizes]
    for axes in (above, below):
        axes.set_xscale("log")
        axes.margins(x=0.08)
        axes.grid(visible=True, alpha=0.3)
    below.set_xticks(rows, [f"{n:,}\n{100 * size.share:.3g} %" for n, size in zip(rows, study.sizes, strict=True)])
    below.minorticks_off()
    below.set_xlabel("rows learned from, to train and to validate (logarithmic), and their share of what there is")
    way = "higher" if study.greater_is_better else "lower"
    _title(
        figure,
        f"{study.task}: {_spoken(study.primary)} by amount of data ({way} is better)\n"
        f"each size tested on the same {study.tested:,} rows; lines and band: 95 % intervals",
    )
    return figure


def _scores(axes: Axes, study: Study) -> None:
    left_out = ("prior", "mitigated", "private")
    drawn = {name: kind for name, kind in study.names.items() if name not in left_out and kind not in left_out}
    baselines = [name for name, kind in drawn.items() if kind == "classical"]
    networks = [name for name in drawn if name not in baselines]
    colours = [colour for colour in COLOURS if colour != NETWORK]
    for place, name in enumerate(baselines):
        colour, line, mark = colours[place % len(colours)], LINES[place % len(LINES)], MARKS[place % len(MARKS)]
        rows, found = _curve(study, name)
        beside = rows * (study.sizes[-1].rows / study.sizes[0].rows) ** (APART * (place + 1))
        axes.plot(beside, [each.value for each in found], color=colour, linestyle=line, linewidth=1.3,
                  marker=mark, markersize=5, label=_label(name, found))  # fmt: skip
        for n, each in zip(beside, found, strict=True):
            axes.plot([n, n], [each.low, each.high], color=colour, linewidth=0.9, alpha=0.7)
    for place, name in enumerate(networks):
        rows, found = _curve(study, name)
        axes.fill_between(
            rows, [each.low for each in found], [each.high for each in found], color=NETWORK, alpha=0.15, linewidth=0
        )
        axes.plot(
            rows, [each.value for each in found], color=NETWORK, linewidth=2.4, linestyle=SOLID[place % 2],
            marker="o", markersize=6, label=_label(name, found), zorder=5,
        )  # fmt: skip
    axes.set_ylabel(_spoken(study.primary))
    _limit(axes, [each for name in drawn for each in _curve(study, name)[1]])


def _leads(axes: Axes, study: Study) -> None:
    axes.axhline(0, color="black", linewidth=1)
    leads = [
        found for reading in study.readings for size in study.sizes if (found := study.lead(size, reading.network))
    ]
    _limit(axes, [Estimate(0.0), *(Estimate(each.difference, each.low, each.high) for each in leads)], 2, room=0.2)
    lowest, highest = axes.get_ylim()
    for place, reading in enumerate(study.readings):
        measured = [(size.rows, found) for size in study.sizes if (found := study.lead(size, reading.network))]
        if not measured:
            continue
        rows = [n for n, _ in measured]
        axes.plot(rows, [each.difference for _, each in measured], color=NETWORK, linewidth=1.6,
                  linestyle=SOLID[place % 2])  # fmt: skip
        for n, each in measured:
            axes.plot([n, n], [each.low, each.high], color=NETWORK, linewidth=2, solid_capstyle="butt")
            sure = each.p_value < SIGNIFICANCE
            axes.plot(
                [n], [each.difference], "o", color=NETWORK, markersize=6, markerfacecolor=NETWORK if sure else "white"
            )
            above, last = each.difference >= 0, n == study.sizes[-1].rows
            end = np.clip(np.nan_to_num(each.high if above else each.low, nan=each.difference), lowest, highest)
            inside = 4 if above != (end in (lowest, highest)) else -4  # beyond the frame it would not be seen
            axes.annotate(each.baseline, (n, end), textcoords="offset points", xytext=(-5 if last else 5, inside),
                          ha="right" if last else "left",
                          va="bottom" if inside > 0 else "top", fontsize=7, color=GREY)  # fmt: skip
    names = " and ".join(reading.network for reading in study.readings)
    axes.set_ylabel(f"lead over the best\nbaseline ({_spoken(study.primary)})")
    axes.set_title(
        f"lead of {names} over the baseline that is best at that size (filled: significant)", fontsize=9, color=GREY
    )


def _limit(axes: Axes, shown: list[Estimate], reach: float = 1, room: float = 0.06) -> None:
    """Show all values, and of their intervals `reach` times as far again at most: few folds make them very wide."""
    values = [each.value for each in shown if not math.isnan(each.value)]
    if not values:
        return
    lowest, highest = min(values), max(values)
    span = reach * max(highest - lowest, 1e-3)
    low = max(min((each.low for each in shown if not math.isnan(each.low)), default=lowest), lowest - span)
    high = min(max((each.high for each in shown if not math.isnan(each.high)), default=highest), highest + span)
    low, high = min(low, lowest), max(high, highest)
    axes.set_ylim(low - room * (high - low), high + room * (high - low))


def _crossings(panels: tuple[Axes, ...], study: Study) -> None:
    for reading in study.readings:
        at = reading.crossing.value
        for axes in () if math.isnan(at) else panels:
            axes.axvline(
                at, color="black", linewidth=1, linestyle=":", label=f"{reading.network} overtakes: {at:,.0f} rows"
            )


def _curve(study: Study, name: str) -> tuple[Any, list[Estimate]]:
    found = [(size.rows, each.scores[study.primary]) for size in study.sizes if (each := size.learner(name))]
    return np.array([rows for rows, _ in found], float), [estimate for _, estimate in found]


def _label(name: str, found: list[Estimate]) -> str:
    return f"{name}: {found[-1]}" if found else name
