"""Worse pictures in a run: made of tested ones, answered by every contender's saved model, and judged."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipelines.contenders.contender import Contender, Fitted
from pipelines.data.examples import Examples
from pipelines.data.pictures import corrupted
from pipelines.data.splits import Fold
from pipelines.evaluation.outcome import FoldResult, Outcome
from pipelines.evaluation.robustness import Drawn, Key, Worse, leads, losses
from pipelines.objectives.calibration import calibrated
from pipelines.objectives.objective import Predictions
from pipelines.report.document import BESIDE
from pipelines.report.robustness import Robustness, WorsenedLead

if TYPE_CHECKING:
    from pipelines.journal import Finished
    from pipelines.prepare import Prepared

MOST_ROWS, FEWEST_ROWS = 1000, 60
MOST_BYTES = 64 << 20
"""Of the pictures that are made worse, as they are."""
MOST_SECONDS = 20.0
"""That a contender may take to answer all of them, by how long it took to answer those of its test."""

WAYS = tuple(
    (name, severity, amount)
    for name, amounts in corrupted.SEVERITIES.items()
    for severity, amount in enumerate(amounts, 1)
)


def answered(
    contender: Contender, fitted: Fitted, done: Finished, prepared: Prepared, fold: Fold, seed: int
) -> Worse | None:
    """What the saved model says of its tested pictures made worse; None where there is nothing to ask.

    Every contender is asked about the same pictures; one that is slow about the first of them only.
    """
    examples = prepared.dataset.examples
    column = _column(examples)
    if prepared.protocol.robustness == "no" or column is None or contender.kind in BESIDE or done.by_group is not None:
        return None
    started = time.perf_counter()
    rows = np.random.default_rng(seed).permutation(fold.test)[: _most(examples.columns[column], done, len(fold.test))]
    tested = examples.take(rows)
    pictures = np.asarray(tested.columns[column][:])

    def said(changed: NDArray[np.uint8]) -> NDArray[Any]:
        columns = {**tested.columns, column: changed}
        return calibrated(fitted.predict(replace(tested, columns=columns)), done.calibration).values

    worse = np.stack([said(corrupted.corrupted(pictures, name, amount, seed)) for name, _, amount in WAYS])
    return Worse(rows, said(pictures), worse, WAYS, time.perf_counter() - started)


def robustness_of(worse: Worse | None, done: Finished, prepared: Prepared, seed: int) -> Robustness | None:
    """What worse pictures cost; None of data without pictures."""
    primary = prepared.objective.primary
    if worse is None:
        kinds = prepared.dataset.examples.kinds.values()
        asked = prepared.protocol.robustness == "yes" and "image" in kinds
        known = _column(prepared.dataset.examples) is not None
        why = "only pictures of one or three bytes a pixel are made worse, not volumes"
        return Robustness(primary, why_not=why) if asked and not known else None
    clean, ways = _drawn(worse, len(worse.rows), done.threshold, prepared, seed)
    amounts = [amount for _, _, amount in worse.ways]
    lost = losses(clean, ways, amounts, prepared.objective)
    return Robustness(primary, len(worse.rows), clean.estimate(primary), lost, worse.seconds)


def leads_of(
    found: Mapping[str, tuple[Worse | None, float]], network: str, baseline: str, prepared: Prepared, seed: int
) -> tuple[WorsenedLead, ...]:
    """The network's lead over the best baseline on the pictures that both were asked about.

    Args:
        found: contender -> what it said, and its threshold.
    """
    (ours, at), (theirs, other) = found[network], found[baseline]
    if ours is None or theirs is None:
        return ()
    most = min(len(ours.rows), len(theirs.rows))
    mine, others = (_drawn(each, most, cut, prepared, seed)[1] for each, cut in ((ours, at), (theirs, other)))
    return leads(mine, others, prepared.objective)


def _column(examples: Examples) -> str | None:
    """The column of pictures that can be made worse."""
    found = [name for name in examples.names("image") if corrupted.possible(examples.columns[name])]
    return found[0] if len(found) == 1 else None


def _most(column: Any, done: Finished, tested: int) -> int:
    """How many pictures: halved as often as it takes, so that small differences in speed change nothing."""
    fit = MOST_BYTES // max(1, int(np.prod(column.shape[1:])))
    most = min(MOST_ROWS, max(fit, FEWEST_ROWS), tested)
    each = done.seconds / tested
    while most > FEWEST_ROWS and most * (len(WAYS) + 1) * each > MOST_SECONDS:
        most //= 2
    return most


def _drawn(worse: Worse, most: int, threshold: float, prepared: Prepared, seed: int) -> tuple[Drawn, dict[Key, Drawn]]:
    """Scores and their resamples of the first pictures, as they are and made worse."""
    tested = prepared.dataset.examples.take(worse.rows[:most])
    objective, n_train = prepared.objective, prepared.folds[0].n_train
    by_time = prepared.protocol.by == "time"

    def drawn(values: NDArray[Any]) -> Drawn:
        predictions = Predictions(values[:most])
        predictions = predictions if threshold != threshold else predictions.decide(threshold)
        result = FoldResult(tested, predictions, worse.rows[:most], n_train)
        return Drawn.of(Outcome.pooled(objective, [result], by_time, prepared.protocol.block), objective, seed)

    ways = {(name, severity): drawn(said) for (name, severity, _), said in zip(worse.ways, worse.said, strict=True)}
    return drawn(worse.clean), ways
