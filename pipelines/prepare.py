"""From a request to rows that can be learned from: read, checked, divided, with the objective resolved for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

import numpy as np

from pipelines import operating, settings
from pipelines.contenders import mitigation, private
from pipelines.contenders.contender import Watch, seed_of_training, unwatched
from pipelines.contenders.opinions import why_not
from pipelines.data.assumed import assumed
from pipelines.data.checks import require_learnable, run_checks, split_checks
from pipelines.data.class_parts import classes_left
from pipelines.data.groups import set_aside
from pipelines.data.personal import without_personal
from pipelines.data.schema import ColumnSummary, describe
from pipelines.data.shares import fewer
from pipelines.data.splits import Fold, split
from pipelines.data.wording import count
from pipelines.errors import BadInput
from pipelines.evaluation.thresholds import Rule
from pipelines.heeded import require_divisible, require_effect, require_heeded
from pipelines.lending import directions_for, require_rule
from pipelines.objectives.objective import Objective
from pipelines.points import Points
from pipelines.report.document import Check, DataCard
from pipelines.task import DataRequest, Dataset, Recipe, Sensitive, Task
from pipelines.task import Protocol as Splitting
from pipelines.training.spending import require_affordable

MANY_ROWS = 20_000
"""From this many rows of a user's own, one holdout is precise enough and cross-validation only costs time."""

LONGEST_DELAY = 0.1
"""Of all time that the data span: a task's own delay of labels beyond it would leave too few rows."""

MANY_IDS, MOST_FOLDS = 20, 6
"""With fewer patients or speakers than this a holdout would judge by two or three of them: all are tested, in folds."""


class Progress(Protocol):
    """Who is told how far a run is. `pipelines.cli` draws bars; `Silent` says nothing."""

    def stage(self, name: str) -> AbstractContextManager[Watch]:
        """A piece of work with a name; the Watch is called as it goes on."""
        ...

    def say(self, line: str) -> None:
        """One line that a user should read."""
        ...

    def status(self, words: str) -> None:
        """How the stage under way stands, until it says so again; for who looks on, not for a record."""
        ...

    def columns(self, summaries: Sequence[ColumnSummary]) -> None:
        """The schema that was found in a user's own data."""
        ...


class Silent:
    """A Progress that shows nothing."""

    def stage(self, name: str) -> AbstractContextManager[Watch]:
        return nullcontext(unwatched)

    def say(self, line: str) -> None:
        return None

    def status(self, words: str) -> None:
        return None

    def columns(self, summaries: Sequence[ColumnSummary]) -> None:
        return None


class Training(NamedTuple):
    """One of the trainings that each contender goes through, in their order: on a fold, from a seed of its own."""

    number: int
    fold_number: int
    training: int
    fold: Fold
    seed: int


@dataclass(frozen=True)
class Prepared:
    """Data that was read, checked and divided, with the objective resolved for it."""

    dataset: Dataset
    objective: Objective
    folds: tuple[Fold, ...]
    recipe: Recipe
    protocol: Splitting
    checks: tuple[Check, ...]
    mitigation: mitigation.Mitigation | None = None
    directions: Mapping[str, int] = field(default_factory=dict)
    """Of two classes: column -> which way the chance of the positive one may move when it rises."""
    own: bool = True
    """Whether the data are a user's, and so private."""

    @property
    def points(self) -> Points | None:
        """The scale on which probabilities are points as well."""
        told = self.protocol.points if getattr(self.objective, "binary", False) else ""
        return Points.parse(told) if told else None

    def trainings(self, seed: int) -> tuple[Training, ...]:
        """What each contender is trained on, in this order, in every process that takes part."""
        several = self.protocol.seeds
        return tuple(
            Training(place * several + again, place, again, fold, seed_of_training(seed, place, again))
            for place, fold in enumerate(self.folds)
            for again in range(several)
        )

    def card(self) -> DataCard:
        """What the report says of the data."""
        examples = self.dataset.examples
        return DataCard(
            source=self.dataset.source,
            simulated=self.dataset.simulated,
            rows=len(examples),
            sha256=examples.sha256(),
            splits=self.folds[0].counts(),
            checks=self.checks,
            protocol=_described(self.protocol, self.folds, self.dataset),
            target=self.dataset.target,
            columns=dict(examples.kinds),
            notes=self.dataset.notes,
        )


