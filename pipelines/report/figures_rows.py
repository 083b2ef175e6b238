"""Figures of single rows: what pushed one answer, and where in a picture or a recording it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipelines.report.figures import COLOURS, _blank, _figure, _title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

MOST_PARTS = 14
LONGEST = 40
"""Characters of a part's name."""


def attributions(title: str, found: Sequence[tuple[str, float]], unit: str) -> Figure:
    """Bars of what pushed one answer up (right) and down (left), the strongest on top."""
    shown = found[:MOST_PARTS]
    figure, axes = _figure(6.8, 1.5 + 0.32 * max(3, len(shown)))
    for place, (_, push) in enumerate(shown):
        axes.barh(place, push, color=COLOURS[1] if push > 0 else COLOURS[0], alpha=0.6, height=0.65)
    axes.axvline(0, color="grey", linewidth=0.8)
    axes.set_yticks(range(len(shown)), [_short(part) for part, _ in shown])
    axes.invert_yaxis()
    left = len(found) - len(shown)
    axes.set_xlabel(f"push on {unit}" + (f"; {left} weaker parts are not shown" if left else ""))
    axes.grid(visible=True, axis="x", alpha=0.3)
    _title(figure, _short(title, 80))
    return figure


def picture(title: str, image: NDArray[np.generic], maps: Mapping[str, NDArray[np.float64]]) -> Figure:
    """A picture, beside it where its answer comes from: what pushes it up and down, and where Grad-CAM sees it looked.

    Args:
        image: (height, width, channels).
        maps: (height, width) by way.
    """
    figure = _blank(3.0 * (1 + len(maps)), 3.5)
    panels = np.ravel(figure.subplots(1, 1 + len(maps), squeeze=False))
    grey = np.asarray(image, np.float64).mean(axis=2)
    panels[0].imshow(grey, cmap="gray")
    panels[0].set_title("picture", fontsize=10)
    for axes, (way, values) in zip(panels[1:], maps.items(), strict=True):
        axes.imshow(grey, cmap="gray", alpha=0.6)
        _heat(axes, values, 0.6, signed=way != "grad-cam")
        axes.set_title(way.replace("grad-cam", "Grad-CAM"), fontsize=10)
    for axes in panels:
        axes.set_xticks([])
        axes.set_yticks([])
    _title(figure, _short(title, 80))
    return figure


def grid(title: str, values: NDArray[np.float64], unit: str) -> Figure:
    """What pushes the answer to a recording or a series, place by place: bands or assets down, time across."""
    figure, axes = _figure(6.8, 3.6)
    drawn = _heat(axes, values, 1.0, signed=True)
    figure.colorbar(drawn, ax=axes, label=f"push on {unit}")
    axes.set_xlabel("time")
    axes.set_ylabel("from low to high")
    axes.set_xticks([])
    axes.set_yticks([])
    _title(figure, _short(title, 80))
    return figure


def _heat(axes: Axes, values: NDArray[np.float64], alpha: float, signed: bool) -> AxesImage:
    most = float(np.quantile(np.abs(values), 0.995)) or 1.0
    low, colours = (-most, "RdBu_r") if signed else (0.0, "inferno")
    return axes.imshow(values, cmap=colours, vmin=low, vmax=most, alpha=alpha, aspect="auto", interpolation="nearest")


def _short(text: str, most: int = LONGEST) -> str:
    text = text.replace("$", r"\$")
    return text if len(text) <= most else text[: most - 1] + "…"
