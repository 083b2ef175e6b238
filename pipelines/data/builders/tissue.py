"""Tiles of simulated tissue, stained with haematoxylin and eosin, as a microscope shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PIXELS = 48
HAEMATOXYLIN, EOSIN = np.array([0.65, 0.70, 0.29]), np.array([0.07, 0.99, 0.11])
"""How much red, green and blue each stain takes away (Ruifrok and Johnston 2001, Anal. Quant. Cytol. Histol. 23)."""

Floats = NDArray[np.float64]
Y, X = np.mgrid[:PIXELS, :PIXELS].astype(np.float64)


@dataclass(frozen=True)
class Stain:
    """How a slide was made.

    Args:
        blue, pink: strength of haematoxylin and eosin; 1 is usual.
        blur: standard deviation in pixels; a thick section is never sharp throughout.
    """

    blue: float = 1.0
    pink: float = 1.0
    blur: float = 0.5


@dataclass
class Tile:
    """What is where: (PIXELS, PIXELS) density of nuclei, and of what is around them."""

    nuclei: Floats
    around: Floats

    def nucleus(self, place: Floats, radius: float, dark: float = 1.0, long: float = 1.0, turn: float = 0.0) -> None:
        """An ellipse around (y, x) that is `long` times as long as wide, its edge one pixel soft."""
        y, x = place
        along = (X - x) * np.cos(turn) + (Y - y) * np.sin(turn)
        across = (Y - y) * np.cos(turn) - (X - x) * np.sin(turn)
        inside = np.clip(radius + 0.5 - np.hypot(along / long, across), 0, 1)
        self.nuclei = np.maximum(self.nuclei, dark * inside)


def draw(kind: str, stain: Stain, chance: np.random.Generator, beside: str | None = None) -> NDArray[np.uint8]:
    """(PIXELS, PIXELS, 3) a tile of one of `KINDS`.

    Args:
        beside: another kind, which covers a fifth to nearly a half of the tile; None for none.
    """
    from scipy.ndimage import gaussian_filter

    tile = _laid(kind, chance)
    if beside is not None:
        other, share, turn = _laid(beside, chance), chance.uniform(0.2, 0.45), chance.uniform(0, 2 * np.pi)
        along = X * np.cos(turn) + Y * np.sin(turn)
        there = along < np.quantile(along, share)
        tile = Tile(np.where(there, other.nuclei, tile.nuclei), np.where(there, other.around, tile.around))
    blue, pink = (gaussian_filter(np.clip(each, 0, None), stain.blur) for each in (tile.nuclei, tile.around))
    density = 1.5 * stain.blue * blue[..., np.newaxis] * HAEMATOXYLIN + stain.pink * pink[..., np.newaxis] * EOSIN
    seen = 245 * np.exp(-density) + chance.normal(scale=3, size=density.shape)
    return np.asarray(np.clip(np.rint(seen), 0, 255), np.uint8)


def _laid(kind: str, chance: np.random.Generator) -> Tile:
    from scipy.ndimage import gaussian_filter

    tile = Tile(np.zeros((PIXELS, PIXELS)), 0.35 + 0.6 * gaussian_filter(chance.normal(size=(PIXELS, PIXELS)), 2.0))
    KINDS[kind](tile, chance)
    return tile


def _glands(tile: Tile, chance: np.random.Generator) -> None:
    """One to three round tubes: a pale hole, a rim of cells, and their nuclei at its foot, evenly."""
    for _ in range(chance.integers(1, 4)):
        y, x = chance.uniform(8, PIXELS - 8, 2)
        radius = chance.uniform(7, 12)
        away = np.hypot(Y - y, X - x)
        tile.around = np.where(away < radius, 0.55, tile.around)
        tile.around = np.where(away < 0.45 * radius, 0.03, tile.around)
        count = int(2 * np.pi * radius / 3.6)
        for turn in np.linspace(0, 2 * np.pi, count, endpoint=False) + chance.normal(scale=0.05, size=count):
            foot = 0.82 * radius
            tile.nucleus(np.array([y + foot * np.sin(turn), x + foot * np.cos(turn)]), 1.3, 0.8, 1.3, turn)
    _scattered(tile, chance, 4, 1.0)


def _tumour(tile: Tile, chance: np.random.Generator) -> None:
    """Crowded nuclei of all sizes, some around a hole that is no longer round."""
    y, x = chance.uniform(10, PIXELS - 10, 2)
    hole = np.hypot(Y - y, 1.6 * (X - x)) + 3 * np.sin(X / 3 + chance.uniform(0, 6)) < chance.uniform(0, 7)
    tile.around = np.where(hole, 0.05, tile.around + 0.1)
    for _ in range(chance.integers(35, 60)):
        place, shape = chance.uniform(0, PIXELS, 2), chance.uniform((1.0, 0.5, 1.0, 0.0), (2.8, 1.0, 1.8, 3.0))
        tile.nucleus(place, *shape)
    tile.nuclei = np.where(hole, 0.2 * tile.nuclei, tile.nuclei)


def _stroma(tile: Tile, chance: np.random.Generator) -> None:
    """Fibres side by side in waves, and few, thin nuclei along them."""
    turn = chance.uniform(0, np.pi)
    across = (Y * np.cos(turn) - X * np.sin(turn)) + 2 * np.sin((X * np.cos(turn) + Y * np.sin(turn)) / 9)
    tile.around = tile.around + 0.2 + 0.25 * np.sin(across * chance.uniform(1.1, 1.6))
    for _ in range(chance.integers(4, 10)):
        tile.nucleus(chance.uniform(0, PIXELS, 2), 0.9, 0.9, 3.0, turn + chance.normal(scale=0.15))


def _lymphocytes(tile: Tile, chance: np.random.Generator) -> None:
    """Small, round, dark nuclei side by side."""
    _scattered(tile, chance, int(chance.integers(55, 90)), 1.5)


def _fat(tile: Tile, chance: np.random.Generator) -> None:
    """Large empty bubbles with thin walls."""
    walls = np.full((PIXELS, PIXELS), np.inf)
    middles = chance.uniform(-4, PIXELS + 4, (chance.integers(8, 14), 2))
    away = np.sort([np.hypot(Y - y, X - x) for y, x in middles], axis=0)
    walls = away[1] - away[0]
    tile.around = np.where(walls < 1.8, tile.around + 0.2, 0.03)
    _scattered(tile, chance, 3, 1.2)


def _scattered(tile: Tile, chance: np.random.Generator, count: int, radius: float) -> None:
    for _ in range(count):
        tile.nucleus(chance.uniform(0, PIXELS, 2), radius * chance.uniform(0.85, 1.15))


KINDS: Mapping[str, Callable[[Tile, np.random.Generator], None]] = {
    "fat": _fat, "gland": _glands, "lymphocytes": _lymphocytes, "stroma": _stroma, "tumour": _tumour,
}  # fmt: skip
"""Kinds of tissue, and what draws each."""
