"""Figures of why: which parts contenders hang on, what pushes a network's answers, and where it looks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from pipelines.report.document import Report
from pipelines.report.explanation import Explanation, Grid, most_important
from pipelines.report.figures import COLOURS, _blank, _figure, _spoken, _title, _whisker

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_PARTS = 14
LONGEST = 30
"""Characters of a part's name."""


def importances(report: Report) -> Figure | None:
    """What the network and the best baseline lose by each part, with 95 % intervals; None where nothing was tried."""
    verdict = report.verdict
    names = dict.fromkeys((verdict.network, verdict.best_baseline))
    found = [(name, report.scorecard(name).explanation) for name in names if name]
    asked = [(name, each) for name, each in found if each is not None and each.importances]
    if not asked:
        return None
    parts = most_important(asked, verdict.network, MOST_PARTS)
    figure, axes = _figure(6.8, 1.7 + 0.36 * max(3, len(parts)))
    for line, (name, each) in enumerate(asked):
        shift, colour = 0.18 * (2 * line - len(asked) + 1), COLOURS[line % len(COLOURS)]
        lost = {importance.part: importance.lost for importance in each.importances}
        for place, part in enumerate(parts):
            if part in lost:
                _whisker(axes, place + shift, lost[part], colour)
        axes.plot([], [], "o-", color=colour, label=name)
    axes.axvline(0, color="grey", linewidth=0.8)
    axes.set_yticks(range(len(parts)), [_short(part) for part in parts])
    axes.invert_yaxis()
    axes.set_xlabel(f"{_spoken(asked[0][1].score)} lost when every row has another row's (line: 95 % interval)")
    axes.legend(fontsize=8, frameon=False, loc="lower right")
    axes.grid(visible=True, axis="x", alpha=0.3)
    _title(figure, "What answers hang on")
    return figure


def attributions(name: str, found: Explanation) -> Figure:
    """What pushes the answers of a network: how far, with 95 % intervals, and which way on the whole by colour."""
    shown = found.attributions[:MOST_PARTS]
    figure, axes = _figure(6.8, 1.7 + 0.32 * max(3, len(shown)))
    for place, push in enumerate(shown):
        colour = COLOURS[1] if push.mean > 0 else COLOURS[0]
        axes.barh(place, push.size.value, color=colour, alpha=0.45, height=0.65)
        _whisker(axes, place, push.size, colour)
    for colour, words in ((COLOURS[1], "raises it on the whole"), (COLOURS[0], "lowers it")):
        axes.barh([0], [0], color=colour, alpha=0.45, label=words)
    axes.set_yticks(range(len(shown)), [_short(push.part) for push in shown])
    axes.invert_yaxis()
    axes.set_xlabel(f"mean push of {found.answer}, {found.unit} (line: 95 % interval)")
    axes.legend(fontsize=8, frameon=False, loc="lower right")
    axes.grid(visible=True, axis="x", alpha=0.3)
    _title(figure, f"What pushes {name}'s answers (integrated gradients, {found.attributed_rows} rows)")
    return figure


def maps(name: str, found: Mapping[str, Grid]) -> Figure:
    """Where the answers of a network come from, the mean over rows."""
    figure = _blank(max(4.2, 3.6 * len(found)), 3.9)
    panels = np.ravel(figure.subplots(1, len(found), squeeze=False))
    for axes, (way, grid) in zip(panels, found.items(), strict=True):
        drawn = axes.imshow(np.asarray(grid), cmap="viridis", aspect="auto", interpolation="nearest")
        axes.set_title(way.replace("grad-cam", "Grad-CAM"), fontsize=10)
        axes.set_xticks([])
        axes.set_yticks([])
        figure.colorbar(drawn, ax=axes, shrink=0.8)
    _title(figure, f"Where {name}'s answers come from (mean over tested rows)")
    return figure


def _short(part: str) -> str:
    part = part.replace("$", r"\$")
    return part if len(part) <= LONGEST else part[: LONGEST - 1] + "…"
