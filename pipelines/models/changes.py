"""What may be changed of a picture without its becoming another one: that depends on what is seen.

A chest has its heart on the left; tissue under a microscope has no top.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Changes:
    """The largest changes that leave a picture what it is.

    Args:
        mirrored: whether left may be right.
        upended: whether top may be bottom.
        turned: degrees either way.
        shifted: share of the side either way.
        scaled: share of the size, larger or smaller.
        lit: share of half the range of grey by which all is brighter or darker, and share of the contrast.
    """

    mirrored: bool = False
    upended: bool = False
    turned: float = 10.0
    shifted: float = 0.1
    scaled: float = 0.1
    lit: float = 0.1


CHEST = Changes()
"""A chest from the front, patient upright."""

TISSUE = Changes(mirrored=True, upended=True, turned=180.0)
"""What has neither top nor side: tissue and cells under a microscope."""

OUTLINE = Changes(mirrored=True, upended=True, turned=180.0, scaled=0.0, lit=0.0)
"""An outline whose size matters."""

HEAD = Changes(mirrored=True)
"""Slices of a head, upright: its halves are alike."""

BREAST = Changes(mirrored=True)
"""A breast, upright: the left one is a mirror of the right one; in ultrasound shadows fall downwards."""

EYE = Changes(mirrored=True, turned=20.0)
"""The ground of an eye: the left one is a mirror of the right one."""
