"""Task: what a domain declares, in one file. Frozen, checked at construction, free of TensorFlow."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from typing import Protocol as Structural

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipelines.data.examples import Examples
    from pipelines.objectives.objective import Objective

Optimiser = Literal["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw", "lion", "adafactor"]
WIDEST = 1 << 16
"""Units of a layer: two layers of it are 16 GiB of weights."""

Schedule = Literal["constant", "cosine", "exponential", "step", "plateau"]


def require(holds: bool, message: str) -> None:
    """Refuse a declaration that cannot work. A ValueError: the author of the task is told, not its user."""
    if not holds:
        raise ValueError(message)


@dataclass(frozen=True)
class Recipe:
    """How a network is trained. Every field can be set by `--set recipe.FIELD=VALUE`."""

    epochs: int = 60
    batch_size: int = 64
    optimiser: Optimiser = "adamw"
    learning_rate: float = 1e-3
    schedule: Schedule = "cosine"
    warmup: float = 0.05
    """Share of all steps over which the learning rate rises from 0."""
    drop_every: float = 0.3
    """Of `step`: share of all steps between two drops of the learning rate."""
    drop_factor: float = 0.1
    """Of `step` and `plateau`: what the learning rate is multiplied by at a drop."""
    drop_patience: int = 5
    """Of `plateau`: epochs without a better validation score before the learning rate drops; fewer than `patience`."""
    weight_decay: float = 0.0
    """Decoupled decay of kernels and embeddings, per step and unit of learning rate; `adamw` is `adam` with it. `lion`
    wants 3 to 10 times as much of it as `adamw`, at a learning rate as much smaller."""
    l1: float = 0.0
    l2: float = 0.0
    """Penalties on kernels and embeddings, added to the loss."""
    dropout: float = 0.0
    clip_norm: float = 0.0
    """Largest global norm of the gradient; 0 leaves it as it is. Of the three `clip_` settings one may be used."""
    clip_value: float = 0.0
    """Largest size of any number in the gradient; 0 leaves it as it is."""
    clip_adaptive: float = 0.0
    """Largest norm of a unit's gradient, as a share of its weights' norm (0.01 is usual); 0 leaves it as it is."""
    accumulate: int = 1
    """Parts that a batch is taken in, one after the other, to save memory. The update is that of the whole batch, but
    for BatchNormalization, which sees one part at a time."""
    average: float = 0.0
    """Decay of a moving average of the weights (0.999 is usual), which is then validated and kept; 0 keeps none."""
    label_smoothing: float = 0.0
    """Of classification: share of each label spread evenly over all classes."""
    class_weights: Literal["none", "balanced"] = "none"
    """Of classification: `balanced` lets every class weigh alike in training."""
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """What layers compute in: `auto` is float32 on CPUs and the fastest safe one on GPUs and TPUs."""
    width: int = 0
    """Units of a hidden layer, or channels of the first block; 0 lets the network choose."""
    patience: int = 10
    """Epochs without a better validation score before training stops and the best weights return."""
    restarts: int = 1
    """Times that training starts, each from other weights; what is best on the validation rows is kept. A loss has many
    local minima, and this tells how far apart they lie."""
    members: int = 1
    """With more than one, so many networks from different seeds compete together as well: their mean (a deep
    ensemble)."""
    monitor: Literal["loss", "score"] = "loss"
    """What is watched on the validation rows: the loss, or the objective's primary score."""
    trials: int = 8
    """How many settings a classical baseline's randomised search tries."""
    plan: str = "auto"
    """How to execute: `auto`, `resident`, `resident+xla` or `streamed`."""
    gap_penalty: float = 0.0
    """Of `protocol.mitigate=penalty`: the strength of the penalty; 0 lets validation rows choose among a few."""
    dp_epsilon: float = 0.0
    """Trains with differential privacy (DP-SGD) so that each training row spends at most this; 8 is usual, less
    protects more. 0 trains without."""
    dp_noise: float = 0.0
    """The same by its noise, as a multiple of `dp_clip`, whatever that spends; in place of `dp_epsilon`."""
    dp_delta: float = 0.0
    """Chance that the promise of `dp_epsilon` does not hold; 0 is 1e-5, or n^-1.1 of n training rows where less."""
    dp_clip: float = 1.0
    """Largest norm of a row's gradient in private training; what is longer is shortened."""

    @property
    def private(self) -> bool:
        """Whether a network is trained with differential privacy."""
        return bool(self.dp_epsilon or self.dp_noise)

    def __post_init__(self) -> None:
        for name in (
            "epochs",
            "batch_size",
            "patience",
            "trials",
            "drop_patience",
            "accumulate",
            "restarts",
            "members",
        ):
            require(getattr(self, name) >= 1, f"recipe.{name} must be at least 1; received {getattr(self, name)}")
        for name in ("epochs", "batch_size", "patience", "trials", "restarts", "members"):
            require(getattr(self, name) < 2**31, f"recipe.{name} must be below 2^31; received {getattr(self, name)}")
        require(self.width <= WIDEST, f"recipe.width must be at most {WIDEST}; received {self.width}")
        amounts = ("weight_decay", "l1", "l2", "clip_norm", "clip_value", "clip_adaptive", "width", "gap_penalty")
        for name in (*amounts, "dp_epsilon", "dp_noise"):
            require(getattr(self, name) >= 0, f"recipe.{name} must not be negative; received {getattr(self, name)}")
        require(self.learning_rate > 0, f"recipe.learning_rate must be positive; received {self.learning_rate}")
        require(self.dp_clip > 0, f"recipe.dp_clip must be positive; received {self.dp_clip:g}")
        for name in ("dropout", "warmup", "average", "label_smoothing", "dp_delta"):
            require(0 <= getattr(self, name) < 1, f"recipe.{name} must be in [0, 1); received {getattr(self, name)}")
        plans = ("auto", "resident", "resident+xla", "streamed")
        require(self.plan in plans, f"recipe.plan must be one of {', '.join(plans)}; received {self.plan!r}")
        self._require_agreement()
        self._require_privacy()

    def _require_agreement(self) -> None:
        """Refuse settings that would silently do nothing beside others."""
        for name in ("drop_every", "drop_factor"):
            require(0 < getattr(self, name) < 1, f"recipe.{name} must be in (0, 1); received {getattr(self, name)}")
        require(
            self.optimiser != "adam" or not self.weight_decay,
            f"recipe.weight_decay={self.weight_decay:g} has no effect with recipe.optimiser=adam; "
            f"take adamw, or set recipe.weight_decay=0",
        )
        require(
            self.schedule != "plateau" or self.drop_patience < self.patience,
            f"recipe.schedule=plateau needs recipe.drop_patience below recipe.patience, or training stops before the "
            f"learning rate drops; received {self.drop_patience} and {self.patience}",
        )
        bounds = [name for name in ("clip_norm", "clip_value", "clip_adaptive") if getattr(self, name)]
        require(len(bounds) < 2, f"only one of recipe.{' and recipe.'.join(bounds)} can be used; set the other to 0")
        require(
            self.accumulate <= self.batch_size,
            f"recipe.accumulate must not exceed recipe.batch_size; received {self.accumulate} and {self.batch_size}",
        )

    def _require_privacy(self) -> None:
        """Refuse what private training cannot keep its promise with."""
        require(
            not (self.dp_epsilon and self.dp_noise),
            "recipe.dp_epsilon is turned into a noise, and recipe.dp_noise is one; set one of them to 0",
        )
        if not self.private:
            require(not self.dp_delta, "recipe.dp_delta does nothing without recipe.dp_epsilon or recipe.dp_noise")
            return
        require(
            self.class_weights == "none",
            f"recipe.class_weights={self.class_weights} lets a row's weight depend on all other rows, which "
            "recipe.dp_epsilon and recipe.dp_noise cannot bound; set recipe.class_weights=none",
        )
        require(
            self.precision != "float16",
            "recipe.precision=float16 cannot hold single rows' gradients, which recipe.dp_epsilon and recipe.dp_noise "
            "clip; take float32 or bfloat16",
        )
        require(
            self.restarts == self.members == 1,
            "recipe.restarts and recipe.members train several networks on the same rows, each of which would spend "
            "what recipe.dp_epsilon allows one; leave both at 1",
        )
        require(
            self.plan != "resident+xla",
            "recipe.plan=resident+xla cannot compile private training (recipe.dp_epsilon, recipe.dp_noise); take auto",
        )


