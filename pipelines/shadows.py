"""Shadow models in a run: trained like each contender on halves of the rows, thrown away, and used to attack it (LiRA).

Under attack is the model that is saved, the first fold's. It learned from its training rows and knows nothing of the
tested ones; shadows learn from halves of both, so that rows of either kind are inside some and outside others. They
stop by the same validation rows, of which nobody is asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipelines.compete import Trial
from pipelines.contenders.contender import Contender, Fitted, Watch, part_of, seed_of_shadow
from pipelines.contenders.settled import settled
from pipelines.errors import BadInput, TrainingFailed
from pipelines.evaluation import lira, membership
from pipelines.journal import Entry, Journal
from pipelines.prepare import Prepared, Progress
from pipelines.task import Task
from pipelines.training.spending import require_affordable

UNATTACKED = ("mitigated", "blend")
"""Kinds of contenders that have no shadows: they are made of others, which have."""


@dataclass(frozen=True)
class Rows:
    """Which rows shadows learn from, and of which they are asked.

    Args:
        learned: (rows,) row numbers that the shadows divide between them.
        inside: (shadows, rows) which of them each shadow learns from.
        asked: (n,) row numbers, first those that the model under attack learned from.
        members: how many these are.
        inside_asked: (shadows, n) whether the shadow learned from the row that is asked of.
    """

    learned: NDArray[np.int64]
    inside: NDArray[np.bool_]
    asked: NDArray[np.int64]
    members: int
    inside_asked: NDArray[np.bool_]

    @classmethod
    def of(cls, prepared: Prepared, seed: int) -> Rows:
        """The same for every contender of a run, so that what they give away is of the same rows."""
        examples, objective, fold = prepared.dataset.examples, prepared.objective, prepared.folds[0]
        learned = np.sort(np.concatenate([fold.train, fold.test]))
        labels = objective.encode(examples.target[learned]) if objective.kind == "classification" else None
        ids = None if examples.ids is None else examples.ids[learned]
        inside = lira.halves(len(learned), prepared.protocol.shadows, seed, labels, ids)
        sides = [membership.some(rows, seed) for rows in (fold.train, fold.test)]
        asked = np.concatenate(sides)
        return cls(learned, inside, asked, len(sides[0]), inside[:, np.searchsorted(learned, asked)])


def require_possible(task: Task, prepared: Prepared) -> None:
    """Refuse shadow models where they would tell nothing, or cannot be trained.

    Raises:
        BadInput: with the setting, and why.
    """
    shadows, fold = prepared.protocol.shadows, prepared.folds[0]
    if not shadows:
        return
    given = f"--set protocol.shadows={shadows}"
    if prepared.protocol.by == "time":
        raise BadInput(
            f"{given}: rows are split by time, and later rows differ from those learned from by more than that; leave "
            "it out"
        )
    if prepared.objective.kind not in ("classification", "regression"):
        raise BadInput(f"{given} attacks what models say of classes or of numbers, and this target is neither")
    if all(each.learns_from == "normal" for each in task.networks):
        raise BadInput(f"{given}: {task.networks[0].name} learns from normal rows alone, and is not sure of any label")
    require_affordable(prepared.recipe, [(len(fold.train) + len(fold.test)) // 2])


def attacked(trial: Trial, prepared: Prepared, seed: int, progress: Progress, journal: Journal | None) -> Trial:
    """The trial, with what its shadow models tell of its saved model beside what the losses tell.

    Nothing is added where losses were not measured either.

    Args:
        journal: where shadows that are done are found and kept.

    Raises:
        TrainingFailed: a shadow could not be trained.
    """
    first, contender = trial.folds[0], trial.contender
    if not prepared.protocol.shadows or not first.membership or contender.kind in UNATTACKED:
        return trial
    examples, rows = prepared.dataset.examples, Rows.of(prepared, seed)
    like = settled(contender, trial.model, first.tried, examples.take(prepared.folds[0].train))
    entry = None if journal is None else journal.entry(contender.name, 0)
    with progress.stage(f"shadows of {contender.name}") as watch:
        said = np.array([
            _asked(like, number, rows, prepared, seed, part_of(watch, number, len(rows.inside)), entry)
            for number in range(len(rows.inside))
        ])  # fmt: skip
    ids = None if examples.ids is None else examples.ids[rows.asked]
    found = lira.measured(_said(trial.model, rows, prepared), said, rows.inside_asked, rows.members, seed, ids)
    return replace(trial, folds=(replace(first, membership={**first.membership, **found}), *trial.folds[1:]))


def _asked(
    like: Contender, number: int, rows: Rows, prepared: Prepared, seed: int, watch: Watch, entry: Entry | None
) -> NDArray[np.float64]:
    """(n,) how sure one shadow is of each row that is asked of; it is trained, unless it was."""
    name = f"shadow-{number + 1}"
    kept = None if entry is None else entry.kept(name)
    if kept is not None and kept.shape == rows.asked.shape:
        watch(1, 1)
        return kept
    examples = prepared.dataset.examples
    train, valid = examples.take(rows.learned[rows.inside[number]]), examples.take(prepared.folds[0].valid)
    checkpoints = None if entry is None else entry.checkpoints.within(name)
    try:
        shadow = like.fit(train, valid, seed_of_shadow(seed, number), watch, checkpoints)
    except TrainingFailed as error:
        raise TrainingFailed(f"{name} of {like.name}, which learns from half of the rows: {error}") from error
    said = _said(shadow, rows, prepared)
    if entry is not None and checkpoints is not None:
        entry.keep(name, said)
        checkpoints.clear()
    watch(1, 1)
    return said


def _said(model: Fitted, rows: Rows, prepared: Prepared) -> NDArray[np.float64]:
    """(n,) how sure a model is of each row that is asked of."""
    examples, objective = prepared.dataset.examples.take(rows.asked), prepared.objective
    said = lira.confidences(objective, objective.encode(examples.target), model.predict(examples))
    assert said is not None  # noqa: S101  for type checkers: what has losses has confidences
    return said
