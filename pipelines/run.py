"""One run, read top to bottom: load > check > split > fit contenders > predict > evaluate > compare > record."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any

from pipelines import lending, operating, oversight, private, robustness, shadows, tuning
from pipelines.assist import agree, meet, require_possible
from pipelines.command import typed
from pipelines.compete import Trial, compete, judge
from pipelines.contenders import energy
from pipelines.contenders.blend import blended
from pipelines.contenders.contender import Contender
from pipelines.contenders.lineup import line_up
from pipelines.contenders.private import with_private
from pipelines.contenders.tuned import Budget
from pipelines.errors import BadInput, Interrupted, TrainingFailed
from pipelines.evaluation import alerts, comparison, mitigation, net_benefit, verdict
from pipelines.evaluation.outcome import Outcome
from pipelines.hardware import hardware
from pipelines.journal import Journal, open_journal, unfinished
from pipelines.objectives.objective import Objective
from pipelines.operations.paging import keep_page
from pipelines.prepare import Prepared, Progress, Silent, prepare
from pipelines.recording import parameters, record, settings_of
from pipelines.report import plots
from pipelines.report.alerts import AlertReport
from pipelines.report.document import Comparison, DataCard, Mitigation, NetBenefit, Report, Scorecard, Verdict, sides
from pipelines.task import DataRequest, Task
from pipelines.tracking.provenance import sources, versions
from pipelines.tracking.record import RunHandle, Standing, pipeline_run
from pipelines.tracking.store import open_store
from pipelines.training.strategy import make_deterministic

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""How the system says that nothing more can be written."""

UNFINISHED = Path("mlruns", "unfinished")
"""Where runs that were stopped keep what they had done, under the current folder."""


@dataclass(frozen=True)
class Part:
    """What makes a run one of several in a larger one. It goes on without a contender that cannot be trained.

    Args:
        standing: its place in MLflow.
        unfinished: where it keeps what it has done.
        keep: called with each contender's outcome once all are judged.
    """

    standing: Standing
    unfinished: Path
    keep: Callable[[Mapping[str, Outcome]], None]


def run(
    task: Task,
    request: DataRequest = DataRequest(),  # noqa: B008  frozen
    seed: int = 0,
    assignments: Sequence[str] = (),
    progress: Progress | None = None,
    deterministic: bool = False,
    fresh: bool = False,
    budget: Budget | None = None,
    part: Part | None = None,
) -> Report:
    """Answer the task's question on this data, record everything in MLflow, and return the report.

    A run that was stopped, by whatever, is gone on with when the same is asked again in the same folder.

    Args:
        assignments: `recipe.KEY=VALUE` and `protocol.KEY=VALUE` changes to what the task declares.
        deterministic: the same weights in any process on the same hardware; slower.
        fresh: start anew even if there is unfinished work.
        budget: tune every contender within it, on each fold (`tapeline tune`); None runs them as they are declared.
        part: what the run is a part of, where it does not stand alone.

    Raises:
        BadInput: the data, a flag or a setting cannot work, or is not another worker's; nothing was recorded.
        TrainingFailed: a contender could not be trained, or the disk is full; the MLflow run is marked FAILED.
        Interrupted: told to stop; what was done is kept for the same call again.
    """
    started, progress = time.perf_counter(), progress or Silent()
    meet(progress)
    energy.prepare()
    if deterministic:
        make_deterministic(seed)
    prepared = prepare(task, request, seed, assignments, progress)
    task = task.competing(prepared.protocol.networks, prepared.dataset.examples.columns)
    task = task.directed(prepared.directions, prepared.protocol.obey == "yes")
    require_possible(prepared, deterministic)
    shadows.require_possible(task, prepared)
    agree(task, request, seed, assignments, deterministic, prepared)
    contenders = line_up(task, prepared.objective, prepared.recipe, prepared.mitigation)
    contenders = with_private(contenders, prepared.protocol.private, prepared.dataset.examples, prepared.folds)
    if budget is not None:
        contenders = tuning.tuned(contenders, prepared, budget, assignments)
    if prepared.protocol.blend == "yes":
        contenders = blended(contenders, prepared.objective)
    store, card = open_store(), prepared.card()
    command = commanded(task, request, seed, assignments, deterministic, budget)
    place = UNFINISHED if part is None else part.unfinished
    journal = open_journal(place, command, _identity(prepared, card), fresh)
    if journal is not None and journal.dropped:
        progress.say(f"what this command had done is not gone on with: it was of other {', '.join(journal.dropped)}")
    if journal is None:
        progress.say(f"nothing can be written to {place}: if this run is stopped, it cannot be gone on with")
    going_on_with = "" if journal is None else journal.run_id
    if going_on_with:
        progress.say(f"going on with run {going_on_with}, which ended early; --fresh starts anew")
    try:
        tags, standing = {"tuned": str(budget)} if budget else None, part.standing if part else None
        params = parameters(prepared, seed, deterministic)
        with pipeline_run(store, task.name, tags, params, going_on_with, standing) as parent:
            if journal is not None:
                journal.begin(parent.run_id, command)
            parent.dataset(card)
            competing = (contenders, task, prepared, seed, parent, progress, journal)
            trials, cards, left_out = _competition(*competing, lenient=part is not None)
            with progress.stage("compare and record"):
                report = _report(task, prepared, card, trials, cards, seed, parent.run_id, started)
                outcomes = {trial.contender.name: trial.outcome.training(0) for trial in trials}
                if budget is not None:
                    report = replace(report, tuning=tuning.tuning_of(budget, trials, prepared, assignments))
                for name, figure in plots.of_run(report, outcomes, prepared.objective):
                    parent.figure(name, figure)
                if part is not None:
                    part.keep({trial.contender.name: trial.outcome for trial in trials})
                seconds = time.perf_counter() - started
                again = "" if part else typed(command, *astuple(budget or Budget()))
                report = replace(report, seconds=seconds, deterministic=deterministic, left_out=left_out, command=again)
                parent.report(report)
                keep_page(parent, progress)
    except KeyboardInterrupt:
        if journal is None or not journal.run_id:
            raise
        resume = f", or `tapeline run --resume {journal.run_id}`," if budget is None else ""
        raise Interrupted(f"interrupted; the same command{resume} goes on from here") from None
    except OSError as error:
        if error.errno not in FULL:
            raise
        where = f" ({error.filename})" if error.filename else ""
        again = "make room, and give the same command again" + (", which goes on from here" if journal else "")
        raise TrainingFailed(f"the disk is full{where}; {again}") from error
    finally:
        if journal is not None:
            journal.release()
    if journal is not None:
        journal.close()
    return report