@dataclass(frozen=True)
class Protocol:
    """How rows are divided so that the comparison is fair. Every field can be set by `--set protocol.FIELD=VALUE`.

    `holdout` trains once and tests on rows kept aside (the official test rows where the set has them);
    `cross-validation` tests every row once per repeat, which is what makes a verdict on a small set possible.
    """

    kind: Literal["holdout", "cross-validation"] = "holdout"
    by: Literal["row", "id", "time"] = "row"
    """What must not cross a split: single rows (stratified by class), all rows of one id, or the future."""
    test: float = 0.2
    valid: float = 0.15
    """Share of the rows that are not tested."""
    folds: int = 5
    repeats: int = 1
    resamples: int = 1000
    """Bootstrap samples behind each interval."""
    decide_by: str = ""
    """Of two classes: how each contender's decision threshold is chosen on validation rows: `balanced_accuracy`, `f1`,
    `accuracy`, `cost:FP:FN` (costs of a false alarm and of a miss), `sensitivity:S`, `precision:P` (at least so much)
    or `alerts:A` (at most such a share of the rows). Empty: as the task declares."""
    calibrate: Literal["none", "temperature", "isotonic"] = "none"
    """Of classes: how each contender's probabilities are corrected, by what its validation rows show; before the
    threshold is chosen."""
    mitigate: str = ""
    """Of two classes: what to do against bias, as contenders of their own: `reweighing`, `penalty` (of networks) and
    `thresholds`, with commas between, or `all`. Empty: nothing."""
    mitigate_for: str = ""
    """The sensitive attribute that mitigation is for; empty: the first."""
    mitigate_baselines: Literal["all", "none"] = "all"
    """Whether mitigation is tried on baselines too, or on networks alone."""

    def __post_init__(self) -> None:
        for name in ("test", "valid"):
            require(0 < getattr(self, name) < 1, f"protocol.{name} must be in (0, 1); received {getattr(self, name)}")
        require(self.folds >= 2, f"protocol.folds must be at least 2; received {self.folds}")
        require(self.repeats >= 1, f"protocol.repeats must be at least 1; received {self.repeats}")
        require(self.resamples >= 100, f"protocol.resamples must be at least 100; received {self.resamples}")
        require(
            self.by != "time" or self.kind == "holdout",
            "protocol.by=time needs protocol.kind=holdout: folds would train on the future",
        )


