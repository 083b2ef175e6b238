"""One contender in a run: trained on each fold, its decisions chosen on validation rows, tested, and judged."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pipelines import lending, oversight
from pipelines.assist import DONE, TRAIN
from pipelines.contenders import usage
from pipelines.contenders.by_group import decided as decided_by_group
from pipelines.contenders.by_group import thresholds_of
from pipelines.contenders.contender import Contender, Fitted, Watch, findings_of, part_of, unwatched
from pipelines.contenders.normal import only_ranks
from pipelines.data.splits import Fold
from pipelines.evaluation import bias, decisions, directions, intervals, membership, thresholds
from pipelines.evaluation import calibration as calibrating
from pipelines.evaluation.outcome import FoldResult, Outcome
from pipelines.explanation.explain import explained
from pipelines.journal import Entry, Finished, Journal, Keep
from pipelines.objectives import calibration
from pipelines.objectives.objective import Objective, Predictions
from pipelines.prepare import Prepared
from pipelines.report.document import Cost, Estimate, Scorecard, together
from pipelines.report.explanation import Explanation
from pipelines.training.workers import from_chief, missed


@dataclass(frozen=True)
class Trial:
    """One contender after all its folds: its pooled outcome, and the first fold's model, which is the one saved.

    `folds` holds each training of each fold, in the order of `Prepared.trainings`; the model and its threshold are
    those of the first.
    """

    contender: Contender
    outcome: Outcome
    model: Fitted
    folds: tuple[Finished, ...]
    cost: Cost

    @property
    def threshold(self) -> float:
        """At which the saved model decides."""
        return self.folds[0].threshold

    @property
    def only_ranks(self) -> bool:
        """Whether what it says is no probability, and was not made one (`protocol.calibrate`)."""
        return self.folds[0].calibration is None and only_ranks(self.contender)


def compete(
    contender: Contender,
    prepared: Prepared,
    seed: int,
    watch: Watch = unwatched,
    journal: Journal | None = None,
    task: str = "",
) -> Trial:
    """Train on each fold, as often as the protocol says, choose the threshold on its validation rows, predict its test.

    Args:
        journal: where folds that are done are found and kept.
    """
    examples, objective, protocol = prepared.dataset.examples, prepared.objective, prepared.protocol
    trainings = prepared.trainings(seed)
    parts = len(trainings)
    found: list[Finished] = []
    model: Any = None
    for number, fold_number, training, fold, own_seed in trainings:
        entry = None if journal is None else journal.entry(contender.name, fold_number, training)
        done = None if entry is None else entry.finished()
        if entry is not None and done is not None and number == 0:
            model = entry.model()
        if contender.kind != "classical":  # mitigated ones have no other workers to tell
            with missed():
                from_chief(TRAIN if done is None or model is None else DONE)
        if done is None or model is None:
            fitted, done = _tested(contender, prepared, fold, own_seed, part_of(watch, number, parts), entry)
            if number == 0:
                done = replace(
                    done,
                    cost=usage.measured(done.cost, fitted, examples, fold.test),
                    membership=_membership(contender, fitted, prepared, fold, own_seed),
                    explanation=_explanation(contender, fitted, prepared, fold, own_seed),
                )
            if entry is not None:
                keep = Keep(task, contender.name, objective, examples.take(fold.test[:8]))
                entry.finish(fitted, done, keep if number == 0 else None)
            if number == 0:
                model = fitted
        watch(number + 1, parts)
        found.append(done)
    tests = [
        FoldResult(examples.take(fold.test), done.predictions, fold.test, fold.n_train, training, done.uncalibrated)
        for (_, _, training, fold, _), done in zip(trainings, found, strict=True)
    ]
    cost = replace(
        together([done.cost for done in found], found[0].cost, protocol.seeds),
        predict_rows_per_second=sum(len(test.rows) for test in tests) / max(sum(done.seconds for done in found), 1e-9),
    )
    return Trial(contender, _pooled(tests, prepared), model, tuple(found), cost)


def _pooled(tests: Sequence[FoldResult], prepared: Prepared) -> Outcome:
    by_time, block = prepared.protocol.by == "time", prepared.protocol.block
    return Outcome.pooled(prepared.objective, tests, by_time, block, _moments_a_day(prepared))


def _moments_a_day(prepared: Prepared) -> float:
    """How many distinct moments one of the tested days has, where the data come day by day; else 1."""
    examples, day = prepared.dataset.examples, prepared.dataset.records.get("day")
    if day is None or examples.time is None or examples.ids is not None:
        return 1.0
    tested = np.concatenate([fold.test for fold in prepared.folds])
    return len(np.unique(examples.time[tested])) / len(np.unique(np.floor(day[tested])))


def _tested(
    contender: Contender, prepared: Prepared, fold: Fold, seed: int, watch: Watch, entry: Entry | None
) -> tuple[Fitted, Finished]:
    """One fold: the trained model, and what it predicts for the tested rows."""
    train, valid, test = (prepared.dataset.examples.take(part) for part in (fold.train, fold.valid, fold.test))
    model = contender.fit(train, valid, seed, watch, *([entry.checkpoints] if entry is not None else []))
    validated, objective = model.predict(valid), prepared.objective
    truth = objective.encode(valid.target)
    method = prepared.protocol.calibrate
    by = None if method == "none" else calibration.fitted(method, truth, validated.values, valid.weight)
    threshold = _threshold(calibration.calibrated(validated, by), truth, objective, valid.weight)
    started = time.perf_counter()
    said = model.predict(test)
    predictions = calibration.calibrated(said, by)
    seconds = time.perf_counter() - started
    settings = model.settings if by is None else {**model.settings, "calibration": str(by)}
    rows = (train, valid, calibration.calibrated(validated, by))
    by_group = thresholds_of(contender, *rows, objective, threshold, seed, prepared.dataset.bands)
    if by_group is None:
        decided, of_valid = (_decided(each, threshold) for each in (predictions, rows[2]))
    else:
        kinds = getattr(model, "kinds", test.kinds)
        of_valid, decided = (
            decided_by_group(said, by_group, of, kinds) for said, of in ((rows[2], valid), (predictions, test))
        )
        settings = {**settings, "mitigation": str(by_group)}
    ranks = by is None and by_group is None and only_ranks(contender)
    as_tested = _pooled([FoldResult(valid, of_valid, fold.valid, len(fold.train))], prepared)
    around, at = threshold if ranks else math.nan, prepared.protocol.automate_at
    before, tried = None if by is None else said.values, getattr(model, "tried", ())
    zone = None if by_group is not None else lending.zone_of(rows[2], truth, prepared, threshold, valid.weight)
    moves = directions.moves(
        lambda asked: calibration.calibrated(model.predict(asked), by).values[:, 1],
        test, fold.test, train, prepared.directions, seed,
    )  # fmt: skip
    return model, Finished(
        decided,
        threshold,
        seconds,
        model.cost,
        model.history,
        settings,
        by,
        before,
        tried,
        by_group,
        zone,
        moves,
        automation=oversight.automation_of(as_tested, objective, at, around),
    )


def _membership(
    contender: Contender, model: Fitted, prepared: Prepared, fold: Fold, seed: int
) -> Mapping[str, Estimate]:
    """What the model gives away of who it learned from; nothing where that cannot be told from something else.

    Rows that come later differ by their time as well, and what learns from normal rows alone has no loss of a label.
    """
    if prepared.protocol.by == "time" or only_ranks(contender):
        return {}
    examples, objective, found = prepared.dataset.examples, prepared.objective, []
    sides = [membership.some(rows, seed) for rows in (fold.train, fold.test)]
    for rows in sides:
        part = examples.take(rows)
        found.append(membership.losses(objective, objective.encode(part.target), model.predict(part)))
    members, others = found
    if members is None or others is None:
        return {}
    ids = (None, None) if examples.ids is None else tuple(examples.ids[rows] for rows in sides)
    return membership.measured(members, others, seed, *ids)


def _explanation(contender: Contender, model: Fitted, prepared: Prepared, fold: Fold, seed: int) -> Explanation | None:
    """What the model's answers hang on; nothing of mitigated and private ones, which are there for something else."""
    if contender.kind in ("mitigated", "private"):
        return None
    examples = prepared.dataset.examples
    return explained(model, prepared.objective, examples.take(fold.train), examples.take(fold.test), seed)


