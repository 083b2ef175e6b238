"""What a picture's brightness and texture are like, in some fifty numbers.

All pictures of a block are taken at once, where scikit-image's `graycomatrix` and `local_binary_pattern`, whose numbers
these are, take one at a time.

References: Haralick, Shanmugam and Dinstein (1973), "Textural features for image classification", IEEE Transactions on
Systems, Man and Cybernetics 3(6); Ojala, Pietikainen and Maenpaa (2002), "Multiresolution gray-scale and rotation
invariant texture classification with local binary patterns", IEEE PAMI 24(7).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.contenders.picture_planes import Floats, grey, planes

BINS, LEVELS = 16, 8
"""Of the histogram of brightness, and steps of it that a co-occurrence matrix tells apart."""

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
NEIGHBOURS = 8
EQUAL = 1e-6
"""A neighbour that is darker by no more counts as not darker: what is interpolated is rounded."""

REACH = 28
"""Pairs of pixels lie a pixel apart in pictures of up to twice so many, two in pictures of twice that, and so on."""


def texture_features(pictures: NDArray[Any]) -> Floats:
    """(n, h, w, c) in [0, 255], or volumes (n, d, h, w, c) -> (n, k) float32.

    Of the whole: histogram, mean, deviation, skewness, kurtosis and quantiles of brightness; of several channels the
    mean and deviation of each. Of a picture, or averaged over the three middle planes of a volume: contrast,
    dissimilarity, homogeneity, energy and correlation of co-occurrence in four directions, their mean and range, and
    shares of the uniform local binary patterns.
    """
    flat = grey(pictures).reshape(len(pictures), -1)
    seen = [np.concatenate([co_occurrence(each), binary_patterns(each)], axis=1) for each in planes(pictures)]
    found = [_histogram(flat), _moments(flat), np.mean(seen, axis=0)]
    if pictures.shape[-1] > 1:
        colours = pictures.reshape(len(pictures), -1, pictures.shape[-1]).astype(np.float32) / 255
        found += [colours.mean(axis=1), colours.std(axis=1)]
    return np.concatenate(found, axis=1).astype(np.float32)


def _histogram(flat: Floats) -> NDArray[Any]:
    steps = np.minimum((flat * BINS).astype(np.int64), BINS - 1)
    return _shares(steps, BINS)


def _moments(flat: Floats) -> NDArray[Any]:
    mean, deviation = flat.mean(axis=1, keepdims=True), flat.std(axis=1, keepdims=True)
    standard = (flat - mean) / (deviation + 1e-6)
    cube = standard * standard * standard
    ranks = [round(each * (flat.shape[1] - 1)) for each in QUANTILES]
    quantiles = np.sort(flat, axis=1)[:, ranks]
    return np.column_stack([mean, deviation, cube.mean(axis=1), (cube * standard).mean(axis=1), quantiles])


def co_occurrence(pictures: Floats) -> NDArray[Any]:
    """(n, h, w) in [0, 1] -> (n, 10): properties of the symmetric co-occurrence matrices, their mean and range over
    the directions 0, 45, 90 and 135 degrees."""
    steps = np.minimum((pictures * LEVELS).astype(np.int64), LEVELS - 1)
    reach = min(max(1, min(steps.shape[1:]) // REACH), *(side - 1 for side in steps.shape[1:]))
    if reach < 1:
        return np.zeros((len(pictures), 10))
    found = np.stack([_properties(_matrix(steps, *each)) for each in _directions(reach)])
    return np.concatenate([found.mean(axis=0), np.ptp(found, axis=0)], axis=1)


def _directions(reach: int) -> tuple[tuple[int, int], ...]:
    """Rows and columns from a pixel to the other of a pair; of the diagonals the nearest pixel to that distance."""
    slanted = max(1, round(reach / 2**0.5))
    return (0, reach), (slanted, slanted), (reach, 0), (slanted, -slanted)


def _matrix(steps: NDArray[np.int64], down: int, across: int) -> NDArray[Any]:
    """(n, levels, levels) shares of the pairs that hold each two steps of brightness, in either order."""
    _, height, width = steps.shape
    left, right = max(0, -across), width - max(0, across)
    one = steps[:, : height - down, left:right]
    other = steps[:, down:, left + across : right + across]
    pairs = _shares((one * LEVELS + other).reshape(len(steps), -1), LEVELS**2).reshape(-1, LEVELS, LEVELS)
    return (pairs + pairs.transpose(0, 2, 1)) / 2


def _properties(shares: NDArray[Any]) -> NDArray[Any]:
    """(n, levels, levels) -> (n, 5): contrast, dissimilarity, homogeneity, energy and correlation (1 of one step)."""
    level = np.arange(LEVELS)
    apart = level[:, None] - level
    contrast, dissimilarity, homogeneity = (
        (shares * weight).sum(axis=(1, 2)) for weight in (apart**2, np.abs(apart), 1 / (1 + apart**2))
    )
    energy = np.sqrt((shares**2).sum(axis=(1, 2)))
    margin = shares.sum(axis=2)
    mean = margin @ level
    variance = margin @ level**2 - mean**2
    together = (shares * level[:, None] * level).sum(axis=(1, 2)) - mean**2
    flat = variance < 1e-12
    correlation = np.where(flat, 1.0, together / np.where(flat, 1.0, variance))
    return np.column_stack([contrast, dissimilarity, homogeneity, energy, correlation])


def binary_patterns(pictures: Floats) -> NDArray[Any]:
    """(n, h, w) in [0, 1] -> (n, 10): shares of pixels by how many of their eight neighbours, a pixel away on a circle,
    are not darker, where these follow each other; and of those where they do not. Outside all is dark."""
    n = len(pictures)
    padded = np.pad(pictures, ((0, 0), (1, 1), (1, 1)))
    bits = [_neighbour(padded, number) >= pictures - EQUAL for number in range(NEIGHBOURS)]
    turns = np.zeros(pictures.shape, np.int8)
    held = np.zeros(pictures.shape, np.int8)
    for number, bit in enumerate(bits):
        held += bit
        turns += bit != bits[number - 1]
    codes = np.where(turns <= 2, held, NEIGHBOURS + 1).astype(np.int64)
    return _shares(codes.reshape(n, -1), NEIGHBOURS + 2)


def _neighbour(padded: Floats, number: int) -> Floats:
    """(n, h, w) brightness at the neighbour in that direction, interpolated between four pixels on the diagonals."""
    angle = 2 * np.pi * number / NEIGHBOURS
    down, across = round(-np.sin(angle), 5), round(np.cos(angle), 5)
    _, height, width = padded.shape
    found = np.zeros((len(padded), height - 2, width - 2), np.float32)
    for rows, share in _between(down):
        for columns, part in _between(across):
            if share * part:
                shifted = padded[:, 1 + rows : height - 1 + rows, 1 + columns : width - 1 + columns]
                found += np.float32(share * part) * shifted
    return found


def _between(shift: float) -> tuple[tuple[int, float], tuple[int, float]]:
    """The two whole shifts around one, and how near it is to each."""
    below = int(np.floor(shift))
    return (below, 1 - (shift - below)), (min(below + 1, 1), shift - below)


def _shares(values: NDArray[np.int64], kinds: int) -> NDArray[np.float64]:
    """(n, k) whole numbers below `kinds` -> (n, kinds) which share of a row each is."""
    rows = np.arange(len(values))[:, None] * kinds
    counts = np.bincount((values + rows).ravel(), minlength=len(values) * kinds)
    return counts.reshape(-1, kinds) / np.float64(values.shape[1])
