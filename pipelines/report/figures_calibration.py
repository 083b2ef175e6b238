"""Figures of probabilities: whether they come true, and whether acting on them is worth it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from pipelines.report.figures import COLOURS, DASHES, GREY, Curve, _blank, _title, _unit_square

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NARROW, WIDE = 0.8, 2.0
SHIFT = 0.004
"""Between the bars of two contenders in one bin, so that they can be told apart."""


class Reliability(NamedTuple):
    """Bins of predicted probability: (k,) mean prediction, observed share of positives, rows, the share's interval.

    `spread` counts all predictions in bins of equal width from 0 to 1.
    """

    predicted: ArrayLike
    observed: ArrayLike
    rows: ArrayLike
    low: ArrayLike = ()
    high: ArrayLike = ()
    spread: ArrayLike = ()


class Band(NamedTuple):
    """Between two lines: (k,) values across, and lower and upper ones."""

    x: ArrayLike
    low: ArrayLike
    high: ArrayLike


def calibration(curves: Mapping[str, Reliability], before: Mapping[str, Reliability] | None = None) -> Figure:
    """Reliability diagram: what was observed where a probability was predicted, above how often each was.

    Args:
        curves: by contender; vertical bars are the 95 % intervals of the observed shares.
        before: of those among them whose probabilities were calibrated, what they said before it; thin, hollow.
    """
    from matplotlib.ticker import MaxNLocator

    before = before or {}
    figure = _blank(6.4, 6.8)
    axes, counts = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=":", label="perfectly calibrated")
    for place, (name, curve) in enumerate(curves.items()):
        colour, dashes = COLOURS[place % len(COLOURS)], DASHES[place % len(DASHES)]
        _bins(axes, curve, colour, label=name, linestyle=dashes, marker="o", markersize=4)
        _whiskers(axes, curve, colour, (place - (len(curves) - 1) / 2) * SHIFT)
        if name in before:
            hollow = {"marker": "o", "markersize": 4, "markerfacecolor": "white", "linewidth": NARROW}
            _bins(axes, before[name], colour, label=f"{name} before calibration", linestyle=dashes, **hollow)
        if np.size(curve.spread):
            edges = np.linspace(0, 1, np.size(curve.spread) + 1)
            counts.stairs(np.asarray(curve.spread, float), edges, color=colour, linestyle=dashes)
    _unit_square(axes)
    axes.set_ylabel("observed share of positives (bar: 95 % interval)")
    _title(figure, "Calibration: does a predicted probability come true?\n(closer to the dotted line is better)")
    axes.legend(loc="upper left", fontsize=9)
    counts.set_ylabel("rows")
    counts.yaxis.set_major_locator(MaxNLocator(nbins=3, integer=True))
    counts.set_xlabel("predicted probability (above: mean of each bin)")
    counts.grid(visible=True, axis="y", alpha=0.3)
    return figure


def decision_curve(curves: Mapping[str, Curve], everyone: Curve, chosen: float, band: Band | None = None) -> Figure:
    """Net benefit of acting on each contender from each threshold on, beside acting on everyone and on nobody.

    Args:
        curves: threshold and net benefit by contender.
        everyone: of acting on every row.
        chosen: threshold that the network decides at; NaN where none was chosen.
        band: 95 % intervals of the first contender's, each threshold by itself.
    """
    figure = _blank(6.2, 5.2)
    axes = figure.subplots()
    axes.axhline(0, color=GREY, linewidth=1, label="acting on nobody")
    axes.plot(everyone.x, everyone.y, color=GREY, linewidth=1, linestyle="--", label="acting on everyone")
    for place, (name, curve) in enumerate(curves.items()):
        axes.plot(
            curve.x, curve.y, color=COLOURS[place % len(COLOURS)], linestyle=DASHES[place % len(DASHES)], label=name
        )
    if band is not None and curves:
        of = f"{next(iter(curves))}, 95 % interval"
        axes.fill_between(band.x, band.low, band.high, color=COLOURS[0], alpha=0.15, linewidth=0, label=of)
    if chosen == chosen:
        axes.axvline(chosen, color=GREY, linewidth=1, linestyle=":", label="the network's threshold")
    highest = max(float(np.nanmax(curve.y)) for curve in (everyone, *curves.values()))
    axes.set_ylim(-0.3 * max(highest, 0.01), 1.15 * max(highest, 0.01))
    axes.set_xlim(0, 1)
    axes.set_xlabel("probability from which one acts")
    axes.set_ylabel("net benefit per row")
    _title(figure, "Is acting on it worth it? (higher is better)")
    axes.legend(loc="upper right")
    return figure


def _bins(axes: Axes, curve: Reliability, colour: str, **how: Any) -> None:
    """A line through the bins that hold rows."""
    held = np.asarray(curve.rows, float) > 0
    axes.plot(np.asarray(curve.predicted, float)[held], np.asarray(curve.observed, float)[held], color=colour, **how)


def _whiskers(axes: Axes, curve: Reliability, colour: str, shift: float) -> None:
    if np.size(curve.low):
        held = np.asarray(curve.rows, float) > 0
        predicted, low, high = (np.asarray(each, float)[held] for each in (curve.predicted, curve.low, curve.high))
        axes.vlines(predicted + shift, low, high, color=colour, linewidth=WIDE, alpha=0.35)
