"""Protocol: how rows are divided and judged. Every field can be set by `--set protocol.FIELD=VALUE`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipelines.errors import require
from pipelines.points import Points

MOST_TRAININGS = 100
"""How often rows can be divided anew, or a contender trained anew; more is a slip of the hand."""

FEWEST_SHADOWS, MOST_SHADOWS = 4, 64
"""With fewer a row's confidences have no spread; with more, each row could have a variance of its own."""

USUAL_POINTS = "specificity:0.9,specificity:0.95,sensitivity:0.9,sensitivity:0.95"
"""Where tests in medicine are usually quoted; `operate_at` of such tasks."""


OTHER_ORGANS = "noise,blank,photographs,retina,tissue,head"
"""`strange` of tasks whose pictures are of none of these organs."""
STRANGE = ("noise", "blank", "photographs", "retina", "tissue", "head", "none")
"""What `strange` may name."""


@dataclass(frozen=True)
class Protocol:
    """How rows are divided so that the comparison is fair. Every field can be set by `--set protocol.FIELD=VALUE`.

    `holdout` trains once and tests on rows kept aside (the official test rows where the set has them);
    `cross-validation` tests every row once per repeat, which is what makes a verdict on a small set possible;
    `walk-forward` tests the last rows in time, one stretch after the other, each by models that were trained anew on
    all that lies before it.
    """

    kind: Literal["holdout", "cross-validation", "walk-forward"] = "holdout"
    by: Literal["row", "id", "time"] = "row"
    """What must not cross a split: single rows (stratified by class), all rows of one id, or the future."""
    test: float = 0.2
    valid: float = 0.15
    """Share of the rows that are not tested."""
    folds: int = 5
    """Of cross-validation the parts; of a walk the stretches that are tested one after the other."""
    purge: int = 0
    """Of `by=time`: how many moments are left out before what is validated, and before what is tested: as many as a
    target looks ahead beyond its own moment, so that none that is learned from reaches over the border."""
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
    rebalance: int = 0
    """Of portfolios: days from one rebalancing to the next, for all contenders alike; 0: as the task declares."""
    decide_by: str = ""
    """Of two classes: how each contender's decision threshold is chosen on validation rows: `balanced_accuracy`, `f1`,
    `accuracy`, `cost:FP:FN` (costs of a false alarm and of a miss), `sensitivity:S`, `specificity:S`, `precision:P`
    (at least so much) or `alerts:A` (at most such a share of the rows). Empty: as the task declares."""
    operate_at: str = ""
    """Of two classes: further points that are told of, as `specificity:0.9,sensitivity:0.95`: what decisions do at the
    thresholds at which validation rows reach such a share, and what the ROC curve says there. Empty: none."""
    prevalence: float = 0.0
    """Of `operate_at`: the share of positives that predictive values are told for; 0: that of the tested rows."""
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
    blend: Literal["no", "yes"] = "no"
    """Whether all contenders also answer together, each weighted by how much it adds to the others on validation rows,
    as a contender of its own. It takes no part in the verdict; the report says what mixing gains over the best."""
    points: str = ""
    """Of two classes: `PDO:BASE:ODDS`, the scale on which probabilities are told as points as well: BASE points at odds
    of ODDS to 1 against the positive class, and PDO more points double them (`20:600:50`). Empty: no points."""
    monotone: str = ""
    """Of two classes: which way the risk may move when a column alone rises, as `Debt:up,Income:down`. Each contender
    is tested for it. Empty: as the task declares for its own data."""
    obey: Literal["no", "yes"] = "no"
    """Whether boosting also competes in a form that is made to obey these directions."""
    refer: str = ""
    """Of two classes: which rows go to a person instead of being decided, chosen on validation rows: `right:S` (of each
    kind of decision that is left more than the share S is right, by a 95 % bound) or `cost:C` (a referral costs C, an
    error what `decide_by` says, else 1). Empty: none."""
    automate_at: float = 0.05
    """Of classes: which share of wrong decisions is no matter among those that are made without a person. Each
    contender's surest decisions are automated as far as its validation rows promise that (95 %)."""
    robustness: Literal["yes", "no"] = "yes"
    """Of pictures: whether tested ones are also made worse (noise, blur, contrast, JPEG) and each contender is asked
    about those. It takes some seconds a contender."""
    strange: str = "noise,blank,photographs"
    """Of pictures: which others each network is shown, to see whether its own features tell them from those that it is
    for: `noise`, `blank`, `photographs`, `retina`, `tissue` or `head`, with commas between, or `none`. Where some are
    asked for, `tapeline predict` flags rows that are unlike the training rows."""
    show_cases: Literal["sets", "yes", "no"] = "sets"
    """Of pictures: whether the report shows single tested ones, with where the network looked: `sets` shows those of
    sample and public sets and keeps a user's own to itself; `yes` shows those too, and so does MLflow then."""
    shadows: int = 0
    """How many models like each contender are trained, each on half of the rows, to attack it with (LiRA): who was
    among the rows that it learned from? 16 show much, 64 more; 0 leaves it at the attack by loss."""
    private: str = ""
    """At which epsilons each network also competes trained with differential privacy, with commas between (`1,3,8`):
    contenders of their own, beside the verdict. The report says what privacy costs. Empty: none."""
    learn_from: float = 1.0
    """Share of its training rows, and of its validation rows, that each fold learns from; all of its test rows are
    tested whatever the share. `tapeline study` runs several."""

    def __post_init__(self) -> None:
        require(
            0 < self.learn_from <= 1,
            f"protocol.learn_from must be above 0 and at most 1; received {self.learn_from}",
        )
        require(
            0 < self.automate_at < 0.5,
            f"protocol.automate_at is a share of wrong decisions above 0 and below 0.5; received {self.automate_at}",
        )
        require(
            0 <= self.prevalence < 1,
            f"protocol.prevalence is a share of positives, at least 0 and below 1; received {self.prevalence}",
        )
        for kind in (each.strip() for each in self.strange.split(",")):
            known = f"protocol.strange names some of {', '.join(STRANGE)}, with commas between; received {kind!r}"
            require(kind in STRANGE, known)
        if self.points:
            Points.parse(self.points)
        for name in ("test", "valid"):
            require(0 < getattr(self, name) < 1, f"protocol.{name} must be in (0, 1); received {getattr(self, name)}")
        require(self.folds >= 2, f"protocol.folds must be at least 2; received {self.folds}")
        for name in ("repeats", "seeds"):
            require(getattr(self, name) >= 1, f"protocol.{name} must be at least 1; received {getattr(self, name)}")
            most = f"protocol.{name} must be at most {MOST_TRAININGS}; received {getattr(self, name)}"
            require(getattr(self, name) <= MOST_TRAININGS, most)
        for name in ("block", "margin", "purge", "rebalance", "delay", "alert_budget"):
            require(getattr(self, name) >= 0, f"protocol.{name} must not be negative; received {getattr(self, name)}")
        require(
            self.shadows == 0 or (self.shadows % 2 == 0 and FEWEST_SHADOWS <= self.shadows <= MOST_SHADOWS),
            f"protocol.shadows must be 0, or an even number from {FEWEST_SHADOWS} to {MOST_SHADOWS}, for they come in "
            f"pairs that divide the rows between them; received {self.shadows}",
        )
        require(self.resamples >= 100, f"protocol.resamples must be at least 100; received {self.resamples}")
        require(
            self.by != "time" or self.kind != "cross-validation",
            "protocol.by=time needs protocol.kind=holdout or walk-forward: folds would train on the future",
        )
        require(
            self.by == "time" or self.kind != "walk-forward",
            f"protocol.kind=walk-forward goes forward in time: set protocol.by=time; received {self.by}",
        )
        whole = self.alert_budget < 1 or self.alert_budget == int(self.alert_budget)
        require(whole, f"protocol.alert_budget from 1 on is a whole number; received {self.alert_budget:g}")
