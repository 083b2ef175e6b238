"""A figure as SVG: text stays text, the same figure gives the same bytes, and nothing says when or by what."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SETTINGS = {"svg.fonttype": "none", "svg.hashsalt": "tapeline"}
"""Ids are hashes of what they name and of the salt, which is random if none is given."""
NOTHING = {"Date": None, "Creator": None, "Format": None, "Type": None}


def as_svg(figure: Figure) -> bytes:
    """The figure as an SVG document, UTF-8; parts that are drawn as pixels are PNG inside it."""
    import matplotlib

    drawn = io.BytesIO()
    with matplotlib.rc_context(SETTINGS):
        figure.savefig(drawn, format="svg", metadata=NOTHING)
    return drawn.getvalue()
