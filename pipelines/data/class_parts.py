"""Whether every part of the data has both classes: what is absent can neither be learned nor tested."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pipelines.data.splits import Fold
from pipelines.errors import BadInput


def classes_left(classes: Sequence[str], codes: NDArray[np.int64], folds: Sequence[Fold]) -> Iterator[str]:
    """What a class that is absent from validation rows does.

    Args:
        classes: the names of both; empty where there are not two.
        codes: (n,) which of them each row is.

    Raises:
        BadInput: it is absent from the rows to learn from, or from those that are tested.
    """
    tested = np.concatenate([fold.test for fold in folds])
    parts = [*((fold.train, "to learn from") for fold in folds), (tested, "that are tested")]
    for code, name in enumerate(classes):
        total = int((codes == code).sum())
        for rows, what in parts:
            if not (codes[rows] == code).any():
                raise BadInput(
                    f"none of the {len(rows):,} rows {what} is {name!r}, as {total:,} of all {len(codes):,} rows are; "
                    "give more of them, or another split (--set protocol.test, protocol.valid, --time)"
                )
        if lacking := [fold for fold in folds if not (codes[fold.valid] == code).any()]:
            yield (
                f"none of the {len(lacking[0].valid):,} validation rows is {name!r}; thresholds rest on them, and when "
                "networks stop"
            )
