"""The Report: what `--json` prints, MLflow stores, and figures, pages and notebooks read. One shape everywhere.

Undefined numbers are NaN here and null in JSON: a rate over no rows is unknown, not zero.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from pipelines.report import lending, oversight
from pipelines.report.alerts import AlertReport
from pipelines.report.cost import Cost as Cost
from pipelines.report.cost import together as together
from pipelines.report.estimate import Estimate as Estimate
from pipelines.report.estimate import estimate, estimates, known
from pipelines.report.explanation import Explanation, explanation
from pipelines.report.lending import Direction, PointsRow, Referral
from pipelines.report.machine import Machine, machine
from pipelines.report.mitigation import Change as Change
from pipelines.report.mitigation import Mitigation as Mitigation
from pipelines.report.mitigation import mitigation
from pipelines.report.operating import OperatingPoint, operating_point
from pipelines.report.oversight import Oversight, OversightLead
from pipelines.report.privacy import GapChange as GapChange
from pipelines.report.privacy import PrivacyPrice as PrivacyPrice
from pipelines.report.privacy import price
from pipelines.report.robustness import Robustness, WorsenedLead, robustness, worsened_lead
from pipelines.report.strangers import Strangers, strangers
from pipelines.report.tuning import Tuning

SCHEMA = 1

ContenderKind = Literal["network", "classical", "ensemble", "alternative", "mitigated", "blend", "private"]
BESIDE = ("mitigated", "blend", "private")
"""Kinds that answer another question than the verdict's: what mending, mixing and privacy do."""
Answer = Literal["yes", "no", "inconclusive"]


