"""The figure of single cases: pictures, and beside each where the network looked for what it decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipelines.report.figures import _blank

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LONGEST = 16
"""Characters of a class's name."""


@dataclass(frozen=True)
class Case:
    """One tested picture. It says nothing of whose it is.

    Args:
        picture: (height, width, 1 or 3) bytes.
        looked: (height, width) how strongly each place speaks for the decision, at least 0.
        decided, truth: names of classes.
        confidence: how sure the decision is.
    """

    picture: NDArray[np.uint8]
    looked: NDArray[np.float64]
    decided: str
    truth: str
    confidence: float


@dataclass(frozen=True)
class Group:
    """Some cases of a kind, such as the surest wrong ones."""

    title: str
    cases: Sequence[Case]


def cases(name: str, groups: Sequence[Group]) -> Figure | None:
    """A line of cases for each group that has some; None where none has."""
    known = [group for group in groups if group.cases]
    if not known:
        return None
    most = max(len(group.cases) for group in known)
    figure = _blank(2.5 * most + 0.3, 0.5 + 1.75 * len(known))
    for group, part in zip(known, figure.subfigures(len(known), 1, squeeze=False)[:, 0], strict=True):
        part.suptitle(group.title, fontsize=9)
        panels = part.subplots(1, 2 * most, squeeze=False)[0]
        for axes in panels:
            axes.set_axis_off()
        for number, case in enumerate(group.cases):
            _case(panels[2 * number], panels[2 * number + 1], case)
    return figure


def _case(plain: Axes, looked: Axes, case: Case) -> None:
    grey = case.picture.astype(np.float64).mean(axis=2)
    shown = grey if case.picture.shape[2] == 1 else case.picture
    plain.imshow(shown, cmap="gray", vmin=0, vmax=255)
    plain.set_title(f"is {_short(case.truth)}", fontsize=7)
    looked.imshow(grey, cmap="gray", vmin=0, vmax=255)
    looked.imshow(case.looked, cmap="inferno", vmin=0, vmax=float(case.looked.max()) or 1.0, alpha=0.5)
    looked.set_title(f"said {_short(case.decided)} ({case.confidence:.2f})", fontsize=7)


def _short(text: str) -> str:
    text = text.replace("$", r"\$")
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
