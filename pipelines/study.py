"""A study: the task's question at several amounts of data, each tested on the same rows; read top to bottom."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from pipelines import study_journal
from pipelines.assist import meet, require_possible
from pipelines.contenders.contender import Watch
from pipelines.data.amounts import Amount, amounts, parsed, require_enough
from pipelines.data.schema import ColumnSummary
from pipelines.data.shares import smallest
from pipelines.errors import BadInput, Interrupted
from pipelines.evaluation import growth, overtaking
from pipelines.evaluation.outcome import Outcome
from pipelines.journal import Journal, open_journal
from pipelines.prepare import Prepared, Progress, Silent, prepare
from pipelines.recording import parameters
from pipelines.report import figures_study
from pipelines.report.document import Comparison, Report, sides
from pipelines.report.study import Learner, Size, Study
from pipelines.run import UNFINISHED, Part, _identity, commanded, run
from pipelines.task import DataRequest, Task
from pipelines.tracking.provenance import versions
from pipelines.tracking.record import SHARE, STUDY, RunHandle, Standing, pipeline_run
from pipelines.tracking.store import open_store
from pipelines.training.strategy import make_deterministic, workers

USUAL = "5%,10%,30%,100%"
SETTING, MARGIN, BLEND = "protocol.learn_from", "protocol.margin", "protocol.blend"


@dataclass(frozen=True)
class Measured:
    """One amount of data, after every contender was trained on it and tested."""

    amount: Amount
    report: Report
    outcomes: Mapping[str, Outcome]


def study(
    task: Task,
    request: DataRequest = DataRequest(),  # noqa: B008  frozen
    rows: str = USUAL,
    seed: int = 0,
    assignments: Sequence[str] = (),
    progress: Progress | None = None,
    deterministic: bool = False,
    fresh: bool = False,
) -> Study:
    """Run the task at each amount of data, on the same folds and tested rows, record it in MLflow, and read it.

    A study that was stopped, by whatever, is gone on with when the same is asked again in the same folder: sizes that
    are done are not repeated, and the one under way goes on at its fold.

    Args:
        rows: amounts with commas, shares or numbers of rows: `10%,1000,100%`.
        assignments, deterministic, fresh: as for `run`.

    Raises:
        BadInput, TrainingFailed, Interrupted: as `run`.
    """
    progress = progress or Silent()
    _require_alone(rows, assignments)
    meet(progress)
    if deterministic:
        make_deterministic(seed)
    heard = Heard(progress)
    prepared = prepare(task, request, seed, assignments, heard)
    require_possible(prepared, deterministic)
    wanted = _amounts(rows, prepared, seed)
    store, card = open_store(), prepared.card()
    command = {
        **commanded(task, request, seed, assignments, deterministic),
        "study": [amount.share for amount in wanted],
    }
    journal = open_journal(UNFINISHED, command, _identity(prepared, card), fresh)
    if journal is not None and journal.dropped:
        progress.say(f"what this study had done is not gone on with: it was of other {', '.join(journal.dropped)}")
    going_on_with = "" if journal is None else journal.run_id
    if going_on_with:
        progress.say(f"going on with study {going_on_with}, which ended early; --fresh starts anew")
    standing = Standing(STUDY, name=f"study {time.strftime('%Y-%m-%d %H:%M:%S')}")
    params = {**parameters(prepared, seed, deterministic), "rows": ",".join(each.written for each in wanted)}
    try:
        with pipeline_run(store, task.name, params=params, going_on_with=going_on_with, standing=standing) as parent:
            if journal is not None:
                journal.begin(parent.run_id, command)
            parent.dataset(card)
            measured = []
            for number, amount in enumerate(wanted, start=1):
                heard.about = f"{number}/{len(wanted)} {amount.written}"
                measured.append(
                    _measured(task, request, seed, assignments, heard, deterministic, amount, parent, journal)
                )
                heard.say(_told(measured[-1]))
            heard.about = ""
            with progress.stage("read and record"):
                found = _read(task, prepared, seed, measured, parent.run_id, deterministic)
                parent.study(found)
                parent.figure("learning_curve_rows", figures_study.learning_curve_rows(found))
    except (KeyboardInterrupt, Interrupted):
        if journal is None or not journal.run_id:
            raise
        raise Interrupted("interrupted; the same command goes on from here") from None
    finally:
        if journal is not None:
            journal.release()
    if journal is not None:
        journal.close()
    return found


def _require_alone(rows: str, assignments: Sequence[str]) -> None:
    """Refuse what a study cannot do, before anything is read."""
    parsed(rows)
    if workers() > 1:
        raise BadInput(
            "a study trains in one process; leave out --workers (and TF_CONFIG), or run each size by itself with "
            f"`tapeline run --set {SETTING}=SHARE --workers ...`"
        )
    given = {each.partition("=")[0].strip(): each for each in assignments}
    if SETTING in given:
        raise BadInput(f"--set {given[SETTING]}: --rows says which shares a study learns from")
    if MARGIN in given:
        raise BadInput(f"--set {given[MARGIN]}: a study asks who is better; ask for a margin with `tapeline run`")
    if BLEND in given:
        raise BadInput(f"--set {given[BLEND]}: a study compares single contenders; blend them with `tapeline run`")


def _amounts(rows: str, prepared: Prepared, seed: int) -> tuple[Amount, ...]:
    first = prepared.folds[0]
    there_are = len(first.train) + len(first.valid)
    wanted = amounts(rows, there_are)
    examples, objective = prepared.dataset.examples, prepared.objective
    codes = objective.encode(examples.target) if getattr(objective, "classes", ()) else None
    require_enough(rows, wanted, smallest(examples, codes, prepared.folds, prepared.protocol, seed), there_are)
    return wanted


def _measured(
    task: Task,
    request: DataRequest,
    seed: int,
    assignments: Sequence[str],
    progress: Progress,
    deterministic: bool,
    amount: Amount,
    parent: RunHandle,
    journal: Journal | None,
) -> Measured:
    """One size: what was found before the study was stopped, or a run."""
    place = None if journal is None else journal.folder / f"rows-{amount.rows}"
    if place is not None and (done := study_journal.finished(place)) is not None:
        progress.say("done before this study was stopped")
        return Measured(amount, *done)
    outcomes: dict[str, Outcome] = {}
    standing = Standing(SHARE, parent.run_id, f"{amount.written} of the rows")
    unfinished = UNFINISHED if journal is None else journal.folder / "unfinished"
    asked = (*assignments, f"{SETTING}={amount.share!r}")
    part = Part(standing, unfinished, outcomes.update)
    report = run(task, request, seed, asked, progress, deterministic, part=part)
    if place is not None:
        study_journal.finish(place, report, outcomes)
    return Measured(amount, report, outcomes)


def _read(
    task: Task,
    prepared: Prepared,
    seed: int,
    measured: Sequence[Measured],
    mlflow_run_id: str,
    deterministic: bool,
) -> Study:
    objective, resamples = prepared.objective, prepared.protocol.resamples
    outcomes = [each.outcomes for each in measured]
    cards = {card.name: card for each in reversed(measured) for card in each.report.contenders}
    networks, baselines = sides(cards.values())
    tests = growth.compared(networks, baselines, outcomes, objective, resamples, seed)
    sizes = tuple(_size(each, of) for each, of in zip(measured, tests, strict=True))
    gained = growth.gains(list(cards), [size.rows for size in sizes], outcomes, objective, resamples, seed)
    return Study(
        task=task.name,
        seed=seed,
        seconds=sum(size.seconds for size in sizes),
        data=prepared.card(),
        primary=objective.primary,
        greater_is_better=objective.greater_is_better(objective.primary),
        tested=next(iter(outcomes[-1].values())).distinct_rows,
        sizes=sizes,
        gains=gained,
        readings=tuple(
            overtaking.read(network, sizes, outcomes, gained, objective, resamples, seed) for network in networks
        ),
        mlflow_run_id=mlflow_run_id,
        versions=versions(),
        deterministic=deterministic,
    )


def _size(measured: Measured, tests: Sequence[Comparison]) -> Size:
    report, splits = measured.report, measured.report.data.splits
    return Size(
        share=measured.amount.share,
        rows=splits["train"] + splits["valid"],
        splits=splits,
        contenders=tuple(
            Learner(card.name, card.kind, card.scores, card.cost.train_seconds, card.mlflow_run_id)
            for card in report.contenders
        ),
        comparisons=tuple(tests),
        left_out=report.left_out,
        seconds=report.seconds,
        mlflow_run_id=report.mlflow_run_id,
    )


def _told(measured: Measured) -> str:
    """One size in a line: its best network and its best baseline."""
    report, verdict = measured.report, measured.report.verdict
    values = [
        f"{name} {report.scorecard(name).scores[report.primary].value:.3f}"
        for name in (verdict.network, verdict.best_baseline)
    ]
    splits = report.data.splits
    return f"{splits['train'] + splits['valid']:,} rows: {', '.join(values)} ({report.primary}); {report.seconds:.0f} s"


@dataclass
class Heard:
    """A Progress that says which size it is about, and nothing twice."""

    progress: Progress
    about: str = ""
    said: set[str] = field(default_factory=set)
    shown: bool = False

    @contextmanager
    def stage(self, name: str) -> Iterator[Watch]:
        opened: AbstractContextManager[Watch] = self.progress.stage(f"{self.about} {name}".strip())
        with opened as watch:
            yield watch

    def say(self, line: str) -> None:
        if line not in self.said:
            self.progress.say(f"{self.about}: {line}" if self.about else line)
        if not self.about:
            self.said.add(line)

    def status(self, words: str) -> None:
        self.progress.status(words)

    def columns(self, summaries: Sequence[ColumnSummary]) -> None:
        if not self.shown:
            self.progress.columns(summaries)
        self.shown = True
