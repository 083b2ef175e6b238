"""Sensitive attributes: out of what models see, into the groups that bias is measured over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.cells import missing
from pipelines.data.raw_table import written
from pipelines.data.wording import count, did_you_mean, listed, shown
from pipelines.errors import BadInput
from pipelines.task import Dataset, Sensitive

FEW = 6
"""A number with at most this many distinct values is its own group; with more it is cut into bands."""

MANY_GROUPS = 50
"""With more groups than this a bias table says little; a note says so."""

FEWEST_A_GROUP = 5
"""Many groups of fewer rows than this on average are no groups; a report must not list people by name either."""


def set_aside(dataset: Dataset, sensitive: Sequence[Sensitive]) -> Dataset:
    """Move sensitive columns from the columns to the groups, as labels.

    A number is cut at the given edges, else at its quartiles over all rows (bands only label rows, no model sees
    them); a number of few distinct values keeps them. Missing values become None. With `keep` the column stays an
    input as well. Attributes that are groups already, set so by the source, stay as they are.

    Raises:
        BadInput: an attribute is neither a column nor a group, is no number or category, or no input would remain.
    """
    examples = dataset.examples
    columns, groups = dict(examples.columns), dict(examples.groups)
    notes, bands = list(dataset.notes), dict(dataset.bands)
    for attribute in sensitive:
        name = attribute.column
        if name in columns:
            if examples.kinds[name] not in ("number", "category"):
                raise BadInput(
                    f"--sensitive {name!r} is {examples.kinds[name]}; groups come from numbers or categories"
                )
            if attribute.bands and examples.kinds[name] != "number":
                raise BadInput(f"--sensitive {name!r} holds words, so it cannot be cut into bands at {attribute.bands}")
            values = np.asarray(columns[name])
            if examples.kinds[name] == "number":
                bands[name] = edges_of(values, attribute.bands)
            groups[name] = label_groups(values, bands.get(name, ()))
            if not attribute.keep:
                del columns[name]
        elif name not in groups:
            known = [*examples.columns, *examples.groups]
            hint = did_you_mean(name, known) or "."
            raise BadInput(f"{dataset.source} has no column {name!r} (--sensitive){hint} It has {listed(known, 50)}")
        found = len(set(groups[name]))
        if found > MANY_GROUPS and len(examples) < FEWEST_A_GROUP * found:
            raise BadInput(
                f"--sensitive {name!r} has {count(found, 'group')} in {count(len(examples), 'row')}, as names or "
                f"identifiers have; groups to compare need at least {FEWEST_A_GROUP} rows each on average"
            )
        if found > MANY_GROUPS:
            notes.append(
                f"the sensitive column {shown(name)} makes {count(found, 'group')}, too many to compare surely"
            )
    if not columns:
        raise BadInput(f"{dataset.source}: --sensitive takes every column out of the inputs; leave one to learn from")
    kinds = {name: examples.kinds[name] for name in columns}
    examples = replace(examples, columns=columns, kinds=kinds, groups=groups)
    return replace(dataset, examples=examples, notes=tuple(notes), bands=bands)


def edges_of(values: NDArray[Any], bands: Sequence[float] = ()) -> tuple[float, ...]:
    """Where `label_groups` cuts numbers; empty where each number is a group."""
    present = np.asarray(values, np.float64)
    present = present[~np.isnan(present)]
    few = len(np.unique(present)) <= FEW
    return tuple(bands) if bands or few else quartiles(present)


def labels_again(values: NDArray[Any], bands: Sequence[float]) -> NDArray[Any]:
    """(n,) object str, None where missing: the groups of other rows, cut at the edges that `edges_of` gave."""
    if bands:
        return label_groups(values, bands)
    return np.array([None if value != value else written(value) for value in values.tolist()], dtype=object)


def label_groups(values: NDArray[Any], bands: Sequence[float] = ()) -> NDArray[Any]:
    """(n,) object str, None where missing: categories as they are, numbers as values or bands.

    Args:
        values: (n,) object str or numbers.
        bands: rising inner edges; (25, 40) makes `<25`, `25-40` (25 included, 40 not) and `>=40`. Where empty, a
            number of more than `FEW` distinct values is cut at its quartiles.
    """
    labels = np.full(len(values), None, dtype=object)
    if values.dtype.kind not in "fiub":
        present = ~missing(values)
        labels[present] = [str(value) for value in values[present]]
        return labels
    numbers = values.astype(np.float64)
    present = ~np.isnan(numbers)
    if not bands:
        distinct = np.unique(numbers[present])
        if len(distinct) <= FEW:
            labels[present] = [written(value) for value in numbers[present]]
            return labels
        bands = quartiles(numbers[present])
    names = np.array(_band_names(bands), dtype=object)
    labels[present] = names[np.searchsorted(np.asarray(bands), numbers[present], side="right")]
    return labels


def quartiles(numbers: NDArray[np.float64]) -> tuple[float, ...]:
    """The quartiles as edges to read: rounded to three digits where the bands stay as many, each once, rising."""
    exact = np.unique(np.quantile(numbers, (0.25, 0.5, 0.75)))
    rounded = np.unique([float(f"{edge:.3g}") for edge in exact])
    edges = rounded if len(rounded) == len(exact) else exact
    inner = edges[edges > numbers.min()]  # nothing lies below the lowest number
    return tuple(float(edge) for edge in inner)


def _band_names(edges: Sequence[float]) -> list[str]:
    if not edges:
        return ["all"]
    marks = [written(edge) for edge in edges]
    dash = " to " if any("-" in mark for mark in marks) else "-"  # -5 to -3; also 1e-05 to 2e-05
    between = [f"{low}{dash}{high}" for low, high in pairwise(marks)]
    return [f"<{marks[0]}", *between, f">={marks[-1]}"]
