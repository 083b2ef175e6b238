"""Notes on what was decided without the user's word, and on what may not be what they meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.cells import missing
from pipelines.data.splits import Fold
from pipelines.data.wording import count, listed, shown
from pipelines.task import Dataset

MANY_CLASSES = 20
"""More classes than this are rarely what was meant; an id or a name may have been given as the target."""

OWNER = re.compile(
    "((account|client|customer|employee|member|participant|patient|pat|person|speaker|student|subject|subj|user)s?"
    "(id|no|nr|num|number|key|code|name)?|u?id|mrn)"
)
"""How a column is named, but for case and signs, that says whom, or what, a row is about."""


def assumed(
    dataset: Dataset, codes: NDArray[Any], classes: Sequence[str], folds: Sequence[Fold], delay: float = 0.0
) -> Iterator[str]:
    """What to tell the user about their rows, target and split; nothing where all was said or is plain.

    Args:
        codes: (n,) the target as the objective encodes it.
        classes: names of the codes; empty where the target is no class.
        delay: how long after its moment a row's label becomes known.
    """
    if len(classes) == 2 and dataset.positive is None:
        share = f"{int(codes.sum()):,} of {len(dataset.examples):,} rows"
        yield f"{classes[1]!r} counts as positive ({share}); --positive changes it"
    if alike := _alike(classes):
        yield f"the target's values {alike} count as different classes; if they are one, spell them alike"
    if len(classes) > MANY_CLASSES:
        yield f"the target {dataset.target!r} has {len(classes)} classes; if it names rows, choose another --target"
    if absent := len(dataset.examples) - sum(folds[0].counts().values()):
        if dataset.examples.ids is not None:
            yield f"{absent} rows are in no part of the split: others of their id are tested later in time"
        elif delay:
            late = f"with protocol.delay={delay:g} their labels are not known when validation, or the test, begins"
            yield f"{absent} rows are in no part of the split: {late}"
    if dataset.examples.ids is None:
        yield from _owners(dataset)


def _alike(classes: Sequence[str]) -> str:
    """The classes that differ only in case or in spaces around them."""
    folded = [str(name).strip().casefold() for name in classes]
    return listed([name for name, plain in zip(classes, folded, strict=True) if folded.count(plain) > 1])


def _owners(dataset: Dataset) -> Iterator[str]:
    """Columns that seem to say whom a row is about, with several rows for one of them."""
    for name in dataset.examples.names("number", "category"):
        if not OWNER.fullmatch(re.sub("[^a-z0-9]", "", name.lower())):
            continue
        values = np.asarray(dataset.examples.columns[name])
        values = values[~missing(values)]
        distinct = len(np.unique(values.astype(str)))
        if 2 < distinct < len(values):
            yield (
                f"column {shown(name)} has {count(distinct, 'value')} in {count(len(values), 'row')}; if rows with one "
                f"value are about one person or thing, give --id {name!r}, so that training and test do not share it"
            )