def prepare(
    task: Task, request: DataRequest, seed: int, assignments: Sequence[str] = (), progress: Progress | None = None
) -> Prepared:
    """Read, check and divide the data.

    Raises:
        BadInput: what is wrong with the data, a flag or a setting, and what would be right.
    """
    progress = progress or Silent()
    asked_recipe, asked = settings.apply(
        assignments, task.recipe, task.protocol
    )  # a wrong key is told before anything is read
    rule = _rule(asked)
    mitigation.named(asked.mitigate)
    private.epsilons(asked.private)
    require_rule(asked)
    operating.require_targets(asked, task.protocol)
    with progress.stage("read and check the data"):
        dataset = load(task, replace(request, delay=asked.delay))
        task = task.on(dataset.examples.columns)
        require_learnable(dataset)
        objective = task.objective.resolve(dataset.examples.target, positive=dataset.positive)
        objective = _rebalanced(_deciding(objective, rule), dataset, asked.rebalance)
        for name in ("calibrate", "automate_at"):
            if (said := getattr(asked, name)) != getattr(task.protocol, name) and objective.kind != "classification":
                raise BadInput(f"--set protocol.{name}={said} is for classes; this target is none")
        fitting = _fitting(task.protocol, dataset, request)
        hard = why_not(dataset.examples, objective, private=bool(asked_recipe.private or asked.private))
        declared = replace(task.recipe, soft_labels="no") if hard else task.recipe
        recipe, protocol = settings.apply(assignments, declared, fitting)
        if hard and recipe.soft_labels == "yes":
            raise BadInput(f"--set recipe.soft_labels=yes {hard}")
        require_divisible(task, protocol, dataset.examples)
        codes = objective.encode(dataset.examples.target)
        classes: Sequence[str] = getattr(objective, "classes", ())
        whole = split(dataset.examples, codes if classes else None, protocol, seed, dataset.official)
        folds = fewer(dataset.examples, codes if classes else None, whole, protocol, seed)
        require_effect(recipe, protocol, objective.primary, dataset.examples, folds)
        require_heeded(task, recipe, protocol, objective, dataset.examples.columns)
        operating.require_targets(protocol, task.protocol, objective)
        require_affordable(recipe, (len(fold.train) for fold in folds))
        first = [each.column for each in task.sensitive] + list(request.sensitive)
        directions = directions_for(dataset, objective, protocol)
        mitigate = mitigation.asked(protocol, recipe, objective, dataset.examples.groups, first)
        two = classes if getattr(objective, "binary", False) else ()
        notes = (*dataset.notes, *_left_out(task, asked, protocol, dataset), *classes_left(two, codes, folds))
        dataset = replace(dataset, notes=(*notes, *assumed(dataset, codes, classes, whole, protocol.delay)))
        parts = (folds[0].train, folds[0].valid, folds[0].test)
        checks = (*run_checks(dataset), *split_checks(dataset.examples, *parts))
    if not _is_sample(request):
        progress.columns(describe(dataset.examples))
    for note in (*dataset.told, *dataset.notes):
        progress.say(note)
    for check in checks:
        if not check.passed:
            progress.say(f'the check "{check.name}" failed: {check.detail}')
    own = request.where.partition(":")[0] not in ("sample", "public")
    return Prepared(dataset, objective, folds, recipe, protocol, checks, mitigate, directions, own)


def _is_sample(request: DataRequest) -> bool:
    """Whether the data is one of the task's sample sets."""
    return request.where.partition(":")[0] == "sample"


def _rule(protocol: Splitting) -> Rule | None:
    """How thresholds are to be chosen; None where that is left to the task.

    Raises:
        BadInput: what is asked for is no rule.
    """
    try:
        return Rule.parse(protocol.decide_by) if protocol.decide_by else None
    except ValueError as error:
        raise BadInput(f"--set protocol.decide_by={protocol.decide_by}: {error}") from error


def _deciding(objective: Any, rule: Rule | None) -> Any:
    """The objective with that rule.

    Raises:
        BadInput: there is nothing to choose a threshold for.
    """
    if rule is None:
        return objective
    if not getattr(objective, "binary", False):
        raise BadInput(
            f"--set protocol.decide_by={rule} chooses the threshold between two classes, and this target has not two; "
            "leave it out"
        )
    return replace(objective, decide_by=str(rule))


def _rebalanced(objective: Any, dataset: Dataset, every: int) -> Any:
    """The objective of these assets, of which so many days from one rebalancing to the next are asked for.

    Raises:
        BadInput: there is no portfolio.
    """
    if not dataset.assets:
        if every:
            raise BadInput(
                f"--set protocol.rebalance={every} is for portfolios, and nothing is held here; leave it out"
            )
        return objective
    return replace(objective, assets=dataset.assets, **({"every": every} if every else {}))


