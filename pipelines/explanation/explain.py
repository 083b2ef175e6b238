"""What a trained contender's answers hang on, measured on rows that it was tested with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.contenders.reading import columns_read
from pipelines.data.examples import Examples, Kind
from pipelines.evaluation.intervals import mean
from pipelines.explanation.attributed import Held, attributed
from pipelines.explanation.opened import Opened, opened
from pipelines.explanation.parts import smaller, telling_words
from pipelines.explanation.permuted import exchanges, importances, some_rows
from pipelines.explanation.randomisation import randomisation_test
from pipelines.explanation.usual import keep, typical, usual_for
from pipelines.objectives.objective import Objective
from pipelines.report.explanation import Attribution, Explanation
from pipelines.training.plan import rows_within

MOST_ROWS = {"table": 1000, "text": 96, "other": 96}
"""Rows whose answers are taken apart; convolutions and recurrent layers take their time."""

MOST_BYTES = 32 << 20
"""Of the rows that are taken apart, encoded, and of those that parts are exchanged between, as they are."""

MOST_WORDS, MOST_READ = 30, 10_000
"""Of a text, that are exchanged; and training texts that they are chosen from."""

MOST_TOLD = 50
"""Parts that a report names."""


def explained(fitted: Any, objective: Objective, train: Examples, tested: Examples, seed: int) -> Explanation:
    """Permutation importance of any contender; of a network integrated gradients, Grad-CAM and the randomisation test.

    Args:
        train: rows that it learned from: what is usual is found among them.
        tested: rows that it did not see.
    """
    from threadpoolctl import threadpool_limits

    kinds, found = columns_read(fitted, tested.kinds), Explanation(0)
    if why_not := _why_not(objective, tested):
        found = replace(found, why_not=why_not)
    else:
        words = _words(objective, train, kinds)
        fit = rows_within(len(tested), sum(map(row_bytes, (tested.columns[name] for name in kinds))), MOST_BYTES)
        first = tested.take(np.arange(1))  # its parts are those of all, but for words
        rows = tested.take(some_rows(len(tested), max(len(words), len(exchanges(first, kinds))), fit, seed))
        with threadpool_limits(1):  # of so few rows several threads wait for each other
            score, lost = importances(fitted.predict, rows, exchanges(rows, kinds, words), objective, seed)
        found = replace(found, rows=len(rows), score=score, importances=lost[:MOST_TOLD])
    network = opened(fitted)
    return found if network is None else _with_pushes(found, network, objective, train, tested, seed)


def row_bytes(values: Any) -> int:
    """Of one row of a column, as it is."""
    return int(np.prod(np.shape(values)[1:])) * np.asarray(values[:1]).dtype.itemsize


def keep_usual(fitted: Any, train: Examples, folder: Path) -> None:
    """Write what answers are compared with into a saved network's folder; of a table that is kept with the model."""
    if (network := opened(fitted)) is not None and network.shape != "table":
        keep(typical(network, train), folder)


def _words(objective: Objective, train: Examples, kinds: Mapping[str, Kind]) -> list[str]:
    """Of a text, the words that are tried: chosen on training rows, the same for every contender."""
    texts = [name for name, kind in kinds.items() if kind == "text"]
    if not texts:
        return []
    some = train.take(np.arange(min(len(train), MOST_READ)))
    classes = objective.kind == "classification"
    return telling_words(list(some.columns[texts[0]][:]), objective.encode(some.target), classes, MOST_WORDS)


def _why_not(objective: Objective, tested: Examples) -> str:
    """Why parts cannot be exchanged between rows; empty where they can."""
    if objective.kind == "allocation":
        return "days of a portfolio follow each other: exchanging them would change what trading costs"
    if getattr(objective, "binary", False) and len(np.unique(objective.encode(tested.target))) < 2:
        return "one class alone was tested"
    return ""


def _with_pushes(
    found: Explanation, network: Opened, objective: Objective, train: Examples, tested: Examples, seed: int
) -> Explanation:
    most = min(len(tested), rows_within(MOST_ROWS[network.shape], network.row_bytes, MOST_BYTES))
    rows = tested.take(np.sort(np.random.default_rng(seed).choice(len(tested), most, replace=False)))
    apart = attributed(network, usual_for(network, train), rows, getattr(objective, "assets", ()))
    return replace(
        found,
        answer=network.answer.words,
        unit=network.answer.unit,
        attributions=_pushes(apart.parts, rows),
        attributed_rows=most,
        completeness_error=float(apart.incomplete.max(initial=0.0)),
        randomisation=randomisation_test(network.core, apart.again, seed),
        maps={way: smaller(np.abs(each).mean(axis=0)) for way, each in apart.maps.items()},
    )


def _pushes(parts: Mapping[str, Held], rows: Examples) -> tuple[Attribution, ...]:
    """The parts that push most, over all rows: one without a part is not pushed by it."""
    clusters = None if rows.ids is None else np.unique(rows.ids.astype(str), return_inverse=True)[1]
    found = []
    for name, (values, where) in parts.items():
        sizes = np.zeros(len(rows))
        sizes[where] = np.abs(values)
        found.append(Attribution(name, mean(sizes, rows.weight, clusters), float(values.mean()), len(where)))
    return tuple(sorted(found, key=lambda each: -each.size.value)[:MOST_TOLD])
