"""The figure of grades: how often each true grade was decided to be which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipelines.report.document import Estimate
from pipelines.report.figures import COLOURS, _blank, _title

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DARK = 0.6
"""Share of a row from which its number is written in white."""


def confusion(
    counts: Mapping[str, NDArray[np.float64]], classes: Sequence[str], kappas: Mapping[str, Estimate]
) -> Figure:
    """A panel for each contender, rows of the square for true grades, columns for those decided on.

    Args:
        counts: contender -> (k, k) weight of rows, by true grade and grade decided on.
        classes: the k grades, from the lowest.
        kappas: contender -> its quadratic kappa.
    """
    figure = _blank(1 + 3.9 * len(counts), 4.6)
    panels = np.ravel(figure.subplots(1, len(counts), squeeze=False))
    for axes, (name, count) in zip(panels, counts.items(), strict=True):
        total = count.sum(axis=1, keepdims=True)
        share = np.divide(count, total, out=np.zeros_like(count), where=total > 0)
        size = len(classes)
        for true, row in enumerate(share):
            for decided, part in enumerate(row):
                square = axes.bar(decided, 1.0, 1.0, bottom=true - 0.5, color=COLOURS[0], alpha=0.06 + 0.94 * part)
                square[0].set_linewidth(0)
                colour = "white" if part >= DARK else "black"
                axes.text(decided, true, f"{count[true, decided]:.0f}", ha="center", va="center", color=colour)
        axes.set_xlim(-0.5, size - 0.5)
        axes.set_ylim(size - 0.5, -0.5)
        axes.set_aspect("equal")
        axes.set_xticks(range(size), classes, rotation=30 if max(map(len, classes)) > 3 else 0)
        axes.set_yticks(range(size), classes)
        axes.set_xlabel("decided")
        axes.set_ylabel("true")
        axes.set_title(f"{name}\nquadratic kappa {kappas[name].value:.3f}", fontsize=10)
    _title(
        figure, "True grades and what was decided, in tested rows\n(the darker, the larger the share of a true grade)"
    )
    return figure