@dataclass(frozen=True)
class Check:
    """One check of the data, and what it found."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class DataCard:
    """Which data a run used. `splits` counts rows; under cross-validation it counts those of the first fold."""

    source: str
    simulated: bool
    rows: int
    sha256: str
    splits: Mapping[str, int]
    checks: tuple[Check, ...] = ()
    protocol: str = ""
    target: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class GroupRow:
    """How one contender treats one group: counts, and metrics by name (`tpr`, `fpr`, `auroc`, ...)."""

    attribute: str
    group: str
    n: int
    n_positive: int
    metrics: Mapping[str, Estimate]
    small: tuple[str, ...] = ()
    """Metrics that rest on too few rows (positives, of a TPR) to be in a gap."""
    intersection: bool = False
    """Whether the attribute is two crossed, as `sex x age`."""


@dataclass(frozen=True)
class Gap:
    """How far apart the groups of one attribute are: the largest difference and the smallest ratio of a metric.

    `low` and `high` bound the difference. `groups` names the two groups that are furthest apart, lower first, and `n`
    counts the rows that the metric rests on in each. `p_value` is of no gap at all; it is corrected for the number of
    pairs of groups and, by Holm's method, of gaps that were looked at.
    """

    attribute: str
    metric: str
    difference: float
    ratio: float
    low: float
    high: float
    groups: tuple[str, str] = ("", "")
    n: tuple[int, int] = (0, 0)
    p_value: float = math.nan
    intersection: bool = False


@dataclass(frozen=True)
class Scorecard:
    """All that one contender achieved. `settings` holds what was chosen for it (tuned values, the plan)."""

    name: str
    kind: ContenderKind
    scores: Mapping[str, Estimate]
    cost: Cost
    threshold: float = math.nan
    bias: tuple[GroupRow, ...] = ()
    gaps: tuple[Gap, ...] = ()
    mlflow_run_id: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    decisions: Mapping[str, Estimate] = field(default_factory=dict)
    """Of two classes: what the decisions at the threshold do (`sensitivity`, `precision`, `cost_per_1000`, ...)."""
    training_sd: float = math.nan
    test_sd: float = math.nan
    """Of several trainings: standard deviation of the primary score from one training to another on the same rows, and
    what would be left of its uncertainty with ever so many trainings; NaN with one."""
    calibration: Mapping[str, Estimate] = field(default_factory=dict)
    """Of classes: whether probabilities come true (`debiased_calibration_error`, `slope`, `reliability`, ...)."""
    uncalibrated: Mapping[str, Estimate] = field(default_factory=dict)
    """The same before `protocol.calibrate` corrected them; empty where it did not."""
    points: tuple[PointsRow, ...] = ()
    """Of a scorecard: the points of each bin, those of the model that is kept."""
    directions: tuple[Direction, ...] = ()
    """Of columns whose direction was declared: whether the probability moves that way."""
    referral: Referral | None = None
    """Where `protocol.refer` gives some rows to a person: which, and what is left."""
    by_fold: tuple[float, ...] = ()
    """Of cross-validation: the primary score of each fold, all folds of a repeat before those of the next."""
    membership: Mapping[str, Estimate] = field(default_factory=dict)
    """How surely an outsider tells by the saved model's losses who was among the rows that it learned from: `auc`, and
    `tpr_at_1_percent_fpr`. Empty where that was not measured: of rows in time, and of what learns from normal rows.
    With `protocol.shadows` also `lira_` and `lira_offline_` of both, by shadow models."""
    explanation: Explanation | None = None
    """What the answers of the saved model hang on; None of mitigated contenders."""
    oversight: Oversight | None = None
    """Of classes: which decisions need no person at a stated error, and what is left to persons."""
    operating: tuple[OperatingPoint, ...] = ()
    """Of two classes: what decisions do at the points that `protocol.operate_at` asks for."""
    robustness: Robustness | None = None
    """Of pictures: what noise, blur, little contrast and strong compression cost."""
    strangers: Strangers | None = None
    """Of networks that read pictures: whether their features tell inputs unlike the training rows."""


@dataclass(frozen=True)
class Comparison:
    """A paired test of a contender against a baseline; a positive difference favours the contender.

    `p_value` is two-sided and, where several baselines were tested, corrected by Holm's method. `p_non_inferior` is the
    one-sided p-value of "worse by `margin` or more"; NaN where no margin is set. `effect_size` is the difference over
    the standard deviation of what one of the independent `units` adds to it. `rows_to_decide` is how many more tested
    rows would give a significant difference with 80 % power if it stays as it is: 0 where it is significant, also as
    the best of several networks, infinite where none would, NaN where there is next to no difference; the last two are
    null in JSON. `training_sd` and `test_sd` are of the difference, as in `Scorecard`.
    """

    contender: str
    baseline: str
    score: str
    difference: float
    low: float
    high: float
    p_value: float
    test: str
    margin: float = 0.0
    p_non_inferior: float = math.nan
    effect_size: float = math.nan
    rows_to_decide: float = math.nan
    units: int = 0
    training_sd: float = math.nan
    test_sd: float = math.nan


@dataclass(frozen=True)
class NetBenefit:
    """What acting from a probability on gains per row, by the network and by the best baseline, on the same rows.

    A found positive counts 1, a false alarm costs threshold / (1 - threshold); `of_everyone` is acting on every row,
    and acting on none gains 0.
    """

    network: str
    baseline: str
    threshold: float
    of_network: Estimate
    of_baseline: Estimate
    difference: Estimate
    of_everyone: Estimate


@dataclass(frozen=True)
class LimitResult:
    """One limit of the task, the value that was measured, and whether it holds."""

    name: str
    value: float
    limit: float
    passed: bool


@dataclass(frozen=True)
class Verdict:
    """The answer: who won, does the network beat the best baseline, and do the task's limits hold."""

    winner: str
    network_beats_best_baseline: Answer
    limits: tuple[LimitResult, ...] = ()
    passed: bool = True
    network: str = ""
    best_baseline: str = ""
    sentence: str = ""
    non_inferior: Answer | Literal[""] = ""
    """Whether the network is not worse than the best baseline by more than `margin`; empty where no margin is set."""
    margin: float = 0.0
    rows_to_decide: float = math.nan
    """Of the comparison of these two."""


