"""Recipe: how a network is trained. Every field can be set by `--set recipe.FIELD=VALUE`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipelines.errors import require

Optimiser = Literal["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw", "lion", "adafactor"]
WIDEST = 1 << 16
"""Units of a layer: two layers of it are 16 GiB of weights."""

OF_SOME = ("augment", "views", "weights")
"""Settings that only networks of some kinds heed; such a network says so (`Network.heeds`)."""

MOST_VIEWS = 64
"""Beyond these another look at a picture adds nothing but time."""

Schedule = Literal["constant", "cosine", "exponential", "step", "plateau"]


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
    augment: float = 0.0
    """Of pictures: how far each is moved, turned and lit by chance while training, in units of what its task says it
    may be; 0 leaves it as it is, and so does private training."""
    views: int = 0
    """Of pictures: so many other looks at each, moved and turned half as far as its task says it may be, are answered
    as well, and the mean is the answer (test-time augmentation). Each costs as much as the picture itself."""
    mixup: float = 0.0
    """Each row is mixed with another one, by a share drawn from a beta distribution with this for both parameters (0.2
    is usual); 0 mixes none. Of numbers, pictures, recordings and series."""
    focal: float = 0.0
    """Of classification: the power that lessens the loss of rows which are decided well already (2 is usual)."""
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
    soft_labels: Literal["no", "yes"] = "no"
    """Of two classes, where several people judged each row: `yes` learns their shares in place of one label. Networks
    and baselines do so alike, but for networks with a gap penalty; what they are tested by stays the label."""
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
    weights: str = ""
    """Of large networks for pictures: the file of weights that training starts from; empty starts from chance."""
    plan: str = "auto"
    """How to execute: `auto`, `resident`, `resident+xla` or `streamed`."""
    contaminated: Literal["no", "yes"] = "no"
    """Of what learns from normal rows alone: whether known anomalies stay among its training rows, as they would where
    nobody had labelled them."""
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
        require(0 <= self.views <= MOST_VIEWS, f"recipe.views must be from 0 to {MOST_VIEWS}; received {self.views}")
        require(self.width <= WIDEST, f"recipe.width must be at most {WIDEST}; received {self.width}")
        amounts = ("weight_decay", "l1", "l2", "clip_norm", "clip_value", "clip_adaptive", "width", "gap_penalty",
                   "augment", "mixup", "focal")  # fmt: skip
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
        if self.private:
            require(
                not self.mixup,
                "recipe.mixup lets one row into the gradient of another, which recipe.dp_epsilon and recipe.dp_noise "
                "clip one by one; set recipe.mixup=0",
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
