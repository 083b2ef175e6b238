"""The figure of all gaps between groups: how large each is for every contender, and how surely."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from pipelines.report.document import Gap, Report
from pipelines.report.figures import COLOURS, GREY, MOST_BARS, _blank, _title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

REAL = 0.05
"""Below this corrected p-value a gap is more than chance, and its mark is filled."""
MOST_CONTENDERS = 6
OWN_SCALE = "theil_index"
"""It is no share, and much smaller than gaps that are."""
SPOKEN: Mapping[str, str] = {
    "auroc_parity": "AUROC parity", "theil_index": "Theil index between groups", "mae": "MAE", "rmse": "RMSE",
    "disparate_impact": "disparate impact (1 - ratio)",
}  # fmt: skip

Key = tuple[str, str]


def gaps(report: Report) -> Figure:
    """Forest plot: every gap with its 95 % interval by contender; gaps of two attributes fill what room is left."""
    cards = [card for card in report.contenders if card.gaps and card.name != "prior"][:MOST_CONTENDERS]
    found = {card.name: {(gap.attribute, gap.metric): gap for gap in card.gaps} for card in cards}
    shown, left_out = _chosen([gap for card in cards for gap in card.gaps])
    panels = [[key for key in shown if (key[1] == OWN_SCALE) == own] for own in (False, True)]
    panels = [panel for panel in panels if panel] or [[]]
    step = 0.12 * max(2, len(cards)) + 0.1
    figure = _blank(8.0, 2.2 + 0.6 * (len(panels) - 1) + step * sum(map(len, panels)))
    drawn = figure.subplots(len(panels), 1, height_ratios=[max(1, len(panel)) for panel in panels], squeeze=False)
    for axes, panel in zip(np.ravel(drawn), panels, strict=True):
        _panel(axes, panel, found)
    note = f"; {left_out} gaps of two attributes are in the report" if left_out else ""
    figure.axes[-1].set_xlabel(f"difference between the two groups furthest apart (line: 95 % interval){note}")
    figure.axes[0].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8, frameon=False)
    _title(figure, "Gaps between groups (0 is none; filled: more than chance after correction for all gaps)")
    return figure


def _chosen(every: Sequence[Gap]) -> tuple[list[Key], int]:
    """The gaps to draw, in the report's order, and how many were left out, which are the likeliest to be chance."""
    known = [gap for gap in every if not math.isnan(gap.difference)]
    keys = list(dict.fromkeys((gap.attribute, gap.metric) for gap in known))
    least = dict.fromkeys(keys, (1, math.inf))
    for gap in known:
        key, p_value = (gap.attribute, gap.metric), math.inf if math.isnan(gap.p_value) else gap.p_value
        least[key] = min(least[key], (int(gap.intersection), p_value))
    kept = set(sorted(keys, key=lambda key: least[key])[:MOST_BARS])
    return [key for key in keys if key in kept], len(keys) - len(kept)


def _panel(axes: Axes, keys: Sequence[Key], found: Mapping[str, Mapping[Key, Gap]]) -> None:
    for number, (name, of_contender) in enumerate(found.items()):
        colour, shift = COLOURS[number % len(COLOURS)], (number - (len(found) - 1) / 2) * 0.8 / max(1, len(found))
        axes.plot([], [], "o", color=colour, label=name, markersize=4)
        for place, key in enumerate(keys):
            gap = of_contender.get(key)
            if gap is None or math.isnan(gap.difference):
                continue
            at = place + shift
            axes.plot([gap.low, gap.high], [at, at], color=colour, linewidth=1.4, solid_capstyle="butt")
            inside = colour if gap.p_value < REAL else "white"
            axes.plot([gap.difference], [at], "o", color=colour, markerfacecolor=inside, markersize=4)
    for place in range(1, len(keys)):
        axes.axhline(place - 0.5, color=GREY, linewidth=0.4, alpha=0.4)
    axes.set_yticks(range(len(keys)), [fill(f"{attribute}: {_spoken(metric)}", 44) for attribute, metric in keys])
    axes.tick_params(axis="y", labelsize=8)
    axes.set_ylim(max(len(keys), 1) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.grid(visible=True, axis="x", alpha=0.3)


def _spoken(metric: str) -> str:
    return SPOKEN.get(metric, metric.replace("_", " "))
