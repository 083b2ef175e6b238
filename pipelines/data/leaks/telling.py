"""A column that holds the answer, or nearly: it alone tells the two classes apart nearly perfectly.

A column that equals the target, in whatever code, stops a run (`checks.revealing_columns`). This is for those that hold
it in a finer code, such as a grade of the disease whose presence is asked for, or a group that was made by it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.cells import missing
from pipelines.data.examples import Examples
from pipelines.data.wording import shown
from pipelines.report.document import Check

NAME = "no column alone tells the classes apart"

PERFECT = 0.985
"""AUROC of one column alone. Where nothing leaks the best has .984 (a sensor of the shuttle's) and .976 (a measure of
breast masses); the group that OASIS put people into by their diagnoses has .989."""

MOST_VALUES, ROWS_A_VALUE = 20, 10
"""Of words, and how many rows each has on average: rarer ones tell classes apart by chance."""

KNOWN = 0.9
"""Share of rows in which a column must be known."""


def telling(examples: Examples) -> list[Check]:
    """A check of all columns of numbers and words; none where the target, single values, has not two classes."""
    target, names = examples.target, examples.names("number", "category")
    if not names or missing(target).any():
        return []
    labels, codes = np.unique(target.astype(np.str_) if target.dtype == object else target, return_inverse=True)
    if len(labels) != 2:
        return []
    ranked = {name: auroc_of(np.asarray(examples.columns[name]), codes) for name in names}
    found = sorted((name for name, value in ranked.items() if value >= PERFECT), key=lambda name: -ranked[name])
    detail = ", ".join(f"{shown(name)} alone has an AUROC of {ranked[name]:.3f}" for name in found[:3])
    why = "; leave out what was written down because the answer was known (--exclude)"
    return [Check(NAME, not found, detail + why if found else "none found")]


def auroc_of(values: NDArray[Any], codes: NDArray[np.integer[Any]]) -> float:
    """How well one column ranks two classes, upwards or downwards; words by the share of the second class in each.

    Args:
        values: (n,) numbers or words, some missing.
        codes: (n,) 0 or 1.

    Returns:
        float in [0.5, 1]; NaN where too few are known, one class only is, or there are too many words to tell.
    """
    from scipy.stats import rankdata

    known = ~missing(values)
    if known.mean() < KNOWN or len(np.unique(codes[known])) < 2:
        return float("nan")
    values, codes = values[known], codes[known]
    if values.dtype == object:
        words, places = np.unique(values.astype(np.str_), return_inverse=True)
        if len(words) > MOST_VALUES or len(values) < ROWS_A_VALUE * len(words):
            return float("nan")
        values = (np.bincount(places, codes) / np.bincount(places))[places]
    positives = int(codes.sum())
    above = rankdata(values)[codes == 1].sum() - positives * (positives + 1) / 2
    area = float(above / (positives * (len(codes) - positives)))
    return max(area, 1 - area)