def load(task: Task, request: DataRequest) -> Dataset:
    """The rows that the request names, with sensitive attributes set aside from what models see."""
    where, _, name = request.where.partition(":")
    declared = list(task.sensitive)
    if request.where == "sample":
        dataset = task.sources.sample.load(request)
    elif where == "sample":
        if name not in task.sources.samples:
            known = ", ".join(["sample", *(f"sample:{each}" for each in task.sources.samples)])
            raise BadInput(f"--data {request.where}: there is no such sample set; {task.name} has {known}")
        dataset = task.sources.samples[name].load(request)
    elif where == "public":
        if not task.sources.public:
            raise BadInput(f"--data {request.where}: {task.name} has no public set; use --data sample or a path")
        name = name or next(iter(task.sources.public))
        if name not in task.sources.public:
            known = ", ".join(f"public:{each}" for each in task.sources.public)
            raise BadInput(f"--data {request.where}: there is no such public set; {task.name} has {known}")
        dataset = task.sources.public[name].load(request)
    else:
        dataset = without_personal(task.sources.own.load(request), request)
    if request.where != "sample":
        # An attribute that the task declares is left out of the inputs wherever a column of that name turns up.
        declared = [each for each in task.sensitive if each.column in dataset.examples.columns]
    named = {each.column for each in declared}
    asked = [Sensitive(column) for column in request.sensitive if column not in named]
    return set_aside(dataset, [*declared, *asked])


def _fitting(protocol: Splitting, dataset: Dataset, request: DataRequest) -> Splitting:
    """The task's protocol, adapted to what this data has: moments, ids, its own test rows, many rows, few ids."""
    ids, official = dataset.examples.ids, dataset.official
    if protocol.kind == "walk-forward":
        return protocol
    if dataset.examples.time is not None and (request.time is not None or protocol.by == "time"):
        return replace(protocol, kind="holdout", by="time", delay=_delay(protocol, dataset))
    by: Any = "id" if ids is not None else "row"
    if official is not None and (official == "test").any():
        return replace(protocol, by=by, kind="holdout")
    distinct = MANY_IDS if ids is None else len(np.unique(ids.astype(np.str_)))
    if distinct < MANY_IDS:
        return replace(protocol, by=by, kind="cross-validation", folds=max(2, min(distinct, MOST_FOLDS)))
    many = not _is_sample(request) and len(dataset.examples) >= MANY_ROWS
    return replace(protocol, by=by, kind="holdout" if many else protocol.kind)


def _delay(protocol: Splitting, dataset: Dataset) -> float:
    """The delay that the task declares, where the data are long enough for one; what is asked for comes after."""
    time = dataset.examples.time
    return protocol.delay if time is None or protocol.delay <= LONGEST_DELAY * np.ptp(time) else 0.0


def _left_out(task: Task, asked: Splitting, protocol: Splitting, dataset: Dataset) -> Iterator[str]:
    """What the task declares, or was asked for, and these data cannot have."""
    if protocol.by == "time" and protocol.delay < asked.delay:
        yield (
            f"the delay of labels by {asked.delay:g} is left out of the split, which flatters whoever learns: the data "
            "are too short for it; --set protocol.delay says another"
        )
    ids = dataset.examples.ids
    if protocol.by == "row" and ids is not None and (people := len(np.unique(ids.astype(np.str_)))) < len(ids):
        yield (
            f"protocol.by=row tests models on ids that they have learned from ({people:,} ids in {len(ids):,} rows): "
            "every score here is too good, and the verdict means nothing; leave it out"
        )
    for network in () if task.on_pictures else task.networks:  # each kind of data has its own
        if network.unasked and not network.suits(dataset.examples.columns):
            yield f"{network.name} is left out: it {network.why_not(dataset.examples.columns)}"


def _described(protocol: Splitting, folds: Sequence[Fold], dataset: Dataset) -> str:
    unit = {"row": "rows", "id": "whole ids", "time": "the last rows in time"}[protocol.by]
    train, valid = len(folds[0].train), len(folds[0].valid)
    rows = f"{train:,} rows to train, {valid:,} to validate"
    part = f", learned from {100 * protocol.learn_from:.3g} % of the rest ({rows})" if protocol.learn_from < 1 else ""
    again = part + (f", {protocol.seeds} trainings each" if protocol.seeds > 1 else "")
    if protocol.kind == "walk-forward":
        tested = sum(len(fold.test) for fold in folds)
        purge = f", {count(protocol.purge, 'moment')} left out before each" if protocol.purge else ""
        return f"walk forward: {tested:,} rows tested in {len(folds)} stretches of time{purge}{again}"
    if len(folds) > 1:
        repeats = f" x {protocol.repeats} repeats" if protocol.repeats > 1 else ""
        return f"{protocol.folds}-fold cross-validation{repeats}, {unit} held out{again}"
    official = dataset.official is not None and protocol.by != "time" and (dataset.official == "test").any()
    if protocol.delay:
        again = f", labels known after {protocol.delay:g}{again}"
    return f"holdout of {len(folds[0].test)} rows ({'the official test rows' if official else unit}){again}"
