"""Protocol: how rows are divided and judged. Every field can be set by `--set protocol.FIELD=VALUE`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipelines.errors import require

MOST_TRAININGS = 100
"""How often rows can be divided anew, or a contender trained anew; more is a slip of the hand."""

MOST_PARTS = 20
"""Of a blend; each is one more training of every contender."""


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
    seeds: int = 1
    """How often each contender is trained on each fold, from different seeds. With several, what trainings differ by is
    told apart from what tested rows do, and both are in the intervals."""
    resamples: int = 1000
    """Bootstrap samples behind each interval."""
    block: int = 0
    """Of `by=time`: how many moments that follow each other are resampled together, on average; 0 lets the data say."""
    delay: float = 0.0
    """Of `by=time`: how long after its moment a row's label becomes known, in the unit of the moments (days, of
    transactions). Rows whose labels are not known by the time when validation or the test begins are left out."""
    alert_budget: float = 0.0
    """Of tasks with alerts: how many are looked into a day, below 1 as a share of the day's rows; 0: as declared."""
    alert_cost: float = -1.0
    """Of tasks with alerts: what looking into one costs, in the unit of the amounts; below 0: as declared."""
    margin: float = 0.0
    """How much worse than the best baseline, in units of the deciding score, is still no matter. Above 0 the verdict
    also says whether the network is not worse by more (non-inferiority)."""
    networks: str = ""
    """Which of the task's networks compete, by their names with commas between. Empty: those that the task lets compete
    unasked."""
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
    blend: int = 0
    """Whether all contenders also answer together, each weighted by how much it adds to the others, as a contender of
    its own. 1: as they are, weighted by validation rows. 2 or more: each trained so many times, on all but one such
    part of the training and validation rows, and weighted by what it says of that part. The blend takes no part in the
    verdict; the report says what mixing gains over the best of them. 0: no blend."""
    learn_from: float = 1.0
    """Share of its training rows, and of its validation rows, that each fold learns from; all of its test rows are
    tested whatever the share. `tapeline study` runs several."""

    def __post_init__(self) -> None:
        require(
            0 < self.learn_from <= 1,
            f"protocol.learn_from must be above 0 and at most 1; received {self.learn_from}",
        )
        for name in ("test", "valid"):
            require(0 < getattr(self, name) < 1, f"protocol.{name} must be in (0, 1); received {getattr(self, name)}")
        require(0 <= self.blend <= MOST_PARTS, f"protocol.blend must be from 0 to {MOST_PARTS}; received {self.blend}")
        require(
            self.blend < 2 or self.by != "time",
            f"protocol.blend={self.blend} would train on what came after the rows that it weighs by; with "
            "protocol.by=time set it to 1",
        )
        require(self.folds >= 2, f"protocol.folds must be at least 2; received {self.folds}")
        for name in ("repeats", "seeds"):
            require(getattr(self, name) >= 1, f"protocol.{name} must be at least 1; received {getattr(self, name)}")
            most = f"protocol.{name} must be at most {MOST_TRAININGS}; received {getattr(self, name)}"
            require(getattr(self, name) <= MOST_TRAININGS, most)
        for name in ("block", "margin", "delay", "alert_budget"):
            require(getattr(self, name) >= 0, f"protocol.{name} must not be negative; received {getattr(self, name)}")
        require(self.resamples >= 100, f"protocol.resamples must be at least 100; received {self.resamples}")
        require(
            self.by != "time" or self.kind == "holdout",
            "protocol.by=time needs protocol.kind=holdout: folds would train on the future",
        )
        whole = self.alert_budget < 1 or self.alert_budget == int(self.alert_budget)
        require(whole, f"protocol.alert_budget from 1 on is a whole number; received {self.alert_budget:g}")
