"""Reasons: which columns pushed a row most towards the positive class, in words that a letter could use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipelines.contenders.acting import Usual
from pipelines.data.examples import Examples
from pipelines.explanation.attribution import Attributions

LEAST = 1e-3
"""A push that is no reason: a thousandth in log-odds moves no probability by more than a quarter of that."""


def strongest(found: Attributions, most: int) -> list[list[tuple[str, float]]]:
    """For each row, at most so many (column, push), the strongest push towards the positive class first."""
    names = list(found.pushes)
    pushes = np.column_stack([found.pushes[name] for name in names])
    order = np.argsort(-pushes, axis=1, kind="stable")[:, :most]
    return [
        [(names[place], float(row[place])) for place in places if row[place] > LEAST]
        for row, places in zip(pushes, order, strict=True)
    ]


def in_words(examples: Examples, usual: Usual, row: int, name: str) -> str:
    """`Debt: 4,500, higher than usual (0)`; `Records: yes (usual: no)`; `Income: not given (usual: 125)`."""
    value, common = examples.columns[name][row], usual.get(name)
    told = f"{name}: {_written(value)}"
    if common is None:
        return told
    if examples.kinds[name] != "number" or value != value:
        return f"{told} (usual: {_written(common)})"
    if value == common:
        return told
    return f"{told}, {'higher' if value > common else 'lower'} than usual ({_written(common)})"


def columns(
    examples: Examples, usual: Usual, found: Attributions, most: int, factor: float | None
) -> dict[str, Sequence[Any]]:
    """The columns `reason_1`, `reason_2`, ... of a table of predictions, empty where a row has fewer.

    Args:
        factor: points for each unit of log-odds; each reason then also says how many points it cost.
    """
    told: dict[str, Sequence[Any]] = {}
    rows = strongest(found, most)
    for place in range(most):
        kept = [row[place] if place < len(row) else None for row in rows]
        told[f"reason_{place + 1}"] = [
            "" if each is None else in_words(examples, usual, row, each[0]) for row, each in enumerate(kept)
        ]
        if factor is not None:
            told[f"reason_{place + 1}_points"] = [
                float("nan") if each is None else round(-factor * each[1], 1) for each in kept
            ]
    return told


def _written(value: Any) -> str:
    if value is None or value != value:
        return "not given"
    if isinstance(value, str):
        return value
    number = float(value)
    return f"{number:,.0f}" if number == round(number) else f"{number:,.4g}"
