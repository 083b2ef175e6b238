"""What the columns of a data set hold, as a table to look at before a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.cells import missing
from pipelines.data.examples import Examples, OnDemand
from pipelines.data.wording import shown

TOP = 3
FEWEST_SHOWN = 5
"""A category is named only if this many rows share it, so that no single person is shown."""


@dataclass(frozen=True)
class ColumnSummary:
    """One column: its kind, how much is missing, and what its values are like.

    Args:
        distinct: different values, missing ones not counted; -1 where they are not counted (pictures, sound).
        holds: the range of numbers, the commonest categories, the lengths of texts, or the shape.
    """

    name: str
    kind: str
    missing: int
    distinct: int
    holds: str


def describe(examples: Examples) -> tuple[ColumnSummary, ...]:
    """A summary of each column and each group, in their order; no row is shown."""
    columns = [_summary(name, examples.kinds[name], values) for name, values in examples.columns.items()]
    kept_apart = [name for name in examples.groups if name not in examples.columns]
    return (*columns, *(_summary(name, "group", examples.groups[name]) for name in kept_apart))


def _summary(name: str, kind: str, values: Any) -> ColumnSummary:
    if kind in ("image", "wave", "series"):
        shape = np.shape(values[:1])[1:]
        return ColumnSummary(name, kind, 0, -1, " x ".join(str(size) for size in shape))
    if isinstance(values, OnDemand):
        return ColumnSummary(name, kind, 0, -1, "read from shards as it is needed")
    array = np.asarray(values)
    absent = missing(array)
    present = array[~absent]
    return ColumnSummary(name, kind, int(absent.sum()), len(set(present.tolist())), _holds(kind, present))


def _holds(kind: str, present: NDArray[Any]) -> str:
    if not len(present):
        return "nothing"
    if kind == "number":
        return f"{present.min():.6g} to {present.max():.6g}"
    if kind == "text":
        lengths = [len(text) for text in present]
        return f"{min(lengths)} to {max(lengths)} characters"
    labels, sizes = np.unique(present.astype(str), return_counts=True)
    order = np.argsort(-sizes, kind="stable")
    told = [f"{shown(labels[at])} {sizes[at]}" for at in order[:TOP] if sizes[at] >= FEWEST_SHOWN]
    rest = len(labels) - len(told)
    return ", ".join(told + ([f"{rest} more"] if rest and told else [f"{rest} categories"] if rest else []))
