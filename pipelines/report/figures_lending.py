"""The figure of a scorecard: the points that each bin of each column gives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from pipelines.report.figures import COLOURS, _blank, _title
from pipelines.report.lending import PointsRow

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_COLUMNS = 12
"""Those that move the score most are drawn."""
ACROSS = 3
LONGEST = 22
"""Characters of a bin's name."""


def scorecard(card: Sequence[PointsRow]) -> Figure:
    """A panel a column, the one that moves the score most first: points by bin, with the bin's share of bad rows."""
    columns = [list(rows) for _, rows in groupby(card, lambda row: row.column)]
    columns.sort(key=lambda rows: min(row.points for row in rows) - max(row.points for row in rows))
    drawn = columns[:MOST_COLUMNS]
    down = math.ceil(len(drawn) / ACROSS)
    tallest = max(len(rows) for rows in drawn)
    figure = _blank(10.4, 0.9 + down * (0.7 + 0.2 * tallest))
    panels = list(figure.subplots(down, ACROSS, sharex=True, squeeze=False).flat)
    most = max(row.points for rows in drawn for row in rows)
    for axes, rows in zip(panels, drawn, strict=False):
        _column(axes, rows, most)
    for axes in panels[len(drawn) :]:
        axes.set_visible(False)
    more = f"; {len(columns) - len(drawn)} columns that move it less are not shown" if len(columns) > len(drawn) else ""
    _title(figure, f"Scorecard: points of each bin, more are safer (beside them: share of bad training rows){more}")
    return figure


def _column(axes: Axes, rows: Sequence[PointsRow], most: float) -> None:
    places = range(len(rows))
    axes.barh(places, [row.points for row in rows], color=COLOURS[0], alpha=0.55, height=0.7)
    for place, row in zip(places, rows, strict=True):
        axes.text(
            max(row.points, 0) + 0.02 * most, place, f"{row.points:.0f}  ({row.risk:.0%})", va="center", fontsize=7
        )
    axes.set_yticks(places, [_short(row.bin) for row in rows], fontsize=7)
    axes.invert_yaxis()
    axes.set_xlim(right=1.35 * most)
    axes.tick_params(axis="x", labelsize=7)
    axes.set_title(_short(rows[0].column), fontsize=9, loc="left")


def _short(text: str) -> str:
    text = text.replace("$", r"\$")
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