@dataclass(frozen=True)
class Report:
    """The document of one run."""

    task: str
    seed: int
    seconds: float
    data: DataCard
    contenders: tuple[Scorecard, ...]
    comparisons: tuple[Comparison, ...]
    verdict: Verdict
    primary: str
    mlflow_run_id: str = ""
    schema: int = SCHEMA
    versions: Mapping[str, str] = field(default_factory=dict)
    deterministic: bool = False
    """Whether the same command gives the same weights in any process on the same hardware."""
    decided_by: str = ""
    """How thresholds were chosen where the run was asked for a way of its own (`cost:1:5`); empty for the task's."""
    net_benefit: NetBenefit | None = None
    """Of two classes: at the threshold that the network decides at, or at which the costs of the rule break even."""
    tuning: Tuning | None = None
    """Of `tapeline tune`: the budget of every contender, and all that was tried."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Contenders that could not be trained, and why, in a run that may go on without them (one size of a study)."""
    mitigations: tuple[Mitigation, ...] = ()
    privacy_price: tuple[PrivacyPrice, ...] = ()
    """Of `protocol.private`: what each network pays at each epsilon, against itself without privacy."""
    shadows: int = 0
    """How many shadow models attacked each contender; 0 leaves it at the attack by loss."""
    alerts: AlertReport | None = None
    """Of tasks whose rows come day by day: what the alerts of a day's budget find, and what they are worth."""
    blend: tuple[Comparison, ...] = ()
    """Of a blend of all contenders: its lead over the best network and over the best baseline."""
    points: str = ""
    """The scale on which probabilities are points as well, `PDO:BASE:ODDS`; empty where there is none."""
    obeying: tuple[Comparison, ...] = ()
    """What obeying declared directions costs: each baseline that was made to, against itself without."""
    oversight: OversightLead | None = None
    """Of classes: how much more the network automates than the best baseline."""
    operating: tuple[Comparison, ...] = ()
    """At each point of `protocol.operate_at`: the network's lead over the best baseline on the ROC curve."""
    robustness: tuple[WorsenedLead, ...] = ()
    """The network's lead over the best baseline on the same pictures made worse."""
    machine: Machine | None = None
    """What it ran on."""
    energy_by: str = ""
    """How energy was estimated; empty where it was not."""
    command: str = ""
    """What to type for this run again, personal data masked; empty in a part of a study, and where it was not kept."""

    def scorecard(self, name: str) -> Scorecard:
        """The scorecard of the contender with this name."""
        return next(card for card in self.contenders if card.name == name)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types only; NaN becomes None; a bias row's metrics stand beside its counts."""
        document = asdict(self)
        for card in document["contenders"]:
            card["bias"] = [_flatten(row) for row in card["bias"]]
        return {"schema": document.pop("schema"), **_plain(document)}

    def to_json(self, indent: int | None = None) -> str:
        """The document as JSON text, without NaN or infinity."""
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False, ensure_ascii=False)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Report:
        """The Report that `to_dict` wrote.

        Raises:
            ValueError: the document has another schema number.
        """
        if document.get("schema") != SCHEMA:
            raise ValueError(f"this report has schema {document.get('schema')!r}; this version reads schema {SCHEMA}")
        fields = dict(document)
        data = dict(fields["data"])
        data["checks"] = tuple(Check(**check) for check in data["checks"])
        data["notes"] = tuple(data.get("notes", ()))
        verdict = dict(fields["verdict"])
        verdict["limits"] = tuple(LimitResult(**_numbers(limit, "value")) for limit in verdict["limits"])
        fields["data"] = DataCard(**data)
        fields["contenders"] = tuple(_scorecard(card) for card in fields["contenders"])
        fields["comparisons"] = tuple(_comparison(row) for row in fields["comparisons"])
        fields["verdict"] = Verdict(**_numbers(verdict, "rows_to_decide"))
        fields["machine"] = machine(fields.get("machine"))
        fields["net_benefit"] = _net_benefit(fields.get("net_benefit"))
        if fields.get("tuning") is not None:
            fields["tuning"] = Tuning.from_dict(fields["tuning"])
        fields["blend"] = tuple(_comparison(row) for row in fields.get("blend", ()))
        fields["obeying"] = tuple(_comparison(row) for row in fields.get("obeying", ()))
        fields["oversight"] = oversight.lead(fields.get("oversight"))
        fields["robustness"] = tuple(worsened_lead(row) for row in fields.get("robustness", ()))
        fields["operating"] = tuple(_comparison(row) for row in fields.get("operating", ()))
        fields["mitigations"] = tuple(mitigation(each) for each in fields.get("mitigations", ()))
        fields["privacy_price"] = tuple(price(each) for each in fields.get("privacy_price", ()))
        if fields.get("alerts") is not None:
            fields["alerts"] = AlertReport.from_dict(fields["alerts"])
        return cls(**fields)


