"""Answers of a network taken apart on several rows: by column, by word, or by region, as the rows are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.contenders.acting import Usual
from pipelines.data.examples import Examples, Kind
from pipelines.explanation.attribution import by_column
from pipelines.explanation.cam import grad_cam
from pipelines.explanation.integrated import STEPS, integrated
from pipelines.explanation.opened import Floats, Opened
from pipelines.explanation.parts import FEWEST_ROWS, regions, words_of
from pipelines.explanation.usual import Typical

Array = NDArray[np.float64]
Held = tuple[Array, NDArray[np.int64]]
"""What a part pushes in each row that has it, and which rows these are."""

RANDOMISED_ROWS = 8


@dataclass(frozen=True)
class Attributed:
    """What pushes the answers to some rows.

    Args:
        parts: by name.
        incomplete: (n,) the share of each difference by which the parts of a row miss it.
        again: (few rows, places) parts by the weights that the network has at the moment of the call.
        maps: (n, rows, columns) where the answers to pictures, recordings and series come from: signed parts by
            `integrated gradients`, and what speaks for the answer by `grad-cam`.
    """

    parts: Mapping[str, Held]
    incomplete: Array
    again: Callable[[], Array]
    maps: Mapping[str, Array] = field(default_factory=dict)


def attributed(
    network: Opened, usual: Usual | Typical, rows: Examples, assets: Sequence[str] = (), fewest: int = FEWEST_ROWS
) -> Attributed:
    """The answers to `rows`, against what is usual.

    Args:
        usual: as `usual_for` finds it among training rows.
        assets: of a portfolio, their names.
        fewest: rows that must have a word for it to be a part.
    """
    if not isinstance(usual, Typical):
        return _table(network, usual, rows)
    here = network.numbers(network.encoded(rows))
    found = integrated(network, here, usual.beside(here))
    parts, incomplete = found.parts, found.incomplete(found.parts.reshape(len(here), -1).sum(axis=1))
    first = here[:RANDOMISED_ROWS]

    def again() -> Array:
        now = integrated(network, first, usual.beside(first), STEPS).parts
        return now.sum(axis=2) if network.embed is not None else now.reshape(len(now), -1)

    (name, kind), *_ = network.kinds.items()
    if network.shape == "text":
        return Attributed(_by_word(parts.sum(axis=2), rows.columns[name], fewest), incomplete, again)
    return Attributed(_by_region(parts, kind, assets), incomplete, again, _maps(network, kind, here, parts))


def _table(network: Opened, usual: Usual, rows: Examples) -> Attributed:
    pushes, incomplete = by_column(network, rows, usual)
    few, everyone = rows.take(np.arange(min(len(rows), RANDOMISED_ROWS))), np.arange(len(rows))

    def again() -> Array:
        return np.column_stack(list(by_column(network, few, usual, STEPS)[0].values()))

    return Attributed({name: (each, everyone) for name, each in pushes.items()}, incomplete, again)


def _by_word(parts: Array, texts: Any, fewest: int) -> dict[str, Held]:
    """Of every word that enough rows have; one that stands in a row several times pushes by all of them together."""
    found: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for row, text in enumerate(texts[:]):
        for place, word in enumerate(words_of(text)[: parts.shape[1]]):
            found[word][row] += float(parts[row, place])
    return {
        word: (np.array(list(rows.values())), np.array(list(rows)))
        for word, rows in found.items()
        if len(rows) >= fewest
    }


def _by_region(parts: Array, kind: Kind, assets: Sequence[str]) -> dict[str, Held]:
    n = len(parts)
    return {
        part.name: (parts[(slice(None), *part.where)].reshape(n, -1).sum(axis=1), np.arange(n))
        for part in regions(kind, parts.shape[1:], assets)
    }


def _maps(network: Opened, kind: Kind, here: Floats, parts: Array) -> dict[str, Array]:
    """(n, rows, columns) of pictures; (n, bands, frames) of recordings, the highest band on top; (n, assets or
    channels, steps) of series."""
    signed = parts.reshape(*parts.shape[:3], -1).sum(axis=-1)
    if kind != "image":
        turned = signed.swapaxes(1, 2)
        return {"integrated gradients": turned[:, ::-1] if kind == "wave" else turned}
    cam = grad_cam(network, here, network.chosen(here))
    return {"integrated gradients": signed} | ({} if cam is None else {"grad-cam": cam})
