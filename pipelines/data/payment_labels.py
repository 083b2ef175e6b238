"""Labels of payments: which means fraud, and what is known of payments to predict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.cells import MISSING, number
from pipelines.data.raw_table import RawTable, written
from pipelines.data.wording import count, listed, shown
from pipelines.errors import BadInput

FRAUD_WORDS = ("1", "true", "yes", "y", "fraud", "fraudulent", "positive")
GENUINE_WORDS = ("0", "false", "no", "n", "genuine", "legitimate", "negative")


def positive_of(table: RawTable, name: str, target: NDArray[Any], asked: str | None) -> str:
    """The label that means fraud.

    Raises:
        BadInput: there are not two labels, or none of them is known to mean it.
    """
    labels = labels_of(target)
    if len(labels) != 2:
        raise BadInput(
            f"{table.path}: column {name!r} should say fraud or genuine, and has {count(len(labels), 'value')} "
            f"({listed(labels, 5)})"
        )
    known = [asked] if asked else [label for label in labels if label.lower() in FRAUD_WORDS]
    if len(known) != 1 or known[0] not in labels:
        raise BadInput(f"{table.path}: which of {listed(labels)} in {name!r} is fraud? Say it with --positive")
    return str(known[0])


def labels_of(target: NDArray[Any]) -> list[str]:
    """The labels that there are, as they are written."""
    return sorted({_label(value) for value in np.unique(target.astype(object)).tolist()})


def _label(value: Any) -> str:
    return written(value) if isinstance(value, float) else str(value)


def is_positive(target: NDArray[Any], positive: str) -> NDArray[np.float64]:
    """(n,) 1 for fraud, 0 for genuine."""
    return np.array([_label(value) == positive for value in target.tolist()], dtype=np.float64)


def known_fraud(table: RawTable, parts: Mapping[str, str], positive: str, genuine: str | None) -> NDArray[np.float64]:
    """(n,) 1, 0, or NaN where it is not known.

    Args:
        genuine: the other label; None of a model that was saved without it, for which any other is genuine.

    Raises:
        BadInput: a cell holds neither label; the message names its line.
    """
    if "fraud" not in parts:
        return np.full(len(table), np.nan)
    text = table.text(parts["fraud"])
    said = {cell: _says_fraud(cell, positive, genuine) for cell in set(text)}
    if None in said.values():
        row = next(row for row, cell in enumerate(text) if said[cell] is None)
        raise BadInput(
            f"{table.path}: {table.place} {table.lines[row]}, column {parts['fraud']!r} holds {shown(text[row])}; "
            f"write {shown(positive)} for fraud, {shown(genuine)} for genuine, and nothing where it is not known yet"
        )
    return np.array([said[cell] for cell in text], dtype=np.float64)


def _says_fraud(cell: str, positive: str, genuine: str | None) -> float | None:
    """1, 0, NaN where it is missing, or None for what is neither label."""
    if cell in MISSING:
        return np.nan
    value = number(cell)
    label = cell if value is None else written(value)
    usual = positive.lower() in FRAUD_WORDS
    if label == positive or (usual and label.lower() in FRAUD_WORDS):
        return 1.0
    if genuine is None or label == genuine or (usual and label.lower() in GENUINE_WORDS):
        return 0.0
    return None