@dataclass(frozen=True)
class Limits:
    """What must hold before a network may be promoted; None asks nothing. `tapeline check` enforces them."""

    beats_best_baseline: bool = False
    primary_at_least: float | None = None
    gap_at_most: Mapping[str, float] = field(default_factory=dict)
    """Gap metric (`equalized_odds`, `demographic_parity`, `equal_opportunity`) -> largest difference."""
    calibration_error_at_most: float | None = None
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
    """Which data a run reads, as the command line says it. `where` is `sample`, `public`, `public:NAME` or a path."""

    where: str = "sample"
    target: str | None = None
    positive: str | None = None
    sensitive: tuple[str, ...] = ()
    id: str | None = None
    time: str | None = None
    text: str | None = None
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """All rows of one source, with where they come from.

    Args:
        official: (n,) `train`, `valid` or `test` where the set comes with its own split, else None.
        notes: what reading assumed, repaired or skipped, with counts; shown to the user and kept in the report.
        positive: the label that counts as positive, where the source or the user says so.
        bands: sensitive attributes that are numbers, with the edges that cut them into groups; none where each number
            is a group.
    """

    examples: Examples
    source: str
    simulated: bool
    target: str
    official: NDArray[Any] | None = None
    notes: tuple[str, ...] = ()
    positive: str | None = None
    bands: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


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
    """The three places a task reads from. `public` maps a catalogue name to its reader; the first is the default."""

    sample: Source
    own: Source
    public: Mapping[str, Source] = field(default_factory=dict)


@dataclass(frozen=True)
class Architecture:
    """A network in two parts, which the saved model joins again so that it takes raw rows.

    Args:
        encode: Keras model from raw columns (a dict by column name) to tensors; fitted on training rows,
            applied once, never trained.
        core: Keras model from what `encode` gives to the objective's outputs; trained.
        xla: whether `core` is worth compiling (dense and recurrent layers are, and quickly compiled; convolutions on a
            CPU are not); None where that is not known. Long trainings measure it.
    """

    encode: Any
    core: Any
    xla: bool | None = None


@dataclass(frozen=True)
class Network:
    """A network that competes: `build(train, objective, recipe)` makes it, importing Keras only then."""

    name: str
    build: Callable[[Examples, Objective, Recipe], Architecture]


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
    """

    name: str
    build: Callable[[Examples, Objective], Candidate]
    column: str | None = None


@dataclass(frozen=True)
class Task:
    """What is learned, from what, judged how: all that a domain declares."""

    name: str
    summary: str
    sources: Sources
    objective: Objective
    networks: tuple[Network, ...]
    baselines: tuple[Baseline, ...]
    recipe: Recipe = Recipe()
    protocol: Protocol = Protocol()
    sensitive: tuple[Sensitive, ...] = ()
    limits: Limits = Limits()
    sample_is_simulated: bool = False

    def __post_init__(self) -> None:
        require(
            re.fullmatch(r"[a-z][a-z0-9_]*/[a-z][a-z0-9-]*", self.name) is not None,
            f"a task is named domain/kebab-case-name; received {self.name!r}",
        )
        require(bool(self.networks), f"{self.name} declares no network")
        require(bool(self.baselines), f"{self.name} declares no baseline; a score alone decides nothing")
        names = [each.name for each in self.networks] + [each.name for each in self.baselines]
        require(len(set(names)) == len(names), f"{self.name} has two contenders of one name: {', '.join(names)}")
