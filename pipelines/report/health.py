"""The figure of gradient health: gradient norms, update ratios and closed units, by layer over the epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.report.figures import COLOURS, DASHES, GREY, _blank, _title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_LINES = 8
"""Layers told apart as lines; with more, a panel becomes a map of layers by epochs."""
MOST_LABELS = 30
"""Layers named beside a map; of more, some are left out evenly."""
USUAL_RATIO = 1e-3
"""Of an update to the weights it moves (Karpathy, notes of Stanford's CS231n)."""


class _Panel(NamedTuple):
    title: str
    unit: str
    logarithmic: bool
    guide: float | None
    layers: dict[str, NDArray[np.float64]]


def gradient_health(history: Mapping[str, Sequence[float]], name: str = "") -> Figure | None:
    """A panel for each measure that the history holds; None if it holds none.

    Args:
        history: values per epoch by name, of which `health/MEASURE/LAYER` are drawn, layers in the order found.
        name: of the contender, for the title.
    """
    panels = _panels(history)
    if not panels:
        return None
    heights = [2.6 if len(panel.layers) <= MOST_LINES else 1 + 0.17 * _labels(len(panel.layers)) for panel in panels]
    figure = _blank(8.4, 0.9 + sum(heights))
    places = np.ravel(figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights))
    for axes, panel in zip(places, panels, strict=True):
        (_lines if len(panel.layers) <= MOST_LINES else _map)(axes, panel)
        axes.set_title(panel.title, fontsize=10)
        _whole_epochs(axes, panel)
    places[-1].set_xlabel("epoch")
    _title(figure, "Gradient health by layer" + (f": {name}" if name else ""))
    return figure


def _panels(history: Mapping[str, Sequence[float]]) -> list[_Panel]:
    def layers(measure: str) -> dict[str, NDArray[np.float64]]:
        prefix = f"health/{measure}/"
        return {key[len(prefix) :]: np.asarray(history[key], float) for key in history if key.startswith(prefix)}

    closed = {layer: 100 * share for layer, share in layers("dead_share").items()}
    closed |= {f"{layer} (saturated)": 100 * share for layer, share in layers("saturated_share").items()}
    panels = [
        _Panel("gradient norm (layers should lie within a few powers of ten)", "L2 norm", True, None,
               layers("gradient_norm")),
        _Panel("update-to-weight ratio (usual: near 0.001)", "ratio", True, USUAL_RATIO, layers("update_ratio")),
        _Panel("units that let no gradient through: dead or saturated", "% of units", False, None,
               closed if any(share.any() for share in closed.values()) else {}),
    ]  # fmt: skip
    return [panel for panel in panels if panel.layers]


def _lines(axes: Axes, panel: _Panel) -> None:
    for place, (layer, values) in enumerate(panel.layers.items()):
        axes.plot(
            np.arange(1, len(values) + 1), _drawable(values, panel.logarithmic), color=COLOURS[place % len(COLOURS)],
            linestyle=DASHES[place % len(DASHES)], linewidth=1.5, marker="o", markersize=3, label=layer,
        )  # fmt: skip
    if panel.guide:
        axes.axhline(panel.guide, color=GREY, linewidth=1, linestyle=":", label=f"usual ({panel.guide:g})")
    if panel.logarithmic and np.isfinite(_drawable(_all(panel), logarithmic=True)).any():
        axes.set_yscale("log")
    elif not panel.logarithmic:
        axes.set_ylim(-3, 103)
    axes.set_ylabel(panel.unit)
    axes.grid(visible=True, alpha=0.3)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8, frameon=False)


def _map(axes: Axes, panel: _Panel) -> None:
    """Layers downwards, epochs to the right. Blank is zero or not finite on a logarithmic scale."""
    from matplotlib.colors import LogNorm, Normalize

    values = np.stack([_drawable(each, panel.logarithmic) for each in panel.layers.values()])
    known = values[np.isfinite(values)]
    ends = [*known, *([panel.guide] if panel.guide else [])] or [1.0]
    low, high = min(ends), max(ends)
    scale: Any = LogNorm(low, high if high > low else 10 * low) if panel.logarithmic else Normalize(0, 100)
    epochs = values.shape[1]
    image = axes.imshow(
        values, aspect="auto", interpolation="nearest", cmap="viridis", norm=scale,
        extent=(0.5, epochs + 0.5, len(values) - 0.5, -0.5),
    )  # fmt: skip
    shown = np.unique(np.linspace(0, len(values) - 1, _labels(len(values))).round().astype(int))
    names = list(panel.layers)
    axes.set_yticks(shown, [names[place] for place in shown], fontsize=7)
    bar = axes.figure.colorbar(image, ax=axes, label=panel.unit)
    if panel.guide:
        bar.ax.axhline(panel.guide, color=COLOURS[1], linewidth=2)


def _whole_epochs(axes: Axes, panel: _Panel) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_xlim(0.5, max(len(values) for values in panel.layers.values()) + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _labels(layers: int) -> int:
    return min(layers, MOST_LABELS)


def _all(panel: _Panel) -> NDArray[np.float64]:
    return np.concatenate(list(panel.layers.values()))


def _drawable(values: NDArray[np.float64], logarithmic: bool) -> NDArray[np.float64]:
    """NaN, a gap, in place of what a scale cannot show."""
    return np.where(np.isfinite(values) & ((values > 0) | (not logarithmic)), values, np.nan)