def judge(trial: Trial, prepared: Prepared, seed: int, mlflow_run_id: str = "") -> Scorecard:
    """Scores with intervals, and bias by group."""
    outcome, objective, resamples = trial.outcome, prepared.objective, prepared.protocol.resamples
    spread = intervals.spread_of(outcome, objective, resamples, seed)
    table, probabilities = bias.group_table(outcome, objective), {}
    if not trial.only_ranks:
        probabilities = calibrating.measured(outcome, objective)
    by_group = trial.folds[0].by_group is not None
    before = None if only_ranks(trial.contender) else outcome.uncalibrated
    scores = intervals.estimates(outcome, objective, resamples, seed)
    return Scorecard(
        name=trial.contender.name,
        kind=trial.contender.kind,
        scores=calibrating.told_honestly(scores, probabilities),
        cost=trial.cost,
        threshold=math.nan if by_group else trial.threshold,
        decisions=decisions.decided(outcome, objective, one_threshold=not by_group),
        calibration=probabilities,
        uncalibrated={} if before is None else calibrating.measured(outcome, objective, before),
        bias=table.rows,
        gaps=bias.gaps(table),
        mlflow_run_id=mlflow_run_id,
        settings={**trial.folds[0].settings, **_findings(trial, prepared)},
        training_sd=spread.training_sd,
        test_sd=spread.test_sd,
        points=lending.card_of(trial.model, prepared),
        directions=directions.measured([each.moves for each in trial.folds], prepared.directions),
        referral=lending.referral_of(outcome, [each.zone for each in trial.folds], prepared),
        membership=trial.folds[0].membership,
        explanation=trial.folds[0].explanation,
        oversight=oversight.oversight_of(outcome, [each.automation for each in trial.folds], objective),
        by_fold=tuple(each[objective.primary] for each in outcome.fold_scores(objective)) if outcome.apart else (),
    )


def _findings(trial: Trial, prepared: Prepared) -> dict[str, str]:
    """What happened in each training, named by its fold, its number, or both."""
    found, several = [each.settings for each in trial.folds], prepared.protocol.seeds
    if several == 1:
        return findings_of(found, "fold")
    if len(found) == several:
        return findings_of(found, "training")
    numbers = [f"{each % several + 1} of fold {each // several + 1}" for each in range(len(found))]
    return findings_of(found, "training", numbers)


def _threshold(validated: Predictions, truth: Any, objective: Objective, weight: Any) -> float:
    """The decision threshold that validation rows ask for; NaN where there is none to choose."""
    by = getattr(objective, "decide_by", None)
    if by is None or not getattr(objective, "binary", False):
        return math.nan
    return thresholds.choose(truth, validated.values[:, 1], by, weight)


def _decided(predictions: Predictions, threshold: float) -> Predictions:
    return predictions if threshold != threshold else predictions.decide(threshold)
