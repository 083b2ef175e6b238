"""Task: what a domain declares, in one file. Frozen, checked at construction, free of TensorFlow."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from typing import Protocol as Structural

from pipelines.card import Card
from pipelines.errors import BadInput, require
from pipelines.protocol import OTHER_ORGANS, USUAL_POINTS, Protocol
from pipelines.recipe import Recipe
from pipelines.space import Axis, require_searchable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipelines.data.examples import Examples
    from pipelines.objectives.objective import Objective

__all__ = [
    "OTHER_ORGANS", "USUAL_POINTS",
    "Alerts", "Architecture", "Baseline", "Beside", "Candidate", "Card", "DataRequest", "Dataset", "Limits", "Network",
    "Protocol", "Recipe", "Sensitive", "Source", "Sources", "Task",
]  # fmt: skip

OBEYING = "-monotone"
"""Ends the name of a baseline that was made to obey declared directions."""


LearnsFrom = Literal["labels", "normal"]
"""What a contender is taught by: what each row is, or what normal rows are like."""


@dataclass(frozen=True)
class Limits:
    """What must hold before a network may be promoted; None asks nothing. `tapeline check` enforces them."""

    beats_best_baseline: bool = False
    primary_at_least: float | None = None
    gap_at_most: Mapping[str, float] = field(default_factory=dict)
    """Gap metric -> largest difference between two groups of one attribute. Two classes: `demographic_parity`,
    `disparate_impact` (1 - ratio: 0.2 is the four-fifths rule), `equal_opportunity`, `equalized_odds`,
    `predictive_parity`, `auroc_parity`, `calibration_gap`, `theil_index`; several: `accuracy`; numbers: `mae`, `rmse`,
    `mean_error`, `mean_prediction`; grades: `quadratic_kappa`, `accuracy` and those of numbers but `rmse`.

    Groups that the table marks as small for the metric are in no gap. Of two attributes crossed (`sex x age`) the
    low end of the gap's interval must hold the limit: the largest of the many differences between groups so small
    exceeds any limit by chance. Where no two of their groups can be compared nothing is asked."""
    calibration_error_at_most: float | None = None
    membership_at_most: float | None = None
    """Largest AUC of an attack that tells who was learned from (0.5 is guessing), where that can be measured: by loss,
    and where `protocol.shadows` asks for LiRA that of whichever tells more."""
    latency_ms_at_most: float | None = None
    """Largest median time, in milliseconds, that the network takes for a single row."""
    score: str = ""
    """The score that `primary_at_least` is meant for; where another one decides (a user's target of three classes) it
    is not asked. Empty: whichever decides."""


@dataclass(frozen=True)
class Sensitive:
    """An attribute across which bias is measured.

    Args:
        column: where its values are.
        bands: inner edges that turn a number into bands, (25, 40) into `<25`, `25-40`, `>=40`; empty for a category.
        keep: whether models may also look at it; False takes it out of the inputs.
    """

    column: str
    bands: tuple[float, ...] = ()
    keep: bool = False

    def __post_init__(self) -> None:
        require(list(self.bands) == sorted(set(self.bands)), f"bands of {self.column!r} must rise; got {self.bands}")


@dataclass(frozen=True)
class DataRequest:
    """Which data a run reads, as the command line says it. `where` is `sample`, `sample:NAME`, `public`,
    `public:NAME` or a path."""

    where: str = "sample"
    target: str | None = None
    positive: str | None = None
    sensitive: tuple[str, ...] = ()
    id: str | None = None
    time: str | None = None
    text: str | None = None
    exclude: tuple[str, ...] = ()
    strict: bool = False
    """Refuse data in which personal data, or a file that cannot be used, is found."""
    keep_personal: tuple[str, ...] = ()
    """Columns that are learned from as they are, though personal data was found in them."""
    delay: float = 0.0
    """`protocol.delay`, for sources that make columns of what was known of earlier rows; no flag of its own."""


class Beside(NamedTuple):
    """What came with the rows and nobody learns from; it is looked through for personal data and recorded nowhere.

    Args:
        place: `column` of a table that was left out, `header` of pictures, or `names of files`.
        name: of it; empty where there is one only.
        values: words or numbers, as many as there are.
    """

    place: str
    name: str
    values: Any


@dataclass(frozen=True)
class Dataset:
    """All rows of one source, with where they come from.

    Args:
        official: (n,) `train`, `valid` or `test` where the set comes with its own split, else None.
        notes: what reading assumed, repaired or skipped, with counts; shown to the user and kept in the report.
        positive: the label that counts as positive, where the source or the user says so.
        bands: sensitive attributes that are numbers, with the edges that cut them into groups; none where each number
            is a group.
        directions: column -> 1 where more of it must not lower the chance of the positive class, -1 where it must not
            raise it.
        assets: of a portfolio, the name of each, in the order of the target's returns.
        records: what no model sees and judging may look at, such as the card that a payment was made with; (n,) each.
        reading: how the source read its columns, so that it reads rows to predict in the same way.
        beside: what came with the rows and nobody learns from.
        personal: what personal data was found and what became of it; None where nobody looked.
        masked: column -> the kinds of it in whose place marks stand there.
        told: what a user should read and no record holds, such as the names of files that were skipped.
    """

    examples: Examples
    source: str
    simulated: bool
    target: str
    official: NDArray[Any] | None = None
    notes: tuple[str, ...] = ()
    positive: str | None = None
    bands: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    directions: Mapping[str, int] = field(default_factory=dict)
    assets: tuple[str, ...] = ()
    records: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    reading: Mapping[str, str] = field(default_factory=dict)
    beside: tuple[Beside, ...] = ()
    personal: tuple[str, ...] | None = None
    masked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    told: tuple[str, ...] = ()


class Source(Structural):
    """Somewhere data comes from: a sample set, a public set, or a reader of the user's own files."""

    def load(self, request: DataRequest) -> Dataset:
        """Read it.

        Raises:
            BadInput: it cannot be read; the message says where and what would be right.
        """
        ...


@dataclass(frozen=True)
class Sources:
    """The three places a task reads from. `public` maps a catalogue name to its reader; the first is the default.
    `samples` are further sample sets by name (`--data sample:NAME`)."""

    sample: Source
    own: Source
    public: Mapping[str, Source] = field(default_factory=dict)
    samples: Mapping[str, Source] = field(default_factory=dict)


@dataclass(frozen=True)
class Architecture:
    """A network in two parts, which the saved model joins again so that it takes raw rows.

    Args:
        encode: Keras model from raw columns (a dict by column name) to tensors; fitted on training rows,
            applied once, never trained.
        core: Keras model from what `encode` gives to the objective's outputs; trained.
        xla: whether `core` is worth compiling (dense and recurrent layers are, and quickly compiled; convolutions on a
            CPU are not); None where that is not known. Long trainings measure it.
        members: how many members `core` has inside; with several it gives (batch, members, outputs), each member learns
            by itself, and the mean of what they say is the answer.
        begin: what is done to weights of `core` that were just drawn, before they are trained.
        views: Keras layers that give other looks at what `encode` does; once trained, the network answers by the mean
            of its outputs for all of them and for what `encode` gives.
    """

    encode: Any
    core: Any
    xla: bool | None = None
    members: int = 1
    begin: Callable[[Any], None] | None = None
    views: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Network:
    """A network that competes: `build(train, objective, recipe)` makes it, importing Keras only then.

    Args:
        search: what `tapeline tune` may try for fields of its recipe; None for what suits most networks.
        unasked: whether it competes where `protocol.networks` names none.
        needs: columns that it cannot do without; of data that lack one it is left out.
        learns_from: `labels`; or `normal`, the rows of class 0 alone, of which its core gives (batch, 1) errors.
        forecasts: task's objective -> what the core learns in its place, where an optimiser on top of the forecasts
            decides (`contenders.forecasting`); None where the core learns what the task asks for.
        heeds: fields of the recipe, of `recipe.OF_SOME`, that it heeds and others do not.
        not_with: columns that are another kind of data than it learns from; where there is one it does not compete.
    """

    name: str
    build: Callable[[Examples, Objective, Recipe], Architecture]
    search: Mapping[str, Axis] | None = None
    unasked: bool = True
    needs: tuple[str, ...] = ()
    learns_from: LearnsFrom = "labels"
    forecasts: Callable[[Any], Objective] | None = None
    heeds: tuple[str, ...] = ()
    not_with: tuple[str, ...] = ()

    def suits(self, columns: Collection[str]) -> bool:
        """Whether it can compete on data of these columns."""
        return set(self.needs) <= set(columns) and not set(self.not_with) & set(columns)

    def why_not(self, columns: Collection[str]) -> str:
        """Why it cannot compete on data of these columns, as goes on from its name."""
        if lacking := [each for each in self.needs if each not in columns]:
            return f"learns from {', '.join(lacking)}, which these data have not"
        return f"does not learn from {', '.join(each for each in self.not_with if each in columns)}"

    def learns(self, objective: Objective) -> Objective:
        """The objective of its core in a task that has this one."""
        return objective if self.forecasts is None else self.forecasts(objective)


@dataclass(frozen=True)
class Alerts:
    """What can be done about the positives: so many alerts a day, each of which costs something to look into.

    Args:
        budget: alerts a day: below 1 a share of the day's rows, from 1 on a number. `protocol.alert_budget` changes it.
        cost: of looking into one alert, in the unit of the rows' amounts. `protocol.alert_cost` changes it.
    """

    budget: float = 0.005
    cost: float = 5.0


@dataclass(frozen=True)
class Candidate:
    """An unfitted scikit-learn estimator and the settings its randomised search may try.

    Args:
        search: parameter -> list or SciPy distribution; empty means nothing is tuned.
        final: parameters of the last fit only, where more work lowers variance without changing what is best.
    """

    estimator: Any
    search: Mapping[str, Any] = field(default_factory=dict)
    final: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Baseline:
    """A classical model that the network has to beat.

    Args:
        build: makes the unfitted pipeline for these rows and this objective, importing scikit-learn only then.
        column: the one column it reads as an array (an image, a wave, a text); None reads the table as a DataFrame.
        obeys: whether `build` takes `directions` as well, column -> 1 or -1, and makes a model that obeys them:
            `always`, or when `protocol.obey` asks for it, beside the same model without.
        binary: whether it is for two classes only.
        learns_from: `labels`; or `normal`, the rows of class 0 alone, with settings chosen on validation rows.
        needs: columns, beside `column`, that data must have for it to compete.
        not_with: as of `Network`.
    """

    name: str
    build: Callable[..., Candidate]
    column: str | None = None
    obeys: Literal["never", "asked", "always"] = "never"
    binary: bool = False
    learns_from: LearnsFrom = "labels"
    needs: tuple[str, ...] = ()
    not_with: tuple[str, ...] = ()

    def suits(self, columns: Collection[str]) -> bool:
        """Whether it can compete on data of these columns."""
        takes = {*self.needs, *([] if self.column is None else [self.column])}
        return takes <= set(columns) and not set(self.not_with) & set(columns)


@dataclass(frozen=True)
class OnPictures:
    """What a task whose sample is a table declares for pictures, in place of what it does for tables."""

    recipe: Recipe
    protocol: Protocol
    limits: Limits = Limits()
    card: Card | None = None


@dataclass(frozen=True)
class Task:
    """What is learned, from what, judged how: all that a domain declares."""

    name: str
    summary: str
    sources: Sources
    objective: Objective
    networks: tuple[Network, ...]
    baselines: tuple[Baseline, ...]
    recipe: Recipe = Recipe()  # noqa: RUF009  frozen
    protocol: Protocol = Protocol()  # noqa: RUF009
    sensitive: tuple[Sensitive, ...] = ()
    limits: Limits = Limits()
    sample_is_simulated: bool = False
    alerts: Alerts | None = None
    """Of rows that come day by day, where somebody looks at the ones that are ranked first."""
    card: Card | None = None
    """What a model of the task's own sample sets is for, and where it is known to fail."""
    on_pictures: OnPictures | None = None

    def __post_init__(self) -> None:
        require(
            re.fullmatch(r"[a-z][a-z0-9_]*/[a-z][a-z0-9-]*", self.name) is not None,
            f"a task is named domain/kebab-case-name; received {self.name!r}",
        )
        require(any(each.unasked for each in self.networks), f"{self.name} declares no network that competes unasked")
        for network in self.networks:
            require_searchable(self.recipe, network.search or {})
        require(bool(self.baselines), f"{self.name} declares no baseline; a score alone decides nothing")
        names = [each.name for each in self.networks] + [each.name for each in self.baselines]
        require(len(set(names)) == len(names), f"{self.name} has two contenders of one name: {', '.join(names)}")

    def on(self, columns: Collection[str]) -> Task:
        """The task as it is on data of these columns."""
        if self.on_pictures is None or "image" not in columns:
            return self
        return replace(self, **vars(self.on_pictures))

    def competing(self, networks: str, columns: Collection[str] | None = None) -> Task:
        """The task with those networks alone that compete, and the baselines that can.

        Args:
            networks: their names with commas between; empty for those that compete unasked.
            columns: of the data, where they are known: the task is as it is `on` them, and contenders that need
                others do not compete.

        Raises:
            BadInput: there is no such network, or the data have not what it needs; the message says what there is.
        """
        task = self if columns is None else self.on(columns)
        names = [part.strip() for part in networks.split(",") if part.strip()]
        known = [each.name for each in self.networks]
        if strange := [name for name in names if name not in known]:
            raise BadInput(
                f"--set protocol.networks={networks}: {self.name} has no network {strange[0]!r}; it has "
                f"{', '.join(known)}"
            )
        chosen = [each for each in self.networks if (each.name in names if names else each.unasked)]
        if columns is not None:
            if names and (unsuited := [each for each in chosen if not each.suits(columns)]):
                raise BadInput(
                    f"--set protocol.networks={networks}: {unsuited[0].name} {unsuited[0].why_not(columns)}; leave it "
                    "out"
                )
            chosen = [each for each in chosen if each.suits(columns)]
        baselines = tuple(each for each in self.baselines if columns is None or each.suits(columns))
        return replace(task, networks=tuple(replace(each, unasked=True) for each in chosen), baselines=baselines)

    def directed(self, directions: Mapping[str, int], obey: bool) -> Task:
        """The task with baselines that know which way the risk may move with a column.

        Args:
            directions: column -> 1 or -1.
            obey: whether baselines that obey only when asked compete in that form too, beside what they are without.
        """
        found = []
        for each in self.baselines:
            told = partial(each.build, directions=directions)
            found.append(replace(each, build=told) if each.obeys == "always" else each)
            if each.obeys == "asked" and obey:
                found.append(replace(each, name=f"{each.name}{OBEYING}", build=told))
        return replace(self, baselines=tuple(found))
