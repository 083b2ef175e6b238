"""Inputs unlike the training rows, in a run: whether the network's features tell them, and what is kept for that."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipelines.contenders.contender import Contender, Fitted
from pipelines.data.examples import Examples
from pipelines.data.pictures import corrupted
from pipelines.data.pictures.strange import WORDS, strange
from pipelines.data.splits import Fold
from pipelines.evaluation.delong import auroc_interval
from pipelines.evaluation.intervals import proportion
from pipelines.explanation import familiar
from pipelines.explanation.familiar import FLAGGED, Familiar, Seen, seen
from pipelines.explanation.opened import Opened, opened
from pipelines.report.document import BESIDE, Estimate
from pipelines.report.strangers import Stranger, Strangers

if TYPE_CHECKING:
    from pipelines.prepare import Prepared

MOST_ROWS, MOST_STRANGE = 1000, 300
MOST_BYTES = 64 << 20
"""Of the pictures of one kind, as they are."""


def measured(contender: Contender, fitted: Fitted, prepared: Prepared, fold: Fold, seed: int) -> Strangers | None:
    """How well other pictures are told from tested rows; None of what is no single network, or reads no pictures."""
    network = _network(contender, fitted, prepared)
    if network is None:
        return None
    started, examples = time.perf_counter(), prepared.dataset.examples
    found = _learned(network, prepared, fold)
    most = max(1, min(MOST_ROWS, MOST_BYTES // network.row_bytes))
    tested = examples.take(np.random.default_rng(seed).permutation(fold.test)[:most])
    if found is None or (usual := seen(network, tested)) is None:
        return None
    (column,) = network.kinds
    shape, kinds, left_out = tuple(examples.columns[column].shape[1:]), list[Stranger](), list[str]()
    for kind in asked(prepared.protocol.strange):
        pictures = strange(kind, max(1, min(MOST_STRANGE, most)), shape, seed)
        others = None if pictures is None else seen(network, _examples(pictures, network, examples))
        if pictures is None or others is None:
            left_out.append(kind)
            continue
        kinds.append(_told(kind, len(pictures), usual, others, found, tested))
    flagged = proportion(found.unlike(usual.features), tested.weight, _units(tested))
    took = time.perf_counter() - started
    return Strangers(len(tested), FLAGGED, found.threshold, flagged, tuple(kinds), tuple(left_out), took)


def asked(text: str) -> list[str]:
    """The kinds that a protocol names; `none` is none."""
    return [each.strip() for each in text.split(",") if each.strip() and each.strip() != "none"]


def keep(contender: Contender, fitted: Fitted, prepared: Prepared, folder: Path) -> None:
    """Write what tells strange inputs into a saved network's folder, for `tapeline predict`."""
    network = _network(contender, fitted, prepared)
    found = None if network is None else _learned(network, prepared, prepared.folds[0])
    if found is not None:
        familiar.keep(found, folder)


def _network(contender: Contender, fitted: Fitted, prepared: Prepared) -> Opened | None:
    """The network in parts, where it reads one column of pictures that others can stand in for."""
    if contender.kind in BESIDE or not asked(prepared.protocol.strange):
        return None
    network = opened(fitted)
    if network is None or list(network.kinds.values()) != ["image"]:
        return None
    return network if corrupted.possible(prepared.dataset.examples.columns[next(iter(network.kinds))]) else None


def _learned(network: Opened, prepared: Prepared, fold: Fold) -> Familiar | None:
    """Features of training rows, and the threshold that validation rows set."""
    examples, objective = prepared.dataset.examples, prepared.objective
    spread = np.linspace(0, len(fold.train) - 1, min(len(fold.train), familiar.MOST_ROWS)).round().astype(np.int64)
    train, valid = examples.take(fold.train[spread]), examples.take(fold.valid)
    known, checked = seen(network, train), seen(network, valid)
    if known is None or checked is None:
        return None
    classes = objective.encode(train.target) if objective.kind == "classification" else np.zeros(len(train))
    found = Familiar.of(known.features, classes)
    distances = found.distance(checked.features)
    return replace(found, threshold=float(np.quantile(distances, 1 - FLAGGED, method="higher")))


def _examples(pictures: NDArray[np.uint8], network: Opened, like: Examples) -> Examples:
    """Other pictures, as the network takes rows; nobody asks for their target."""
    (column,) = network.kinds
    return Examples({column: pictures}, np.repeat(like.target[:1], len(pictures)), {column: "image"})


def _told(kind: str, n: int, usual: Seen, others: Seen, found: Familiar, tested: Examples) -> Stranger:
    units = _units(tested)
    clusters = None if units is None else np.concatenate([units, units.max() + 1 + np.arange(n)])
    weight = None if tested.weight is None else np.concatenate([tested.weight, np.ones(n)])
    truth = np.concatenate([np.zeros(len(tested), np.int64), np.ones(n, np.int64)])

    def apart(here: NDArray[Any], there: NDArray[Any]) -> Estimate:
        return auroc_interval(truth, np.concatenate([here, there]), weight, clusters)

    by_distance = apart(found.distance(usual.features), found.distance(others.features))
    flagged = proportion(found.unlike(others.features))
    return Stranger(kind, WORDS[kind], n, by_distance, apart(usual.energy, others.energy), flagged)


def _units(rows: Examples) -> NDArray[np.int64] | None:
    return None if rows.ids is None else np.unique(rows.ids.astype(str), return_inverse=True)[1].astype(np.int64)
