"""Histograms of oriented gradients (HOG): which way edges run, cell by cell.

All pictures of a block are taken at once: scikit-image's `feature.hog`, whose numbers these are, takes one at a time.

Reference: Dalal and Triggs (2005), "Histograms of oriented gradients for human detection", CVPR.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.contenders.picture_planes import Floats, plane_shapes, planes

ORIENTATIONS = 8
BLOCK = 2
"""Cells along the side of a block, over which gradients are made comparable."""

CELLS, SMALLEST = 8, 4
"""Along the shorter side of a picture where that leaves a cell so many pixels wide at least."""

ROUNDED = np.float32(1e-5)
"""Of a bin: edges along rows, columns and diagonals lie on the border of two, and rounding must not part them."""

EDGE = 0.2
"""Largest share that one number may have of a block, before it is normalised again (L2-Hys)."""


def oriented_gradients(pictures: NDArray[Any], coarse: int = 1) -> Floats:
    """(n, h, w, c) in [0, 255] -> (n, k) float32; of volumes (n, d, h, w, c) those of their three middle planes.

    Args:
        coarse: times that cells are as wide as they would be (`cell_side`).
    """
    return np.concatenate([_of_plane(each, cell_side(each.shape[1:], coarse)) for each in planes(pictures)], axis=1)


def cell_side(shape: tuple[int, int], coarse: int = 1) -> int:
    """Pixels along the side of a cell: 4 of pictures of 28 to 39 pixels, 28 of 224."""
    shorter = min(shape)
    return min(max(SMALLEST, shorter // CELLS) * coarse, shorter)


def n_features(shape: tuple[int, ...], coarse: int = 1) -> int:
    """How many numbers `oriented_gradients` gives of a picture; `shape` as of all pictures."""
    return sum(_n_of_plane(each, cell_side(each, coarse)) for each in plane_shapes(shape))


def _n_of_plane(shape: tuple[int, int], cell: int) -> int:
    total = ORIENTATIONS
    for cells in (side // cell for side in shape):
        inside = min(BLOCK, cells)
        total *= (cells - inside + 1) * inside
    return total


def _of_plane(grey: Floats, cell: int) -> Floats:
    cells = _histograms(grey, cell)
    blocks = np.stack(list(_blocks(cells)), axis=1)
    blocks /= np.sqrt((blocks**2).sum(axis=-1, keepdims=True) + 1e-10)
    blocks = np.minimum(blocks, EDGE)
    blocks /= np.sqrt((blocks**2).sum(axis=-1, keepdims=True) + 1e-10)
    return blocks.reshape(len(grey), -1)


def _histograms(grey: Floats, cell: int) -> Floats:
    """(n, rows, columns, orientations) mean size of the gradients in a cell that run each way."""
    n, height, width = grey.shape
    down, across = np.zeros_like(grey), np.zeros_like(grey)
    down[:, 1:-1] = grey[:, 2:] - grey[:, :-2]
    across[:, :, 1:-1] = grey[:, :, 2:] - grey[:, :, :-2]
    rows, columns = height // cell, width // cell
    whole = (slice(None), slice(rows * cell), slice(columns * cell))
    down, across = down[whole], across[whole]
    turned = (np.arctan2(down, across) * np.float32(ORIENTATIONS / np.pi) + ROUNDED) % ORIENTATIONS
    way = np.minimum(turned.astype(np.int64), ORIENTATIONS - 1)
    row = np.arange(rows * cell)[:, None] // cell
    place = (np.arange(n)[:, None, None] * rows + row) * columns + np.arange(columns * cell) // cell
    sizes = np.hypot(down, across).ravel()
    found = np.bincount((place * ORIENTATIONS + way).ravel(), sizes, n * rows * columns * ORIENTATIONS)
    return (found / cell**2).astype(np.float32).reshape(n, rows, columns, ORIENTATIONS)


def _blocks(cells: Floats) -> Iterator[Floats]:
    """Each square of neighbouring cells, in reading order: (n, numbers)."""
    n, rows, columns, _ = cells.shape
    high, wide = min(BLOCK, rows), min(BLOCK, columns)
    for row in range(rows - high + 1):
        for column in range(columns - wide + 1):
            yield cells[:, row : row + high, column : column + wide].reshape(n, -1)