def _comparison(told: Mapping[str, Any]) -> Comparison:
    return Comparison(**known(told))


def sides(competing: Iterable[Any]) -> tuple[list[str], list[str]]:
    """Networks and baselines by name: who takes part in the question; not those that are `BESIDE` it."""
    found = [(each.name, each.kind) for each in competing if each.kind not in BESIDE]
    networks = [name for name, kind in found if kind != "classical"]
    return networks, [name for name, kind in found if kind == "classical"]


def _flatten(row: dict[str, Any]) -> dict[str, Any]:
    return {**{key: value for key, value in row.items() if key != "metrics"}, **row["metrics"]}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if hasattr(value, "item"):  # a NumPy scalar
        return _plain(value.item())
    return value


def _scorecard(card: Mapping[str, Any]) -> Scorecard:
    fields = dict(card)
    fields["scores"] = estimates(fields["scores"])
    for part in ("decisions", "calibration", "uncalibrated", "membership"):
        fields[part] = estimates(fields.get(part, {}))
    fields["points"] = tuple(lending.points_row(row) for row in fields.get("points", ()))
    fields["directions"] = tuple(lending.direction(row) for row in fields.get("directions", ()))
    fields["referral"] = lending.referral(fields.get("referral"))
    fields["explanation"] = explanation(fields.get("explanation"))
    fields["oversight"] = oversight.oversight(fields.get("oversight"))
    fields["robustness"] = robustness(fields.get("robustness"))
    fields["strangers"] = strangers(fields.get("strangers"))
    fields["operating"] = tuple(operating_point(each) for each in fields.get("operating", ()))
    fields["cost"] = Cost(**known(fields["cost"]))
    fields["bias"] = tuple(_group_row(row) for row in fields["bias"])
    fields["gaps"] = tuple(_gap(gap) for gap in fields["gaps"])
    fields["by_fold"] = tuple(math.nan if value is None else value for value in fields.get("by_fold", ()))
    return Scorecard(**_numbers(fields, "threshold", "training_sd", "test_sd"))


def _net_benefit(told: Mapping[str, Any] | None) -> NetBenefit | None:
    if told is None:
        return None
    fields: dict[str, Any] = {key: estimate(each) if isinstance(each, Mapping) else each for key, each in told.items()}
    return NetBenefit(**fields)


def _group_row(row: Mapping[str, Any]) -> GroupRow:
    own = ("attribute", "group", "n", "n_positive", "small", "intersection")
    metrics = {name: estimate(value) for name, value in row.items() if name not in own}
    counts = (row["attribute"], row["group"], row["n"], row["n_positive"])
    return GroupRow(*counts, metrics, tuple(row.get("small", ())), row.get("intersection", False))


def _gap(gap: Mapping[str, Any]) -> Gap:
    fields = _numbers(gap, "difference", "ratio", "low", "high", "p_value")
    return Gap(**{**fields, "groups": tuple(gap["groups"]), "n": tuple(gap.get("n", (0, 0)))})


def _numbers(fields: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The fields, with null read back as NaN where a number is expected."""
    return {key: math.nan if key in names and value is None else value for key, value in fields.items()}