def resumed(run_id: str) -> tuple[str, DataRequest, int, tuple[str, ...], bool]:
    """What was asked for of an unfinished run: task, data, seed, settings, and whether it is deterministic.

    Raises:
        BadInput: there is no such run in this folder, or it is a tuning.
    """
    command = unfinished(UNFINISHED, run_id)
    if "tuning" in command:
        raise BadInput(f"--resume {run_id} is a tuning of {command['task']}; give its `tapeline tune` command again")
    if "study" in command:
        raise BadInput(f"--resume {run_id}: this is a study; the same `tapeline study` command goes on with it")
    asked: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in command["request"].items()
    }
    request = DataRequest(**asked)
    return command["task"], request, command["seed"], tuple(command["assignments"]), command["deterministic"]


def commanded(
    task: Task,
    request: DataRequest,
    seed: int,
    assignments: Sequence[str],
    deterministic: bool,
    budget: Budget | None = None,
) -> Mapping[str, Any]:
    """What was asked for, as JSON holds it."""
    return {
        "task": task.name,
        "request": {name: list(value) if isinstance(value, tuple) else value for name, value in vars(request).items()},
        "seed": seed,
        "assignments": list(assignments),
        "deterministic": deterministic,
        **({"tuning": str(budget)} if budget is not None else {}),
    }


def _identity(prepared: Prepared, card: DataCard) -> Mapping[str, str]:
    """What must be the same for unfinished work to count, besides the command."""
    declared = {"recipe": str(prepared.recipe), "protocol": str(prepared.protocol)}
    return {"data": card.sha256, "code": sources(), **declared, **versions()}


def _competition(
    contenders: Sequence[Contender],
    task: Task,
    prepared: Prepared,
    seed: int,
    parent: RunHandle,
    progress: Progress,
    journal: Journal | None,
    lenient: bool = False,
) -> tuple[list[Trial], list[Scorecard], dict[str, str]]:
    """Every contender trained, judged and recorded; if lenient, those that could not be trained are left out, told."""
    trials, cards, left_out = [], [], {}
    for contender in contenders:
        try:
            with parent.child(contender.name, contender.kind, settings_of(contender, prepared)) as child:
                with progress.stage(contender.name) as watch:
                    watch = tuning.followed(contender, prepared, watch, progress)
                    trial = compete(contender, prepared, seed, watch, journal, task.name)
                trial = shadows.attacked(trial, prepared, seed, progress, journal)
                scorecard = judge(trial, prepared, seed, child.run_id)
                if not child.done:
                    record(child, trial, scorecard, task, prepared)
        except (TrainingFailed, ValueError) as error:  # few rows are what scikit-learn's ValueErrors speak of
            if not lenient:
                raise
            left_out[contender.name] = " ".join(str(error).split())
            progress.say(f"{contender.name} is left out: {left_out[contender.name]}")
            continue
        trials.append(trial)
        cards.append(scorecard)
    for kinds, names in zip(("network", "baseline"), sides(cards), strict=True):
        if not names:
            raise TrainingFailed(f"no {kinds} could be trained: {'; '.join(left_out.values())}")
    return trials, cards, left_out


