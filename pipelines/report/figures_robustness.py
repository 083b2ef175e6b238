"""The figure of worse pictures: the score against how bad they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipelines.report.document import Estimate, Report, Scorecard
from pipelines.report.figures import COLOURS, DASHES, _blank, _spoken, _title
from pipelines.report.readings_of_robustness import LEVELS, NAMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def by_severity(report: Report) -> Figure | None:
    """A panel for each corruption, a line for each contender but the prior; bands of the network and the best baseline.

    Returns:
        None where no picture was made worse.
    """
    first = (report.verdict.network, report.verdict.best_baseline)
    cards = [
        card for card in report.contenders if card.robustness and card.robustness.worsened and card.name != "prior"
    ]
    cards.sort(key=lambda card: (card.name not in first, card.name != first[0]))
    if not cards or cards[0].robustness is None:
        return None
    found = cards[0].robustness
    corruptions = list(dict.fromkeys(each.corruption for each in found.worsened))
    figure = _blank(2.5 * len(corruptions) + 0.6, 3.6)
    panels = np.ravel(figure.subplots(1, len(corruptions), sharey=True, squeeze=False))
    for axes, corruption in zip(panels, corruptions, strict=True):
        for place, card in enumerate(cards):
            _line(axes, card, corruption, place, card.name in first)
        axes.set_title(NAMES.get(corruption, corruption), fontsize=10)
        axes.grid(visible=True, alpha=0.3)
    panels[0].set_ylabel(_spoken(found.score))
    panels[0].legend(fontsize=7, frameon=False)
    _title(figure, f"The same {found.rows:,} pictures, made worse")
    return figure


def _line(axes: Axes, card: Scorecard, corruption: str, place: int, banded: bool) -> None:
    assert card.robustness is not None  # noqa: S101  asked for by whoever calls
    worse = [each for each in card.robustness.worsened if each.corruption == corruption]
    values: list[Estimate] = [card.robustness.clean, *(each.score for each in worse)]
    across, colour = list(range(len(values))), COLOURS[place % len(COLOURS)]
    look = {"color": colour, "linestyle": DASHES[place % len(DASHES)], "linewidth": 1.8 if banded else 0.9}
    axes.plot(across, [each.value for each in values], label=card.name, **look)  # type: ignore[arg-type]
    if banded:
        axes.fill_between(
            across, [each.low for each in values], [each.high for each in values], color=colour, alpha=0.15, linewidth=0
        )
    axes.set_xticks(across, ["as is", *LEVELS][: len(across)], fontsize=8, rotation=30)