def _report(
    task: Task,
    prepared: Prepared,
    data: DataCard,
    trials: Sequence[Trial],
    cards: Sequence[Scorecard],
    seed: int,
    mlflow_run_id: str,
    started: float,
) -> Report:
    objective, outcomes = prepared.objective, {trial.contender.name: trial.outcome for trial in trials}
    networks, baselines = sides(trial.contender for trial in trials)
    tested: list[Comparison] = []
    for network in networks:
        tested += comparison.compare(
            network, baselines, outcomes, objective, objective.primary, prepared.protocol.resamples, seed,
            prepared.protocol.margin, len(networks),
        )  # fmt: skip
    answer = verdict.judge(
        task.limits,
        networks,
        baselines,
        cards,
        tested,
        objective.primary,
        objective.greater_is_better(objective.primary),
        trials[0].outcome.distinct_rows,
    )
    return Report(
        task=task.name,
        seed=seed,
        seconds=time.perf_counter() - started,
        data=data,
        contenders=tuple(cards),
        comparisons=tuple(tested),
        verdict=answer,
        primary=objective.primary,
        mlflow_run_id=mlflow_run_id,
        versions=versions(),
        decided_by=prepared.protocol.decide_by,
        net_benefit=_benefit(outcomes, objective, answer, cards),
        mitigations=_mitigations(trials, cards, prepared, seed),
        privacy_price=private.prices(trials, cards, prepared, seed),
        shadows=prepared.protocol.shadows,
        alerts=_alerts(task, outcomes, prepared, answer, seed),
        blend=_blend(trials, (answer.network, answer.best_baseline), outcomes, prepared, seed),
        points="" if prepared.points is None else str(prepared.points),
        oversight=oversight.lead_of(
            outcomes,
            {trial.contender.name: [each.automation for each in trial.folds] for trial in trials},
            answer.network,
            answer.best_baseline,
        ),
        operating=operating.leads(outcomes, answer.network, answer.best_baseline, prepared, seed),
        robustness=robustness.leads_of(
            {trial.contender.name: (trial.folds[0].worse, trial.threshold) for trial in trials},
            answer.network,
            answer.best_baseline,
            prepared,
            seed,
        ),
        obeying=lending.obeying(outcomes, objective, prepared.protocol.resamples, seed),
        machine=hardware(),
        energy_by=energy.method(),
    )


def _alerts(
    task: Task, outcomes: Mapping[str, Outcome], prepared: Prepared, answer: Verdict, seed: int
) -> AlertReport | None:
    if (asked := alerts.asked(task.alerts, prepared.protocol)) is None:
        return None
    sides_of_it = (answer.network, answer.best_baseline)
    return alerts.alerts_of(outcomes, prepared.dataset.records, asked, *sides_of_it, prepared.protocol.resamples, seed)


def _mitigations(
    trials: Sequence[Trial], cards: Sequence[Scorecard], prepared: Prepared, seed: int
) -> tuple[Mitigation, ...]:
    """What each mitigated contender gained and what it cost, against the contender that it was made of."""
    found = {card.name: (card, trial.outcome) for card, trial in zip(cards, trials, strict=True)}
    made: list[Any] = [trial.contender for trial in trials if trial.contender.kind == "mitigated"]
    resamples = prepared.protocol.resamples
    return tuple(
        mitigation.cost_of(
            each.method, each.attribute, found[each.base.name], found[each.name], prepared.objective, resamples, seed
        )
        for each in made
        if each.base.name in found
    )


def _blend(
    trials: Sequence[Trial],
    best: tuple[str, str],
    outcomes: Mapping[str, Outcome],
    prepared: Prepared,
    seed: int,
) -> tuple[Comparison, ...]:
    """What a blend gains over the best network and the best baseline; nothing where there is none."""
    found = [trial.contender.name for trial in trials if trial.contender.kind == "blend"]
    objective, resamples = prepared.objective, prepared.protocol.resamples
    return tuple(
        each
        for name in found
        for each in comparison.compare(name, best, outcomes, objective, objective.primary, resamples, seed)
    )


def _benefit(
    outcomes: Mapping[str, Outcome], objective: Objective, answer: Verdict, cards: Sequence[Scorecard]
) -> NetBenefit | None:
    threshold = next(card.threshold for card in cards if card.name == answer.network)
    return net_benefit.versus(outcomes, objective, answer.network, answer.best_baseline, threshold)
